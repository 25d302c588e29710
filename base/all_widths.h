// ROUX_ALL_WIDTHS before a function: it is compiled for several widths of vectors, and the system chooses once.
// For loops over integers, which give the same on all of them.
#pragma once

// Sanitizers cannot run the function that chooses, which is called before they are ready.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ROUX_ALL_WIDTHS [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define ROUX_ALL_WIDTHS
#endif

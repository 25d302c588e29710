// Every limit on what a recipe or a file controls, in one place. docs/limits.md tells of each, and which test holds it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace roux::limits {

inline constexpr std::size_t kRecipeBytes = 4u << 20;
inline constexpr int kSyntaxDepth = 200;             // nested brackets, blocks and operators
inline constexpr std::size_t kSyntaxTokens = 200'000;  // of one file; a parse takes up to 1.5 KB for each
inline constexpr int kCallDepth = 256;
inline constexpr int kEvaluationDepth = 5000;        // nested expressions, through all calls
inline constexpr std::size_t kGraphValues = 20'000;  // that one output or number is computed from
inline constexpr std::uint64_t kControlSteps = 10'000'000;
inline constexpr std::size_t kListLength = 1'000'000;   // all levels counted
inline constexpr int kListDepth = 500;
inline constexpr std::size_t kTextBytes = 16u << 20;
inline constexpr std::size_t kImportedFiles = 1000;  // of one recipe
inline constexpr std::size_t kImportDepth = 100;     // files that import files that import ...
inline constexpr std::ptrdiff_t kImportsAbove = 16;  // folders that the paths of imports inside an output may climb
inline constexpr std::size_t kFindings = 20;         // diagnostics printed of one run
inline constexpr std::uint64_t kHeaderBytes = 100'000'000;  // the reference library's own limit
inline constexpr int kHeaderJsonDepth = 16;
inline constexpr std::size_t kTensors = 1'000'000;
inline constexpr std::size_t kTensorRank = 64;
inline constexpr std::size_t kTensorNameBytes = 4096;
inline constexpr std::size_t kConfigBytes = 16u << 20;
inline constexpr std::size_t kScorerOutputBytes = 16u << 20;
inline constexpr std::size_t kScorerScanBytes = 256u << 20;  // of all tries to find an object in that output
inline constexpr int kThreads = 1024;

}  // namespace roux::limits

set(CMAKE_POSITION_INDEPENDENT_CODE ON)  # all of it is in the shared library, too

# roux_options: what every target of ours is compiled with.
# -ffp-contract=off is part of the language: results are the same bits on every machine.
add_library(roux_options INTERFACE)
target_compile_features(roux_options INTERFACE cxx_std_20)
target_compile_options(roux_options INTERFACE -Wall -Wextra -Wshadow -ffp-contract=off
  # GCC 12 warns falsely of strings that are concatenated, and of designated initialisers that leave the
  # other members to their defaults.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> -Wno-missing-field-initializers)
target_include_directories(roux_options INTERFACE ${PROJECT_SOURCE_DIR})
if(ROUX_SANITIZE)
  target_compile_options(roux_options INTERFACE -fsanitize=${ROUX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # Machine code made at run time bears no mark of its type.
  target_compile_options(roux_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  target_link_options(roux_options INTERFACE -fsanitize=${ROUX_SANITIZE})
endif()

// The size of the terminal that a descriptor leads to.
#pragma once

#include <cstddef>

namespace roux::cli {

// Of standard output or standard error; `otherwise` where that is no terminal or the terminal does not say.
std::size_t columns_of_window(int descriptor, std::size_t otherwise = 80);

}  // namespace roux::cli

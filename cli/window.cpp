#include "cli/window.h"

#include <sys/ioctl.h>

namespace roux::cli {

std::size_t columns_of_window(int descriptor, std::size_t otherwise) {
  winsize size = {};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : otherwise;
}

}  // namespace roux::cli

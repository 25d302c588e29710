// Whether several outputs have room together on the disks where they go: each stays beside what it replaces
// until all are in place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace roux {

struct WantedRoom {
  std::string path;
  std::uint64_t bytes = 0;
  Span span;  // the `save` that wants it
};

// An error, at the last of them, where those that share its disk need more than it has free.
Status check_room(const std::vector<WantedRoom>& outputs);

}  // namespace roux

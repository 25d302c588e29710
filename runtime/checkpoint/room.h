// Whether several outputs have room together on the disks where they go: each stays beside what it replaces
// until all are in place.
#pragma once

#include <vector>

#include "runtime/checkpoint/writer.h"

namespace roux {

// An error, at the last of them, where those that share its disk need more than it has free.
Status check_room(const std::vector<OutputLayout>& outputs);

}  // namespace roux

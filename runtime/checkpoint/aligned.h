// A checkpoint seen with other tensors than its files hold: each tensor is that of some checkpoint (its own, the
// base's, another model's), or the largest of the whole numbers of several. What is around the tensors (path,
// config, metadata) stays that of the checkpoint it is a view of. Reads go straight to where a tensor is.
#pragma once

#include <memory>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"

namespace roux {

// Where a tensor of a view comes from. Several places hold whole numbers of one dtype and shape, of which
// the largest is taken, element by element.
struct ViewedTensor {
  struct Place {
    Checkpoint::Ptr checkpoint;
    std::size_t tensor = 0;
  };
  std::vector<Place> places;
};

// `tensors` in canonical order.
Checkpoint::Ptr view_of(Checkpoint::Ptr checkpoint, std::vector<ViewedTensor> tensors);

}  // namespace roux

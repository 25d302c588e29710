// Policies for checkpoints whose tensors do not match (`align`, and `load_all` with its options). Everywhere
// else operands must match exactly; here it is said tensor by tensor where each comes from, and what was not as
// it should be is counted and told. Models are loaded checkpoints; what changes becomes a view (aligned.h).
#pragma once

#include <string>
#include <vector>

#include "compiler/interpret/spaces.h"

namespace roux {

struct AlignPolicies {
  std::string missing = "error";   // base, skip
  std::string extra = "error";     // copy, skip
  std::string integers = "equal";  // base, first, max
  std::string shapes = "error";    // base, skip
  std::string vocab = "error";     // base
  bool operator==(const AlignPolicies&) const = default;
};

// The models over one list of tensors; with a base (null: none) they carry it, over the same list.
// Throws a Failure with all that no policy allows.
std::vector<Data> align(SpaceContext& context, const std::vector<Data>& models, const Data* base,
                        const AlignPolicies& policies);

}  // namespace roux

// The inputs of the recipes in this folder, the same for every run: models of awkward sizes, with
// ties in magnitude, zeros of both signs and denormals; six storage types; F64; infinities and NaN.
#pragma once

#include <filesystem>

#include "tests/support/plain.h"

namespace roux::testing {

inline constexpr int kFineTunes = 7;  // `a` to `g`, of `base`

plain::Model family_base();
plain::Model family_member(int index);  // 0: `a`
plain::Model family_stranger();         // `far`: of the same shapes, near none of them

// All of them as files: base, a … g, far, mixed_{a,b,other}, wide_{a,b}, special_{a,b,c}.
void write_family(const std::filesystem::path& folder);

}  // namespace roux::testing

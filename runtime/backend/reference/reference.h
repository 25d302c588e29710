// The reference backend: runs a kernel by reading it, one element at a time, straight from
// semantics.h. It is the definition that other backends are compared with, and a way to run without
// a code generator.
#pragma once

#include <memory>

#include "runtime/backend/backend.h"

namespace roux {

std::unique_ptr<Backend> make_reference_backend();

}  // namespace roux

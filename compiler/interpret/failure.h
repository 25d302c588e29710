// How evaluation stops: a Failure is thrown where something is found wrong and caught where a statement
// was begun. It never leaves compiler/interpret.
#pragma once

#include "base/result.h"

namespace roux {

struct Failure {
  Diagnostics diagnostics;
};

[[noreturn]] inline void fail(Diagnostic diagnostic) { throw Failure{{std::move(diagnostic)}}; }

template <class T>
T unwrap(Result<T> result) {
  if (!result) throw Failure{std::move(result).error()};
  return *std::move(result);
}

}  // namespace roux

// How evaluation stops: a Failure is thrown where something is found wrong and caught where a statement
// was begun. It never leaves compiler/interpret.
#pragma once

#include "base/result.h"

namespace roux {

struct Failure {
  Diagnostics diagnostics;
  // The parameter that is at fault, where a method found one of its arguments wrong: the place is then that
  // argument of the call.
  std::string argument{};
};

[[noreturn]] inline void fail(Diagnostic diagnostic) { throw Failure{{std::move(diagnostic)}}; }

template <class T>
T unwrap(Result<T> result) {
  if (!result) throw Failure{std::move(result).error()};
  return *std::move(result);
}

}  // namespace roux

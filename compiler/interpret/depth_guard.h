// Counts how deep evaluation is nested, so that a recipe that calls itself ends with a diagnostic and not
// with the stack.
#pragma once

#include "base/limits.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"

namespace roux {

class Evaluator::DepthGuard {
 public:
  DepthGuard(int& depth, int limit, const char* what, Span span) : depth_(depth) {
    if (depth_ >= limit)
      fail(error(DiagnosticKind::limit, span,
                 std::string(what) + " are nested more than " + std::to_string(limit) + " deep")
               .hint("there is no recursion: use `fold` or a comprehension; a chain of calls that is meant may go "
                     "deeper with `--max-depth`"));
    ++depth_;
  }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;

 private:
  int& depth_;
};

}  // namespace roux

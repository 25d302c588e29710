// Result<T>: a value, or the diagnostics that say why there is none. To ask for the one that it does not hold is a bug of
// the caller (and throws std::bad_variant_access). Nothing is thrown between folders;
// "not found" is an optional, not an error. ROUX_TRY unwraps or returns the diagnostics to the caller.
// ROUX_CHECK is for what can only be false by a bug of ours: it throws InternalError, which the api
// catches once and reports as a diagnostic of kind `internal`.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "base/diagnostic.h"

namespace roux {

struct Unit {};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Diagnostic error) : state_(std::in_place_index<1>) {
    std::get<1>(state_).push_back(std::move(error));
  }
  Result(Diagnostics errors) : state_(std::in_place_index<1>, std::move(errors)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  const Diagnostics& error() const& { return std::get<1>(state_); }
  Diagnostics&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Diagnostics> state_;
};

using Status = Result<Unit>;
inline Status ok() { return Unit{}; }

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace roux

#define ROUX_CONCAT_INNER(a, b) a##b
#define ROUX_CONCAT(a, b) ROUX_CONCAT_INNER(a, b)

// ROUX_TRY(auto x, f());  and  ROUX_DO(g());
#define ROUX_TRY(declaration, expression) ROUX_TRY_NAMED(ROUX_CONCAT(result_, __LINE__), declaration, expression)
#define ROUX_TRY_NAMED(name, declaration, expression) \
  auto name = (expression);                           \
  if (!name) return std::move(name).error();          \
  declaration = *std::move(name)

#define ROUX_DO(expression)                                          \
  do {                                                               \
    if (auto status = (expression); !status) return std::move(status).error(); \
  } while (false)

#define ROUX_STRINGIZE_INNER(x) #x
#define ROUX_STRINGIZE(x) ROUX_STRINGIZE_INNER(x)
#define ROUX_CHECK(condition)                                                                   \
  do {                                                                                          \
    if (!(condition))                                                                           \
      throw ::roux::InternalError(__FILE__ ":" ROUX_STRINGIZE(__LINE__) ": " #condition);       \
  } while (false)

// The names of types and what they accept as a bare word. Types are written in signatures; whether a value
// fits one is decided where values are (interpret/conform.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/syntax/ast.h"

namespace roux {

enum class TypeName : unsigned char {
  any, model, delta, tensors, number, fraction, count, boolean, string, none, list, record, soup, scorer,
  function, scope, dtype, operands,
  layers, net, dataset,  // known, not yet meant
};

const TypeName* find_type(std::string_view name);  // null: no such type
std::vector<std::string> type_names();

// The choices that an argument of this type may give as a bare word: scope, dtype, quoted alternatives.
std::vector<std::string> choices_of(const ast::Type& type);
// What was probably meant: the nearest in spelling, else the first that has the word for a part (`e4m3`, `fp8`).
std::optional<std::string> nearest_choice(const std::string& word, const std::vector<std::string>& choices);
// For a message: "`a`, `b`". A dtype that has two names is shown by the first.
std::string list_of_choices(const std::vector<std::string>& choices);

// What a text means that is given to a `param` from outside: itself, a path or a glob to load, an expression.
enum class SettingKind : unsigned char { text, model, models, expression };
SettingKind setting_kind(const std::optional<ast::Type>& type);

// As a signature writes it.
std::string to_text(const ast::Type& type);

}  // namespace roux

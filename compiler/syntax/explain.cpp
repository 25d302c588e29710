#include "compiler/syntax/explain.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "compiler/syntax/habits.h"

namespace roux::syntax {
namespace {

bool is_symbol(const Token& token, std::string_view text) {
  return token.is(TokenKind::symbol, text);
}
bool is_reserved(const Token& token, std::string_view text) {
  return token.is(TokenKind::reserved, text);
}
bool is_comparison(const Token& token) {
  constexpr std::array<std::string_view, 6> kComparisons = {"==", "!=", "<", "<=", ">", ">="};
  return token.kind == TokenKind::symbol &&
         std::find(kComparisons.begin(), kComparisons.end(), token.text) != kComparisons.end();
}

// --- tokens that are wrong wherever they stand ---------------------------------------------------

bool is_invisible(char32_t c) {
  return c < 0x20 || c == 0x7F || (c >= 0x80 && c <= 0xA0) || c == 0xAD || c == 0xFEFF ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x2069);
}

char32_t first_code_point(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  switch (sequence_length(text)) {
    case 2: return (byte(0) & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
    case 3: return (byte(0) & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
    case 4:
      return (byte(0) & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 |
             (byte(3) & 0x3Fu);
    default: return byte(0);
  }
}

std::string visible(std::string_view character) {
  const char32_t c = first_code_point(character);
  if (!is_invisible(c)) return quoted(character);
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "U+%04X", static_cast<unsigned>(c));
  return buffer;
}

std::string number_help(std::string_view text, const Token* before) {
  if (text[0] == '.') {
    if (before != nullptr && before->text == "..") return "a range is written with two dots: `0..24`";
    if (before != nullptr && ends_operand(*before)) return "an item of a list is `xs[0]`";
    return "write " + quoted("0" + std::string(text));
  }
  if (text.find('_') != text.npos) return "digits are written without `_`";
  if (text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X' || text[1] == 'b'))
    return "numbers are decimal";
  constexpr std::string_view kUnits = "kKmMgGtTbB";
  if (kUnits.find(text[text.find_first_not_of("0123456789.")]) != kUnits.npos)
    return "sizes are written `5GB` (powers of 1000) or `512MiB` (powers of 1024)";
  return "a name cannot begin with a digit; a product needs `*`";
}

Diagnostic explain_single_quotes(const Token& token, Span span) {
  std::string_view inner = token.text.substr(1);
  if (inner.ends_with('\'')) inner.remove_suffix(1);
  return error(DiagnosticKind::bad_literal, span, "strings are written with double quotes")
      .hint("write " + quoted(string_literal(inner)));
}

// --- what was seen, after what, what was expected ------------------------------------------------

std::string seen(const Token& token) {
  switch (token.kind) {
    case TokenKind::newline: return "end of the line";
    case TokenKind::end: return "end of the text";
    case TokenKind::open_text: return "string";
    default: return quoted(token.text);
  }
}

// "after `k =`": an operator is shown with the word before it, if both stand on one line.
std::string after(const Tokens& tokens, std::size_t at) {
  if (at == 0) return "";
  const Token& previous = tokens[at - 1];
  if (previous.kind == TokenKind::newline) return "";
  if (previous.kind == TokenKind::close_text) return " after a string";
  std::string_view text = previous.text;
  if (at >= 2 && previous.kind == TokenKind::symbol && tokens[at - 2].kind == TokenKind::word) {
    const char* begin = tokens[at - 2].text.data();
    const std::string_view both(begin, static_cast<std::size_t>(text.data() + text.size() - begin));
    if (both.find('\n') == both.npos && both.size() <= 40) text = both;
  }
  return " after " + quoted(text);
}

// The text of the innermost bracket open before `at`, or nothing.
std::string_view bracket_around(const Tokens& tokens, std::size_t at) {
  int closed = 0;
  while (at-- > 0) {
    const TokenKind kind = tokens[at].kind;
    if (kind == TokenKind::close) ++closed;
    if ((kind == TokenKind::open || kind == TokenKind::interpolation) && closed-- == 0)
      return tokens[at].text;
  }
  return {};
}

// What may follow an operand: more of the expression, or the end of what it is part of.
std::string operator_or_end(const Tokens& tokens, std::size_t at) {
  const std::string_view bracket = bracket_around(tokens, at);
  if (bracket == "(") return "; expected an operator, `,` or `)`";
  if (bracket == "[") return "; expected an operator, `,` or `]`";
  if (tokens[at].kind == TokenKind::symbol) return "";
  return "; expected an operator or the end of the line";
}

std::string expectation(const Surprise& surprise, const Tokens& tokens) {
  switch (surprise.expected) {
    case Expected::expression: return "; expected an expression";
    case Expected::name: return "; expected a name";
    case Expected::type: return "; expected a type";
    case Expected::string: return "; expected a string in double quotes";
    case Expected::pattern: return "; expected a pattern: a string, `regex(\"...\")` or `_`";
    case Expected::listed: return "; expected " + surprise.list;
    case Expected::operator_or_end: return operator_or_end(tokens, surprise.at);
  }
  return "";
}

// --- habits --------------------------------------------------------------------------------------

std::string colon_help(const Tokens& tokens, std::size_t at) {
  const bool after_if =
      std::any_of(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(at),
                  [](const Token& token) { return is_reserved(token, "if"); });
  if (after_if) return "write `if condition then a else b`";
  if (is_reserved(tokens[0], "method") && bracket_around(tokens, at).empty())
    return "the body of a method follows `=`: `method name(a) = ...`";
  const std::string_view bracket = bracket_around(tokens, at);
  if (bracket == "(") return "an argument is named with `=`: `name = value`";
  if (bracket == "{") return "a record is written `{name = value}`, its names without quotes";
  if (bracket == "[") return "some items of a list are taken by a range: `xs[0..2]`";
  return "a value with a type is `param name: type = value`; names are bound by `name = value` "
         "alone";
}

std::string symbol_help(const Tokens& tokens, const Surprise& surprise) {
  const std::size_t at = surprise.at;
  const std::string_view text = tokens[at].text;
  const bool after_operand = at > 0 && ends_operand(tokens[at - 1]);
  const std::string_view bracket = bracket_around(tokens, at);
  if (text == ":") return after_operand || bracket == "[" ? colon_help(tokens, at) : "";
  if (text == "*" && !after_operand && bracket == "(") return "a list is passed as it is, without `*`";
  if (text == "?") return "write `if condition then a else b`";
  if (text == "|") return "write `or` between conditions, `|>` to pass a value on";
  if (text == "=>")
    return "parameters are names, `x => ...` or `(x, y) => ...`; elsewhere put the function in `( "
           ")`";
  if (text == "->") return "a function is written `x => ...`";
  if (text == ".." && after_operand) return "ranges cannot be chained; use `( )`";
  if (text == "+" && !after_operand) return "leave out the `+`";
  if (text == "=" && tokens[0].is(TokenKind::reserved, "param"))
    return "a `param` has a type: `param name: number = 0.2`";
  if (text == "," && at >= 2 && is_reserved(tokens[at - 2], "for"))
    return "write `for (i, x) in ...`";
  return "";
}

std::string reserved_help(const Tokens& tokens, const Surprise& surprise) {
  const std::string_view text = tokens[surprise.at].text;
  const bool after_operand = surprise.at > 0 && ends_operand(tokens[surprise.at - 1]);
  if (text == "for") return "a comprehension stands in `[ ]`: `[f(x) for x in xs]`";
  if (text == "in") return "`in` belongs to a comprehension: `[f(x) for x in xs]`";
  if (text == "if" && after_operand) return "write `if condition then a else b`";
  if ((text == "if" || text == "not") && surprise.expected == Expected::expression)
    return "put the " + quoted(text) + " in `( )`";
  return "";
}

std::string word_help(const Tokens& tokens, std::size_t at) {
  if (tokens[0].text == "roux" && at == 1) return "commands are typed in a shell; a recipe only says what is merged";
  if (at == 1 && is_reserved(tokens[0], "import"))
    return "what merges models is there without an import; files are imported by `import \"file.merge\"`";
  if (at + 1 < tokens.size() && is_symbol(tokens[at + 1], "=") && bracket_around(tokens, at).empty())
    return "a statement stands on a line of its own, or behind `;`";
  if (at == 1 && tokens[0].kind == TokenKind::word)
    return "arguments stand in brackets: " + quoted(std::string(tokens[0].text) + "(...)");
  return "";
}

std::string text_help(const Tokens& tokens, std::size_t at) {
  if (at == 0) return "";
  const Token& previous = tokens[at - 1];
  const bool touches = previous.end == tokens[at].begin;
  if (previous.kind == TokenKind::word && touches && previous.text == "f")
    return "every string may hold `${...}`; leave out the `f`";
  if (previous.kind == TokenKind::word && touches && previous.text == "r")
    return "a backslash is written `\\\\`; leave out the `r`";
  if (previous.kind == TokenKind::close_text && touches)
    return "a string has one `\"` on either side and ends on its line";
  return "";
}

// Whether a line that begins with `token` was meant to continue the one before.
bool goes_on(const Token& token) {
  if (token.kind == TokenKind::reserved)
    return token.text == "and" || token.text == "or" || token.text == "as";
  constexpr std::string_view kSymbols = "+*/^.";
  return token.kind == TokenKind::symbol &&
         (kSymbols.find(token.text[0]) != kSymbols.npos || is_comparison(token));
}

std::string help_for(const Tokens& tokens, const Surprise& surprise) {
  const Token& token = tokens[surprise.at];
  if (surprise.at == 0 && goes_on(token))
    return "to go on in a new line, end the line before with the operator, or use `( )`";
  if (surprise.list == "`else`" || surprise.list == "`then`")
    return "an `if` is an expression with two branches: `if condition then a else b`";
  if (surprise.list == "`=>`" && surprise.at >= 2 && tokens[surprise.at - 2].text == "(")
    return "there is no empty tuple; `() => ...` is a function without parameters";
  switch (token.kind) {
    case TokenKind::symbol: return symbol_help(tokens, surprise);
    case TokenKind::word: return word_help(tokens, surprise.at);
    case TokenKind::reserved: return reserved_help(tokens, surprise);
    case TokenKind::open_text: return text_help(tokens, surprise.at);
    case TokenKind::open:
      if (token.text == "{" && is_reserved(tokens[0], "method"))
        return "the body of a method follows `=`";
      return "";
    case TokenKind::newline:
      if (surprise.expected == Expected::expression)
        return "begin it on this line; lines may break inside `( )`";
      return "";
    default: return "";
  }
}

std::optional<Diagnostic> explain_reserved_name(const Tokens& tokens, const Surprise& surprise,
                                                SourceId source) {
  const std::size_t at = surprise.at;
  const auto begins_binding = [&](std::size_t i) {
    return i + 1 < tokens.size() &&
           (is_symbol(tokens[i + 1], "=") || is_symbol(tokens[i + 1], ":"));
  };
  const bool names_method = at == 1 && is_reserved(tokens[0], "method");
  const Token* word = nullptr;
  if (tokens[at].kind == TokenKind::reserved &&
      (surprise.expected == Expected::name || names_method || begins_binding(at) || tokens[at].text == "net"))
    word = &tokens[at];
  else if (is_symbol(tokens[at], "=") && at > 0 && tokens[at - 1].kind == TokenKind::reserved)
    word = &tokens[at - 1];
  if (word == nullptr) return std::nullopt;
  return error(DiagnosticKind::syntax, span_of(source, *word),
               quoted(word->text) + std::string(kReservedWord))
      .hint("choose another name, for example " + quoted(std::string(word->text) + "_"));
}

std::optional<Diagnostic> explain_chain(const Tokens& tokens, const Surprise& surprise,
                                        SourceId source) {
  const Token& token = tokens[surprise.at];
  if (!is_comparison(token) || surprise.at == 0 || !ends_operand(tokens[surprise.at - 1]))
    return std::nullopt;
  return error(DiagnosticKind::syntax, span_of(source, token), "chained comparison")
      .hint("write `a < b and b < c`");
}

std::optional<Diagnostic> explain_assignment(const Tokens& tokens, const Surprise& surprise,
                                             SourceId source) {
  const Token& token = tokens[surprise.at];
  if (!is_symbol(token, "=") || surprise.expected == Expected::expression ||
      surprise.list == "`=>`" || is_reserved(tokens[0], "param"))
    return std::nullopt;
  return error(DiagnosticKind::syntax, span_of(source, token),
               "unexpected `=`" + after(tokens, surprise.at) + "; only a name can be bound")
      .hint("`==` compares; `name = value` binds a name");
}

std::optional<Diagnostic> explain_foreign_word(const Tokens& tokens, const Surprise& surprise,
                                               SourceId source) {
  const auto foreign = [&](std::size_t i) {
    return i < tokens.size() && tokens[i].kind == TokenKind::word &&
           !help_of(kForeignWords, tokens[i].text).empty() &&
           !(i + 1 < tokens.size() && is_symbol(tokens[i + 1], "="));
  };
  std::size_t at = tokens.size();
  if (surprise.at > 0 && foreign(surprise.at - 1))
    at = surprise.at - 1;
  else if (foreign(surprise.at))
    at = surprise.at;
  else if (foreign(0))
    at = 0;
  if (at == tokens.size()) return std::nullopt;
  return error(DiagnosticKind::syntax, span_of(source, tokens[at]),
               quoted(tokens[at].text) + " is no word of the language")
      .hint(help_of(kForeignWords, tokens[at].text));
}

}  // namespace

std::optional<Diagnostic> explain_token(const Tokens& tokens, std::size_t at, SourceId source) {
  const Token& token = tokens[at];
  const Span span = span_of(source, token);
  switch (token.kind) {
    case TokenKind::bad_number:
      return error(DiagnosticKind::bad_literal, span, quoted(token.text) + " is no number")
          .hint(number_help(token.text, at > 0 ? &tokens[at - 1] : nullptr));
    case TokenKind::bad_symbol:
      return error(DiagnosticKind::syntax, span, "unknown operator " + quoted(token.text))
          .hint(help_of(kForeignSymbols, token.text));
    case TokenKind::single_quoted: return explain_single_quotes(token, span);
    case TokenKind::stray: {
      std::string help = help_of(kLookalikes, token.text);
      if (help.empty() && static_cast<unsigned char>(token.text[0]) >= 0x80)
        help = "outside strings and comments only plain letters, digits and `_` are used";
      return error(DiagnosticKind::syntax, span, "unexpected character " + visible(token.text))
          .hint(help);
    }
    default: return std::nullopt;
  }
}

std::optional<Diagnostic> explain_other_format(const Tokens& tokens, SourceId source) {
  const auto begin = std::find_if(tokens.begin(), tokens.end(), [](const Token& token) { return !is_blank(token); });
  const auto end = std::find_if(begin, tokens.end(), [](const Token& token) {
    return token.kind == TokenKind::newline || token.kind == TokenKind::end;
  });
  std::vector<const Token*> line;
  for (auto token = begin; token != end; ++token)
    if (!is_blank(*token)) line.push_back(&*token);
  if (line.size() < 2) return std::nullopt;
  const auto refuse = [&](const std::string& format) {
    return error(DiagnosticKind::syntax, {source, line.front()->begin, line.back()->end},
                 "this looks like " + format + "; a recipe is a text of its own language")
        .hint("it is written with `=` and calls: `models = load_all(\"ft-*\")`, `save(mean(models), \"out\")`");
  };
  const bool binds = std::any_of(line.begin(), line.end(), [](const Token* token) { return is_symbol(*token, "="); });
  if (binds) return std::nullopt;
  if (line[0]->kind == TokenKind::word && is_symbol(*line[1], ":")) return refuse("YAML");
  if (line[0]->text == "{" && line[1]->kind == TokenKind::open_text) return refuse("JSON");
  return std::nullopt;
}

Diagnostic explain(const Tokens& statement, const Surprise& surprise, SourceId source) {
  for (const auto& known :
       {explain_reserved_name, explain_foreign_word, explain_chain, explain_assignment})
    if (auto found = known(statement, surprise, source)) return *std::move(found);
  const Token& token = statement[surprise.at];
  return error(DiagnosticKind::syntax, span_of(source, token),
               "unexpected " + seen(token) + after(statement, surprise.at) +
                   expectation(surprise, statement))
      .hint(help_for(statement, surprise));
}

}  // namespace roux::syntax

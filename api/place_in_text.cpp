#include <algorithm>

#include "api/completion.h"
#include "compiler/syntax/lexer.h"

namespace roux {
namespace {

using syntax::Token;
using syntax::TokenKind;
using Kind = PlaceInText::Kind;

// A bracket or quote that is open at the cursor.
struct Open {
  std::size_t token;
  bool is_text;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), words_(syntax::lex(text)) {
    for (const Token& token : words_.tokens)
      if (token.kind != TokenKind::end) tokens_.push_back(token);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const TokenKind kind = tokens_[i].kind;
      if (kind == TokenKind::open || kind == TokenKind::open_text || kind == TokenKind::interpolation)
        open_.push_back({i, kind == TokenKind::open_text});
      else if ((kind == TokenKind::close || kind == TokenKind::close_text) && !open_.empty())
        open_.pop_back();
    }
  }

  PlaceInText place(std::string_view rest) {
    const bool in_string = !open_.empty() && open_.back().is_text;
    PlaceInText place = place_of_cursor();
    place.locals = names_bound_before();
    if (!in_string)
      for (std::string& name : names_bound_behind(rest)) place.locals.push_back(std::move(name));
    return place;
  }

  OpenCall call_around() const {
    for (std::size_t i = open_.size(); i-- > 0;)
      if (is_open(open_[i].token, "(") && !call_of(open_[i].token).callee.empty())
        return call_at(open_[i].token, tokens_.size());
    return {};
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  PlaceInText place_of_cursor() {
    PlaceInText place{.begin = text_.size()};
    if (words_.too_many) return place;
    if (!open_.empty() && open_.back().is_text) return in_text(open_.back().token);
    std::size_t count = tokens_.size();  // of those before the word at the cursor
    if (count > 0 && tokens_[count - 1].end == text_.size()) {
      const Token& last = tokens_[count - 1];
      if (last.kind == TokenKind::comment || last.kind == TokenKind::documentation) return place;
      if (last.kind == TokenKind::number || last.kind == TokenKind::bad_number) return place;
      if (last.kind == TokenKind::word || last.kind == TokenKind::reserved) {
        place.begin = last.begin;
        place.typed = std::string(last.text);
        --count;
      }
    }
    settle(place, count);
    return place;
  }

  // The last of the first `count` tokens that is not blank.
  std::size_t before(std::size_t count, bool with_newlines = false) const {
    while (count > 0) {
      const Token& token = tokens_[count - 1];
      if (!is_blank(token) || (with_newlines && token.kind == TokenKind::newline)) return count - 1;
      --count;
    }
    return kNone;
  }
  bool is_symbol(std::size_t i, std::string_view text) const {
    return i != kNone && tokens_[i].is(TokenKind::symbol, text);
  }
  bool is_open(std::size_t i, std::string_view text) const {
    return i != kNone && tokens_[i].is(TokenKind::open, text);
  }
  bool is_reserved(std::size_t i, std::string_view text) const {
    return i != kNone && tokens_[i].is(TokenKind::reserved, text);
  }

  void settle(PlaceInText& place, std::size_t count) {
    const std::size_t last = before(count);
    const std::size_t around = open_.empty() ? kNone : open_.back().token;
    const std::size_t last_or_newline = before(count, true);
    const bool at_top = around == kNone || is_open(around, "{");
    if (last == kNone || is_symbol(last, ";") || is_open(last, "{") ||
        (at_top && tokens_[last_or_newline].kind == TokenKind::newline && !goes_on(last))) {
      place.kind = Kind::statement;
    } else if (is_symbol(last, ".")) {
      place.kind = Kind::member;
      place.object = operand_before(last);
    } else if (is_reserved(last, "as") || is_symbol(last, ":") || is_symbol(last, "->")) {
      place.kind = Kind::type;
    } else if (is_reserved(last, "for") || is_reserved(last, "param") || is_reserved(last, "method") ||
               is_reserved(last, "import")) {
      place.kind = Kind::nothing;
    } else if (is_open(around, "(") && !call_of(around).callee.empty() && (last == around || is_symbol(last, ","))) {
      place.kind = Kind::argument;
      place.call = call_at(around, count);
    } else if (is_open(around, "(") && !call_of(around).callee.empty() && is_symbol(last, "=")) {
      place.call = call_at(around, count);
      place.kind = place.call.parameter.empty() ? Kind::expression : Kind::value;
    } else {
      place.kind = Kind::expression;
    }
  }

  bool goes_on(std::size_t last) const {
    const std::size_t earlier = before(last);
    if (is_symbol(last, "=") || is_symbol(last, ",")) return true;
    return is_binary_operator(tokens_[last], earlier == kNone ? nullptr : &tokens_[earlier]);
  }

  PlaceInText in_text(std::size_t quote) {
    PlaceInText place{.kind = Kind::string, .begin = tokens_[quote].end};
    place.typed = std::string(text_.substr(place.begin));
    open_.pop_back();
    const std::size_t last = before(quote);
    const std::size_t around = open_.empty() ? kNone : open_.back().token;
    if (is_reserved(last, "import")) {
      place.kind = Kind::import;
    } else if (is_open(around, "[") && last == around && !operand_before(around).empty()) {
      place.kind = Kind::tensor;
      place.object = operand_before(around);
    } else if (is_open(around, "{") && is_match(around)) {
      place.kind = is_symbol(last, "=>") ? Kind::string : Kind::pattern;
    } else if (is_open(around, "(")) {
      place.call = call_at(around, quote);
    }
    return place;
  }

  bool is_match(std::size_t brace) const {
    const std::size_t subject = before(brace);
    return subject != kNone && is_reserved(before(subject), "match");
  }

  OpenCall call_of(std::size_t parenthesis) const {
    const std::size_t callee = before(parenthesis);
    if (callee == kNone || tokens_[callee].kind != TokenKind::word || tokens_[callee].end != tokens_[parenthesis].begin)
      return {};
    if (is_reserved(before(callee), "method")) return {};
    OpenCall call{.callee = std::string(tokens_[callee].text)};
    std::size_t last = before(callee);
    if (is_symbol(last, ".")) {
      const std::size_t file = before(last);
      if (file == kNone || tokens_[file].kind != TokenKind::word || is_symbol(before(file), ".")) return {};
      call.callee = std::string(tokens_[file].text) + "." + call.callee;
      last = before(file);
    }
    if (is_symbol(last, "|>")) call.position = 1;
    return call;
  }

  // The call whose parenthesis this is, at the token `count`.
  OpenCall call_at(std::size_t parenthesis, std::size_t count) const {
    OpenCall call = call_of(parenthesis);
    int depth = 0;
    std::size_t begin = parenthesis + 1;  // of the argument
    const auto name_of_argument = [&] {
      const bool is_named = begin + 1 < count && tokens_[begin].kind == TokenKind::word && is_symbol(begin + 1, "=");
      return is_named ? std::string(tokens_[begin].text) : std::string();
    };
    for (std::size_t i = parenthesis + 1; i < count; ++i) {
      const Token& token = tokens_[i];
      if (token.kind == TokenKind::open || token.kind == TokenKind::interpolation) ++depth;
      if (token.kind == TokenKind::close) --depth;
      if (depth != 0 || !is_symbol(i, ",")) continue;
      if (std::string name = name_of_argument(); !name.empty()) call.given.push_back(std::move(name));
      ++call.position;
      begin = i + 1;
      while (begin < count && is_blank(tokens_[begin])) ++begin;
    }
    call.parameter = name_of_argument();
    return call;
  }

  // `a.b[0]` before the token: names, members, calls and indices in one piece.
  std::string operand_before(std::size_t end) const {
    std::size_t begin = end;
    while (begin > 0) {
      const Token& token = tokens_[begin - 1];
      if (token.kind == TokenKind::close) {
        begin = opening_of(begin - 1);
        if (begin == kNone) return "";
        continue;
      }
      const bool is_part = token.kind == TokenKind::word || token.is(TokenKind::symbol, ".");
      if (!is_part || (begin < end && tokens_[begin].kind == TokenKind::word && token.kind == TokenKind::word)) break;
      --begin;
    }
    if (begin == end) return "";
    return std::string(text_.substr(tokens_[begin].begin, tokens_[end].begin - tokens_[begin].begin));
  }

  std::size_t opening_of(std::size_t close) const {
    int depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
      const TokenKind kind = tokens_[i].kind;
      if (kind == TokenKind::close) ++depth;
      if (kind == TokenKind::open || kind == TokenKind::interpolation) --depth;
      if (depth == 0) return i;
    }
    return kNone;
  }

  // --- names bound around the cursor ---

  // What is bound inside a bracket that is open at the cursor, or outside of all.
  struct Bound {
    bool separates;                  // newlines there end statements
    std::vector<std::string> to_end;  // up to the closing bracket: loop variables, bindings of a block
    std::vector<std::string> here;    // up to the next comma or the end of the statement: parameters
    std::string begun;                // `x` of `x = ...`; of a block if a statement follows, else of a record
  };

  std::vector<std::string> names_bound_before() const {
    std::vector<Bound> all = {{.separates = true, .to_end = {}, .here = {}, .begun = {}}};
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      Bound& bound = all.back();
      if (token.kind == TokenKind::open || token.kind == TokenKind::interpolation || token.kind == TokenKind::open_text)
        all.push_back({.separates = token.text == "{", .to_end = {}, .here = {}, .begun = {}});
      else if ((token.kind == TokenKind::close || token.kind == TokenKind::close_text) && all.size() > 1)
        all.pop_back();
      else if (is_symbol(i, ",") || is_symbol(i, ";") || ends_statement(i, bound.separates))
        end_part(bound, !is_symbol(i, ","), all.size() > 1);
      else if (is_symbol(i, "=>"))
        add_parameters_before(i, bound.here);
      else if (is_reserved(i, "method"))
        add_parameters_of_method(i, bound.here);
      else if (is_reserved(i, "for"))
        add_words(tokens_, i + 1, bound.to_end);
      else if (is_symbol(i, "=") && bound.separates)
        bound.begun = i > 0 && before(i) != kNone ? std::string(tokens_[before(i)].text) : std::string();
    }
    std::vector<std::string> names;
    for (const Bound& bound : all)
      for (const auto& some : {bound.to_end, bound.here}) names.insert(names.end(), some.begin(), some.end());
    return names;
  }

  bool ends_statement(std::size_t newline, bool separates) const {
    const std::size_t last = before(newline);
    return separates && tokens_[newline].kind == TokenKind::newline && last != kNone && !goes_on(last) &&
           !is_open(last, "{") && !is_symbol(last, "=>");
  }

  static void end_part(Bound& bound, bool is_statement, bool in_block) {
    bound.here.clear();
    if (is_statement && in_block && !bound.begun.empty()) bound.to_end.push_back(bound.begun);
    bound.begun.clear();
  }

  // `x` or `(x, y)` before an arrow.
  void add_parameters_before(std::size_t arrow, std::vector<std::string>& names) const {
    const std::size_t last = before(arrow);
    if (last == kNone) return;
    const std::size_t first = tokens_[last].kind == TokenKind::close ? opening_of(last) : last;
    for (std::size_t i = first; i != kNone && i <= last; ++i)
      if (tokens_[i].kind == TokenKind::word && tokens_[i].text != "_") names.emplace_back(tokens_[i].text);
  }

  void add_parameters_of_method(std::size_t method, std::vector<std::string>& names) const {
    int depth = 0;
    for (std::size_t i = method + 1; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.kind == TokenKind::open) ++depth;
      if (token.kind == TokenKind::close && --depth == 0) return;
      const std::size_t last = before(i);
      if (depth == 1 && token.kind == TokenKind::word && (is_symbol(last, ",") || is_open(last, "(")))
        names.emplace_back(token.text);
    }
  }

  // The loop variables between `for` and `in`.
  static void add_words(const std::vector<Token>& tokens, std::size_t i, std::vector<std::string>& names) {
    for (; i < tokens.size() && !tokens[i].is(TokenKind::reserved, "in"); ++i)
      if (tokens[i].kind == TokenKind::word) names.emplace_back(tokens[i].text);
  }

  // Of the comprehensions that the cursor is in: `[f(x) for x in xs]` binds `x` behind its use.
  std::vector<std::string> names_bound_behind(std::string_view rest) const {
    std::vector<std::string> names;
    const std::vector<Token> tokens = syntax::lex(rest).tokens;
    std::size_t around = open_.size();  // brackets that are still open
    int inside = 0;                     // those opened behind the cursor
    for (std::size_t i = 0; i < tokens.size() && around > 0; ++i) {
      const TokenKind kind = tokens[i].kind;
      const bool opens = kind == TokenKind::open || kind == TokenKind::interpolation || kind == TokenKind::open_text;
      const bool closes = kind == TokenKind::close || kind == TokenKind::close_text;
      if (opens) ++inside;
      if (closes && inside > 0)
        --inside;
      else if (closes)
        --around;
      if (inside == 0 && around > 0 && tokens[i].is(TokenKind::reserved, "for")) add_words(tokens, i + 1, names);
    }
    return names;
  }

  std::string_view text_;
  syntax::Words words_;
  std::vector<Token> tokens_;
  std::vector<Open> open_;
};

}  // namespace

PlaceInText place_in(std::string_view text, std::string_view rest) { return Reader(text).place(rest); }

OpenCall call_around(std::string_view text) { return Reader(text).call_around(); }

}  // namespace roux

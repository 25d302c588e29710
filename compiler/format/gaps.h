// Reads the tokens of a text one by one, and what stands in the gaps between those that count: comments, and
// whether a line was left empty. A token that is skipped is not lost: whoever skips it writes it.
#pragma once

#include <string_view>
#include <vector>

#include "compiler/syntax/lexer.h"

namespace roux::typeset {

struct Gap {
  struct Own {
    std::string_view text;
    bool skips;  // an empty line stood before it
  };
  std::vector<std::string_view> trailing;  // comments on the line where the gap begins
  std::vector<Own> own;                    // comments on lines of their own
  bool skips = false;                      // an empty line stood before the token that ends the gap

  bool has_comments() const { return !trailing.empty() || !own.empty(); }
};

class Reader {
 public:
  // The text must parse.
  explicit Reader(std::string_view text);

  const syntax::Token& peek(std::size_t ahead = 0) const;
  bool sees(std::string_view symbol) const;      // the next token is this sign, bracket or reserved word
  bool sees_kind(syntax::TokenKind kind) const { return peek().kind == kind; }
  // The token after the bracket that closes the one that is next, or the one so many tokens behind it.
  const syntax::Token& after_bracket(std::size_t ahead = 0) const;
  // Whether the braces that are next hold fields of a record.
  bool sees_record() const;

  std::string_view take();         // the next token ends the gap
  std::string_view take_string();  // from quote to quote, as it is written
  void skip() { ++at_; }           // the gap goes on behind the next token
  Gap gap();                       // between the last token taken and the next one; what it held is taken, too

 private:
  std::string_view text_;
  syntax::Words words_;
  std::vector<std::uint32_t> kept_;
  std::vector<std::size_t> closer_;  // per kept token, for those that open: where it is closed
  std::size_t at_ = 0;               // in `kept_`
  std::size_t taken_ = 0;            // up to where comments are taken, in `words_`
};

}  // namespace roux::typeset

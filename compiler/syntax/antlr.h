// The one gate to ANTLR: no other file includes its headers or the generated ones, and only the
// files that the fence in tests/meta/layers_test.cpp names include this. Also the token that the
// generated parser is fed, which remembers the plain token it stands for.
#pragma once

#include <cstdint>
#include <string>

#include "RouxLexer.h"
#include "RouxParser.h"
#include "antlr4-runtime.h"

#include "compiler/syntax/tokens.h"

namespace roux::syntax {

using roux_grammar::RouxLexer;
using roux_grammar::RouxParser;

// A token as the generated parser wants it. `place` is its index in the tokens that the parser
// sees.
class ParserToken final : public antlr4::Token {
 public:
  ParserToken(const syntax::Token& token, std::size_t type, std::size_t place, std::uint32_t index)
      : token_(&token), type_(type), place_(place), index_(index) {}

  const syntax::Token& plain() const { return *token_; }
  std::uint32_t index() const { return index_; }  // among all tokens of the file

  std::string getText() const override { return std::string(token_->text); }
  std::size_t getType() const override { return type_; }
  std::size_t getLine() const override { return 0; }
  std::size_t getCharPositionInLine() const override { return 0; }
  std::size_t getChannel() const override { return DEFAULT_CHANNEL; }
  std::size_t getTokenIndex() const override { return place_; }
  std::size_t getStartIndex() const override { return token_->begin; }
  std::size_t getStopIndex() const override { return token_->end; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  antlr4::CharStream* getInputStream() const override { return nullptr; }
  std::string toString() const override { return getText(); }

 private:
  const syntax::Token* token_;
  std::size_t type_;
  std::size_t place_;
  std::uint32_t index_;
};

inline const ParserToken& own(const antlr4::Token* token) {
  return static_cast<const ParserToken&>(*token);
}

}  // namespace roux::syntax

// The grammar for editors (docs/editors): every word, number and sign of the language's own grammar has the scope
// that it should have. A small reader of TextMate grammars stands for the editor.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "compiler/sema/check.h"
#include "compiler/sema/types.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

using Json = nlohmann::json;

std::filesystem::path folder() { return source_dir() / "docs/editors/vscode"; }

// Gives every character of a text the name of the innermost rule that took it.
class Highlighter {
 public:
  explicit Highlighter(const Json& grammar) : grammar_(grammar) {}

  std::vector<std::string> scopes(const std::string& text) {
    text_ = text;
    scopes_.assign(text.size(), "");
    std::size_t at = 0;
    run(grammar_.at("patterns"), nullptr, "", at);
    EXPECT_EQ(at, text.size());
    return scopes_;
  }

 private:
  struct Found {
    const Json* rule;
    std::smatch match;
    std::size_t begin;
  };

  const std::regex& regex_of(const std::string& source) {
    auto at = regexes_.find(source);
    if (at == regexes_.end()) at = regexes_.emplace(source, std::regex(source, std::regex::ECMAScript | std::regex::multiline)).first;
    return at->second;
  }

  std::optional<Found> find(const std::string& source, std::size_t at, const Json* rule) {
    Found found{rule, {}, 0};
    auto flags = std::regex_constants::match_default;
    if (at > 0) flags |= std::regex_constants::match_prev_avail;
    if (!std::regex_search(text_.cbegin() + static_cast<std::ptrdiff_t>(at), text_.cend(), found.match,
                           regex_of(source), flags))
      return std::nullopt;
    found.begin = at + static_cast<std::size_t>(found.match.position());
    return found;
  }

  // The rules of a list, with those that it includes.
  void flatten(const Json& patterns, std::vector<const Json*>& rules) {
    for (const Json& rule : patterns) {
      if (!rule.contains("include")) {
        rules.push_back(&rule);
        continue;
      }
      const std::string name = rule.at("include");
      flatten(grammar_.at("repository").at(name.substr(1)).at("patterns"), rules);
    }
  }

  void paint(std::size_t begin, std::size_t end, const std::string& scope) {
    for (std::size_t i = begin; i < end; ++i) scopes_[i] = scope;
  }

  void run(const Json& patterns, const std::string* end, const std::string& scope, std::size_t& at) {
    std::vector<const Json*> rules;
    flatten(patterns, rules);
    while (at <= text_.size()) {
      std::optional<Found> best;
      if (end != nullptr) best = find(*end, at, nullptr);
      for (const Json* rule : rules) {
        auto found = find(rule->value("match", rule->value("begin", "")), at, rule);
        if (found && (!best || found->begin < best->begin)) best = std::move(found);
      }
      const std::size_t begin = best ? best->begin : text_.size();
      paint(at, begin, scope);
      at = begin;
      if (!best) return;
      take(*best, scope, at);
      if (best->rule == nullptr) return;
    }
  }

  void take(const Found& found, const std::string& around, std::size_t& at) {
    const std::size_t end = found.begin + static_cast<std::size_t>(found.match.length());
    const std::string scope = found.rule == nullptr ? around : found.rule->value("name", around);
    paint(found.begin, end, scope);
    at = end;
    if (found.rule == nullptr) return;
    if (found.rule->contains("captures"))
      for (const auto& [number, capture] : found.rule->at("captures").items()) {
        const auto group = static_cast<std::size_t>(std::stoi(number));
        if (!found.match[group].matched) continue;
        const std::size_t first = found.begin + static_cast<std::size_t>(found.match.position(group) - found.match.position());
        paint(first, first + static_cast<std::size_t>(found.match.length(group)), capture.at("name"));
      }
    if (!found.rule->contains("begin")) return;
    const std::string end_pattern = found.rule->at("end");
    run(found.rule->at("patterns"), &end_pattern, scope, at);
  }

  const Json& grammar_;
  std::map<std::string, std::regex> regexes_;
  std::string text_;
  std::vector<std::string> scopes_;
};

class Editors : public ::testing::Test {
 protected:
  Json grammar_ = Json::parse(read_file(folder() / "syntaxes/roux.tmLanguage.json"));

  // The one scope of `part` where it first stands in `text`.
  std::string scope_of(const std::string& text, const std::string& part) {
    const std::vector<std::string> scopes = Highlighter(grammar_).scopes(text);
    const std::size_t at = text.find(part);
    for (std::size_t i = at; i < at + part.size(); ++i)
      if (scopes[i] != scopes[at]) return "several: " + scopes[at] + ", " + scopes[i];
    return scopes[at];
  }
};

std::vector<std::string> words_of_the_grammar() {
  const std::string lexer = read_file(source_dir() / "grammar/RouxLexer.g4");
  const std::regex word(R"((?:^|\n)[A-Z]+ *: '([a-z]+)' ;)");
  std::vector<std::string> words;
  for (std::sregex_iterator at(lexer.begin(), lexer.end(), word), end; at != end; ++at) words.push_back((*at)[1]);
  return words;
}

std::vector<std::string> signs_of_the_grammar() {
  const std::string lexer = read_file(source_dir() / "grammar/RouxLexer.g4");
  const std::regex sign(R"((?:^|\n)[A-Z_]+ *: '([^a-z'\\"]+)' ;)");
  std::vector<std::string> signs;
  for (std::sregex_iterator at(lexer.begin(), lexer.end(), sign), end; at != end; ++at) signs.push_back((*at)[1]);
  return signs;
}

TEST_F(Editors, WordsOfTheGrammar) {
  const std::vector<std::string> words = words_of_the_grammar();
  ASSERT_GE(words.size(), 18u) << "the grammar is read wrongly";
  for (const std::string& word : words) {
    const std::string scope = scope_of(word + " x", word);
    EXPECT_TRUE(scope.starts_with("keyword.") || scope.starts_with("constant.language") || scope.starts_with("support.type"))
        << word << ": " << scope;
    EXPECT_EQ(scope_of("a." + word, "." + word), "variable.other.member.roux") << "no keyword behind a dot";
    EXPECT_FALSE(scope_of(word + "s x", word + "s").starts_with("keyword.")) << word;
  }
}

TEST_F(Editors, SignsOfTheGrammar) {
  const std::vector<std::string> signs = signs_of_the_grammar();
  ASSERT_GE(signs.size(), 20u) << "the grammar is read wrongly";
  for (const std::string& sign : signs) {
    if (sign == "." || sign == ":" || sign == "->" || sign.find_first_of("{}") != sign.npos) continue;  // begin a rule
    EXPECT_NE(scope_of("a " + sign + " b", sign), "") << sign;
  }
}

TEST_F(Editors, NumbersAndSizes) {
  for (const char* number : {"1", "0.2", "1e-3", "1.5E+10", "20%", "0.5%", "1e2%"})
    EXPECT_EQ(scope_of("x " + std::string(number) + " y", number), "constant.numeric.roux") << number;
  for (const char* size : {"5GB", "512MiB", "1.5TB", "4KB", "1GiB"})
    EXPECT_EQ(scope_of("x " + std::string(size) + " y", size), "constant.numeric.size.roux") << size;
  EXPECT_EQ(scope_of("0..24", "0"), "constant.numeric.roux");
  EXPECT_EQ(scope_of("0..24", ".."), "keyword.operator.range.roux");
  EXPECT_EQ(scope_of("a1", "a1"), "");
}

TEST_F(Editors, NamesThatAreBoundFromTheStart) {
  for (const std::string& name : constant_names()) EXPECT_EQ(scope_of("1 + " + name, name), "constant.language.roux");
  for (const std::string& name : tensor_names()) EXPECT_EQ(scope_of("1 + " + name, name), "variable.language.roux") << name;
  for (const std::string& name : type_names()) {
    const std::string scope = scope_of("param x: list[" + name + "?] | number(0..2) = 1", name);
    EXPECT_TRUE(scope == "support.type.roux" || (name == "none" && scope == "constant.language.roux")) << name << ": " << scope;
  }
}

TEST_F(Editors, MethodsOfTheLibrary) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "stdlib")) {
    const std::string text = read_file(entry.path());
    const std::regex method(R"((?:^|\n)method ([A-Za-z0-9_]+)\()");
    for (std::sregex_iterator at(text.begin(), text.end(), method), end; at != end; ++at, ++count) {
      const std::string name = (*at)[1];
      EXPECT_EQ(scope_of("x = " + name + "(a)", name), "entity.name.function.roux");
      EXPECT_EQ(scope_of("method " + name + "(a: any) = a", name), "entity.name.function.roux");
    }
  }
  EXPECT_GT(count, 40u);
}

TEST_F(Editors, TextAndComments) {
  const std::string recipe = "x = f(\"a \\n ${b + \"c\"} $$\", k = 0.2)  # why = 1";
  EXPECT_EQ(scope_of(recipe, "\"a "), "string.quoted.double.roux");
  EXPECT_EQ(scope_of(recipe, "\\n"), "constant.character.escape.roux");
  EXPECT_EQ(scope_of(recipe, "\"c\""), "string.quoted.double.roux");
  EXPECT_EQ(scope_of(recipe, "+"), "keyword.operator.roux");
  EXPECT_EQ(scope_of(recipe, "$$"), "constant.character.escape.roux");
  EXPECT_EQ(scope_of(recipe, "k"), "variable.other.assignment.roux");
  EXPECT_EQ(scope_of(recipe, "# why = 1"), "comment.line.number-sign.roux");
  EXPECT_EQ(scope_of("## tells\n", "## tells"), "comment.line.documentation.roux");
  EXPECT_EQ(scope_of("\"not closed\nx = 1", "x"), "variable.other.assignment.roux");
}

TEST_F(Editors, FilesOfTheExtension) {
  const Json package = Json::parse(read_file(folder() / "package.json"));
  const Json& language = package.at("contributes").at("languages").at(0);
  const Json& grammar = package.at("contributes").at("grammars").at(0);
  EXPECT_EQ(language.at("extensions"), Json::array({".merge"}));
  EXPECT_EQ(grammar.at("scopeName"), grammar_.at("scopeName"));
  EXPECT_TRUE(std::filesystem::exists(folder() / std::string(grammar.at("path"))));
  const Json configuration = Json::parse(read_file(folder() / std::string(language.at("configuration"))));
  EXPECT_EQ(configuration.at("comments").at("lineComment"), "#");
}

}  // namespace
}  // namespace roux::testing

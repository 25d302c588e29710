#include "compiler/sema/manual.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "compiler/sema/types.h"

namespace roux {
namespace {

constexpr std::string_view kMethodsGroup = "Merge methods";

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// `Author et al. 2023`, and what may follow behind a comma: a capital, no sentence, and a year.
bool is_reference(std::string_view line) {
  const std::string_view head = line.substr(0, line.find(','));
  if (head.size() < 6 || !std::isupper(static_cast<unsigned char>(head[0]))) return false;
  const std::string_view year = head.substr(head.size() - 4);
  const bool has_year = (year.starts_with("19") || year.starts_with("20")) && is_digit(year[2]) && is_digit(year[3]);
  return has_year && head[head.size() - 5] == ' ' && head.find(':') == head.npos;
}

// The name and the text of `- NAME: text`.
std::optional<std::pair<std::string, std::string>> parameter_line(std::string_view line) {
  if (!line.starts_with("- ")) return std::nullopt;
  line.remove_prefix(2);
  const std::size_t colon = line.find(": ");
  if (colon == line.npos || line.substr(0, colon).find(' ') != line.npos) return std::nullopt;
  return std::pair(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
}

void read_documentation(const std::string& documentation, MethodDocument& entry) {
  std::istringstream lines(documentation);
  std::string* goes_on = nullptr;  // the parameter whose text may continue, indented
  for (std::string line; std::getline(lines, line);) {
    if (goes_on != nullptr && line.starts_with("  ")) {
      *goes_on += " " + line.substr(2);
      continue;
    }
    goes_on = nullptr;
    if (line.starts_with("> ")) {
      entry.examples.push_back(line.substr(2));
    } else if (is_reference(line)) {
      entry.references.push_back(line);
    } else if (const auto told = parameter_line(line)) {
      const auto at = std::find_if(entry.parameters.begin(), entry.parameters.end(),
                                   [&](const DocumentedParameter& parameter) { return parameter.name == told->first; });
      if (at == entry.parameters.end()) {
        entry.documentation += line + '\n';
        continue;
      }
      at->documentation = told->second;
      goes_on = &at->documentation;
    } else {
      entry.documentation += line + '\n';
    }
  }
  if (entry.documentation.ends_with('\n')) entry.documentation.pop_back();
}

// The first sentence of the comment that a file begins with.
std::string group_of(std::string_view text) {
  if (!text.starts_with("# ")) return std::string(kMethodsGroup);
  std::string group(text.substr(2, text.find('\n') - 2));
  return group.substr(0, group.find_first_of(".:"));
}

}  // namespace

MethodDocument document_of(const SourceMap& sources, const ast::Module& module, const ast::Method& method) {
  MethodDocument entry;
  entry.name = method.name.text;
  entry.signature = signature_text(sources, module, method);
  entry.file = sources.name(module.source);
  entry.group = group_of(sources.text(module.source));
  if (method.result) entry.result = to_text(*method.result);
  for (const ast::Parameter& parameter : method.parameters) {
    DocumentedParameter told{.name = parameter.name.text};
    if (parameter.type) told.type = to_text(*parameter.type);
    if (parameter.type) told.choices = choices_of(*parameter.type);
    if (parameter.default_value != ast::kNoExpr)
      told.default_value = sources.text(module[parameter.default_value].span);
    entry.parameters.push_back(std::move(told));
  }
  read_documentation(method.documentation, entry);
  return entry;
}

std::vector<MethodDocument> manual_of(const ast::Module& recipe, const SourceMap& sources) {
  std::vector<MethodDocument> entries;
  for (const ast::Statement& statement : recipe.statements)
    if (const auto* method = std::get_if<ast::Method>(&statement.node))
      entries.push_back(document_of(sources, recipe, *method));
  return entries;
}

std::vector<MethodDocument> manual_of(Library& library, const SourceMap& sources) {
  std::vector<MethodDocument> entries;
  std::set<const ast::Module*> seen;
  for (const std::string& name : library.names()) {
    const ast::Module* module = library.find(name).module;
    if (!seen.insert(module).second) continue;
    for (MethodDocument& entry : manual_of(*module, sources)) entries.push_back(std::move(entry));
  }
  // Merge methods first, each file together, in the order in which the file has them.
  std::stable_sort(entries.begin(), entries.end(), [](const MethodDocument& a, const MethodDocument& b) {
    const bool a_merges = a.group == kMethodsGroup, b_merges = b.group == kMethodsGroup;
    return a_merges != b_merges ? a_merges : a.file < b.file;
  });
  return entries;
}

}  // namespace roux

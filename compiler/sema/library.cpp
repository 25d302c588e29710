#include "compiler/sema/library.h"

#include "base/text.h"
#include "compiler/sema/types.h"
#include "compiler/syntax/parse.h"

namespace roux {
namespace {

constexpr std::string_view kMethod = "method ";

std::vector<std::string> methods_in(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.starts_with(kMethod)) {
      line.remove_prefix(kMethod.size());
      names.emplace_back(line.substr(0, line.find('(')));
    }
    at = end + 1;
  }
  return names;
}

}  // namespace

Library::Library(SourceMap& sources, std::vector<LibraryFile> files) : sources_(sources) {
  for (const LibraryFile& embedded : files) {
    for (std::string& name : methods_in(embedded.text)) {
      const bool fresh = file_of_.emplace(std::move(name), files_.size()).second;
      ROUX_CHECK(fresh);
    }
    files_.push_back({embedded, kNoSource, nullptr});
  }
}

const ast::Module& Library::load(File& file) {
  if (!file.module) {
    file.source = sources_.add("stdlib/" + std::string(file.embedded.name), std::string(file.embedded.text));
    Result<ast::Module> parsed = parse(sources_, file.source);
    if (!parsed) throw InternalError("the library does not parse: " + render(parsed.error(), sources_));
    file.module = std::make_unique<ast::Module>(*std::move(parsed));
  }
  return *file.module;
}

MethodRef Library::find(std::string_view name) {
  auto found = file_of_.find(name);
  if (found == file_of_.end()) return {};
  const ast::Module& module = load(files_[found->second]);
  for (const ast::Statement& statement : module.statements)
    if (auto* method = std::get_if<ast::Method>(&statement.node); method && method->name.text == name)
      return {&module, method};
  return {};
}

std::vector<std::string> Library::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : file_of_) names.push_back(name);
  return names;
}

bool Library::owns(SourceId source) const {
  for (const File& file : files_)
    if (file.module && file.source == source) return true;
  return false;
}

std::string signature_text(const SourceMap& sources, const ast::Module& module, const ast::Method& method) {
  std::vector<std::string> parameters;
  for (const ast::Parameter& parameter : method.parameters) {
    std::string text = parameter.name.text;
    if (parameter.type) text += ": " + to_text(*parameter.type);
    if (parameter.default_value != ast::kNoExpr)
      text += " = " + std::string(sources.text(module[parameter.default_value].span));
    parameters.push_back(std::move(text));
  }
  if (parameters.empty()) parameters.emplace_back();
  parameters.back() += ")";
  if (method.result) parameters.back() += " -> " + to_text(*method.result);

  constexpr std::size_t kColumns = 100;
  std::string text = method.name.text + "(";
  std::size_t column = text.size();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i + 1 < parameters.size()) parameters[i] += ",";
    const bool breaks = i > 0 && column + parameters[i].size() >= kColumns;
    text += (i == 0 ? "" : breaks ? "\n    " : " ") + parameters[i];
    column = (breaks ? 4 : column + 1) + parameters[i].size();
  }
  return text;
}

bool is_primitive(const ast::Module& module, const ast::Method& method) {
  auto* name = std::get_if<ast::Name>(&module[method.body].node);
  return name && name->text == "primitive";
}

}  // namespace roux

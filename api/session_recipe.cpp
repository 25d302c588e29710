// The entries of a session as a recipe. In a recipe a name is bound once, so a meaning that was replaced later gets a
// number (`k_1`); `_` gets names where it was used; a value that was set becomes the default of its `param`; what has
// no effect becomes a comment.
#include <algorithm>
#include <map>
#include <set>

#include "api/session_state.h"
#include "base/text.h"
#include "compiler/sema/check.h"
#include "compiler/sema/references.h"
#include "compiler/sema/types.h"
#include "compiler/syntax/parse.h"

namespace roux {
namespace {

// A part of an entry's text that is written otherwise in the recipe.
struct Edit {
  Span span;
  std::string text;
};

bool is_within(Span part, Span whole) { return part.begin >= whole.begin && part.end <= whole.end; }

// One meaning of a name: where it is bound and used.
struct Meaning {
  std::string name;
  Span bound;  // of `_`: the expression
  std::vector<Span> uses;
  bool replaced = false;
  bool is_last_result() const { return name == "_"; }
};

// The value of a `param` that was given from outside, as the recipe itself would write it.
std::string as_expression(const ast::Parameter& parameter, const std::string& given) {
  switch (setting_kind(parameter.type)) {
    case SettingKind::text: return string_literal(given);
    case SettingKind::model: return "load(" + string_literal(given) + ")";
    case SettingKind::models: return "load_all(" + string_literal(given) + ")";
    case SettingKind::expression: break;
  }
  return given;
}

class Transcript {
 public:
  Transcript(const SourceMap& sources, Library& library, const Imports& imports, const std::vector<Entry>& entries)
      : sources_(sources), library_(library), imports_(imports), entries_(entries) {}

  std::string text() {
    for (const Entry& entry : entries_) read(entry);
    for (const Meaning& meaning : meanings_) rename(meaning);
    for (const Entry& entry : entries_) write_settings(entry);
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (is_saved_again(i)) comment_out(entries_[i].module->statements[0].span);
    std::string text;
    for (const Entry& entry : entries_) {
      text += edited(entry.module->source);
      if (!text.empty() && text.back() != '\n') text += '\n';
    }
    return without_idle(text);
  }

 private:
  void bind(const std::string& name, Span span) {
    const auto [it, fresh] = current_.emplace(name, meanings_.size());
    if (!fresh) meanings_[it->second].replaced = true;
    it->second = meanings_.size();
    meanings_.push_back({name, span, {}});
    taken_.insert(name);
  }

  void use(const Reference& reference) {
    const auto found = current_.find(reference.name);
    if (found != current_.end()) meanings_[found->second].uses.push_back(reference.span);
    taken_.insert(reference.name);
  }

  void read(const Entry& entry) {
    const auto& statements = entry.module->statements;
    for (const ast::Statement& statement : statements)  // methods may be used before they stand
      if (auto* method = std::get_if<ast::Method>(&statement.node)) bind(method->name.text, method->name.span);
    const auto references = references_of(*entry.module, library_);
    for (std::size_t i = 0; i < statements.size(); ++i) {
      for (const Reference& reference : references[i]) use(reference);
      if (auto* bound = std::get_if<ast::Bind>(&statements[i].node))
        bind(bound->name.text, bound->name.span);
      else if (auto* param = std::get_if<ast::Param>(&statements[i].node))
        bind(param->parameter.name.text, param->parameter.name.span);
    }
    if (entry.result) bind("_", *entry.result);
  }

  std::string fresh_name(const std::string& name) {
    for (int i = 1;; ++i) {
      std::string candidate = name + "_" + std::to_string(i);
      if (!library_.contains(candidate) && taken_.insert(candidate).second) return candidate;
    }
  }

  void rename(const Meaning& meaning) {
    if (meaning.is_last_result() ? meaning.uses.empty() : !meaning.replaced) return;
    const std::string name = fresh_name(meaning.is_last_result() ? "result" : meaning.name);
    if (meaning.is_last_result()) {
      edits_[meaning.bound.source].push_back({{meaning.bound.source, meaning.bound.begin, meaning.bound.begin}, name + " = "});
    } else {
      edits_[meaning.bound.source].push_back({meaning.bound, name});
    }
    for (const Span& span : meaning.uses) edits_[span.source].push_back({span, name});
  }

  bool is_saved_again(std::size_t i) const {
    const Entry& entry = entries_[i];
    if (entry.module->statements.size() != 1 || entry.saved.size() != 1) return false;
    return std::any_of(entries_.begin() + static_cast<std::ptrdiff_t>(i) + 1, entries_.end(), [&](const Entry& later) {
      return std::find(later.saved.begin(), later.saved.end(), entry.saved[0]) != later.saved.end();
    });
  }

  void write_settings(const Entry& entry) {
    for (const ast::Statement& statement : entry.module->statements) {
      auto* param = std::get_if<ast::Param>(&statement.node);
      if (!param) continue;
      const auto given = entry.settings.find(param->parameter.name.text);
      if (given == entry.settings.end()) continue;
      const std::string value = as_expression(param->parameter, given->second);
      const ast::ExprId standard = param->parameter.default_value;
      const Span end{statement.span.source, statement.span.end, statement.span.end};
      auto& edits = edits_[statement.span.source];
      if (standard == ast::kNoExpr) {
        edits.push_back({end, " = " + value});
        continue;
      }
      const Span replaced = (*entry.module)[standard].span;
      std::erase_if(edits, [&](const Edit& edit) { return is_within(edit.span, replaced); });
      edits.push_back({replaced, value});
    }
  }

  // Expressions that were only looked at become comments: those that the recipe as a whole shows to have no effect.
  std::string without_idle(const std::string& text) {
    const SourceId source = sources_.add("session.merge", text);
    const Result<ast::Module> module = parse(sources_, source);
    if (!module) return text;
    const Imports imports = imports_of(*module);
    std::set<std::uint32_t> idle;
    for (const Diagnostic& finding : check(sources_, *module, library_, {.imports = &imports}))
      if (finding.kind == DiagnosticKind::no_effect) idle.insert(finding.span.begin);
    for (const ast::Statement& statement : module->statements)
      if (auto* plain = std::get_if<ast::ExprStatement>(&statement.node))
        if (idle.contains((*module)[plain->value].span.begin)) comment_out(statement.span);
    return edited(source);
  }

  // The files that the imports of the whole mean: those that they mean in the entries, in the same order.
  Imports imports_of(const ast::Module& whole) const {
    std::vector<const ImportedFile*> files;
    for (const Entry& entry : entries_)
      for (const ast::Statement& statement : entry.module->statements)
        if (auto* import = std::get_if<ast::Import>(&statement.node)) files.push_back(imports_.find(*import));
    Imports imports;
    std::size_t i = 0;
    for (const ast::Statement& statement : whole.statements)
      if (auto* import = std::get_if<ast::Import>(&statement.node))
        imports.add(*import, Imports::File(Imports::File(), files.at(i++)));  // the session owns it
    return imports;
  }

  // A statement that shares its lines with others is left out instead.
  void comment_out(Span span) {
    const std::string_view text = sources_.text(span.source);
    const std::size_t begin = text.rfind('\n', span.begin == 0 ? 0 : span.begin - 1);
    const std::size_t end = std::min(text.find('\n', span.end), text.size());
    const std::string_view before = text.substr(begin == text.npos ? 0 : begin, span.begin - (begin == text.npos ? 0 : begin));
    const std::string_view after = text.substr(span.end, end - span.end);
    auto& edits = edits_[span.source];
    std::erase_if(edits, [&](const Edit& edit) { return is_within(edit.span, span); });
    if (before.find(';') != before.npos || after.find(';') != after.npos) {
      edits.push_back({span, ""});
      return;
    }
    std::string comment = "# ";
    for (char c : sources_.text(span)) comment += c == '\n' ? std::string("\n# ") : std::string(1, c);
    edits.push_back({span, comment});
  }

  std::string edited(SourceId source) {
    std::vector<Edit>& edits = edits_[source];
    std::sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
      return std::pair(a.span.begin, a.span.end) < std::pair(b.span.begin, b.span.end);  // what is put in comes first
    });
    const std::string_view text = sources_.text(source);
    std::string out;
    std::size_t at = 0;
    for (const Edit& edit : edits) {
      out += text.substr(at, edit.span.begin - at);
      out += edit.text;
      at = edit.span.end;
    }
    return out.append(text.substr(at));
  }

  SourceMap sources_;  // a copy: the recipe as a whole is looked at and forgotten
  Library& library_;
  const Imports& imports_;
  const std::vector<Entry>& entries_;
  std::vector<Meaning> meanings_;
  std::map<std::string, std::size_t> current_;  // index into meanings_
  std::set<std::string> taken_;                 // names that stand in any entry
  std::map<SourceId, std::vector<Edit>> edits_;
};

}  // namespace

std::string recipe_of(const Session::State& session) {
  return Transcript(session.engine.sources, session.engine.library, session.imports, session.entries).text();
}

std::string Session::recipe() const { return recipe_of(*state_); }

}  // namespace roux

// The entries of a session as a recipe. In a recipe a name is bound once, so a meaning that was replaced later gets a
// number (`k_1`); `_` gets names where it was used; what has no effect becomes a comment.
#include <algorithm>
#include <map>
#include <set>

#include "api/session_state.h"
#include "compiler/sema/check.h"
#include "compiler/sema/references.h"

namespace roux {
namespace {

// A part of an entry's text that is written otherwise in the recipe.
struct Edit {
  Span span;
  std::string text;
};

// One meaning of a name: where it is bound and used.
struct Meaning {
  std::string name;
  Span bound;  // of `_`: the expression
  std::vector<Span> uses;
  bool replaced = false;
  bool is_last_result() const { return name == "_"; }
};

class Transcript {
 public:
  Transcript(const SourceMap& sources, Library& library, const std::vector<Entry>& entries)
      : sources_(sources), library_(library), entries_(entries) {}

  std::string text() {
    for (const Entry& entry : entries_) read(entry);
    for (const Meaning& meaning : meanings_) rename(meaning);
    for (std::size_t i = 0; i < entries_.size(); ++i) drop_idle(i);
    std::string text;
    for (const Entry& entry : entries_) {
      text += edited(entry.module->source);
      if (!text.empty() && text.back() != '\n') text += '\n';
    }
    return text;
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
      named_.insert(meaning.bound.begin + (std::uint64_t{meaning.bound.source} << 32));
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

  // Expressions that were only looked at, and outputs that were replaced.
  void drop_idle(std::size_t i) {
    const ast::Module& module = *entries_[i].module;
    std::set<std::uint32_t> idle;
    CheckOptions options;
    for (const auto& [name, meaning] : current_) options.bound.push_back(name);
    for (const Diagnostic& finding : check(sources_, module, library_, options))
      if (finding.kind == DiagnosticKind::no_effect) idle.insert(finding.span.begin);
    for (const ast::Statement& statement : module.statements) {
      auto* plain = std::get_if<ast::ExprStatement>(&statement.node);
      if (!plain) continue;
      const Span span = module[plain->value].span;
      const bool is_named = named_.contains(span.begin + (std::uint64_t{span.source} << 32));
      if (!is_named && (idle.contains(span.begin) || is_saved_again(i))) comment_out(statement.span);
    }
  }

  // A statement that shares its lines with others is left out instead.
  void comment_out(Span span) {
    const std::string_view text = sources_.text(span.source);
    const std::size_t begin = text.rfind('\n', span.begin == 0 ? 0 : span.begin - 1);
    const std::size_t end = std::min(text.find('\n', span.end), text.size());
    const std::string_view before = text.substr(begin == text.npos ? 0 : begin, span.begin - (begin == text.npos ? 0 : begin));
    const std::string_view after = text.substr(span.end, end - span.end);
    auto& edits = edits_[span.source];
    std::erase_if(edits, [&](const Edit& edit) { return edit.span.begin >= span.begin && edit.span.end <= span.end; });
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

  const SourceMap& sources_;
  Library& library_;
  const std::vector<Entry>& entries_;
  std::vector<Meaning> meanings_;
  std::map<std::string, std::size_t> current_;  // index into meanings_
  std::set<std::string> taken_;                 // names that stand in any entry
  std::set<std::uint64_t> named_;               // results that got a name, by place
  std::map<SourceId, std::vector<Edit>> edits_;
};

}  // namespace

std::string recipe_of(const Session::State& session) {
  return Transcript(session.engine.sources, session.engine.library, session.entries).text();
}

std::string Session::recipe() const { return recipe_of(*state_); }

}  // namespace roux

#include "api/completion.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "api/session_state.h"
#include "api/show.h"
#include "base/text.h"
#include "base/utf8.h"
#include "compiler/sema/check.h"
#include "compiler/sema/types.h"

namespace roux {
namespace {

namespace fs = std::filesystem;
using Kind = PlaceInText::Kind;

constexpr std::size_t kMostCandidates = 500;
constexpr const char* kStatements[] = {"import", "method", "param"};
constexpr const char* kValues[] = {"false", "if", "match", "none", "not", "true"};
constexpr const char* kSoupMembers[] = {"ingredients", "weights"};

// --- paths ------------------------------------------------------------------------------------------

// Whether a folder is a checkpoint, and whether there is more in it: other checkpoints, folders.
struct PathKind {
  bool is_whole = false;  // a path that may be loaded
  bool is_entered = true;
};

PathKind kind_of_folder(const fs::path& folder) {
  std::size_t files = 0, folders = 0;
  bool has_index = false;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed)) {
    files += entry.path().extension() == ".safetensors" ? 1 : 0;
    folders += entry.is_directory(failed) ? 1 : 0;
    has_index = has_index || entry.path().filename().string().ends_with(".safetensors.index.json");
  }
  const bool is_whole = has_index || files == 1;
  return {is_whole, !is_whole || folders > 0};
}

// "ft-12" -> "ft-": what comes before a number at the end.
std::string stem_of_number(const std::string& name) {
  const std::size_t dot = name.ends_with(".safetensors") ? name.size() - 12 : name.size();
  const std::size_t digits = name.find_last_not_of("0123456789", dot - 1);
  if (dot == 0 || digits == name.npos || digits + 1 == dot) return "";
  return name.substr(0, digits + 1);
}

}  // namespace

std::vector<Candidate> paths_from(const std::string& typed, std::string_view suffix, bool globs) {
  const std::size_t slash = typed.rfind('/');
  const std::string folder = slash == typed.npos ? "" : typed.substr(0, slash + 1);
  const std::string begun = typed.substr(folder.size());
  std::vector<Candidate> candidates;
  std::map<std::string, int> stems;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begun) || (name.starts_with('.') && begun.empty())) continue;
    const PathKind kind = !entry.is_directory(failed) ? PathKind{name.ends_with(suffix), false}
                            : suffix == ".safetensors"  ? kind_of_folder(entry.path())
                                                        : PathKind{};
    if (kind.is_entered) candidates.push_back({folder + name + "/", name + "/"});
    if (!kind.is_whole) continue;
    candidates.push_back({folder + name + "\"", name});
    if (const std::string stem = stem_of_number(name); globs && !stem.empty()) ++stems[stem];
  }
  for (const auto& [stem, count] : stems)
    if (count > 1 && stem.starts_with(begun)) candidates.push_back({folder + stem + "*\"", stem + "*"});
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return natural_less(a.label, b.label); });
  return candidates;
}

namespace {

// --- everything else --------------------------------------------------------------------------------

class Completer {
 public:
  Completer(Session::State& session, const Session& door, PlaceInText place)
      : session_(session), door_(door), place_(std::move(place)) {}

  Completion run() {
    switch (place_.kind) {
      case Kind::nothing: break;
      case Kind::statement:
        add_all(kStatements);
        add_names(true);
        break;
      case Kind::expression: add_names(true); break;
      case Kind::argument:
        add_parameters();
        add_choices();
        add_names(true);
        break;
      case Kind::value:
        add_choices();
        add_names(false);
        break;
      case Kind::type:
        for (const std::string& name : type_names()) add(name);
        break;
      case Kind::member: add_members(); break;
      case Kind::string: complete_string(); break;
      case Kind::import: add_paths(".merge", false); break;
      case Kind::tensor: add_tensors_of(place_.object); break;
      case Kind::pattern: add_tensors_in_scope(); break;
    }
    return {place_.begin, std::move(candidates_)};
  }

 private:
  void add(const std::string& text, const std::string& label = "") {
    if (!text.starts_with(place_.typed) || candidates_.size() == kMostCandidates || !seen_.insert(text).second) return;
    candidates_.push_back({text, label.empty() ? text : label});
  }

  template <class Names>
  void add_all(const Names& names) {
    for (const char* name : names) add(name);
  }

  void add_names(bool calls) {
    for (const std::string& name : place_.locals) add(name);
    const auto& bound = session_.scope->values();
    for (const auto& [name, value] : bound)
      if (name != "_") add(name + (calls && value.is<Function>() ? "(" : ""), name);
    for (const std::string& name : session_.engine.library.names())
      if (!bound.contains(name)) add(name + (calls ? "(" : ""), name);
    for (const auto& names : {constant_names(), tensor_names()})
      for (const std::string& name : names) add(name);
    add_all(kValues);
  }

  std::vector<DocumentedParameter> parameters() const {
    const std::optional<MethodDocument> method = door_.documentation(place_.call.callee);
    return method ? method->parameters : std::vector<DocumentedParameter>();
  }

  // The parameter that the argument at the cursor goes to.
  std::optional<DocumentedParameter> parameter() const {
    const std::vector<DocumentedParameter> all = parameters();
    if (place_.call.parameter.empty())
      return place_.call.position < all.size() ? std::optional(all[place_.call.position]) : std::nullopt;
    for (const DocumentedParameter& parameter : all)
      if (parameter.name == place_.call.parameter) return parameter;
    return std::nullopt;
  }

  void add_parameters() {
    const std::vector<std::string>& given = place_.call.given;
    const std::vector<DocumentedParameter> all = parameters();
    for (std::size_t i = std::min(place_.call.position - std::min(place_.call.position, given.size()), all.size());
         i < all.size(); ++i)
      if (std::find(given.begin(), given.end(), all[i].name) == given.end()) add(all[i].name + " = ");
  }

  void add_choices() {
    const auto taken = parameter();
    if (!taken) return;
    for (const std::string& choice : taken->choices) add(choice);
  }

  void complete_string() {
    const auto taken = parameter();
    const std::string& callee = place_.call.callee;
    if (taken)
      for (const std::string& choice : taken->choices) add(choice + "\"", choice);
    if (callee == "load_all" && place_.call.position == 0) return add_paths(".safetensors", true);
    if (taken && (callee == "load" || callee == "save") && taken->name == "path") return add_paths(".safetensors", false);
    if (callee != "command" || place_.call.position != 0) return;
    const std::size_t word = place_.typed.rfind(' ');  // a shell command: its last word may be a file
    if (word != std::string::npos) {
      place_.begin += word + 1;
      place_.typed.erase(0, word + 1);
    }
    for (Candidate& candidate : paths_from(place_.typed, "", false)) {
      if (candidate.text.ends_with('"')) candidate.text.back() = ' ';
      add(candidate.text, candidate.label);
    }
  }

  void add_paths(std::string_view suffix, bool globs) {
    for (const Candidate& candidate : paths_from(place_.typed, suffix, globs)) add(candidate.text, candidate.label);
  }

  // Up to the next dot: names of tensors are long, and many begin alike.
  void add_tensors(const Graph& graph, const Value& value) {
    auto* data = value.get<Data>();
    if (!data || graph[data->node].domain == roux::kNone) return;
    for (const Domain::Tensor& tensor : graph.domain(graph[data->node].domain).tensors) {
      if (!tensor.name.starts_with(place_.typed)) continue;
      const std::size_t dot = tensor.name.find('.', place_.typed.size());
      add(dot == std::string::npos ? tensor.name + "\"" : tensor.name.substr(0, dot + 1),
          dot == std::string::npos ? tensor.name : tensor.name.substr(0, dot + 1));
    }
  }

  // Evaluates an expression against headers, if it can be, and hands it to `use`.
  template <class F>
  void evaluated(const std::string& text, F use) {
    Diagnostics findings;
    const Result<const ast::Module*> module = understand(session_, "<completion>", text, findings);
    if (!module || has_errors(findings)) return;
    const Trial trial(session_, **module);
    if (trial.evaluated.findings.empty() && !trial.evaluated.values.empty())
      use(trial.graph, trial.evaluated.values.back());
  }

  void add_tensors_of(const std::string& object) {
    evaluated(object, [&](const Graph& graph, const Value& value) {
      auto* soup = value.get<Soup>();
      add_tensors(graph, soup ? Value(soup->ingredients[0]) : value);
    });
  }

  void add_tensors_in_scope() {
    for (const auto& [name, value] : session_.scope->values()) {
      add_tensors(session_.graph, value);
      if (auto* list = value.get<List>(); list && !list->items.empty()) add_tensors(session_.graph, list->items[0]);
    }
  }

  void add_members() {
    evaluated(place_.object, [&](const Graph&, const Value& value) {
      if (auto* record = value.get<Record>())
        for (const auto& [name, field] : record->fields) add(name);
      if (value.is<Soup>()) add_all(kSoupMembers);
    });
  }

  Session::State& session_;
  const Session& door_;
  PlaceInText place_;
  std::set<std::string> seen_;
  std::vector<Candidate> candidates_;
};

}  // namespace

std::vector<Candidate> complete_path(const std::string& typed, std::string_view suffix) {
  std::vector<Candidate> candidates = paths_from(typed, suffix, false);
  for (Candidate& candidate : candidates)
    if (candidate.text.ends_with('"')) candidate.text.pop_back();
  return candidates;
}

Completion Session::complete(std::string_view text, std::size_t cursor) const {
  const std::string_view rest = text.substr(std::min(cursor, text.size()));
  text = text.substr(0, cursor);
  if (find_bad_utf8(text)) return {text.size(), {}};
  const Result<Completion> completion = guarded([&]() -> Result<Completion> {
    return Completer(*state_, *this, place_in(text, find_bad_utf8(rest) ? "" : rest)).run();
  });
  return completion ? *completion : Completion{text.size(), {}};
}

}  // namespace roux

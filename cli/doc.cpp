// `roux doc`: what there is to read about methods, as text for people or as a page in Markdown.
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "base/table.h"
#include "base/text.h"
#include "cli/opened_recipe.h"
#include "cli/window.h"

namespace roux::cli {
namespace {

using Documents = std::vector<MethodDocument>;

constexpr std::size_t kColumns = 100;

std::size_t columns_of_output() {
  return std::min(columns_of_window(STDOUT_FILENO, kColumns), kColumns);
}

// The words of a text in lines of at most `columns`, each but the first behind `indentation` blanks.
std::string wrapped(const std::string& text, std::size_t indentation, std::size_t columns) {
  std::istringstream words(text);
  std::string out;
  std::size_t used = indentation;
  for (std::string word; words >> word;) {
    const std::size_t needed = columns_of(word) + 1;
    if (!out.empty() && used + needed > columns) {
      out += '\n' + std::string(indentation, ' ');
      used = indentation;
    } else if (!out.empty()) {
      out += ' ';
    }
    out += word;
    used += needed;
  }
  return out;
}

std::string first_sentence(const std::string& text) {
  const std::string line = text.substr(0, text.find("\n\n"));
  const std::size_t end = std::min(line.find(". "), line.find(".\n"));
  std::string sentence = line.substr(0, end == line.npos ? end : end + 1);
  std::replace(sentence.begin(), sentence.end(), '\n', ' ');
  return sentence;
}

// --- for people ------------------------------------------------------------------------------------

std::string list_text(const Documents& documents) {
  std::size_t widest = 0;
  for (const MethodDocument& document : documents) widest = std::max(widest, document.name.size());
  std::string out, group;
  for (const MethodDocument& document : documents) {
    if (document.group != group || out.empty()) {
      group = document.group;
      out += (out.empty() ? "" : "\n") + group + "\n";
    }
    out += "  " + document.name + std::string(widest - document.name.size() + 2, ' ');
    out += wrapped(first_sentence(document.documentation), widest + 4, columns_of_output()) + "\n";
  }
  return out;
}

std::string parameters_text(const MethodDocument& document) {
  std::size_t widest = 0;
  for (const DocumentedParameter& parameter : document.parameters)
    if (!parameter.documentation.empty()) widest = std::max(widest, parameter.name.size());
  std::string out;
  for (const DocumentedParameter& parameter : document.parameters) {
    if (parameter.documentation.empty()) continue;
    out += "  " + parameter.name + std::string(widest - parameter.name.size() + 2, ' ');
    out += wrapped(parameter.documentation, widest + 4, columns_of_output()) + "\n";
  }
  return out;
}

std::string method_text(const MethodDocument& document) {
  std::string out = document.signature + "\n";
  if (!document.documentation.empty()) out += "\n" + wrapped(document.documentation, 0, columns_of_output()) + "\n";
  const std::string parameters = parameters_text(document);
  if (!parameters.empty()) out += "\n" + parameters;
  if (!document.examples.empty()) out += "\nexamples\n";
  for (const std::string& example : document.examples) out += "  " + example + "\n";
  out += "\n";
  for (const std::string& reference : document.references) out += "reference  " + reference + "\n";
  return out + "file       " + document.file + "\n";
}

// --- Markdown --------------------------------------------------------------------------------------

std::string method_markdown(const MethodDocument& document) {
  std::string out = "\n### `" + document.name + "`\n\n```text\n" + document.signature + "\n```\n";
  if (!document.documentation.empty()) out += "\n" + document.documentation + "\n";
  std::string parameters;
  for (const DocumentedParameter& parameter : document.parameters)
    if (!parameter.documentation.empty()) parameters += "- `" + parameter.name + "`: " + parameter.documentation + "\n";
  if (!parameters.empty()) out += "\n" + parameters;
  for (const std::string& example : document.examples)
    out += (&example == document.examples.data() ? "\n" : "") + ("    " + example) + "\n";
  for (const std::string& reference : document.references) out += "\nReference: " + reference + "\n";
  return out + "\nFile: `" + document.file + "`\n";
}

std::string page(const Documents& documents) {
  std::string out =
      "# Methods\n\n"
      "Made by `roux doc --markdown` from the `##` lines of the methods' files; `roux doc NAME` shows one of them.\n"
      "Lines of code below a text are true.\n";
  std::string group;
  for (const MethodDocument& document : documents) {
    if (document.group != group) {
      group = document.group;
      out += "\n## " + group + "\n";
    }
    out += method_markdown(document);
  }
  return out;
}

// --- JSON ------------------------------------------------------------------------------------------

Json json_of(const MethodDocument& document) {
  Json parameters = Json::array();
  for (const DocumentedParameter& parameter : document.parameters)
    parameters.push_back({{"name", parameter.name},
                          {"type", parameter.type},
                          {"default", parameter.default_value.empty() ? Json() : Json(parameter.default_value)},
                          {"choices", parameter.choices},
                          {"documentation", parameter.documentation}});
  return {{"name", document.name},
          {"signature", document.signature},
          {"documentation", document.documentation},
          {"parameters", std::move(parameters)},
          {"result", document.result},
          {"references", document.references},
          {"examples", document.examples},
          {"file", document.file},
          {"group", document.group}};
}

// --- which ones ------------------------------------------------------------------------------------

Diagnostic unknown_method(const Documents& documents, const std::string& name) {
  std::vector<std::string> names;
  for (const MethodDocument& document : documents) names.push_back(document.name);
  std::string message = "the library has no method " + quoted(name);
  if (const auto near = nearest(name, names)) message += "; nearest is " + quoted(*near);
  return error(DiagnosticKind::bad_option, Span{}, std::move(message)).hint("`roux doc` lists them");
}

bool names_a_recipe(const std::string& subject) { return subject == "-" || subject.ends_with(".merge"); }

Result<Documents> documents_for(Engine& engine, const std::string& subject) {
  if (!names_a_recipe(subject)) return engine.methods();
  ROUX_TRY(std::string text, read_recipe(subject));
  return engine.methods_of(subject == "-" ? "<stdin>" : subject, std::move(text));
}

}  // namespace

int show_methods(const Arguments& arguments) {
  Terminal terminal(arguments);
  Result<Engine> engine = Engine::create(arguments.options);
  if (!engine) return terminal.fail(engine.error());
  Result<Documents> documents = documents_for(*engine, arguments.subject);
  if (!documents) return terminal.fail(*engine, documents.error());
  const bool is_one = !arguments.subject.empty() && !names_a_recipe(arguments.subject);
  if (is_one) {
    const auto at = std::find_if(documents->begin(), documents->end(), [&](const MethodDocument& document) {
      return document.name == arguments.subject;
    });
    if (at == documents->end()) return terminal.fail({unknown_method(*documents, arguments.subject)});
    documents = Documents{*at};
  }
  if (terminal.is_json()) {
    terminal.document()["methods"] = Json::array();
    for (const MethodDocument& document : *documents) terminal.document()["methods"].push_back(json_of(document));
  } else if (arguments.markdown) {
    terminal.print(page(*documents));
  } else if (arguments.subject.empty()) {
    terminal.print(list_text(*documents));
  } else {
    for (const MethodDocument& document : *documents)
      terminal.print((&document == documents->data() ? "" : "\n") + method_text(document));
  }
  return terminal.finish();
}

}  // namespace roux::cli

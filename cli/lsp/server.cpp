#include "cli/lsp/server.h"

#include <unistd.h>

#include <stdexcept>

#include "cli/lsp/library_files.h"
#include "cli/lsp/params.h"
#include "cli/lsp/uris.h"

namespace roux::cli::lsp {
namespace {

using Json = nlohmann::json;

constexpr int kFullText = 1;                          // how the editor sends changes
constexpr std::size_t kBytesPerEngine = 64u << 20;    // an engine keeps all that it has read

int severity_of(Severity severity) {
  switch (severity) {
    case Severity::error: return 1;
    case Severity::warning: return 2;
    case Severity::note: return 3;
  }
  return 1;
}

// The protocol's numbers for what symbols and proposals are.
int symbol_kind(Symbol::Kind kind) {
  switch (kind) {
    case Symbol::Kind::method: return 12;    // function
    case Symbol::Kind::parameter: return 14; // constant: set from outside
    case Symbol::Kind::value: return 13;     // variable
  }
  return 13;
}

int candidate_kind(const std::string& text) {
  if (text.ends_with('(')) return 3;     // function
  if (text.ends_with(" = ")) return 5;   // field
  if (text.ends_with('"') || text.find('/') != std::string::npos) return 17;  // file
  return 6;                              // variable
}

bool offers(const Json& list, const char* wanted) {
  if (!list.is_array()) return false;
  for (const Json& entry : list)
    if (entry == wanted) return true;
  return false;
}

}  // namespace

Server::Server(MessageStream& stream) : stream_(stream) {}

bool Server::run() {
  while (!is_done_) {
    const auto incoming = stream_.read();
    if (!incoming) break;
    if (incoming->is_json)
      handle(incoming->message);
    else
      stream_.write({{"jsonrpc", "2.0"}, {"id", nullptr}, {"error", {{"code", kParseError}, {"message", "no JSON"}}}});
    if (stream_.has_more()) continue;
    for (const std::string& uri : unpublished_) publish(uri);
    unpublished_.clear();
  }
  return is_shut_down_ && stream_.broken_by().empty();
}

void Server::handle(const Json& message) {
  const bool is_request = message.is_object() && message.contains("id") && message.contains("method");
  Json reply = {{"jsonrpc", "2.0"}, {"id", is_request ? message["id"] : Json(nullptr)}};
  const auto refuse = [&](ErrorCode code, const std::string& text) {
    reply["error"] = {{"code", code}, {"message", text}};
  };
  try {
    if (!message.is_object() || (!is_request && !message.contains("method"))) {
      if (message.is_object() && message.contains("id")) return;  // the answer to a request of ours: there is none
      refuse(kInvalidRequest, "a request is an object with a `method`");
    } else if (!message["method"].is_string()) {
      refuse(kInvalidRequest, "`method` must be a string");
    } else {
      const std::string method = message["method"].get<std::string>();
      const Json params = message.value("params", Json::object());
      if (!is_request) return notice(method, params);
      reply["result"] = answer(method, params);
    }
  } catch (const RequestError& error) {
    refuse(error.code, error.message);
  } catch (const std::exception& error) {
    refuse(kInternalError, error.what());
  }
  if (is_request || reply.contains("error")) stream_.write(reply);
}

Json Server::answer(const std::string& method, const Json& params) {
  using Handler = Json (Server::*)(const Json&);
  static const std::map<std::string, Handler> kHandlers = {
      {"textDocument/hover", &Server::hover},
      {"textDocument/completion", &Server::completion},
      {"textDocument/signatureHelp", &Server::signature},
      {"textDocument/definition", &Server::definition},
      {"textDocument/formatting", &Server::formatting},
      {"textDocument/documentSymbol", &Server::symbols},
  };
  if (method == "initialize") return initialize(params);
  if (!is_initialized_) throw RequestError{kNotInitialized, "`initialize` comes first"};
  if (is_shut_down_) throw RequestError{kInvalidRequest, "the server is shut down"};
  if (method == "shutdown") {
    is_shut_down_ = true;
    return nullptr;
  }
  const auto handler = kHandlers.find(method);
  if (handler == kHandlers.end()) throw RequestError{kMethodNotFound, "there is no method `" + method + "`"};
  return (this->*handler->second)(params);
}

void Server::notice(const std::string& method, const Json& params) {
  if (method == "exit") {
    is_done_ = true;
  } else if (method == "textDocument/didOpen") {
    const Json& document = object_at(params, "textDocument");
    set_text(document, text_at(document, "text"));
  } else if (method == "textDocument/didChange") {
    const Json& changes = member(params, "contentChanges");
    if (!changes.is_array()) throw invalid("`contentChanges` must be a list");
    if (!changes.empty()) set_text(object_at(params, "textDocument"), text_at(changes.back(), "text"));
  } else if (method == "textDocument/didSave" || method == "workspace/didChangeWatchedFiles") {
    for (auto& [uri, document] : documents_) {  // inputs and imports may be others now
      document.analysis.reset();
      unpublished_.insert(uri);
    }
  } else if (method == "textDocument/didClose") {
    close(text_at(object_at(params, "textDocument"), "uri"));
  }
}

// Paths in a recipe are relative to the folder that it is run in: that of the project.
Json Server::initialize(const Json& params) {
  is_initialized_ = true;
  Json root = optional_at(params, "rootUri");
  if (const Json folders = optional_at(params, "workspaceFolders"); folders.is_array() && !folders.empty())
    root = text_at(folders[0], "uri");
  if (root.is_string())
    if (const auto path = path_of_uri(root.get<std::string>()); path && ::chdir(path->c_str()) != 0)
      throw RequestError{kRequestFailed, "cannot enter " + *path};
  const Json general = optional_at(optional_at(params, "capabilities"), "general");
  if (offers(optional_at(general, "positionEncodings"), "utf-8")) units_ = Units::utf8;
  return {{"capabilities",
           {{"positionEncoding", units_ == Units::utf8 ? "utf-8" : "utf-16"},
            {"textDocumentSync", {{"openClose", true}, {"change", kFullText}, {"save", true}}},
            {"hoverProvider", true},
            {"completionProvider", {{"triggerCharacters", {"\"", "(", ",", ".", "/", "=", "["}}}},
            {"signatureHelpProvider", {{"triggerCharacters", {"(", ","}}}},
            {"definitionProvider", true},
            {"documentFormattingProvider", true},
            {"documentSymbolProvider", true}}},
          {"serverInfo", {{"name", "roux"}, {"version", std::string(version())}}}};
}

// --- texts ------------------------------------------------------------------------------------------

void Server::set_text(const Json& document, std::string text) {
  const std::string uri = text_at(document, "uri");
  documents_[uri] = {.path = path_of_uri(uri).value_or(uri),
                     .text = std::move(text),
                     .version = optional_at(document, "version"),
                     .analysis = nullptr};
  unpublished_.insert(uri);
}

void Server::close(const std::string& uri) {
  documents_.erase(uri);
  unpublished_.erase(uri);
  stream_.write({{"jsonrpc", "2.0"},
                 {"method", "textDocument/publishDiagnostics"},
                 {"params", {{"uri", uri}, {"diagnostics", Json::array()}}}});
}

Server::Document& Server::document_at(const Json& params) {
  const auto found = documents_.find(text_at(object_at(params, "textDocument"), "uri"));
  if (found == documents_.end()) throw RequestError{kInvalidParams, "this document is not open"};
  return found->second;
}

// A new one now and then: an engine keeps every text that its findings may point into.
Engine& Server::engine() {
  if (engine_ && analysed_bytes_ > kBytesPerEngine) {
    for (auto& [uri, document] : documents_) document.analysis.reset();
    engine_.reset();
  }
  if (!engine_) {
    Result<Engine> made = Engine::create({.threads = 1, .backend = "reference"});  // nothing is ever compiled
    if (!made) throw std::runtime_error(render(made.error()));
    engine_ = std::make_unique<Engine>(*std::move(made));
    analysed_bytes_ = 0;
  }
  return *engine_;
}

Analysis& Server::analysis_of(Document& document) {
  Engine& by = engine();
  if (!document.analysis) {
    analysed_bytes_ += document.text.size();
    document.analysis = std::make_unique<Analysis>(by.analyse(document.path, document.text));
  }
  return *document.analysis;
}

// --- findings ---------------------------------------------------------------------------------------

void Server::publish(const std::string& uri) {
  const auto found = documents_.find(uri);
  if (found == documents_.end()) return;
  Document& document = found->second;
  Json diagnostics = Json::array();
  for (const Diagnostic& finding : analysis_of(document).findings()) diagnostics.push_back(diagnostic(document, finding));
  Json params = {{"uri", uri}, {"diagnostics", std::move(diagnostics)}};
  if (document.version.is_number_integer()) params["version"] = document.version;
  stream_.write({{"jsonrpc", "2.0"}, {"method", "textDocument/publishDiagnostics"}, {"params", std::move(params)}});
}

// What lies in another file, an imported one, is shown at the top, with the place as related information.
Json Server::diagnostic(const Document& document, const Diagnostic& finding) const {
  Json range = positions_of(document).range_of(0, 0);
  Json related = Json::array();
  const auto relate = [&](Span span, const std::string& text) {
    if (const auto at = document.analysis->stretch_of(span))
      related.push_back({{"location", location(*at)}, {"message", text}});
  };
  if (const auto at = document.analysis->stretch_of(finding.span)) {
    if (at->file == document.path)
      range = positions_of(document).range_of(at->begin, at->end);
    else
      relate(finding.span, finding.message);
  }
  std::string message = finding.message;
  for (const Label& note : finding.notes) {
    if (note.span.valid())
      relate(note.span, note.text);
    else
      message += "\nnote: " + note.text;
  }
  if (!finding.help.empty()) message += "\nhelp: " + finding.help;
  return {{"range", std::move(range)},
          {"severity", severity_of(finding.severity)},
          {"code", std::string(code_of(finding.kind))},
          {"source", "roux"},
          {"message", std::move(message)},
          {"relatedInformation", std::move(related)}};
}

// Files of the library are inside the program: an editor is shown a copy.
Json Server::location(const Stretch& stretch) const {
  const std::string path = stretch.in_library ? path_of_library_file(stretch.file, stretch.text) : stretch.file;
  return {{"uri", uri_of_path(path)}, {"range", Positions(stretch.text, units_).range_of(stretch.begin, stretch.end)}};
}

// --- requests ---------------------------------------------------------------------------------------

Json Server::hover(const Json& params) {
  Document& document = document_at(params);
  const Positions positions = positions_of(document);
  const auto found = analysis_of(document).hover(positions.offset_of(object_at(params, "position")));
  if (!found) return nullptr;
  return {{"contents", {{"kind", "markdown"}, {"value", found->markdown}}},
          {"range", positions.range_of(found->begin, found->end)}};
}

Json Server::completion(const Json& params) {
  Document& document = document_at(params);
  const Positions positions = positions_of(document);
  const std::size_t cursor = positions.offset_of(object_at(params, "position"));
  const Completion completion = analysis_of(document).complete(cursor);
  const Json range = positions.range_of(completion.begin, cursor);
  Json items = Json::array();
  for (const Candidate& candidate : completion.candidates)
    items.push_back({{"label", candidate.label},
                     {"kind", candidate_kind(candidate.text)},
                     {"filterText", candidate.text},
                     {"textEdit", {{"range", range}, {"newText", candidate.text}}}});
  // Names of tensors and paths are proposed up to the next dot or slash: the editor has to ask again behind it.
  return {{"isIncomplete", true}, {"items", std::move(items)}};
}

Json Server::signature(const Json& params) {
  Document& document = document_at(params);
  const std::size_t cursor = positions_of(document).offset_of(object_at(params, "position"));
  const auto found = analysis_of(document).signature(cursor);
  if (!found) return nullptr;
  const auto markdown = [](const std::string& text) { return Json{{"kind", "markdown"}, {"value", text}}; };
  const Positions label(found->label, Units::utf16);  // which these offsets always count
  const auto units_before = [&](std::size_t at) { return label.position_of(at)["character"]; };
  Json parameters = Json::array();
  for (const Signature::Parameter& parameter : found->parameters)
    parameters.push_back({{"label", {units_before(parameter.begin), units_before(parameter.end)}},
                          {"documentation", markdown(parameter.documentation)}});
  Json signature = {{"label", found->label},
                    {"documentation", markdown(found->documentation)},
                    {"parameters", std::move(parameters)}};
  return {{"signatures", Json::array({std::move(signature)})},
          {"activeSignature", 0},
          {"activeParameter", found->active}};
}

Json Server::definition(const Json& params) {
  Document& document = document_at(params);
  const auto found = analysis_of(document).definition(positions_of(document).offset_of(object_at(params, "position")));
  return found ? location(*found) : Json(nullptr);
}

// One edit for the whole text; none where it has syntax errors, which are shown as findings.
Json Server::formatting(const Json& params) {
  Document& document = document_at(params);
  const Result<std::string> formatted = engine().format(document.path, document.text);
  if (!formatted || *formatted == document.text) return Json::array();
  return Json::array({{{"range", positions_of(document).range_of(0, document.text.size())}, {"newText", *formatted}}});
}

Json Server::symbols(const Json& params) {
  Document& document = document_at(params);
  const Positions positions = positions_of(document);
  Json symbols = Json::array();
  for (const Symbol& symbol : analysis_of(document).symbols())
    symbols.push_back({{"name", symbol.name},
                       {"detail", symbol.detail},
                       {"kind", symbol_kind(symbol.kind)},
                       {"range", positions.range_of(symbol.begin, symbol.end)},
                       {"selectionRange", positions.range_of(symbol.name_begin, symbol.name_end)}});
  return symbols;
}

}  // namespace roux::cli::lsp

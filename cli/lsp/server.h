// The language server: what an editor asks, answered through api/analysis.h. One thread, one request after the
// other. Texts are those of the editor, not of the disk; findings of a text are published when nothing more has
// arrived, so that fast typing costs one analysis and not one for every letter.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/analysis.h"
#include "cli/lsp/messages.h"
#include "cli/lsp/positions.h"

namespace roux::cli::lsp {

class Server {
 public:
  explicit Server(MessageStream& stream);

  // Until the editor says `exit`, or goes, or sends what is no message. Whether it said `shutdown` before.
  bool run();

 private:
  using Json = nlohmann::json;

  struct Document {
    std::string path;  // of the file; the URI where it is none
    std::string text;
    Json version;  // the editor's number for this text; null where it has none
    std::unique_ptr<Analysis> analysis;  // of this text; null until it is asked for
  };

  void handle(const Json& message);
  Json answer(const std::string& method, const Json& params);
  void notice(const std::string& method, const Json& params);

  Json initialize(const Json& params);
  Json hover(const Json& params);
  Json completion(const Json& params);
  Json signature(const Json& params);
  Json definition(const Json& params);
  Json formatting(const Json& params);
  Json symbols(const Json& params);

  void set_text(const Json& document, std::string text);
  void close(const std::string& uri);
  void publish(const std::string& uri);
  Json diagnostic(const Document& document, const Diagnostic& finding) const;
  Json location(const Stretch& stretch) const;
  Document& document_at(const Json& params);
  Analysis& analysis_of(Document& document);
  Positions positions_of(const Document& document) const { return {document.text, units_}; }
  Engine& engine();

  MessageStream& stream_;
  Units units_ = Units::utf16;
  bool is_initialized_ = false, is_shut_down_ = false, is_done_ = false;
  std::map<std::string, Document> documents_;  // by URI
  std::set<std::string> unpublished_;
  std::unique_ptr<Engine> engine_;
  std::size_t analysed_bytes_ = 0;  // by this engine, which keeps every text
};

}  // namespace roux::cli::lsp

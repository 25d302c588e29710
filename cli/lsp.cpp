#include <unistd.h>

#include "base/text.h"
#include "cli/lsp/server.h"
#include "cli/terminal.h"

namespace roux::cli {
namespace {

constexpr std::size_t kShown = 40;  // bytes of what was no message

std::string first_line(const std::string& text) {
  const std::string line = text.substr(0, text.find_first_of("\r\n"));
  return line.size() <= kShown ? line : line.substr(0, kShown) + "...";
}

}  // namespace

// 1 where the editor went without saying so, as the protocol has it.
int serve_editor(const Arguments& arguments) {
  lsp::MessageStream stream(STDIN_FILENO, STDOUT_FILENO);
  const bool is_well = lsp::Server(stream).run();
  if (stream.broken_by().empty()) return is_well ? kDone : kUserError;
  Terminal terminal(arguments);
  return terminal.fail({error(DiagnosticKind::bad_option, {},
                              "expected a whole message of the Language Server Protocol, got " +
                                  quoted(printable(first_line(stream.broken_by()))))
                            .hint("each begins with `Content-Length: N` and an empty line; it is an editor that starts "
                                  "`roux lsp`")});
}

}  // namespace roux::cli

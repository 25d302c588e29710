#include <unistd.h>

#include "cli/command.h"
#include "cli/lsp/server.h"

namespace roux::cli {

// 1 where the editor went without saying so, as the protocol has it.
int serve_editor(const Arguments&) {
  lsp::MessageStream stream(STDIN_FILENO, STDOUT_FILENO);
  return lsp::Server(stream).run() ? kDone : kUserError;
}

}  // namespace roux::cli

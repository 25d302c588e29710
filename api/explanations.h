// The pages of docs/diagnostics, embedded as text: what `roux explain` shows. A page is one file named by the code of
// its kind; its first line is `# CODE kind: title`.
#pragma once

#include <string_view>
#include <vector>

namespace roux {

struct ExplanationPage {
  std::string_view name;  // "E0201.md"
  std::string_view text;
};

// Generated from docs/diagnostics/ at build time.
std::vector<ExplanationPage> embedded_pages();

}  // namespace roux

// The files that travel with a model's weights into an output folder: config.json (told the new
// dtype), generation settings, tokenizer, processors, the model's own code. Never weights, of any
// format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/checkpoint/writer.h"

namespace roux {

bool is_companion(std::string_view name);

struct Companion {
  std::string name;
  std::string source;  // path to copy from; empty: `text` is the content
  std::string text;
  std::uint64_t bytes = 0;
};

// config.json as the output gets it; nothing where there is none.
std::optional<std::string> config_of(const OutputLayout& layout);
// Sorted by name; empty for single files and without `layout.companions`.
Result<std::vector<Companion>> companions_of(const OutputLayout& layout);
Status write_companion(const Companion& companion, const std::string& folder, Span span);

// Creates `path`, which must not exist, with permissions as the umask has it.
Status write_new_file(const std::string& path, std::string_view text, Span span);

}  // namespace roux

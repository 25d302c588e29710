#include "runtime/checkpoint/companions.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "runtime/checkpoint/config.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/checkpoint/layout.h"

namespace roux {
namespace {

constexpr char kConfig[] = "config.json";
constexpr std::array<std::string_view, 14> kTravels = {
    kConfig,
    "generation_config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "preprocessor_config.json",
    "processor_config.json",
    "image_processor*.json",
    "video_preprocessor*.json",
    "chat_template*",
    "*.model",
    "*.py",
};

// Weights under a name that a pattern above would take, such as `vocab.safetensors`.
constexpr std::array<std::string_view, 13> kStays = {
    "*.safetensors", "*.safetensors.index.json",
    "*.bin",         "*.bin.index.json",
    "*.pt",          "*.pth",
    "*.ckpt",        "*.gguf",
    "*.ggml",        "*.h5",
    "*.msgpack",     "*.onnx",
    "*.npz",
};

template <std::size_t N>
bool matches_any(const std::array<std::string_view, N>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](std::string_view pattern) { return glob_matches(pattern, name); });
}

constexpr std::uint64_t kCopyBytes = 1u << 20;

Result<Fd> create_file(const std::string& path, Span span) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd.valid()) return io_error(span, "create", path, errno);
  return fd;
}

Status copy_file(const std::string& from, const std::string& to, Span span) {
  ROUX_TRY(const Fd source, open_to_read(from, span));
  ROUX_TRY(const Fd target, create_file(to, span));
  const auto buffer = std::make_unique<char[]>(kCopyBytes);
  std::uint64_t offset = 0;
  while (true) {
    const Transfer in = read_at(source, buffer.get(), kCopyBytes, offset);
    if (in.error_number != 0) return io_error(span, "read", from, in.error_number);
    if (in.done == 0) return ok();
    const Transfer out = write_at(target, buffer.get(), in.done, offset);
    if (out.done != in.done) return io_error(span, "write", to, out.error_number);
    offset += in.done;
  }
}

}  // namespace

bool is_companion(std::string_view name) {
  return !name.starts_with('.') && matches_any(kTravels, name) && !matches_any(kStays, name);
}

std::optional<std::string> config_of(const OutputLayout& layout) {
  if (!layout.companions || !layout.companions->config()) return std::nullopt;
  const std::optional<DType> dtype = dominant_dtype(layout.tensors);
  const std::string& text = *layout.companions->config();
  // What is quantized is copied as it is, and the config speaks of what it was before.
  return dtype && !layout.companions->quantized() ? with_dtype(text, *dtype) : text;
}

Result<std::vector<Companion>> companions_of(const OutputLayout& layout) {
  std::vector<Companion> companions;
  if (is_single_file(layout) || !layout.companions || !layout.companions->is_folder())
    return companions;
  if (std::optional<std::string> config = config_of(layout)) {
    const std::uint64_t bytes = config->size();
    companions.push_back({kConfig, "", *std::move(config), bytes});
  }
  if (is_host_path(layout.companions->path())) return companions;
  const std::string& folder = layout.companions->path();
  ROUX_TRY(const std::vector<std::string> names, list_folder(folder, layout.span));
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    if (name == kConfig || !is_companion(name) || kind_of_path(path) != PathKind::file) continue;
    ROUX_TRY(const Fd fd, open_to_read(path, layout.span));
    ROUX_TRY(const std::uint64_t bytes, size_of_file(fd, path, layout.span));
    companions.push_back({name, path, "", bytes});
  }
  std::sort(companions.begin(), companions.end(),
            [](const Companion& a, const Companion& b) { return a.name < b.name; });
  return companions;
}

Status write_companion(const Companion& companion, const std::string& folder, Span span) {
  const std::string path = join_path(folder, companion.name);
  if (companion.source.empty()) return write_new_file(path, companion.text, span);
  return copy_file(companion.source, path, span);
}

Status write_new_file(const std::string& path, std::string_view text, Span span) {
  ROUX_TRY(const Fd fd, create_file(path, span));
  const Transfer transfer = write_at(fd, text.data(), text.size(), 0);
  if (transfer.done != text.size()) return io_error(span, "write", path, transfer.error_number);
  return ok();
}

}  // namespace roux

#include "runtime/checkpoint/explain.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "runtime/checkpoint/file.h"

namespace roux {
namespace {

constexpr std::string_view kConvert =
    "convert it to safetensors first, for example by transformers' `save_pretrained`";
constexpr std::string_view kPickle =
    "pickled weights can run code when they are read, so Roux does not: load them in PyTorch and "
    "save "
    "them as safetensors";

struct ForeignFormat {
  std::string_view first_bytes;  // empty: told by the ending only
  std::string_view ending;       // empty: told by the first bytes only
  std::string_view name;
  std::string_view hint;
};

constexpr std::array<ForeignFormat, 15> kForeignFormats = {{
    {"version https://", "", "a Git LFS pointer, not the file itself",
     "fetch it with `git lfs pull`"},
    {"PK\x03\x04", ".npz", "a NumPy archive", kConvert},
    {"PK\x03\x04", "", "a PyTorch checkpoint (a zip archive with a pickle)", kPickle},
    {"\x80\x02", "", "a Python pickle", kPickle},
    {"\x80\x04", "", "a Python pickle", kPickle},
    {"GGUF", "", "a GGUF file", "start from the safetensors files that it was made from"},
    {"\x89HDF", "", "an HDF5 file", kConvert},
    {"<!DOCTYPE", "", "a web page, not the file itself",
     "download the file again, by its raw link"},
    {"", ".bin", "a PyTorch checkpoint (a pickle)", kPickle},
    {"", ".pt", "a PyTorch checkpoint (a pickle)", kPickle},
    {"", ".pth", "a PyTorch checkpoint (a pickle)", kPickle},
    {"", ".ckpt", "a PyTorch checkpoint (a pickle)", kPickle},
    {"", ".gguf", "a GGUF file", "start from the safetensors files that it was made from"},
    {"", ".h5", "an HDF5 file", kConvert},
    {"", ".msgpack", "a Flax checkpoint", kConvert},
}};

const ForeignFormat* foreign_format_of(std::string_view path, std::string_view first_bytes) {
  const auto is_it = [&](const ForeignFormat& format) {
    return first_bytes.starts_with(format.first_bytes) && path.ends_with(format.ending);
  };
  const auto found = std::find_if(kForeignFormats.begin(), kForeignFormats.end(), is_it);
  return found == kForeignFormats.end() ? nullptr : &*found;
}

std::vector<std::string> names_in(const std::string& folder) {
  auto names = list_folder(folder, {});
  return names ? *std::move(names) : std::vector<std::string>();
}

bool holds_model(const std::string& folder) {
  const std::vector<std::string> names = names_in(folder);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.ends_with(".safetensors"); });
}

// The first checkpoint just below a folder, or below the `snapshots` that the Hugging Face cache
// keeps.
std::string model_below(const std::string& folder) {
  for (const std::string& name : names_in(folder)) {
    const std::string below = join_path(folder, name);
    if (kind_of_path(below) != PathKind::folder) continue;
    if (holds_model(below)) return below;
    if (name != "snapshots") continue;
    for (const std::string& snapshot : names_in(below))
      if (holds_model(join_path(below, snapshot))) return join_path(below, snapshot);
  }
  return "";
}

// `org/name`, with nothing of that name here: what people copy from the hub.
bool looks_like_hub_id(const std::string& path) {
  return std::count(path.begin(), path.end(), '/') == 1 && path.front() != '/' &&
         path.front() != '.' && path.back() != '/' && !path.ends_with(".safetensors") &&
         kind_of_path(folder_of_path(path)) == PathKind::missing;
}

}  // namespace

std::string nearest_path(const std::string& path) {
  if (kind_of_path(path + ".safetensors") == PathKind::file) return path + ".safetensors";
  std::string found = path.starts_with('/') ? "/" : "";
  std::size_t begin = found.size();
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty()) continue;
    if (kind_of_path(found + part) == PathKind::missing) {
      const std::optional<std::string> near = nearest(part, names_in(found.empty() ? "." : found));
      if (!near) return "";
      part = *near;
    }
    found += part + (begin < path.size() ? "/" : "");
  }
  return kind_of_path(found) == PathKind::missing ? "" : found;
}

Diagnostic explain_missing(const std::string& path, Span span) {
  if (anything_at(path))
    return error(DiagnosticKind::no_such_file, span, quoted(path) + " is a link that leads nowhere")
        .hint("bring back the file that it should lead to");
  Diagnostic missing = error(DiagnosticKind::no_such_file, span, "no such file or folder " + quoted(path));
  if (const std::string near = nearest_path(path); !near.empty())
    return std::move(missing).hint("did you mean " + string_literal(near) + "?");
  if (path.starts_with('~'))
    return std::move(missing).hint("`~` is not expanded: write the home folder out");
  if (looks_like_hub_id(path))
    return std::move(missing).hint(
        "a model on the Hugging Face hub must be downloaded first, for example by "
        "`huggingface-cli download`");
  if (!path.starts_with('/'))
    return std::move(missing).hint("paths are relative to the working directory");
  std::string there = path;
  while (kind_of_path(there) == PathKind::missing) there = folder_of_path(there);
  return std::move(missing).hint(quoted(there) + " is the last part of it that exists");
}

bool is_foreign(std::string_view first_bytes) {
  return std::any_of(
      kForeignFormats.begin(), kForeignFormats.end(), [&](const ForeignFormat& format) {
        return !format.first_bytes.empty() && first_bytes.starts_with(format.first_bytes);
      });
}

Diagnostic explain_foreign_file(const std::string& path, std::string_view first_bytes, Span span) {
  const ForeignFormat* const format = foreign_format_of(path, first_bytes);
  const std::string seen = format ? std::string(format->name) : "in no format that Roux reads";
  return error(DiagnosticKind::bad_checkpoint, span,
               quoted(path) + " is " + seen + ", expected a safetensors file")
      .hint(format ? std::string(format->hint)
                   : "give a `.safetensors` file or a folder that holds one");
}

Diagnostic explain_folder_without_model(const std::string& path, Span span) {
  const auto refuse = [&](std::string seen, std::string hint) {
    return error(DiagnosticKind::bad_checkpoint, span,
                 "folder " + quoted(path) + " holds " + seen +
                     ", expected `model.safetensors` or shards with an index")
        .hint(std::move(hint));
  };
  const std::vector<std::string> names = names_in(path);
  if (const std::string below = model_below(path); !below.empty())
    return refuse("no safetensors file itself", "did you mean " + string_literal(below) + "?");
  for (const std::string& name : names)
    if (const ForeignFormat* const format = foreign_format_of(name, ""))
      return refuse("no safetensors file, but " + quoted(name) + ", " + std::string(format->name),
                    std::string(format->hint));
  return refuse(names.empty() ? "nothing" : "no safetensors file",
                "give the folder that holds the model's files");
}

}  // namespace roux

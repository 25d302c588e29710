// Hugging Face's folder layout: which files make up the checkpoint, and whether its index tells the
// truth.
#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "runtime/checkpoint/explain.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/formats.h"
#include "runtime/checkpoint/json.h"
#include "runtime/checkpoint/reader.h"

namespace roux {
namespace {

constexpr std::string_view kModel = "model.safetensors";
constexpr std::string_view kAdapter = "adapter_model.safetensors";
constexpr std::string_view kFileEnding = ".safetensors";
constexpr std::string_view kIndexEnding = ".safetensors.index.json";
constexpr std::string_view kFetchAgain =
    "download the folder again, or let its writer save it anew";

using WeightMap = std::map<std::string, std::string>;  // tensor -> file name

// A shard is named plainly, so that no index reaches out of its folder.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

class IndexReader final : public JsonReader {
 public:
  IndexReader() : JsonReader("index", 2) {}

  WeightMap weight_map;
  bool has_weight_map = false;

 private:
  bool in_weight_map() const { return depth() >= 2 && key_at(1) == "weight_map"; }

  bool on_open(bool is_object) override {
    if (depth() == 1) return is_object || fail("index is a list, expected an object");
    if (!in_weight_map()) return true;
    if (depth() == 2 && !is_object) return fail("`weight_map` is a list, expected an object");
    if (depth() > 2) return wrong_entry(is_object ? "an object" : "a list");
    has_weight_map = true;
    return true;
  }

  bool on_scalar(JsonScalar scalar) override {
    const std::string seen(describe(scalar.kind));
    if (depth() == 0) return fail("index is " + seen + ", expected an object");
    if (depth() == 1 && key_at(1) == "weight_map")
      return fail("`weight_map` is " + seen + ", expected an object");
    if (!in_weight_map()) return true;
    if (scalar.kind != JsonScalar::Kind::string) return wrong_entry(seen);
    if (!is_plain_name(scalar.text)) {
      return fail("places tensor " + quoted(key_at(2)) + " in " + quoted(scalar.text) +
                  ", expected the plain name of a file in the same folder");
    }
    weight_map.emplace(key_at(2), std::move(scalar.text));
    return weight_map.size() <= limits::kTensors ||
           fail("index names more than " + format_count(limits::kTensors, "tensor"));
  }

  bool wrong_entry(const std::string& seen) {
    return fail("index places tensor " + quoted(key_at(2)) + " in " + seen +
                ", expected the name of a file");
  }
};

Diagnostic bad_index(const std::string& index, Span span, const std::string& message) {
  return error(DiagnosticKind::bad_checkpoint, span, quoted(index) + ": " + message)
      .hint(std::string(kFetchAgain));
}

Result<WeightMap> read_index(const std::string& path, Span span) {
  ROUX_TRY(const std::string text, read_text(path, limits::kHeaderBytes, span));
  IndexReader reader;
  if (const auto problem = reader.read(text)) return bad_index(path, span, problem->message);
  if (!reader.has_weight_map)
    return bad_index(path, span, "`weight_map` is missing, expected an object");
  if (reader.weight_map.empty()) return bad_index(path, span, "`weight_map` names no tensor");
  return std::move(reader.weight_map);
}

Status check_shards_exist(const std::string& folder, const std::string& index,
                          const WeightMap& weight_map, Span span) {
  std::set<std::string> seen;
  for (const auto& [tensor, file] : weight_map) {
    if (!seen.insert(file).second) continue;
    const std::string path = join_path(folder, file);
    switch (kind_of_path(path)) {
      case PathKind::file: break;
      case PathKind::unreachable: return open_error(span, "open", path, errno);
      case PathKind::missing:
        return bad_index(index, span,
                         "places tensor " + quoted(tensor) + " in " + quoted(file) +
                             ", but there is no such file in " + quoted(folder));
      case PathKind::folder:
      case PathKind::other:
        return bad_index(index, span,
                         "places tensor " + quoted(tensor) + " in " + quoted(file) +
                             ", which is no regular file");
    }
  }
  return ok();
}

// Every tensor is where the index says, and the index knows every tensor.
Status check_placement(const Checkpoint& checkpoint, const std::string& index,
                       const WeightMap& weight_map, Span span) {
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    const std::string file = name_in_path(checkpoint.files()[tensor.file]);
    const auto entry = weight_map.find(tensor.name);
    if (entry == weight_map.end())
      return bad_index(index, span,
                       "does not name tensor " + quoted(tensor.name) + " of " + quoted(file));
    if (entry->second != file)
      return bad_index(index, span,
                       "places tensor " + quoted(tensor.name) + " in " + quoted(entry->second) +
                           ", but it is in " + quoted(file));
  }
  for (const auto& [tensor, file] : weight_map)
    if (!checkpoint.find(tensor))
      return bad_index(
          index, span,
          "places tensor " + quoted(tensor) + " in " + quoted(file) + ", which does not hold it");
  return ok();
}

std::vector<std::string> ending_in(const std::vector<std::string>& names, std::string_view ending) {
  std::vector<std::string> found;
  std::copy_if(names.begin(), names.end(), std::back_inserter(found), [&](const std::string& name) {
    return name.ends_with(ending) && !name.starts_with('.');
  });
  return found;
}

Diagnostic several_files(const std::string& folder, std::vector<std::string> names, Span span) {
  constexpr std::size_t kShown = 5;
  const std::size_t count = names.size();
  for (std::string& name : names) name = quoted(name);
  if (count > kShown) {
    names.resize(kShown);
    names.push_back("…");
  }
  return error(DiagnosticKind::bad_checkpoint, span,
               "folder " + quoted(folder) + " holds " + std::to_string(count) +
                   " safetensors files and no index: " + join(names, ", ") +
                   "; expected `model.safetensors` or `model.safetensors.index.json`")
      .hint("load one of the files by its own path, or add the index that belongs to the shards");
}

// The one file of a folder without `model.safetensors` and without an index.
Result<std::string> only_file(const std::string& folder, std::vector<std::string> names,
                              Span span) {
  if (std::erase(names, std::string(kAdapter)) > 0 && names.empty())
    return error(DiagnosticKind::bad_checkpoint, span,
                 "folder " + quoted(folder) +
                     " holds a LoRA adapter (`adapter_model.safetensors`), "
                     "expected a whole model")
        .hint("merge the adapter into its base model first, by PEFT's `merge_and_unload`");
  if (names.empty()) return explain_folder_without_model(folder, span);
  if (names.size() > 1) return several_files(folder, std::move(names), span);
  return names.front();
}

}  // namespace

Result<Checkpoint::Ptr> open_folder(const std::string& path, Span span) {
  ROUX_TRY(const std::vector<std::string> names, list_folder(path, span));
  const auto has = [&](std::string_view name) {
    return std::binary_search(names.begin(), names.end(), name, std::less<>());
  };
  const std::vector<std::string> indexes = ending_in(names, kIndexEnding);

  CheckpointParts parts;
  parts.path = path;
  parts.is_folder = true;
  if (has("config.json")) parts.config_path = join_path(path, "config.json");
  if (has(kModel) || indexes.size() != 1) {
    std::string file(kModel);
    if (!has(kModel)) {
      ROUX_TRY(file, only_file(path, ending_in(names, kFileEnding), span));
    }
    parts.files = {join_path(path, file)};
    return open_parts(std::move(parts), span);
  }

  const std::string index = join_path(path, indexes.front());
  ROUX_TRY(const WeightMap weight_map, read_index(index, span));
  ROUX_DO(check_shards_exist(path, index, weight_map, span));
  std::set<std::string> shards;
  for (const auto& [tensor, file] : weight_map) shards.insert(file);
  for (const std::string& shard : shards) parts.files.push_back(join_path(path, shard));
  ROUX_TRY(Checkpoint::Ptr checkpoint, open_parts(std::move(parts), span));
  ROUX_DO(check_placement(*checkpoint, index, weight_map, span));
  return checkpoint;
}

}  // namespace roux

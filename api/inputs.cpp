#include "api/inputs.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/checkpoint/layout.h"

namespace roux {
namespace {

namespace fs = std::filesystem;

std::string canonical_key(const std::string& path) {
  if (is_host_path(path)) return path;
  std::error_code failed;
  fs::path canonical = fs::weakly_canonical(path, failed);
  std::string key = failed ? path : canonical.string();
  while (key.size() > 1 && key.back() == '/') key.pop_back();
  return key;
}

std::vector<std::string> files_that_match(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT | GLOB_TILDE, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

// Headers without data: what a save of this recipe will have written by the time it is read.
class PromisedCheckpoint : public Checkpoint {
 public:
  explicit PromisedCheckpoint(const OutputLayout& layout)
      : path_(layout.path), is_folder_(!is_single_file(layout)), metadata_(layout.metadata) {
    for (const OutputTensor& tensor : layout.tensors) {
      TensorInfo info{.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape, .element_count = 1};
      for (std::int64_t extent : tensor.shape) info.element_count *= static_cast<std::uint64_t>(extent);
      info.byte_count = info.element_count * static_cast<std::uint64_t>(bytes_of(tensor.dtype));
      tensors_.push_back(std::move(info));
    }
    std::sort(tensors_.begin(), tensors_.end(),
              [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; });
    if (!layout.companions) return;
    config_ = layout.companions->config();
    if (is_host_path(path_)) is_folder_ = config_.has_value();
    quantized_ = layout.companions->quantized();
  }

  const std::string& path() const override { return path_; }
  bool is_folder() const override { return is_folder_; }
  const std::vector<std::string>& files() const override { return files_; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  const std::optional<std::string>& config() const override { return config_; }
  const std::optional<std::string>& quantized() const override { return quantized_; }
  Status read(std::size_t, std::uint64_t, std::uint64_t, void*) const override {
    throw InternalError("a promised checkpoint was read");
  }
  const std::string& header_digest() const override { return path_; }
  Result<Digest> digest(int) const override { throw InternalError("a promised checkpoint was read"); }

 private:
  std::string path_;
  bool is_folder_;
  std::vector<std::string> files_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
  std::optional<std::string> config_, quantized_;
};

}  // namespace

Result<Checkpoint::Ptr> Inputs::checkpoint_at(const std::string& path, const std::string& key, Span span) {
  if (auto known = opened_.find(key); known != opened_.end()) return known->second;
  if (auto promised = promised_.find(key); promised != promised_.end()) return promised->second;
  return is_host_path(path) ? host_checkpoint(path, span) : Checkpoint::open(path, span);
}

Result<Checkpoint::Ptr> Inputs::host_checkpoint(const std::string& path, Span span) const {
  const std::string name(name_of_host_path(path));
  if (const auto found = models_.find(name); found != models_.end()) return open_host_model(path, found->second, span);
  Diagnostic missing = error(DiagnosticKind::no_such_file, span, "no model in memory has the name " + quoted(name));
  std::vector<std::string> names;
  for (const auto& [given, model] : models_) names.push_back(given);
  if (const auto near = nearest(name, names))
    missing.help = "nearest is " + quoted(*near);
  else
    missing.help = "the program that runs the recipe gives them; a file of this name is " + quoted("./" + path);
  return missing;
}

Result<std::uint32_t> Inputs::open(const std::string& path, const std::string& space, Span span) {
  const std::string key = canonical_key(path);
  ROUX_TRY(const Checkpoint::Ptr checkpoint, checkpoint_at(path, key, span));
  opened_.try_emplace(key, checkpoint);
  loaded_at_.emplace(key, span);
  std::string resolved = space;
  if (space == "auto") {
    const auto noted = checkpoint->metadata().find("roux.space");
    resolved = noted == checkpoint->metadata().end() ? "model" : noted->second;
  }
  const auto [it, fresh] = sources_.emplace(std::pair(checkpoint.get(), resolved), checkpoints_.size());
  if (fresh) append(checkpoint, resolved);
  return it->second;
}

Span Inputs::loaded_at(const std::string& path) const {
  const auto known = loaded_at_.find(canonical_key(path));
  return known == loaded_at_.end() ? Span{} : known->second;
}

std::uint32_t Inputs::append(Checkpoint::Ptr checkpoint, std::string space) {
  checkpoints_.push_back(std::move(checkpoint));
  spaces_.push_back(std::move(space));
  return static_cast<std::uint32_t>(checkpoints_.size() - 1);
}

std::uint32_t Inputs::add(Checkpoint::Ptr view, const std::string& space) {
  for (std::uint32_t i = 0; i < checkpoints_.size(); ++i)
    if (spaces_[i] == space && checkpoints_[i]->path() == view->path() && checkpoints_[i]->parts() == view->parts() &&
        checkpoints_[i]->header_digest() == view->header_digest())
      return i;
  return append(std::move(view), space);
}

void Inputs::promise(const OutputLayout& layout) {
  forget(layout.path);
  promised_[canonical_key(layout.path)] = std::make_shared<const PromisedCheckpoint>(layout);
}

void Inputs::provide(const std::string& path, const HostModel& model) {
  models_[std::string(name_of_host_path(path))] = model;
}

void Inputs::reuse(const Inputs& other) {
  for (const auto& [key, checkpoint] : other.opened_)
    if (!checkpoint->files().empty()) opened_.emplace(key, checkpoint);  // else it was only promised
  forget_changed();
}

void Inputs::forget(const std::string& path) { opened_.erase(canonical_key(path)); }

void Inputs::forget_changed() {
  std::erase_if(opened_, [](const auto& entry) {
    std::string stamp;
    for (const std::string& file : entry.second->files()) stamp += stamp_of_file_at(file);
    return stamp != entry.second->stamp();
  });
}

bool Inputs::same_path(const std::string& a, const std::string& b) { return canonical_key(a) == canonical_key(b); }

bool Inputs::is_inside(const std::string& path, const std::string& folder) {
  return canonical_key(path).starts_with(canonical_key(folder) + "/");
}

Result<std::vector<std::string>> Inputs::glob(const std::string& pattern, Span span) const {
  std::vector<std::string> paths = is_host_path(pattern) ? std::vector<std::string>() : files_that_match(pattern);
  for (const auto& [name, model] : models_)
    if (const std::string path = host_path(name); glob_matches(pattern, path)) paths.push_back(path);
  for (const auto& [path, checkpoint] : promised_)
    if (glob_matches(pattern, checkpoint->path())) paths.push_back(checkpoint->path());
  std::sort(paths.begin(), paths.end(), natural_less);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  if (!paths.empty()) return paths;

  Diagnostic none = error(DiagnosticKind::no_match, span, "nothing matches " + quoted(pattern));
  if (is_host_path(pattern)) return std::move(none).hint("the program that runs the recipe gives models in memory");
  const fs::path folder = fs::path(pattern).parent_path();
  std::error_code failed;
  if (folder.string().find_first_of("*?[") == std::string::npos && !folder.empty() && !fs::exists(folder, failed))
    none.help = "there is no folder " + quoted(folder.string()) + "; paths are relative to the working directory, " +
                quoted(fs::current_path(failed).string());
  else
    none.help = "paths are relative to the working directory, " + quoted(fs::current_path(failed).string());
  return none;
}

Result<bool> Inputs::same(std::uint32_t a, std::uint32_t b) const {
  if (a == b) return true;
  const Checkpoint &first = *checkpoints_[a], &second = *checkpoints_[b];
  if (first.header_digest() != second.header_digest()) return false;
  ROUX_TRY(const Digest digest_a, first.digest(threads_));
  ROUX_TRY(const Digest digest_b, second.digest(threads_));
  return digest_a == digest_b;
}

}  // namespace roux

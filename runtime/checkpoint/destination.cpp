// check_output: what can be told of a destination before anything is written.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "runtime/checkpoint/companions.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/temporary.h"
#include "runtime/checkpoint/writer.h"

namespace roux {
namespace {

constexpr std::string_view kElsewhere = "save to a path of its own";

// With links followed and `..` taken out, as far as the path exists.
std::string canonical(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path full = std::filesystem::absolute(path, failed);
  const std::filesystem::path real = std::filesystem::weakly_canonical(full, failed);
  return without_trailing_slashes((failed ? full : real).string());
}

bool is_inside(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) &&
         (folder.ends_with('/') || path[folder.size()] == '/');
}

// What a folder holds besides one checkpoint, which overwriting would delete with it; empty if nothing.
std::string beside_a_checkpoint(const std::string& path) {
  const auto names = list_folder(path, {});
  if (!names) return "files that cannot be listed";
  std::size_t weights = 0;
  bool has_index = false;
  for (const std::string& name : *names) {
    if (kind_of_path(join_path(path, name)) == PathKind::folder) return "the folder " + quoted(name);
    weights += name.ends_with(".safetensors") ? 1 : 0;
    has_index = has_index || name.ends_with(".safetensors.index.json");
  }
  if (weights > 1 && !has_index) return format_count(weights, "safetensors file") + " and no index";
  return weights > 0 || has_index || names->empty() ? "" : "other things than a checkpoint";
}

class OutputCheck {
 public:
  OutputCheck(const OutputLayout& layout, std::uint64_t bytes, const std::vector<Checkpoint::Ptr>& inputs)
      : layout_(layout), bytes_(bytes), path_(without_trailing_slashes(layout.path)), inputs_(inputs) {}

  Status run() {
    if (is_host_path(layout_.path)) return run_for_host();
    const std::string name = name_in_path(path_);
    if (name.empty() || name == "." || name == ".." || path_.find('\0') != std::string::npos) {
      find(DiagnosticKind::output_exists, path_.empty() ? "the path of the output is empty" : quoted(path_) + " names no output",
           "end the path in the name of a file or folder");
    } else {
      check_inputs();
      if (anything_at(path_)) check_existing();
      check_parent_and_room();
    }
    if (findings_.empty()) return ok();
    return std::move(findings_);
  }

 private:
  // In memory nothing is in the way but an input of the same name.
  Status run_for_host() {
    if (name_of_host_path(layout_.path).empty())
      find(DiagnosticKind::output_exists, quoted(layout_.path) + " names no output", "give the result a name: `memory:merged`");
    for (const Checkpoint::Ptr& input : inputs_)
      if (input && input->path() == layout_.path && !layout_.overwrite)
        find_input(*input, quoted(layout_.path) + " is an input of this run, expected a new name",
                   "save under another name, or write `overwrite = true`");
    if (findings_.empty()) return ok();
    return std::move(findings_);
  }

  void find(DiagnosticKind kind, std::string message, std::string hint) {
    findings_.push_back(error(kind, layout_.span, std::move(message)).hint(std::move(hint)));
  }
  void find_input(const Checkpoint& input, std::string message, std::string hint) {
    is_input_ = true;
    find(DiagnosticKind::output_is_input, std::move(message), std::move(hint));
    findings_.back().checkpoints = {input.path()};
  }

  void check_inputs() {
    const std::string output = canonical(path_);
    for (const Checkpoint::Ptr& input : inputs_) {
      if (!input) continue;
      const std::string folder = canonical(input->path());
      if (output == folder) {
        is_input_ = true;
        if (layout_.overwrite) continue;
        return find_input(*input, quoted(path_) + " is an input of this run, expected a new path",
                          "save elsewhere, or write `overwrite = true` to replace the input at the end");
      }
      if (is_inside(output, folder))
        return find_input(*input, "lies inside " + quoted(input->path()) + ", an input of this run");
      if (is_inside(folder, output))
        return find_input(*input, "holds " + quoted(input->path()) + ", an input of this run");
      for (const std::string& file : input->files()) {
        const std::string real = canonical(file);
        if (real == output || is_inside(real, output))
          return find_input(*input, "is or holds " + quoted(file) + ", an input of this run");
      }
    }
  }
  void find_input(const Checkpoint& input, const std::string& what) {
    find_input(input, quoted(path_) + " " + what, std::string(kElsewhere));
  }

  // Overwriting deletes what is there in the end: only what a save could have made, one checkpoint and its
  // companions, or an empty folder.
  void check_existing() {
    if (is_input_ && !findings_.empty()) return;  // said already
    if (!layout_.overwrite)
      return find(DiagnosticKind::output_exists, quoted(path_) + " exists already",
                  "write `overwrite = true` to replace it, or save to another path");
    const PathKind kind = kind_of_path(path_);
    const bool wants_file = is_single_file(layout_);
    if (wants_file && kind == PathKind::folder)
      return refuse_overwrite("a folder, and this save makes a file");
    if (!wants_file && kind == PathKind::file)
      return refuse_overwrite("a file, and this save makes a folder");
    if (kind == PathKind::other) return refuse_overwrite("a pipe, socket or device");
    if (kind != PathKind::folder) return;
    const std::string output = canonical(path_), here = canonical(".");
    if (output == "/" || output == here || is_inside(here, output))
      return refuse_overwrite("the working directory or a folder above it");
    if (const std::string more = beside_a_checkpoint(path_); !more.empty())
      return refuse_overwrite("a folder that holds " + more);
  }
  void refuse_overwrite(const std::string& what) {
    find(DiagnosticKind::output_exists,
         quoted(path_) + " is " + what + ", expected a checkpoint to overwrite",
         "remove it yourself if it is not needed, or save to another path");
  }

  void check_parent_and_room() {
    std::string folder = folder_of_path(path_);
    while (kind_of_path(folder) == PathKind::missing && folder != folder_of_path(folder))
      folder = folder_of_path(folder);
    const PathKind kind = kind_of_path(folder);
    if (kind == PathKind::unreachable) {
      findings_.push_back(io_error(layout_.span, "open", folder, errno));
      return;
    }
    if (kind != PathKind::folder)
      return find(DiagnosticKind::io,
                  quoted(folder) + " is not a folder, so " + quoted(path_) + " cannot be in it",
                  std::string(kElsewhere));
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
      findings_.push_back(io_error(layout_.span, "write into", folder, errno));
      return;
    }
    std::optional<std::uint64_t> free = free_bytes(folder);
    if (free) *free += bytes_of_dead_temporaries(path_);  // they go, or are gone on with
    if (free && *free < bytes_)
      find(DiagnosticKind::disk_full,
           quoted(path_) + " needs " + format_bytes(bytes_) + ", but its disk has " +
               format_bytes(*free) + " free",
           "free some room, save to another disk, or choose a smaller `dtype`");
  }

  const OutputLayout& layout_;
  const std::uint64_t bytes_;
  const std::string path_;
  const std::vector<Checkpoint::Ptr>& inputs_;
  bool is_input_ = false;
  Diagnostics findings_;
};

}  // namespace

Status check_output(const OutputLayout& layout, std::uint64_t bytes, const std::vector<Checkpoint::Ptr>& inputs) {
  return OutputCheck(layout, bytes, inputs).run();
}

std::uint64_t output_bytes(const OutputLayout& layout) { return output_bytes(layout, plan_output(layout)); }

std::uint64_t output_bytes(const OutputLayout& layout, const OutputPlan& plan) {
  if (is_host_path(layout.path)) return plan.data_bytes;
  std::uint64_t bytes = plan.index.size();
  for (const PlannedFile& file : plan.files) bytes += file.bytes;
  if (const auto companions = companions_of(layout))
    for (const Companion& companion : *companions) bytes += companion.bytes;
  return bytes;
}

}  // namespace roux

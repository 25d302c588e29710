#include "runtime/checkpoint/formats.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "runtime/checkpoint/explain.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/reader.h"
#include "runtime/checkpoint/safetensors.h"

namespace roux {
namespace {

// A name is no proof: a pointer of Git LFS or a web page is often stored under it.
bool is_safetensors_file(const Candidate& candidate) {
  if (candidate.is_folder) return false;
  return looks_like_safetensors(candidate.first_bytes) ||
         (candidate.path.ends_with(".safetensors") && !is_foreign(candidate.first_bytes));
}

Result<Checkpoint::Ptr> open_safetensors_file(const std::string& path, Span span) {
  CheckpointParts parts;
  parts.path = path;
  parts.files = {path};
  return open_parts(std::move(parts), span);
}

bool is_folder(const Candidate& candidate) { return candidate.is_folder; }

constexpr std::array<Format, 2> kFormats = {{
    {"safetensors file", is_safetensors_file, open_safetensors_file},
    {"Hugging Face folder", is_folder, open_folder},
}};

Result<Candidate> look_at(const std::string& path, Span span) {
  Candidate candidate{path, false, {}};
  switch (kind_of_path(path)) {
    case PathKind::missing: return explain_missing(path, span);
    case PathKind::unreachable: return open_error(span, "open", path, errno);
    case PathKind::folder: candidate.is_folder = true; return candidate;
    case PathKind::other:
    case PathKind::file: break;
  }
  ROUX_TRY(const Fd fd, open_to_read(path, span));
  candidate.first_bytes.resize(16);
  const Transfer transfer = read_at(fd, candidate.first_bytes.data(), 16, 0);
  if (transfer.error_number != 0) return io_error(span, "read", path, transfer.error_number);
  candidate.first_bytes.resize(transfer.done);
  return candidate;
}

}  // namespace

std::span<const Format> formats() { return kFormats; }

std::optional<std::size_t> Checkpoint::find(std::string_view name) const {
  const std::vector<TensorInfo>& all = tensors();
  const auto found = std::lower_bound(all.begin(), all.end(), name, [](const TensorInfo& tensor, std::string_view wanted) {
    return tensor.name < wanted;
  });
  if (found == all.end() || found->name != name) return std::nullopt;
  return static_cast<std::size_t>(found - all.begin());
}

Result<Checkpoint::Ptr> Checkpoint::open(const std::string& path, Span span) {
  const std::string clean = without_trailing_slashes(path);
  if (clean.empty() || clean.find('\0') != std::string::npos)
    return error(DiagnosticKind::no_such_file, span, quoted(clean) + " is no path")
        .hint("give the path of a `.safetensors` file or of a folder");
  ROUX_TRY(const Candidate candidate, look_at(clean, span));
  for (const Format& format : formats())
    if (format.matches(candidate)) return format.open(clean, span);
  return explain_foreign_file(clean, candidate.first_bytes, span);
}

}  // namespace roux

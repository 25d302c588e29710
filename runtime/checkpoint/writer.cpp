#include "runtime/checkpoint/writer.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "runtime/checkpoint/companions.h"
#include "runtime/checkpoint/digest.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/checkpoint/journal.h"
#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/temporary.h"

namespace roux {
namespace {

constexpr std::string_view kIndexName = "model.safetensors.index.json";
constexpr std::uint64_t kFlushedTogether = 1u << 30;  // complete tensors, for a journal that outlives the machine

// Gives a file its size and its room on the disk: 0, or why not.
int allocate(const Fd& fd, std::uint64_t bytes) {
  rlimit limit{};
  // Growing past this limit would raise a signal that ends the process.
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_cur) return EFBIG;
  int failed = 0;
  do {
    failed = ::fallocate(fd.get(), 0, 0, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  } while (failed == EINTR);
  // posix_fallocate would write into every block instead: slower than finding a full disk later.
  if (failed == EOPNOTSUPP || failed == ENOSYS)
    failed = ::ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  return failed;
}

// What an output that is under way has to be for another run to go on with it. The headers are those of the layout:
// they tell of the recipe and of where each tensor lies, not yet of what the sweep finds.
JournalKey journal_key(const OutputLayout& layout, const OutputPlan& plan) {
  MemoryDigest work, inputs;
  work.add(layout.work.data(), layout.work.size());
  for (const PlannedFile& file : plan.files) work.add(file.header.data(), file.header.size());
  inputs.add(layout.inputs.data(), layout.inputs.size());
  return {work.hex(), inputs.hex()};
}

bool has_size(const std::string& path, std::uint64_t bytes) {
  const auto fd = open_to_read(path, {});
  if (!fd) return false;
  const auto size = size_of_file(*fd, path, {});
  return size && *size == bytes;
}

bool holds_files(const std::string& temporary, const OutputLayout& layout, const OutputPlan& plan) {
  return std::all_of(plan.files.begin(), plan.files.end(), [&](const PlannedFile& file) {
    return has_size(is_single_file(layout) ? temporary : join_path(temporary, file.name), file.bytes);
  });
}

class StoredWriter final : public CheckpointWriter {
 public:
  StoredWriter(OutputLayout layout, OutputPlan plan, Temporary temporary)
      : layout_(std::move(layout)),
        path_(without_trailing_slashes(layout_.path)),
        plan_(std::move(plan)),
        temporary_(std::move(temporary)) {}
  ~StoredWriter() override {
    if (StoredWriter::left().tensors == 0) return;
    journal_->keep();
    temporary_.keep();
  }

  // The temporary is one that holds these tensors already.
  Status go_on(const std::vector<std::uint32_t>& complete) {
    is_kept_.resize(plan_.tensors.size());
    kept_.of = plan_.tensors.size();
    for (std::uint32_t tensor : complete) {
      if (tensor >= is_kept_.size() || is_kept_[tensor]) continue;
      is_kept_[tensor] = true;
      ++kept_.tensors;
      kept_.bytes += plan_.tensors[tensor].byte_count;
    }
    complete_ = kept_;
    written_ = kept_.bytes;
    return is_single_file(layout_) ? ok() : remove_small_files();
  }

  Status prepare() {
    const std::string parent = folder_of_path(path_);
    const std::optional<std::uint64_t> free = free_bytes(parent);
    for (const PlannedFile& file : plan_.files) {
      if (!is_single_file(layout_)) ROUX_DO(create_shard(file));
      const Fd& fd = fd_of(files_.size() - 1);
      const int failed = allocate(fd, file.bytes);
      if (failed == ENOSPC || failed == EDQUOT) return disk_full(free);
      if (failed != 0) return io_error(layout_.span, "make room for", path_, failed);
    }
    return write_small_files();
  }

  void set_metadata(std::map<std::string, std::string> metadata) override {
    ROUX_CHECK(!finished_);
    replace_metadata(plan_, std::move(metadata));
  }

  // From now on, what is complete is written down.
  void keep_journal(const JournalKey& key) {
    complete_.of = plan_.tensors.size();
    std::vector<std::uint32_t> complete;
    left_ = std::make_unique<std::atomic<std::uint64_t>[]>(plan_.tensors.size());
    forgotten_ = std::make_unique<std::atomic<bool>[]>(plan_.tensors.size());
    for (std::uint32_t tensor = 0; tensor < plan_.tensors.size(); ++tensor) {
      left_[tensor] = plan_.tensors[tensor].byte_count;
      if (is_kept(tensor)) complete.push_back(tensor);
    }
    if (auto journal = Journal::create(temporary_.path(), key, complete)) journal_.emplace(*std::move(journal));
  }

  void set_found(Leftover found) { found_ = found; }

  Status write(std::size_t tensor, std::uint64_t offset, const void* data,
               std::uint64_t size) override {
    const PlacedTensor& placed = plan_.tensors.at(tensor);
    ROUX_CHECK(!finished_ && offset <= placed.byte_count && size <= placed.byte_count - offset);
    const Transfer transfer = write_at(fd_of(placed.file), data, size, placed.offset + offset);
    written_ += transfer.done;
    if (transfer.done == size) {
      if (left_ && left_[tensor].fetch_sub(size) == size) write_down(static_cast<std::uint32_t>(tensor));
      return ok();
    }
    const int failed = transfer.error_number;
    if (failed == ENOSPC || failed == EDQUOT) return disk_full(free_bytes(folder_of_path(path_)));
    return io_error(layout_.span,
                    "write tensor " + quoted(layout_.tensors[tensor].name) + " at byte " +
                        std::to_string(offset + transfer.done) + " into",
                    path_, failed == 0 ? EIO : failed);
  }

  Status finish(bool sync) override {
    ROUX_CHECK(!finished_ && written_ >= plan_.data_bytes);  // no tensor has a hole
    finished_ = true;
    sync_ = sync;
    ROUX_DO(write_headers());
    if (sync) ROUX_DO(flush_everything());
    files_.clear();  // a single file's descriptor stays: it holds the lock
    return ok();
  }

  bool is_kept(std::size_t tensor) const override { return tensor < is_kept_.size() && is_kept_[tensor]; }
  void forget_when_resumed(std::size_t tensor) override {
    if (forgotten_) forgotten_[tensor] = true;
  }
  WrittenPart kept() const override { return kept_; }
  WrittenPart left() const override {
    const std::lock_guard lock(journal_mutex_);
    return layout_.resume && journal_ ? complete_ : WrittenPart{};
  }
  Leftover found() const override { return found_; }

  Status put_in_place() override {
    ROUX_CHECK(finished_);
    ROUX_DO(temporary_.move_into_place(layout_.overwrite, layout_.span));
    journal_.reset();
    return sync_ ? flush_folder(folder_of_path(path_), layout_.span) : ok();
  }
  Status take_back() override { return temporary_.take_back(layout_.span); }
  void settle() override { temporary_.settle(); }

  const std::string& path() const override { return path_; }
  const std::string& temporary_path() const override { return temporary_.path(); }

 private:
  const Fd& fd_of(std::size_t file) const {
    return is_single_file(layout_) ? temporary_.fd() : files_[file];
  }

  Status create_shard(const PlannedFile& file) {
    const std::string path = join_path(temporary_.path(), file.name);
    const int fresh = kept_.tensors > 0 ? 0 : O_CREAT | O_EXCL;
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | fresh, 0666));
    if (!fd.valid()) return io_error(layout_.span, "create", path, errno);
    files_.push_back(std::move(fd));
    return ok();
  }

  Status write_headers() {
    for (std::size_t i = 0; i < plan_.files.size(); ++i) {
      const std::string& header = plan_.files[i].header;
      const Transfer transfer = write_at(fd_of(i), header.data(), header.size(), 0);
      if (transfer.done != header.size()) return io_error(layout_.span, "write", path_, transfer.error_number);
    }
    return ok();
  }

  Status write_small_files() {
    if (is_single_file(layout_)) return ok();
    if (!plan_.index.empty()) {
      small_files_.emplace_back(kIndexName);
      ROUX_DO(write_new_file(join_path(temporary_.path(), std::string(kIndexName)), plan_.index,
                             layout_.span));
    }
    ROUX_TRY(const std::vector<Companion> companions, companions_of(layout_));
    for (const Companion& companion : companions) {
      small_files_.push_back(companion.name);
      ROUX_DO(write_companion(companion, temporary_.path(), layout_.span));
    }
    return ok();
  }

  // Of another run, which may not have finished them.
  Status remove_small_files() {
    ROUX_TRY(const std::vector<std::string> names, list_folder(temporary_.path(), layout_.span));
    for (const std::string& name : names) {
      const auto is_it = [&](const PlannedFile& file) { return file.name == name; };
      const std::string path = join_path(temporary_.path(), name);
      if (std::none_of(plan_.files.begin(), plan_.files.end(), is_it) && ::unlink(path.c_str()) != 0)
        return io_error(layout_.span, "remove", path, errno);
    }
    return ok();
  }

  void write_down(std::uint32_t tensor) {
    const std::lock_guard lock(journal_mutex_);
    if (!journal_ || is_kept(tensor) || forgotten_[tensor]) return;
    const std::uint64_t bytes = plan_.tensors[tensor].byte_count;
    ++complete_.tensors;
    complete_.bytes += bytes;
    unflushed_ += bytes;
    bool written = journal_->add(tensor);
    if (written && layout_.sync_journal && unflushed_ >= kFlushedTogether) {
      unflushed_ = 0;
      written = flush_data() && journal_->flushed();
    }
    if (!written) journal_.reset();  // the run goes on without
  }

  bool flush_data() const {
    for (const Fd& file : files_)
      if (!flush_to_device(file, path_, {})) return false;
    return flush_to_device(temporary_.fd(), path_, {}).ok() && flush_folder(folder_of_path(path_), {}).ok();
  }

  Status flush_everything() {
    const Span span = layout_.span;
    if (is_single_file(layout_)) return flush_to_device(temporary_.fd(), temporary_.path(), span);
    for (std::size_t i = 0; i < files_.size(); ++i)
      ROUX_DO(flush_to_device(files_[i], join_path(temporary_.path(), plan_.files[i].name), span));
    for (const std::string& name : small_files_) {
      const std::string path = join_path(temporary_.path(), name);
      ROUX_TRY(const Fd fd, open_to_read(path, span));
      ROUX_DO(flush_to_device(fd, path, span));
    }
    return flush_to_device(temporary_.fd(), temporary_.path(), span);
  }

  Diagnostic disk_full(std::optional<std::uint64_t> free) const {
    return error(DiagnosticKind::disk_full, layout_.span,
                 quoted(path_) + " needs " + format_bytes(output_bytes(layout_, plan_)) +
                     ", but its disk has only " + format_bytes(free.value_or(0)) + " free")
        .hint("free some room, save to another disk, or choose a smaller `dtype`");
  }

  const OutputLayout layout_;
  const std::string path_;
  OutputPlan plan_;
  Temporary temporary_;
  std::vector<Fd> files_;  // shards, in the order of the plan; empty for a single file
  std::vector<std::string> small_files_;
  std::atomic<std::uint64_t> written_{0};
  bool finished_ = false;
  bool sync_ = false;

  std::vector<bool> is_kept_;  // by tensor; empty: none
  WrittenPart kept_;
  Leftover found_ = Leftover::nothing;
  std::unique_ptr<std::atomic<std::uint64_t>[]> left_;  // bytes of each tensor; null: nobody asks
  std::unique_ptr<std::atomic<bool>[]> forgotten_;
  mutable std::mutex journal_mutex_;
  std::optional<Journal> journal_;
  WrittenPart complete_;  // so is what follows: of the journal
  std::uint64_t unflushed_ = 0;
};

// A header that no reader would take, ours included, is better refused before the work.
Status check_headers(const OutputLayout& layout, const OutputPlan& plan) {
  for (const PlannedFile& file : plan.files)
    if (file.header.size() > limits::kHeaderBytes)
      return error(DiagnosticKind::limit, layout.span,
                   quoted(layout.path) + " would get a header of " +
                       format_bytes(file.header.size()) + ", expected at most " +
                       format_bytes(limits::kHeaderBytes))
          .hint("save to a folder with a smaller `shard`");
  return ok();
}

Temporary::Kind kind_of(const OutputLayout& layout) {
  return is_single_file(layout) ? Temporary::Kind::file : Temporary::Kind::folder;
}

// What interrupted runs left: how near that comes, and what can be gone on with.
struct TakenOver {
  Leftover found = Leftover::nothing;
  std::optional<Temporary> temporary;
  std::vector<std::uint32_t> complete;
};

TakenOver take_over(const OutputLayout& layout, const OutputPlan& plan, const JournalKey& key) {
  TakenOver taken;
  if (!layout.resume) return taken;
  const auto fits = [&](const std::string& left) {
    JournalContents journal = read_journal(left, key);
    if (journal.found == Leftover::tensors && !holds_files(left, layout, plan)) journal.found = Leftover::no_tensor;
    taken.found = std::max(taken.found, journal.found);
    taken.complete = std::move(journal.complete);
    return journal.found == Leftover::tensors;
  };
  auto temporary = Temporary::take_over(without_trailing_slashes(layout.path), kind_of(layout), fits);
  if (temporary) taken.temporary.emplace(*std::move(temporary));
  return taken;
}

}  // namespace

Result<std::unique_ptr<CheckpointWriter>> CheckpointWriter::create(OutputLayout layout) {
  if (is_host_path(layout.path)) {
    ROUX_DO(check_output(layout, 0, {}));  // whether there is room shows when it is taken
    ROUX_TRY(std::unique_ptr<CheckpointWriter> writer, HostWriter::create(layout));
    return writer;
  }
  OutputPlan plan = plan_output(layout);
  ROUX_DO(check_output(layout, output_bytes(layout, plan), {}));
  ROUX_DO(check_headers(layout, plan));
  const std::string path = without_trailing_slashes(layout.path);
  const bool keeps_journal = !layout.work.empty();
  const JournalKey key = keeps_journal ? journal_key(layout, plan) : JournalKey{};
  TakenOver taken = take_over(layout, plan, key);
  const bool goes_on = taken.temporary.has_value();
  if (goes_on) {
    remove_dead_temporaries(path);
  } else {
    ROUX_TRY(Temporary fresh, Temporary::create(path, kind_of(layout), layout.span));
    taken.temporary.emplace(std::move(fresh));
  }
  auto writer = std::make_unique<StoredWriter>(std::move(layout), std::move(plan), *std::move(taken.temporary));
  writer->set_found(taken.found);
  if (goes_on) ROUX_DO(writer->go_on(taken.complete));
  ROUX_DO(writer->prepare());
  if (keeps_journal) writer->keep_journal(key);
  return std::unique_ptr<CheckpointWriter>(std::move(writer));
}

Status put_all_in_place(const std::vector<std::unique_ptr<CheckpointWriter>>& writers) {
  for (std::size_t i = 0; i < writers.size(); ++i) {
    Status put = writers[i]->put_in_place();
    if (put) continue;
    Diagnostics findings = std::move(put).error();
    for (std::size_t back = i + 1; back-- > 0;)
      if (const Status undone = writers[back]->take_back(); !undone)
        findings.insert(findings.end(), undone.error().begin(), undone.error().end());
    return findings;
  }
  for (const auto& writer : writers) writer->settle();
  return ok();
}

}  // namespace roux

#include "runtime/checkpoint/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "base/limits.h"

namespace roux {
namespace {

constexpr std::string_view kFlushed = "flushed";

// Differs each time that the machine is started; empty where the system does not say.
std::string boot() {
  const Fd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t size = fd.valid() ? ::read(fd.get(), text, sizeof text) : 0;
  std::string id(text, static_cast<std::size_t>(size > 0 ? size : 0));
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

constexpr std::string_view kFirst = "roux journal 1 ";

std::string take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {  // one that was being written when its writer ended
    text = {};
    return "";
  }
  std::string line(text.substr(0, end));
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string journal_path(const std::string& temporary) { return temporary + ".journal"; }

std::optional<Journal> Journal::create(const std::string& temporary, const JournalKey& key,
                                       const std::vector<std::uint32_t>& complete) {
  const std::string path = journal_path(temporary);
  Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd.valid()) return std::nullopt;
  ::flock(fd.get(), LOCK_EX | LOCK_NB);  // as the temporary is
  Journal journal(path, std::move(fd));
  std::string lines = std::string(kFirst) + key.work + ' ' + key.inputs + '\n' + boot();
  for (std::uint32_t tensor : complete) lines += '\n' + std::to_string(tensor);
  if (!journal.append(lines)) return std::nullopt;
  return journal;
}

Journal::Journal(Journal&& other) noexcept : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

Journal::~Journal() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

bool Journal::append(const std::string& lines) {
  const std::string text = lines + '\n';
  ssize_t size = 0;
  do size = ::write(fd_.get(), text.data(), text.size());
  while (size < 0 && errno == EINTR);
  return size == static_cast<ssize_t>(text.size());
}

bool Journal::add(std::uint32_t tensor) { return append(std::to_string(tensor)); }

bool Journal::flushed() { return append(std::string(kFlushed)) && flush_to_device(fd_, path_, {}).ok(); }

JournalContents read_journal(const std::string& temporary, const JournalKey& key) {
  JournalContents contents;
  const auto text = read_text(journal_path(temporary), limits::kHeaderBytes, {});
  if (!text) return contents;
  std::string_view rest = *text;
  const std::string first = take_line(rest), work = std::string(kFirst) + key.work + ' ';
  if (!first.starts_with(kFirst)) return contents;
  if (first != work + key.inputs) return {first.starts_with(work) ? Leftover::other_inputs : Leftover::other_work};
  const std::string boot_then = take_line(rest);
  std::vector<std::uint32_t>& tensors = contents.complete;
  std::size_t on_device = 0;
  while (!rest.empty()) {
    const std::string line = take_line(rest);
    std::uint32_t tensor = 0;
    const auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), tensor);
    if (line == kFlushed) {
      on_device = tensors.size();
    } else if (failed == std::errc() && end == line.data() + line.size()) {
      tensors.push_back(tensor);
    }
  }
  if (boot_then.empty() || boot_then != boot()) tensors.resize(on_device);
  if (!tensors.empty()) contents.found = Leftover::tensors;
  return contents;
}

}  // namespace roux

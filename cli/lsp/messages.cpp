#include "cli/lsp/messages.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace roux::cli::lsp {
namespace {

constexpr std::size_t kLongestHeader = 4096;
constexpr std::size_t kLongestMessage = 64u << 20;
constexpr std::string_view kLength = "content-length:";
constexpr std::string_view kEnd = "\r\n\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Header names are the same in any case.
std::optional<std::size_t> length_in(std::string header) {
  for (char& c : header) c = lower(c);
  std::size_t at = header.find(kLength);
  if (at == std::string::npos) return std::nullopt;
  at = header.find_first_not_of(' ', at + kLength.size());
  std::size_t length = 0;
  if (at == std::string::npos) return std::nullopt;
  const auto [end, failed] = std::from_chars(header.data() + at, header.data() + header.size(), length);
  if (failed != std::errc{} || length > kLongestMessage) return std::nullopt;
  return length;
}

}  // namespace

bool MessageStream::fill() {
  char chunk[1u << 16];
  ssize_t count;
  do count = ::read(input_, chunk, sizeof chunk);
  while (count < 0 && errno == EINTR);
  if (count <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(count));
  return true;
}

// A header begins with a name and a colon; whoever types or pipes something else should not wait for an answer.
bool MessageStream::may_be_header() const {
  for (const char c : buffer_) {
    if (c == ':') return true;
    if (c != '-' && (lower(c) < 'a' || lower(c) > 'z')) return false;
  }
  return true;
}

std::optional<MessageStream::Incoming> MessageStream::read() {
  std::size_t end;
  while ((end = buffer_.find(kEnd)) == std::string::npos)
    if (buffer_.size() > kLongestHeader || !may_be_header() || !fill()) {
      broken_by_ = buffer_;
      return std::nullopt;
    }
  const auto length = length_in(buffer_.substr(0, end));
  if (!length) {  // where the next message begins cannot be told
    broken_by_ = buffer_;
    return std::nullopt;
  }
  while (buffer_.size() < end + kEnd.size() + *length)
    if (!fill()) {
      broken_by_ = buffer_;
      return std::nullopt;
    }
  buffer_.erase(0, end + kEnd.size());
  const std::string body = buffer_.substr(0, *length);
  buffer_.erase(0, *length);
  nlohmann::json message = nlohmann::json::parse(body, nullptr, false);
  const bool is_json = !message.is_discarded();
  return Incoming{std::move(message), is_json};
}

bool MessageStream::has_more() const {
  if (!buffer_.empty()) return true;
  pollfd waiting{.fd = input_, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLIN) != 0;
}

void MessageStream::write(const nlohmann::json& message) {
  const std::string body = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string framed = "Content-Length: " + std::to_string(body.size()) + std::string(kEnd) + body;
  for (std::size_t at = 0; at < framed.size();) {
    const ssize_t count = ::write(output_, framed.data() + at, framed.size() - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // the editor has gone; reading ends, too
    at += static_cast<std::size_t>(count);
  }
}

}  // namespace roux::cli::lsp

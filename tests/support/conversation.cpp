#include "tests/support/conversation.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace roux::testing {
namespace {

constexpr int kPatience = 60'000;  // milliseconds

std::string without_escapes(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b' && i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && !(text[i] >= '@' && text[i] <= '~')) ++i;
    } else if (text[i] != '\r' && text[i] != '\a') {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

Conversation::Conversation(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
                           const std::vector<std::string>& environment) {
  winsize size{.ws_row = 40, .ws_col = 160, .ws_xpixel = 0, .ws_ypixel = 0};
  process_ = forkpty(&terminal_, nullptr, nullptr, &size);
  if (process_ != 0) return;
  std::vector<char*> words;
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  for (const std::string& variable : environment) putenv(const_cast<char*>(variable.c_str()));
  if (chdir(directory.c_str()) == 0) execv(words[0], words.data());
  _exit(127);
}

Conversation::~Conversation() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  if (terminal_ >= 0) close(terminal_);
}

void Conversation::type(const std::string& keys) {
  EXPECT_EQ(write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

bool Conversation::read_more() {
  pollfd ready{terminal_, POLLIN, 0};
  if (closed_ || poll(&ready, 1, kPatience) <= 0) return false;
  char bytes[4096];
  const ssize_t count = read(terminal_, bytes, sizeof bytes);
  if (count <= 0) closed_ = true;  // EIO: the other side is gone
  if (count > 0) seen_.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

std::string Conversation::wait_for(const std::string& text) {
  for (;;) {
    const std::string plain = without_escapes(seen_);
    if (const std::size_t at = plain.find(text); at != plain.npos) {
      seen_ = plain.substr(at + text.size());
      return plain.substr(0, at + text.size());
    }
    if (read_more()) continue;
    ADD_FAILURE() << "waited for `" << text << "`, got:\n" << plain;
    return plain;
  }
}

std::string Conversation::wait_for_raw(const std::string& text) {
  while (seen_.find(text) == seen_.npos && read_more()) {
  }
  EXPECT_NE(seen_.find(text), seen_.npos) << seen_;
  return seen_;
}

int Conversation::wait_for_end() {
  while (read_more()) {
  }
  int status = 0;
  EXPECT_TRUE(closed_) << "it did not end; it printed:\n" << without_escapes(seen_);
  if (!closed_) kill(process_, SIGKILL);
  waitpid(process_, &status, 0);
  process_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace roux::testing

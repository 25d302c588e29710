// A program on a pseudo terminal, spoken to as people do: type, wait for what it answers. Nothing sleeps; what does
// not come within the time limit is a failure of the test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace roux::testing {

class Conversation {
 public:
  // `environment`: NAME=VALUE, beside the test's own.
  Conversation(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
               const std::vector<std::string>& environment);
  ~Conversation();
  Conversation(const Conversation&) = delete;

  void type(const std::string& keys);
  // Waits until the program has printed `text` since the last wait, and returns what came before it and it; a failed
  // test and what did come where it does not. Escape sequences are taken out.
  std::string wait_for(const std::string& text);
  std::string wait_for_raw(const std::string& text);  // with them
  // Waits for the end of the program: its exit code, -1 for a signal.
  int wait_for_end();
  int process() const { return process_; }

 private:
  bool read_more();

  int process_ = -1;
  int terminal_ = -1;
  std::string seen_;  // since the last wait
  bool closed_ = false;
};

constexpr char kInterrupt[] = "\x03", kEndOfInput[] = "\x04", kTab[] = "\t", kUp[] = "\x1b[A";

}  // namespace roux::testing

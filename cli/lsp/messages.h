// JSON-RPC messages as the Language Server Protocol frames them, over a pair of file descriptors: a header
// with the length, an empty line, that many bytes of JSON. A message that is no JSON, or too long, is answered
// with an error by whoever reads; a stream that ends, or goes on with what is no header, ends the reading.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace roux::cli::lsp {

class MessageStream {
 public:
  MessageStream(int input, int output) : input_(input), output_(output) {}

  struct Incoming {
    nlohmann::json message;
    bool is_json = true;
  };
  // Waits for the next message; nothing where the stream has ended.
  std::optional<Incoming> read();
  // What came in place of a message and so ended the reading; empty where the stream just ended.
  const std::string& broken_by() const { return broken_by_; }
  // Whether more has arrived already, so that what is known now is soon out of date.
  bool has_more() const;

  void write(const nlohmann::json& message);

 private:
  bool fill();
  bool may_be_header() const;

  int input_, output_;
  std::string buffer_;  // read and not yet taken
  std::string broken_by_;
};

}  // namespace roux::cli::lsp

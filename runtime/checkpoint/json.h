// The fence around the JSON library: JsonReader walks untrusted text event by event, without
// recursion and without exceptions, keeps the way from the root, and refuses text that is no JSON,
// is nested too deeply or (where asked) names a key twice. A derived reader takes what it wants in
// `open`, `scalar` and `close` and stops the walk with `fail`. Private to this folder: includes
// nlohmann/json.hpp.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/diagnostic.h"

namespace roux {

struct JsonScalar {
  enum class Kind : unsigned char { null, boolean, whole, negative, fraction, string };
  Kind kind;
  std::uint64_t whole = 0;  // of a whole number >= 0; of true: 1
  std::string text;         // of a string; moved out freely
};
std::string_view describe(JsonScalar::Kind kind);  // "a string"

struct JsonProblem {
  DiagnosticKind kind = DiagnosticKind::bad_checkpoint;
  std::string message;
  std::string hint;
};

class JsonReader : private nlohmann::json_sax<nlohmann::json> {
 public:
  // `subject` begins the messages ("header is not JSON"). Keys of objects up to `unique_depth` must
  // differ (0: none must; the root is at depth 1).
  JsonReader(std::string subject, std::size_t unique_depth)
      : subject_(std::move(subject)), unique_depth_(unique_depth) {}

  // Walks the text once; nothing if it was read to its end.
  std::optional<JsonProblem> read(std::string_view text);

 protected:
  // Depth of the innermost open object or list; in `open` and `close` it counts the one concerned.
  std::size_t depth() const { return depth_; }
  // The key under which the walk is in the object at `level` (1 is the root); empty in a list.
  const std::string& key_at(std::size_t level) const { return levels_[level - 1].key; }

  virtual bool on_open(bool is_object);
  virtual bool on_close();
  virtual bool on_scalar(JsonScalar scalar);

  bool fail(std::string message, std::string hint = "");
  bool fail(DiagnosticKind kind, std::string message, std::string hint);

 private:
  // The keys of one object. Most have a handful, and then a list is quicker than a set.
  class Keys {
   public:
    bool insert(const std::string& key);  // false if it is there
    void clear();

   private:
    static constexpr std::size_t kFew = 8;
    std::vector<std::string> few_;
    std::unordered_set<std::string> others_;
  };
  struct Level {
    std::string key;
    Keys keys;
  };

  bool push(bool is_object);
  bool pop();

  bool null() override;
  bool boolean(bool value) override;
  bool number_integer(number_integer_t value) override;
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t value, const string_t& text) override;
  bool string(string_t& value) override;
  bool binary(binary_t& value) override;
  bool start_object(std::size_t size) override;
  bool key(string_t& value) override;
  bool end_object() override;
  bool start_array(std::size_t size) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& problem) override;

  std::string subject_;
  std::size_t unique_depth_;
  std::vector<Level> levels_;  // those in use, and deeper ones that keep their memory
  std::size_t depth_ = 0;
  std::optional<JsonProblem> problem_;
};

// `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace roux

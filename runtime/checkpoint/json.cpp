#include "runtime/checkpoint/json.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace roux {

std::string_view describe(JsonScalar::Kind kind) {
  switch (kind) {
    case JsonScalar::Kind::null: return "null";
    case JsonScalar::Kind::boolean: return "true or false";
    case JsonScalar::Kind::whole: return "a number";
    case JsonScalar::Kind::negative: return "a negative number";
    case JsonScalar::Kind::fraction: return "a fraction or a number too large";
    case JsonScalar::Kind::string: return "a string";
  }
  return "";
}

std::optional<JsonProblem> JsonReader::read(std::string_view text) {
  depth_ = 0;
  problem_.reset();
  nlohmann::json_sax<nlohmann::json>* const events = this;
  // The parser takes a zero byte for the end of the text, whatever follows.
  if (const std::size_t zero = text.find('\0'); zero != text.npos) {
    fail(subject_ + " is not JSON: byte " + std::to_string(zero + 1) + " is zero");
    return std::move(problem_);
  }
  const bool read_all = nlohmann::json::sax_parse(text.begin(), text.end(), events);
  if (!read_all && !problem_) fail(subject_ + " is not JSON");
  return std::move(problem_);
}

bool JsonReader::Keys::insert(const std::string& key) {
  if (std::find(few_.begin(), few_.end(), key) != few_.end()) return false;
  if (few_.size() == kFew) return others_.insert(key).second;
  few_.push_back(key);
  return true;
}

void JsonReader::Keys::clear() {
  few_.clear();
  if (!others_.empty()) others_.clear();  // takes as long as it has buckets
}

bool JsonReader::on_open(bool) { return true; }
bool JsonReader::on_close() { return true; }
bool JsonReader::on_scalar(JsonScalar) { return true; }

bool JsonReader::fail(std::string message, std::string hint) {
  return fail(DiagnosticKind::bad_checkpoint, std::move(message), std::move(hint));
}

bool JsonReader::fail(DiagnosticKind kind, std::string message, std::string hint) {
  if (!problem_) problem_ = JsonProblem{kind, std::move(message), std::move(hint)};
  return false;
}

bool JsonReader::push(bool is_object) {
  if (depth_ >= static_cast<std::size_t>(limits::kHeaderJsonDepth)) {
    return fail(subject_ + " nests deeper than " + std::to_string(limits::kHeaderJsonDepth) +
                " levels");
  }
  if (levels_.size() == depth_) levels_.emplace_back();
  levels_[depth_].key.clear();
  levels_[depth_].keys.clear();
  ++depth_;
  return on_open(is_object);
}

bool JsonReader::pop() {
  const bool go_on = on_close();
  --depth_;
  return go_on;
}

bool JsonReader::null() { return on_scalar({JsonScalar::Kind::null, 0, {}}); }
bool JsonReader::boolean(bool value) {
  return on_scalar({JsonScalar::Kind::boolean, value ? 1u : 0u, {}});
}
bool JsonReader::number_integer(number_integer_t) {
  return on_scalar({JsonScalar::Kind::negative, 0, {}});
}
bool JsonReader::number_unsigned(number_unsigned_t value) {
  return on_scalar({JsonScalar::Kind::whole, value, {}});
}
bool JsonReader::number_float(number_float_t, const string_t&) {
  return on_scalar({JsonScalar::Kind::fraction, 0, {}});
}
bool JsonReader::string(string_t& value) {
  return on_scalar({JsonScalar::Kind::string, 0, std::move(value)});
}
bool JsonReader::binary(binary_t&) { return fail(subject_ + " is not JSON"); }

bool JsonReader::start_object(std::size_t) { return push(true); }
bool JsonReader::end_object() { return pop(); }
bool JsonReader::start_array(std::size_t) { return push(false); }
bool JsonReader::end_array() { return pop(); }

bool JsonReader::key(string_t& value) {
  Level& level = levels_[depth_ - 1];
  if (depth_ <= unique_depth_ && !level.keys.insert(value)) {
    const std::size_t outer_level = depth_ - 1;
    const std::string outer = outer_level > 0 ? " in " + quoted(key_at(outer_level)) : "";
    return fail(subject_ + " names " + quoted(value) + " twice" + outer +
                ", expected every name once");
  }
  level.key = std::move(value);
  return true;
}

bool JsonReader::parse_error(std::size_t position, const std::string& last_token,
                             const nlohmann::detail::exception&) {
  constexpr std::size_t kShown = 40;
  std::string near = last_token.substr(last_token.size() - std::min(last_token.size(), kShown));
  return fail(subject_ + " is not JSON: at byte " + std::to_string(position) +
              (near.empty() ? "" : ", after " + quoted(near)));
}

std::string json_string(std::string_view text) {
  // Names of tensors, of which there may be very many, have nothing to escape.
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string("\"").append(text) + '"';
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace roux

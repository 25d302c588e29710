#include "runtime/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "runtime/checkpoint/json.h"

namespace roux {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::string_view kDamaged = "the file is damaged: copy or download it again";
constexpr std::string_view kCutOff = "the file is cut off: copy or download it again";
constexpr std::string_view kBadWriter =
    "the program that wrote the file is at fault: write it anew";

std::uint64_t read_length(std::string_view bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length;
}

std::string dtype_choices() {
  std::vector<std::string> names;
#define ROUX_DTYPE(id, file, name, config, bits, kind) names.push_back(file);
#include "base/dtype.def"
  return join(names, ", ");
}

// Takes the tensors and the metadata out of a header. Offsets are checked against each other
// afterwards.
class HeaderReader final : public JsonReader {
 public:
  // Depth 2: names of tensors in the root, and what stands in one of them or in the metadata.
  HeaderReader() : JsonReader("header", 2) {}

  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;

 private:
  bool in_metadata() const { return key_at(1) == kMetadata; }
  std::string tensor() const { return "tensor " + quoted(key_at(1)); }

  bool on_open(bool is_object) override {
    if (depth() == 1) return is_object || fail("header is a list, expected an object");
    if (depth() == 2) return open_entry(is_object);
    if (in_metadata()) return expect_string(is_object ? "an object" : "a list");
    const std::string& field = key_at(2);
    if (depth() > 3) {
      if (field != "shape" && field != "data_offsets") return true;
      return wrong(field, "a list of lists", "a list of whole numbers");
    }
    if (field == "dtype") return wrong(field, is_object ? "an object" : "a list", "a string");
    if (field != "shape" && field != "data_offsets") return true;
    if (is_object) return wrong(field, "an object", "a list of whole numbers");
    (field == "shape" ? has_shape_ : has_offsets_) = true;
    return true;
  }

  bool on_close() override { return depth() != 2 || in_metadata() || finish_entry(); }

  bool on_scalar(JsonScalar scalar) override {
    const std::string_view seen = describe(scalar.kind);
    if (depth() == 0) return fail("header is " + std::string(seen) + ", expected an object");
    if (depth() == 1)
      return fail((in_metadata() ? quoted(kMetadata) : tensor()) + " is " + std::string(seen) +
                  ", expected an object");
    if (in_metadata()) {
      if (scalar.kind != JsonScalar::Kind::string) return expect_string(seen);
      metadata.emplace(key_at(2), std::move(scalar.text));
      return true;
    }
    const std::string& field = key_at(2);
    const bool is_list = field == "shape" || field == "data_offsets";
    if (depth() == 2 && is_list) return wrong(field, seen, "a list of whole numbers");
    if (depth() == 2 && field == "dtype") {
      if (scalar.kind != JsonScalar::Kind::string) return wrong(field, seen, "a string");
      dtype_text_ = std::move(scalar.text);
      return true;
    }
    return depth() == 2 || !is_list || take_number(field, scalar, seen);
  }

  bool open_entry(bool is_object) {
    if (!is_object)
      return fail((in_metadata() ? quoted(kMetadata) : tensor()) +
                  " is a list, expected an object");
    if (in_metadata()) return true;
    if (key_at(1).size() > limits::kTensorNameBytes)
      return fail("a tensor's name has " + format_bytes(key_at(1).size()) + ", expected at most " +
                  format_bytes(limits::kTensorNameBytes));
    if (entries.size() >= limits::kTensors)
      return fail("holds more than " + format_count(limits::kTensors, "tensor"));
    has_shape_ = has_offsets_ = false;
    dtype_text_.reset();
    shape_.clear();
    offsets_.clear();
    return true;
  }

  bool take_number(const std::string& field, const JsonScalar& scalar, std::string_view seen) {
    if (depth() != 3 || scalar.kind != JsonScalar::Kind::whole || scalar.whole > INT64_MAX)
      return fail(quoted(field) + " of " + tensor() + " holds " +
                  (scalar.kind == JsonScalar::Kind::whole ? std::to_string(scalar.whole) : std::string(seen)) +
                  ", expected whole numbers below 2^63");
    if (field == "data_offsets") {
      offsets_.push_back(scalar.whole);
      return offsets_.size() <= 2 || wrong_offset_count();
    }
    shape_.push_back(static_cast<std::int64_t>(scalar.whole));
    return shape_.size() <= limits::kTensorRank ||
           fail(tensor() + " has more than " + std::to_string(limits::kTensorRank) + " axes");
  }

  bool finish_entry() {
    if (!dtype_text_) return wrong("dtype", "missing", "a string");
    if (!has_shape_) return wrong("shape", "missing", "a list of whole numbers");
    if (!has_offsets_) return wrong("data_offsets", "missing", "a list of two whole numbers");
    if (offsets_.size() != 2) return wrong_offset_count();
    const std::optional<DType> dtype = dtype_from_file_name(*dtype_text_);
    if (!dtype)
      return fail(
          DiagnosticKind::unsupported_dtype,
          tensor() + " has dtype " + quoted(*dtype_text_) + ", expected one of " + dtype_choices(),
          "convert the checkpoint to one of these first");
    const auto [begin, end] = std::pair(offsets_[0], offsets_[1]);
    if (begin > end)
      return fail(tensor() + " ends at byte " + std::to_string(end) + " of the data, before its " +
                  "begin at " + std::to_string(begin));
    const std::optional<std::uint64_t> count = element_count_of(shape_, *dtype);
    const auto what = [&] { return tensor() + " is " + *dtype_text_ + " " + format_shape(shape_); };
    if (!count) return fail(what() + ", whose size overflows 63 bits");
    const std::uint64_t bytes = *count * static_cast<std::uint64_t>(bytes_of(*dtype));
    if (end - begin != bytes)
      return fail(what() + ", which takes " + format_count(bytes, "byte") +
                  ", but its data_offsets span " + std::to_string(end - begin));
    entries.push_back({key_at(1), *dtype, shape_, begin, end});
    return true;
  }

  bool expect_string(std::string_view seen) {
    return fail(quoted(kMetadata) + " holds " + std::string(seen) + " under " + quoted(key_at(2)) +
                ", expected strings only");
  }
  bool wrong(const std::string& field, std::string_view seen, std::string_view expected) {
    return fail(quoted(field) + " of " + tensor() + " is " + std::string(seen) + ", expected " + std::string(expected));
  }
  bool wrong_offset_count() {
    return fail("`data_offsets` of " + tensor() + " holds " +
                (offsets_.size() > 2 ? "more than 2" : std::to_string(offsets_.size())) +
                " numbers, expected 2: begin and end");
  }

  bool has_shape_ = false;
  bool has_offsets_ = false;
  std::optional<std::string> dtype_text_;
  std::vector<std::int64_t> shape_;
  std::vector<std::uint64_t> offsets_;
};

// The tensors must fill the data exactly, in any order: no byte twice, none unaccounted for.
std::optional<JsonProblem> check_offsets(std::vector<HeaderEntry>& entries,
                                         std::uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  const auto problem = [](std::string message, std::string_view hint) {
    return JsonProblem{DiagnosticKind::bad_checkpoint, std::move(message), std::string(hint)};
  };
  std::uint64_t covered = 0;
  const HeaderEntry* before = nullptr;
  for (const HeaderEntry& entry : entries) {
    if (entry.end > data_bytes)
      return problem("tensor " + quoted(entry.name) + " ends at byte " + std::to_string(entry.end) +
                         " of the data, but the file holds only " + std::to_string(data_bytes),
                     kCutOff);
    const auto place = [&] {
      return "tensor " + quoted(entry.name) + " begins at byte " + std::to_string(entry.begin) + " of the data";
    };
    if (entry.begin < covered)
      return problem(place() + ", inside " + quoted(before->name) +
                         " which ends at " + std::to_string(covered),
                     kBadWriter);
    if (entry.begin > covered)
      return problem(place() + ", expected " +
                         std::to_string(covered) + ": a gap of " +
                         format_count(entry.begin - covered, "byte"),
                     kBadWriter);
    covered = entry.end;
    before = &entry;
  }
  if (covered != data_bytes)
    return problem("holds " + format_count(data_bytes, "byte") +
                       " of data, but its tensors end at " + std::to_string(covered),
                   kBadWriter);
  return std::nullopt;
}

Diagnostic refuse(const std::string& path, Span span, JsonProblem problem) {
  if (problem.hint.empty()) problem.hint = kDamaged;
  return error(problem.kind, span, quoted(path) + ": " + problem.message)
      .hint(std::move(problem.hint));
}

Result<SafetensorsHeader> parse_header(std::string text, std::uint64_t data_bytes,
                                       const std::string& path, Span span) {
  HeaderReader reader;
  if (!text.starts_with('{')) {  // the JSON library would skip a byte-order mark or spaces
    const std::string seen = text.empty() ? "is empty" : "starts with " + quoted(text.substr(0, 1));
    return refuse(path, span,
                  {DiagnosticKind::bad_checkpoint, "header " + seen + ", expected `{`", ""});
  }
  if (auto problem = reader.read(text)) return refuse(path, span, *std::move(problem));
  if (auto problem = check_offsets(reader.entries, data_bytes))
    return refuse(path, span, *std::move(problem));

  SafetensorsHeader header;
  const std::uint64_t data_start = kLengthBytes + text.size();
  header.text = std::move(text);
  header.metadata = std::move(reader.metadata);
  header.tensors.reserve(reader.entries.size());
  for (HeaderEntry& entry : reader.entries) {
    const std::uint64_t bytes = entry.end - entry.begin;
    header.tensors.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                              bytes / static_cast<std::uint64_t>(bytes_of(entry.dtype)), 0,
                              data_start + entry.begin, bytes});
  }
  return header;
}

}  // namespace

Result<SafetensorsHeader> read_safetensors_header(const Fd& fd, std::uint64_t file_bytes,
                                                  const std::string& path, Span span) {
  const auto refuse_here = [&](std::string message, std::string_view hint) {
    return refuse(path, span,
                  {DiagnosticKind::bad_checkpoint, std::move(message), std::string(hint)});
  };
  if (file_bytes < kLengthBytes)
    return refuse_here("has " + format_count(file_bytes, "byte") +
                           ", expected at least the 8 of the header's length",
                       kCutOff);
  std::string bytes(kLengthBytes, '\0');
  Transfer transfer = read_at(fd, bytes.data(), kLengthBytes, 0);
  if (transfer.error_number != 0) return io_error(span, "read", path, transfer.error_number);
  const std::uint64_t length = read_length(bytes);
  const std::string seen = "header's length is given as " + std::to_string(length);
  if (length > limits::kHeaderBytes)
    return refuse_here(seen + ", expected at most " + std::to_string(limits::kHeaderBytes),
                       "it is damaged, or in another format under this name");
  if (length > file_bytes - kLengthBytes)
    return refuse_here(
        seen + ", but only " + format_count(file_bytes - kLengthBytes, "byte") + " follow",
        kCutOff);
  std::string text(length, '\0');
  if (transfer.done == kLengthBytes) transfer = read_at(fd, text.data(), length, kLengthBytes);
  if (transfer.error_number != 0) return io_error(span, "read", path, transfer.error_number);
  if (transfer.done != length) return refuse_here("shrank while its header was read", kCutOff);
  return parse_header(std::move(text), file_bytes - kLengthBytes - length, path, span);
}

bool looks_like_safetensors(std::string_view first_bytes) {
  return first_bytes.size() > kLengthBytes && first_bytes[kLengthBytes] == '{' &&
         read_length(first_bytes) <= limits::kHeaderBytes;
}

std::optional<std::uint64_t> element_count_of(const std::vector<std::int64_t>& shape, DType dtype) {
  std::int64_t bytes = bytes_of(dtype);
  bool empty = false;
  for (const std::int64_t length : shape) {
    empty = empty || length == 0;
    if (length < 0 || (length > 0 && __builtin_mul_overflow(bytes, length, &bytes)))
      return std::nullopt;
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes / bytes_of(dtype));
}

namespace {

template <class Number>
void append_number(std::string& text, Number number) {
  std::array<char, 24> digits;
  text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

}  // namespace

std::string safetensors_header(const std::vector<HeaderEntry>& entries,
                               const std::map<std::string, std::string>& metadata, std::uint64_t least_bytes) {
  std::string text = "{";
  text.append(json_string(kMetadata)).append(":{");
  for (const auto& [key, value] : metadata) {
    if (!text.ends_with('{')) text += ',';
    text.append(json_string(key)).append(":").append(json_string(value));
  }
  text += '}';
  for (const HeaderEntry& entry : entries) {
    text.append(",").append(json_string(entry.name));
    text.append(":{\"dtype\":\"").append(file_name_of(entry.dtype)).append("\",\"shape\":[");
    for (const std::int64_t length : entry.shape) {
      if (!text.ends_with('[')) text += ',';
      append_number(text, length);
    }
    text.append("],\"data_offsets\":[");
    append_number(text, entry.begin);
    text += ',';
    append_number(text, entry.end);
    text.append("]}");
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() + kLengthBytes < least_bytes) text.resize(least_bytes - kLengthBytes, ' ');
  std::string bytes;
  for (std::uint64_t i = 0; i < kLengthBytes; ++i)
    bytes += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return bytes + text;
}

}  // namespace roux

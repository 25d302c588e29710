#include "runtime/checkpoint/config.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "runtime/checkpoint/json.h"

namespace roux {
namespace {

// Keys under which libraries describe how weights are quantized (transformers, compressed-tensors,
// MLX).
constexpr std::array<std::string_view, 3> kQuantizationKeys = {
    "quantization_config", "compression_config", "quantization"};

bool is_quantization_key(std::string_view key) {
  return std::find(kQuantizationKeys.begin(), kQuantizationKeys.end(), key) !=
         kQuantizationKeys.end();
}

class ConfigReader final : public JsonReader {
 public:
  // Python takes the last of two equal keys without a word, so configs with them exist.
  ConfigReader() : JsonReader("config", 0) {}

  std::optional<std::string> quantization_key;
  std::string quantization_method;
  std::optional<bool> ties_embeddings;

 private:
  bool on_open(bool is_object) override {
    if (depth() == 1) return is_object || fail("config is a list, expected an object");
    if (is_object && is_quantization_key(key_at(depth() - 1)))
      quantization_key = key_at(depth() - 1);
    return true;
  }
  bool on_scalar(JsonScalar scalar) override {
    if (depth() == 0)
      return fail("config is " + std::string(describe(scalar.kind)) + ", expected an object");
    if (scalar.kind == JsonScalar::Kind::boolean && key_at(depth()) == "tie_word_embeddings" &&
        (depth() == 1 || (depth() == 2 && key_at(1) == "text_config")))
      ties_embeddings = scalar.whole != 0;
    if (depth() > 1 && key_at(depth()) == "quant_method" &&
        is_quantization_key(key_at(depth() - 1)))
      quantization_method = std::move(scalar.text);
    return true;
  }
};

// The text with Python's non-finite numbers blanked out by ones that JSON knows, byte for byte.
std::string without_nonfinite(std::string_view text) {
  std::string masked(text);
  bool in_string = false;
  for (std::size_t i = 0; i < masked.size(); ++i) {
    if (in_string && masked[i] == '\\') {
      ++i;
    } else if (masked[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && (masked[i] == 'N' || masked[i] == 'I')) {
      for (const std::string_view word : {"NaN", "Infinity"}) {
        if (!std::string_view(masked).substr(i).starts_with(word)) continue;
        masked.replace(i, word.size(), word.size(), ' ');
        masked[i] = '1';
      }
    }
  }
  return masked;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Walks JSON that is known to be valid and rewrites the values of dtype keys on the way.
class DTypeEditor {
 public:
  DTypeEditor(std::string_view text, DType dtype)
      : text_(text), replacement_('"' + std::string(config_name_of(dtype)) + '"') {}

  std::string edit() {
    while (at_ < text_.size()) step();
    return out_ + std::string(text_.substr(copied_));
  }

 private:
  struct Level {
    bool is_object;
    bool quantization;  // in a description of quantization, whose dtypes mean something else
    std::string_view key;
  };

  void step() {
    const char c = text_[at_];
    if (c == '{' || c == '[') {
      const bool inherited = !levels_.empty() && levels_.back().quantization;
      const std::string_view key = levels_.empty() ? std::string_view() : levels_.back().key;
      levels_.push_back({c == '{', inherited || is_quantization_key(key), {}});
      expects_key_ = c == '{';
      ++at_;
    } else if (c == '}' || c == ']') {
      levels_.pop_back();
      ++at_;
    } else if (c == ',') {
      expects_key_ = levels_.back().is_object;
      ++at_;
    } else if (c == ':' || is_space(c)) {
      ++at_;
    } else {
      take_token();
    }
  }

  // A key, or a value that is no object or list.
  void take_token() {
    const std::size_t begin = at_;
    at_ = end_of_token(begin);
    const std::string_view token = text_.substr(begin, at_ - begin);
    if (levels_.empty()) return;  // a byte-order mark before the root
    Level& level = levels_.back();
    if (expects_key_) {
      level.key = token.size() < 2 ? token : token.substr(1, token.size() - 2);
      expects_key_ = false;
    } else if (level.is_object && !level.quantization && names_weights_dtype(level.key, token)) {
      out_ += text_.substr(copied_, begin - copied_);
      out_ += replacement_;
      copied_ = at_;
    }
  }

  std::size_t end_of_token(std::size_t begin) const {
    std::size_t end = begin + 1;
    if (text_[begin] == '"') {
      while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
      return std::min(end + 1, text_.size());
    }
    while (end < text_.size() && !is_space(text_[end]) &&
           std::string_view(",:{}[]\"").find(text_[end]) == std::string_view::npos)
      ++end;
    return end;
  }

  static bool names_weights_dtype(std::string_view key, std::string_view value) {
    if (key != "torch_dtype" && key != "dtype") return false;
    if (value == "null" || value == "\"auto\"") return true;
    if (value.size() < 2 || value.front() != '"') return false;
    value = value.substr(1, value.size() - 2);
    if (value.starts_with("torch.")) value.remove_prefix(6);
    const std::optional<DType> dtype = dtype_from_name(value);
    return dtype && is_floating(*dtype);
  }

  std::string_view text_;
  std::string replacement_;
  std::string out_;
  std::size_t at_ = 0;
  std::size_t copied_ = 0;
  bool expects_key_ = false;
  std::vector<Level> levels_;
};

}  // namespace

Result<ConfigFacts> read_config(std::string_view text, const std::string& path, Span span) {
  ConfigReader reader;
  if (auto problem = reader.read(without_nonfinite(text)))
    return error(DiagnosticKind::bad_config, span, quoted(path) + ": " + problem->message)
        .hint("mend the file, or remove it if nothing needs it");
  ConfigFacts facts;
  facts.ties_embeddings = reader.ties_embeddings;
  if (reader.quantization_key) {
    facts.quantized = quoted(path) + " has a " + quoted(*reader.quantization_key);
    if (!reader.quantization_method.empty())
      *facts.quantized += " (" + quoted(reader.quantization_method) + ")";
  }
  return facts;
}

std::string with_dtype(std::string_view text, DType dtype) {
  return DTypeEditor(text, dtype).edit();
}

std::optional<std::string> quantized_tensors(const std::vector<TensorInfo>& tensors) {
  const auto is_there = [&](std::string_view name) {
    const auto found = std::lower_bound(
        tensors.begin(), tensors.end(), name,
        [](const TensorInfo& tensor, std::string_view wanted) { return tensor.name < wanted; });
    return found != tensors.end() && found->name == name;
  };
  for (const TensorInfo& tensor : tensors) {
    const std::string_view name = tensor.name;
    for (const std::string_view suffix : {"_scale", "_scale_inv"}) {
      if (!name.ends_with(suffix)) continue;
      const std::string_view partner = name.substr(0, name.size() - suffix.size());
      if (is_there(partner))
        return "tensor " + quoted(partner) + " has a scale beside it, " + quoted(name);
    }
    const std::string_view last = name.substr(name.rfind('.') + 1);
    if (last == "qweight" || last == "SCB" || name.find(".quant_state.") != name.npos)
      return "tensor " + quoted(name) + " belongs to a quantized layer";
  }
  return std::nullopt;
}

}  // namespace roux

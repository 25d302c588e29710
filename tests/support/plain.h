// Checkpoints in plain C++: tensors as doubles, storage types spelled out with frexp, files read
// and written here. Nothing of Roux is used, so that Roux can be held against it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/files.h"

namespace roux::testing::plain {

enum class Type { f64, f32, f16, bf16, e4m3, e5m2, i64, i32, u8, boolean };

struct TypeFacts {
  Type type;
  const char* name;  // in files
  std::size_t bytes;
  int mantissa_bits;  // 0: whole numbers
  int lowest;         // exponent of the smallest normal number
  double largest;
};
inline constexpr TypeFacts kTypes[] = {
    {Type::f64, "F64", 8, 52, -1022, 1.7976931348623157e308},
    {Type::f32, "F32", 4, 23, -126, 3.4028234663852886e38},
    {Type::f16, "F16", 2, 10, -14, 65504},
    {Type::bf16, "BF16", 2, 7, -126, 3.3895313892515355e38},
    {Type::e4m3, "F8_E4M3", 1, 3, -6, 448},
    {Type::e5m2, "F8_E5M2", 1, 2, -14, 57344},
    {Type::i64, "I64", 8, 0, 0, 0},
    {Type::i32, "I32", 4, 0, 0, 0},
    {Type::u8, "U8", 1, 0, 0, 0},
    {Type::boolean, "BOOL", 1, 0, 0, 0},
};

inline const TypeFacts& facts_of(Type type) { return kTypes[static_cast<std::size_t>(type)]; }
inline bool is_floating(Type type) { return facts_of(type).mantissa_bits > 0; }

struct Tensor {
  Type type = Type::f32;
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};
using Model = std::map<std::string, Tensor>;  // std::string compares bytes: the canonical order

// x rounded once, to nearest even, to what the type holds. Past the largest: infinity, and NaN in
// E4M3, which has none.
inline double round_to(Type type, double x) {
  const TypeFacts& facts = facts_of(type);
  if (type == Type::f64 || !is_floating(type) || !std::isfinite(x) || x == 0) {
    if (type == Type::e4m3 && std::isinf(x)) return std::numeric_limits<double>::quiet_NaN();
    return x;
  }
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| is in [2^(exponent-1), 2^exponent)
  const int step = std::max(exponent - 1, facts.lowest) - facts.mantissa_bits;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -step)), step);
  if (std::fabs(rounded) <= facts.largest) return rounded;
  return type == Type::e4m3 ? std::numeric_limits<double>::quiet_NaN()
                            : std::copysign(std::numeric_limits<double>::infinity(), x);
}

inline float f32(double x) { return static_cast<float>(round_to(Type::f32, x)); }

// The bits of a value that the type holds. Every NaN is the positive quiet one.
inline std::uint64_t bits_of(Type type, double x) {
  const TypeFacts& facts = facts_of(type);
  if (!is_floating(type)) return static_cast<std::uint64_t>(static_cast<std::int64_t>(x));
  const int bits = static_cast<int>(facts.bytes) * 8, m = facts.mantissa_bits;
  const std::uint64_t sign = std::uint64_t{std::signbit(x)} << (bits - 1);
  const std::uint64_t all_ones = ((std::uint64_t{1} << (bits - 1 - m)) - 1) << m;
  if (std::isnan(x)) return type == Type::e4m3 ? 0x7F : all_ones | (std::uint64_t{1} << (m - 1));
  if (std::isinf(x)) return sign | all_ones;
  if (x == 0) return sign;
  int exponent = 0;
  std::frexp(x, &exponent);
  --exponent;
  const double magnitude = std::fabs(x);
  if (exponent < facts.lowest)
    return sign | static_cast<std::uint64_t>(std::ldexp(magnitude, m - facts.lowest));
  const auto fraction = static_cast<std::uint64_t>(std::ldexp(magnitude, m - exponent));
  // The leading one of the fraction makes up for an exponent field that is 1 too low.
  return sign | ((static_cast<std::uint64_t>(exponent - facts.lowest) << m) + fraction);
}

inline double value_of(Type type, std::uint64_t word) {
  const TypeFacts& facts = facts_of(type);
  const int bits = static_cast<int>(facts.bytes) * 8, m = facts.mantissa_bits;
  if (type == Type::i64) return static_cast<double>(static_cast<std::int64_t>(word));
  if (type == Type::i32) return static_cast<std::int32_t>(word);
  if (!is_floating(type)) return static_cast<double>(word);
  const bool negative = (word >> (bits - 1) & 1) != 0;
  const std::uint64_t fraction = word & ((std::uint64_t{1} << m) - 1);
  const int exponent_bits = bits - 1 - m;
  const int exponent = static_cast<int>(word >> m & ((std::uint64_t{1} << exponent_bits) - 1));
  const bool top = exponent == (1 << exponent_bits) - 1;
  double value = 0;
  if (type == Type::e4m3 ? top && fraction == 7 : top)
    value = type != Type::e4m3 && fraction == 0 ? std::numeric_limits<double>::infinity()
                                                : std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(static_cast<double>(fraction), facts.lowest - m);
  else
    value = std::ldexp(static_cast<double>(fraction + (std::uint64_t{1} << m)),
                       exponent - 1 + facts.lowest - m);
  return negative ? -value : value;
}

inline std::string bytes_of(const Tensor& tensor) {
  const std::size_t size = facts_of(tensor.type).bytes;
  std::string bytes(tensor.values.size() * size, '\0');
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    const std::uint64_t word = bits_of(tensor.type, round_to(tensor.type, tensor.values[i]));
    std::memcpy(bytes.data() + i * size, &word, size);
  }
  return bytes;
}

inline void write(const std::filesystem::path& path, const Model& model) {
  nlohmann::json header;
  std::string data;
  for (const auto& [name, tensor] : model) {
    const std::size_t begin = data.size();
    data += bytes_of(tensor);
    header[name] = {{"dtype", facts_of(tensor.type).name},
                    {"shape", tensor.shape},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  write_file(path, safetensors_bytes(text, data));
}

inline Model parse(const std::string& file) {
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, file.data(), sizeof header_size);
  const auto header = nlohmann::json::parse(file.substr(8, header_size));
  Model model;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    Tensor tensor;
    const auto facts =
        std::find_if(std::begin(kTypes), std::end(kTypes),
                     [&](const TypeFacts& row) { return entry["dtype"] == row.name; });
    if (facts == std::end(kTypes)) throw std::runtime_error("an unexpected dtype in a test's file");
    tensor.type = facts->type;
    tensor.shape = entry["shape"].get<std::vector<std::int64_t>>();
    const std::uint64_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
    for (std::uint64_t at = begin; at < end; at += facts->bytes) {
      std::uint64_t word = 0;
      std::memcpy(&word, file.data() + 8 + header_size + at, facts->bytes);
      tensor.values.push_back(value_of(tensor.type, word));
    }
    model[name] = std::move(tensor);
  }
  return model;
}

inline Model read(const std::filesystem::path& path) { return parse(read_file(path)); }

// --- whole models
// -----------------------------------------------------------------------------------

// The floating tensors, one after the other.
inline std::vector<double> flat(const Model& model) {
  std::vector<double> all;
  for (const auto& [name, tensor] : model)
    if (is_floating(tensor.type)) all.insert(all.end(), tensor.values.begin(), tensor.values.end());
  return all;
}

// `like` with these values, each rounded to the type of its tensor.
inline Model unflat(const Model& like, const std::vector<double>& values) {
  Model model = like;
  std::size_t at = 0;
  for (auto& [name, tensor] : model)
    if (is_floating(tensor.type))
      for (double& value : tensor.values) value = round_to(tensor.type, values.at(at++));
  return model;
}

// How far apart two values of a type are, counted in the values that the type holds between them.
inline std::int64_t steps_between(Type type, double a, double b) {
  const auto place = [&](double x) {
    const std::uint64_t sign = std::uint64_t{1} << (facts_of(type).bytes * 8 - 1);
    const std::uint64_t word = bits_of(type, x);
    return word & sign ? -static_cast<std::int64_t>(word - sign) : static_cast<std::int64_t>(word);
  };
  return std::llabs(place(a) - place(b));
}

// The first difference between the floating tensors of two models, as text; empty if there is none
// that is more than `steps` values of the stored type. Without steps even the sign of zero counts.
inline std::string difference(const Model& expected, const Model& got, std::int64_t steps = 0) {
  for (const auto& [name, tensor] : expected) {
    if (!is_floating(tensor.type)) continue;
    const auto other = got.find(name);
    if (other == got.end()) return name + " is missing";
    if (other->second.type != tensor.type) return name + " has another dtype";
    if (other->second.shape != tensor.shape) return name + " has another shape";
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      const double a = tensor.values[i], b = other->second.values[i];
      const bool same = steps > 0 ? steps_between(tensor.type, a, b) <= steps
                                  : bits_of(tensor.type, a) == bits_of(tensor.type, b);
      if (same) continue;
      std::array<char, 160> text;
      std::snprintf(text.data(), text.size(), "[%zu]: expected %.17g (%a), got %.17g (%a)", i, a, a,
                    b, b);
      return name + text.data();
    }
  }
  return "";
}

}  // namespace roux::testing::plain

#include "tests/conformance/family.h"

#include <cmath>
#include <limits>

namespace roux::testing {
namespace {

using plain::Model;
using plain::Tensor;
using plain::Type;

// SplitMix64, and Box and Muller's transform of it.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ull + 1) {}

  std::uint64_t word() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(word() >> 11) * 0x1p-53; }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::uint64_t state_;
};

struct Layout {
  const char* name;
  std::vector<std::int64_t> shape;
  bool coarse;  // values on a grid: many changes have the same magnitude
};

const std::vector<Layout>& layout() {
  static const std::vector<Layout> kLayout = {
      {"embed.weight", {3, 1367}, false},
      {"head.weight", {70001}, false},
      {"layers.0.attn.weight", {3}, false},
      {"layers.0.mlp.weight", {17, 241}, false},
      {"layers.1.attn.weight", {4095}, true},
      {"layers.1.conv.weight", {4, 3, 5, 17}, false},
      {"layers.2.bias", {17}, true},
      {"layers.2.mlp.weight", {64, 64}, true},
      {"layers.2.none", {0, 4}, false},
      {"one", {1}, false},
      {"scale", {}, false},
      {"tall.weight", {4999, 3}, false},
  };
  return kLayout;
}

std::size_t count_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  return count;
}

Tensor whole_numbers(Type type, std::vector<std::int64_t> shape, std::vector<double> values) {
  return {type, std::move(shape), std::move(values)};
}

// Each storage type twice, once in a block, in sizes beside a vector's and a block's.
Model mixed(std::uint64_t seed, int rotate) {
  constexpr Type kFloating[] = {Type::f64,  Type::f32,  Type::f16,
                                Type::bf16, Type::e4m3, Type::e5m2};
  Numbers random(seed);
  Model model;
  for (int i = 0; i < 6; ++i) {
    const Type type = kFloating[(i + rotate) % 6];
    Tensor wide{type, {4099}, {}}, small{type, {3, 5}, {}};
    for (int k = 0; k < 4099; ++k)  // over the range of the narrow types, into their denormals
      wide.values.push_back(plain::round_to(type, random.normal() * std::ldexp(1, k % 24 - 18)));
    for (int k = 0; k < 15; ++k) small.values.push_back(plain::round_to(type, random.normal()));
    const std::string number = std::to_string(i);
    model["layers." + number + ".weight"] = std::move(wide);
    model["small" + number] = std::move(small);
  }
  return model;
}

Model wide(std::uint64_t seed) {
  Numbers random(seed);
  Model model;
  const std::pair<const char*, std::vector<std::int64_t>> shapes[] = {
      {"layers.0.weight", {65, 127}},
      {"layers.1.weight", {4097}},
      {"none", {0}},
      {"scale", {}},
      {"three", {3}}};
  for (const auto& [name, shape] : shapes) {
    Tensor tensor{Type::f64, shape, {}};
    for (std::size_t k = 0; k < count_of(shape); ++k) tensor.values.push_back(random.normal());
    model[name] = std::move(tensor);
  }
  return model;
}

Model special(std::uint64_t seed) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double kAwkward[] = {0.0,
                             -0.0,
                             kInfinity,
                             -kInfinity,
                             std::nan(""),
                             1e-45,
                             -1e-45,
                             1.1754943508222875e-38,
                             3.4028234663852886e38,
                             -3.4028234663852886e38,
                             0.5,
                             -0.5,
                             1.5,
                             2.5,
                             65520,
                             464,
                             1,
                             -1};
  Numbers random(seed);
  Model model;
  const std::pair<const char*, std::vector<std::int64_t>> shapes[] = {
      {"layers.0.weight", {4097}}, {"layers.1.weight", {5, 7}}, {"none", {0}}, {"scale", {}}};
  for (const auto& [name, shape] : shapes) {
    Tensor tensor{Type::f32, shape, {}};
    for (std::size_t k = 0; k < count_of(shape); ++k)
      tensor.values.push_back(random.word() % 2 ? kAwkward[random.word() % std::size(kAwkward)]
                                                : plain::f32(random.normal() * 100));
    model[name] = std::move(tensor);
  }
  return model;
}

}  // namespace

Model family_base() {
  Numbers random(1);
  Model model;
  for (const Layout& row : layout()) {
    Tensor tensor{Type::f32, row.shape, {}};
    for (std::size_t k = 0; k < count_of(row.shape); ++k) {
      const double drawn = random.normal() * 0.05;
      tensor.values.push_back(plain::f32(row.coarse ? std::nearbyint(drawn * 256) / 256 : drawn));
    }
    model[row.name] = std::move(tensor);
  }
  model["layers.0.counts"] = whole_numbers(Type::i64, {3}, {1, -2, 1LL << 40});
  model["layers.1.num_batches_tracked"] = whole_numbers(Type::i64, {}, {100});
  model["mask"] = whole_numbers(Type::boolean, {2, 2}, {1, 0, 0, 1});
  model["bytes"] = whole_numbers(Type::u8, {5}, {0, 255, 1, 2, 3});
  return model;
}

Model family_member(int index) {
  Numbers random(100 + static_cast<std::uint64_t>(index));
  Model model = family_base();
  for (const Layout& row : layout()) {
    std::vector<double>& values = model[row.name].values;
    for (std::size_t k = 0; k < values.size(); ++k) {
      const double drawn = random.normal() * 0.01;
      values[k] = plain::f32(values[k] + (row.coarse ? std::nearbyint(drawn * 256) / 512 : drawn));
      if (k % 97 == 13) values[k] = index % 2 == 0 ? 0.0 : -0.0;
      if (k % 101 == 17) values[k] = plain::f32(1e-41 * (index + 1));
    }
  }
  model["layers.1.num_batches_tracked"].values = {100.0 + 7 * ((index * 3) % 5)};
  return model;
}

Model family_stranger() {
  Numbers random(1000);
  Model model = family_base();
  for (const Layout& row : layout())
    for (double& value : model[row.name].values) value = plain::f32(random.normal() * 0.05);
  return model;
}

void write_family(const std::filesystem::path& folder) {
  const auto put = [&](const std::string& name, const Model& model) {
    plain::write(folder / (name + ".safetensors"), model);
  };
  put("base", family_base());
  for (int i = 0; i < kFineTunes; ++i)
    put(std::string(1, static_cast<char>('a' + i)), family_member(i));
  put("far", family_stranger());
  put("mixed_a", mixed(2000, 0));
  put("mixed_b", mixed(2001, 0));
  put("mixed_other", mixed(2002, 1));
  put("wide_a", wide(3000));
  put("wide_b", wide(3001));
  put("special_a", special(4000));
  put("special_b", special(4001));
  put("special_c", special(4002));
}

}  // namespace roux::testing

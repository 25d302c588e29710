#include "tests/fuzz/random_recipe.h"

#include <algorithm>
#include <array>
#include <map>

#include "tests/support/files.h"
#include "tests/support/hostile_files.h"
#include "tests/support/kernels.h"

namespace roux::testing::fuzz {
namespace {

// --- models --------------------------------------------------------------------------------------

struct Layout {
  std::string_view name, shape;
  std::uint64_t count;
};
// Beside the sizes of vectors and blocks; matrices, a row, a scalar, nothing.
constexpr Layout kLayout[] = {{"head.weight", "[3,1367]", 4101},  {"layers.0.conv.weight", "[2,3,1,5]", 30},
                              {"layers.0.weight", "[5,7]", 35},   {"layers.1.bias", "[17]", 17},
                              {"layers.1.weight", "[33,2]", 66},  {"none", "[0,4]", 0},
                              {"scale", "[]", 1}};

// Around zero, with many equal magnitudes and zeros of both signs.
Bytes tame_data(Random& random, DType dtype, std::uint64_t count) {
  const auto size = static_cast<std::uint64_t>(bytes_of(dtype));
  Bytes data(count * size);
  ScalarLanes<double> lanes;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double sign = below(random, 2) ? 1 : -1;
    storage::store(lanes, dtype, sign * static_cast<double>(below(random, 64)) / 32, &data[i * size]);
  }
  return data;
}

void write_model(const std::filesystem::path& path, Random& random, const std::array<DType, 7>& dtypes, bool wild) {
  std::string header = "{" + entry("counts", "I64", "[2]", 0, 16);
  std::string data(16, '\1');
  for (std::size_t i = 0; i < std::size(kLayout); ++i) {
    const Layout& row = kLayout[i];
    const Bytes bytes = (wild ? random_data : tame_data)(random, dtypes[i], row.count);
    header += "," + entry(row.name, file_name_of(dtypes[i]), row.shape, data.size(), data.size() + bytes.size());
    data.append(bytes.begin(), bytes.end());
  }
  write_file(path, safetensors_bytes(header + "}", data));
}

// --- recipes -------------------------------------------------------------------------------------

// In templates of expressions a letter in braces stands for something of its kind, `v` for any of the first three.
enum class Kind : char { model = 'm', delta = 'd', tensors = 't', mask = 'k', number = 'n' };

struct Row {
  Kind result;
  std::string_view text;
};
constexpr Row kRows[] = {
    {Kind::model, "{m} + {d}"},
    {Kind::model, "lerp({m}, {m}, {f})"},
    {Kind::model, "lerp({m}, {m}, {n})"},
    {Kind::model, "slerp({m}, {m}, t = {f}, over = {S})"},
    {Kind::model, "mean([{m}, {m}, {m}])"},
    {Kind::model, "mean([{m}, {m}], weights = [{w}, 1])"},
    {Kind::model, "{f} * {m} + 0.25 * {m} + 0.75 * {m} - {f} * {m} as model"},
    {Kind::model, "where({k}, {m}, {m})"},
    {Kind::model, "task_arithmetic([{m}, {m}], base, weights = {x}, scale = {f})"},
    {Kind::model, "ties([{m}, {m}, {m}], base, k = {f})"},
    {Kind::model, "ties([{m}, {m}], base, k = {f}, over = tensor, elect = count)"},
    {Kind::model, "dare([{m}, {m}], base, p = {f}, seed = {w})"},
    {Kind::model, "match name { \"*.weight\" => {m}, _ => {m} }"},
    {Kind::model, "match name { \"layers.*\" => ties([{m}, {m}], base, k = {f}), _ => {m} }"},
    {Kind::model, "if {n} < {n} then {m} else {m}"},
    {Kind::delta, "{m} - {m}"},
    {Kind::delta, "{d} + {d}"},
    {Kind::delta, "{d} - {x} * {d}"},
    {Kind::delta, "{n} * {d}"},
    {Kind::delta, "{d} / {n}"},
    {Kind::delta, "{d} * {t}"},
    {Kind::delta, "where({k}, {d}, 0)"},
    {Kind::delta, "trim({d}, {f}, over = {S})"},
    {Kind::delta, "drop({d}, {f}, seed = {w}, stream = {w}, rescale = {r})"},
    {Kind::tensors, "abs({v})"},
    {Kind::tensors, "sign({v})"},
    {Kind::tensors, "sqrt({v})"},
    {Kind::tensors, "exp({v})"},
    {Kind::tensors, "log({v})"},
    {Kind::tensors, "sin({v})"},
    {Kind::tensors, "cos({v})"},
    {Kind::tensors, "acos({v})"},
    {Kind::tensors, "tanh({v})"},
    {Kind::tensors, "floor({v})"},
    {Kind::tensors, "round({v})"},
    {Kind::tensors, "-abs(-({v} as tensors))"},
    {Kind::tensors, "min({v}, {v})"},
    {Kind::tensors, "max({v}, {v})"},
    {Kind::tensors, "clamp({t}, {x}, {n})"},
    {Kind::tensors, "{t} * {t}"},
    {Kind::tensors, "{t} / {t}"},
    {Kind::tensors, "{t} ^ {w}"},
    {Kind::tensors, "abs({t}) ^ {n}"},
    {Kind::tensors, "{n} * {t} + {n}"},
    {Kind::tensors, "({n} - {t}) / {n}"},
    {Kind::tensors, "where({k}, {t}, {t})"},
    {Kind::tensors, "where({k}, {t}, {n})"},
    {Kind::tensors, "ordinal({v}, over = {s})"},
    {Kind::tensors, "uniform({w}, {w}) * {t}"},
    {Kind::tensors, "normal({w}, {w}, mean = {x}, std = {f}) + {t}"},
    {Kind::tensors, "sum([{t}, {t}, {t}])"},
    {Kind::tensors, "where({k}, 1, 0) + 0 * {t}"},
    {Kind::mask, "{v} < {v}"},
    {Kind::mask, "{v} <= {n}"},
    {Kind::mask, "{v} == {v}"},
    {Kind::mask, "{v} != {x}"},
    {Kind::mask, "isfinite({v})"},
    {Kind::mask, "{k} and {k}"},
    {Kind::mask, "{k} or not {k}"},
    {Kind::mask, "not {k}"},
    {Kind::mask, "{k} and bernoulli({f}, {w}, {w})"},
    {Kind::mask, "top({v}, floor({f} * size({v}, over = row)), over = row)"},
    {Kind::mask, "top(abs({v}), floor({f} * numel), over = tensor)"},
    {Kind::mask, "top({v}, {w}, over = model)"},
    {Kind::number, "{x}"},
    {Kind::number, "depth"},
    {Kind::number, "layer"},
    {Kind::number, "ndim"},
    {Kind::number, "curve([{x}, {f}, 1])"},
    {Kind::number, "norm({v}, over = {s})"},
    {Kind::number, "sum({v}, over = {s})"},
    {Kind::number, "min({v}, over = {s})"},
    {Kind::number, "max({v}, over = {s})"},
    {Kind::number, "dot({v}, {v}, over = {s})"},
    {Kind::number, "cosine({v}, {v}, over = {s})"},
    {Kind::number, "count({k}, over = {s})"},
    {Kind::number, "size({v}, over = {s})"},
    {Kind::number, "median({v}, over = {s})"},
    {Kind::number, "quantile({v}, {f}, over = model)"},
    {Kind::number, "largest({v}, {w} + 1, over = model)"},
    {Kind::number, "{n} + {n}"},
    {Kind::number, "{n} - {n}"},
    {Kind::number, "{n} * {n}"},
    {Kind::number, "{n} / max(abs({n}), {f})"},
    {Kind::number, "sqrt({n})"},
    {Kind::number, "exp({n})"},
    {Kind::number, "min({n}, {n})"},
    {Kind::number, "where({n} < {n}, {n}, {n})"},
    {Kind::number, "if {n} <= {n} then {n} else {n}"},
};

constexpr std::string_view kNumbers[] = {"0.5", "0", "1", "-1", "-0", "2", "0.1", "1/3", "1e-40", "1e39", "3.5e38",
                                         "65504", "65520", "464", "1e300", "5e-324", "inf", "-inf", "-0.1"};
constexpr std::string_view kFractions[] = {"0.5", "0", "1", "0.2", "1/3", "0.999", "1e-9"};
constexpr std::string_view kWhole[] = {"1", "0", "2", "3", "5", "64"};
constexpr std::string_view kScopes[] = {"tensor", "model", "row", "column"};
constexpr std::string_view kRescales[] = {"inverse", "l1", "no"};
constexpr std::string_view kDtypes[] = {"f64", "same", "widest", "f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"};

class RecipeMaker {
 public:
  explicit RecipeMaker(Choices& choices) : choices_(choices) {
    names_ = {{'m', {"base", "a", "b", "c"}},
              {'d', {"(a - base)"}},
              {'t', {"(b as tensors)"}},
              {'k', {"(abs(a) < abs(c))"}},
              {'n', {"0.3", "depth"}}};
  }

  RandomRecipe make() {
    RandomRecipe recipe;
    for (std::size_t i = 0, count = 1 + choices_.below(10); i < count; ++i) bind(recipe, kRows[choices_.below(std::size(kRows))]);
    const std::string value(name("mmmdt"[choices_.below(5)]));
    recipe.bindings.push_back("y = " + value);
    recipe.saved = "y";
    recipe.options = ", dtype = " + std::string(kDtypes[choices_.below(std::size(kDtypes))]);
    if (choices_.below(6) == 5) recipe.options += ", precision = f64";
    return recipe;
  }

 private:
  void bind(RandomRecipe& recipe, const Row& row) {
    const std::string bound = "x" + std::to_string(recipe.bindings.size());
    recipe.bindings.push_back(bound + " = " + filled(row.text));
    names_[static_cast<char>(row.result)].push_back(bound);
  }

  std::string filled(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const bool is_place = text.size() > 2 && text[0] == '{' && text[2] == '}';
      if (is_place)
        out += stands_for(text[1]);
      else
        out += text[0];
      text.remove_prefix(is_place ? 3 : 1);
    }
    return out;
  }

  std::string_view stands_for(char letter) {
    switch (letter) {
      case 'x': return any_of(kNumbers);
      case 'f': return any_of(kFractions);
      case 'w': return any_of(kWhole);
      case 's': return any_of(kScopes);
      case 'S': return kScopes[choices_.below(2)];
      case 'r': return any_of(kRescales);
      case 'v': return name("mdt"[choices_.below(3)]);
      default: return name(letter);
    }
  }

  template <std::size_t N>
  std::string_view any_of(const std::string_view (&words)[N]) { return words[choices_.below(N)]; }

  // Late names more often: recipes are to be deep.
  std::string_view name(char kind) {
    const std::vector<std::string>& names = names_.at(kind);
    const std::size_t back = choices_.below(choices_.below(2) == 0 ? std::min<std::size_t>(2, names.size()) : names.size());
    return names[names.size() - 1 - back];
  }

  Choices& choices_;
  std::map<char, std::vector<std::string>> names_;
};

}  // namespace

std::string RandomRecipe::text(const std::filesystem::path& output) const {
  std::string text;
  for (const auto* part : {&loads, &bindings})
    for (const std::string& line : *part) text += line + "\n";
  return text + "save(" + saved + ", \"" + output.string() + "\"" + options + ")\n";
}

void write_models(const std::filesystem::path& folder, Choices& choices) {
  const bool wild = choices.below(3) == 2, alike = choices.below(2) == 0;
  std::array<DType, 7> dtypes{};
  const auto draw = [&] {
    for (DType& dtype : dtypes) dtype = kFloats[choices.below(std::size(kFloats))];
  };
  draw();
  Random random(choices.below(256));
  for (const char* name : {"base", "a", "b", "c"}) {
    write_model(folder / (std::string(name) + ".safetensors"), random, dtypes, wild);
    if (!alike) draw();
  }
}

RandomRecipe random_recipe(const std::filesystem::path& folder, Choices& choices) {
  RandomRecipe recipe = RecipeMaker(choices).make();
  for (const std::string name : {"base", "a", "b", "c"})
    recipe.loads.push_back(name + " = load(\"" + (folder / (name + ".safetensors")).string() + "\"" +
                           (name == "base" ? ")" : ", base = base)"));
  return recipe;
}

}  // namespace roux::testing::fuzz

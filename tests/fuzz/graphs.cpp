// Random graphs: a recipe means the same before `passes`, after them and as machine code, to the bit. Where it does not,
// the recipe is made shorter for as long as that stays so, and kept with its models.
#include <algorithm>
#include <array>
#include <cstring>

#include "tests/fuzz/random_recipe.h"
#include "tests/fuzz/targets.h"
#include "tests/support/kernels.h"
#include "tests/support/recipes.h"

namespace roux::testing::fuzz {
namespace {

namespace fs = std::filesystem;

struct Way {
  const char* name;
  Options options;
};
const Way kWays[] = {
    {"by definition, before passes", {.threads = 1, .backend = "reference", .sync = false, .optimize = false}},
    {"by definition, after passes", {.threads = 1, .backend = "reference", .sync = false}},
    {"as machine code", {.threads = 2, .sync = false}},
    {"as machine code, before passes, in tiles",
     {.threads = 3, .sync = false, .vector_width = 4, .optimize = false, .tile_elements = 4096}},
};

// The file that is saved, but for its metadata: passes may leave out an input, whose digest is then one of its header.
struct Outcome {
  std::string error, header, data;
  std::vector<std::string> notes;
  bool operator==(const Outcome&) const = default;
};

// Engines keep their kernels, so they are made anew from time to time.
Engine& engine_of(std::size_t way) {
  static std::array<std::pair<std::optional<Engine>, int>, std::size(kWays)> engines;
  auto& [engine, runs] = engines[way];
  if (runs++ % 200 == 0) engine = std::move(*Engine::create(kWays[way].options));
  return *engine;
}

Outcome run_in(std::size_t way, const std::string& text, const fs::path& output) {
  fs::remove(output);
  const RecipeRun run = run_recipe(engine_of(way), "random.merge", text, {});
  if (!run.error.empty()) return {run.error, "", "", run.notes};
  const std::string file = read_file(output);
  std::uint64_t size = 0;
  std::memcpy(&size, file.data(), sizeof size);
  auto header = nlohmann::json::parse(file.substr(8, size));
  header.erase("__metadata__");
  return {"", header.dump(), file.substr(8 + size), run.notes};
}

std::string first_difference(const Outcome& expected, const Outcome& got) {
  if (got.header != expected.header) return got.header + "\nand not " + expected.header;
  return plain::difference(plain::parse(safetensors_bytes(expected.header, expected.data)),
                           plain::parse(safetensors_bytes(got.header, got.data)));
}

// How the outcomes differ; empty if they do not.
std::string difference(const RandomRecipe& recipe, const fs::path& folder, std::size_t ways) {
  const fs::path output = folder / "out.safetensors";
  const std::string text = recipe.text(output);
  const Outcome expected = run_in(0, text, output);
  if (expected.error.find("error[E09") != std::string::npos) return "a bug:\n" + expected.error;
  for (std::size_t way = 1; way < ways; ++way) {
    const Outcome got = run_in(way, text, output);
    if (got == expected) continue;
    std::string said = std::string(kWays[way].name) + ": ";
    if (got.error != expected.error) return said + "\n" + got.error + "\nby definition:\n" + expected.error;
    return said + (got.notes != expected.notes ? "other notes" : first_difference(expected, got));
  }
  return "";
}

// The first of its values that differs, without what that does not need.
RandomRecipe shortened(RandomRecipe recipe, const fs::path& folder) {
  const auto differs = [&](const RandomRecipe& other) { return !difference(other, folder, std::size(kWays)).empty(); };
  for (std::size_t count = 1; count < recipe.bindings.size(); ++count) {
    RandomRecipe part = recipe;
    part.bindings.resize(count);
    part.saved = "x" + std::to_string(count - 1);
    if (differs(part)) {
      recipe = part;
      break;
    }
  }
  for (std::size_t i = recipe.bindings.size(); i-- > 0;) {
    RandomRecipe part = recipe;
    part.bindings.erase(part.bindings.begin() + static_cast<std::ptrdiff_t>(i));
    if (differs(part)) recipe = part;
  }
  return recipe;
}

// The folder stays.
[[noreturn]] void tell(const RandomRecipe& recipe, const fs::path& models) {
  const fs::path folder = fs::temp_directory_path() / "roux-fuzz";
  fs::remove_all(folder);
  fs::copy(models, folder);
  RandomRecipe kept = shortened(recipe, models);
  const std::string what = difference(kept, models, std::size(kWays));
  for (std::string& line : kept.loads) line.replace(line.find(models.string()), models.string().size(), folder.string());
  const std::string text = kept.text(folder / "out.safetensors");
  write_file(folder / "random.merge", text);
  throw Broken(what + "\nThis recipe shows it, as " + (folder / "random.merge").string() + ":\n" + text);
}

}  // namespace

// Choices: of dtypes and values, then of expressions.
void run_graph(std::string_view bytes) {
  const TemporaryFolder folder(quick_folder());
  Choices choices(bytes);
  write_models(folder.path(), choices);
  const RandomRecipe recipe = random_recipe(folder.path(), choices);
  // The last way costs as much as the rest.
  const std::size_t ways = choices.below(4) == 3 ? std::size(kWays) : std::size(kWays) - 1;
  if (!difference(recipe, folder.path(), ways).empty()) tell(recipe, folder.path());
}

std::vector<std::string> graph_seeds() {
  Random random(5);
  std::vector<std::string> seeds;
  for (int i = 0; i < 20; ++i) {
    std::string& bytes = seeds.emplace_back(40 + below(random, 160), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
  }
  return seeds;
}

}  // namespace roux::testing::fuzz

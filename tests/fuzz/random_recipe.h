// Random recipes of typed expressions over a few small models: bytes in, choices out. Nearly all of them run.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace roux::testing::fuzz {

// Choices that bytes make; at their end the first of each.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}
  std::size_t below(std::size_t n) {  // n up to 256
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte % n;
  }

 private:
  std::string_view bytes_;
};

struct RandomRecipe {
  std::vector<std::string> loads;     // statements
  std::vector<std::string> bindings;  // `x3 = abs(x1)`
  std::string saved;                  // a name
  std::string options;                // of `save`

  std::string text(const std::filesystem::path& output) const;
};

// Small models of all dtypes in files `base`, `a`, `b` and `c`, and the recipe over them.
void write_models(const std::filesystem::path& folder, Choices& choices);
RandomRecipe random_recipe(const std::filesystem::path& folder, Choices& choices);

}  // namespace roux::testing::fuzz

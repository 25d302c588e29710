// What libFuzzer begins with: the valid inputs of every target in files FOLDER/TARGET/N, its words in FOLDER/TARGET.words.
#include <cstdio>

#include "tests/fuzz/targets.h"
#include "tests/support/files.h"

namespace {

// As libFuzzer reads a dictionary: bytes outside of ASCII in hexadecimal.
std::string quoted_word(std::string_view word) {
  std::string out = "\"";
  for (const char c : word) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += hex;
  }
  return out + "\"\n";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return std::fputs("usage: write_seeds FOLDER\n", stderr), 2;
  const std::filesystem::path folder = arguments[1];
  for (const auto& target : roux::testing::fuzz::targets()) {
    std::filesystem::create_directories(folder / target.name);
    int number = 0;
    for (const std::string& seed : target.seeds())
      roux::testing::write_file(folder / target.name / std::to_string(number++), seed);
    std::string words;
    for (const std::string_view word : target.words) words += quoted_word(word);
    roux::testing::write_file(folder / (std::string(target.name) + ".words"), words);
  }
  return 0;
}

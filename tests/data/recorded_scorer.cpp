// recorded_scorer CANDIDATE FAMILY SCORES: prints the recorded accuracy of a merge of fine-tunes.
//
// SCORES (resnet20_scores.json) says how well the mean of each set of FAMILY/ft-N.safetensors does.
// The candidate has to be one of those means bit for bit, in every floating tensor; otherwise this
// fails. So a search that ends with this scorer has scored exactly the models that it says.
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/plain_methods.h"

namespace {

namespace fs = std::filesystem;
using roux::testing::read_file;
namespace plain = roux::testing::plain;

std::vector<std::string> members_of(const std::string& set) {
  std::vector<std::string> members(1);
  for (const char letter : set) {
    if (letter == ',') {
      members.emplace_back();
    } else {
      members.back() += letter;
    }
  }
  return members;
}

// Which of the recorded sets it is the mean of.
std::string set_of(const plain::Model& candidate, const fs::path& family,
                   const nlohmann::json& accuracy) {
  std::map<std::string, plain::Model> models;
  for (int i = 0; i < 10; ++i) {
    const std::string number = std::to_string(i);
    models[number] = plain::read(family / ("ft-" + number + ".safetensors"));
  }
  const plain::Values values = plain::flat(candidate);
  for (const auto& [set, score] : accuracy.items()) {
    std::vector<plain::Model> members;
    for (const std::string& number : members_of(set)) members.push_back(models.at(number));
    // One tensor tells most sets apart; the whole is compared only where that agrees.
    std::vector<plain::Model> heads;
    for (const plain::Model& member : members) heads.push_back({*member.begin()});
    const std::vector<double> shares(members.size(), 1.0 / static_cast<double>(members.size()));
    if (plain::flat({*candidate.begin()}) != plain::flat(plain::linear(heads, shares))) continue;
    if (plain::difference(plain::linear(members, shares), candidate).empty()) return set;
  }
  throw std::runtime_error("the candidate is the mean of none of the recorded sets");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count != 4) throw std::runtime_error("usage: recorded_scorer CANDIDATE FAMILY SCORES");
    const auto accuracy = nlohmann::json::parse(read_file(arguments[3]))["accuracy"];
    const std::string set = set_of(plain::read(arguments[1]), arguments[2], accuracy);
    const nlohmann::json line = {{"accuracy", accuracy[set]}, {"set", set}};
    std::puts(line.dump().c_str());
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "recorded_scorer: %s\n", failure.what());
    return 1;
  }
}

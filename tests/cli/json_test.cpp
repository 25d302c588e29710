// What `--json` prints, for every command: one document, whose schema is in docs/diagnostics.md. And `roux explain`.
#include <nlohmann/json.hpp>

#include "api/roux.h"
#include "tests/cli/cli.h"

namespace roux::testing {
namespace {

class JsonCli : public Cli {
 protected:
  // The document, which has to be all that is on standard output.
  nlohmann::ordered_json document(std::vector<std::string> arguments, int exit_code = 0, ProcessOptions options = {}) {
    arguments.emplace_back("--json");
    const ProcessResult result = roux(arguments, options);
    EXPECT_EQ(result.exit_code, exit_code) << result.out << result.err;
    EXPECT_EQ(result.err, "");
    return nlohmann::ordered_json::parse(result.out);
  }

  static std::vector<std::string> fields(const nlohmann::ordered_json& object) {
    std::vector<std::string> names;
    for (const auto& [name, value] : object.items()) names.push_back(name);
    return names;
  }
};

TEST_F(JsonCli, run_reports_outputs_prints_and_notes) {
  write_file(folder_ / "talk.merge", "mean_ = 1\nprint(\"hello\")\nlog = 2\n" + std::string(kMeanRecipe));
  const auto json = document({"run", "talk.merge", "--quiet"});
  EXPECT_EQ(fields(json), (std::vector<std::string>{"command", "ok", "recipe", "printed", "outputs", "bytes_read",
                                                    "bytes_written", "kernels_compiled", "plans_run",
                                                    "models_scored", "seconds", "diagnostics"}));
  EXPECT_EQ(json["command"], "run");
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["printed"], nlohmann::ordered_json::array({"hello"}));
  EXPECT_EQ(json["outputs"].size(), 1u);
  EXPECT_EQ(json["outputs"][0]["path"], "out.safetensors");
  EXPECT_EQ(json["outputs"][0]["tensors"], 2);
  EXPECT_TRUE(json["outputs"][0]["score"].is_null());
  ASSERT_EQ(json["diagnostics"].size(), 1u);
  EXPECT_EQ(json["diagnostics"][0]["kind"], "shadowed");
}

TEST_F(JsonCli, findings_leave_with_the_usual_exit_code) {
  write_file(folder_ / "bad.merge", "save(meen([1]), \"out\")\n");
  for (const char* command : {"run", "check", "plan"}) {
    const auto json = document({command, "bad.merge"}, 1);
    EXPECT_EQ(json["ok"], false);
    EXPECT_EQ(json["diagnostics"][0]["code"], "E0201");
    EXPECT_EQ(json["diagnostics"][0]["column"], 6);
  }
  EXPECT_EQ(document({"run", "absent.merge"}, 1)["diagnostics"][0]["code"], "E0401");
  EXPECT_EQ(document({"run", "mean.merge", "--bogus"}, 1)["diagnostics"][0]["code"], "E0504");
  EXPECT_EQ(document({"rnu"}, 1)["diagnostics"][0]["code"], "E0504");
}

TEST_F(JsonCli, check_says_that_nothing_is_wrong) {
  const auto json = document({"check", "mean.merge"});
  EXPECT_EQ(json, nlohmann::ordered_json::parse(
                      R"({"command": "check", "ok": true, "recipe": "mean.merge", "diagnostics": []})"));
}

TEST_F(JsonCli, plan_gives_costs_as_numbers) {
  const auto json = document({"plan", "mean.merge", "--kernels"});
  ASSERT_EQ(json["saves"].size(), 1u);
  const auto& save = json["saves"][0];
  EXPECT_EQ(fields(save), (std::vector<std::string>{"path", "tensors", "bytes", "sweeps", "bytes_read",
                                                    "bytes_written", "memory_bytes", "threads", "tile_elements",
                                                    "kernel_count", "kernels"}));
  EXPECT_EQ(save["sweeps"], 1);
  EXPECT_EQ(save["kernels"].size(), save["kernel_count"]);
  EXPECT_EQ(json["checkpoints_scored"], 0);
  EXPECT_FALSE(document({"plan", "mean.merge"})["saves"][0].contains("kernels"));
}

TEST_F(JsonCli, eval_gives_what_it_saved) {
  const auto json = document({"eval", "save(load(\"a.safetensors\"), \"saved.safetensors\")"});
  EXPECT_TRUE(json["value"].is_null());
  ASSERT_EQ(json["outputs"].size(), 1u);
  EXPECT_EQ(json["outputs"][0]["path"], "saved.safetensors");
}

// Whatever the limit: the program cannot be loaded at all, or it ends well, or it says what is missing.
TEST_F(JsonCli, a_lack_of_memory_is_told_as_a_document) {
  std::size_t told = 0;
  const auto under = [&](int megabytes) {
    return shell("ulimit -v " + std::to_string(megabytes * 1024) + "; \"$ROUX\" check mean.merge --json");
  };
  int none = 16, megabytes = 8192;  // the most that is not enough for a word, and the least that is
  if (under(megabytes).out.empty()) GTEST_SKIP() << "this build reserves more addresses than a limit may allow";
  while (megabytes - none > 1) {
    const int middle = (none + megabytes) / 2;
    (under(middle).out.empty() ? none : megabytes) = middle;
  }
  for (int more = 0; more < 12; ++more) {
    const ProcessResult result = under(megabytes + more);
    const auto json = nlohmann::ordered_json::parse(result.out, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << megabytes + more << " MiB: " << result.out << result.err;
    if (json["ok"] == true) continue;
    EXPECT_EQ(json["diagnostics"][0]["severity"], "error");
    ++told;
  }
  EXPECT_GT(told, 0u);
}

TEST_F(JsonCli, eval_gives_the_value) {
  EXPECT_EQ(document({"eval", "[1, 0.5]"})["value"], nlohmann::ordered_json::array({1.0, 0.5}));
  EXPECT_EQ(document({"eval", "1 +"}, 1)["diagnostics"][0]["file"], "<eval>");
}

TEST_F(JsonCli, inspect_and_recipe_tell_what_is_inside) {
  ASSERT_EQ(roux({"run", "mean.merge"}).exit_code, 0);
  const auto inside = document({"inspect", "out.safetensors"});
  EXPECT_EQ(inside["tensors"][1],
            nlohmann::ordered_json::parse(R"({"name": "layer.weight", "dtype": "f32", "shape": [2, 2], "bytes": 16})"));
  EXPECT_EQ(inside["parameters"], 6);
  EXPECT_TRUE(inside["metadata"].contains("roux.recipe"));
  EXPECT_TRUE(inside["config"].is_null());
  const auto recipe = document({"recipe", "out.safetensors"});
  EXPECT_EQ(recipe["text"], kMeanRecipe);
  EXPECT_EQ(recipe["version"], std::string(version()));
  EXPECT_EQ(recipe["inputs"].size(), 2u);
  EXPECT_EQ(recipe["inputs"][0]["name"], "a.safetensors");
  EXPECT_EQ(recipe["inputs"][0]["xxh3-128"].get<std::string>().size(), 32u);
  EXPECT_EQ(document({"recipe", "a.safetensors"}, 1)["diagnostics"][0]["code"], "E0411");
}

// --- explain
// ---------------------------------------------------------------------------------------------

TEST_F(JsonCli, explain_prints_a_page_a_list_or_the_nearest) {
  const ProcessResult page = roux({"explain", "E0305"});
  EXPECT_EQ(page.exit_code, 0);
  EXPECT_TRUE(page.out.starts_with("E0305 total_weight: ")) << page.out;
  EXPECT_TRUE(contains(page.out, "error[E0305]: ")) << "shows what is printed";
  EXPECT_FALSE(contains(page.out, "```"));
  EXPECT_EQ(roux({"explain", "total_weight"}).out, page.out);
  const ProcessResult list = roux({"explain"});
  EXPECT_TRUE(contains(list.out, "E0101  syntax"));
  EXPECT_TRUE(contains(list.out, "E0901  internal"));
  const ProcessResult typo = roux({"explain", "E035"});
  EXPECT_EQ(typo.exit_code, 1);
  EXPECT_TRUE(contains(typo.err, "help: nearest is `E0")) << typo.err;
  EXPECT_EQ(document({"explain"})["explanations"].size(), explanations().size());
  EXPECT_EQ(document({"explain", "E0101"})["explanations"][0]["kind"], "syntax");
}

}  // namespace
}  // namespace roux::testing

// The command `roux`, driven as people drive it: what it prints where, its exit codes, what it
// leaves behind.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/roux.h"
#include "cli/progress.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Test;

constexpr char kMeanRecipe[] = R"(models = [load("a.safetensors"), load("b.safetensors")]
save(mean(models), "out.safetensors")
)";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A folder with two small checkpoints, in which commands run.
class Cli : public Test {
 protected:
  Cli() {
    write_file(
        folder_ / "a.safetensors",
        f32_safetensors({{"layer.bias", {2}, {1, 2}}, {"layer.weight", {2, 2}, {1, 2, 3, 4}}}));
    write_file(
        folder_ / "b.safetensors",
        f32_safetensors({{"layer.bias", {2}, {3, 6}}, {"layer.weight", {2, 2}, {0, 0, 0, 8}}}));
    write_file(folder_ / "mean.merge", kMeanRecipe);
  }

  ProcessResult roux(std::vector<std::string> arguments, ProcessOptions options = {}) {
    arguments.insert(arguments.begin(), command());
    options.directory = folder_.path();
    return run_process(arguments, options);
  }

  ProcessResult shell(const std::string& text) {
    ProcessOptions options;
    options.directory = folder_.path();
    options.environment = {"ROUX=" + command()};
    return run_process({"/bin/sh", "-c", text}, options);
  }

  // Names that begin with a dot: only temporaries would.
  std::vector<std::string> hidden_files() const {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.')) names.push_back(name);
    }
    return names;
  }

  static std::string command() { return (binary_dir() / "roux").string(); }

  TemporaryFolder folder_;
};

// --- the command line
// ---------------------------------------------------------------------------------

TEST_F(Cli, help_lists_the_commands) {
  const ProcessResult result = roux({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* word : {"run", "check", "plan", "eval", "inspect", "recipe", "explain", "repl", "Examples:"}) {
    EXPECT_TRUE(contains(result.out, word)) << word;
  }
  EXPECT_EQ(result.err, "");
}

TEST_F(Cli, help_of_a_command_shows_its_options_and_an_example) {
  for (const auto& words : {std::vector<std::string>{"run", "--help"}, {"help", "run"}}) {
    const ProcessResult result = roux(words);
    EXPECT_EQ(result.exit_code, 0);
    for (const char* word : {"--set", "--threads", "--memory", "--backend", "--no-fsync", "--quiet",
                             "roux run soup.merge"}) {
      EXPECT_TRUE(contains(result.out, word)) << word;
    }
    EXPECT_FALSE(contains(result.out, "--vector-width")) << "options for tests stay hidden";
  }
}

TEST_F(Cli, version_is_that_of_the_library) {
  EXPECT_EQ(roux({"--version"}).out, "roux " + std::string(version()) + "\n");
}

TEST_F(Cli, unknown_command_names_the_nearest) {
  const ProcessResult result = roux({"rnu", "mean.merge"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "unknown command `rnu`; nearest is `run`")) << result.err;
}

TEST_F(Cli, recipe_in_place_of_a_command_says_how_to_run_it) {
  const ProcessResult result = roux({"mean.merge"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "`roux run mean.merge`")) << result.err;
}

TEST_F(Cli, unknown_option_names_the_nearest) {
  const ProcessResult result = roux({"run", "mean.merge", "--memroy", "1G"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "unknown option `--memroy`; nearest is `--memory`"))
      << result.err;
}

TEST_F(Cli, bad_options_are_refused_before_anything_runs) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--memory", "3x"}, "`--memory` takes a size, not `3x`"},
      {{"--memory", "0"}, "`--memory` takes a size, not `0`"},
      {{"--set", "k"}, "`--set` takes NAME=VALUE, not `k`"},
      {{"--set", "=3"}, "`--set` takes NAME=VALUE, not `=3`"},
      {{"--threads", "-1"}, "--threads"},
      {{"--threads", "many"}, "--threads"},
      {{"--backend", "abacus"}, "abacus"},
      {{"another.merge"}, "unexpected argument `another.merge`"},
  };
  for (const auto& [words, message] : cases) {
    std::vector<std::string> arguments = {"run", "mean.merge"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const ProcessResult result = roux(arguments);
    EXPECT_EQ(result.exit_code, 1) << words.front();
    EXPECT_TRUE(contains(result.err, message)) << result.err;
    EXPECT_FALSE(fs::exists(folder_ / "out.safetensors"));
  }
}

TEST_F(Cli, missing_recipe_is_the_users_error) {
  const ProcessResult result = roux({"run", "absent.merge"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "`absent.merge`: No such file or directory")) << result.err;
}

// --- check, plan, eval
// --------------------------------------------------------------------------------

TEST_F(Cli, check_points_at_the_place) {
  write_file(folder_ / "bad.merge",
             "a = load(\"a.safetensors\")\nsave(meen([a]), \"out.safetensors\")\n");
  const ProcessResult result = roux({"check", "bad.merge"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.err.starts_with("bad.merge:2:6: error[E0201]: ")) << result.err;
  EXPECT_TRUE(contains(result.err, "`mean`")) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(Cli, check_reads_headers_and_writes_nothing) {
  EXPECT_EQ(roux({"check", "mean.merge"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "out.safetensors"));
  write_file(folder_ / "b.safetensors", f32_safetensors({{"layer.bias", {2}, {3, 6}}}));
  const ProcessResult result = roux({"check", "mean.merge"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "layer.weight")) << result.err;
}

TEST_F(Cli, plan_prints_and_writes_nothing) {
  const ProcessResult result = roux({"plan", "mean.merge"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "sweep")) << result.out;
  EXPECT_FALSE(fs::exists(folder_ / "out.safetensors"));
  EXPECT_GT(roux({"plan", "mean.merge", "--kernels"}).out.size(), result.out.size());
}

TEST_F(Cli, eval_prints_a_value) {
  EXPECT_EQ(roux({"eval", "1 + 2"}).out, "3\n");
  EXPECT_EQ(roux({"eval", "-1 + 2"}).out, "1\n");
  EXPECT_EQ(roux({"eval", "--backend", "reference", "2 * (3 + 4)"}).out, "14\n");
  EXPECT_EQ(roux({"eval", "1 +"}).exit_code, 1);
}

// --- run
// ----------------------------------------------------------------------------------------------

TEST_F(Cli, run_saves_the_mean) {
  const ProcessResult result = roux({"run", "mean.merge"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "saved out.safetensors: 2 tensors, ")) << result.out;
  EXPECT_TRUE(contains(result.err, " read, ")) << result.err;
  EXPECT_TRUE(contains(result.err, " written in ")) << result.err;

  const auto output = CheckpointReader::open((folder_ / "out.safetensors").string());
  ASSERT_TRUE(output.ok()) << render(output.error());
  const auto bias = output->read_f32("layer.bias");
  const auto weight = output->read_f32("layer.weight");
  ASSERT_TRUE(bias.ok() && weight.ok());
  EXPECT_EQ(*bias, (std::vector<float>{2, 4}));
  EXPECT_EQ(*weight, (std::vector<float>{0.5, 1, 1.5, 6}));
  EXPECT_EQ(hidden_files(), std::vector<std::string>{});
}

TEST_F(Cli, run_reads_standard_input) {
  ProcessOptions options;
  options.input = kMeanRecipe;
  EXPECT_EQ(roux({"run", "-"}, options).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "out.safetensors"));

  options.input = "save(nothing, \"x\")\n";
  const ProcessResult result = roux({"run", "-"}, options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.err.starts_with("<stdin>:1:6: error[E0201]: ")) << result.err;
}

TEST_F(Cli, quiet_run_prints_no_summary) {
  const ProcessResult result = roux({"run", "mean.merge", "--quiet", "--no-fsync"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

TEST_F(Cli, set_gives_parameters_and_print_goes_to_standard_output) {
  write_file(
      folder_ / "param.merge",
      "param t: number = 0.5\nprint(t)\n"
      "save(lerp(load(\"a.safetensors\"), load(\"b.safetensors\"), t), \"out.safetensors\")\n");
  const ProcessResult result = roux({"run", "param.merge", "--set", "t=0.25", "--quiet"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("0.25\n")) << result.out;
  EXPECT_EQ(roux({"check", "param.merge", "--set", "nothing=1"}).exit_code, 1);
}

TEST_F(Cli, run_does_not_overwrite) {
  write_file(folder_ / "out.safetensors", "mine");
  EXPECT_EQ(roux({"run", "mean.merge"}).exit_code, 1);
  EXPECT_EQ(read_file(folder_ / "out.safetensors"), "mine");
}

TEST_F(Cli, engine_options_do_not_change_the_output) {
  ASSERT_EQ(roux({"run", "mean.merge"}).exit_code, 0);
  const std::string expected = read_file(folder_ / "out.safetensors");
  const std::vector<std::vector<std::string>> variants = {
      {"--backend", "reference"}, {"--vector-width", "4"}, {"--tile", "4096"},
      {"--no-optimize"},          {"--threads", "3"},      {"--memory", "64MiB"}};
  for (const std::vector<std::string>& variant : variants) {
    fs::remove(folder_ / "out.safetensors");
    std::vector<std::string> arguments = {"run", "mean.merge"};
    arguments.insert(arguments.end(), variant.begin(), variant.end());
    ASSERT_EQ(roux(arguments).exit_code, 0) << variant.front();
    EXPECT_EQ(read_file(folder_ / "out.safetensors"), expected) << variant.front();
  }
}

TEST_F(Cli, failing_scorer_is_the_environments_error) {
  write_file(folder_ / "score.merge",
             "val = command(\"echo {model} is broken; exit 3\")\nprint(val(load(\"a.safetensors\")))\n");
  const ProcessResult result = roux({"run", "score.merge"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(contains(result.err, "broken")) << result.err;
}

TEST_F(Cli, unwritable_standard_output_is_an_error) {
  const ProcessResult result = shell("\"$ROUX\" eval 1 > /dev/full");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(contains(result.err, "standard output")) << result.err;
}

TEST_F(Cli, reader_that_leaves_early_does_not_stop_the_run) {
  const ProcessResult result = shell("\"$ROUX\" run mean.merge | true");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "out.safetensors"));
  EXPECT_EQ(hidden_files(), std::vector<std::string>{});
}

// --- inspect, recipe
// ----------------------------------------------------------------------------------

TEST_F(Cli, inspect_lists_tensors) {
  const ProcessResult result = roux({"inspect", "a.safetensors"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "name          dtype  shape   size\n"
            "layer.bias    f32    [2]      8 B\n"
            "layer.weight  f32    [2, 2]  16 B\n"
            "\n"
            "2 tensors, 6 parameters, 24 B, f32, 1 file\n"
            "metadata: format\n");
}

TEST_F(Cli, inspect_names_the_architecture) {
  fs::create_directory(folder_ / "model");
  fs::copy(folder_ / "a.safetensors", folder_ / "model/model.safetensors");
  write_file(folder_ / "model/config.json",
             R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama"})");
  const ProcessResult result = roux({"inspect", "model"});
  EXPECT_TRUE(contains(result.out, "architecture: LlamaForCausalLM (llama)\n")) << result.out;
}

TEST_F(Cli, inspect_refuses_what_is_no_checkpoint) {
  write_file(folder_ / "broken.safetensors", "not a checkpoint");
  EXPECT_EQ(roux({"inspect", "broken.safetensors"}).exit_code, 1);
  EXPECT_EQ(roux({"inspect", "absent.safetensors"}).exit_code, 1);
}

TEST_F(Cli, recipe_inside_an_output_makes_it_again) {
  ASSERT_EQ(roux({"run", "mean.merge"}).exit_code, 0);
  const std::string first = read_file(folder_ / "out.safetensors");
  const ProcessResult result = roux({"recipe", "out.safetensors"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "save(mean(models), \"out.safetensors\")")) << result.out;

  write_file(folder_ / "again.merge", result.out);
  fs::remove(folder_ / "out.safetensors");
  ASSERT_EQ(roux({"run", "again.merge"}).exit_code, 0);
  const auto again = CheckpointReader::open((folder_ / "out.safetensors").string());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again->read_f32("layer.weight"), (std::vector<float>{0.5, 1, 1.5, 6}));
  EXPECT_EQ(roux({"recipe", "a.safetensors"}).exit_code, 1) << "Roux did not write it";
}

TEST_F(Cli, recipe_with_imports_is_written_into_a_folder) {
  write_file(folder_ / "half.merge", "param k: number = 0.5\nmethod half(m: delta) -> delta = k * m\n");
  write_file(folder_ / "main.merge",
             "import \"half.merge\" as h\nbase = load(\"a.safetensors\")\n"
             "save(base + h.half(load(\"b.safetensors\") - base), \"out.safetensors\")\n");
  ASSERT_EQ(roux({"run", "main.merge", "--set", "h.k=1"}).exit_code, 0);
  const auto out = CheckpointReader::open((folder_ / "out.safetensors").string());
  const auto b = CheckpointReader::open((folder_ / "b.safetensors").string());
  EXPECT_EQ(*out->read_f32("layer.weight"), *b->read_f32("layer.weight"));
  const ProcessResult shown = roux({"recipe", "out.safetensors"});
  EXPECT_TRUE(contains(shown.out, "# --- imported: half.merge\n# param k")) << shown.out;
  const ProcessResult written = roux({"recipe", "out.safetensors", "--into", "again"});
  EXPECT_EQ(written.exit_code, 0) << written.err;
  EXPECT_EQ(written.out, "wrote again/half.merge\nwrote again/recipe.merge\n");
  fs::remove(folder_ / "out.safetensors");
  EXPECT_EQ(roux({"run", "again/recipe.merge"}).exit_code, 0);
}

TEST_F(Cli, limits_of_control_are_options) {
  EXPECT_EQ(roux({"eval", "len([i for i in 0..500])", "--max-steps", "100"}).exit_code, 1);
  EXPECT_EQ(roux({"eval", "len([i for i in 0..500])", "--max-steps", "1000"}).out, "500\n");
  const std::string calls = "a = x => x; b = x => a(x); c = x => b(x); c(1)";
  const ProcessResult shallow = roux({"eval", calls, "--max-depth", "2"});
  EXPECT_EQ(shallow.exit_code, 1);
  EXPECT_TRUE(contains(shallow.err, "calls are nested more than 2 deep")) << shallow.err;
  EXPECT_EQ(roux({"eval", calls, "--max-depth", "3"}).out, "1\n");
  EXPECT_EQ(roux({"eval", "1", "--max-depth", "0"}).exit_code, 1);
}

// --- terminals and signals
// ----------------------------------------------------------------------------

TEST_F(Cli, progress_bar_appears_on_a_terminal_and_is_cleared) {
  ProcessOptions options;
  options.terminal = true;
  options.environment = {"TERM=xterm", "LC_ALL=C.UTF-8"};
  const ProcessResult result = roux({"run", "mean.merge"}, options);
  EXPECT_EQ(result.exit_code, 0) << result.out;
  const std::size_t bar = result.out.rfind("%|");
  const std::size_t saved = result.out.find("saved out.safetensors");
  ASSERT_NE(bar, std::string::npos) << result.out;
  ASSERT_NE(saved, std::string::npos) << result.out;
  EXPECT_LT(bar, saved);
  EXPECT_EQ(result.out[saved - 1], '\r') << "the line begins where the bar was";
  EXPECT_FALSE(contains(result.out, "\x1b")) << "no escape sequences";
}

TEST_F(Cli, progress_bar_stays_away_where_it_cannot_be_shown) {
  ProcessOptions options;
  options.terminal = true;
  options.environment = {"TERM=dumb"};
  EXPECT_FALSE(contains(roux({"run", "mean.merge"}, options).out, "%|"));
  fs::remove(folder_ / "out.safetensors");
  options.environment = {"TERM=xterm"};
  EXPECT_FALSE(contains(roux({"run", "mean.merge", "--quiet"}, options).out, "%|"));
  fs::remove(folder_ / "out.safetensors");
  EXPECT_FALSE(contains(roux({"run", "mean.merge"}).err, "%|"));
}

TEST_F(Cli, interrupt_leaves_nothing_behind) {
  write_file(folder_ / "slow.merge",
             "a = load(\"a.safetensors\")\nb = load(\"b.safetensors\")\n"
             "val = command(\"touch started; sleep 30; echo 1 # {model}\")\n"
             "save(mean([a, b]), \"out.safetensors\")\n"
             "print(val(lerp(a, b, 0.25)))\n");
  int process_id = 0;
  bool sent = false;
  ProcessOptions options;
  options.watch = [&](int process, const std::string&) {
    process_id = process;
    if (sent || !fs::exists(folder_ / "started")) return;
    kill(process, SIGINT);
    sent = true;
  };
  const ProcessResult result = roux({"run", "slow.merge"}, options);
  EXPECT_TRUE(sent);
  EXPECT_EQ(result.exit_code, 2) << "signal " << result.signal << ": " << result.err;
  EXPECT_FALSE(fs::exists(folder_ / "out.safetensors"));
  EXPECT_EQ(hidden_files(), std::vector<std::string>{});
  for (const fs::directory_entry& entry : fs::directory_iterator("/dev/shm")) {
    EXPECT_FALSE(contains(entry.path().filename().string(), "roux-" + std::to_string(process_id)));
  }
}

// --- the bar itself
// -----------------------------------------------------------------------------------

TEST(ProgressBar, looks_like_tqdm) {
  const RunProgress progress{"out/soup", 1'440'000'000, 3'200'000'000, 3};
  EXPECT_EQ(cli::bar_line(progress, 3, 1'440'000'000, {64, false}),
            "out/soup:  45%|#####        | 1.44G/3.20G [00:03<00:03, 480MB/s]");
  EXPECT_EQ(cli::bar_line({"", 10, 20, 0}, 0, 0, {40, true}),
            " 50%|██████      | 10/20 [00:00<?, ?B/s]");
  EXPECT_EQ(cli::bar_line({"digest", 5'000, 0, 2}, 2, 5'000, {80, true}),
            "digest: 5.00kB [00:02, 2.50kB/s]");
}

TEST(ProgressBar, fits_any_width_and_shows_no_control_characters) {
  const RunProgress progress{"löng \x1b[2J name of what is going on\n", 7, 9, 4000};
  for (std::size_t columns = 0; columns < 200; ++columns) {
    const std::string line = cli::bar_line(progress, 4000, 7, {columns, true});
    const auto width =
        std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LE(static_cast<std::size_t>(width), columns);
    EXPECT_TRUE(
        std::none_of(line.begin(), line.end(), [](char c) { return c == '\x1b' || c == '\n'; }));
  }
}

// --- --json: results and diagnostics as one document on standard output
// ---------------------------------------------------------------------------------------------

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

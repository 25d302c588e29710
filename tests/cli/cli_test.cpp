// The command `roux`, driven as people drive it: what it prints where, its exit codes, what it
// leaves behind.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/roux.h"
#include "cli/progress.h"
#include "tests/cli/cli.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

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

TEST_F(Cli, eval_tells_what_it_saved) {
  const ProcessResult result = roux({"eval", "save(load(\"a.safetensors\"), \"saved.safetensors\")"});
  EXPECT_EQ(result.out.find("saved saved.safetensors: "), 0u) << result.out << result.err;
}

TEST_F(Cli, a_folder_is_no_recipe) {
  fs::create_directory(folder_ / "model");
  for (const char* command : {"run", "check", "plan"}) {
    const ProcessResult result = roux({command, "model"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err, "error[E0504]: `model` is a folder, and a recipe is a file\n"
                          "help: `roux inspect model` tells what a checkpoint holds\n");
  }
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

TEST_F(Cli, verbose_run_says_what_it_does) {
  const ProcessResult result = roux({"run", "mean.merge", "-v"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(contains(result.err, "opened `a.safetensors`: ")) << result.err;
  EXPECT_TRUE(contains(result.err, "putting `out.safetensors` in place\n")) << result.err;
}

TEST_F(Cli, models_in_memory_are_for_programs) {
  write_file(folder_ / "memory.merge", "save(load(\"a.safetensors\"), \"memory:x\")\nprint(load(\"memory:y\"))\n");
  const ProcessResult result = roux({"run", "memory.merge"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "nothing here takes models in memory")) << result.err;
  EXPECT_TRUE(contains(result.err, "no model in memory has the name `y`")) << result.err;
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

}  // namespace
}  // namespace roux::testing

// `roux` as people type at it: prompts, keys, history, interrupts, on a pseudo terminal; and the same statements from
// a pipe.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <thread>

#include "tests/support/conversation.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

class Repl : public ::testing::Test {
 protected:
  Repl() {
    for (int i = 0; i < 3; ++i)
      write_file(folder_ / ("ft-" + std::to_string(i) + ".safetensors"),
                 f32_safetensors({{"layer.bias", {2}, {1, 2}}, {"layer.weight", {2, 2}, {1, 2, 3, static_cast<float>(i)}}}));
  }

  std::vector<std::string> environment() const {
    return {"ROUX_HISTORY=" + (folder_ / "history").string(), "NO_COLOR=1", "TERM=xterm", "LC_ALL=C.UTF-8",
            "HOME=" + folder_.path().string()};
  }

  std::unique_ptr<Conversation> talk() const {
    return std::make_unique<Conversation>(std::vector<std::string>{command()}, folder_.path(), environment());
  }

  ProcessResult pipe(const std::string& input, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), command());
    return run_process(arguments, {.input = input, .directory = folder_.path()});
  }

  static std::string command() { return (binary_dir() / "roux").string(); }

  TemporaryFolder folder_;
};

// --- on a terminal ------------------------------------------------------------------------------------

TEST_F(Repl, shows_values_after_a_prompt_and_leaves_with_the_end_of_input) {
  auto session = talk();
  session->wait_for("Ctrl-D leaves.");
  session->wait_for("roux> ");
  session->type("a = load(\"ft-1.safetensors\")\n");
  session->wait_for("\nroux> ");
  session->type("a\n");
  session->wait_for("model: 2 tensors, 6, f32; ft-1.safetensors\n");
  session->wait_for("roux> ");
  session->type("1 + 1; _\n");
  session->wait_for("2\n");
  session->wait_for("roux> ");
  session->type(kEndOfInput);
  EXPECT_EQ(session->wait_for_end(), 0);
}

TEST_F(Repl, asks_for_more_lines_inside_brackets) {
  auto session = talk();
  session->wait_for("roux> ");
  session->type("sum([1,\n");
  session->wait_for("  ... ");
  session->type("2, 3\n");
  session->wait_for("  ... ");
  session->type("])\n");
  session->wait_for("\n6\n");
  session->wait_for("roux> ");
}

TEST_F(Repl, completes_by_tab) {
  auto session = talk();
  session->wait_for("roux> ");
  session->type("models = load_al\t\"ft-0\t)\n");
  session->wait_for("load_all(\"ft-0.safetensors\")");
  session->wait_for("roux> ");
  session->type("len(mod\ts)\n");
  session->wait_for("len(models)\n1\n");
  session->wait_for("roux> ");
  session->type("models[0] |> ti\t\t");  // a method, then the parameters of its call
  session->wait_for("ties(");
  session->wait_for("zero_vote");
  session->type(kInterrupt);
  session->wait_for("^C\nroux> ");
  session->type(":na\t\n");
  session->wait_for("models  list of 1 ");
}

TEST_F(Repl, keeps_its_history_from_one_session_to_the_next) {
  {
    auto first = talk();
    first->wait_for("roux> ");
    first->type("40 + 2\n");
    first->wait_for("42\nroux> ");
    first->type("sum([1,\n2])\n");
    first->wait_for("\n3\nroux> ");
    first->type("40 + 2\n");  // again: it is kept once
    first->wait_for("42\n");
    first->wait_for("roux> ");
    first->type(kEndOfInput);
    EXPECT_EQ(first->wait_for_end(), 0);
  }
  auto second = talk();
  second->wait_for("roux> ");
  second->type(kUp);
  second->wait_for("40 + 2");
  second->type("\n");
  second->wait_for("\n42\n");
  second->wait_for("roux> ");
  second->type(std::string(kUp) + kUp + "\n");  // the one with two lines
  second->wait_for("\n3\n");
  second->wait_for("roux> ");
  second->type(kEndOfInput);
  EXPECT_EQ(second->wait_for_end(), 0);
  EXPECT_EQ(fs::status(folder_ / "history").permissions() & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write);
  auto third = talk();
  third->wait_for("roux> ");
  EXPECT_EQ(read_file(folder_ / "history"), "40 + 2\nsum([1,\\n2])\n") << "without repetitions";
}

TEST_F(Repl, an_interrupt_at_the_prompt_clears_the_entry) {
  auto session = talk();
  session->wait_for("roux> ");
  session->type("sum([1,\n");
  session->wait_for("  ... ");
  session->type(kInterrupt);
  session->wait_for("^C\nroux> ");
  session->type("nonsense");
  session->wait_for("nonsense");
  session->type(kInterrupt);
  session->wait_for("^C\nroux> ");
  session->type("5\n");
  session->wait_for("\n5\n");
}

TEST_F(Repl, leaves_when_it_is_told_to_end) {
  auto session = talk();
  session->wait_for("roux> ");
  kill(session->process(), SIGTERM);
  EXPECT_EQ(session->wait_for_end(), 0) << "the terminal is as it was";
}

TEST_F(Repl, an_interrupt_ends_a_scorer_and_keeps_the_session) {
  auto session = talk();
  session->wait_for("roux> ");
  session->type("val = command(\"touch started; sleep 1000; echo 1 # {model}\")\n");
  session->wait_for("\nroux> ");
  session->type("k = 7; a = load(\"ft-1.safetensors\")\n");
  session->wait_for("\nroux> ");
  session->type("x = val(a)\n");
  while (!fs::exists(folder_ / "started")) std::this_thread::yield();
  session->type(kInterrupt);
  session->wait_for("cancelled while the scorer was running");
  session->wait_for("roux> ");
  session->type("k\n");
  session->wait_for("\n7\n");
  session->type("x\n");
  session->wait_for("unknown name `x`");
  session->type(":quit\n");
  EXPECT_EQ(session->wait_for_end(), 0);
}

TEST_F(Repl, colours_its_prompt_only_where_it_may) {
  const auto prompt = [&](const std::string& variable) {
    std::vector<std::string> variables = environment();
    variables[1] = variable;
    Conversation session({command()}, folder_.path(), variables);
    return session.wait_for_raw("roux>");
  };
  EXPECT_EQ(prompt("NO_COLOR=1").find("\x1b[1;34m"), std::string::npos);
  EXPECT_NE(prompt("NO_COLOR=").find("\x1b[1;34m"), std::string::npos);
}

// --- from a pipe --------------------------------------------------------------------------------------

TEST_F(Repl, reads_statements_from_a_pipe_without_prompts) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{}, {"-"}, {"repl"}}) {
    const ProcessResult result = pipe("k = 2\nk = k + 1\nmean([1,\n 2])\nk", arguments);
    EXPECT_EQ(result.out, "1.5\n3\n");
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.exit_code, 0);
  }
}

TEST_F(Repl, stops_a_pipe_at_the_first_error) {
  const ProcessResult result = pipe("1\nnonsense\n2\n");
  EXPECT_EQ(result.out, "1\n");
  EXPECT_NE(result.err.find("<2>:1:1: error"), std::string::npos) << result.err;
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(pipe("sum([1,\n").exit_code, 1) << "an entry that does not end";
}

TEST_F(Repl, commands_say_what_they_need) {
  EXPECT_NE(pipe(":tpye 1\n").err.find("unknown command `:tpye`"), std::string::npos);
  EXPECT_NE(pipe(":tpye 1\n").err.find("nearest is `:type`"), std::string::npos);
  EXPECT_NE(pipe(":type\n").err.find("`:type` needs EXPRESSION"), std::string::npos);
  EXPECT_NE(pipe(":names x\n").err.find("takes nothing"), std::string::npos);
  EXPECT_NE(pipe(":help tise\n").err.find("nearest is `ties`"), std::string::npos);
  EXPECT_NE(pipe(":set memory=much\n").err.find("memory is a size"), std::string::npos);
  EXPECT_EQ(pipe(":t 1 + 1\n:q\n:nonsense\n").out, "number\n") << "short forms; nothing after `:quit`";
}

TEST_F(Repl, says_what_a_value_that_was_set_waits_for) {
  EXPECT_EQ(pipe(":set k=0.3\nparam k: number = 1\nk\n").err, "note: this waits for a later `param k`\n");
  EXPECT_EQ(pipe("k = 1\n:set k=0.3\n").err, "note: `k` keeps its value; a later `param k` takes this one\n");
  EXPECT_EQ(pipe(":set thread=2\n").err,
            "note: this waits for a later `param thread`; the option is called `threads`\n");
  EXPECT_EQ(pipe(":set threads=2\n:set memory=64MiB\n").err, "");
}

TEST_F(Repl, commands_tell_of_methods_values_and_settings) {
  const std::string out = pipe(
      ":help ties\na = load(\"ft-1.safetensors\")\n:help a\n:names\n:set memory=64MiB\n:set\n:plan a + (a - a)\n"
      ":formula 0.25*a + 0.75*load(\"ft-2.safetensors\")\n:time 1 + 1\n").out;
  for (const char* part : {"ties(models: list[model]", "Yadav et al.", "stdlib/ties.merge", "a: model", "a  model: 2 tensors",
                           "memory = 67108864B", "1 sweep", "0.25·a + 0.75·\"ft-2\"", "2\n0 B read"})
    EXPECT_NE(out.find(part), std::string::npos) << part << "\nin\n" << out;
}

TEST_F(Repl, loads_recipes_and_writes_sessions) {
  write_file(folder_ / "part.merge", "param k: number = 0.5\na = load(\"ft-1.safetensors\")\nb = k * a + (1 - k) * a\n");
  const ProcessResult first = pipe(
      ":set k=0.25\n:load part.merge\nk\nb\nb = mean([_, load(\"ft-2.safetensors\")])\n"
      "save(b, \"out.safetensors\")\n:save-session all.merge\n");
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.out.find("0.25\n"), std::string::npos) << first.out;
  const std::string bytes = read_file(folder_ / "out.safetensors");
  fs::rename(folder_ / "out.safetensors", folder_ / "first.safetensors");
  const ProcessResult again = run_process({command(), "run", "all.merge"}, {.directory = folder_.path()});
  EXPECT_EQ(again.exit_code, 0) << again.err << read_file(folder_ / "all.merge");
  const auto values = [](const std::string& file) { return file.substr(file.size() - 24); };
  EXPECT_EQ(values(read_file(folder_ / "out.safetensors")), values(bytes));
  EXPECT_EQ(pipe(":load none.merge\n").exit_code, 1);
  EXPECT_EQ(pipe(":save-session all.merge\n").exit_code, 2) << "nothing is written over";
}

}  // namespace
}  // namespace roux::testing

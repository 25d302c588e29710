// Scorers: what is read from their output, and how commands that misbehave end.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

#include "runtime/score/command.h"
#include "tests/support/paths.h"

namespace roux {
namespace {

double score_in(const std::string& output, std::optional<std::string> metric = std::nullopt) {
  const Result<double> score = read_score(output, metric, Span{});
  EXPECT_TRUE(score.ok()) << output << "\n" << (score ? "" : score.error().front().message);
  return score ? *score : -12345;
}

std::string message_in(const std::string& output,
                       std::optional<std::string> metric = std::nullopt) {
  const Result<double> score = read_score(output, metric, Span{});
  EXPECT_FALSE(score.ok()) << output;
  if (score) return "";
  EXPECT_EQ(score.error().front().kind, DiagnosticKind::scorer_failed);
  return score.error().front().message + " | " + score.error().front().help;
}

TEST(ReadScore, takes_last_line_that_is_a_number) {
  EXPECT_EQ(score_in("0.5\n"), 0.5);
  EXPECT_EQ(score_in("0.5"), 0.5);
  EXPECT_EQ(score_in("0.1\nloading 7 shards\n  -1.25e-3 \r\n\nall done in 5 s\n\n"), -1.25e-3);
  EXPECT_EQ(score_in("+3"), 3.0);
  EXPECT_EQ(score_in("inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(score_in("0.75\nscore: 0.9\n82%\n0x10\n1 2\n1,5\n"), 0.75);
}

TEST(ReadScore, without_a_number_is_an_error) {
  for (const char* output : {"", "\n\n", "accuracy 0.5\n", "50%\n", "{\"a\": 1}\n"})
    EXPECT_NE(message_in(output).find("no line"), std::string::npos);
  EXPECT_NE(message_in("0.5\nnan\n").find("NaN"), std::string::npos);
}

TEST(ReadScore, takes_metric_of_last_object) {
  EXPECT_EQ(score_in("{\"acc\": 0.25}", "acc"), 0.25);
  EXPECT_EQ(
      score_in("{\"acc\": 0.1}\nlog {x}\n{\"acc\": 0.2, \"n\": {\"acc\": 9}}\nbye }\n", "acc"),
      0.2);
  EXPECT_EQ(score_in("result: {\"acc\": 0.5} ok\n", "acc"), 0.5);
  EXPECT_EQ(score_in("noise {\n{\n  \"results\": {\n    \"arc\": {\"acc,none\": 0.375}\n  }\n}\n",
                     "results.arc.acc,none"),
            0.375);
  EXPECT_EQ(score_in("{\"a.b\": {\"c.d\": 4}}", "a.b.c.d"), 4.0);
  EXPECT_EQ(score_in("{\"text\": \"a } b { c\", \"acc\": 2}", "acc"), 2.0);
  EXPECT_EQ(score_in("{\"acc\": 1, \"other\": NaN, \"worst\": [-Infinity, Infinity]}", "acc"), 1.0);
  EXPECT_EQ(score_in("{\"loss\": Infinity}", "loss"), std::numeric_limits<double>::infinity());
}

TEST(ReadScore, says_what_is_missing_of_a_metric) {
  EXPECT_NE(message_in("0.5\n", "acc").find("no JSON object"), std::string::npos);
  EXPECT_NE(message_in("{\"accuracy\": 1}", "acuracy").find("nearest is `accuracy`"),
            std::string::npos);
  EXPECT_NE(message_in("{\"acc\": \"0.5\"}", "acc").find("string"), std::string::npos);
  EXPECT_NE(message_in("{\"acc\": null}", "acc").find("null"), std::string::npos);
  EXPECT_NE(message_in("{\"acc\": NaN}", "acc").find("NaN"), std::string::npos);
  EXPECT_NE(message_in("{\"acc\": true}", "acc").find("boolean"), std::string::npos);
}

TEST(ReadScore, ends_on_hostile_output) {
  EXPECT_FALSE(message_in(std::string(200'000, '{') + "}", "acc").empty());
  EXPECT_FALSE(message_in(std::string(200'000, '}'), "acc").empty());
  std::string nested;
  for (int i = 0; i < 20'000; ++i) nested += "{\"a\":";
  EXPECT_FALSE(message_in(nested + "1" + std::string(20'000, '}'), "b").empty());
}

class RunCommand : public ::testing::Test {
 protected:
  Result<double> run(const std::string& text, std::optional<double> timeout = std::nullopt,
                     const std::string& model = "model") {
    begin_ = std::chrono::steady_clock::now();
    return run_command({text, std::nullopt, timeout}, model, Span{}, &cancel_);
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  // The first diagnostic of a run that has to fail, with its notes and hint.
  std::string failure(const Result<double>& result,
                      DiagnosticKind kind = DiagnosticKind::scorer_failed) {
    EXPECT_FALSE(result.ok());
    if (result) return "";
    EXPECT_EQ(result.error().front().kind, kind);
    return render(result.error(), SourceMap{});
  }
  bool is_gone(const std::string& pid_file) {
    pid_t pid = 0;
    std::ifstream(pid_file) >> pid;
    EXPECT_GT(pid, 1);
    for (int i = 0; i < 200; ++i) {  // its new parent may take a moment to reap it
      if (::kill(pid, 0) != 0) return true;
      std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
      std::string id, name, state;
      stat >> id >> name >> state;
      if (state == "Z" || state == "X") return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  testing::TemporaryFolder folder_;
  std::atomic<bool> cancel_{false};
  std::chrono::steady_clock::time_point begin_;
};

TEST_F(RunCommand, passes_the_model_and_reads_the_score) {
  const Result<double> score =
      run("echo loading {model} >&2; echo {model}; test -n {model} && echo 0.5");
  ASSERT_TRUE(score.ok());
  EXPECT_EQ(*score, 0.5);
}

TEST_F(RunCommand, quotes_paths_for_the_shell) {
  const std::string strange = (folder_ / "it's a $(touch pwned) \"model\"; x").string();
  std::ofstream(strange) << "0.125\n";
  const Result<double> score = run("cat {model}", std::nullopt, strange);
  ASSERT_TRUE(score.ok()) << failure(score);
  EXPECT_EQ(*score, 0.125);
  const Result<double> dashed = run("test {model} = ./-n && echo 1", std::nullopt, "-n");
  EXPECT_TRUE(dashed.ok());
}

TEST_F(RunCommand, needs_a_place_for_the_model) {
  EXPECT_NE(failure(run("echo 1"), DiagnosticKind::missing_argument).find("{model}"),
            std::string::npos);
}

TEST_F(RunCommand, failing_exit_shows_the_end_of_the_output) {
  const std::string text =
      failure(run("seq 1 50 >&2; printf '\\033[31mred\\n' >&2; echo 0.5; : {model}; exit 3"));
  EXPECT_NE(text.find("exited with status 3"), std::string::npos) << text;
  EXPECT_NE(text.find("\n50\n[31mred"), std::string::npos) << text;
  EXPECT_EQ(text.find("\n31\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos) << text;
  EXPECT_NE(failure(run("no_such_program_of_roux {model}")).find("full path"), std::string::npos);
  EXPECT_NE(failure(run("kill -9 $$ {model}")).find("signal 9"), std::string::npos);
  EXPECT_NE(failure(run("echo hello {model}")).find("hello model"), std::string::npos);
}

TEST_F(RunCommand, timeout_ends_the_whole_group) {
  const std::string pid_file = (folder_ / "pid").string();
  const std::string text =
      failure(run(": {model}; sleep 100 & echo $! > " + pid_file + "; echo begun; wait", 0.2));
  EXPECT_LT(seconds(), 2);
  EXPECT_NE(text.find("timeout of 0.2 s"), std::string::npos) << text;
  EXPECT_NE(text.find("begun"), std::string::npos) << text;
  EXPECT_TRUE(is_gone(pid_file));
}

TEST_F(RunCommand, timeout_ends_what_ignores_the_polite_signal) {
  const std::string pid_file = (folder_ / "pid").string();
  failure(run("trap '' TERM; : {model}; echo $$ > " + pid_file + "; while :; do sleep 0.05; done",
              0.1));
  EXPECT_LT(seconds(), 5);
  EXPECT_TRUE(is_gone(pid_file));
}

TEST_F(RunCommand, cancel_ends_it) {
  std::thread canceller([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cancel_ = true;
  });
  failure(run("sleep 100; : {model}"), DiagnosticKind::cancelled);
  canceller.join();
  EXPECT_LT(seconds(), 2);
}

TEST_F(RunCommand, background_children_that_hold_the_pipe_are_not_waited_for) {
  const std::string pid_file = (folder_ / "pid").string();
  const Result<double> score = run("echo 0.5; : {model}; sleep 100 & echo $! > " + pid_file);
  ASSERT_TRUE(score.ok());
  EXPECT_EQ(*score, 0.5);
  EXPECT_LT(seconds(), 2);
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 1);
  EXPECT_EQ(::kill(pid, SIGKILL), 0);
}

TEST_F(RunCommand, too_much_output_is_cut_off) {
  const std::string text = failure(run("yes 123456789 ; : {model}"));
  EXPECT_NE(text.find("printed more than"), std::string::npos) << text;
  EXPECT_LT(seconds(), 5);
}

TEST_F(RunCommand, closed_streams_do_not_end_the_wait) {
  const Result<double> score = run("echo 0.25; exec >&- 2>&-; : {model}; sleep 0.2");
  ASSERT_TRUE(score.ok());
  EXPECT_EQ(*score, 0.25);
  EXPECT_GE(seconds(), 0.2);
}

}  // namespace
}  // namespace roux

// Runs recipes through the public header, the way an embedder does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "api/roux.h"
#include "tests/support/paths.h"
#include "tests/support/plain.h"

namespace roux::testing {

inline Options test_options() { return {.threads = 2, .sync = false}; }

struct RecipeRun {
  std::string error;  // rendered; empty where it ran
  Diagnostics findings;
  std::vector<std::string> printed, notes;
  Report report;
};

inline RecipeRun run_recipe(Engine& engine, const std::string& name, const std::string& text,
                            const Settings& settings) {
  RecipeRun run;
  const Result<Recipe> recipe = engine.compile(name, text);
  if (!recipe) {
    run.findings = recipe.error();
    run.error = engine.render(run.findings);
    return run;
  }
  Events events;
  events.on_print = [&](const std::string& line) { run.printed.push_back(line); };
  events.on_note = [&](const Diagnostic& note) { run.notes.push_back(note.message); };
  Result<Report> report = engine.run(*recipe, {.settings = settings}, events);
  if (report) {
    run.report = *report;
  } else {
    run.findings = report.error();
    run.error = engine.render(run.findings);
  }
  return run;
}

// A folder for inputs and one for outputs; recipes see them as `${dir}` and `${out}`.
class Workshop {
 public:
  explicit Workshop(const Options& options = test_options())
      : engine_(std::move(*Engine::create(options))) {
    std::filesystem::create_directory(dir());
    std::filesystem::create_directory(out());
  }

  std::filesystem::path dir() const { return folder_ / "in"; }
  std::filesystem::path out() const { return folder_ / "out"; }

  void put(const std::string& name, const plain::Model& model) {
    plain::write(dir() / (name + ".safetensors"), model);
  }

  RecipeRun run(const std::string& body) {
    std::filesystem::remove_all(out());
    std::filesystem::create_directory(out());
    return run_recipe(engine_, "test.merge", "param dir: string\nparam out: string\n" + body,
                      {{"dir", dir().string()}, {"out", out().string()}});
  }

  // `lines`, then a save of `value` (with further arguments for `save`); gives back what was saved.
  plain::Model merge(const std::string& lines, const std::string& value,
                     const std::string& how = "") {
    const RecipeRun done =
        run(lines + "\nsave(" + value + ", \"${out}/merged.safetensors\"" + how + ")\n");
    EXPECT_EQ(done.error, "");
    if (!done.error.empty()) return {};
    return plain::read(out() / "merged.safetensors");
  }

  // What `print(value)` prints, read as numbers that blanks separate.
  std::vector<double> numbers(const std::string& lines, const std::string& text) {
    const RecipeRun done = run(lines + "\nprint(\"" + text + "\")\n");
    EXPECT_EQ(done.error, "");
    std::vector<double> values;
    for (const std::string& line : done.printed) {
      const char* at = line.c_str();
      for (char* end = nullptr; *at != '\0'; at = end) {
        values.push_back(std::strtod(at, &end));
        if (end == at) break;
        while (*end == ' ') ++end;
      }
    }
    return values;
  }

 private:
  TemporaryFolder folder_;
  Engine engine_;
};

}  // namespace roux::testing

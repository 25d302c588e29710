// Each *.merge of this folder is a recipe as a beginner might write it, and at its end, as
// comments, every word that Roux says to it:
//
//   #: run               carry it out; without this line it is only checked
//   #: set k=0.3         the value of a `param`
//   #: option memory=1MiB, threads=, backend=, tile=, depth= or steps=
//   #= unknown_name      the kinds of what is said, in order
//   #| fail_x.merge:1:5: error[E0201]: ...
//
// Recipes named fail_* must fail, others must not. ROUX_UPDATE_GOLDEN=1 in the environment rewrites
// the last two sorts of lines. The checkpoints are those of checkpoints.h, the files that recipes
// import those of imported/.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "api/roux.h"
#include "tests/golden/checkpoints.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

// Kinds that no recipe can provoke (or none that is quick and the same on every machine), and the
// tests that do.
struct OtherTest {
  const char* kind;
  const char* file;
  const char* test;
};
constexpr OtherTest kOtherTests[] = {
    {"disk_full", "tests/unit/checkpoint_write_test.cpp", "Writer, FindsAFullDiskBeforeAnyWork"},
    {"cancelled", "tests/api/api_test.cpp", "Cancelling, LeavesNothing"},
    {"host_failed", "tests/api/embedding_test.cpp", "Embedding, WhatACallbackThrowsEndsTheCall"},
    {"no_recipe", "tests/api/api_test.cpp", "Outputs, ForeignFilesHoldNoRecipe"},
    {"internal", "tests/unit/plan_test.cpp", "VerifyPlan, says_what_is_wrong"},
};

struct Golden {
  std::string recipe;    // the text, up to what is expected
  std::string expected;  // `#=` and `#|` lines
  Options options{.threads = 2, .sync = false};
  Settings settings;
  bool run = false;
};

void read_option(const std::string& text, Golden& golden) {
  const std::string name = text.substr(0, text.find('='));
  const std::string value = text.substr(name.size() + 1);
  if (name == "memory") {
    golden.options.memory_bytes = size_from_text(value).value();
  } else if (name == "threads") {
    golden.options.threads = std::stoi(value);
  } else if (name == "tile") {
    golden.options.tile_elements = std::stoull(value);
  } else if (name == "depth") {
    golden.options.max_depth = std::stoi(value);
  } else if (name == "steps") {
    golden.options.max_steps = std::stoull(value);
  } else if (name == "backend") {
    golden.options.backend = value;
  } else {
    ADD_FAILURE() << "unknown option " << name;
  }
}

void read_directive(const std::string& line, Golden& golden) {
  std::istringstream words(line.substr(2));
  std::string what;
  words >> what >> std::ws;
  std::string rest;
  std::getline(words, rest);
  if (what == "run") {
    golden.run = true;
  } else if (what == "set") {
    golden.settings[rest.substr(0, rest.find('='))] = rest.substr(rest.find('=') + 1);
  } else if (what == "option") {
    read_option(rest, golden);
  } else {
    ADD_FAILURE() << "unknown directive " << line;
  }
}

Golden read_golden(const std::string& text) {
  Golden golden;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#:")) read_directive(line, golden);
    (line.starts_with("#=") || line.starts_with("#|") ? golden.expected : golden.recipe) +=
        line + '\n';
  }
  return golden;
}

struct Said {
  bool failed = false;
  std::string text;
  std::vector<std::string> kinds;

  void print(std::string line) { text += std::move(line) + '\n'; }
  void say(const std::string& rendered, const Diagnostic& diagnostic) {
    text += rendered;
    kinds.emplace_back(name_of(diagnostic.kind));
  }
};

Said carry_out(const std::string& name, const Golden& golden) {
  Said said;
  const auto fail = [&](const Diagnostics& findings, const Engine* engine) {
    said.failed = true;
    for (const Diagnostic& finding : findings)
      said.say(engine ? engine->render(finding) : render(Diagnostics{finding}), finding);
    return said;
  };
  Result<Engine> engine = Engine::create(golden.options);
  if (!engine) return fail(engine.error(), nullptr);
  const Result<Recipe> recipe = engine->compile(name, golden.recipe);
  if (!recipe) return fail(recipe.error(), &*engine);
  const auto note = [&](const Diagnostic& finding) { said.say(engine->render(finding), finding); };
  if (!golden.run) {
    const Result<BoundRecipe> checked = engine->bind(*recipe, {.settings = golden.settings});
    if (!checked) return fail(checked.error(), &*engine);
    for (const Diagnostic& finding : checked->notes()) note(finding);
    return said;
  }
  Events events;
  events.on_note = note;
  events.on_print = [&](const std::string& line) { said.print(line); };
  const Result<Report> report = engine->run(*recipe, {.settings = golden.settings}, events);
  if (!report) return fail(report.error(), &*engine);
  for (const SavedOutput& output : report->outputs) said.print("saved " + output.path);
  return said;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

std::string as_comments(const Said& said) {
  std::string comments = "#=";
  for (const std::string& kind : said.kinds) comments += ' ' + kind;
  comments += '\n';
  std::istringstream lines(replaced(said.text, fs::current_path().string(), "FOLDER"));
  for (std::string line; std::getline(lines, line);)
    comments += line.empty() ? "#|\n" : "#| " + line + '\n';
  return comments;
}

// The folder that the recipes run in: the working directory of this process.
class Workplace : public ::testing::Environment {
 public:
  void SetUp() override {
    folder_ = std::make_unique<TemporaryFolder>();
    write_golden_checkpoints(folder_->path());
    fs::copy(source_dir() / "tests/golden/imported", folder_->path() / "imported",
             fs::copy_options::recursive);
    fs::current_path(folder_->path());
  }
  void TearDown() override {
    fs::current_path(source_dir());
    folder_.reset();
  }

 private:
  std::unique_ptr<TemporaryFolder> folder_;
};

class GoldenTest : public ::testing::Test {
 public:
  explicit GoldenTest(fs::path path) : path_(std::move(path)) {}

  void TestBody() override {
    fs::remove_all("out");
    const Golden golden = read_golden(read_file(path_));
    const std::string name = path_.filename().string();
    const Said said = carry_out(name, golden);
    EXPECT_EQ(said.failed, name.starts_with("fail_")) << said.text;
    EXPECT_FALSE(said.text.empty()) << "nothing was said";
    if (said.failed) {
      EXPECT_FALSE(fs::exists("out")) << "a failed run left an output";
    }
    const std::string got = as_comments(said);
    if (std::getenv("ROUX_UPDATE_GOLDEN"))
      write_file(path_, golden.recipe + got);
    else
      EXPECT_EQ(golden.expected, got) << "ROUX_UPDATE_GOLDEN=1 rewrites the expectation";
  }

 private:
  fs::path path_;
};

std::vector<fs::path> golden_files() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& file : fs::directory_iterator(source_dir() / "tests/golden"))
    if (file.path().extension() == ".merge") files.push_back(file.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::set<std::string> kinds_in_goldens() {
  std::set<std::string> kinds;
  for (const fs::path& path : golden_files()) {
    std::istringstream lines(read_golden(read_file(path)).expected);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("#= ")) continue;
      std::istringstream words(line.substr(3));
      for (std::string kind; words >> kind;) kinds.insert(kind);
    }
  }
  return kinds;
}

TEST(DiagnosticKinds, EachIsProducedBySomeTest) {
  std::set<std::string> produced = kinds_in_goldens();
  for (const OtherTest& other : kOtherTests) {
    const std::string source = read_file(source_dir() / other.file);
    EXPECT_NE(source.find("(" + std::string(other.test) + ")"), source.npos)
        << other.file << " has no test " << other.test;
    EXPECT_NE(source.find("DiagnosticKind::" + std::string(other.kind)), source.npos)
        << other.file << " does not speak of " << other.kind;
    EXPECT_FALSE(produced.contains(other.kind)) << other.kind << " no longer needs its exception";
    produced.insert(other.kind);
  }
  const char* const all[] = {
#define ROUX_DIAGNOSTIC(name, code, fault) #name,
#include "base/diagnostic_kinds.def"
  };
  for (const char* kind : all) EXPECT_TRUE(produced.contains(kind)) << "no test produces " << kind;
}

// House rules that a program can see.
TEST(DiagnosticTexts, AreLowerCaseWithoutFullStopAndPointIntoTheRecipe) {
  for (const fs::path& path : golden_files()) {
    const Golden golden = read_golden(read_file(path));
    std::istringstream lines(golden.expected);
    for (std::string line; std::getline(lines, line);) {
      SCOPED_TRACE(path.filename().string() + ": " + line);
      const std::size_t error = line.find("error[");
      if (!line.starts_with("#| ") || error == line.npos) continue;
      EXPECT_FALSE(line.ends_with('.')) << "a full stop";
      EXPECT_FALSE(std::isupper(static_cast<unsigned char>(line[line.find("]: ", error) + 3]))) << "a capital letter";
      EXPECT_EQ(line.find("<library>"), line.npos);
      EXPECT_EQ(line.find("stdlib/"), line.npos) << "the place must be in the recipe";
    }
  }
}

const int kRegistered = [] {
  ::testing::AddGlobalTestEnvironment(new Workplace);
  for (const fs::path& path : golden_files())
    ::testing::RegisterTest("Golden", path.stem().c_str(), nullptr, nullptr, path.c_str(), 1,
                            [path]() -> ::testing::Test* { return new GoldenTest(path); });
  return 0;
}();

}  // namespace
}  // namespace roux::testing

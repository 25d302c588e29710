// `cmake --install`, and programs of others that find what it put in place: the examples are configured, built and run
// outside of the tree, and print what docs/embedding.md shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/sanitizers.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

class Installed : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "programs that link a library with a sanitizer need it themselves";
  }
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    if (kSanitized) return;
    run({"cmake", "--install", binary_dir().string(), "--prefix", prefix()});
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string prefix() { return *folder_ / "prefix"; }

  static std::string run(const std::vector<std::string>& command) {
    const ProcessResult result =
        run_process(command, {.directory = source_dir(), .timeout = std::chrono::seconds(240)});
    EXPECT_EQ(result.exit_code, 0) << command[0] << " " << command[1] << "\n" << result.out << result.err;
    return result.out;
  }

  // The program of an example's folder, built against what is installed, with its warnings as errors.
  static std::string built(const std::string& example) {
    const std::string build = *folder_ / example;
    fs::copy(source_dir() / "examples" / example, build + "-source");  // so that nothing of the tree is beside it
    run({"cmake", "-G", "Ninja", "-S", build + "-source", "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix(),
         "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wshadow -Werror", "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror"});
    run({"cmake", "--build", build});
    return build + "/embed";
  }

  static TemporaryFolder* folder_;
};
TemporaryFolder* Installed::folder_ = nullptr;

// The block of the document behind the fence ```INFO.
std::string shown(const std::string& info) {
  const std::string text = read_file(source_dir() / "docs/embedding.md");
  const std::string fence = "```" + info + "\n";
  const std::size_t begin = text.find(fence);
  EXPECT_NE(begin, text.npos) << info;
  const std::size_t end = text.find("```\n", begin + fence.size());
  return text.substr(begin + fence.size(), end - begin - fence.size());
}

TEST_F(Installed, TheCppExampleDoesWhatTheDocumentShows) { EXPECT_EQ(run({built("embed_cpp"), "-"}), shown("text embed_cpp")); }

TEST_F(Installed, TheCExampleDoesWhatTheDocumentShows) {
  const std::string program = built("embed_c"), out = *folder_ / "mean.safetensors";
  const std::string models = "examples/checkpoints/ft-*", like = "examples/checkpoints/base";
  const std::regex path(std::regex_replace(out, std::regex("[.]"), "\\."));
  EXPECT_EQ(std::regex_replace(run({program, models, like, out}), path, "mean.safetensors"), shown("text embed_c"));
  EXPECT_TRUE(fs::exists(out));
  const ProcessResult again = run_process({program, models, like, out}, {.directory = source_dir()});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.err.find("E0501 (line 4): `" + out + "` exists already"), std::string::npos) << again.err;
}

TEST_F(Installed, TheCommandRuns) { EXPECT_EQ(run({prefix() + "/bin/roux", "eval", "1 + 1"}), "2\n"); }

// Every header by itself, in C++ and (the C one) in C.
TEST_F(Installed, HeadersStandAlone) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(prefix() + "/include")) {
    if (entry.path().extension() != ".h") continue;
    const std::string include = "-I" + prefix() + "/include";
    run({"c++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", include, "-include", entry.path().string(), "-x",
         "c++", "/dev/null"});
    if (entry.path().string().find("roux-c") != std::string::npos)
      run({"cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", include, "-include",
           entry.path().string(), "-x", "c", "/dev/null"});
  }
}

TEST_F(Installed, TheLibraryShowsItsInterfacesAlone) {
  std::istringstream symbols(run({"nm", "-D", "-C", "--defined-only", prefix() + "/lib/" + ROUX_LIBRARY_NAME}));
  std::set<std::string> functions;
  const std::string header = read_file(prefix() + "/include/roux-c/roux.h");
  for (std::string line; std::getline(symbols, line);) {
    const std::string name = line.substr(std::min(line.size(), std::size_t{19}));
    if (name.starts_with("std::")) continue;  // weak instances that other libraries share
    if (name.starts_with("roux_")) {
      functions.insert(name);
      EXPECT_NE(header.find(name + "("), header.npos) << name;
    } else {
      EXPECT_TRUE(name.starts_with("roux::")) << name;
      for (const char* part : {"llvm", "antlr", "nlohmann", "roux::Graph", "roux::Evaluator"})
        EXPECT_FALSE(name.starts_with(part)) << name;
    }
  }
  const std::regex declaration(R"(\b(roux_\w+)\()");
  for (std::sregex_iterator at(header.begin(), header.end(), declaration), end; at != end; ++at)
    EXPECT_TRUE(functions.contains((*at)[1])) << (*at)[1] << " is declared and not there";
}

}  // namespace
}  // namespace roux::testing

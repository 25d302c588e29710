// Who may know whom: reads every #include of the tree and holds it against the tables below, which
// are the picture in ARCHITECTURE.md. CMake cannot do it: with paths from the root, any header can
// be found. A file belongs to the row with the longest matching path. Also: no file is longer than
// 600 lines.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

struct Layer {
  std::string_view path;
  std::vector<std::string_view> may_include;  // paths; its own folder need not be named
};

// clang-format off
const std::vector<Layer> kLayers = {
    {"base",               {}},
    {"runtime/kernel",     {"base"}},
    {"runtime/checkpoint", {"base", "runtime/kernel"}},
    {"runtime/backend",    {"base", "runtime/kernel"}},
    {"runtime/library",    {"base", "runtime/kernel"}},
    {"runtime/score",      {"base", "runtime/kernel"}},
    {"runtime/exec",       {"base", "runtime"}},
    {"compiler/syntax",    {"base"}},
    {"compiler/format",    {"base", "compiler/syntax"}},
    {"compiler/sema",      {"base", "compiler/syntax"}},
    {"compiler/graph",     {"base", "runtime/kernel"}},
    {"compiler/passes",    {"base", "runtime/kernel", "compiler/graph"}},
    {"compiler/lower",     {"base", "runtime/kernel", "runtime/checkpoint", "compiler/graph",
                            "compiler/passes"}},
    {"compiler/interpret", {"base", "compiler", "runtime/kernel", "runtime/checkpoint",
                            "runtime/exec", "runtime/score"}},
    {"compiler",           {"base", "runtime/kernel", "runtime/checkpoint"}},
    {"api",                {"base", "compiler", "runtime"}},
    {"api/checkpoint.h",   {"base"}},
    {"api/roux.h",         {"base", "api/checkpoint.h"}},
    {"api/session.h",      {"base", "api/roux.h"}},
    {"api/analysis.h",     {"base", "api/roux.h", "api/session.h"}},
    {"api/c/roux.h",       {}},
    {"api/c",              {"api/roux.h"}},
    {"cli",                {"base", "api"}},
    {"examples",           {"base", "api"}},
    {"bench",              {"base", "runtime", "api"}},
    {"tests",              {"base", "runtime", "compiler", "api", "cli"}},
};

struct Fence {
  std::string_view headers;                // what they begin with
  std::vector<std::string_view> only_in;
};

// ANTLR has one gate, and it and what it leads to are for a few files.
constexpr std::string_view kAntlrGate = "compiler/syntax/antlr.h";
constexpr std::string_view kTreeBuilder = "compiler/syntax/build_tree.h";
const std::vector<std::string_view> kBehindAntlrGate = {
    "compiler/syntax/build_operands.cpp", "compiler/syntax/build_operators.cpp",
    "compiler/syntax/build_tree.cpp",     kTreeBuilder,
    "compiler/syntax/lexer.cpp",          "compiler/syntax/parse.cpp",
    "compiler/syntax/stop_at_first_error.cpp"};

const std::vector<Fence> kFences = {
    {"llvm/",            {"runtime/backend/llvm"}},
    {"llvm-c/",          {"runtime/backend/llvm"}},
    {"antlr4",           {kAntlrGate}},
    {"RouxLexer",        {kAntlrGate}},
    {"RouxParser",       {kAntlrGate}},
    {kAntlrGate,         kBehindAntlrGate},
    {kTreeBuilder,       kBehindAntlrGate},
    {"Eigen/",           {"runtime/library"}},
    {"unsupported/",     {"runtime/library"}},
    {"CLI/",             {"cli/arguments.cpp"}},
    {"gtest/",           {"tests"}},
    {"benchmark/",       {"bench"}},
    {"valgrind/",        {"bench"}},
};
// clang-format on

constexpr int kMaximalLines = 600;

// Whether `path` is `folder` or inside it.
bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string_view top_of(std::string_view path) { return path.substr(0, path.find('/')); }

const Layer* layer_of(std::string_view file) {
  const Layer* best = nullptr;
  for (const Layer& layer : kLayers) {
    if (!is_in(file, layer.path)) continue;
    if (best == nullptr || layer.path.size() > best->path.size()) best = &layer;
  }
  return best;
}

bool is_ours(std::string_view header) {
  if (header.find('/') == std::string_view::npos) return false;
  return std::any_of(kLayers.begin(), kLayers.end(),
                     [&](const Layer& layer) { return top_of(layer.path) == top_of(header); });
}

std::optional<std::string> complaint_of_fence(std::string_view file, std::string_view header) {
  for (const Fence& fence : kFences) {
    if (!header.starts_with(fence.headers)) continue;
    const bool inside = std::any_of(fence.only_in.begin(), fence.only_in.end(),
                                    [&](std::string_view folder) { return is_in(file, folder); });
    if (inside) return std::nullopt;
    std::string places;
    for (const std::string_view place : fence.only_in)
      places += (places.empty() ? "" : ", ") + std::string(place);
    return "is allowed in " + places + " only";
  }
  return std::nullopt;
}

// The text of one line of source as an include: its header and whether it stands in quotes.
struct Include {
  std::string header;
  bool quoted;
};

std::optional<Include> include_in(std::string_view line) {
  const auto skip_space = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_space();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_space();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  skip_space();
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
  const bool quoted = line.front() == '"';
  line.remove_prefix(1);
  return Include{std::string(line.substr(0, line.find(quoted ? '"' : '>'))), quoted};
}

// Why `file` may not contain `include`; nothing if it may.
std::optional<std::string> complaint(std::string_view file, const Include& include) {
  if (const auto fenced = complaint_of_fence(file, include.header)) return fenced;
  if (!is_ours(include.header)) {
    const bool generated = is_in(file, kAntlrGate);
    if (!include.quoted || generated) return std::nullopt;
    return "is no path from the root of the repository";
  }
  const Layer* layer = layer_of(file);
  if (layer == nullptr) return "stands in a file that no row of the table covers";
  const auto allows = [&](std::string_view folder) { return is_in(include.header, folder); };
  if (allows(layer->path)) return std::nullopt;
  if (std::any_of(layer->may_include.begin(), layer->may_include.end(), allows))
    return std::nullopt;
  return "is not among what " + std::string(layer->path) + " may know";
}

std::vector<std::string> complaints_of(const std::string& file, const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::optional<Include> include = include_in(line);
    if (!include) continue;
    if (const auto problem = complaint(file, *include)) {
      out.push_back(file + ":" + std::to_string(number) + ": " + include->header + " " + *problem);
    }
  }
  return out;
}

// Paths from the root of everything that people write, in all folders but the hidden and the built.
std::vector<std::string> source_files(const std::vector<std::string_view>& suffixes) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (auto at = fs::recursive_directory_iterator(source_dir()); at != fs::end(at); ++at) {
    const std::string name = at->path().filename().string();
    const bool built = at.depth() == 0 && (name.starts_with("build") || name == "out");
    if (at->is_directory() && (name.starts_with('.') || built)) at.disable_recursion_pending();
    const bool wanted = std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) {
      return name.ends_with(suffix);
    });
    if (at->is_regular_file() && wanted)
      files.push_back(fs::relative(at->path(), source_dir()).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool refuses(const std::string& file, const std::string& line) {
  return !complaints_of(file, line).empty();
}

TEST(Layers, every_include_is_allowed) {
  const std::vector<std::string> files = source_files({".cpp", ".h", ".def"});
  ASSERT_GT(files.size(), 20u) << "the walk of the tree is broken";
  for (const std::string& file : files) {
    EXPECT_NE(layer_of(file), nullptr) << file << " is in no row of the table";
    for (const std::string& problem : complaints_of(file, read_file(source_dir() / file))) {
      ADD_FAILURE() << problem;
    }
  }
}

TEST(Layers, every_row_names_something_that_exists) {
  for (const Layer& layer : kLayers) {
    EXPECT_TRUE(std::filesystem::exists(source_dir() / layer.path)) << layer.path;
    for (const std::string_view path : layer.may_include) {
      EXPECT_TRUE(std::filesystem::exists(source_dir() / path)) << path;
    }
  }
}

TEST(Layers, the_check_refuses_upward_includes) {
  EXPECT_TRUE(refuses("base/text.cpp", "#include \"runtime/kernel/op.h\""));
  EXPECT_TRUE(refuses("runtime/exec/executor.cpp", "#include \"compiler/graph/graph.h\""));
  EXPECT_TRUE(refuses("runtime/checkpoint/reader.cpp", "#include \"runtime/exec/executor.h\""));
  EXPECT_TRUE(refuses("compiler/syntax/ast.h", "#include \"compiler/sema/check.h\""));
  EXPECT_TRUE(refuses("compiler/lower/plan.cpp", "#include \"runtime/backend/backend.h\""));
  EXPECT_TRUE(refuses("cli/run.cpp", "  #  include \"compiler/graph/graph.h\""));
  EXPECT_TRUE(refuses("api/roux.h", "#include \"runtime/kernel/plan.h\""));
}

TEST(Layers, the_check_refuses_libraries_outside_their_corner) {
  EXPECT_TRUE(refuses("runtime/backend/backend.h", "#include <llvm/IR/Module.h>"));
  EXPECT_TRUE(refuses("compiler/syntax/ast.h", "#include \"antlr4-runtime.h\""));
  EXPECT_TRUE(refuses("compiler/syntax/parse.cpp", "#include \"antlr4-runtime.h\""));
  EXPECT_TRUE(refuses("compiler/syntax/explain.cpp", "#include \"compiler/syntax/antlr.h\""));
  EXPECT_TRUE(refuses("compiler/sema/check.cpp", "#include \"compiler/syntax/build_tree.h\""));
  EXPECT_TRUE(refuses("runtime/exec/executor.cpp", "#include <Eigen/Dense>"));
  EXPECT_TRUE(refuses("cli/run.cpp", "#include <CLI/CLI.hpp>"));
}

TEST(Layers, the_check_refuses_what_it_cannot_place) {
  EXPECT_TRUE(refuses("cli/run.cpp", "#include \"session.h\"")) << "relative";
  EXPECT_TRUE(refuses("compiler/sema/check.cpp", "#include \"../graph/graph.h\"")) << "relative";
  EXPECT_TRUE(refuses("elsewhere/file.cpp", "#include \"base/text.h\"")) << "no row";
  EXPECT_TRUE(refuses("runtime/kernels/op.cpp", "#include \"base/text.h\"")) << "no row";
}

TEST(Layers, the_check_allows_what_the_table_allows) {
  EXPECT_FALSE(refuses("runtime/exec/executor.cpp", "#include \"runtime/library/selection.h\""));
  EXPECT_FALSE(refuses("runtime/backend/llvm/emit.cpp", "#include <llvm/IR/Module.h>"));
  EXPECT_FALSE(refuses("compiler/syntax/antlr.h", "#include \"antlr4-runtime.h\""));
  EXPECT_FALSE(refuses("compiler/syntax/parse.cpp", "#include \"compiler/syntax/antlr.h\""));
  EXPECT_FALSE(refuses("base/text.cpp", "#include <string>"));
  EXPECT_FALSE(refuses("base/text.cpp", "// #include \"compiler/graph/graph.h\""));
}

TEST(Layers, no_file_is_too_long) {
  for (const std::string& file : source_files({".cpp", ".h", ".def", ".merge", ".g4"})) {
    const std::string text = read_file(source_dir() / file);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), kMaximalLines) << file;
  }
}

}  // namespace
}  // namespace roux::testing

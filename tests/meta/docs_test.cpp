// The documents keep their word: every command that they show prints what they show, every recipe
// in them can be checked, every link leads somewhere. In the fenced blocks of the Markdown files
//
//   ```console      lines `$ COMMAND` run in the root of the tree, with the build's folder first in
//                   PATH; what follows is all that it prints. `...` alone on a line stands for any
//                   lines, `<...>` within one for any characters. Where a block speaks of `out/`,
//                   the recipes that blocks above it run have run.
//   ```repl         a session: what follows `roux> ` and `  ... ` is entered, the rest is all that comes back.
//   ```cpp, c, cmake  stands, line by line, in an example that is built and run (install_test).
//   ```merge        passes `roux check`, with ```merge error it must not; a ```text block that
//                   follows at once is what running it prints.
//
// Commands that set the machine up are not run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <regex>
#include <sstream>

#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/tree_view.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

struct Block {
  std::string file;  // from the root
  int line = 0;      // of its first line
  std::string info;  // what follows the fence
  std::vector<std::string> lines;
  bool follows_at_once = false;  // only blank lines since the block before

  std::string text() const {
    std::string all;
    for (const std::string& text : lines) all += text + '\n';
    return all;
  }
  std::string place() const { return file + ":" + std::to_string(line); }
};

std::vector<std::string> documents() {
  std::vector<std::string> files;
  for (const char* name : {"README.md", "ARCHITECTURE.md"})
    if (fs::exists(source_dir() / name)) files.emplace_back(name);
  for (const char* folder : {"docs", "examples"}) {
    if (!fs::exists(source_dir() / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source_dir() / folder))
      if (entry.path().extension() == ".md")
        files.push_back(fs::relative(entry.path(), source_dir()).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<Block> blocks_of(const std::string& file, const std::string& text) {
  std::vector<Block> blocks;
  bool inside = false, only_blank = false;
  int number = 0;
  for (const std::string& line : lines_of(text)) {
    ++number;
    if (line.starts_with("```")) {
      if (!inside) blocks.push_back({file, number + 1, line.substr(3), {}, only_blank});
      inside = !inside;
      only_blank = !inside;
    } else if (inside) {
      blocks.back().lines.push_back(line);
    } else if (line.find_first_not_of(' ') != line.npos) {
      only_blank = false;
    }
  }
  if (inside) ADD_FAILURE() << file << " has a fence that is not closed";
  return blocks;
}

bool line_fits(const std::string& expected, const std::string& got) {
  static constexpr std::string_view kAny = "<...>";
  std::size_t at = 0, from = 0;
  for (bool first = true;; first = false) {
    const std::size_t gap = expected.find(kAny, from);
    const std::string part = expected.substr(from, gap == expected.npos ? gap : gap - from);
    if (gap == expected.npos) {
      if (first) return got == expected;
      return got.size() - at >= part.size() && got.ends_with(part);
    }
    const std::size_t found = got.find(part, at);
    if (found == got.npos || (first && found != 0)) return false;
    at = found + part.size();
    from = gap + kAny.size();
  }
}

bool fits(const std::vector<std::string>& expected, std::size_t e,
          const std::vector<std::string>& got, std::size_t g) {
  for (; e < expected.size(); ++e, ++g) {
    if (expected[e] == "...") {
      for (std::size_t rest = g; rest <= got.size(); ++rest)
        if (fits(expected, e + 1, got, rest)) return true;
      return false;
    }
    if (g == got.size() || !line_fits(expected[e], got[g])) return false;
  }
  return g == got.size();
}

bool sets_up(const std::string& command) {
  for (const char* begin : {"scripts/demo", "scripts/test", "git clone", "sudo ", "cd ", "cmake "})
    if (command.starts_with(begin)) return true;
  return false;
}

// Standard output and error together, as a terminal would show them.
ProcessResult in_shell(const TreeView& tree, const std::string& command,
                       const std::string& input = "") {
  return run_process(
      {"bash", "-c", "exec 2>&1\n" + command},
      {.input = input,
       .directory = tree.path(),
       .environment = {"PATH=" + binary_dir().string() + ":" + std::getenv("PATH"), "NO_COLOR=1"},
       .timeout = std::chrono::seconds(120)});
}

struct Command {
  std::string text;
  std::vector<std::string> printed;  // expected
};

std::vector<Command> commands_of(const Block& block) {
  std::vector<Command> commands;
  for (const std::string& line : block.lines) {
    if (!commands.empty() && commands.back().printed.empty() &&
        commands.back().text.ends_with('\\')) {
      commands.back().text += '\n' + line;
    } else if (line.starts_with("$ ")) {
      commands.push_back({line.substr(2), {}});
    } else if (commands.empty()) {
      ADD_FAILURE() << block.place() << ": expected `$ COMMAND`";
      break;
    } else {
      commands.back().printed.push_back(line);
    }
  }
  return commands;
}

void run_console(const Block& block, const std::vector<Block>& above) {
  const TreeView tree;
  if (block.text().find("out/") != std::string::npos)
    for (const Block& earlier : above)
      if (earlier.info == "console")
        for (const Command& command : commands_of(earlier))
          if (command.text.starts_with("roux run ")) in_shell(tree, command.text);
  for (const Command& command : commands_of(block)) {
    if (sets_up(command.text)) continue;
    const std::string printed = in_shell(tree, command.text).out;
    EXPECT_TRUE(fits(command.printed, 0, lines_of(printed), 0)) << "$ " << command.text << "\n"
                                                                << printed;
  }
}

void check_recipe(const Block& block, bool must_fail, const Block* output) {
  const TreeView tree;
  const ProcessResult checked = in_shell(tree, "roux check -", block.text());
  EXPECT_EQ(checked.exit_code, must_fail ? 1 : 0) << checked.out;
  if (output == nullptr || must_fail) return;
  const ProcessResult ran = in_shell(tree, "roux run - 2>/dev/null", block.text());
  EXPECT_TRUE(fits(output->lines, 0, lines_of(ran.out), 0)) << ran.out;
}

// Through a pipe, in which neither prompts nor keys are printed.
void enter_session(const Block& block) {
  constexpr std::string_view kPrompts[] = {"roux> ", "  ... "};
  std::string entered;
  std::vector<std::string> expected;
  for (const std::string& line : block.lines) {
    const bool is_entered = line.starts_with(kPrompts[0]) || line.starts_with(kPrompts[1]);
    if (is_entered)
      entered += line.substr(kPrompts[0].size()) + '\n';
    else
      expected.push_back(line);
  }
  const TreeView tree;
  const std::string printed = in_shell(tree, "roux", entered).out;
  EXPECT_TRUE(fits(expected, 0, lines_of(printed), 0)) << printed;
}

std::size_t indent_of(const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); }

// Whether the lines stand in the text one after the other, all moved to the right alike.
bool is_excerpt(const std::vector<std::string>& lines, const std::vector<std::string>& text) {
  for (std::size_t begin = 0; begin + lines.size() <= text.size(); ++begin) {
    const std::size_t indent = indent_of(text[begin]);
    const auto moved = [&](const std::string& line) { return line.empty() ? line : std::string(indent, ' ') + line; };
    if (std::equal(lines.begin(), lines.end(), text.begin() + static_cast<std::ptrdiff_t>(begin),
                   [&](const std::string& line, const std::string& other) { return moved(line) == other; }))
      return true;
  }
  return false;
}

void find_in_examples(const Block& block) {
  for (const char* source : {"examples/embed_cpp/main.cpp", "examples/embed_cpp/CMakeLists.txt", "examples/embed_c/main.c"})
    if (is_excerpt(block.lines, lines_of(read_file(source_dir() / source)))) return;
  ADD_FAILURE() << "no example holds these lines:\n" << block.text();
}

class DocumentBlock : public ::testing::Test {
 public:
  DocumentBlock(std::vector<Block> blocks, std::size_t at) : blocks_(std::move(blocks)), at_(at) {}
  void TestBody() override {
    const Block& block = blocks_[at_];
    SCOPED_TRACE(block.place());
    if (block.info == "console")
      return run_console(block,
                         {blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(at_)});
    if (block.info == "cpp" || block.info == "c" || block.info == "cmake") return find_in_examples(block);
    if (block.info == "repl") return enter_session(block);
    const Block* next = at_ + 1 < blocks_.size() ? &blocks_[at_ + 1] : nullptr;
    const bool has_output = next && next->info == "text" && next->follows_at_once;
    check_recipe(block, block.info == "merge error", has_output ? next : nullptr);
  }

 private:
  std::vector<Block> blocks_;  // of the file
  std::size_t at_;
};

TEST(Documents, LinksLeadSomewhere) {
  const std::regex link(R"(\]\(([^)#\s]*)(#[^)\s]*)?\))");
  for (const std::string& file : documents()) {
    bool fenced = false;
    for (const std::string& line : lines_of(read_file(source_dir() / file))) {
      if (line.starts_with("```")) fenced = !fenced;
      if (fenced) continue;
      for (std::sregex_iterator at(line.begin(), line.end(), link), end; at != end; ++at) {
        const std::string target = (*at)[1];
        if (target.empty() || target.find("://") != target.npos || target.starts_with("mailto:"))
          continue;
        EXPECT_TRUE(fs::exists((source_dir() / file).parent_path() / target))
            << file << ": " << line;
      }
    }
  }
}

TEST(Documents, ThisTestCanTellDifferences) {
  EXPECT_TRUE(fits({"a", "...", "d"}, 0, {"a", "b", "c", "d"}, 0));
  EXPECT_TRUE(fits({"a", "...", "d"}, 0, {"a", "d"}, 0));
  EXPECT_FALSE(fits({"a", "...", "d"}, 0, {"a", "b"}, 0));
  EXPECT_FALSE(fits({"a"}, 0, {"a", "b"}, 0));
  EXPECT_FALSE(fits({"a", "b"}, 0, {"a"}, 0));
  EXPECT_TRUE(fits({"in <...> s (<...>/s)"}, 0, {"in 0.1 s (3 MB/s)"}, 0));
  EXPECT_FALSE(fits({"in <...> s"}, 0, {"on 0.1 s"}, 0));
  EXPECT_FALSE(fits({"in <...> s"}, 0, {"in 0.1 h"}, 0));
  const std::vector<Block> blocks =
      blocks_of("x.md", "text\n```merge\na = 1\n```\n\n```text\n1\n```\n");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].place(), "x.md:3");
  EXPECT_EQ(blocks[0].text(), "a = 1\n");
  EXPECT_TRUE(is_excerpt({"b", "", "  c"}, {"a", "  b", "", "    c", "d"}));
  EXPECT_FALSE(is_excerpt({"b", "c"}, {"a", "  b", "c"}));
  EXPECT_FALSE(is_excerpt({"b", "d"}, {"a", "b", "c", "d"}));
  EXPECT_FALSE(blocks[0].follows_at_once);
  EXPECT_TRUE(blocks[1].follows_at_once);
}

const int kRegistered = [] {
  for (const std::string& file : documents()) {
    const std::vector<Block> blocks = blocks_of(file, read_file(source_dir() / file));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const Block& block = blocks[i];
      constexpr std::string_view kTested[] = {"console", "merge", "merge error", "repl", "cpp", "c", "cmake"};
      if (std::find(std::begin(kTested), std::end(kTested), block.info) == std::end(kTested)) continue;
      std::string name = block.file + "_line_" + std::to_string(block.line);
      std::replace_if(
          name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
      ::testing::RegisterTest("Document", name.c_str(), nullptr, nullptr, file.c_str(), block.line,
                              [=]() -> ::testing::Test* { return new DocumentBlock(blocks, i); });
    }
  }
  return 0;
}();

}  // namespace
}  // namespace roux::testing

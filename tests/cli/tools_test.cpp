// The commands about recipes rather than checkpoints: `fmt`, `doc`, `check --watch`, `completions`; and the pages and
// examples that come of the library's documentation.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "api/roux.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

class Tools : public ::testing::Test {
 protected:
  ProcessResult roux(std::vector<std::string> arguments, ProcessOptions options = {}) {
    arguments.insert(arguments.begin(), command());
    options.directory = folder_.path();
    return run_process(arguments, options);
  }

  static std::string command() { return (binary_dir() / "roux").string(); }

  TemporaryFolder folder_;
};

// --- fmt -------------------------------------------------------------------------------------------

TEST_F(Tools, fmt_rewrites_what_is_not_in_style_and_names_it) {
  write_file(folder_ / "a.merge", "x=1\nprint(x)\n");
  write_file(folder_ / "b.merge", "print(1)\n");
  const ProcessResult result = roux({"fmt", "a.merge", "b.merge"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "formatted a.merge\n");
  EXPECT_EQ(read_file(folder_ / "a.merge"), "x = 1\nprint(x)\n");
  EXPECT_EQ(roux({"fmt", "a.merge"}).out, "") << "nothing is left to do";
}

TEST_F(Tools, fmt_keeps_permissions_and_follows_links) {
  write_file(folder_ / "a.merge", "x=1\n");
  ::chmod((folder_ / "a.merge").c_str(), 0640);
  fs::create_symlink("a.merge", folder_ / "link.merge");
  EXPECT_EQ(roux({"fmt", "link.merge"}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.merge"));
  EXPECT_EQ(read_file(folder_ / "a.merge"), "x = 1\n");
  struct stat info = {};
  ASSERT_EQ(::stat((folder_ / "a.merge").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << "a temporary file is left: " << entry.path();
}

TEST_F(Tools, fmt_reads_standard_input) {
  const ProcessResult result = roux({"fmt", "-"}, {.input = "x=1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "x = 1\n");
}

TEST_F(Tools, fmt_check_lists_and_writes_nothing) {
  write_file(folder_ / "a.merge", "x=1\n");
  write_file(folder_ / "b.merge", "x = 1\n");
  const ProcessResult result = roux({"fmt", "--check", "a.merge", "b.merge"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "would change a.merge\n");
  EXPECT_EQ(read_file(folder_ / "a.merge"), "x=1\n");
  EXPECT_EQ(roux({"fmt", "--check", "b.merge"}).exit_code, 0);
}

TEST_F(Tools, fmt_diff_is_what_patch_reads) {
  std::string text = "a=1\n";
  for (int i = 0; i < 20; ++i) text += "print(" + std::to_string(i) + ")\n\n\n";
  text += "b   = a\n";
  write_file(folder_ / "a.merge", text);
  const ProcessResult diff = roux({"fmt", "--diff", "a.merge"});
  EXPECT_EQ(diff.exit_code, 1);
  EXPECT_EQ(read_file(folder_ / "a.merge"), text) << "--diff writes nothing";
  const std::string expected = roux({"fmt", "-"}, {.input = text}).out;
  if (!is_installed("patch")) GTEST_SKIP() << "patch is not installed";
  const ProcessResult patched = run_process({"patch", "a.merge"}, {.input = diff.out, .directory = folder_.path()});
  EXPECT_EQ(patched.exit_code, 0) << patched.out << diff.out;
  EXPECT_EQ(read_file(folder_ / "a.merge"), expected);
}

TEST_F(Tools, fmt_leaves_a_wrong_recipe_and_goes_on) {
  write_file(folder_ / "a.merge", "x=(1\n");
  write_file(folder_ / "b.merge", "x=1\n");
  const ProcessResult result = roux({"fmt", "a.merge", "missing.merge", "b.merge"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_TRUE(contains(result.err, "a.merge:1:")) << result.err;
  EXPECT_TRUE(contains(result.err, "missing.merge")) << result.err;
  EXPECT_EQ(read_file(folder_ / "a.merge"), "x=(1\n");
  EXPECT_EQ(read_file(folder_ / "b.merge"), "x = 1\n");
}

TEST_F(Tools, fmt_takes_the_recipes_of_a_folder) {
  fs::create_directories(folder_ / "in/below");
  fs::create_directories(folder_ / "in/.hidden");
  for (const char* path : {"in/a.merge", "in/below/b.merge", "in/.hidden/c.merge", "in/d.txt"})
    write_file(folder_ / path, "x=1\n");
  EXPECT_EQ(roux({"fmt", "in"}).out, "formatted in/a.merge\nformatted in/below/b.merge\n");
  EXPECT_EQ(read_file(folder_ / "in/.hidden/c.merge"), "x=1\n");
}

// --- doc -------------------------------------------------------------------------------------------

std::vector<MethodDocument> library_documents() {
  Result<Engine> engine = Engine::create({});
  return *engine->methods();
}

TEST_F(Tools, doc_of_a_method) {
  const ProcessResult result = roux({"doc", "ties"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* part : {"ties(models: list[model]", "k: fraction | list[fraction] = 0.2", "TIES-Merging: trim",
                           "Yadav et al. 2023, arXiv:2306.01708", "stdlib/ties.merge", "the share of changes"})
    EXPECT_TRUE(contains(result.out, part)) << part << "\n" << result.out;
}

TEST_F(Tools, doc_lists_every_method_by_group) {
  const ProcessResult result = roux({"doc"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("Merge methods\n")) << result.out;
  for (const MethodDocument& document : library_documents())
    EXPECT_TRUE(contains(result.out, "\n  " + document.name + " ")) << document.name;
}

TEST_F(Tools, doc_of_an_unknown_method_names_the_nearest) {
  const ProcessResult result = roux({"doc", "tise"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "no method `tise`; nearest is `ties`")) << result.err;
}

TEST_F(Tools, doc_of_a_recipe_shows_its_own_methods) {
  write_file(folder_ / "own.merge",
             "## Half of it.\n## - x: what is halved,\n##   all of it\n## > half(4) == 2\n## Doe 2020\n"
             "method half(x: number, by: number = 2) -> number = x / by\nprint(half(1))\n");
  const ProcessResult result = roux({"doc", "own.merge"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "half(x: number, by: number = 2) -> number\n\nHalf of it.\n\n  x  what is halved, all of it\n\n"
            "examples\n  half(4) == 2\n\nreference  Doe 2020\nfile       own.merge\n");
}

TEST(LibraryDocumentation, EveryMethodHasSome) {
  for (const MethodDocument& document : library_documents()) {
    EXPECT_FALSE(document.documentation.empty()) << document.name;
    EXPECT_FALSE(contains(document.documentation, "\n- ") || document.documentation.starts_with("- "))
        << document.name << " tells of a parameter that it does not have: " << document.documentation;
  }
}

TEST(LibraryDocumentation, ExamplesAreTrue) {
  Result<Engine> made = Engine::create({.threads = 1, .backend = "reference"});
  Engine& engine = *made;
  const std::vector<MethodDocument> documents = *engine.methods();
  std::size_t count = 0;
  for (const MethodDocument& document : documents)
    for (const std::string& example : document.examples) {
      const Result<std::string> value = engine.evaluate(example, {});
      EXPECT_EQ(value ? *value : engine.render(value.error()), "true") << document.name << ": " << example;
      ++count;
    }
  EXPECT_GT(count, 10u);
}

TEST(LibraryDocumentation, PageIsNotStale) {
  const ProcessResult page = run_process({(binary_dir() / "roux").string(), "doc", "--markdown"});
  EXPECT_EQ(read_file(source_dir() / "docs/methods.md"), page.out)
      << "run `build/roux doc --markdown > docs/methods.md`";
}

// --- check --watch ---------------------------------------------------------------------------------

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) ++count;
  return count;
}

TEST_F(Tools, watch_checks_again_when_the_recipe_or_an_input_changes) {
  const std::vector<F32Tensor> small = {{"w", {1}, {1}}}, other = {{"v", {1}, {1}}};
  write_file(folder_ / "a.safetensors", f32_safetensors(small));
  write_file(folder_ / "b.safetensors", f32_safetensors(small));
  const std::string recipe = "save(mean([load(\"a.safetensors\"), load(\"b.safetensors\")]), \"out\")\n";
  write_file(folder_ / "m.merge", recipe);
  int step = 0;
  const ProcessResult result = roux(
      {"check", "--watch", "m.merge"},
      {.terminal = true, .watch = [&](int process, const std::string& printed) {
        const std::size_t good = count_of(printed, "m.merge: no errors"), bad = count_of(printed, "error[");
        if (step == 0 && good == 1) write_file(folder_ / "b.safetensors", f32_safetensors(other)), ++step;
        if (step == 1 && bad == 1) write_file(folder_ / "b.safetensors", f32_safetensors(small)), ++step;
        if (step == 2 && good == 2) write_file(folder_ / "m.merge", recipe + "# more\n"), ++step;
        if (step == 3 && good == 3) ::kill(process, SIGINT), ++step;
      }});
  EXPECT_EQ(step, 4) << result.out << result.err;
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(contains(result.out, "\x1b[2J")) << "a terminal is cleared";
}

TEST_F(Tools, watch_sees_an_import_that_comes_later) {
  write_file(folder_ / "m.merge", "import \"parts/more.merge\" as more\nprint(more.k)\n");
  int step = 0;
  const ProcessResult result = roux({"check", "--watch", "m.merge"}, {.terminal = true, .watch = [&](int process, const std::string& printed) {
    const std::size_t good = count_of(printed, "m.merge: no errors");
    if (step == 0 && count_of(printed, "error[E0401]") == 1) {
      fs::create_directory(folder_ / "parts");
      write_file(folder_ / "parts/more.merge", "k = nonsense\n"), ++step;
    }
    if (step == 1 && count_of(printed, "error[E0201]") == 1) write_file(folder_ / "parts/more.merge", "k = 1\n"), ++step;
    if (step == 2 && good == 1) ::kill(process, SIGINT), ++step;
  }});
  EXPECT_EQ(step, 3) << result.out << result.err;
}

TEST_F(Tools, watch_of_standard_input_is_refused) {
  const ProcessResult result = roux({"check", "--watch", "-"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "standard input cannot be watched")) << result.err;
}

// --- completions -----------------------------------------------------------------------------------

// What bash offers for the last of the words.
std::vector<std::string> completed(const fs::path& directory, const std::string& roux, std::vector<std::string> words) {
  std::string script = "source <('" + roux + "' completions bash)\nCOMP_WORDS=(roux";
  for (const std::string& word : words) script += " '" + word + "'";
  script += ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\n_roux\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const ProcessResult result = run_process({"bash", "-c", script}, {.directory = directory});
  EXPECT_EQ(result.err, "");
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < result.out.size();) {
    const std::size_t end = result.out.find('\n', at);
    if (end > at) lines.push_back(result.out.substr(at, end - at));
    at = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

using Words = std::vector<std::string>;

TEST_F(Tools, bash_completes_for_real) {
  write_file(folder_ / "my soup.merge", "");
  write_file(folder_ / "notes.txt", "");
  fs::create_directory(folder_ / "models");
  const auto offered = [&](Words words) { return completed(folder_.path(), command(), std::move(words)); };
  EXPECT_EQ(offered({"ch"}), (Words{"check"}));
  EXPECT_EQ(offered({"run", ""}), (Words{"models", "my soup.merge"}));
  EXPECT_EQ(offered({"run", "--me"}), (Words{"--memory"}));
  EXPECT_EQ(offered({"fmt", "--ch"}), (Words{"--check"}));
  EXPECT_EQ(offered({"doc", "tie"}), (Words{"ties"}));
  EXPECT_EQ(offered({"inspect", "no"}), (Words{"notes.txt"}));
  EXPECT_EQ(offered({"completions", ""}), (Words{"bash", "fish", "zsh"}));
  EXPECT_EQ(offered({"help", "ru"}), (Words{"run"}));
  EXPECT_EQ(offered({"run", "--memory", ""}), (Words{})) << "a size is no file";
}

// In place of what zsh's completion system does with it: shows what the script asks for. (A real one needs a terminal
// and a keyboard.)
constexpr char kAskedOfZsh[] = R"zsh(
compdef() { }
_describe() { print -r -- describe ${(P)2} }
_arguments() { print -rl -- "$@" }
compadd() { print -r -- "$@" }
source script
words=("$@")
CURRENT=$#words
PREFIX=$words[-1]
_roux
)zsh";

// What a shell offers for the last word of a line: the first word of each line that it prints.
Words offered_lines(const ProcessResult& result) {
  EXPECT_EQ(result.err, "");
  Words words;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);)
    if (const std::string word = line.substr(0, line.find('\t')); !word.empty()) words.push_back(word);
  std::sort(words.begin(), words.end());
  return words;
}

TEST_F(Tools, zsh_is_asked_for_what_it_can_do) {
  if (!is_installed("zsh")) GTEST_SKIP() << "zsh is not installed";
  write_file(folder_ / "asked", kAskedOfZsh);
  write_file(folder_ / "script", roux({"completions", "zsh"}).out);
  const auto asked = [&](Words words) {
    words.insert(words.begin(), {"zsh", "-f", "asked", "roux"});
    const ProcessResult result = run_process(words, {.directory = folder_.path()});
    EXPECT_EQ(result.err, "");
    return result.out;
  };
  EXPECT_TRUE(contains(asked({"ch"}), "describe run:Carry out a recipe check:"));
  EXPECT_TRUE(contains(asked({"help", ""}), "describe run:"));
  EXPECT_TRUE(contains(asked({"--"}), "--help --version"));
  // In braces, or `_arguments` would hand `_alternative` options that it does not know.
  EXPECT_TRUE(contains(asked({"run", ""}), "\n*:subject:{_alternative 'files:file:_files -g \"*.merge\"'}\n"));
  EXPECT_TRUE(contains(asked({"completions", ""}), "{_alternative 'words:word:(bash fish zsh)'}"));
  EXPECT_TRUE(contains(asked({"run", ""}), "\n--memory[Memory beyond the page cache (default\\: 1G)]:value: \n"));
  EXPECT_FALSE(contains(asked({"eval", "plan", "--"}), "--kernels")) << "`plan` is the expression here";
}

TEST_F(Tools, fish_completes_for_real) {
  if (!is_installed("fish")) GTEST_SKIP() << "fish is not installed";
  write_file(folder_ / "my soup.merge", "");
  write_file(folder_ / "notes.txt", "");
  write_file(folder_ / "script", roux({"completions", "fish"}).out);
  const auto offered = [&](const std::string& line) {
    return offered_lines(run_process({"fish", "--no-config", "-c", "source script; complete -C '" + line + "'"},
                                     {.directory = folder_.path(), .environment = {"HOME=" + folder_.path().string()}}));
  };
  EXPECT_EQ(offered("roux ch"), (Words{"check"}));
  EXPECT_EQ(offered("roux he"), (Words{"help"}));
  EXPECT_EQ(offered("roux help ru"), (Words{"run"}));
  EXPECT_EQ(offered("roux --v"), (Words{"--version"}));
  EXPECT_EQ(offered("roux run my"), (Words{"my soup.merge"}));
  EXPECT_EQ(offered("roux run no"), (Words{})) << "no recipe";
  EXPECT_EQ(offered("roux run --me"), (Words{"--memory"}));
  EXPECT_EQ(offered("roux run --memory "), (Words{})) << "a size is no file";
  EXPECT_EQ(offered("roux doc tie"), (Words{"ties"}));
  EXPECT_EQ(offered("roux inspect no"), (Words{"notes.txt"}));
  EXPECT_EQ(offered("roux completions "), (Words{"bash", "fish", "zsh"}));
  EXPECT_EQ(offered("roux eval plan --kern"), (Words{})) << "`plan` is the expression here";
}

TEST_F(Tools, every_command_is_completed) {
  const ProcessResult help = roux({"--help"});
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const ProcessResult script = roux({"completions", shell});
    EXPECT_EQ(script.exit_code, 0) << script.err;
    for (const char* name : {"run", "check", "plan", "eval", "inspect", "recipe", "fmt", "doc", "completions"}) {
      EXPECT_TRUE(contains(help.out, name));
      EXPECT_TRUE(contains(script.out, name)) << shell << ": " << name;
    }
    EXPECT_FALSE(contains(script.out, "vector-width")) << "options for tests stay hidden";
    write_file(folder_ / "script", script.out);
    if (!is_installed(shell)) continue;
    const ProcessResult syntax = run_process({shell, "-n", (folder_ / "script").string()});
    EXPECT_EQ(syntax.exit_code, 0) << shell << ": " << syntax.err;
  }
}

TEST_F(Tools, completions_for_an_unknown_shell) {
  const ProcessResult result = roux({"completions", "tcsh"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "bash, fish, zsh")) << result.err;
}

}  // namespace
}  // namespace roux::testing

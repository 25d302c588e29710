// The command `roux`: the table of commands, and the one place where exceptions end.
#include <malloc.h>

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace roux::cli {
namespace {

// clang-format off
constexpr Command kCommands[] = {
    {"run", "Carry out a recipe", "FILE", "The recipe; `-` reads it from standard input",
     kSettings | kEngine | kRunning | kResuming,
     "  roux run soup.merge\n"
     "  roux run soup.merge --set k=0.3 --set out=\"out/k3\"\n"
     "  roux run soup.merge --resume           go on where an interrupted run was ended\n"
     "  roux run soup.merge --memory 4G --threads 8\n"
     "  echo 'save(load(\"a\"), \"b\", dtype = bf16)' | roux run -",
     run_recipe},
    {"check", "Find what is wrong with a recipe and its inputs; reads no tensor", "FILE",
     "The recipe; `-` reads it from standard input", kSettings | kEngine | kWatching,
     "  roux check soup.merge\n"
     "  roux check --watch soup.merge",
     check_recipe},
    {"plan", "Show what a run would do: sweeps, bytes, memory", "FILE",
     "The recipe; `-` reads it from standard input", kSettings | kEngine | kKernels,
     "  roux plan soup.merge\n"
     "  roux plan soup.merge --kernels",
     plan_recipe},
    {"eval", "Print the value of one expression", "EXPRESSION",
     "In quotes, so that the shell leaves it alone", kEngine,
     "  roux eval '1 / 3'\n"
     "  roux eval 'norm(load(\"a\") - load(\"b\"), over = model)'",
     evaluate_expression},
    {"inspect", "List the tensors of a checkpoint", "CHECKPOINT",
     "A safetensors file or a checkpoint's folder", kNothing,
     "  roux inspect checkpoints/base\n"
     "  roux inspect model.safetensors",
     inspect_checkpoint},
    {"recipe", "Print the recipe that made a checkpoint", "CHECKPOINT",
     "A file or folder that Roux wrote", kInto,
     "  roux recipe out/soup\n"
     "  roux recipe out/soup > again.merge\n"
     "  roux recipe out/soup --into again",
     show_recipe},
    {"explain", "Tell what a diagnostic means, and what to do", "CODE",
     "As it is printed, or its name; without it, all of them are listed", kMaybeSubject,
     "  roux explain E0305\n"
     "  roux explain total_weight",
     explain_diagnostic},
    {"repl", "Enter statements one by one; so does `roux` alone", nullptr, nullptr,
     kSettings | kEngine | kRunning,
     "  roux\n"
     "  roux repl --threads 4 --set k=0.3\n"
     "  echo 'norm(load(\"a\"), over = model)' | roux",
     start_repl},
    {"fmt", "Bring recipes into the one style they are written in", "FILES",
     "Recipes, or folders of them; `-` stands for standard input and output", kSeveral | kFormatting,
     "  roux fmt soup.merge\n"
     "  roux fmt --check recipes/              for a build that insists on it\n"
     "  roux fmt --diff soup.merge             what would change",
     format_recipes},
    {"doc", "Tell about a method: signature, meaning, paper, defaults", "METHOD",
     "A method of the library, or a recipe, for its own methods; nothing lists all", kMaybeSubject | kReading,
     "  roux doc                               the methods, by group\n"
     "  roux doc ties\n"
     "  roux doc my_methods.merge",
     show_methods},
    {"lsp", "Serve an editor: findings, hover, completion, definitions, formatting", nullptr, nullptr, kNothing,
     "  roux lsp                               speaks the Language Server Protocol on standard input and output;\n"
     "                                         docs/editors/README.md says how editors start it",
     serve_editor},
    {"completions", "Print what a shell needs to complete the words of `roux`", "SHELL", "bash, fish or zsh", kNothing,
     "  source <(roux completions bash)        in ~/.bashrc\n"
     "  source <(roux completions zsh)         in ~/.zshrc, behind compinit\n"
     "  roux completions fish > ~/.config/fish/completions/roux.fish",
     print_completions},
};
// clang-format on

// What got past every other place where errors are told. It leaves as those do, as a document where `--json` asks
// for one.
ExitCode tell_last(int argc, char** argv, const Diagnostic& problem) {
  Arguments arguments{.command = argc > 1 ? argv[1] : ""};
  arguments.json = std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
  return Terminal(arguments).fail({problem});
}

// Tables of tensors come and go; giving their pages back to the system and faulting them in again costs a tenth of
// the time that many small tensors take.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

int run_command_line(int argc, char** argv) {
  survive_closed_pipes();
  const auto parsed =
      parse_arguments(kCommands, std::vector<std::string>(argv + (argc > 0), argv + argc));
  if (const ExitCode* code = std::get_if<ExitCode>(&parsed)) return *code;
  const Invocation& invocation = std::get<Invocation>(parsed);
  return invocation.command->action(invocation.arguments);
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace roux::cli

int main(int argc, char** argv) {
  using roux::DiagnosticKind;
  roux::cli::keep_freed_memory();
  try {
    return roux::cli::run_command_line(argc, argv);
  } catch (const std::bad_alloc&) {
    roux::cli::tell_last(argc, argv, roux::error(DiagnosticKind::memory_budget, {}, "out of memory"));
    return roux::cli::kEnvironmentError;  // no `--memory` that the user gave
  } catch (const std::exception& problem) {
    return roux::cli::tell_last(argc, argv,
                                roux::error(DiagnosticKind::internal, {}, std::string("a bug in roux: ") + problem.what())
                                    .hint("please report it, with the recipe"));
  }
}

// The commands of `roux`. A command is a row: its name, what it takes, its help, and one function
// from parsed arguments to an exit code. To add one: a .cpp here, a declaration below, a row in
// main.cpp. Commands know nothing of the command line's syntax; arguments.h does not know what
// commands do.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "api/roux.h"

namespace roux::cli {

enum ExitCode : int {
  kDone = 0,
  kUserError = 1,         // the recipe, its inputs, or the command line
  kEnvironmentError = 2,  // files, disk, scorer, interrupted
  kInternalError = 70,    // a bug in Roux
};

struct Arguments {
  std::string command;  // the row's name
  std::string subject;  // the recipe, checkpoint or expression
  std::vector<std::string> subjects;  // of a command that takes several
  Settings settings;    // --set
  Options options;
  std::string into;     // --into
  bool quiet = false;
  bool verbose = false;
  bool kernels = false;
  bool json = false;
  bool only_check = false;
  bool diff = false;
  bool markdown = false;
  bool watch = false;
};

// What a command takes besides its subject; the help shows no more than that.
enum Takes : unsigned {
  kNothing = 0,
  kSettings = 1,  // --set
  kEngine = 2,    // --threads --memory --backend --max-depth --max-steps, and those for testing
  kRunning = 4,   // --no-fsync --quiet --verbose
  kKernels = 8,   // --kernels
  kMaybeSubject = 16,  // the subject may be left out
  kInto = 32,          // --into
  kSeveral = 64,       // more than one subject
  kFormatting = 128,   // --check --diff
  kReading = 256,      // --markdown
  kWatching = 512,     // --watch
  kResuming = 1024,    // --resume
};

struct Command {
  const char* name;
  const char* summary;
  const char* subject;  // what the help calls it: FILE; null: it takes none
  const char* subject_help;
  unsigned takes;
  const char* examples;
  int (*action)(const Arguments&);
};

std::span<const Command> commands();  // main.cpp

int run_recipe(const Arguments& arguments);
int check_recipe(const Arguments& arguments);
int plan_recipe(const Arguments& arguments);
int evaluate_expression(const Arguments& arguments);
int inspect_checkpoint(const Arguments& arguments);
int show_recipe(const Arguments& arguments);
int explain_diagnostic(const Arguments& arguments);
int start_repl(const Arguments& arguments);
int serve_editor(const Arguments& arguments);
int format_recipes(const Arguments& arguments);
int show_methods(const Arguments& arguments);
int print_completions(const Arguments& arguments);

}  // namespace roux::cli

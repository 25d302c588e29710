#include "cli/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cwchar>

#include "base/table.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/window.h"

namespace roux::cli {
namespace {

constexpr char kEscape = '\1';  // around what has no width in a prompt

// A handler can reach nothing but a global.
volatile std::sig_atomic_t interrupted = 0, resized = 0, continued = 0, ended = 0;

void on_signal(int signal) {
  (signal == SIGINT ? interrupted : signal == SIGWINCH ? resized : signal == SIGCONT ? continued : ended) = 1;
}

sigset_t mask_while_waiting;

// While a line is read, signals wait until a character is waited for, and then end the waiting: none is missed.
class SignalScope {
 public:
  SignalScope() {
    interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : kSignals) sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &mask_while_waiting);
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &previous_[i]);
  }
  ~SignalScope() {
    sigprocmask(SIG_SETMASK, &mask_while_waiting, nullptr);
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &previous_[i], nullptr);
  }
  SignalScope(const SignalScope&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGWINCH, SIGCONT, SIGTERM, SIGHUP};
  struct sigaction previous_[5];
};

// libedit's own reader goes on after signals; this one ends at Ctrl-C and where the process is to end.
int read_character(EditLine* editor, wchar_t* character) {
  std::mbstate_t state{};
  for (;;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (ppoll(&input, 1, nullptr, &mask_while_waiting) < 0) {
      if (errno != EINTR || interrupted || ended) return -1;
      if (std::exchange(resized, 0)) el_resize(editor);
      if (std::exchange(continued, 0)) {
        el_set(editor, EL_PREP_TERM, 1);
        el_set(editor, EL_REFRESH);
      }
      continue;
    }
    char byte = 0;
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count <= 0) return static_cast<int>(count);
    const std::size_t used = std::mbrtowc(character, &byte, 1, &state);
    if (used == static_cast<std::size_t>(-2)) continue;  // the character has more bytes
    if (used != static_cast<std::size_t>(-1)) return 1;
    state = {};
  }
}

// Side by side, as many as fit, read downwards.
void list(const std::vector<Candidate>& candidates) {
  std::size_t widest = 0;
  for (const Candidate& candidate : candidates) widest = std::max(widest, columns_of(candidate.label));
  const std::size_t across = std::max<std::size_t>(1, columns_of_window(STDOUT_FILENO) / (widest + 2));
  const std::size_t rows = (candidates.size() + across - 1) / across;
  std::vector<std::vector<std::string>> cells(rows);
  for (std::size_t i = 0; i < candidates.size(); ++i) cells[i % rows].push_back(candidates[i].label);
  std::fputc('\n', stdout);
  for (const std::string& line : in_columns(cells)) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::string common_beginning(const std::vector<Candidate>& candidates) {
  std::string common = candidates[0].text;
  for (const Candidate& candidate : candidates) {
    const auto end = std::mismatch(common.begin(), common.end(), candidate.text.begin(), candidate.text.end());
    common.erase(end.first, common.end());
  }
  while (!common.empty() && is_utf8_continuation(common.back())) common.pop_back();
  return common;
}

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  ::History* history = nullptr;
  Complete complete;
  std::string prompt;

  static State& of(EditLine* editor) {
    State* state = nullptr;
    el_get(editor, EL_CLIENTDATA, &state);
    return *state;
  }

  static char* prompt_of(EditLine* editor) { return of(editor).prompt.data(); }

  static unsigned char on_tab(EditLine* editor, int) {
    const LineInfo* info = el_line(editor);
    const std::string text(info->buffer, info->cursor);
    const Completion completion = of(editor).complete(text);
    if (completion.candidates.empty()) return CC_ERROR;
    const std::string typed = text.substr(completion.begin);
    const std::string common = common_beginning(completion.candidates);
    if (common.size() > typed.size() || (completion.candidates.size() == 1 && common != typed)) {
      el_deletestr(editor, static_cast<int>(columns_of(typed)));
      el_insertstr(editor, common.c_str());
      return CC_REFRESH;
    }
    if (completion.candidates.size() == 1) return CC_NORM;
    list(completion.candidates);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(Complete complete) : state_(std::make_unique<State>()) {
  std::setlocale(LC_CTYPE, "");
  State& state = *state_;
  state.complete = std::move(complete);
  state.editor = el_init("roux", stdin, stdout, stderr);
  state.history = history_init();
  EditLine* editor = state.editor;
  HistEvent event;
  history(state.history, &event, H_SETSIZE, 1 << 20);  // what there is to remember is limited elsewhere
  el_set(editor, EL_CLIENTDATA, &state);
  el_set(editor, EL_PROMPT_ESC, &State::prompt_of, kEscape);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_SIGNAL, 0);
  el_set(editor, EL_GETCFN, read_character);
  el_set(editor, EL_HIST, history, state.history);
  el_set(editor, EL_ADDFN, "roux-complete", "complete", &State::on_tab);
  constexpr const char* kKeys[][2] = {
      {"^I", "roux-complete"},           {"^R", "em-inc-search-prev"},
      {"\\e[3~", "ed-delete-next-char"}, {"\\e[H", "ed-move-to-beg"},
      {"\\e[1~", "ed-move-to-beg"},      {"\\e[F", "ed-move-to-end"},
      {"\\e[4~", "ed-move-to-end"},      {"\\e[1;5C", "em-next-word"},
      {"\\e[1;5D", "ed-prev-word"},
  };
  for (const auto& [key, function] : kKeys) el_set(editor, EL_BIND, key, function, nullptr);
  el_source(editor, nullptr);  // what the user has in ~/.editrc goes over this
}

LineEditor::~LineEditor() {
  el_end(state_->editor);
  history_end(state_->history);
}

LineEditor::Event LineEditor::read(const std::string& prompt, bool coloured, std::string& line) {
  const auto hidden = [](const char* sequence) { return kEscape + std::string(sequence) + kEscape; };
  state_->prompt = coloured ? hidden("\x1b[1;34m") + prompt + hidden("\x1b[0m") + " " : prompt + " ";
  const SignalScope signals;
  el_set(state_->editor, EL_PREP_TERM, 1);  // before the prompt: what is typed once it stands there is keys
  int count = 0;
  const char* text = el_gets(state_->editor, &count);
  if (interrupted) {
    std::fputs("^C\n", stdout);
    std::fflush(stdout);
    return Event::interrupted;
  }
  if (ended || text == nullptr || count <= 0) return Event::closed;
  line.assign(text);
  if (line.ends_with('\n')) line.pop_back();
  return Event::line;
}

void LineEditor::set_history(const std::vector<std::string>& entries) {
  HistEvent event;
  history(state_->history, &event, H_CLEAR);
  for (const std::string& entry : entries) history(state_->history, &event, H_ENTER, entry.c_str());
}

}  // namespace roux::cli

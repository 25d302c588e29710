#include "api/engine_state.h"

#include <algorithm>
#include <set>
#include <thread>
#include <tuple>

#include "base/limits.h"
#include "base/text.h"

namespace roux {

Diagnostic internal_error(const std::exception& bug) {
  return error(DiagnosticKind::internal, {}, std::string("a bug in roux: ") + bug.what())
      .hint("please report it, with the recipe");
}

namespace {

template <class T, class... Parameters>
std::function<T(Parameters...)> fence(const char* name, const std::function<T(Parameters...)>& callback) {
  if (!callback) return nullptr;
  return [name, callback](Parameters... arguments) -> T {
    try {
      return callback(std::forward<Parameters>(arguments)...);
    } catch (const std::exception& thrown) {
      throw HostError(quoted(name) + " threw: " + thrown.what());
    } catch (...) {
      throw HostError(quoted(name) + " threw something that is no exception");
    }
  };
}

}  // namespace

Events fenced(const Events& events) {
  return {.on_print = fence("on_print", events.on_print),
          .on_note = fence("on_note", events.on_note),
          .on_progress = fence("on_progress", events.on_progress),
          .on_log = fence("on_log", events.on_log),
          .on_resume = fence("on_resume", events.on_resume),
          .cancel = events.cancel};
}

ReadImport fenced(const ReadImport& read) { return fence("read_import", read); }

Diagnostics errors_of(Diagnostics findings) {
  std::erase_if(findings, [](const Diagnostic& d) { return d.severity != Severity::error; });
  const auto place = [](const Diagnostic& d) { return std::tuple(d.span.source, d.span.begin, d.span.end); };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  const auto repeated = [&](const Diagnostic& a, const Diagnostic& b) {
    return a.kind == b.kind && place(a) == place(b) && a.message == b.message;
  };
  findings.erase(std::unique(findings.begin(), findings.end(), repeated), findings.end());
  if (findings.size() > limits::kFindings) findings.resize(limits::kFindings);
  return findings;
}

void add_evaluated(Diagnostics& findings, Diagnostics evaluated) {
  const Diagnostics of_the_text = findings;
  for (Diagnostic& found : evaluated) {
    const bool told = std::any_of(of_the_text.begin(), of_the_text.end(), [&](const Diagnostic& known) {
      return known.severity == Severity::error && known.span.valid() && known.span == found.span;
    });
    if (!told) findings.push_back(std::move(found));
  }
}

Events told_once(const Events& events) {
  Events once = events;
  if (!events.on_note) return once;
  auto told = std::make_shared<std::set<std::tuple<SourceId, std::uint32_t, std::string>>>();
  once.on_note = [told, tell = events.on_note](const Diagnostic& note) {
    if (told->insert({note.span.source, note.span.begin, note.message}).second) tell(note);
  };
  return once;
}

Result<int> thread_count(long wanted) {
  if (wanted < 0 || wanted > limits::kThreads)
    return error(DiagnosticKind::bad_option, {},
                 "threads are from 1 to " + std::to_string(limits::kThreads) + ", got " + std::to_string(wanted));
  return wanted > 0 ? static_cast<int>(wanted) : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace roux

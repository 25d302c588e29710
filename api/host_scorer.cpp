#include "api/host_scorer.h"

#include <cmath>

#include "base/text.h"

namespace roux {

Diagnostic score_error(std::string message) { return error(DiagnosticKind::scorer_failed, {}, std::move(message)); }

std::optional<Scorer> host_scorer(const std::map<std::string, HostScorer>& scorers, const std::string& parameter) {
  const auto found = scorers.find(parameter);
  if (found == scorers.end()) return std::nullopt;
  Scorer scorer;
  scorer.host = parameter;
  scorer.higher_is_better = found->second.goal == Goal::max;
  return scorer;
}

Result<double> call_scorer(const HostScorer& scorer, const std::string& parameter, Checkpoint::Ptr model, Span span) {
  const std::string who = "the host's scorer " + quoted(parameter);
  const auto failed = [&](const std::string& how) { return error(DiagnosticKind::scorer_failed, span, who + how); };
  try {
    const Result<double> score = scorer.score(reader_of(std::move(model)));
    if (!score) {
      Diagnostics findings = score.error();
      if (findings.empty()) return failed(" failed and does not say why");
      for (Diagnostic& finding : findings) {
        finding.severity = Severity::error;
        finding.message = who + " failed: " + finding.message;
        if (!finding.span.valid()) finding.span = span;
      }
      return findings;
    }
    if (std::isnan(*score)) return failed(" gave NaN, expected a number");
    return *score;
  } catch (const std::exception& thrown) {
    return failed(std::string(" threw: ") + thrown.what());
  } catch (...) {
    return failed(" threw something that is no exception");
  }
}

}  // namespace roux

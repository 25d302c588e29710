#include "cli/report_lines.h"

#include <cstdio>

#include "base/text.h"

namespace roux::cli {

std::string output_line(const SavedOutput& output) {
  std::string line = "saved " + printable(output.path) + ": " +
                     format_count(output.tensors, "tensor") + ", " + format_bytes(output.bytes);
  if (!output.dtype.empty()) line += ", " + output.dtype;  // without floating tensors there is none to name
  if (output.score) line += " (score " + format_number(*output.score) + ")";
  return line;
}

Json outputs_as_json(const Report& report) {
  Json outputs = Json::array();
  for (const SavedOutput& output : report.outputs)
    outputs.push_back({{"path", output.path},
                       {"tensors", output.tensors},
                       {"bytes", output.bytes},
                       {"dtype", output.dtype},
                       {"score", output.score ? Json(*output.score) : Json()}});
  return outputs;
}

std::string summary_line(const Report& report) {
  std::string line =
      format_bytes(report.bytes_read) + " read, " + format_bytes(report.bytes_written) + " written";
  if (report.models_scored > 0)
    line += ", " + format_count(report.models_scored, "model") + " scored";
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, report.seconds < 0.1 ? " in %.3f s" : " in %.1f s",
                report.seconds);
  line += seconds;
  if (report.seconds <= 0) return line;
  const double rate =
      static_cast<double>(report.bytes_read + report.bytes_written) / report.seconds;
  return line + " (" + format_bytes(static_cast<std::uint64_t>(rate)) + "/s)";
}

}  // namespace roux::cli

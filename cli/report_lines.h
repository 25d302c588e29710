// What a run did, in a line each: for its outputs and for the whole.
#pragma once

#include <string>

#include "cli/terminal.h"

namespace roux::cli {

// saved out/soup: 68 tensors, 92.7 kB, bf16 (score 0.856)
std::string output_line(const SavedOutput& output);
// 1.7 MB read, 92.7 kB written, 21 models scored in 3.1 s (0.6 MB/s)
// The same of all outputs, for `--json`.
Json outputs_as_json(const Report& report);
std::string summary_line(const Report& report);

}  // namespace roux::cli

// A place for a model that exists only to be scored: a folder of this process in shared memory where it fits
// the budget, else beside the outputs. Removed when it has been scored; folders of processes that died are removed
// by the next run.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace roux {

class CandidateFolder {
 public:
  CandidateFolder() = default;
  ~CandidateFolder();
  CandidateFolder(const CandidateFolder&) = delete;
  CandidateFolder& operator=(const CandidateFolder&) = delete;

  // The path at which to write a candidate of `bytes`; the one before is removed. `free_memory`: what the plan that
  // makes it leaves of the budget. `beside`: a folder on the disk of the outputs.
  Result<std::string> place(std::uint64_t bytes, std::uint64_t free_memory, bool folder,
                            const std::string& beside, Span span);
  void clear();

 private:
  Status make(const std::string& parent, Span span);
  std::string path_;
};

}  // namespace roux

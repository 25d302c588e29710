// A place for models that exist only to be scored: a folder of this process in shared memory where it fits
// the budget, else beside the outputs. Removed when the run ends; folders of processes that died are removed
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

  // The path at which to write a candidate of `bytes`; whatever stood there is removed. `beside`: a folder
  // on the disk of the outputs.
  Result<std::string> place(std::uint64_t bytes, std::uint64_t memory_bytes, bool folder,
                            const std::string& beside, Span span);

 private:
  Status make(const std::string& parent, Span span);
  std::string path_;
};

}  // namespace roux

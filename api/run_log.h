// The lines that a host gets by `Events::on_log`: one for each step that takes time or touches a file.
#pragma once

#include <string>

#include "api/inputs.h"
#include "api/roux.h"
#include "runtime/checkpoint/writer.h"
#include "runtime/exec/executor.h"

namespace roux {

class RunLog {
 public:
  explicit RunLog(const Events& events) : events_(events) {}

  // The inputs from `first` on are new.
  void opened(const Inputs& inputs, std::size_t first) const;
  void ran(const std::string& activity, const ExecuteResult& result, std::uint64_t kernels) const;
  void scored(const std::string& what, double score, double seconds) const;
  void putting_in_place(const std::string& path) const;
  // What an output took over of an interrupted run, and what one that failed leaves for the next.
  void resumed(const CheckpointWriter& writer) const;
  void left(const CheckpointWriter& writer) const;

 private:
  void tell(const std::string& line) const {
    if (events_.on_log) events_.on_log(line);
  }

  const Events& events_;
};

}  // namespace roux

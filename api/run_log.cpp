#include "api/run_log.h"

#include "base/text.h"

namespace roux {
namespace {

std::string in_seconds(double seconds) { return " in " + format_digits(seconds, 3) + " s"; }

}  // namespace

void RunLog::opened(const Inputs& inputs, std::size_t first) const {
  if (!events_.on_log) return;
  for (std::size_t i = first; i < inputs.all().size(); ++i) {
    const Checkpoint& checkpoint = *inputs.all()[i];
    std::uint64_t bytes = 0;
    for (const TensorInfo& tensor : checkpoint.tensors()) bytes += tensor.byte_count;
    tell("opened " + quoted(checkpoint.path()) + ": " + format_count(checkpoint.tensors().size(), "tensor") + ", " +
         format_bytes(bytes));
  }
}

void RunLog::ran(const std::string& activity, const ExecuteResult& result, std::uint64_t kernels) const {
  tell(activity + ": " + format_bytes(result.bytes_read) + " read, " + format_bytes(result.bytes_written) + " written" +
       in_seconds(result.seconds) + ", " + format_count(kernels, "new kernel"));
}

void RunLog::scored(const std::string& what, double score, double seconds) const {
  tell("scored " + what + ": " + format_number(score) + in_seconds(seconds));
}

void RunLog::putting_in_place(const std::string& path) const { tell("putting " + quoted(path) + " in place"); }

}  // namespace roux

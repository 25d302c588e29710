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

namespace {

std::string text_of(const WrittenPart& part) {
  return std::to_string(part.tensors) + " of " + format_count(part.of, "tensor") + ", " + format_bytes(part.bytes);
}

}  // namespace

void RunLog::resumed(const CheckpointWriter& writer) const {
  if (!events_.on_resume) return;
  const auto tell = [&](const std::string& what) { events_.on_resume(quoted(writer.path()) + ": " + what); };
  switch (writer.found()) {
    case Leftover::nothing: return tell("no interrupted run left anything");
    case Leftover::no_tensor: return tell("starts afresh: what an interrupted run left holds no whole tensor");
    case Leftover::other_work:
      return tell("starts afresh: the recipe, its parameters or inputs of the interrupted run were others");
    case Leftover::other_inputs:
      return tell("starts afresh: inputs have been changed or replaced since the interrupted run");
    case Leftover::tensors: return tell("kept " + text_of(writer.kept()) + ", of an interrupted run");
  }
}

void RunLog::left(const CheckpointWriter& writer) const {
  if (!events_.on_resume || writer.left().tensors == 0) return;
  events_.on_resume(quoted(writer.path()) + ": " + text_of(writer.left()) + ", stay for the next run with `--resume`");
}

}  // namespace roux

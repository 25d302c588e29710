// Kernel text. What parses and verifies comes back from its own text, and runs to the same bits by definition and as
// machine code.
#include "runtime/backend/backend.h"
#include "tests/fuzz/targets.h"
#include "tests/support/kernels.h"

namespace roux::testing::fuzz {
namespace {

constexpr std::size_t kCompiledLines = 8;  // machine code is for the short ones: it takes its time

void expect_same_bits(const Kernel& kernel) {
  static const auto defined = *make_backend("reference", {});
  const auto by_definition = defined->compile(kernel);
  promise(by_definition.ok(), "the definition refuses\n" + to_text(kernel));
  Random random(1);
  const Arguments arguments = random_arguments(random, kernel, 35);
  const Outcome expected = run(**by_definition, kernel, arguments);
  if (kernel.body.size() > kCompiledLines) return;
  static const auto compiler = *make_backend("llvm", {.vector_width = 4, .optimize = false});
  const auto compiled = compiler->compile(kernel);
  promise(compiled.ok(), compiled ? "" : compiled.error()[0].message + "\n" + to_text(kernel));
  promise(run(**compiled, kernel, arguments) == expected, "other bits as machine code\n" + to_text(kernel));
}

}  // namespace

void read_kernel(std::string_view bytes) {
  const auto kernel = parse_kernel(bytes);
  if (!kernel) return promise(!kernel.error().empty(), "refused without a word");
  if (!verify(*kernel).ok()) return;
  const auto again = parse_kernel(to_text(*kernel));
  promise(again.ok() && *again == *kernel, "another kernel comes back from\n" + to_text(*kernel));
  if (kernel->scalar_count < 64 && kernel->spread_count < 64) expect_same_bits(*kernel);
}

std::vector<std::string> kernel_seeds() {
  Random random(4);
  KernelMaker maker(random);
  std::vector<std::string> texts;
  for (int i = 0; i < 24; ++i) texts.push_back(to_text(maker.make(3 + i)));
  return texts;
}

}  // namespace roux::testing::fuzz

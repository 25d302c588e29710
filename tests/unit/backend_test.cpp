// Every backend gives the bits of the reference, which is compared with plain f64 arithmetic
// written here.
#include <cmath>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/backend/llvm/llvm_backend.h"
#include "tests/support/kernels.h"

namespace roux {
namespace {

using testing::Arguments;
using testing::below;
using testing::Bytes;
using testing::kernel_of;
using testing::Outcome;
using testing::Random;

struct Engine {
  std::string label;
  std::unique_ptr<Backend> backend;
};

Backend& reference() {
  static const auto backend = *make_backend("reference", {});
  return *backend;
}

// All that has to agree with the reference.
std::vector<Engine>& engines() {
  static std::vector<Engine> all = [] {
    std::vector<Engine> made;
    for (bool optimize : {true, false})
      for (int width : {4, 8, 16}) {
        auto backend = make_backend("llvm", {width, optimize});
        EXPECT_TRUE(backend.ok());
        made.push_back({"llvm width " + std::to_string(width) + (optimize ? "" : " unoptimised"),
                        *std::move(backend)});
      }
    return made;
  }();
  return all;
}

std::unique_ptr<CompiledKernel> compile(Backend& backend, const Kernel& kernel) {
  auto compiled = backend.compile(kernel);
  if (compiled.ok()) return *std::move(compiled);
  ADD_FAILURE() << compiled.error()[0].message << "\n" << to_text(kernel);
  return nullptr;
}

void expect_same(const Outcome& seen, const Outcome& expected, const Kernel& kernel,
                 const std::string& label, std::uint64_t count) {
  if (seen == expected) return;
  std::string where;
  for (std::size_t s = 0; s < seen.stores.size() && where.empty(); ++s)
    for (std::size_t i = 0; i < seen.stores[s].size() && where.empty(); ++i)
      if (seen.stores[s][i] != expected.stores[s][i])
        where = "store " + std::to_string(s) + ", byte " + std::to_string(i);
  for (std::size_t r = 0; r < seen.reductions.size() && where.empty(); ++r)
    if (seen.reductions[r] != expected.reductions[r]) where = "reduction " + std::to_string(r);
  ADD_FAILURE() << label << " differs at " << where << " of " << count << " elements\n"
                << to_text(kernel);
}

// On `chosen` engines (all if 0, else in turn), for all `counts`.
void compare(const Kernel& kernel, Random& random, const std::vector<std::uint64_t>& counts,
             std::size_t chosen = 0) {
  static std::size_t turn = 0;
  const auto definition = compile(reference(), kernel);
  std::vector<std::pair<const Engine*, std::unique_ptr<CompiledKernel>>> compiled;
  for (std::size_t i = 0; i < (chosen == 0 ? engines().size() : chosen); ++i) {
    Engine& engine = engines()[chosen == 0 ? i : turn++ % engines().size()];
    compiled.emplace_back(&engine, compile(*engine.backend, kernel));
    ASSERT_NE(compiled.back().second, nullptr);
  }
  for (std::uint64_t count : counts) {
    const Arguments arguments = testing::random_arguments(random, kernel, count);
    const Outcome expected = testing::run(*definition, kernel, arguments);
    for (const auto& [engine, code] : compiled)
      expect_same(testing::run(*code, kernel, arguments), expected, kernel, engine->label, count);
  }
}

std::vector<std::uint64_t> tail_lengths() {
  std::vector<std::uint64_t> counts;
  for (std::uint64_t n = 0; n <= 67; ++n) counts.push_back(n);
  return counts;
}

// A kernel with every row of op.def on the given lane type, one store each.
std::string all_operations(const std::string& lane) {
  std::string text = "kernel " + lane + "\ninputs " + lane + " " + lane + "\n%0 = input 0\n" +
                     "%1 = input 1\n%2 = lt %0, %1\n%3 = isfinite %1\n";
  std::string stores;
  int next = 4;
  for (int row = 0; row <= static_cast<int>(Op::to_number); ++row) {
    const Op op = static_cast<Op>(row);
    const OpFacts& facts = facts_of(op);
    text += "%" + std::to_string(next) + " = " + std::string(facts.name);
    for (int i = 0; i < facts.arity; ++i) {
      const int base = facts.operands[i] == ValueType::mask ? 2 : 0;
      text += (i == 0 ? " %" : ", %") + std::to_string(base + i % 2);
    }
    text += "\n";
    if (facts.result == ValueType::mask) {
      text += "%" + std::to_string(next + 1) + " = to_number %" + std::to_string(next) + "\n";
      ++next;
    }
    stores += "store " + lane + " %" + std::to_string(next++) + "\n";
  }
  return text + stores;
}

TEST(Conformance, every_operation_on_f32_lanes) {
  Random random(11);
  compare(kernel_of(all_operations("f32")), random, {4096, 20011, 5});
}

TEST(Conformance, every_operation_on_f64_lanes) {
  Random random(12);
  compare(kernel_of(all_operations("f64")), random, {4096, 20011, 5});
}

TEST(Conformance, every_pair_of_storage_types) {
  Random random(13);
  for (DType from : testing::kFloats)
    for (const char* lane : {"f32", "f64"}) {
      if (from == DType::f64 && lane[1] == '3') continue;
      std::string text = std::string("kernel ") + lane + "\ninputs " + std::string(name_of(from)) +
                         "\n%0 = input 0\n";
      for (DType to : testing::kFloats) text += "store " + std::string(name_of(to)) + " %0\n";
      compare(kernel_of(text), random, {70000, 33});
    }
}

TEST(Conformance, tails_of_every_length_at_odd_addresses) {
  Random random(14);
  compare(kernel_of("kernel f32\ninputs bf16 f16\ntables f8_e4m3\nscalars 5\n%0 = input 0\n"
                    "%1 = input 1\n%2 = linear [$4, %0 * $0, table 0, %1 * $1]\n"
                    "%3 = bernoulli $0, $1, $2, $3\n%4 = where %3, %2, %1\nstore bf16 %4\n"
                    "store f64 %2\nreduce sum %4\nreduce count %3\nreduce min %2\n"),
          random, tail_lengths());
  compare(kernel_of("kernel f32\ninputs bf16 f32\nscalars 2\n%0 = input 0\n%1 = input 1\n"
                    "%2 = linear [%0 * $0, %1 * $1]\nstore f16 %2\nstore f8_e5m2 %1\n"),
          random, tail_lengths());
}

TEST(Conformance, reductions_over_several_blocks) {
  Random random(15);
  for (const char* lane : {"f32", "f64"})
    compare(kernel_of(std::string("kernel ") + lane + "\ninputs " + lane + " bf16\nscalars 2\n" +
                      "%0 = input 0\n%1 = input 1\n%2 = lt %0, %1\n%3 = top %0, $0, $1\n"
                      "reduce sum %1\nreduce dot %0, %1\nreduce count %2\nreduce count %3\n"
                      "reduce min %0\nreduce max %0\n"),
            random, {1, 4095, 4096, 4097, 3 * 4096, 5 * 4096 + 77});
}

TEST(Conformance, random_fields) {
  Random random(16);
  for (const char* lane : {"f32", "f64"})
    compare(
        kernel_of(std::string("kernel ") + lane + "\nscalars 4\n%0 = uniform $0, $1, $2\n" +
                  "%1 = normal $0, $1, $2\n%2 = bernoulli $0, $1, $2, $3\n%3 = to_number %2\n" +
                  "store f32 %0\nstore f64 %1\nstore f8_e5m2 %3\nreduce sum %0\nreduce count %2\n"),
        random, {5000, 100, 17, 9000, 64, 127, 128, 4096});
}

TEST(Conformance, random_kernels) {
  Random random(17);
  testing::KernelMaker maker(random);
  for (int i = 0; i < 48; ++i)
    compare(maker.make(4 + i % 24), random,
            {4096 + 1000, 64 + below(random, 80), below(random, 40)}, 2);
}

// --- against plain arithmetic --------------------------------------------------------------------

float bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

TEST(Meaning, a_mean_of_three_is_one_f64_sum_rounded_once) {
  const Kernel kernel = kernel_of(
      "kernel f32\ninputs bf16 bf16 bf16\nscalars 1\n%0 = input 0\n%1 = input 1\n%2 = input 2\n"
      "%3 = linear [%0 * $0, %1 * $0, %2 * $0]\nstore f32 %3\nreduce sum %3\n");
  Random random(18);
  constexpr std::uint64_t kCount = 4096 + 1234;
  Arguments arguments{0, kCount, {}, {}, {1.0 / 3}};
  std::vector<std::vector<std::uint16_t>> words(3, std::vector<std::uint16_t>(kCount));
  for (auto& input : words) {
    for (auto& word : input)
      word = static_cast<std::uint16_t>(
          std::bit_cast<std::uint32_t>(std::normal_distribution<float>()(random)) >> 16);
    arguments.inputs.emplace_back(2 * kCount);
    std::memcpy(arguments.inputs.back().data(), input.data(), 2 * kCount);
  }
  double blocks[2][16] = {};
  std::vector<float> expected;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    double sum = bf16(words[0][i]) * (1.0 / 3);
    sum += bf16(words[1][i]) * (1.0 / 3);
    sum += bf16(words[2][i]) * (1.0 / 3);
    expected.push_back(static_cast<float>(sum));
    blocks[i / 4096][i % 16] += expected.back();
  }
  for (Engine& engine : engines()) {
    const Outcome outcome = testing::run(*compile(*engine.backend, kernel), kernel, arguments);
    EXPECT_EQ(std::memcmp(outcome.stores[0].data() + 67, expected.data(), 4 * kCount), 0);
    for (int b = 0; b < 2; ++b) {
      const double* s = blocks[b];
      const auto eighth = [&](int j) { return s[j] + s[j + 8]; };
      const auto fourth = [&](int j) { return eighth(j) + eighth(j + 4); };
      const double total = (fourth(0) + fourth(2)) + (fourth(1) + fourth(3));
      EXPECT_EQ(outcome.reductions[static_cast<std::size_t>(b)],
                std::bit_cast<std::uint64_t>(total))
          << engine.label;
    }
  }
}

TEST(Meaning, a_zero_coefficient_hides_even_a_nan_and_its_data_is_not_read) {
  const Kernel kernel = kernel_of(
      "kernel f32\ninputs f32\ntables f32\nscalars 2\n%0 = input 0\n"
      "%1 = linear [%0 * $0, table 0]\n%2 = linear [%0 * $0]\nstore f32 %1\nstore f32 %2\n");
  const std::vector<float> nan(40, NAN), two(40, 2);
  std::vector<float> out(40), empty(40);
  for (Engine& engine : engines()) {
    const auto code = compile(*engine.backend, kernel);
    const void* inputs[] = {nan.data()};
    const TableEntry entries[] = {{nullptr, 0.0}, {two.data(), 1.5}, {nullptr, -0.0}};
    const Table tables[] = {{entries, 3}};
    const double scalars[] = {0.0, 7.0};
    void* stores[] = {out.data(), empty.data()};
    code->run({0, 40, inputs, tables, scalars, stores, nullptr});
    for (float x : out) EXPECT_EQ(x, 3.0f);
    for (float x : empty) EXPECT_TRUE(x == 0 && std::signbit(x));  // the identity of addition
  }
}

TEST(Meaning, a_call_may_begin_at_any_block_of_a_tensor) {
  // Whole at once, and block by block: the same fields, cuts and sums.
  const Kernel kernel = kernel_of(
      "kernel f32\ninputs f32\nscalars 4\n%0 = input 0\n%1 = uniform $0, $1, $2\n%2 = mul %0, %1\n"
      "%3 = top %0, $3, $2\n%4 = to_number %3\nstore f32 %2\nstore bf16 %4\nreduce sum %2\n");
  Random random(19);
  Arguments whole{
      0, 3 * kBlock, {testing::random_data(random, DType::f32, 3 * kBlock)}, {}, {3, 4, 5000, 0.0}};
  for (Engine& engine : engines()) {
    const auto code = compile(*engine.backend, kernel);
    const Outcome all = testing::run(*code, kernel, whole);
    for (std::uint64_t b = 0; b < 3; ++b) {
      Arguments part = whole;
      part.first = b * kBlock;
      part.count = kBlock;
      part.inputs[0].assign(whole.inputs[0].begin() + static_cast<long>(b * kBlock * 4),
                            whole.inputs[0].begin() + static_cast<long>((b + 1) * kBlock * 4));
      const Outcome one = testing::run(*code, kernel, part);
      EXPECT_EQ(one.reductions[0], all.reductions[b]);
      EXPECT_EQ(std::memcmp(&one.stores[0][67], &all.stores[0][67 + b * kBlock * 4], kBlock * 4),
                0);
      EXPECT_EQ(std::memcmp(&one.stores[1][67], &all.stores[1][67 + b * kBlock * 2], kBlock * 2),
                0);
    }
  }
}

TEST(Meaning, a_call_that_starts_anywhere_draws_by_the_tensors_index) {
  // The same elements whole and from an odd place on; sums are counted from the call's own start.
  const std::string body =
      "inputs f32\nscalars 4\nspreads 2\n%0 = input 0\n%1 = uniform $0, $1, $2\n%2 = mul %0, %1\n"
      "%3 = bernoulli $0, $1, $2, @0\n%4 = to_number %3\n%5 = linear [@1, %2 * @0, %4 * $3]\n"
      "%6 = top %0, @1, @0\n%7 = to_number %6\n%8 = spread 1\nstore f32 %5\nstore f32 %7\nstore f32 %8\n"
      "reduce sum %5\n";
  const Kernel kernel = kernel_of("kernel f32\n" + body);
  Kernel anywhere = kernel;
  anywhere.starts_anywhere = true;
  Random random(23);
  constexpr std::uint64_t kCount = 5000, kFirst = 1237;
  Arguments whole{0, kCount, {testing::random_data(random, DType::f32, kCount)}, {}, {3, 4, 5, 2.0}};
  for (int s = 0; s < 2; ++s) {
    whole.spreads.emplace_back();
    for (std::uint64_t k = 0; k < kCount; ++k)
      whole.spreads.back().push_back(static_cast<double>(testing::below(random, 1000)) / 1000);
  }
  Arguments part = whole;
  part.first = kFirst;
  part.count -= kFirst;
  part.inputs[0].erase(part.inputs[0].begin(), part.inputs[0].begin() + kFirst * 4);
  for (auto& spread : part.spreads) spread.erase(spread.begin(), spread.begin() + kFirst);
  const Outcome all = testing::run(*compile(reference(), kernel), kernel, whole);
  const Outcome expected = testing::run(*compile(reference(), anywhere), anywhere, part);
  for (Engine& engine : engines()) {
    const Outcome one = testing::run(*compile(*engine.backend, anywhere), anywhere, part);
    EXPECT_EQ(one, expected);
    for (int s = 0; s < 3; ++s)
      EXPECT_EQ(std::memcmp(&one.stores[s][67], &all.stores[s][67 + kFirst * 4], part.count * 4), 0) << s;
  }
}

// --- the LLVM backend itself ---------------------------------------------------------------------

constexpr const char* kMean =
    "kernel f32\ninputs bf16 bf16 bf16\nscalars 1\n%0 = input 0\n%1 = input 1\n%2 = input 2\n"
    "%3 = linear [%0 * $0, %1 * $0, %2 * $0]\nstore bf16 %3\nreduce sum %3\n";

TEST(Llvm, makes_vector_code) {
  for (int width : {4, 8, 16})
    for (bool optimize : {true, false}) {
      const auto ir = llvm_ir_of(kernel_of(kMean), {width, optimize});
      ASSERT_TRUE(ir.ok());
      const std::string lanes = "<" + std::to_string(width) + " x ";
      EXPECT_NE(ir->find("load " + lanes + "i16>"), std::string::npos) << *ir;
      EXPECT_NE(ir->find("fpext " + lanes + "float> "), std::string::npos);
      EXPECT_NE(ir->find("fmul " + lanes + "double> "), std::string::npos);
      EXPECT_NE(ir->find("phi " + lanes + "double> "), std::string::npos);
      for (const char* flag :
           {" fast ", "contract", "reassoc", "nnan", "arcp", "fmuladd", "llvm.fma"})
        EXPECT_EQ(ir->find(flag), std::string::npos) << flag;
    }
}

TEST(Llvm, kernels_outlive_their_backend_and_are_freed) {
  std::vector<std::unique_ptr<CompiledKernel>> kept;
  const Kernel kernel = kernel_of(kMean);
  {
    const auto backend = *make_backend("llvm", {});
    for (int i = 0; i < 3; ++i) kept.push_back(compile(*backend, kernel));
  }
  kept.erase(kept.begin());
  Random random(20);
  const Arguments arguments = testing::random_arguments(random, kernel, 100);
  EXPECT_EQ(testing::run(*kept[0], kernel, arguments), testing::run(*kept[1], kernel, arguments));
}

TEST(Llvm, compiles_and_runs_on_several_threads) {
  Engine& engine = engines()[1];
  const Kernel kernel = kernel_of(kMean);
  Random random(21);
  const Arguments arguments = testing::random_arguments(random, kernel, 1000);
  const Outcome expected = testing::run(*compile(reference(), kernel), kernel, arguments);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(testing::run(*compile(*engine.backend, kernel), kernel, arguments), expected);
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(Backends, are_found_by_name) {
  EXPECT_EQ(backend_names(), (std::vector<std::string>{"llvm", "reference"}));
  const auto unknown = make_backend("cuda", {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error()[0].message, "unknown backend `cuda`");
  EXPECT_EQ(unknown.error()[0].help, "backends are llvm, reference");
  const auto narrow = make_backend("llvm", {3, true});
  ASSERT_FALSE(narrow.ok());
  EXPECT_EQ(narrow.error()[0].message, "vector width 3 is none of 4, 8, 16");
}

TEST(Backends, refuse_a_kernel_that_does_not_verify) {
  Kernel broken;
  broken.stores.push_back({DType::f32, 0});
  EXPECT_FALSE(engines()[0].backend->compile(broken).ok());
}

}  // namespace
}  // namespace roux

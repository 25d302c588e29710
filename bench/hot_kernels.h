// The kernels that merges spend their time in, with data to run them on: for measuring, and for counting instructions.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "runtime/backend/backend.h"
#include "runtime/kernel/text.h"

namespace roux {

inline constexpr std::uint64_t kTile = 1u << 16;

inline constexpr const char* kMean = R"(kernel f32
tables bf16
scalars 1
%0 = linear [table 0] * $0
store bf16 %0
)";

inline constexpr const char* kMagnitudes = R"(kernel f32
inputs bf16 bf16 bf16 bf16
scalars 2
%0 = input 0
%1 = input 1
%2 = linear [%0 * $0, %1 * $1]
%3 = abs %2
%4 = input 2
%5 = linear [%4 * $0, %1 * $1]
%6 = abs %5
%7 = input 3
%8 = linear [%7 * $0, %1 * $1]
%9 = abs %8
store f32 %3
store f32 %6
store f32 %9
)";

// What `slerp` asks of each tensor.
inline constexpr const char* kDots = R"(kernel f32
inputs bf16 bf16
%0 = input 0
%1 = input 1
reduce dot %0, %0
reduce dot %0, %1
reduce dot %1, %1
)";

inline constexpr const char* kRounding = R"(kernel f32
inputs f32
%0 = input 0
store bf16 %0
)";

// The same as `ties` makes of three models and a base.
inline constexpr const char* kTies = R"(kernel f32
inputs bf16 bf16 bf16 bf16
scalars 9
%0 = input 0
%1 = input 1
%2 = linear [%1 * $0, %0 * $1]
%3 = abs %2
%4 = top %3, $2, $3
%5 = scalar 4
%6 = where %4, %2, %5
%7 = input 2
%8 = linear [%7 * $0, %0 * $1]
%9 = abs %8
%10 = top %9, $5, $6
%11 = where %10, %8, %5
%12 = input 3
%13 = linear [%12 * $0, %0 * $1]
%14 = abs %13
%15 = top %14, $7, $8
%16 = where %15, %13, %5
%17 = linear [%6 * $0, %11 * $0, %16 * $0] * $0
%18 = sign %17
%19 = sign %6
%20 = eq %18, %19
%21 = ne %5, %6
%22 = logical_and %20, %21
%23 = where %22, %6, %5
%24 = sign %11
%25 = eq %18, %24
%26 = ne %5, %11
%27 = logical_and %25, %26
%28 = where %27, %11, %5
%29 = sign %16
%30 = eq %18, %29
%31 = ne %5, %16
%32 = logical_and %30, %31
%33 = where %32, %16, %5
%34 = linear [%23 * $0, %28 * $0, %33 * $0] * $0
%35 = scalar 0
%36 = to_number %22
%37 = to_number %27
%38 = to_number %32
%39 = linear [%36 * $0, %37 * $0, %38 * $0] * $0
%40 = max %35, %39
%41 = div %34, %40
%42 = linear [%0 * $0, %41 * $0] * $0
store bf16 %42
)";

inline std::vector<std::uint16_t> small_numbers(std::uint64_t seed) {
  std::vector<std::uint16_t> values(kTile);
  for (std::uint64_t i = 0; i < kTile; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const float value = (static_cast<float>(seed >> 40) / 8388608.0f - 1.0f) * 0.02f;
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    values[i] = static_cast<std::uint16_t>(bits >> 16);
  }
  return values;
}

// A kernel, compiled, with a call of one tile: four inputs of small numbers, tables of three of them.
class HotKernel {
 public:
  HotKernel(Backend& backend, const char* text)
      : kernel_(*parse_kernel(text)), code_(*backend.compile(kernel_)) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      data_.push_back(small_numbers(seed));
      data_.back().resize(2 * kTile);  // enough for f32, too
    }
    for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) inputs_.push_back(data_[i].data());
    for (std::size_t i = 0; i < 3; ++i) entries_.push_back({data_[i].data(), 1});
    table_ = {entries_.data(), entries_.size()};
    scalars_.assign(kernel_.scalar_count, 1);
    if (scalars_.size() == 1) scalars_[0] = 1.0 / 3;
    if (scalars_.size() > 1) scalars_[1] = -1;
    for (std::size_t i = 2; i < scalars_.size(); ++i) scalars_[i] = i % 2 == 0 ? 0.01 : 1e9;
    if (scalars_.size() > 4) scalars_[4] = 0;
    for (std::size_t i = 0; i < kernel_.stores.size(); ++i) stores_.push_back(results_.emplace_back(kTile).data());
    for (std::size_t i = 0; i < kernel_.reductions.size(); ++i)
      reductions_.push_back(sums_.emplace_back(kTile / kBlock).data());
  }
  HotKernel(const HotKernel&) = delete;
  HotKernel& operator=(const HotKernel&) = delete;

  void run() const {
    KernelCall call;
    call.count = kTile;
    call.inputs = inputs_.data();
    call.tables = &table_;
    call.scalars = scalars_.data();
    call.stores = stores_.data();
    call.reductions = reductions_.data();
    code_->run(call);
  }

  std::uint64_t bytes_moved() const {
    std::uint64_t bytes = kernel_.tables.empty() ? 0 : kTile * 6;
    for (DType dtype : kernel_.inputs) bytes += kTile * static_cast<std::uint64_t>(bytes_of(dtype));
    for (const Store& store : kernel_.stores) bytes += kTile * static_cast<std::uint64_t>(bytes_of(store.dtype));
    return bytes;
  }

 private:
  Kernel kernel_;
  std::unique_ptr<CompiledKernel> code_;
  std::vector<std::vector<std::uint16_t>> data_;
  std::vector<const void*> inputs_;
  std::vector<TableEntry> entries_;
  Table table_{};
  std::vector<double> scalars_;
  std::vector<std::vector<float>> results_;
  std::vector<std::vector<double>> sums_;
  std::vector<void*> stores_;
  std::vector<double*> reductions_;
};

}  // namespace roux

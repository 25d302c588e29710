// Memory for a tile: aligned for vectors, grows and never shrinks, contents undefined.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace roux {

class Buffer {
 public:
  void* data() { return data_.get(); }

  // At least `size` bytes; what was in it may be lost.
  void* reserve(std::size_t size) {
    if (size > size_) {
      const std::size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
      data_.reset();
      size_ = 0;
      data_.reset(std::aligned_alloc(kAlignment, rounded));
      if (!data_) throw std::bad_alloc();
      size_ = rounded;
    }
    return data_.get();
  }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Free {
    void operator()(void* data) const { std::free(data); }
  };
  std::unique_ptr<void, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace roux

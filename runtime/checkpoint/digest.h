// XXH3-128 of checkpoint files: over the headers (quick), and over everything (the XXH3-128 of the
// XXH3-128s of the files' 1 MiB blocks, files in order, each file's last block shorter). Blocks are hashed by
// those who read them anyway, in whatever order and on whatever threads, and the rest at the end: the result
// depends on none of it. 17 bytes for a block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/file.h"

namespace roux {

struct OpenFile {
  Fd fd;
  std::string path;
  std::uint64_t bytes = 0;  // when it was opened
};

class HeaderHash {
 public:
  HeaderHash();
  ~HeaderHash();
  HeaderHash(const HeaderHash&) = delete;
  HeaderHash& operator=(const HeaderHash&) = delete;

  void add(std::string_view header, std::uint64_t file_bytes);
  std::string hex() const;  // 32 digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The same of bytes that lie in no file: the blocks are what is added.
class MemoryDigest {
 public:
  void add(const void* data, std::uint64_t bytes);
  std::string hex() const;

 private:
  std::string hashes_;  // canonical, one after the other
};

class BlockDigests {
 public:
  explicit BlockDigests(const std::vector<OpenFile>& files);  // which outlive it
  ~BlockDigests();

  // For bytes of a file from `begin` on. Whoever takes the first byte of a block hashes it to its end, even where
  // the bytes that are taken end before: so one run has one block to read on into.
  std::unique_ptr<DigestFeed> feed(std::uint32_t file, std::uint64_t begin);
  // Hashes the blocks that nobody took. After all feeds are gone.
  Result<Digest> finish(int threads, Span span);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace roux

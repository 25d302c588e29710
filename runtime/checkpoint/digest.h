// XXH3-128 of checkpoint files: over the headers (quick), and over everything (the XXH3-128 of the
// XXH3-128s of the files' 1 MiB blocks, files in order, each file's last block shorter). The result
// does not depend on the number of threads. Nothing is cached here.
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
class BlockDigest {
 public:
  void add(const void* data, std::uint64_t bytes);
  std::string hex() const;

 private:
  std::string hashes_;  // canonical, one after the other
};

Result<Digest> digest_of_files(const std::vector<OpenFile>& files, int threads, Span span);

}  // namespace roux

// The checkpoints that one evaluation has opened. Each is opened once, whatever the spelling of its path;
// its index is the number of its source node in the graph. In a rehearsal, checkpoints that an earlier save
// of the same recipe will make are known by their layout alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"

namespace roux {

class Inputs {
 public:
  explicit Inputs(int threads) : threads_(threads) {}

  Result<std::uint32_t> open(const std::string& path, Span span);
  // Paths that match, sorted by name with numbers by value; an error if there is none.
  Result<std::vector<std::string>> glob(const std::string& pattern, Span span) const;
  Result<bool> same(std::uint32_t a, std::uint32_t b) const;

  // A checkpoint that will exist once the recipe has run so far.
  void promise(const OutputLayout& layout);

  const std::vector<Checkpoint::Ptr>& all() const { return checkpoints_; }
  void set_space(std::uint32_t source, std::string space) { spaces_[source] = std::move(space); }
  bool is_model(std::uint32_t source) const { return spaces_[source] == "model"; }

 private:
  std::uint32_t add(const std::string& key, Checkpoint::Ptr checkpoint);

  int threads_;
  std::vector<Checkpoint::Ptr> checkpoints_;
  std::vector<std::string> spaces_;
  std::map<std::string, std::uint32_t> by_path_;          // by canonical path
  std::map<std::string, Checkpoint::Ptr> promised_;       // by canonical path
};

}  // namespace roux

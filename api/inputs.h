// The checkpoints that one evaluation has opened. Each is opened once, whatever the spelling of its path;
// its index is the number of its source node in the graph. In a rehearsal, checkpoints that an earlier save
// of the same recipe will make are known by their layout alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/host_model.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"

namespace roux {

class Inputs {
 public:
  // `models`: what lies in the host's memory, by name.
  explicit Inputs(int threads, std::map<std::string, HostModel> models = {})
      : threads_(threads), models_(std::move(models)) {}

  // `space`: what to take it for; `auto` is what Roux noted in the file, else a model. One checkpoint taken for
  // two things is two sources.
  Result<std::uint32_t> open(const std::string& path, const std::string& space, Span span);
  // A view of checkpoints that are open; equal ones are one source.
  std::uint32_t add(Checkpoint::Ptr view, const std::string& space);
  // Paths that match, sorted by name with numbers by value; an error if there is none.
  Result<std::vector<std::string>> glob(const std::string& pattern, Span span) const;
  Result<bool> same(std::uint32_t a, std::uint32_t b) const;

  // A checkpoint that will exist once the recipe has run so far.
  void promise(const OutputLayout& layout);

  // A result in memory, to be found from now on.
  void provide(const std::string& path, const HostModel& model);
  // Takes what another evaluation has opened, as far as its files are still the same: headers are read once.
  void reuse(const Inputs& other);

  // What stood at this path has been replaced: open it anew.
  void forget(const std::string& path);
  // The same for all whose files are not those that were opened: for sessions, beside which others write.
  void forget_changed();

  const std::vector<Checkpoint::Ptr>& all() const { return checkpoints_; }
  const std::string& space(std::uint32_t source) const { return spaces_[source]; }
  // Whether two spellings name the same place, and whether the first lies inside the second.
  static bool same_path(const std::string& a, const std::string& b);
  static bool is_inside(const std::string& path, const std::string& folder);
  // Where a checkpoint was loaded first, whatever the spelling of its path.
  Span loaded_at(const std::string& path) const;
  bool is_model(std::uint32_t source) const { return spaces_[source] == "model"; }

 private:
  std::uint32_t append(Checkpoint::Ptr checkpoint, std::string space);
  Result<Checkpoint::Ptr> host_checkpoint(const std::string& path, Span span) const;
  Result<Checkpoint::Ptr> checkpoint_at(const std::string& path, const std::string& key, Span span);

  int threads_;
  std::map<std::string, HostModel> models_;
  std::vector<Checkpoint::Ptr> checkpoints_;
  std::vector<std::string> spaces_;
  std::map<std::string, Checkpoint::Ptr> opened_;         // by canonical path
  std::map<std::string, Span> loaded_at_;                 // by canonical path
  std::map<std::pair<const Checkpoint*, std::string>, std::uint32_t> sources_;  // by space
  std::map<std::string, Checkpoint::Ptr> promised_;       // by canonical path
};

}  // namespace roux

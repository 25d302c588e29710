#include "runtime/checkpoint/aligned.h"

#include <algorithm>
#include <utility>

#include "runtime/checkpoint/whole_numbers.h"

namespace roux {
namespace {

const TensorInfo& info_of(const ViewedTensor::Place& place) { return place.checkpoint->tensors()[place.tensor]; }

class View final : public Checkpoint {
 public:
  View(Ptr checkpoint, std::vector<ViewedTensor> tensors)
      : checkpoint_(std::move(checkpoint)), viewed_(std::move(tensors)) {
    for (const ViewedTensor& tensor : viewed_) {
      tensors_.push_back(info_of(tensor.places.front()));
      for (const ViewedTensor::Place& place : tensor.places) {
        if (std::find(parts_.begin(), parts_.end(), place.checkpoint) == parts_.end())
          parts_.push_back(place.checkpoint);
        header_digest_ += place.checkpoint->header_digest() + ":" + std::to_string(place.tensor) + " ";
      }
    }
  }

  const std::string& path() const override { return checkpoint_->path(); }
  bool is_folder() const override { return checkpoint_->is_folder(); }
  const std::vector<std::string>& files() const override { return checkpoint_->files(); }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return checkpoint_->metadata(); }
  const std::optional<std::string>& config() const override { return checkpoint_->config(); }
  const std::optional<std::string>& quantized() const override {
    for (const Ptr& part : parts_)
      if (part->quantized()) return part->quantized();
    return checkpoint_->quantized();
  }
  const std::vector<Ptr>& parts() const override { return parts_; }

  Status read(std::size_t tensor, std::uint64_t offset, std::uint64_t size, void* to) const override {
    const std::vector<ViewedTensor::Place>& places = viewed_[tensor].places;
    ROUX_DO(places[0].checkpoint->read(places[0].tensor, offset, size, to));
    if (places.size() == 1) return ok();
    std::vector<unsigned char> other(size);
    for (std::size_t i = 1; i < places.size(); ++i) {
      ROUX_DO(places[i].checkpoint->read(places[i].tensor, offset, size, other.data()));
      take_larger(tensors_[tensor].dtype, to, other.data(), size);
    }
    return ok();
  }

  // Values of several places are none of any file: their bytes are left to be read.
  std::unique_ptr<DigestFeed> feed_digest(std::size_t tensor) const override {
    const std::vector<ViewedTensor::Place>& places = viewed_[tensor].places;
    std::unique_ptr<DigestFeed> feed;
    for (const ViewedTensor::Place& place : places) feed = place.checkpoint->feed_digest(place.tensor);
    return places.size() == 1 ? std::move(feed) : nullptr;
  }

  const std::string& header_digest() const override { return header_digest_; }

  // That of its parts, one after the other, with the places of the tensors: equal only where all of it is.
  Result<Digest> digest(int threads) const override {
    Digest digest{.hex = header_digest_, .whole = true};
    for (const Ptr& part : parts_) {
      ROUX_TRY(const Digest own, part->digest(threads));
      digest.hex += own.hex;
    }
    return digest;
  }

 private:
  Ptr checkpoint_;
  std::vector<ViewedTensor> viewed_;
  std::vector<TensorInfo> tensors_;
  std::vector<Ptr> parts_;
  std::string header_digest_;
};

}  // namespace

Checkpoint::Ptr view_of(Checkpoint::Ptr checkpoint, std::vector<ViewedTensor> tensors) {
  return std::make_shared<const View>(std::move(checkpoint), std::move(tensors));
}

}  // namespace roux

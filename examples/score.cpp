// score MODEL [DATA]
//
// Scores one of the example checkpoints: runs the small residual network of
// examples/make_checkpoints.py over labelled images and prints one JSON object,
//
//     {"accuracy": 0.8425, "loss": 0.5123, "images": 1500}
//
// MODEL is a checkpoint folder or a .safetensors file; DATA holds `images`
// [N,1,H,W] in 0..255 and `labels` [N], by default the validation images.
// Widths, kernel sizes and the number of blocks are read from the tensors, so
// a model with blocks added or dropped scores too, as long as the widths meet.
// The loss is null when the network's outputs are not finite.

#include "api/roux.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using std::size_t;

constexpr double kBatchNormEpsilon = 1e-5;
constexpr size_t kThreads = 2;

// Four images go through the network side by side, one a lane: every inner loop
// is then a run of whole-vector multiply-adds, whatever the layer's shape.  (A
// GCC and Clang extension; 16 bytes is a register on any 64-bit machine.)
constexpr size_t kLanes = 4;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

constexpr size_t kTile = 4;  // output channels computed together

[[noreturn]] void fail(const std::string& message) { throw std::runtime_error(message); }

// ---------------------------------------------------------------- reading

struct Tensor {
  std::vector<size_t> shape;
  std::vector<float> values;
};

class Source {
 public:
  explicit Source(const std::string& path) : path_(path), file_(open(path)) {}

  bool has(const std::string& name) const { return find(name) != nullptr; }

  Tensor read(const std::string& name, size_t rank) const {
    const roux::TensorSummary* info = find(name);
    if (info == nullptr) fail(path_ + ": no tensor '" + name + "'");
    if (info->shape.size() != rank) {
      fail(path_ + ": '" + name + "' has " + std::to_string(info->shape.size()) +
           " dimensions, expected " + std::to_string(rank));
    }
    auto values = file_.read_f32(name);
    if (!values) fail(roux::render(values.error()));
    return {{info->shape.begin(), info->shape.end()}, std::move(*values)};
  }

  std::vector<float> read_vector(const std::string& name, size_t length) const {
    Tensor tensor = read(name, 1);
    if (tensor.shape[0] != length) {
      fail(path_ + ": '" + name + "' has " + std::to_string(tensor.shape[0]) +
           " elements, expected " + std::to_string(length));
    }
    return std::move(tensor.values);
  }

  [[noreturn]] void reject(const std::string& what) const { fail(path_ + ": " + what); }

 private:
  static roux::CheckpointReader open(const std::string& path) {
    auto file = roux::CheckpointReader::open(path);
    if (!file) fail(roux::render(file.error()));
    return std::move(*file);
  }

  const roux::TensorSummary* find(const std::string& name) const {
    for (const roux::TensorSummary& info : file_.tensors()) {
      if (info.name == name) return &info;
    }
    return nullptr;
  }

  std::string path_;
  roux::CheckpointReader file_;
};

// ---------------------------------------------------------------- the network

// Activations of one batch, [channel][row][column].
struct Map {
  size_t channels = 0, height = 0, width = 0;
  std::vector<Lanes> values;

  Map(size_t c, size_t h, size_t w) : channels(c), height(h), width(w), values(c * h * w) {}
};

void relu(Map& map) {
  for (Lanes& value : map.values) value = value > 0 ? value : Lanes{};
}

// A convolution with the batch normalisation after it folded in.  The padding
// is half the kernel, so only the stride changes the resolution.
class Convolution {
 public:
  Convolution(const Source& source, const std::string& conv, const std::string& norm, size_t in,
              size_t stride)
      : in_(in), stride_(stride) {
    const Tensor weight = source.read(conv + ".weight", 4);
    out_ = weight.shape[0];
    kernel_ = weight.shape[2];
    if (out_ == 0 || weight.shape[1] != in || weight.shape[3] != kernel_ || kernel_ % 2 == 0) {
      source.reject("'" + conv + ".weight' must be [out, " + std::to_string(in) +
                    ", k, k] with k odd");
    }
    const auto gain = source.read_vector(norm + ".weight", out_);
    const auto shift = source.read_vector(norm + ".bias", out_);
    const auto mean = source.read_vector(norm + ".running_mean", out_);
    const auto variance = source.read_vector(norm + ".running_var", out_);

    const size_t taps = in_ * kernel_ * kernel_;
    const size_t tiles = (out_ + kTile - 1) / kTile;
    weights_.assign(tiles * taps, {});
    bias_.assign(tiles, {});
    for (size_t o = 0; o < out_; ++o) {
      const double scale = gain[o] / std::sqrt(variance[o] + kBatchNormEpsilon);
      bias_[o / kTile][o % kTile] = static_cast<float>(shift[o] - mean[o] * scale);
      for (size_t tap = 0; tap < taps; ++tap) {
        weights_[o / kTile * taps + tap][o % kTile] =
            static_cast<float>(weight.values[o * taps + tap] * scale);
      }
    }
  }

  size_t out() const { return out_; }

  Map operator()(const Map& input) const {
    const size_t pad = kernel_ / 2;
    const size_t height = (input.height - 1) / stride_ + 1;
    const size_t width = (input.width - 1) / stride_ + 1;
    Map output(out_, height, width);
    for (size_t tile = 0; tile < bias_.size(); ++tile) {
      for (size_t y = 0; y < height; ++y) {
        const auto rows = inside(y * stride_, pad, input.height);
        for (size_t x = 0; x < width; ++x) {
          const auto columns = inside(x * stride_, pad, input.width);
          const Sums sums = at(input, tile, y * stride_, x * stride_, rows, columns);
          for (size_t k = 0; k < kTile && tile * kTile + k < out_; ++k) {
            output.values[((tile * kTile + k) * height + y) * width + x] = sums[k];
          }
        }
      }
    }
    return output;
  }

 private:
  using Sums = std::array<Lanes, kTile>;
  using Range = std::pair<size_t, size_t>;

  // The kernel positions that fall inside the image around `centre`.
  Range inside(size_t centre, size_t pad, size_t extent) const {
    const size_t begin = centre < pad ? pad - centre : 0;
    const size_t end = std::min(kernel_, extent + pad - centre);
    return {begin, end};
  }

  // One output pixel, kTile channels.
  Sums at(const Map& input, size_t tile, size_t y, size_t x, Range rows, Range columns) const {
    const size_t pad = kernel_ / 2;
    const auto& bias = bias_[tile];
    Lanes a = Lanes{} + bias[0], b = Lanes{} + bias[1], c = Lanes{} + bias[2],
          d = Lanes{} + bias[3];
    for (size_t i = 0; i < in_; ++i) {
      for (size_t ky = rows.first; ky < rows.second; ++ky) {
        const Lanes* line = &input.values[(i * input.height + y + ky - pad) * input.width];
        const auto* weight = &weights_[((tile * in_ + i) * kernel_ + ky) * kernel_];
        for (size_t kx = columns.first; kx < columns.second; ++kx) {
          const Lanes pixel = line[x + kx - pad];
          a += pixel * weight[kx][0];
          b += pixel * weight[kx][1];
          c += pixel * weight[kx][2];
          d += pixel * weight[kx][3];
        }
      }
    }
    return {a, b, c, d};
  }

  size_t in_, out_ = 0, kernel_ = 0, stride_;
  std::vector<std::array<float, kTile>> weights_;  // [tile][in][ky][kx][channel of the tile]
  std::vector<std::array<float, kTile>> bias_;
};

// A residual block.  One with a `downsample` shortcut halves the resolution.
struct Block {
  std::optional<Convolution> shortcut;
  Convolution first, second;

  Block(const Source& source, const std::string& name, size_t in)
      : shortcut(source.has(name + ".downsample.conv.weight")
                     ? std::optional<Convolution>(std::in_place, source, name + ".downsample.conv",
                                                  name + ".downsample.bn", in, 2)
                     : std::nullopt),
        first(source, name + ".conv1", name + ".bn1", in, shortcut ? 2 : 1),
        second(source, name + ".conv2", name + ".bn2", first.out(), 1) {
    if ((shortcut ? shortcut->out() : in) != second.out()) {
      source.reject("the two branches of '" + name + "' differ in width");
    }
  }

  Map operator()(const Map& input) const {
    Map hidden = first(input);
    relu(hidden);
    Map output = second(hidden);
    const Map added = shortcut ? (*shortcut)(input) : input;
    for (size_t i = 0; i < output.values.size(); ++i) output.values[i] += added.values[i];
    relu(output);
    return output;
  }
};

class Network {
 public:
  explicit Network(const Source& source) : stem_(source, "stem.conv", "stem.bn", 1, 2) {
    size_t width = stem_.out();
    for (size_t i = 0;; ++i) {
      const std::string name = "layers." + std::to_string(i);
      if (!source.has(name + ".conv1.weight")) break;
      blocks_.emplace_back(source, name, width);
      width = blocks_.back().second.out();
    }
    head_ = source.read("head.weight", 2);
    if (head_.shape[0] == 0 || head_.shape[1] != width) {
      source.reject("'head.weight' must be [classes, " + std::to_string(width) + "]");
    }
    head_bias_ = source.read_vector("head.bias", head_.shape[0]);
  }

  size_t classes() const { return head_bias_.size(); }

  std::vector<Lanes> operator()(const Map& images) const {
    Map map = stem_(images);
    relu(map);
    for (const Block& block : blocks_) map = block(map);

    std::vector<Lanes> logits(classes());
    for (size_t o = 0; o < classes(); ++o) logits[o] = Lanes{} + head_bias_[o];
    const size_t pixels = map.height * map.width;
    for (size_t c = 0; c < map.channels; ++c) {
      Lanes mean{};
      for (size_t p = 0; p < pixels; ++p) mean += map.values[c * pixels + p];
      mean /= static_cast<float>(pixels);
      for (size_t o = 0; o < classes(); ++o) {
        logits[o] += mean * head_.values[o * map.channels + c];
      }
    }
    return logits;
  }

 private:
  Convolution stem_;
  std::vector<Block> blocks_;
  Tensor head_;
  std::vector<float> head_bias_;
};

// ---------------------------------------------------------------- scoring

struct Data {
  Tensor images;
  std::vector<size_t> labels;

  Data(const Source& source, size_t classes) : images(source.read("images", 4)) {
    const auto& shape = images.shape;
    if (shape[0] == 0 || shape[1] != 1 || shape[2] == 0 || shape[3] == 0) {
      source.reject("'images' must be [N, 1, H, W], none of them 0");
    }
    for (float label : source.read_vector("labels", shape[0])) {
      if (!(label >= 0 && label < static_cast<float>(classes))) {
        source.reject("a label outside 0.." + std::to_string(classes - 1));
      }
      labels.push_back(static_cast<size_t>(label));
    }
  }

  // Images first, first+1, ... one a lane, scaled to 0..1; spare lanes stay 0.
  Map batch(size_t first) const {
    Map map(1, images.shape[2], images.shape[3]);
    const size_t pixels = map.values.size();
    for (size_t lane = 0; lane < kLanes && first + lane < labels.size(); ++lane) {
      const float* image = &images.values[(first + lane) * pixels];
      for (size_t p = 0; p < pixels; ++p) map.values[p][lane] = image[p] / 255.0f;
    }
    return map;
  }
};

struct Outcome {
  bool right = false;
  double loss = 0.0;
};

// Cross-entropy of one lane's logits, and whether the largest is the label's.
Outcome judge(const std::vector<Lanes>& logits, size_t lane, size_t label) {
  size_t best = 0;
  for (size_t o = 1; o < logits.size(); ++o) {
    if (logits[o][lane] > logits[best][lane]) best = o;
  }
  const double top = logits[best][lane];
  double sum = 0.0;
  for (const Lanes& logit : logits) sum += std::exp(logit[lane] - top);
  const double loss = top + std::log(sum) - logits[label][lane];
  return {best == label && std::isfinite(loss), loss};
}

std::vector<Outcome> score(const Network& network, const Data& data) {
  std::vector<Outcome> outcomes(data.labels.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t first; (first = next.fetch_add(kLanes)) < outcomes.size();) {
      const std::vector<Lanes> logits = network(data.batch(first));
      for (size_t lane = 0; lane < kLanes && first + lane < outcomes.size(); ++lane) {
        outcomes[first + lane] = judge(logits, lane, data.labels[first + lane]);
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (size_t i = 1; i < kThreads; ++i) helpers.emplace_back(work);
    work();
  }
  return outcomes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: %s MODEL [DATA]\n", argv[0]);
    return 1;
  }
  try {
    const Network network{Source(argv[1])};
    const Data data(Source(argc > 2 ? argv[2] : "examples/checkpoints/val.safetensors"),
                    network.classes());
    size_t right = 0;
    double loss = 0.0;
    for (const Outcome& outcome : score(network, data)) {
      right += outcome.right ? 1 : 0;
      loss += outcome.loss;
    }
    const double images = static_cast<double>(data.labels.size());
    std::printf("{\"accuracy\": %.6g, \"loss\": ", static_cast<double>(right) / images);
    if (std::isfinite(loss)) {
      std::printf("%.6g", loss / images);
    } else {
      std::printf("null");
    }
    std::printf(", \"images\": %zu}\n", data.labels.size());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "score: %s\n", error.what());
    return 1;
  }
  return 0;
}

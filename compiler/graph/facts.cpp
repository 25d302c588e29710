#include "compiler/graph/facts.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace roux {
namespace {

// Words that name a list of blocks, and words that name what stands before the blocks; anything else
// outside of blocks (final norms, heads) stands after them.
constexpr std::string_view kBlockWords[] = {"layers", "blocks", "h", "layer", "block"};
constexpr std::string_view kBeforeWords[] = {"embed", "embedding", "embeddings", "wte",  "wpe",    "patch", "stem",
                                             "conv1", "pos",       "pre",        "cls", "shared", "in"};
constexpr std::string_view kAfterWords[] = {"out", "head", "post", "final"};

struct BlockPlace {
  std::string stack;  // the name up to the index: `model.layers`
  double index;
};

// The first `WORD.N.` of the name.
std::optional<BlockPlace> block_of(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t dot = name.find('.', begin);
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view word = name.substr(begin, dot - begin);
    const std::size_t next = name.find('.', dot + 1);
    if (next != std::string_view::npos &&
        std::find(std::begin(kBlockWords), std::end(kBlockWords), word) != std::end(kBlockWords)) {
      unsigned index = 0;
      const char* first = name.data() + dot + 1;
      const char* last = name.data() + next;
      if (auto [end, failed] = std::from_chars(first, last, index); failed == std::errc{} && end == last)
        return BlockPlace{std::string(name.substr(0, dot)), static_cast<double>(index)};
    }
    begin = dot + 1;
  }
  return std::nullopt;
}

// Names are words between dots and underscores: `embed_tokens` stands before the blocks, `embed_out` after.
bool stands_before(std::string_view name) {
  bool before = false;
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find_first_of("._", begin), name.size());
    const std::string_view word = name.substr(begin, end - begin);
    if (std::find(std::begin(kAfterWords), std::end(kAfterWords), word) != std::end(kAfterWords)) return false;
    before = before || std::find(std::begin(kBeforeWords), std::end(kBeforeWords), word) != std::end(kBeforeWords);
    begin = end + 1;
  }
  return before;
}

}  // namespace

void tell_facts(Domain& domain) {
  std::vector<std::optional<BlockPlace>> places;
  std::map<std::string, double> counts;
  for (const Domain::Tensor& tensor : domain.tensors) {
    places.push_back(block_of(tensor.name));
    if (places.back()) {
      double& count = counts[places.back()->stack];
      count = std::max(count, places.back()->index + 1);
    }
  }
  double most = 0;
  for (const auto& [stack, count] : counts) most = std::max(most, count);

  for (std::size_t i = 0; i < domain.tensors.size(); ++i) {
    Domain::Tensor& tensor = domain.tensors[i];
    const double count = places[i] ? counts[places[i]->stack] : most;
    const double layer = places[i] ? places[i]->index : -1;
    double depth = stands_before(tensor.name) ? 0 : 1;
    if (places[i]) depth = count > 1 ? layer / (count - 1) : 0;
    const MatrixView view = matrix_view(tensor.shape);
    tensor.facts = {layer, count, depth, static_cast<double>(tensor.shape.size()),
                    static_cast<double>(tensor.element_count), static_cast<double>(view.rows),
                    static_cast<double>(view.columns)};
  }
  domain.facts_told = true;
}

}  // namespace roux

#include "compiler/format/set_lines.h"

#include <utility>

namespace roux::typeset {
namespace {

enum class Mode : unsigned char {
  flat,
  broken,
  hugged,  // the last part of a hugged call: the bracket that it ends with is broken
};

struct Item {
  PieceId piece;
  std::uint32_t indentation;
  Mode mode;
};

class Setter {
 public:
  explicit Setter(const Layout& layout) : layout_(layout) {}

  std::vector<Line> run(PieceId whole) {
    rest_.push_back({whole, 0, Mode::broken});
    while (!rest_.empty()) {
      const Item item = rest_.back();
      rest_.pop_back();
      set(item);
    }
    if (column_ > 0 || !comments_.empty()) end_line(0);
    return std::move(lines_);
  }

 private:
  void set(const Item& item) {
    const Piece& piece = layout_[item.piece];
    switch (piece.kind) {
      case PieceKind::text: return put(piece.text, piece.width);
      case PieceKind::sequence: return push_parts(rest_, item);
      case PieceKind::indent: return rest_.push_back({piece.parts[0], item.indentation + 2, item.mode});
      case PieceKind::group:
      case PieceKind::bracket: return rest_.push_back({piece.parts[0], item.indentation, mode_of(item)});
      case PieceKind::hug: return set_hug(item);
      case PieceKind::line: return set_line(item);
      case PieceKind::either:
        return rest_.push_back({piece.parts[item.mode == Mode::flat ? 0 : 1], item.indentation, item.mode});
      case PieceKind::comment: return comments_.push_back(piece.text);
      case PieceKind::tab:
        if (item.mode != Mode::flat && line_.sign.empty()) line_.sign = piece.text, line_.sign_at = line_.code.size();
        return;
      case PieceKind::finish: is_whole_ = item.mode != Mode::flat && !line_.sign.empty(); return;
    }
  }

  void put(std::string_view text, std::uint32_t width) {
    if (text.empty()) return;
    if (line_.code.empty()) line_.code.assign(line_.indentation, ' '), column_ = line_.indentation;
    line_.code += text;
    column_ += width;
  }

  // Parts in reverse, so that the first is taken first. Only the last text of what is hugged stays hugged.
  void push_parts(std::vector<Item>& stack, const Item& item) const {
    const std::vector<PieceId>& parts = layout_[item.piece].parts;
    for (std::size_t i = parts.size(); i-- > 0;) {
      const bool is_last = i + 1 == parts.size();
      const Mode mode = item.mode == Mode::hugged && !is_last ? Mode::flat : item.mode;
      stack.push_back({parts[i], item.indentation, mode});
    }
  }

  // `(`, the leading arguments, the last argument, `)`: the last but one part is what is hugged.
  void push_hugging(std::vector<Item>& stack, const Item& item) const {
    const std::vector<PieceId>& parts = layout_[layout_[item.piece].parts[0]].parts;
    for (std::size_t i = parts.size(); i-- > 0;)
      stack.push_back({parts[i], item.indentation, i + 2 == parts.size() ? Mode::hugged : Mode::flat});
  }

  Mode mode_of(const Item& item) const {
    const Piece& piece = layout_[item.piece];
    if (item.mode == Mode::flat) return Mode::flat;
    if (item.mode == Mode::hugged && piece.kind == PieceKind::bracket) return Mode::broken;
    return !piece.hard && fits({item.piece, item.indentation, Mode::flat}) ? Mode::flat : Mode::broken;
  }

  void set_hug(const Item& item) {
    const Piece& piece = layout_[item.piece];
    const bool flat = item.mode == Mode::flat || (!piece.hard && fits({piece.parts[0], item.indentation, Mode::flat}));
    if (flat) return rest_.push_back({piece.parts[0], item.indentation, Mode::flat});
    if (may_hug(piece) && fits(item, true)) return push_hugging(rest_, item);
    rest_.push_back({piece.parts[1], item.indentation, Mode::broken});
  }

  bool may_hug(const Piece& piece) const {
    const std::vector<PieceId>& parts = layout_[piece.parts[0]].parts;
    for (std::size_t i = 0; i + 2 < parts.size(); ++i)
      if (layout_[parts[i]].hard) return false;
    return true;
  }

  void set_line(const Item& item) {
    const Piece& piece = layout_[item.piece];
    if (item.mode == Mode::flat) {
      if (piece.flat == Break::blank) put(" ", 1);
      return;
    }
    const bool is_one_sign = line_.code.find_first_not_of(' ') + 1 == line_.code.size();
    const bool joins = piece.joins && is_one_sign && line_.code.ends_with('}');
    const bool fills = piece.room > 0 && comments_.empty() && column_ + 1 + piece.room <= kColumns;
    if (joins || fills) return put(" ", 1);
    end_line(item.indentation);
    if (piece.skips && !lines_.empty() && !lines_.back().code.empty()) lines_.emplace_back();
  }

  // Comments that share a line stay there one by one: the first at its end, the others below it.
  void end_line(std::uint32_t indentation) {
    while (line_.code.ends_with(' ')) line_.code.pop_back();
    if (!is_whole_) line_.sign = {};
    for (std::size_t i = 0; i < comments_.size(); ++i) {
      const bool alone = i > 0 || line_.code.empty();
      if (!alone) {
        line_.comment = comments_[i];
        continue;
      }
      if (!line_.code.empty()) lines_.push_back(std::exchange(line_, {}));
      line_.indentation = indentation;
      line_.code = std::string(indentation, ' ') + std::string(comments_[i]);
    }
    comments_.clear();
    if (!line_.code.empty()) lines_.push_back(std::exchange(line_, {}));
    line_ = {};
    line_.indentation = indentation;
    column_ = 0;
    is_whole_ = false;
  }

  bool fits(const Item& first, bool hugging = false) const;

  const Layout& layout_;
  std::vector<Item> rest_;  // what is still to be set, the next one last
  std::vector<Line> lines_;
  Line line_;
  std::uint32_t column_ = 0;  // of what stands in `line_`
  std::vector<std::string_view> comments_;
  bool is_whole_ = false;  // whether the statement of the line's sign ended in it
};

// Whether `first` and what follows it up to the next place where a line may end fit into this one.
bool Setter::fits(const Item& first, bool hugging) const {
  const std::uint32_t start = line_.code.empty() ? line_.indentation : column_;
  if (start > kColumns) return false;
  std::uint32_t left = kColumns - start;
  std::vector<Item> ahead;
  if (hugging) {
    push_hugging(ahead, first);
  } else {
    ahead.push_back(first);
  }
  for (std::size_t rest = rest_.size(); !ahead.empty() || rest > 0;) {
    const bool of_rest = ahead.empty();
    const Item item = of_rest ? rest_[--rest] : ahead.back();
    if (!of_rest) ahead.pop_back();
    const Piece& piece = layout_[item.piece];
    switch (piece.kind) {
      case PieceKind::text:
        if (piece.width > left) return false;
        left -= piece.width;
        break;
      case PieceKind::sequence: push_parts(ahead, item); break;
      case PieceKind::indent:
        ahead.push_back({piece.parts[0], item.indentation, item.mode});
        break;
      case PieceKind::group:
        ahead.push_back({piece.parts[0], item.indentation,
                         item.mode == Mode::hugged ? (piece.hard ? Mode::broken : Mode::flat) : item.mode});
        break;
      case PieceKind::bracket:
        ahead.push_back({piece.parts[0], item.indentation, item.mode == Mode::flat ? Mode::flat : Mode::broken});
        break;
      case PieceKind::hug:
        ahead.push_back({piece.parts[item.mode == Mode::flat ? 0 : 1], item.indentation, item.mode});
        break;
      case PieceKind::either:
        ahead.push_back({piece.parts[item.mode == Mode::flat ? 0 : 1], item.indentation, item.mode});
        break;
      case PieceKind::line:
        if (item.mode != Mode::flat || piece.hard) return true;
        if (piece.flat == Break::blank && left-- == 0) return false;
        break;
      case PieceKind::comment:
      case PieceKind::tab:
      case PieceKind::finish: break;
    }
  }
  return true;
}

}  // namespace

std::vector<Line> set_lines(const Layout& layout, PieceId whole) { return Setter(layout).run(whole); }

}  // namespace roux::typeset

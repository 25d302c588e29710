#include "cli/lsp/positions.h"

#include <algorithm>

#include "cli/lsp/params.h"

namespace roux::cli::lsp {
namespace {

// The bytes of the character that begins with this one. (A stray byte counts for itself.)
std::size_t bytes_of_character(unsigned char first) {
  if (first >= 0xF0) return 4;
  if (first >= 0xE0) return 3;
  return first >= 0xC0 ? 2 : 1;
}

std::size_t units_of_character(std::size_t bytes, Units units) {
  if (units == Units::utf8) return bytes;
  return bytes == 4 ? 2 : 1;  // a pair of surrogates
}

}  // namespace

Positions::Positions(std::string_view text, Units units) : text_(text), units_(units), begins_{0} {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') begins_.push_back(i + 1);
}

// Without its end.
std::string_view Positions::line(std::size_t index) const {
  const std::size_t end = index + 1 < begins_.size() ? begins_[index + 1] - 1 : text_.size();
  return text_.substr(begins_[index], end - begins_[index]);
}

std::size_t Positions::offset_of(const nlohmann::json& position) const {
  const std::size_t wanted = count_at(position, "line"), character = count_at(position, "character");
  if (wanted >= begins_.size()) return text_.size();
  const std::string_view in = line(wanted);
  std::size_t at = 0;
  for (std::size_t units = 0; at < in.size() && units < character;) {
    const std::size_t bytes = bytes_of_character(static_cast<unsigned char>(in[at]));
    units += units_of_character(bytes, units_);
    at += bytes;
  }
  return begins_[wanted] + std::min(at, in.size());
}

nlohmann::json Positions::position_of(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
  const std::size_t index = static_cast<std::size_t>(after - begins_.begin()) - 1;
  std::size_t units = 0;
  for (std::size_t at = begins_[index]; at < offset;) {
    const std::size_t bytes = bytes_of_character(static_cast<unsigned char>(text_[at]));
    units += units_of_character(bytes, units_);
    at += bytes;
  }
  return {{"line", index}, {"character", units}};
}

nlohmann::json Positions::range_of(std::size_t begin, std::size_t end) const {
  return {{"start", position_of(begin)}, {"end", position_of(end)}};
}

}  // namespace roux::cli::lsp

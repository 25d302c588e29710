// Places of a text as an editor counts them, by line and by units in it (of UTF-16, or of UTF-8 where the editor
// can), to byte offsets and back. What lies outside of the text is brought to its nearest place.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace roux::cli::lsp {

enum class Units : unsigned char { utf8, utf16 };

class Positions {
 public:
  // The text must outlive it.
  Positions(std::string_view text, Units units);

  // Throws a RequestError where it is no place at all.
  std::size_t offset_of(const nlohmann::json& position) const;
  nlohmann::json position_of(std::size_t offset) const;
  nlohmann::json range_of(std::size_t begin, std::size_t end) const;

 private:
  std::string_view line(std::size_t index) const;

  std::string_view text_;
  Units units_;
  std::vector<std::size_t> begins_;  // of lines
};

}  // namespace roux::cli::lsp

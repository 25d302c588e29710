// Text in columns, for people: how wide a text is, texts cut to a width, rows whose cells stand in line. A column
// is one character of UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace roux {

std::size_t columns_of(std::string_view text);

// At most `columns` wide; what is cut off leaves a `…`.
std::string shortened(std::string_view text, std::size_t columns);

enum class Align : unsigned char { left, right };

// One line for each row, two spaces between cells, no spaces at the end. Columns without an entry in `aligned`
// stand to the left; rows may have fewer cells than others.
std::vector<std::string> in_columns(const std::vector<std::vector<std::string>>& rows,
                                    const std::vector<Align>& aligned = {});

}  // namespace roux

#include "cli/lsp/uris.h"

#include <filesystem>

namespace roux::cli::lsp {
namespace {

constexpr std::string_view kScheme = "file://";
constexpr char kDigits[] = "0123456789ABCDEF";

int value_of_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_plain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~' || c == '/';
}

}  // namespace

std::optional<std::string> path_of_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  uri.remove_prefix(std::min(uri.find('/'), uri.size()));  // the host, which is this one
  std::string path;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    const int high = uri[i] == '%' && i + 2 < uri.size() ? value_of_digit(uri[i + 1]) : -1;
    const int low = high >= 0 ? value_of_digit(uri[i + 2]) : -1;
    if (low < 0) {
      path += uri[i];
    } else {
      path += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return path;
}

std::string uri_of_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  std::string uri(kScheme);
  for (const char c : failed ? path : absolute.lexically_normal().string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain(byte))
      uri += c;
    else
      uri += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return uri;
}

}  // namespace roux::cli::lsp

// `roux inspect`: the tensors of a checkpoint as a table, then what it is as a whole.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "cli/terminal.h"

namespace roux::cli {
namespace {

using Row = std::array<std::string, 4>;  // name, dtype, shape, size

std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // not the inside of a UTF-8 character
  }));
}

std::string padded(const std::string& text, std::size_t columns, bool to_the_right) {
  const std::string space(columns - std::min(columns, columns_of(text)), ' ');
  return to_the_right ? space + text : text + space;
}

std::string table_text(const std::vector<Row>& rows) {
  std::array<std::size_t, 4> widths = {};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += (i == 0 ? "" : "  ") + padded(row[i], widths[i], i == row.size() - 1);
    }
    out += '\n';
  }
  return out;
}

std::vector<Row> rows_of(const CheckpointReader& checkpoint) {
  std::vector<Row> rows = {{"name", "dtype", "shape", "size"}};
  for (const TensorSummary& tensor : checkpoint.tensors()) {
    rows.push_back({printable(tensor.name), tensor.dtype, format_shape(tensor.shape),
                    format_bytes(tensor.byte_count)});
  }
  return rows;
}

std::uint64_t element_count(const TensorSummary& tensor) {
  std::uint64_t count = 1;
  for (const std::int64_t extent : tensor.shape) count *= static_cast<std::uint64_t>(extent);
  return count;
}

// 260,032
std::string grouped(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string summary_text(const CheckpointReader& checkpoint) {
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
  std::set<std::string> dtypes;
  for (const TensorSummary& tensor : checkpoint.tensors()) {
    parameters += element_count(tensor);
    bytes += tensor.byte_count;
    dtypes.insert(tensor.dtype);
  }
  std::vector<std::string> parts = {
      format_count(checkpoint.tensors().size(), "tensor"),
      grouped(parameters) + (parameters == 1 ? " parameter" : " parameters"), format_bytes(bytes)};
  parts.insert(parts.end(), dtypes.begin(), dtypes.end());
  parts.push_back(format_count(checkpoint.files().size(), "file"));
  return join(parts, ", ") + '\n';
}

// `LlamaForCausalLM (llama)`, or whichever of the two the config has.
std::string architecture_of(const std::string& config_text) {
  const Json config = Json::parse(config_text, nullptr, false);
  if (!config.is_object()) return "";
  std::vector<std::string> names;
  if (const auto list = config.find("architectures"); list != config.end() && list->is_array()) {
    for (const Json& name : *list) {
      if (name.is_string()) names.push_back(printable(name.get<std::string>()));
    }
  }
  const auto type = config.find("model_type");
  if (type == config.end() || !type->is_string()) return join(names, ", ");
  const std::string model_type = printable(type->get<std::string>());
  return names.empty() ? model_type : join(names, ", ") + " (" + model_type + ")";
}

std::string about_text(const CheckpointReader& checkpoint) {
  std::string out;
  const std::string architecture = architecture_of(checkpoint.config().value_or(""));
  if (!architecture.empty()) out += "architecture: " + architecture + '\n';
  std::vector<std::string> keys;
  for (const auto& [key, value] : checkpoint.metadata()) keys.push_back(printable(key));
  if (!keys.empty()) out += "metadata: " + join(keys, ", ") + '\n';
  return out;
}

void tell(const CheckpointReader& checkpoint, const std::string& path, Json& document) {
  document["path"] = path;
  document["files"] = checkpoint.files();
  document["tensors"] = Json::array();
  std::uint64_t parameters = 0, bytes = 0;
  for (const TensorSummary& tensor : checkpoint.tensors()) {
    document["tensors"].push_back({{"name", tensor.name},
                                   {"dtype", tensor.dtype},
                                   {"shape", tensor.shape},
                                   {"bytes", tensor.byte_count}});
    parameters += element_count(tensor);
    bytes += tensor.byte_count;
  }
  document["parameters"] = parameters;
  document["bytes"] = bytes;
  document["metadata"] = checkpoint.metadata();
  const Json config = Json::parse(checkpoint.config().value_or("null"), nullptr, false);
  document["config"] = config.is_discarded() ? Json() : config;
}

}  // namespace

int inspect_checkpoint(const Arguments& arguments) {
  Terminal terminal(arguments);
  const Result<CheckpointReader> checkpoint = CheckpointReader::open(arguments.subject);
  if (!checkpoint) return terminal.fail(checkpoint.error());
  if (terminal.is_json()) {
    tell(*checkpoint, arguments.subject, terminal.document());
    return terminal.finish();
  }
  terminal.print(table_text(rows_of(*checkpoint)) + '\n' + summary_text(*checkpoint) +
                 about_text(*checkpoint));
  return terminal.finish();
}

}  // namespace roux::cli

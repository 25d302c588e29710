// `roux inspect`: the tensors of a checkpoint as a table, then what it is as a whole.
#include <set>

#include "base/table.h"
#include "base/text.h"
#include "cli/terminal.h"

namespace roux::cli {
namespace {

using Row = std::vector<std::string>;  // name, dtype, shape, size

std::string table_text(const std::vector<Row>& rows) {
  using enum Align;
  std::string out;
  for (const std::string& line : in_columns(rows, {left, left, left, right})) out += line + '\n';
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

// The readers of checkpoints. What opens is whole: every tensor has the bytes that its shape and dtype ask for, can be
// read, and comes back from a header written anew; what does not is refused with a diagnostic that blames no one else.
#include <algorithm>

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/config.h"
#include "runtime/checkpoint/safetensors.h"
#include "tests/fuzz/targets.h"
#include "tests/support/hostile_files.h"

namespace roux::testing::fuzz {
namespace {

void expect_refusal(const Diagnostics& findings) {
  promise(!findings.empty(), "refused without a word");
  for (const Diagnostic& finding : findings)
    promise(fault_of(finding.kind) != Fault::internal && !finding.message.empty(), "refused by a bug: " + finding.message);
  (void)render(findings, SourceMap());
}

void read_all(const Checkpoint& checkpoint) {
  std::string bytes;
  for (std::size_t i = 0; i < checkpoint.tensors().size(); ++i) {
    const TensorInfo& tensor = checkpoint.tensors()[i];
    const auto size = static_cast<std::uint64_t>(bytes_of(tensor.dtype));
    promise(element_count_of(tensor.shape, tensor.dtype) == tensor.element_count, tensor.name + ": another shape");
    promise(tensor.byte_count == tensor.element_count * size, tensor.name + ": another number of bytes");
    promise(i == 0 || checkpoint.tensors()[i - 1].name < tensor.name, tensor.name + ": out of order");
    promise(checkpoint.find(tensor.name) == i, tensor.name + ": not found");
    bytes.resize(tensor.byte_count);  // there are as many in the file
    promise(checkpoint.read(i, 0, bytes.size(), bytes.data()).ok(), tensor.name + ": cannot be read");
  }
  promise(checkpoint.digest(1).ok(), "no digest");
}

// As text and back, with offsets that begin anew.
void expect_same_from_own_header(const std::string& folder, const Checkpoint& checkpoint) {
  std::vector<HeaderEntry> entries;
  std::uint64_t end = 0;
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    entries.push_back({tensor.name, tensor.dtype, tensor.shape, end, end + tensor.byte_count});
    end += tensor.byte_count;
  }
  const std::string path = put_file(folder + "/again.safetensors", safetensors_header(entries, checkpoint.metadata()) +
                                                                       std::string(end, '\0'));
  const auto again = Checkpoint::open(path, {});
  promise(again.ok(), again ? "" : "our own header is refused: " + again.error()[0].message);
  promise((*again)->metadata() == checkpoint.metadata(), "other metadata comes back");
  promise(std::equal((*again)->tensors().begin(), (*again)->tensors().end(), checkpoint.tensors().begin(),
                     checkpoint.tensors().end(),
                     [](const TensorInfo& a, const TensorInfo& b) {
                       return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape;
                     }),
          "other tensors come back");
}

constexpr std::string_view kConfig =
    R"({"model_type":"llama","torch_dtype":"float16","tie_word_embeddings":false,"text_config":{"dtype":null},)"
    R"("eps":1e-05,"eos_token_id":[1,2],"rope":NaN})";
constexpr std::string_view kIndex =
    R"({"metadata":{"total_size":12},"weight_map":{"a":"first.safetensors","b":"second.safetensors"}})";

// Set to one dtype a config reads as before, and to the same once more it stays.
void expect_sane_config(std::string_view text) {
  const auto facts = read_config(text, "config.json", {});
  if (!facts) return expect_refusal(facts.error());
  const std::string changed = with_dtype(text, DType::bf16);
  const auto again = read_config(changed, "config.json", {});
  promise(again.ok() && again->quantized == facts->quantized && again->ties_embeddings == facts->ties_embeddings,
          "a config with another dtype reads otherwise: " + changed);
  promise(with_dtype(changed, DType::bf16) == changed, "a dtype is set twice: " + changed);
}

}  // namespace

// A byte below 128, then a file; or any other byte, a header up to the first NUL, data: the length is put in front.
void read_checkpoint_file(std::string_view bytes) {
  if (bytes.empty()) return;
  const bool whole = static_cast<unsigned char>(bytes[0]) < 128;
  bytes.remove_prefix(1);
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string file =
      whole ? std::string(bytes)
            : safetensors_bytes(bytes.substr(0, end), bytes.substr(std::min(end + 1, bytes.size())));
  static const ScratchFolder folder(quick_folder());
  const auto opened = Checkpoint::open(put_file(folder / "model.safetensors", file), {});
  if (!opened) return expect_refusal(opened.error());
  read_all(**opened);
  expect_same_from_own_header(folder.path(), **opened);
}

// A config and, behind a NUL, an index of two files with a tensor each.
void read_checkpoint_folder(std::string_view bytes) {
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string_view config = bytes.substr(0, end), index = bytes.substr(std::min(end + 1, bytes.size()));
  expect_sane_config(config);
  static const ScratchFolder folder(quick_folder());
  put_file(folder / "config.json", config);
  put_file(folder / "model.safetensors.index.json", index);
  put_file(folder / "first.safetensors", f32_safetensors({{"a", {2}, {1, 2}}}));
  put_file(folder / "second.safetensors", f32_safetensors({{"b", {}, {3}}}));
  const auto opened = Checkpoint::open(folder.path(), {});
  if (!opened) return expect_refusal(opened.error());
  read_all(**opened);
  promise(!(*opened)->tensors().empty(), "an index of nothing");
}

std::vector<std::string> checkpoint_file_seeds() {
  const std::string dtypes =
      "{" + entry("f8", "F8_E4M3", "[3]", 0, 3) + "," + entry("mask", "BOOL", "[1,1]", 3, 4) + "," +
      entry("half", "F16", "[2,1]", 4, 8) + "," + entry("whole", "I64", "[]", 8, 16) + "," +
      entry("none", "F64", "[0,7]", 16, 16) + R"(,"__metadata__":{"format":"pt","\u00e9":"\n\ud83d\ude00"}})";
  const std::string one = f32_safetensors({{"w", {2, 2}, {1, 2, 3, 4}}, {"b", {}, {5}}});
  const std::string nul(1, '\0');
  return {
      "\x01" + one,
      "\xFF" + dtypes + nul + std::string(16, '\x3C'),
      "\xFF{" + entry("a.weight", "BF16", "[2]", 0, 4) + "}   " + nul + "\x80\x3F\xC0\x7F",
      "\xFF{}" + nul,
      std::string("\xFF") + R"({"__metadata__":{}})" + nul,
  };
}

std::vector<std::string> checkpoint_folder_seeds() {
  const std::string nul(1, '\0');
  return {
      std::string(kConfig) + nul + std::string(kIndex),
      "{}" + nul + std::string(kIndex),
      R"({"quantization_config":{"quant_method":"awq","dtype":"float16"},"dtype":"auto"})" + nul + std::string(kIndex),
  };
}

}  // namespace roux::testing::fuzz

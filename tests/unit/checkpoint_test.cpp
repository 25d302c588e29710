// Opening and reading checkpoints: what is taken, and what is refused with which words.
#include "runtime/checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "runtime/checkpoint/config.h"
#include "runtime/checkpoint/formats.h"
#include "tests/support/hostile_files.h"
#include "tests/support/refused_files.h"

namespace roux {
namespace {

namespace fs = std::filesystem;
using testing::entry;
using testing::file_of;
using testing::index_of;
using testing::little_endian;
using testing::one_tensor;
using testing::put_file;
using testing::put_safetensors;
using testing::ScratchFolder;

Checkpoint::Ptr must_open(const std::string& path) {
  auto opened = Checkpoint::open(path, {});
  if (!opened) {
    ADD_FAILURE() << render(opened.error(), SourceMap());
    return nullptr;
  }
  return *opened;
}

// One diagnostic of the kind, with a hint, whose message names all the words.
void expect_refused(const std::string& path, DiagnosticKind kind,
                    const std::vector<std::string>& words) {
  const auto opened = Checkpoint::open(path, {});
  ASSERT_FALSE(opened.ok()) << path << " was opened";
  ASSERT_EQ(opened.error().size(), 1u);
  const Diagnostic& found = opened.error().front();
  EXPECT_EQ(name_of(found.kind), name_of(kind)) << found.message;
  EXPECT_FALSE(found.help.empty()) << found.message;
  for (const std::string& word : words)
    EXPECT_NE((found.message + "\n" + found.help).find(word), std::string::npos)
        << "no `" << word << "` in: " << found.message << "\nhelp: " << found.help;
}

class HostileFile : public ::testing::TestWithParam<testing::RefusedFile> {};

TEST_P(HostileFile, IsRefusedWithOneDiagnostic) {
  const ScratchFolder scratch;
  const std::string path = put_file(scratch / "m.safetensors", GetParam().bytes);
  std::vector<std::string> words = GetParam().words;
  words.push_back(path);
  const DiagnosticKind kind =
      GetParam().has_unknown_dtype ? DiagnosticKind::unsupported_dtype : DiagnosticKind::bad_checkpoint;
  expect_refused(path, kind, words);
}

INSTANTIATE_TEST_SUITE_P(Checkpoint, HostileFile, ::testing::ValuesIn(testing::refused_files()),
                         [](const auto& param) { return std::string(param.param.name); });

// Random damage anywhere in a file: it opens or it is refused, and what opens can be read.
TEST(Checkpoint, DamagedFilesOpenOrAreRefused) {
  const ScratchFolder scratch;
  const std::string right =
      file_of("{\"__metadata__\":{\"a\":\"b\"}," + entry("a", "F32", "[2,3]", 0, 24) + "," +
                  entry("b", "BF16", "[]", 24, 26) + "," + entry("c", "I8", "[0]", 26, 26) + "}",
              26);
  constexpr std::string_view kDamage = "{}[]\":,0129-.eE\\ntfFUAaxyz\x00\x80\xff";
  std::uint64_t state = 42;  // a linear congruence: the same damage on every machine
  const auto random = [&](std::size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % below;
  };
  int opened_count = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = right;
    for (std::size_t k = 0; k <= random(3); ++k)
      bytes[random(bytes.size())] = kDamage[random(kDamage.size())];
    if (random(8) == 0) bytes.resize(random(bytes.size()));
    fs::remove(scratch / "m.safetensors");  // ext4 would flush a file that is written over
    const auto opened = Checkpoint::open(put_file(scratch / "m.safetensors", bytes), {});
    if (!opened) {
      ASSERT_EQ(opened.error().size(), 1u);
      continue;
    }
    ++opened_count;
    for (std::size_t t = 0; t < (*opened)->tensors().size(); ++t) {
      std::string data((*opened)->tensors()[t].byte_count, '\0');
      ASSERT_TRUE((*opened)->read(t, 0, data.size(), data.data()).ok());
    }
  }
  EXPECT_GT(opened_count, 0);
  EXPECT_LT(opened_count, 2900);
}

TEST(Checkpoint, NamesTheNearestPath) {
  const ScratchFolder scratch;
  put_file(scratch / "checkpoints/base/model.safetensors", one_tensor("x", 1));
  put_file(scratch / "soup.safetensors", one_tensor("x", 1));
  expect_refused(scratch / "chekpoints/bse", DiagnosticKind::no_such_file,
                 {"no such file or folder", scratch / "checkpoints/base"});
  expect_refused(scratch / "soup", DiagnosticKind::no_such_file, {"soup.safetensors"});
  expect_refused(scratch / "entirely/elsewhere", DiagnosticKind::no_such_file,
                 {"`" + scratch.path() + "` is the last part"});
  expect_refused("nothing_like_this_anywhere", DiagnosticKind::no_such_file, {"relative"});
  expect_refused("someorg/some-model-7b", DiagnosticKind::no_such_file, {"hub"});
  expect_refused("", DiagnosticKind::no_such_file, {"no path"});
}

TEST(Checkpoint, RefusesLinksInACircleAndLinksToNowhere) {
  const ScratchFolder scratch;
  fs::create_symlink(scratch / "b", scratch / "a");
  fs::create_symlink(scratch / "a", scratch / "b");
  fs::create_symlink("nowhere", scratch / "broken");
  expect_refused(scratch / "a", DiagnosticKind::unreadable, {scratch / "a", "circle"});
  expect_refused(scratch / "broken", DiagnosticKind::no_such_file, {"leads nowhere"});
  fs::create_directory(scratch / "m");
  fs::create_symlink("model.safetensors", scratch / "m/model.safetensors");
  expect_refused(scratch / "m", DiagnosticKind::unreadable, {"model.safetensors", "circle"});
}

TEST(Checkpoint, RefusesPipesWithoutWaiting) {
  const ScratchFolder scratch;
  ASSERT_EQ(::mkfifo((scratch / "p.safetensors").c_str(), 0600), 0);
  expect_refused(scratch / "p.safetensors", DiagnosticKind::unreadable, {"pipe", "regular file"});
}

TEST(Checkpoint, RefusesUnreadableFiles) {
  const ScratchFolder scratch;
  const std::string path = put_file(scratch / "m.safetensors", one_tensor("x", 1));
  fs::permissions(scratch.path(), fs::perms::owner_all | fs::perms::others_exec);
  fs::permissions(path, fs::perms::none);
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);  // root may read anything
  }
  expect_refused(path, DiagnosticKind::unreadable, {path, "Permission denied", "permissions"});
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
}

TEST(Checkpoint, RefusesFoldersWithoutAModel) {
  const ScratchFolder scratch;
  fs::create_directory(scratch / "empty");
  expect_refused(scratch / "empty", DiagnosticKind::bad_checkpoint, {"holds nothing"});
  put_file(scratch / "pickled/pytorch_model.bin", "x");
  expect_refused(scratch / "pickled", DiagnosticKind::bad_checkpoint,
                 {"`pytorch_model.bin`", "pickle", "save them as safetensors"});
  put_file(scratch / "llama/model.gguf", "GGUF");
  expect_refused(scratch / "llama", DiagnosticKind::bad_checkpoint, {"GGUF"});
  put_file(scratch / "cache/snapshots/abc/model.safetensors", one_tensor("x", 1));
  expect_refused(scratch / "cache", DiagnosticKind::bad_checkpoint, {"snapshots/abc"});
  put_file(scratch / "lora/adapter_model.safetensors", one_tensor("x", 1));
  expect_refused(scratch / "lora", DiagnosticKind::bad_checkpoint, {"LoRA adapter", "base model"});
  put_file(scratch / "m.bin", "\x80\x02 pickled");
  expect_refused(scratch / "m.bin", DiagnosticKind::bad_checkpoint, {"pickle"});
}

TEST(Checkpoint, RefusesSeveralFilesWithoutAnIndex) {
  const ScratchFolder scratch;
  put_file(scratch / "m/model-00001-of-00002.safetensors", one_tensor("a", 1));
  put_file(scratch / "m/model-00002-of-00002.safetensors", one_tensor("b", 1));
  expect_refused(scratch / "m", DiagnosticKind::bad_checkpoint,
                 {"`model-00001-of-00002.safetensors`", "`model-00002-of-00002.safetensors`",
                  "model.safetensors.index.json"});
}

TEST(Checkpoint, OpensTheOneOtherFileOfAFolder) {
  const ScratchFolder scratch;
  put_file(scratch / "m/diffusion_model.safetensors", one_tensor("x", 3));
  const auto opened = must_open(scratch / "m/");
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->is_folder());
  EXPECT_EQ(opened->path(), scratch / "m");
  EXPECT_EQ(opened->files(), std::vector<std::string>{scratch / "m/diffusion_model.safetensors"});
}

class ShardedFolder : public ::testing::Test {
 protected:
  ShardedFolder() {
    put_file(scratch_ / "m/s1.safetensors", one_tensor("a", 2, 1));
    put_file(scratch_ / "m/s2.safetensors", one_tensor("b", 3, 2));
  }
  void put_index(const std::string& text) {
    put_file(scratch_ / "m/model.safetensors.index.json", text);
  }
  void expect_index_refused(const std::string& text, std::vector<std::string> words) {
    put_index(text);
    words.push_back("model.safetensors.index.json");
    expect_refused(scratch_ / "m", DiagnosticKind::bad_checkpoint, words);
  }
  ScratchFolder scratch_;
};

TEST_F(ShardedFolder, OpensAsOneCheckpoint) {
  put_index(index_of({{"b", "s2.safetensors"}, {"a", "s1.safetensors"}}));
  const auto opened = must_open(scratch_ / "m");
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->tensors().size(), 2u);
  EXPECT_EQ(opened->tensors()[0].name, "a");
  EXPECT_EQ(opened->find("b"), 1u);
  EXPECT_EQ(opened->find("c"), std::nullopt);
  char bytes[12] = {};
  ASSERT_TRUE(opened->read(1, 0, 12, bytes).ok());
  EXPECT_EQ(std::string(bytes, 12), std::string(12, 2));
}

TEST_F(ShardedFolder, FollowsLinksAsTheHubCacheMakesThem) {
  fs::rename(scratch_ / "m/s2.safetensors", scratch_ / "blob-123");
  fs::create_symlink("../blob-123", scratch_ / "m/s2.safetensors");
  put_index(index_of({{"b", "s2.safetensors"}, {"a", "s1.safetensors"}}));
  EXPECT_TRUE(must_open(scratch_ / "m"));
  EXPECT_TRUE(must_open(scratch_ / "blob-123")) << "a file is told by what is in it";
}

TEST_F(ShardedFolder, RefusesAMissingShard) {
  expect_index_refused(index_of({{"a", "s1.safetensors"}, {"b", "s9.safetensors"}}),
                       {"`b`", "`s9.safetensors`", "no such file"});
}
TEST_F(ShardedFolder, RefusesToLeaveTheFolder) {
  for (const char* name : {"../s1.safetensors", "/etc/passwd", "sub/s1.safetensors", "..", ""})
    expect_index_refused(index_of({{"a", name}}), {"`a`", "plain name"});
}
TEST_F(ShardedFolder, RefusesATensorWhereItIsNot) {
  expect_index_refused(index_of({{"a", "s2.safetensors"}, {"b", "s1.safetensors"}}),
                       {"`a`", "`s2.safetensors`", "but it is in `s1.safetensors`"});
  expect_index_refused(
      index_of({{"a", "s1.safetensors"}, {"b", "s2.safetensors"}, {"c", "s2.safetensors"}}),
      {"`c`", "does not hold it"});
}
TEST_F(ShardedFolder, RefusesATensorThatTheIndexDoesNotName) {
  put_safetensors(scratch_ / "m/s2.safetensors",
                  "{" + entry("b", "F32", "[1]", 0, 4) + "," + entry("z", "F32", "[1]", 4, 8) + "}",
                  "01234567");
  expect_index_refused(index_of({{"a", "s1.safetensors"}, {"b", "s2.safetensors"}}),
                       {"does not name tensor `z`"});
}
TEST_F(ShardedFolder, RefusesATensorInTwoShards) {
  put_file(scratch_ / "m/s3.safetensors", one_tensor("a", 2));
  put_safetensors(scratch_ / "m/s2.safetensors",
                  "{" + entry("b", "F32", "[1]", 0, 4) + "," + entry("a", "F32", "[1]", 4, 8) + "}",
                  "01234567");
  put_index(index_of({{"a", "s1.safetensors"}, {"b", "s2.safetensors"}}));
  expect_refused(scratch_ / "m", DiagnosticKind::bad_checkpoint,
                 {"`a` is in two shards", "s1.safetensors", "s2.safetensors"});
}
TEST_F(ShardedFolder, RefusesIndexesThatAreNone) {
  expect_index_refused("{", {"index is not JSON"});
  expect_index_refused("[]", {"a list"});
  expect_index_refused("{}", {"`weight_map` is missing"});
  expect_index_refused("{\"weight_map\":{}}", {"names no tensor"});
  expect_index_refused("{\"weight_map\":7}", {"a number"});
  expect_index_refused("{\"weight_map\":{\"a\":7}}", {"`a`", "a number"});
  expect_index_refused("{\"weight_map\":{\"a\":\"s\",\"a\":\"s\"}}", {"`a` twice"});
  expect_index_refused(std::string(100'000, '['), {"a list"});
}

TEST(Checkpoint, RefusesConfigsThatAreNotJson) {
  const ScratchFolder scratch;
  put_file(scratch / "m/model.safetensors", one_tensor("x", 1));
  for (const char* config : {"", "{", "[]", "7", "{\"a\":}", "torch_dtype: float16"}) {
    put_file(scratch / "m/config.json", config);
    expect_refused(scratch / "m", DiagnosticKind::bad_config, {"config.json"});
  }
  put_file(scratch / "m/config.json",
           "{\"time_step_limit\": [0.0, Infinity], \"x\": [-Infinity, NaN]}");
  EXPECT_TRUE(must_open(scratch / "m")) << "Python writes configs like this one";
}

TEST(Checkpoint, TakesWhatIsLegal) {
  const ScratchFolder scratch;
  // Not sorted, a scalar, empty tensors, an odd address, an unknown field, spaces at the end.
  const std::string header =
      "{\"__metadata__\":{\"format\":\"pt\"}," + entry("z", "U8", "[3]", 0, 3) + "," +
      entry("none", "F32", "[0,7]", 3, 3) + "," + entry("b", "F32", "[]", 3, 7) + "," +
      "\"a\":{\"more\":[[1],{\"b\":[]}],\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[7,8]}}  "
      " ";
  const auto opened = must_open(put_safetensors(scratch / "m.safetensors", header, "zzzBBBBa"));
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->tensors().size(), 4u);
  EXPECT_EQ(opened->tensors()[0].name, "a");
  EXPECT_EQ(opened->tensors()[1].element_count, 1u);
  EXPECT_EQ(opened->tensors()[2].element_count, 0u);
  EXPECT_EQ(opened->metadata().at("format"), "pt");
  EXPECT_FALSE(opened->is_folder());
  EXPECT_FALSE(opened->config());
  char bytes[4];
  ASSERT_TRUE(opened->read(1, 0, 4, bytes).ok());
  EXPECT_EQ(std::string(bytes, 4), "BBBB");
  ASSERT_TRUE(opened->read(1, 3, 1, bytes).ok());
  ASSERT_TRUE(opened->read(2, 0, 0, bytes).ok());
  EXPECT_THROW((void)opened->read(1, 3, 2, bytes), InternalError);
  EXPECT_TRUE(must_open(put_safetensors(scratch / "none.safetensors", "{}", "")));
}

TEST(Checkpoint, AFileThatShrankIsAnErrorNotACrash) {
  const ScratchFolder scratch;
  const std::string path = put_file(scratch / "m.safetensors", one_tensor("weights", 1000));
  const auto opened = must_open(path);
  ASSERT_TRUE(opened);
  fs::resize_file(path, 500);
  std::string bytes(4000, '\0');
  const Status status = opened->read(0, 0, 4000, bytes.data());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error()[0].kind, DiagnosticKind::io);
  for (const std::string& word : {path, std::string("`weights`"), std::string("byte 500")})
    EXPECT_NE(status.error()[0].message.find(word), std::string::npos) << status.error()[0].message;
  const auto digest = opened->digest(2);
  ASSERT_FALSE(digest.ok());
  EXPECT_NE(digest.error()[0].message.find("byte 500"), std::string::npos);
}

TEST(Checkpoint, DigestsDependOnBytesNotOnThreads) {
  const ScratchFolder scratch;
  const auto put = [&](const char* name, char fill) {
    return must_open(put_file(scratch / name, one_tensor("x", 1'500'000, fill)));
  };
  const auto a = put("a.safetensors", 1), again = put("b.safetensors", 1),
             other = put("c.safetensors", 2);
  EXPECT_EQ(a->header_digest(), again->header_digest());
  EXPECT_EQ(a->header_digest(), other->header_digest()) << "headers and sizes only";
  const auto digest = a->digest(1), same = again->digest(4), differs = other->digest(4);
  ASSERT_TRUE(digest.ok() && same.ok() && differs.ok());
  EXPECT_EQ(digest->hex.size(), 32u);
  EXPECT_TRUE(digest->whole);
  EXPECT_EQ(*digest, *same);
  EXPECT_NE(digest->hex, differs->hex);
  EXPECT_EQ(*a->digest(3), *digest);
}

TEST(Checkpoint, TellsQuantizedCheckpoints) {
  const ScratchFolder scratch;
  const auto quantized_by = [&](const std::vector<std::string>& names, const std::string& config) {
    std::string header = "{";
    for (const std::string& name : names)
      header += (header.size() > 1 ? "," : "") + entry(name, "U8", "[0]", 0, 0);
    put_safetensors(scratch / "m/model.safetensors", header + "}", "");
    put_file(scratch / "m/config.json", config);
    const auto opened = must_open(scratch / "m");
    return opened && opened->quantized() ? *opened->quantized() : "";
  };
  EXPECT_EQ(quantized_by({"a.weight", "logit_scale"}, "{}"), "");
  EXPECT_EQ(quantized_by({"a"}, "{\"quantization_config\": null}"), "");
  EXPECT_NE(quantized_by({"a.weight", "a.weight_scale"}, "{}").find("`a.weight_scale`"),
            std::string::npos);
  EXPECT_NE(quantized_by({"a.weight", "a.weight_scale_inv"}, "{}"), "");
  EXPECT_NE(quantized_by({"a.qweight"}, "{}"), "");
  EXPECT_NE(quantized_by({"a.weight", "a.SCB"}, "{}"), "");
  EXPECT_NE(
      quantized_by({"a"}, "{\"quantization_config\":{\"quant_method\":\"fp8\"}}").find("`fp8`"),
      std::string::npos);
  EXPECT_NE(quantized_by({"a"}, "{\"text_config\":{\"quantization_config\":{}}}"), "");
}

TEST(Checkpoint, OpensAwkwardRealFiles) {
  const fs::path folder = testing::shared_dir() / "data/awkward";
  if (!fs::is_directory(folder)) GTEST_SKIP() << "no " << folder << ", where the real files are";
  int count = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() != ".safetensors") continue;
    ++count;
    const auto opened = must_open(file.path().string());
    ASSERT_TRUE(opened) << file.path();
    const std::string whole = testing::read_file(file.path().string());
    std::uint64_t covered = 0;
    for (std::size_t t = 0; t < opened->tensors().size(); ++t) {
      const TensorInfo& tensor = opened->tensors()[t];
      std::string bytes(tensor.byte_count, '\0');
      ASSERT_TRUE(opened->read(t, 0, bytes.size(), bytes.data()).ok());
      ASSERT_EQ(bytes, whole.substr(tensor.offset, tensor.byte_count)) << tensor.name;
      covered += tensor.byte_count;
    }
    std::uint64_t header = 0;
    std::memcpy(&header, whole.data(), 8);
    EXPECT_EQ(covered + header + 8, whole.size());
    EXPECT_FALSE(opened->quantized()) << *opened->quantized();
  }
  EXPECT_EQ(count, 4);
}

TEST(Config, OnlyDTypesOfWeightsChange) {
  const std::string config =
      "{\n \"a\": [1e-05, {\"torch_dtype\": \"float32\"}],\n \"torch_dtype\":\"float16\",\n"
      " \"text_config\": {\"dtype\": \"torch.float32\", \"x\": \"\\\"dtype\\\": \\u00e9\"},\n"
      " \"dtype\": \"int8\", \"other_dtype\": \"float32\",\n"
      " \"v\": {\"torch_dtype\": null, \"dtype\": \"auto\"}, \"n\": -Infinity,\n"
      " \"quantization_config\": {\"q\": {\"dtype\": \"float16\"}}}\n";
  const std::string expected =
      "{\n \"a\": [1e-05, {\"torch_dtype\": \"bfloat16\"}],\n \"torch_dtype\":\"bfloat16\",\n"
      " \"text_config\": {\"dtype\": \"bfloat16\", \"x\": \"\\\"dtype\\\": \\u00e9\"},\n"
      " \"dtype\": \"int8\", \"other_dtype\": \"float32\",\n"
      " \"v\": {\"torch_dtype\": \"bfloat16\", \"dtype\": \"bfloat16\"}, \"n\": -Infinity,\n"
      " \"quantization_config\": {\"q\": {\"dtype\": \"float16\"}}}\n";
  ASSERT_TRUE(read_config(config, "config.json", {}).ok());
  EXPECT_EQ(with_dtype(config, DType::bf16), expected);
  EXPECT_EQ(with_dtype("{}", DType::bf16), "{}");
}

TEST(Config, TellsWhetherEmbeddingsAreTied) {
  const auto ties = [](const std::string& text) { return read_config(text, "config.json", {})->ties_embeddings; };
  EXPECT_EQ(ties("{\"tie_word_embeddings\": true}"), true);
  EXPECT_EQ(ties("{\"text_config\": {\"tie_word_embeddings\": false}}"), false);
  EXPECT_EQ(ties("{\"vision_config\": {\"tie_word_embeddings\": true}}"), std::nullopt);
  EXPECT_EQ(ties("{\"tie_word_embeddings\": \"true\"}"), std::nullopt);
  EXPECT_EQ(ties("{}"), std::nullopt);
}

TEST(Formats, EveryRowHasANameAndOpens) {
  ASSERT_FALSE(formats().empty());
  for (const Format& format : formats()) {
    EXPECT_FALSE(format.name.empty());
    EXPECT_FALSE(format.open("/nonexistent/path", {}).ok()) << format.name;
  }
}

}  // namespace
}  // namespace roux

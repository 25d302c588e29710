// Writing checkpoints: round trips, shards, companions, and what is on the disk when it goes wrong.
#include "runtime/checkpoint/writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/checkpoint/companions.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/room.h"
#include "runtime/checkpoint/temporary.h"
#include "tests/support/hostile_files.h"

namespace roux {
namespace {

namespace fs = std::filesystem;
using testing::one_tensor;
using testing::put_file;
using testing::ScratchFolder;

Checkpoint::Ptr must_open(const std::string& path) {
  auto opened = Checkpoint::open(path, {});
  if (!opened) {
    ADD_FAILURE() << render(opened.error(), SourceMap());
    return nullptr;
  }
  return *opened;
}

std::unique_ptr<CheckpointWriter> must_create(OutputLayout layout) {
  auto writer = CheckpointWriter::create(std::move(layout));
  if (!writer) {
    ADD_FAILURE() << render(writer.error(), SourceMap());
    return nullptr;
  }
  return *std::move(writer);
}

void expect_error(const Status& status, DiagnosticKind kind, const std::string& word = "") {
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(name_of(status.error()[0].kind), name_of(kind)) << status.error()[0].message;
  EXPECT_NE(status.error()[0].message.find(word), std::string::npos) << status.error()[0].message;
  EXPECT_FALSE(status.error()[0].help.empty()) << status.error()[0].message;
}

OutputLayout layout_of(const std::string& path, std::vector<OutputTensor> tensors) {
  OutputLayout layout;
  layout.path = path;
  layout.tensors = std::move(tensors);
  return layout;
}

// Bytes that tell every tensor and every place in it.
std::string pattern(std::size_t tensor, std::uint64_t bytes) {
  std::string data(bytes, '\0');
  for (std::uint64_t i = 0; i < bytes; ++i)
    data[i] = static_cast<char>(i * 7 + tensor * 31 + i / 251);
  return data;
}

std::uint64_t bytes_of_tensor(const OutputTensor& tensor) {
  std::uint64_t bytes = static_cast<std::uint64_t>(bytes_of(tensor.dtype));
  for (const std::int64_t length : tensor.shape) bytes *= static_cast<std::uint64_t>(length);
  return bytes;
}

void fill(CheckpointWriter& writer, const std::vector<OutputTensor>& tensors) {
  for (std::size_t t = tensors.size(); t-- > 0;) {  // any order will do
    const std::string data = pattern(t, bytes_of_tensor(tensors[t]));
    const std::uint64_t half = data.size() / 2;
    ASSERT_TRUE(writer.write(t, half, data.data() + half, data.size() - half).ok());
    ASSERT_TRUE(writer.write(t, 0, data.data(), half).ok());
  }
}

void save(OutputLayout layout) {
  const std::vector<OutputTensor> tensors = layout.tensors;
  const auto writer = must_create(std::move(layout));
  ASSERT_TRUE(writer);
  fill(*writer, tensors);
  ASSERT_TRUE(writer->finish(true).ok());
  const Status status = writer->commit();
  ASSERT_TRUE(status.ok()) << render(status.error(), SourceMap());
}

void expect_holds(const std::string& path, const std::vector<OutputTensor>& tensors) {
  const auto opened = must_open(path);
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->tensors().size(), tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto found = opened->find(tensors[t].name);
    ASSERT_TRUE(found) << tensors[t].name;
    const TensorInfo& info = opened->tensors()[*found];
    EXPECT_EQ(info.dtype, tensors[t].dtype);
    EXPECT_EQ(info.shape, tensors[t].shape);
    std::string data(info.byte_count, '\0');
    ASSERT_TRUE(opened->read(*found, 0, data.size(), data.data()).ok());
    EXPECT_EQ(data, pattern(t, bytes_of_tensor(tensors[t]))) << tensors[t].name;
    EXPECT_EQ(info.offset % static_cast<std::uint64_t>(bytes_of(info.dtype)), 0u);
  }
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& item : fs::directory_iterator(folder)) names.push_back(item.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<OutputTensor> every_dtype() {
  std::vector<OutputTensor> tensors = {{"scalar", DType::f32, {}}, {"empty", DType::f16, {0, 3}}};
#define ROUX_DTYPE(id, file, name, config, bits, kind) \
  tensors.push_back({"of_" name, DType::id, {3, 5}});
#include "base/dtype.def"
  return tensors;
}

TEST(Writer, RoundTripsEveryDType) {
  const ScratchFolder scratch;
  save(layout_of(scratch / "out.safetensors", every_dtype()));
  expect_holds(scratch / "out.safetensors", every_dtype());
  save(layout_of(scratch / "folder/", every_dtype()));
  expect_holds(scratch / "folder", every_dtype());
  EXPECT_EQ(names_in(scratch / "folder"), std::vector<std::string>{"model.safetensors"});
  EXPECT_EQ(testing::read_file(scratch / "folder/model.safetensors"),
            testing::read_file(scratch / "out.safetensors"));
}

TEST(Writer, HeaderIsPaddedAndKeepsMetadataAndNames) {
  const ScratchFolder scratch;
  OutputLayout layout = layout_of(scratch / "out.safetensors", {{"a\"\\é\n", DType::u8, {1}}});
  layout.metadata = {{"roux.recipe", "x = \"1\"\n"}};
  save(layout);
  const std::string bytes = testing::read_file(scratch / "out.safetensors");
  EXPECT_EQ(static_cast<unsigned char>(bytes[0]) % 8, 0);
  const auto opened = must_open(scratch / "out.safetensors");
  EXPECT_EQ(opened->metadata().at("format"), "pt");
  EXPECT_EQ(opened->metadata().at("roux.recipe"), "x = \"1\"\n");
  EXPECT_EQ(opened->tensors()[0].name, "a\"\\é\n");
  EXPECT_EQ(output_bytes(layout), bytes.size());
}

TEST(Writer, NoTensorsMakeAFileToo) {
  const ScratchFolder scratch;
  save(layout_of(scratch / "out.safetensors", {}));
  EXPECT_EQ(must_open(scratch / "out.safetensors")->tensors().size(), 0u);
}

TEST(Writer, CutsShardsAndWritesTheIndexAsTransformersDoes) {
  const ScratchFolder scratch;
  const std::vector<OutputTensor> tensors = {{"layers.10.w", DType::f32, {100}},
                                             {"layers.2.w", DType::f32, {100}},
                                             {"layers.2.big", DType::f32, {1000}},
                                             {"layers.1.w", DType::f32, {100}}};
  OutputLayout layout = layout_of(scratch / "m", tensors);
  layout.shard_bytes = 1000;
  save(layout);
  expect_holds(scratch / "m", tensors);
  const auto index =
      nlohmann::json::parse(testing::read_file(scratch / "m/model.safetensors.index.json"));
  EXPECT_EQ(index["metadata"]["total_size"], 5200);
  EXPECT_EQ(index["weight_map"]["layers.1.w"], "model-00001-of-00003.safetensors");
  EXPECT_EQ(index["weight_map"]["layers.2.big"], "model-00002-of-00003.safetensors");
  EXPECT_EQ(index["weight_map"]["layers.2.w"], "model-00003-of-00003.safetensors");
  EXPECT_EQ(index["weight_map"]["layers.10.w"], "model-00003-of-00003.safetensors");
  EXPECT_EQ(testing::read_file(scratch / "m/model.safetensors.index.json").substr(0, 17),
            "{\n  \"metadata\": {");
  std::uint64_t bytes = 0;
  for (const auto& file : fs::directory_iterator(scratch / "m")) bytes += file.file_size();
  EXPECT_EQ(bytes, output_bytes(layout));
}

TEST(Writer, OneTensorLargerThanAShardStaysOneFile) {
  const ScratchFolder scratch;
  OutputLayout layout = layout_of(scratch / "m", {{"w", DType::f32, {1000}}});
  layout.shard_bytes = 10;
  save(layout);
  EXPECT_EQ(names_in(scratch / "m"), std::vector<std::string>{"model.safetensors"});
}

TEST(Writer, EqualLayoutsGiveEqualBytes) {
  const ScratchFolder scratch;
  std::vector<OutputTensor> tensors = every_dtype();
  const OutputPlan plan = plan_output(layout_of("a.safetensors", tensors));
  std::reverse(tensors.begin(), tensors.end());
  EXPECT_EQ(plan.files[0].header, plan_output(layout_of("b.safetensors", tensors)).files[0].header);
}

TEST(Writer, CompanionsTravelAndTheConfigIsToldTheDType) {
  const ScratchFolder scratch;
  put_file(scratch / "in/model.safetensors", one_tensor("w", 2));
  put_file(scratch / "in/config.json",
           "{\"torch_dtype\": \"float32\", \"text_config\": {\"dtype\": \"float32\"}}");
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "vocab.txt", "merges.txt", "generation_config.json",
        "chat_template.jinja", "modeling_x.py", "README.md", "LICENSE", "pytorch_model.bin",
        "vocab.safetensors", "tokenizer.gguf", "optimizer.pt", ".hidden.py"})
    put_file(scratch / ("in/" + std::string(name)), name);
  fs::create_directory(scratch / "in/tokenizer_folder");

  OutputLayout layout =
      layout_of(scratch / "out",
                {{"w", DType::bf16, {9}}, {"norm", DType::f32, {2}}, {"i", DType::i64, {50}}});
  layout.companions = must_open(scratch / "in");
  save(layout);
  EXPECT_EQ(
      names_in(scratch / "out"),
      (std::vector<std::string>{"chat_template.jinja", "config.json", "generation_config.json",
                                "merges.txt", "model.safetensors", "modeling_x.py",
                                "tokenizer.json", "tokenizer.model", "vocab.txt"}));
  EXPECT_EQ(testing::read_file(scratch / "out/config.json"),
            "{\"torch_dtype\": \"bfloat16\", \"text_config\": {\"dtype\": \"bfloat16\"}}");
  EXPECT_EQ(testing::read_file(scratch / "out/tokenizer.model"), "tokenizer.model");
  layout.path = scratch / "out.safetensors";
  save(layout);
  EXPECT_EQ(output_bytes(layout), fs::file_size(layout.path)) << "a single file travels alone";
}

TEST(Writer, OverwritesOnlyWhenTold) {
  const ScratchFolder scratch;
  for (const std::string& path : {scratch / "out", scratch / "out.safetensors"}) {
    OutputLayout layout = layout_of(path, {{"w", DType::f32, {4}}});
    save(layout);
    layout.tensors[0].shape = {8};
    expect_error(check_output(layout, output_bytes(layout), {}), DiagnosticKind::output_exists, path);
    EXPECT_FALSE(CheckpointWriter::create(layout).ok());
    layout.overwrite = true;
    const auto old = must_open(path);
    save(layout);
    EXPECT_EQ(must_open(path)->tensors()[0].element_count, 8u);
    char bytes[16];
    EXPECT_TRUE(old->read(0, 0, 16, bytes).ok()) << "an open input outlives its name";
  }
  EXPECT_EQ(names_in(scratch.path()), (std::vector<std::string>{"out", "out.safetensors"}));
}

TEST(Writer, WhatAppearsMeanwhileIsNotReplaced) {
  const ScratchFolder scratch;
  for (const std::string& path : {scratch / "out", scratch / "out.safetensors"}) {
    const std::vector<OutputTensor> tensors = {{"w", DType::f32, {4}}};
    auto writer = must_create(layout_of(path, tensors));
    ASSERT_TRUE(writer);
    fill(*writer, tensors);
    ASSERT_TRUE(writer->finish(false).ok());
    put_file(path == scratch / "out" ? path + "/precious" : path, "precious");
    expect_error(writer->commit(), DiagnosticKind::output_exists, path);
  }
  EXPECT_EQ(names_in(scratch.path()), (std::vector<std::string>{"out", "out.safetensors"}));
  EXPECT_EQ(testing::read_file(scratch / "out.safetensors"), "precious");
}

TEST(Writer, TakesBackWhatItPutInPlace) {
  const ScratchFolder scratch;
  for (const char* name : {"out.safetensors", "out"}) {
    const std::string path = scratch / name;
    const auto put = [&](bool overwrite, auto then) {
      OutputLayout layout = layout_of(path, {{"w", DType::f32, {1}}});
      layout.overwrite = overwrite;
      const auto writer = must_create(layout);
      const float value = overwrite ? 2 : 1;
      ASSERT_TRUE(writer->write(0, 0, &value, sizeof value).ok());
      ASSERT_TRUE(writer->finish(false).ok());
      ASSERT_TRUE(writer->put_in_place().ok());
      then(*writer);
    };
    const auto stored = [&] {
      float value = 0;
      EXPECT_TRUE(must_open(path)->read(0, 0, sizeof value, &value).ok());
      return value;
    };
    put(false, [&](CheckpointWriter& writer) {
      EXPECT_TRUE(writer.take_back().ok());
      EXPECT_FALSE(fs::exists(path)) << "nothing was there";
    });
    put(false, [&](CheckpointWriter& writer) { writer.settle(); });
    put(true, [&](CheckpointWriter& writer) {
      EXPECT_EQ(stored(), 2);
      EXPECT_TRUE(writer.take_back().ok());
      EXPECT_EQ(stored(), 1);
    });
    put(true, [&](CheckpointWriter&) {});
    EXPECT_EQ(stored(), 1) << "destroyed before it was settled";
    put(true, [&](CheckpointWriter& writer) { writer.settle(); });
    EXPECT_EQ(stored(), 2);
  }
  EXPECT_EQ(names_in(scratch.path()), (std::vector<std::string>{"out", "out.safetensors"}));
}

TEST(Writer, NeverOverwritesWhatIsNoCheckpoint) {
  const ScratchFolder scratch;
  put_file(scratch / "home/letters.txt", "dear");
  put_file(scratch / "file", "text");
  fs::create_directory(scratch / "x.safetensors");
  const auto refused = [&](const std::string& path, const std::string& word) {
    OutputLayout layout = layout_of(path, {});
    layout.overwrite = true;
    expect_error(check_output(layout, output_bytes(layout), {}), DiagnosticKind::output_exists, word);
  };
  refused(scratch / "home", "other things");
  refused(scratch / "file", "a file");
  refused(scratch / "x.safetensors", "a folder");
  refused(".", "names no output");
  refused(scratch / "home/..", "names no output");
  refused(fs::current_path().string(), "working directory");
  refused(fs::current_path().parent_path().string() + "/", "");
  refused("", "is empty");
}

TEST(Writer, OverwritesOneCheckpointAndNothingBeside) {
  const ScratchFolder scratch;
  const auto check = [&](const std::string& name) {
    OutputLayout layout = layout_of(scratch / name, {{"w", DType::f32, {2}}});
    layout.overwrite = true;
    return check_output(layout, output_bytes(layout), {});
  };
  const auto refused = [&](const std::string& name, const std::string& seen) {
    expect_error(check(name), DiagnosticKind::output_exists, seen);
  };
  put_file(scratch / "results/soup/model.safetensors", one_tensor("w", 2));
  put_file(scratch / "results/final.safetensors", one_tensor("w", 2));
  refused("results", "the folder `soup`");
  EXPECT_TRUE(check("results/soup").ok());
  put_file(scratch / "files/first.safetensors", one_tensor("w", 2));
  put_file(scratch / "files/second.safetensors", one_tensor("w", 2));
  refused("files", "2 safetensors files and no index");
  put_file(scratch / "files/model.safetensors.index.json", "{}");
  EXPECT_TRUE(check("files").ok());
  fs::create_directory(scratch / "empty");
  EXPECT_TRUE(check("empty").ok());
}

TEST(Writer, KnowsItsInputs) {
  const ScratchFolder scratch;
  put_file(scratch / "models/a/model.safetensors", one_tensor("w", 2));
  const std::vector<Checkpoint::Ptr> inputs = {must_open(scratch / "models/a")};
  const auto check = [&](const std::string& path, bool overwrite) {
    OutputLayout layout = layout_of(path, {{"w", DType::f32, {2}}});
    layout.overwrite = overwrite;
    return check_output(layout, output_bytes(layout), inputs);
  };
  expect_error(check(scratch / "models/a", false), DiagnosticKind::output_is_input);
  EXPECT_TRUE(check(scratch / "models/a", true).ok()) << "an exchange of names at the end";
  expect_error(check(scratch / "models/../models/a/new", true), DiagnosticKind::output_is_input,
               "inside");
  expect_error(check(scratch / "models/a/model.safetensors", true),
               DiagnosticKind::output_is_input);
  expect_error(check(scratch / "models", true), DiagnosticKind::output_is_input, "holds");
  EXPECT_TRUE(check(scratch / "models/ab", false).ok());
  fs::create_directory_symlink(scratch / "models", scratch / "link");
  expect_error(check(scratch / "link/a", false), DiagnosticKind::output_is_input);
}

TEST(Writer, MakesFoldersAboveAndTakesThemBack) {
  const ScratchFolder scratch;
  { const auto writer = must_create(layout_of(scratch / "p/q/out", {{"w", DType::f32, {4}}})); }
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{});
  save(layout_of(scratch / "p/q/out", {{"w", DType::f32, {4}}}));
  EXPECT_TRUE(must_open(scratch / "p/q/out"));
  put_file(scratch / "file", "x");
  expect_error(check_output(layout_of(scratch / "file/out", {}), 0, {}), DiagnosticKind::io,
               "not a folder");
}

TEST(Writer, LeavesNothingWhenAbandoned) {
  const ScratchFolder scratch;
  for (const std::string& path : {scratch / "out", scratch / "out.safetensors"}) {
    auto writer = must_create(layout_of(path, {{"w", DType::f32, {4}}}));
    ASSERT_TRUE(writer);
    EXPECT_TRUE(fs::exists(writer->temporary_path()));
    EXPECT_EQ(writer->temporary_path(), scratch / ("." + fs::path(path).filename().string() +
                                                   ".roux-" + std::to_string(::getpid())));
    EXPECT_EQ(writer->path(), path);
    EXPECT_FALSE(fs::exists(path));
    EXPECT_THROW((void)writer->finish(false), InternalError) << "a tensor was not written";
    EXPECT_THROW((void)writer->commit(), InternalError);
    EXPECT_THROW((void)writer->write(0, 15, "xy", 2), InternalError);
  }
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{});
}

TEST(Writer, FailedCompanionsLeaveNothing) {
  const ScratchFolder scratch;
  put_file(scratch / "in/model.safetensors", one_tensor("w", 2));
  OutputLayout layout = layout_of(scratch / "out", {{"w", DType::f32, {2}}});
  layout.companions = must_open(scratch / "in");
  fs::remove_all(scratch / "in");
  EXPECT_FALSE(CheckpointWriter::create(layout).ok());
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{});
}

TEST(Writer, TwoOfOneProcessDoNotMeet) {
  const ScratchFolder scratch;
  const std::vector<OutputTensor> tensors = {{"w", DType::f32, {4}}};
  const auto first = must_create(layout_of(scratch / "out", tensors));
  const auto second = must_create(layout_of(scratch / "out", tensors));
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->temporary_path(), second->temporary_path());
}

TEST(Writer, RemovesWhatDeadProcessesLeft) {
  const ScratchFolder scratch;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const std::string dead = std::to_string(child);
  put_file(scratch / (".out.roux-" + dead + "/model.safetensors"), "x");
  put_file(scratch / (".out.roux-" + dead + "-2"), "x");
  put_file(scratch / (".out.roux-" + dead + ".note"), "not ours");
  put_file(scratch / (".other.roux-" + dead), "another's");
  put_file(scratch / (".out.roux-" + std::to_string(::getppid())), "alive");
  const std::string locked = put_file(scratch / (".out.roux-" + dead + "-3"), "of another host");
  const Fd lock(::open(locked.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  save(layout_of(scratch / "out", {{"w", DType::f32, {4}}}));
  std::vector<std::string> expected = {".other.roux-" + dead, ".out.roux-" + dead + ".note",
                                       ".out.roux-" + dead + "-3",
                                       ".out.roux-" + std::to_string(::getppid()), "out"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names_in(scratch.path()), expected);
}

TEST(Writer, PermissionsFollowTheUmask) {
  const ScratchFolder scratch;
  const mode_t before = ::umask(027);
  save(layout_of(scratch / "out", {{"w", DType::f32, {4}}}));
  save(layout_of(scratch / "out.safetensors", {{"w", DType::f32, {4}}}));
  ::umask(before);
  const auto mode_of = [](const std::string& path) {
    struct stat info {};
    ::stat(path.c_str(), &info);
    return info.st_mode & 0777;
  };
  EXPECT_EQ(mode_of(scratch / "out"), 0750u);
  EXPECT_EQ(mode_of(scratch / "out/model.safetensors"), 0640u);
  EXPECT_EQ(mode_of(scratch / "out.safetensors"), 0640u);
}

TEST(Writer, ThreadsWriteSideBySide) {
  const ScratchFolder scratch;
  std::vector<OutputTensor> tensors;
  for (int i = 0; i < 40; ++i) tensors.push_back({"t" + std::to_string(i), DType::f32, {5000}});
  OutputLayout layout = layout_of(scratch / "out", tensors);
  layout.shard_bytes = 100'000;
  const auto writer = must_create(layout);
  ASSERT_TRUE(writer);
  std::vector<std::jthread> threads;
  for (std::size_t k = 0; k < 8; ++k)
    threads.emplace_back([&, k] {
      for (std::size_t t = 0; t < tensors.size(); ++t) {  // an eighth of every tensor each
        const std::string data = pattern(t, 20'000);
        EXPECT_TRUE(writer->write(t, k * 2500, data.data() + k * 2500, 2500).ok());
      }
    });
  threads.clear();
  ASSERT_TRUE(writer->finish(false).ok());
  ASSERT_TRUE(writer->commit().ok());
  expect_holds(scratch / "out", tensors);
}

TEST(Writer, FindsAFullDiskBeforeAnyWork) {
  const ScratchFolder scratch;
  const OutputLayout layout = layout_of(scratch / "out", {{"w", DType::f32, {1ll << 55}}});
  expect_error(check_output(layout, output_bytes(layout), {}), DiagnosticKind::disk_full, "free");
  EXPECT_FALSE(CheckpointWriter::create(layout).ok());
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{});
}

TEST(Writer, OutputsNeedRoomTogether) {
  const ScratchFolder scratch;
  const auto free = free_bytes(scratch.path());
  ASSERT_TRUE(free);
  const auto most = static_cast<std::int64_t>(*free / 5 * 3);
  std::vector<WantedRoom> wanted;
  for (const char* name : {"one", "new/two.safetensors"}) {
    const OutputLayout layout = layout_of(scratch / name, {{"w", DType::u8, {most}}});
    wanted.push_back({layout.path, output_bytes(layout), {}});
    EXPECT_TRUE(check_output(layout, wanted.back().bytes, {}).ok()) << "each alone fits";
  }
  EXPECT_TRUE(check_room({wanted[0]}).ok());
  expect_error(check_room(wanted), DiagnosticKind::disk_full, "together");
}

TEST(Writer, AFileSizeLimitIsAnErrorNotASignal) {
  const ScratchFolder scratch;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto writer =
      CheckpointWriter::create(layout_of(scratch / "out", {{"w", DType::u8, {9999}}}));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error()[0].kind, DiagnosticKind::io) << writer.error()[0].message;
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{});
}

TEST(Writer, RenamesInTwoStepsWhereNamesCannotBeExchanged) {
  const ScratchFolder scratch;
  put_file(scratch / "new/x", "new");
  const auto rename = [&](bool overwrite) {
    return rename_in_two_steps(scratch / "new", scratch / "out", scratch / "old", overwrite);
  };
  EXPECT_EQ(rename(false), 0);
  put_file(scratch / "new/x", "newer");
  EXPECT_EQ(rename(false), EEXIST);
  EXPECT_EQ(rename(true), 0);
  EXPECT_EQ(testing::read_file(scratch / "out/x"), "newer");
  EXPECT_EQ(testing::read_file(scratch / "old/x"), "new");
  fs::remove_all(scratch / "old");
  EXPECT_EQ(rename(true), ENOENT) << "nothing to put there";
  EXPECT_EQ(testing::read_file(scratch / "out/x"), "newer") << "what was there is back";
}

TEST(Writer, ADiskThatFillsUpIsReportedAndCleanedUp) {
  const ScratchFolder scratch;
  fs::create_directory(scratch / "disk");
  if (::mount("tmpfs", (scratch / "disk").c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "may not mount a small disk here";
  const std::string path = scratch / "disk/out";
  const std::vector<OutputTensor> tensors = {{"w", DType::u8, {600'000}}};
  {
    const auto first = must_create(layout_of(path, tensors));
    ASSERT_TRUE(first);
    const auto second = CheckpointWriter::create(layout_of(path + "2", tensors));
    EXPECT_FALSE(second.ok());
    if (!second) expect_error(second.error(), DiagnosticKind::disk_full, path + "2");
  }
  EXPECT_EQ(names_in(scratch / "disk"), std::vector<std::string>{});
  // Room enough by the byte, but not for one more file: found when the file is made.
  ASSERT_EQ(
      ::mount("tmpfs", (scratch / "disk").c_str(), "tmpfs", MS_REMOUNT, "size=1m,nr_inodes=2"), 0);
  const auto no_inode = CheckpointWriter::create(layout_of(path, tensors));
  EXPECT_FALSE(no_inode.ok());
  if (!no_inode) expect_error(no_inode.error(), DiagnosticKind::disk_full, "cannot create");
  EXPECT_EQ(names_in(scratch / "disk"), std::vector<std::string>{});
  ::umount((scratch / "disk").c_str());
}

}  // namespace
}  // namespace roux

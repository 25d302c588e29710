// The limits of base/limits.h on what a file controls: what is just within is opened, what is beyond is refused.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/limits.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"
#include "tests/support/refused_files.h"

namespace roux::testing {
namespace {

// "", or what is said of it.
std::string said_of(const std::string& path) {
  const auto opened = Checkpoint::open(path, {});
  return opened ? "" : opened.error().at(0).message;
}

void expect_beyond(const std::string& path, const std::string& words) {
  EXPECT_NE(said_of(path).find(words), std::string::npos) << said_of(path);
}

std::string said_of_file(const std::string& bytes) {
  const ScratchFolder scratch;
  return said_of(put_file(scratch / "m.safetensors", bytes));
}

// Names of tensors without elements, `count` of them.
std::string empty_tensors(std::size_t count, char first) {
  std::string header = "{";
  for (std::size_t i = 0; i < count; ++i)
    header += (i > 0 ? "," : "") + entry(first + std::to_string(i), "U8", "[0]", 0, 0);
  return file_of(header + "}", 0);
}

TEST(CheckpointLimits, OfTheHeader) {
  const ScratchFolder scratch;
  const std::string path = scratch / "m.safetensors";
  const auto put = [&](std::uint64_t length) {
    put_file(path, little_endian(length) + "{}");
    std::filesystem::resize_file(path, 8 + length);  // zeros: no JSON, once somebody looks
  };
  put(limits::kHeaderBytes);
  expect_beyond(path, "header is not JSON");
  put(limits::kHeaderBytes + 1);
  expect_beyond(path, "expected at most " + std::to_string(limits::kHeaderBytes));
}

TEST(CheckpointLimits, OfTheHeadersNesting) {
  const auto deep = [](int levels) {  // two of them are the header and the tensor
    std::string field = std::string(static_cast<std::size_t>(levels - 2), '[') + std::string(static_cast<std::size_t>(levels - 2), ']');
    return file_of("{\"x\":{\"more\":" + field + ",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
  };
  EXPECT_EQ(said_of_file(deep(limits::kHeaderJsonDepth)), "");
  EXPECT_NE(said_of_file(deep(limits::kHeaderJsonDepth + 1)).find("deeper than"), std::string::npos);
}

TEST(CheckpointLimits, OfTensors) {
  const ScratchFolder scratch;
  put_file(scratch / "m/a.safetensors", empty_tensors(limits::kTensors, 'a'));  // by itself just within
  put_file(scratch / "more.safetensors", empty_tensors(limits::kTensors + 1, 'a'));
  expect_beyond(scratch / "more.safetensors", "more than " + std::to_string(limits::kTensors));
  put_file(scratch / "m/b.safetensors", empty_tensors(1, 'b'));
  put_file(scratch / "m/model.safetensors.index.json",
           index_of({{"a0", "a.safetensors"}, {"b0", "b.safetensors"}}));
  expect_beyond(scratch / "m", "`" + (scratch / "m") + "` holds more than " + std::to_string(limits::kTensors));
}

TEST(CheckpointLimits, OfAxes) {
  const auto shaped = [](std::size_t axes) {
    std::string shape = "[1";
    for (std::size_t i = 1; i < axes; ++i) shape += ",1";
    return file_of("{" + entry("x", "U8", shape + "]", 0, 1) + "}", 1);
  };
  EXPECT_EQ(said_of_file(shaped(limits::kTensorRank)), "");
  EXPECT_NE(said_of_file(shaped(limits::kTensorRank + 1)).find("64 axes"), std::string::npos);
}

TEST(CheckpointLimits, OfNames) {
  const auto named = [](std::size_t bytes) { return one_tensor(std::string(bytes, 'n'), 1); };
  EXPECT_EQ(said_of_file(named(limits::kTensorNameBytes)), "");
  EXPECT_NE(said_of_file(named(limits::kTensorNameBytes + 1)).find("name"), std::string::npos);
}

TEST(CheckpointLimits, OfTheConfig) {
  const ScratchFolder scratch;
  put_file(scratch / "m/model.safetensors", one_tensor("x", 1));
  const auto config = [&](std::size_t bytes) {
    put_file(scratch / "m/config.json", "{" + std::string(bytes - 2, ' ') + "}");
    return said_of(scratch / "m");
  };
  EXPECT_EQ(config(limits::kConfigBytes), "");
  EXPECT_NE(config(limits::kConfigBytes + 1).find("config.json"), std::string::npos);
}

// Nothing is written that could not be read again.
TEST(CheckpointLimits, OfHeadersThatAreWritten) {
  const ScratchFolder scratch;
  OutputLayout layout;
  layout.path = scratch / "out.safetensors";
  layout.tensors = {{"w", DType::u8, {1}}};
  layout.metadata["long"] = std::string(limits::kHeaderBytes, 'x');
  const auto writer = CheckpointWriter::create(layout);
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error()[0].kind, DiagnosticKind::limit);
  EXPECT_FALSE(std::filesystem::exists(layout.path));
}

}  // namespace
}  // namespace roux::testing

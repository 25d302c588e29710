// Digests that are collected while tensors are read: the same as those of a checkpoint that is read for nothing
// else, however it is gone through.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

#include "runtime/checkpoint/checkpoint.h"
#include "tests/support/hostile_files.h"

namespace roux {
namespace {

using testing::put_file;
using testing::ScratchFolder;

constexpr std::uint64_t kMiB = 1u << 20;

// Three tensors of bytes that differ everywhere, 3.5 MiB in all; block borders fall inside them.
std::string three_tensors() {
  const std::uint64_t sizes[] = {kMiB + 12'345, 77, 2 * kMiB + 400'000};
  std::string header = "{", data;
  std::mt19937 random(7);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::uint64_t begin = data.size();
    for (std::uint64_t at = 0; at < sizes[i]; ++at) data += static_cast<char>(random());
    header += std::string(i > 0 ? "," : "") + "\"" + "abc"[i] + "\":{\"dtype\":\"U8\",\"shape\":[" +
              std::to_string(sizes[i]) + "],\"data_offsets\":[" + std::to_string(begin) + "," +
              std::to_string(data.size()) + "]}";
  }
  return testing::safetensors_bytes(header + "}", data);
}

class FedDigest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = put_file(scratch_ / "m.safetensors", three_tensors());
    expected_ = open()->digest(1)->hex;
  }

  Checkpoint::Ptr open() const { return *Checkpoint::open(path_, {}); }

  static void feed(const Checkpoint& checkpoint, DigestFeed& feed, std::size_t tensor, std::uint64_t begin,
                   std::uint64_t end) {
    std::string bytes(end - begin, '\0');
    ASSERT_TRUE(checkpoint.read(tensor, begin, bytes.size(), bytes.data()).ok());
    feed.take(begin, bytes.data(), bytes.size());
  }

  ScratchFolder scratch_;
  std::string path_, expected_;
};

TEST_F(FedDigest, is_that_of_the_files_in_whatever_pieces_it_is_fed) {
  std::mt19937 random(1);
  for (const std::uint64_t piece : {std::uint64_t{1000}, kMiB / 8, 3 * kMiB}) {
    const Checkpoint::Ptr checkpoint = open();
    checkpoint->begin_digest();
    for (const std::size_t tensor : {2u, 0u, 1u}) {
      const std::uint64_t size = checkpoint->tensors()[tensor].byte_count;
      std::vector<std::uint64_t> begins;
      for (std::uint64_t at = 0; at < size; at += piece) begins.push_back(at);
      if (tensor == 2) std::shuffle(begins.begin(), begins.end(), random);  // nothing continues anything
      const auto feeding = checkpoint->feed_digest(tensor);
      ASSERT_TRUE(feeding);
      for (const std::uint64_t at : begins) feed(*checkpoint, *feeding, tensor, at, std::min(size, at + piece));
    }
    const auto digest = checkpoint->fed_digest(2);
    ASSERT_TRUE(digest.ok());
    EXPECT_EQ(*digest, (Digest{expected_, true})) << piece;
  }
}

TEST_F(FedDigest, is_the_same_from_several_threads) {
  const Checkpoint::Ptr checkpoint = open();
  checkpoint->begin_digest();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        for (const std::size_t tensor : {0u, 1u, 2u}) {
          const std::uint64_t size = checkpoint->tensors()[tensor].byte_count;
          const auto feeding = checkpoint->feed_digest(tensor);
          for (std::uint64_t at = thread * 30'000; at < size; at += 120'000)
            feed(*checkpoint, *feeding, tensor, at, std::min(size, at + 30'000));
        }
      });
  }
  EXPECT_EQ(checkpoint->fed_digest(2)->hex, expected_);
}

// That bytes were really hashed as they passed: the file changes behind them.
TEST_F(FedDigest, needs_no_second_reading) {
  const Checkpoint::Ptr checkpoint = open();
  checkpoint->begin_digest();
  for (const std::size_t tensor : {0u, 1u, 2u})
    feed(*checkpoint, *checkpoint->feed_digest(tensor), tensor, 0, checkpoint->tensors()[tensor].byte_count);
  std::filesystem::resize_file(path_, kMiB);  // the first block holds the header, which nobody feeds
  EXPECT_EQ(checkpoint->fed_digest(1)->hex, expected_);
}

TEST_F(FedDigest, of_a_checkpoint_that_is_not_read_whole_is_of_its_header) {
  const Checkpoint::Ptr checkpoint = open();
  checkpoint->begin_digest();
  checkpoint->feed_digest(2);
  const auto digest = checkpoint->fed_digest(1);
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(*digest, (Digest{checkpoint->header_digest(), false}));

  checkpoint->begin_digest();
  checkpoint->feed_digest(2);
  checkpoint->feed_digest(0);  // 77 bytes are left out
  EXPECT_EQ(*checkpoint->fed_digest(1), (Digest{expected_, true}));
}

}  // namespace
}  // namespace roux

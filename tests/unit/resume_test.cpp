// Going on with an output that another process left behind: which of it is kept, and when nothing is.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "runtime/checkpoint/journal.h"
#include "runtime/checkpoint/temporary.h"
#include "runtime/checkpoint/writer.h"
#include "tests/support/hostile_files.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBytes = 1000;
constexpr std::size_t kCount = 4;

// In a process of its own, which ends without a word.
void in_another_process(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

std::string values(std::size_t tensor) { return std::string(kBytes, static_cast<char>('a' + tensor)); }

// One file, or a folder of shards.
class Resume : public ::testing::TestWithParam<const char*> {
 protected:
  OutputLayout layout(const std::string& work = "work", const std::string& inputs = "inputs") const {
    OutputLayout layout;
    layout.path = scratch_ / GetParam();
    for (std::size_t t = 0; t < kCount; ++t)
      layout.tensors.push_back({"t" + std::to_string(t), DType::u8, {static_cast<std::int64_t>(kBytes)}});
    layout.shard_bytes = 2 * kBytes;
    layout.work = work;
    layout.inputs = inputs;
    layout.resume = true;
    return layout;
  }

  std::unique_ptr<CheckpointWriter> writer(const OutputLayout& layout) const {
    auto made = CheckpointWriter::create(layout);
    EXPECT_TRUE(made.ok()) << (made ? "" : made.error()[0].message);
    return made ? *std::move(made) : nullptr;
  }

  static void write(CheckpointWriter& writer, std::size_t tensor, std::uint64_t bytes = kBytes) {
    EXPECT_TRUE(writer.write(tensor, 0, values(tensor).data(), bytes).ok());
  }

  // Tensors 0 and 2 whole, 1 in part.
  void leave_a_part(bool says_of_2 = false) const {
    in_another_process([&] {
      auto left = writer(layout());
      if (says_of_2) left->forget_when_resumed(2);
      write(*left, 0);
      write(*left, 1, kBytes / 2);
      write(*left, 2);
      left.release();  // the process is gone before it could clear away
    });
  }

  void finish(CheckpointWriter& writer) const {
    for (std::size_t t = 0; t < kCount; ++t)
      if (!writer.is_kept(t)) write(writer, t);
    ASSERT_TRUE(writer.finish(true).ok());
    ASSERT_TRUE(writer.commit().ok());
    const auto made = Checkpoint::open(scratch_ / GetParam(), {});
    ASSERT_TRUE(made.ok());
    for (std::size_t t = 0; t < kCount; ++t) {
      std::string bytes(kBytes, '\0');
      ASSERT_TRUE((*made)->read(t, 0, kBytes, bytes.data()).ok());
      EXPECT_EQ(bytes, values(t));
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(scratch_.path()), {}), 1) << "the output alone";
  }

  ScratchFolder scratch_;
};

TEST_P(Resume, KeepsTensorsThatAreWhole) {
  leave_a_part();
  const auto next = writer(layout());
  EXPECT_EQ(next->kept().tensors, 2u);
  EXPECT_EQ(next->kept().of, kCount);
  EXPECT_EQ(next->kept().bytes, 2 * kBytes);
  EXPECT_TRUE(next->is_kept(0) && next->is_kept(2));
  finish(*next);
}

TEST_P(Resume, GoesOnMoreThanOnce) {
  leave_a_part();
  in_another_process([&] {
    auto second = writer(layout());
    write(*second, 3);
    second.release();
  });
  const auto third = writer(layout());
  EXPECT_EQ(third->kept().tensors, 3u);
  finish(*third);
}

TEST_P(Resume, StartsAfreshForOtherWork) {
  OutputLayout other_recipe = layout();
  other_recipe.metadata["roux.recipe"] = "other";
  const std::pair<OutputLayout, Leftover> cases[] = {{layout("other work"), Leftover::other_work},
                                                     {other_recipe, Leftover::other_work},
                                                     {layout("other work", "other inputs"), Leftover::other_work},
                                                     {layout("work", "other inputs"), Leftover::other_inputs}};
  for (const auto& [wanted, expected] : cases) {
    leave_a_part();
    const auto next = writer(wanted);
    EXPECT_EQ(next->kept().tensors, 0u);
    EXPECT_EQ(next->found(), expected);
    finish(*next);
    fs::remove_all(wanted.path);
  }
}

// Headers are written last: what they tell by then may differ from what an interrupted run began with.
TEST_P(Resume, HeadersAreThoseOfTheRunThatFinishes) {
  OutputLayout wanted = layout();
  wanted.metadata["roux.inputs"] = "0000";
  in_another_process([&] {
    auto left = writer(wanted);
    write(*left, 0);
    left->set_metadata({{"roux.inputs", "1111"}});
    left.release();
  });
  const auto next = writer(wanted);
  EXPECT_EQ(next->found(), Leftover::tensors);
  next->set_metadata({{"roux.inputs", "2222"}});
  finish(*next);
  EXPECT_EQ((*Checkpoint::open(wanted.path, {}))->metadata().at("roux.inputs"), "2222");
}

TEST_P(Resume, StartsAfreshUnlessAsked) {
  leave_a_part();
  OutputLayout plain = layout();
  plain.resume = false;
  const auto next = writer(plain);
  EXPECT_EQ(next->kept().tensors, 0u);
  finish(*next);
}

TEST_P(Resume, StartsAfreshWhereFilesWereChanged) {
  leave_a_part();
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(scratch_.path()))
    if (entry.is_regular_file() && !entry.path().string().ends_with(".journal")) fs::resize_file(entry.path(), 10);
  const auto next = writer(layout());
  EXPECT_EQ(next->kept().tensors, 0u);
  finish(*next);
}

TEST_P(Resume, LeavesWhatItHasWhenItFails) {
  in_another_process([&] {
    const auto failing = writer(layout());
    write(*failing, 1);
    EXPECT_EQ(failing->left().tensors, 1u);
  });
  const auto next = writer(layout());
  EXPECT_TRUE(next->is_kept(1));
  finish(*next);
}

// The process lives on: a program that embeds Roux.
TEST_P(Resume, GoesOnInTheSameProcess) {
  for (std::size_t tensor : {1u, 2u}) {
    const auto failing = writer(layout());
    EXPECT_EQ(failing->kept().tensors, tensor - 1);
    write(*failing, tensor);
  }
  {
    OutputLayout other = layout("other work");
    other.path = scratch_ / ("other-" + std::string(GetParam()));
    write(*writer(other), 1);
    const auto alive = writer(other);  // and what it writes is nobody else's
    EXPECT_EQ(writer(other)->found(), Leftover::nothing);
  }
  remove_dead_temporaries(scratch_ / ("other-" + std::string(GetParam())));
  const auto last = writer(layout());
  EXPECT_EQ(last->kept().tensors, 2u);
  finish(*last);
}

TEST_P(Resume, LeavesNothingUnlessAsked) {
  OutputLayout plain = layout();
  plain.resume = false;
  write(*writer(plain), 1);
  EXPECT_TRUE(fs::is_empty(scratch_.path()));
}

TEST_P(Resume, MakesTensorsAgainOfWhichThereIsSomethingToTell) {
  leave_a_part(true);
  const auto next = writer(layout());
  EXPECT_TRUE(next->is_kept(0) && !next->is_kept(2));
  finish(*next);
}

// Of a machine that was started anew, only what had been flushed counts.
TEST_P(Resume, AfterAStartOfTheMachineKeepsWhatWasFlushed) {
  for (const bool flushed : {false, true}) {
    leave_a_part();
    for (const std::string& path : dead_temporaries(scratch_ / GetParam())) {
      if (!path.ends_with(".journal")) continue;
      std::string text = read_file(path);
      const std::size_t boot = text.find('\n') + 1;
      text.replace(boot, text.find('\n', boot) - boot, "another");
      if (flushed) text.insert(text.rfind('\n', text.size() - 2) + 1, "flushed\n");
      write_file(path, text);
    }
    const auto next = writer(layout());
    EXPECT_EQ(next->kept().tensors, flushed ? 1u : 0u);
    finish(*next);
    fs::remove_all(scratch_ / GetParam());
  }
}

TEST_P(Resume, RoomThatIsTakenByWhatWasLeftCountsAsFree) {
  leave_a_part();
  EXPECT_GE(bytes_of_dead_temporaries(scratch_ / GetParam()), kCount * kBytes);
  const auto alive = writer(layout());
  EXPECT_EQ(bytes_of_dead_temporaries(scratch_ / GetParam()), 0u);
}

INSTANTIATE_TEST_SUITE_P(Writer, Resume, ::testing::Values("out.safetensors", "out"),
                         [](const auto& param) { return std::string(param.index == 0 ? "file" : "folder"); });

// A journal that says anything at all.
TEST(Journal, OfOtherTextTellsNothingWrong) {
  const ScratchFolder scratch;
  const std::string temporary = scratch / "x";
  const JournalKey key{"k", "i"};
  for (const char* text : {"", "\n", "roux journal 1 k i", "roux journal 1 k i\n", "roux journal 2 k i\nb\n1\nflushed\n",
                           "roux journal 1 other i\nb\n1\nflushed\n", "roux journal 1 k other\nb\n1\nflushed\n",
                           "roux journal 1 k\nb\n1\nflushed\n"}) {
    write_file(journal_path(temporary), text);
    const JournalContents contents = read_journal(temporary, key);
    EXPECT_TRUE(contents.complete.empty() && contents.found != Leftover::tensors) << text;
  }
  write_file(journal_path(temporary), "roux journal 1 k i\nb\n7\nx\n-1\n99999999999\n8\nflushed\n9\n1");
  EXPECT_EQ(read_journal(temporary, key).complete, (std::vector<std::uint32_t>{7, 8}));
}

}  // namespace
}  // namespace roux::testing

// What a run holds, measured from outside while it goes: anonymous and shared memory of the process and its files in
// /dev/shm stay under `--memory` and what the program itself takes, whatever the sizes of tensors.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/cli/cli.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kProgram = 256 * kMiB;  // beyond the budget

// Of the process: what no file stands behind.
std::uint64_t memory_of(int process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:") || line.starts_with("RssShmem:"))
      bytes += std::stoull(line.substr(line.find(':') + 1)) * 1024;
  return bytes;
}

// Of its candidates: folders in shared memory carry the process's id.
std::uint64_t shared_files_of(int process) {
  std::uint64_t bytes = 0;
  std::error_code gone;  // they come and go
  for (fs::directory_iterator folder("/dev/shm", gone), end; folder != end; folder.increment(gone)) {
    if (gone) break;
    if (!contains(folder->path().filename().string(), std::to_string(process))) continue;
    for (fs::recursive_directory_iterator file(folder->path(), gone), last; file != last; file.increment(gone)) {
      if (gone) break;
      const std::uintmax_t size = file->is_regular_file(gone) ? file->file_size(gone) : 0;
      if (!gone) bytes += size;
    }
  }
  return bytes;
}

// One f32 matrix of 256 MiB and a vector. Mostly holes, which read as zeros and take no disk; some values everywhere.
void put_large_model(const fs::path& path, unsigned seed) {
  constexpr std::uint64_t kSide = 8192, kBytes = kSide * kSide * 4;
  std::string header = R"({"norm":{"dtype":"F32","shape":[8192],"data_offsets":[268435456,268468224]},)"
                       R"("weight":{"dtype":"F32","shape":[8192,8192],"data_offsets":[0,268435456]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string begin = safetensors_bytes(header, "");
  std::ofstream file(path, std::ios::binary);
  file << begin;
  std::mt19937 random(seed);
  std::vector<float> values(256);
  for (std::uint64_t at = 0; at < kBytes; at += kSide * 4 * 4) {
    for (float& value : values) value = static_cast<float>(random()) / 4e9f - 0.5f;
    file.seekp(static_cast<std::streamoff>(begin.size() + at));
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  }
  file.close();
  fs::resize_file(path, begin.size() + kBytes + kSide * 4);
}

class Memory : public Cli {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers take memory of their own";
#endif
  }

  void put_large_models() {
    unsigned seed = 0;
    for (const char* name : {"base", "x", "y"}) put_large_model(folder_ / (std::string(name) + ".safetensors"), ++seed);
  }

  struct Measured {
    ProcessResult result;
    std::uint64_t most = 0;         // bytes, of everything together
    std::uint64_t most_shared = 0;  // of files in /dev/shm
  };

  Measured run_measured(const std::string& statements, const std::string& budget) {
    write_file(folder_ / "recipe.merge", "base = load(\"base.safetensors\")\n"
                                         "x = load(\"x.safetensors\", base = base)\n"
                                         "y = load(\"y.safetensors\", base = base)\n" + statements + "\n");
    Measured measured;
    ProcessOptions options;
    options.timeout = std::chrono::seconds(250);
    options.watch = [&](int process, const std::string&) {
      const std::uint64_t shared = shared_files_of(process);
      measured.most = std::max(measured.most, memory_of(process) + shared);
      measured.most_shared = std::max(measured.most_shared, shared);
    };
    measured.result = roux({"run", "recipe.merge", "--memory", budget, "--no-fsync"}, options);
    return measured;
  }
};

TEST_F(Memory, StaysInItsBudgetWhereTensorsAreLarger) {
  put_large_models();
  for (const char* merge :
       {"mean([x, y])", "ties([x, y])", "ties([x, y], over = tensor)", "ties([x, y], over = row)",
        "slerp(x, y, over = row)", "dare([x, y])", "base + where(abs(x - base) > mean(abs(x - base), over = column), x - base, 0)"}) {
    const Measured measured = run_measured("save(" + std::string(merge) + ", \"out.safetensors\")", "32MiB");
    EXPECT_EQ(measured.result.exit_code, 0) << merge << "\n" << measured.result.err;
    EXPECT_GT(measured.most, kMiB) << "nothing was seen of it";
    EXPECT_LT(measured.most, 32 * kMiB + kProgram) << merge;
    fs::remove(folder_ / "out.safetensors");
  }
}

TEST_F(Memory, CandidatesInSharedMemoryAreWithinTheBudget) {
  std::error_code missing;
  const fs::space_info shared = fs::space("/dev/shm", missing);
  if (missing || shared.available < 512 * kMiB) GTEST_SKIP() << "/dev/shm has less than 512 MiB free here";
  put_large_models();
  const std::string search = "s = command(\"sleep 0.1; echo 1 # {model}\")\nsave(greedy([x, y], s), \"out.safetensors\")";
  const Measured roomy = run_measured(search, "320MiB");
  EXPECT_EQ(roomy.result.exit_code, 0) << roomy.result.err;
  EXPECT_GE(roomy.most_shared, 256 * kMiB) << "there is room for it";
  EXPECT_LT(roomy.most, 320 * kMiB + kProgram);
  fs::remove(folder_ / "out.safetensors");
  const Measured tight = run_measured(search, "240MiB");
  EXPECT_EQ(tight.result.exit_code, 0) << tight.result.err;
  EXPECT_EQ(tight.most_shared, 0u) << "it lies beside the output";
  EXPECT_LT(tight.most, 240 * kMiB + kProgram);
}

TEST_F(Memory, APlanThatCannotFitIsRefusedWithTheTensorAndItsNeed) {
  put_large_models();
  const Measured measured =
      run_measured("save(where(ordinal(x, over = tensor) > 5, x, y), \"out.safetensors\")", "512MiB");
  EXPECT_EQ(measured.result.exit_code, 1);
  for (const char* part : {"E0503", "this needs 1.6", "while tensor `weight` [8192, 8192] is at hand", "budget of 537 MB", "--memory"})
    EXPECT_TRUE(contains(measured.result.err, part)) << part << " in\n" << measured.result.err;
  EXPECT_LT(measured.most, kProgram);
  EXPECT_FALSE(fs::exists(folder_ / "out.safetensors"));
  EXPECT_EQ(hidden_files(), std::vector<std::string>{});
}

// Names and headers count, too, where there are very many.
TEST_F(Memory, TablesOfVeryManyTensorsCount) {
  std::ostringstream header;
  constexpr int kCount = 250'000;
  header << '{';
  for (int i = 0; i < kCount; ++i)
    header << (i ? "," : "") << "\"model.layers." << i % 64 << ".experts." << i << R"(.weight":{"dtype":"F32","shape":[1],"data_offsets":[)"
           << 4 * i << ',' << 4 * (i + 1) << "]}";
  header << '}';
  std::string text = header.str();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  write_file(folder_ / "base.safetensors", safetensors_bytes(text, std::string(4 * kCount, '\0')));
  for (const char* name : {"x.safetensors", "y.safetensors"}) fs::copy(folder_ / "base.safetensors", folder_ / name);

  const Measured small = run_measured("save(mean([x, y]), \"out.safetensors\")", "128MiB");
  EXPECT_EQ(small.result.exit_code, 1);
  EXPECT_TRUE(contains(small.result.err, "E0503")) << small.result.err;
  const Measured enough = run_measured("save(mean([x, y]), \"out.safetensors\")", "640MiB");
  EXPECT_EQ(enough.result.exit_code, 0) << enough.result.err;
  EXPECT_LT(enough.most, 640 * kMiB + kProgram);
}

}  // namespace
}  // namespace roux::testing

// What `roux run` says of inputs that are no sound checkpoints: one diagnostic that names the file (and the tensor),
// exit code 1, nothing written, at once.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "tests/cli/cli.h"
#include "tests/support/refused_files.h"
#include "tests/support/sanitizers.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

// Of processes that ended. The clock on the wall would tell of the machine's other work, too.
double seconds_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) { return time.tv_sec + time.tv_usec / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class HostileInput : public Cli {
 protected:
  std::set<std::string> everything() const {
    std::set<std::string> paths;
    const auto options = fs::directory_options::skip_permission_denied;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder_.path(), options))
      paths.insert(entry.path().string());
    return paths;
  }

  void put(const std::string& name, std::string_view bytes) { put_file((folder_ / name).string(), bytes); }

  // `words`: what has to be said beside the name of the input.
  void expect_refused(const std::string& input, std::vector<std::string> words) {
    SCOPED_TRACE(input);
    write_file(folder_ / "hostile.merge", "good = load(\"a.safetensors\")\nbad = load(\"" + input +
                                              "\")\nsave(mean([good, bad]), \"out/merged\")\n");
    const std::set<std::string> before = everything();
    const double begin = seconds_of_children();
    const ProcessResult result = roux({"run", "hostile.merge"});
    EXPECT_LT(seconds_of_children() - begin, kSanitized ? 60 : 1);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(count_of(result.err, "error["), 1u) << result.err;
    EXPECT_TRUE(result.err.starts_with("hostile.merge:2:")) << result.err;
    EXPECT_EQ(everything(), before);
    words.push_back(input);
    for (const std::string& word : words) EXPECT_TRUE(contains(result.err, word)) << word << " in\n" << result.err;
  }

  void expect_folder_refused(std::vector<std::string> words) { expect_refused("bad", std::move(words)); }
};

TEST_F(HostileInput, AnyWrongFileIsRefused) {
  for (const RefusedFile& file : refused_files()) {
    put(std::string(file.name) + ".safetensors", file.bytes);
    expect_refused(std::string(file.name) + ".safetensors", file.words);
  }
}

TEST_F(HostileInput, FoldersWithoutAModelAreRefused) {
  fs::create_directory(folder_ / "bad");
  expect_folder_refused({"holds nothing"});
  put("bad/notes.txt", "x");
  expect_folder_refused({});
  put("bad/one.safetensors", one_tensor("x", 1));
  put("bad/two.safetensors", one_tensor("x", 1));
  expect_folder_refused({"`one.safetensors`", "no index"});
}

TEST_F(HostileInput, IndexesThatLieAreRefused) {
  put("bad/s1.safetensors", one_tensor("x", 1));
  put("bad/s2.safetensors", one_tensor("y", 1));
  const auto refuse = [&](const std::string& index, std::vector<std::string> words) {
    put("bad/model.safetensors.index.json", index);
    expect_folder_refused(std::move(words));
  };
  refuse(index_of({{"x", "s1.safetensors"}, {"y", "s9.safetensors"}}), {"`y`", "`s9.safetensors`", "index.json"});
  refuse(index_of({{"x", "../a.safetensors"}}), {"`x`", "`../a.safetensors`", "plain name"});
  refuse(index_of({{"x", "/etc/passwd"}}), {"`x`", "plain name"});
  refuse(index_of({{"x", "s2.safetensors"}, {"y", "s1.safetensors"}}), {"`x`", "but it is in `s1.safetensors`"});
  refuse("{", {"index is not JSON"});
  refuse(std::string(1'000'000, '['), {"index"});
  put("bad/s2.safetensors", one_tensor("x", 1));
  refuse(index_of({{"x", "s1.safetensors"}, {"y", "s2.safetensors"}}), {"`x` is in two shards"});
}

TEST_F(HostileInput, ConfigsThatAreNotJsonAreRefused) {
  put("bad/model.safetensors", one_tensor("x", 1));
  const std::string deep(1'000'000, '[');
  for (const std::string& config : {std::string(), std::string("{"), std::string("[]"), "{\"a\":" + deep}) {
    put("bad/config.json", config);
    expect_folder_refused({"bad/config.json"});
  }
}

TEST_F(HostileInput, WhatCannotBeOpenedIsRefused) {
  fs::create_symlink("back.safetensors", folder_ / "there.safetensors");
  fs::create_symlink("there.safetensors", folder_ / "back.safetensors");
  expect_refused("there.safetensors", {"E0413", "circle"});
  fs::create_directory_symlink("loop", folder_ / "loop");
  expect_refused("loop/model", {"E0413", "circle"});
  fs::create_symlink("nowhere", folder_ / "broken.safetensors");
  expect_refused("broken.safetensors", {"E0401", "leads nowhere"});
  expect_refused("absent.safetensors", {"E0401"});
  expect_refused(std::string(300, 'n'), {"E0413", "too long"});
  ASSERT_EQ(::mkfifo((folder_ / "pipe.safetensors").c_str(), 0600), 0);
  expect_refused("pipe.safetensors", {"E0413", "pipe"});
  expect_refused("/dev/zero", {"E0413", "device"});
  fs::create_directory_symlink(".", folder_ / "model.safetensors");
  expect_refused("model.safetensors", {"E0413", "is a folder, expected a regular file"});
}

// Root may read anything: its test goes on as nobody.
TEST_F(HostileInput, WhatMayNotBeReadIsRefused) {
  put("shut.safetensors", one_tensor("x", 1));
  put("bad/model.safetensors", one_tensor("x", 1));
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(folder_ / "shut.safetensors", fs::perms::none);
  fs::permissions(folder_ / "bad", fs::perms::none);
  write_file(folder_ / "hostile.merge", "");
  fs::permissions(folder_ / "hostile.merge", fs::perms::all);
  const bool is_root = ::geteuid() == 0;
  ASSERT_TRUE(!is_root || ::seteuid(65534) == 0);
  const bool can_run = ::faccessat(AT_FDCWD, command().c_str(), X_OK, AT_EACCESS) == 0;
  if (can_run) {
    expect_refused("shut.safetensors", {"E0413", "Permission denied"});
    expect_folder_refused({"E0413", "Permission denied"});
  }
  ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
  fs::permissions(folder_ / "bad", fs::perms::all);
  if (!can_run) GTEST_SKIP() << "nobody may not run " << command();
}

}  // namespace
}  // namespace roux::testing

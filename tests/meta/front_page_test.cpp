// The recipe on the language's front page, as a user types it: checkpoints beside it, a Python scorer.
// It runs on the bundled checkpoints through links; the scorer only passes the model on to ours.
#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFrontPage = R"(# soup.merge
base   = load("checkpoints/base")
models = load_all("checkpoints/ft-*", base = base)
val    = command("python3 score.py {model}")
soup   = greedy(models, val) |> ties(k=0.2)
save(soup, "out/soup", dtype = bf16)
)";

TEST(FrontPage, RunsAsPrinted) {
  if (!is_installed("python3"))
    GTEST_SKIP() << "python3 is not installed, and the front page scores with it";
  const TemporaryFolder folder;
  fs::create_symlink(source_dir() / "examples" / "checkpoints", folder / "checkpoints");
  write_file(folder / "soup.merge", kFrontPage);
  const std::string score = (binary_dir() / "examples" / "score").string();
  const std::string images = (source_dir() / "examples" / "checkpoints" / "val.safetensors").string();
  write_file(folder / "score.py",
             "import json, subprocess, sys\n"
             "said = subprocess.check_output(['" + score + "', sys.argv[1], '" + images + "'])\n"
             "print('scoring', sys.argv[1])\n"
             "print(json.loads(said)['accuracy'])\n");

  const ProcessResult run = run_process({(binary_dir() / "roux").string(), "run", "soup.merge"},
                                        {.directory = folder.path(), .timeout = std::chrono::seconds(250)});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("saved out/soup"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("bf16 (score 0."), std::string::npos) << "no score of what was saved: " << run.out;
  EXPECT_NE(run.err.find("none of the models that are scored"), std::string::npos)
      << "greedy scored means, and nothing says that this is not one: " << run.err;
  EXPECT_TRUE(fs::exists(folder / "out/soup/model.safetensors"));
  EXPECT_NE(read_file(folder / "out/soup/config.json").find("\"torch_dtype\": \"bfloat16\""), std::string::npos);

  const ProcessResult again = run_process({(binary_dir() / "roux").string(), "run", "soup.merge"},
                                          {.directory = folder.path()});
  EXPECT_EQ(again.exit_code, 1) << "an existing output is not replaced without being told to";
}

}  // namespace
}  // namespace roux::testing

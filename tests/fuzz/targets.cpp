#include "tests/fuzz/targets.h"

namespace roux::testing::fuzz {

std::span<const Target> targets() {
  static const std::vector<Target> kTargets = {
      {"checkpoint_file", read_checkpoint_file, checkpoint_file_seeds,
       {"\"dtype\":", "\"shape\":", "\"data_offsets\":", "\"__metadata__\":", "\"F32\"", "\"BF16\"", "\"F8_E4M3\"",
        "\"I64\"", "\"BOOL\"", "[", "]", "{", "}", ",", ":", "[]", "[0,0]", "\\u0000", "\\ud800", "null", "true", "-0",
        "1e3", " "},
       20000},
      {"checkpoint_folder", read_checkpoint_folder, checkpoint_folder_seeds,
       {"\"weight_map\":", "\"metadata\":", "\"torch_dtype\":", "\"dtype\":", "\"quantization_config\":",
        "\"tie_word_embeddings\":", "\"text_config\":", "\"bfloat16\"", "\"auto\"", "\"../a\"",
        "\"first.safetensors\"", "NaN", "-Infinity", "null", "true", "{", "}", "[", "]", ",", "\"", "\\u0000", " "},
       10000},
      {"recipe", read_recipe, recipe_seeds,
       {"(", ")", "[", "]", "{", "}", "\"", "${", "\\", "\n", ";", ",", "=", "=>", "->", "|>", "..", ".", "+", "-", "*",
        "/", "^", "++", " not ", " if ", " then ", " else ", " for ", " in ", " match name ", " as ", "method ",
        "param ", "import ", "## ", "# ", "1", "1e", "%", "\xC3\xA9", "\xFF", "_", "x", "mean(", "over = model",
        "sort(", "fold(", "layer", "none"},
       1500},
      {"kernel", read_kernel, kernel_seeds,
       {"%0", "%1", "$0", "@0", "linear [", "table 0", " * ", "]", "inputs f16\n", "scalars 3\n", "spreads 1\n",
        "starts anywhere\n", "store f64 %0\n", "reduce dot %0, %1\n", "top ", "bernoulli ", "where ", "#", ","},
       2500},
      {"graph", run_graph, graph_seeds, {}, 120},
  };
  return kTargets;
}

}  // namespace roux::testing::fuzz

// A program that merges models in its own memory and scores them itself; no file is read or written. It has a base
// and three fine-tunes of a small linear model, and looks for the part of each change that TIES should keep.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <roux/roux.h>

namespace {

constexpr char kRecipe[] = R"(# merge.merge
param k: number
param quality: scorer

base   = load("memory:base")
models = load_all("memory:fine-tune-*", base = base)
merged = ties(models, k = k)
score  = quality(merged)
print("k = ${k}: ${score}")
save(merged, "memory:merged")
)";

// Weights in rows of `columns`, owned by the program.
struct Linear {
  std::vector<float> weight;
  std::int64_t rows, columns;
};

Linear make_base() {
  Linear model{std::vector<float>(6 * 4), 6, 4};
  for (std::size_t i = 0; i < model.weight.size(); ++i) model.weight[i] = 0.1f * static_cast<float>(i % 7) - 0.3f;
  return model;
}

// Each learned a task, two rows of its own, and picked up some noise elsewhere.
Linear fine_tuned(const Linear& base, int task) {
  Linear model = base;
  for (std::size_t i = 0; i < model.weight.size(); ++i) {
    const bool own = static_cast<int>(i) / 8 == task;
    model.weight[i] += own ? 1.0f : 0.05f * std::sin(static_cast<float>(i * 3 + 7 * task));
  }
  return model;
}

roux::HostModel host_model(const Linear& linear) {
  roux::HostTensor weight{.name = "weight",
                          .dtype = "f32",
                          .shape = {linear.rows, linear.columns},
                          .data = roux::borrowed(linear.weight.data())};
  return {.tensors = {weight}};
}

// How near a model comes to one that learned all three tasks and no noise: 1 is best, 0 is no better than the base.
roux::Result<double> quality(const roux::CheckpointReader& model, const Linear& wanted) {
  const roux::Result<std::vector<float>> weight = model.read_f32("weight");
  if (!weight) return weight.error();
  double error = 0;
  for (std::size_t i = 0; i < weight->size(); ++i) error += std::abs((*weight)[i] - wanted.weight[i]);
  return std::round(1000 * (1 - error / 24)) / 1000;
}

int fail(const roux::Engine& engine, const roux::Diagnostics& findings) {
  std::fputs(engine.render(findings).c_str(), stderr);
  return 1;
}

}  // namespace

int main() {
  const Linear base = make_base();
  std::vector<Linear> fine_tunes;
  for (int task = 0; task < 3; ++task) fine_tunes.push_back(fine_tuned(base, task));
  Linear wanted = base;
  for (float& value : wanted.weight) value += 1.0f;

  roux::Result<roux::Engine> engine = roux::Engine::create({.threads = 2});
  if (!engine) return std::fputs(roux::render(engine.error()).c_str(), stderr), 1;
  const roux::Result<roux::Recipe> recipe = engine->compile("merge.merge", kRecipe);
  if (!recipe) return fail(*engine, recipe.error());

  roux::Arguments arguments;
  arguments.models["base"] = host_model(base);
  for (std::size_t i = 0; i < fine_tunes.size(); ++i)
    arguments.models["fine-tune-" + std::to_string(i + 1)] = host_model(fine_tunes[i]);
  arguments.scorers["quality"] = {[&](const roux::CheckpointReader& model) { return quality(model, wanted); }};

  roux::Events events;
  events.on_print = [](const std::string& line) { std::puts(line.c_str()); };
  events.on_note = [&](const roux::Diagnostic& note) { std::fputs(engine->render(note).c_str(), stderr); };

  std::optional<double> best;
  roux::HostModel merged;
  for (const char* k : {"0.2", "0.35", "0.6", "1"}) {
    arguments.settings["k"] = k;
    const roux::Result<roux::BoundRecipe> bound = engine->bind(*recipe, arguments);
    if (!bound) return fail(*engine, bound.error());
    const roux::Result<roux::Report> report = engine->run(*bound, events);
    if (!report) return fail(*engine, report.error());
    std::puts(report->kernels_compiled > 0 ? "  kernels were compiled" : "  no kernel was compiled");
    const roux::SavedOutput& output = report->outputs[0];
    if (best && *output.score <= *best) continue;
    best = output.score;
    merged = *output.model;
  }

  const roux::HostTensor& weight = merged.tensors[0];
  const float* values = static_cast<const float*>(weight.data.get());
  std::printf("the best has %g:\n", *best);
  for (std::int64_t row = 0; row < weight.shape[0]; ++row) {
    for (std::int64_t column = 0; column < weight.shape[1]; ++column)
      std::printf("%6.2f", values[row * weight.shape[1] + column]);
    std::puts("");
  }

  arguments.settings["k"] = "2";  // more than all: what a mistake looks like
  const roux::Result<roux::BoundRecipe> refused = engine->bind(*recipe, arguments);
  if (refused) return std::fputs("k = 2 was not refused\n", stderr), 1;
  std::fputs(engine->render(refused.error()).c_str(), stdout);
  return 0;
}

/* Averages checkpoints with a model of zeros that lies in this program's memory, which shrinks the average:
 *
 *   embed 'checkpoints/ft-*' checkpoints/base out/mean.safetensors
 *
 * The second word is a checkpoint that the zeros are to look like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <roux-c/roux.h>

static const char kRecipe[] =
    "param models: list[model]\n"
    "param out: string\n"
    "zeros = load(\"memory:zeros\")\n"
    "save(mean(models ++ [zeros]), out)\n";

static void print_progress(void* context, const roux_progress* progress) {
  (void)context;
  if (progress->bytes_total > 0 && progress->bytes_done == progress->bytes_total)
    fprintf(stderr, "%s: %llu bytes\n", progress->activity, (unsigned long long)progress->bytes_total);
}

/* A tensor of zeros with the shape that the checkpoint's tensor has. */
static roux_tensor zeros_like(const roux_checkpoint* checkpoint, size_t tensor) {
  roux_tensor zeros = {0};
  size_t count = 1;
  zeros.name = roux_checkpoint_tensor_name(checkpoint, tensor);
  zeros.dtype = roux_checkpoint_tensor_dtype(checkpoint, tensor);
  zeros.rank = roux_checkpoint_tensor_rank(checkpoint, tensor);
  zeros.shape = roux_checkpoint_tensor_shape(checkpoint, tensor);
  for (size_t axis = 0; axis < zeros.rank; ++axis) count *= (size_t)zeros.shape[axis];
  void* data = calloc(count, 8); /* the widest dtype has 8 bytes; all have zeros of zero bytes */
  if (!data) exit(2);
  zeros.data = data;
  zeros.release = free; /* Roux frees it when it is done */
  zeros.context = data;
  return zeros;
}

/* A model of zeros that looks like the one at this path. */
static roux_error* add_zeros(roux_arguments* arguments, const char* like) {
  roux_checkpoint* checkpoint = NULL;
  roux_error* error = roux_checkpoint_open(like, &checkpoint);
  if (error) return error;
  const size_t count = roux_checkpoint_tensor_count(checkpoint);
  roux_tensor* tensors = malloc(count * sizeof *tensors);
  if (!tensors) exit(2);
  for (size_t i = 0; i < count; ++i) tensors[i] = zeros_like(checkpoint, i);
  error = roux_arguments_add_model(arguments, "zeros", tensors, count, NULL);
  for (size_t i = 0; error && i < count; ++i) tensors[i].release(tensors[i].context);
  free(tensors);
  roux_checkpoint_free(checkpoint);
  return error;
}

static roux_error* merge(roux_engine* engine, const char* models, const char* like, const char* out) {
  roux_recipe* recipe = NULL;
  roux_bound* bound = NULL;
  roux_report* report = NULL;
  roux_arguments* arguments = roux_arguments_new();
  const roux_events events = {.size = sizeof events, .progress = print_progress};

  roux_error* error = roux_compile(engine, "mean.merge", kRecipe, &recipe);
  if (!error) error = add_zeros(arguments, like);
  if (!error) error = roux_arguments_set(arguments, "models", models);
  if (!error) error = roux_arguments_set(arguments, "out", out);
  if (!error) error = roux_bind(engine, recipe, arguments, NULL, &bound);
  if (!error) fputs(roux_bound_plan(bound), stdout);
  if (!error) error = roux_run_bound(engine, bound, &events, &report);
  for (size_t i = 0; report && i < roux_report_output_count(report); ++i)
    printf("saved %s\n", roux_report_path(report, i));

  roux_report_free(report);
  roux_bound_free(bound);
  roux_arguments_free(arguments);
  roux_recipe_free(recipe);
  return error;
}

int main(int count, char** words) {
  if (count != 4) {
    fprintf(stderr, "usage: %s MODELS LIKE OUT\n", words[0]);
    return 1;
  }
  roux_options options = ROUX_OPTIONS;
  options.threads = 2;
  roux_engine* engine = NULL;
  roux_error* error = roux_engine_new(&options, &engine);
  if (!error) error = merge(engine, words[1], words[2], words[3]);
  if (error) {
    for (size_t i = 0; i < roux_error_count(error); ++i)
      fprintf(stderr, "%s (line %u): %s\n", roux_error_code(error, i), roux_error_line(error, i),
              roux_error_message(error, i));
    roux_error_free(error);
    roux_engine_free(engine);
    return 1;
  }
  roux_engine_free(engine);
  return 0;
}

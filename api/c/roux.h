/* Roux for programs in C, and for bindings of other languages. The C++ header api/roux.h tells what things mean;
 * docs/embedding.md is the guide to both.
 *
 *   roux_engine* engine = NULL;
 *   roux_recipe* recipe = NULL;
 *   roux_report* report = NULL;
 *   roux_error* error = roux_engine_new(NULL, &engine);
 *   if (!error) error = roux_compile(engine, "mean.merge", text, &recipe);
 *   if (!error) error = roux_run(engine, recipe, NULL, NULL, &report);
 *   if (error) fputs(roux_error_text(error), stderr);
 *
 * Objects are opaque. Each `_new` (and each result through a last parameter) has one `_free`, which takes NULL, too.
 * A function that can fail gives an error, to be freed, or NULL; its results are set only if it gives NULL. Strings
 * are UTF-8 that ends in a zero; those that a function gives live as long as the object they were asked of. An index
 * beyond the end gives NULL, 0 or false; a NULL where there must be an object is an error of the functions that have
 * errors.
 * Nothing prints, throws or aborts; there is no global state. An engine is used from one thread at a time, and what
 * belongs to it is freed before it. */
#ifndef ROUX_C_ROUX_H
#define ROUX_C_ROUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct roux_engine roux_engine;
typedef struct roux_recipe roux_recipe;         /* text that parsed */
typedef struct roux_arguments roux_arguments;   /* what a recipe leaves open */
typedef struct roux_bound roux_bound;           /* a recipe with its arguments, checked against headers */
typedef struct roux_report roux_report;         /* what a run did */
typedef struct roux_checkpoint roux_checkpoint; /* a file, folder or model in memory, opened for reading */
typedef struct roux_cancel roux_cancel;         /* ends calls from other threads */
typedef struct roux_error roux_error;           /* one or more findings, in the order of the text */

const char* roux_version(void);

/* --- errors ------------------------------------------------------------------------------------------- */

/* All findings as the command line would print them. */
const char* roux_error_text(const roux_error* error);
/* The same as JSON; docs/diagnostics.md is its schema. */
const char* roux_error_json(const roux_error* error);
size_t roux_error_count(const roux_error* error);
/* Of one finding: "E0201" and "unknown name `x`". */
const char* roux_error_code(const roux_error* error, size_t finding);
const char* roux_error_message(const roux_error* error, size_t finding);
/* Where it is: NULL and 0 where it is at no place of a text. Lines and columns count from 1. */
const char* roux_error_file(const roux_error* error, size_t finding);
uint32_t roux_error_line(const roux_error* error, size_t finding);
uint32_t roux_error_column(const roux_error* error, size_t finding);
void roux_error_free(roux_error* error);

/* --- engines ------------------------------------------------------------------------------------------ */

/* Begin with ROUX_OPTIONS and change what differs. Members may be added at the end. */
typedef struct roux_options {
  size_t size;             /* sizeof(roux_options), as the caller knows it */
  int threads;             /* 0: every core */
  uint64_t memory_bytes;   /* beyond the page cache; 0: 1 GiB */
  const char* backend;     /* "llvm" (NULL), or "reference": slow, the definition */
  bool no_sync;            /* do not flush outputs to the device */
} roux_options;
#define ROUX_OPTIONS {sizeof(roux_options), 0, 0, NULL, false}

/* `options` may be NULL. */
roux_error* roux_engine_new(const roux_options* options, roux_engine** engine);
void roux_engine_free(roux_engine* engine);

/* `name` is what diagnostics print. Touches no file but those that the recipe imports. */
roux_error* roux_compile(roux_engine* engine, const char* name, const char* text, roux_recipe** recipe);
void roux_recipe_free(roux_recipe* recipe);

/* --- arguments ---------------------------------------------------------------------------------------- */

/* A tensor in the host's memory. The names and shapes are copied, the values are not: they must stay as they are
 * while a run reads them. */
typedef struct roux_tensor {
  const char* name;
  const char* dtype;       /* "bf16", "f32", "i64", ... */
  size_t rank;
  const int64_t* shape;
  const int64_t* strides;  /* in elements; NULL: row-major without gaps */
  const void* data;        /* of the element at [0, 0, ...] */
  void (*release)(void* context); /* called once, when nothing of Roux needs `data` any more; NULL: never */
  void* context;
} roux_tensor;

/* Reads what it needs of the model; the handle is gone when it returns. NULL if `score` is set; otherwise why it is not,
 * as text that lives until the next call. */
typedef const char* (*roux_score_function)(void* context, const roux_checkpoint* model, double* score);

/* NULL where there is no memory. */
roux_arguments* roux_arguments_new(void);
/* What `roux run --set name=text` gives. Replaces what was set before. */
roux_error* roux_arguments_set(roux_arguments* arguments, const char* name, const char* text);
/* A model that recipes load as "memory:NAME"; it replaces what had the name. `config` is the text of its config.json,
 * or NULL. What is wrong with dtypes, shapes and strides is told by roux_bind. On an error nothing is released. */
roux_error* roux_arguments_add_model(roux_arguments* arguments, const char* name, const roux_tensor* tensors,
                                     size_t count, const char* config);
/* For a `param NAME: scorer`. */
roux_error* roux_arguments_set_scorer(roux_arguments* arguments, const char* name, roux_score_function score,
                                      void* context, bool lower_is_better);
/* What was bound with them keeps what it needs. */
void roux_arguments_free(roux_arguments* arguments);

/* --- running ------------------------------------------------------------------------------------------ */

typedef struct roux_progress {
  const char* activity;
  uint64_t bytes_done;
  uint64_t bytes_total;    /* 0: not known */
  double seconds;
} roux_progress;

/* Zero-initialise and set `size`. Callbacks may be NULL; they run on the thread that called. */
typedef struct roux_events {
  size_t size;             /* sizeof(roux_events), as the caller knows it */
  void* context;           /* handed to each callback */
  void (*print)(void* context, const char* line);    /* `print(...)` */
  void (*note)(void* context, const char* text);     /* notes and warnings, as the command line would print them */
  void (*progress)(void* context, const roux_progress* progress);
  void (*log)(void* context, const char* line);      /* what is being done, step by step */
  const roux_cancel* cancel;
} roux_events;

/* All that can be told before a tensor is read. `arguments` and `events` may be NULL. */
roux_error* roux_bind(roux_engine* engine, const roux_recipe* recipe, const roux_arguments* arguments,
                      const roux_events* events, roux_bound** bound);
/* What a run does: sweeps, bytes, memory. */
const char* roux_bound_plan(const roux_bound* bound);
/* At most, beyond the page cache. */
uint64_t roux_bound_memory_bytes(const roux_bound* bound);
void roux_bound_free(roux_bound* bound);

/* Outputs appear whole, at the end, or not at all. */
roux_error* roux_run_bound(roux_engine* engine, const roux_bound* bound, const roux_events* events,
                           roux_report** report);
/* Binds, then runs. */
roux_error* roux_run(roux_engine* engine, const roux_recipe* recipe, const roux_arguments* arguments,
                     const roux_events* events, roux_report** report);

size_t roux_report_output_count(const roux_report* report);
const char* roux_report_path(const roux_report* report, size_t output);
/* Whether it was scored; if so, how. */
bool roux_report_score(const roux_report* report, size_t output, double* score);
/* A model that was saved to "memory:NAME", to read; NULL for files. Belongs to the report. */
const roux_checkpoint* roux_report_model(const roux_report* report, size_t output);
/* One of its tensors without a copy, as roux_arguments_add_model takes it: `data` is the report's. False for files
 * and beyond the end. */
bool roux_report_tensor(const roux_report* report, size_t output, size_t tensor, roux_tensor* view);
uint64_t roux_report_bytes_read(const roux_report* report);
uint64_t roux_report_bytes_written(const roux_report* report);
uint64_t roux_report_kernels_compiled(const roux_report* report);
uint64_t roux_report_models_scored(const roux_report* report);
double roux_report_seconds(const roux_report* report);
void roux_report_free(roux_report* report);

/* NULL where there is no memory. */
roux_cancel* roux_cancel_new(void);
/* From any thread, also from a signal handler: calls that were given it end soon with the error E0508. */
void roux_cancel_request(roux_cancel* cancel);
void roux_cancel_reset(roux_cancel* cancel);
void roux_cancel_free(roux_cancel* cancel);

/* --- checkpoints -------------------------------------------------------------------------------------- */

roux_error* roux_checkpoint_open(const char* path, roux_checkpoint** checkpoint);
const char* roux_checkpoint_path(const roux_checkpoint* checkpoint);
size_t roux_checkpoint_tensor_count(const roux_checkpoint* checkpoint);
/* By name: the order of `tensor` from 0 on. */
const char* roux_checkpoint_tensor_name(const roux_checkpoint* checkpoint, size_t tensor);
const char* roux_checkpoint_tensor_dtype(const roux_checkpoint* checkpoint, size_t tensor);
size_t roux_checkpoint_tensor_rank(const roux_checkpoint* checkpoint, size_t tensor);
const int64_t* roux_checkpoint_tensor_shape(const roux_checkpoint* checkpoint, size_t tensor);
/* The text of config.json; NULL where there is none. */
const char* roux_checkpoint_config(const roux_checkpoint* checkpoint);
/* All values in row-major order, converted; `count` has to be the number of its elements. */
roux_error* roux_checkpoint_read_f32(const roux_checkpoint* checkpoint, const char* tensor, float* values,
                                     size_t count);
roux_error* roux_checkpoint_read_f64(const roux_checkpoint* checkpoint, const char* tensor, double* values,
                                     size_t count);
void roux_checkpoint_free(roux_checkpoint* checkpoint);

#ifdef __cplusplus
}
#endif

#endif

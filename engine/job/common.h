/* common.h - what the commands share: from options to engine settings, and from results to stdout.
 */
#ifndef JOB_COMMON_H
#define JOB_COMMON_H

#include <stdio.h>

#include "base/options.h"
#include "model/encoder.h"

/* Each command's work. Results go to stdout, everything else to the log. False: *err is what main()
 * prints and turns into the exit status. */
typedef bool (*job_run_fn)(const struct opts *o, struct err *err);
bool inspect_run(const struct opts *o, struct err *err);
bool tokenize_run(const struct opts *o, struct err *err);
bool encode_run(const struct opts *o, struct err *err);
bool search_run(const struct opts *o, struct err *err);
bool mine_run(const struct opts *o, struct err *err);
bool score_run(const struct opts *o, struct err *err);
bool export_run(const struct opts *o, struct err *err);
bool train_run(const struct opts *o, struct err *err);
bool eval_run(const struct opts *o, struct err *err);
bool compare_run(const struct opts *o, struct err *err);
bool metrics_run(const struct opts *o, struct err *err);
bool model_run(const struct opts *o, struct err *err);
bool doctor_run(const struct opts *o, struct err *err);

int job_threads(const struct opts *o); /* --threads, else cpu_count() */
const char *job_device(const struct opts *o); /* --device with "auto" resolved: "cpu" or "cuda:N" */
enum model_dtype job_dtype(const struct opts *o);
/* Where caches lie: the workspace's cache/ when there is one, else the user's; NULL with
 * --no-cache. Lives as long as a. */
const char *job_cache_dir(const struct opts *o, struct arena *a);
/* OPTIONS_ENCODER and, when the table has them, OPTIONS_PROMPTS. Strings borrowed from o and a. */
void job_encoder_options(const struct opts *o, struct arena *a, struct encoder_options *ret);
/* The last name of a path, whatever slashes end it: how results call a model or a data set. */
const char *job_leaf(struct arena *a, const char *path);
/* Opens a scope for the device; the error names it and says what to do. Close with tn_close. */
tn_scope *job_open_device(const struct opts *o, struct err *err) MUST_CHECK;

/* A table for people: columns are aligned by display width, Korean included. Numbers to the right.
 */
struct table;
struct table *table_new(const char *const *heads, size_t n_columns);
void table_cell(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* row by row */
void table_text(struct table *t, struct text cell);
void table_print(struct table *t, FILE *out); /* and frees it */

#endif

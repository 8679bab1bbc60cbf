/* dataset.h - in: files of rows; out: row i, parsed when it is asked for.
 *
 * A JSONL file is mapped; its line offsets are found once and cached beside other caches, keyed by
 * path, size and modification time. Blank lines are no rows. A BEIR folder with a split is a data
 * set too: one row a qrel with score > 0, passage = title, space, text, trimmed; pos is that
 * passage, neg is empty.
 *
 * Threads: dataset_row may run on several threads, each with its own struct row_reader. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/record.h"

struct dataset;
struct dataset_options {
	const char *split; /* of BEIR folders; NULL = "train" */
	const char *cache_dir; /* for line offsets; NULL = no cache */
	atomic_size_t *
		progress; /* bytes indexed so far, for who waits on another thread; NULL = nobody */
};

/* Opens one or several files or folders, in order. A path that cannot be opened is an error; a row
 * that cannot be read is not. */
struct dataset *dataset_open(const char *const *paths, size_t n, const struct dataset_options *opt,
	struct err *err) MUST_CHECK;
void dataset_close(struct dataset *d);
size_t dataset_rows(const struct dataset *d); /* broken ones included */
/* Where row i stands: file (borrowed) and line from 1 (of a BEIR row: line of the qrels file). */
void dataset_place(const struct dataset *d, size_t i, const char **ret_path, size_t *ret_line);
struct text dataset_line(
	const struct dataset *d, size_t i); /* the raw line; TEXT_NONE for BEIR rows */

/* What was opened, in order. The rows of file k are [first, first + n_rows). */
struct dataset_file {
	const char *path; /* as it was given; borrowed */
	size_t first, n_rows;
	uint64_t n_bytes; /* of a JSONL file; 0 for a BEIR folder */
	bool is_beir;
	size_t n_missing; /* BEIR: qrels that name a passage or query that does not exist; no rows
	                   */
};
size_t dataset_files(const struct dataset *d);
void dataset_file(const struct dataset *d, size_t k, struct dataset_file *ret);

struct row_reader;
struct row_reader *row_reader_new(const struct dataset *d);
void row_reader_free(struct row_reader *r);
/* The row, alive until the next call on this reader. False: the row is broken; the error is
 * complete with file:line:column, where the column counts characters from 1. */
bool row_reader_get(struct row_reader *r, size_t i, struct record *ret, struct err *err) MUST_CHECK;
/* The same, with texts that live in the caller's arena. */
bool row_reader_copy(struct row_reader *r, size_t i, struct arena *a, struct record *ret,
	struct err *err) MUST_CHECK;

#endif

/* pass.h - in: a data set; out: what one look at each row tells, for inspect.c to add up. */
#ifndef CURATE_PASS_H
#define CURATE_PASS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "curate/equals.h"
#include "curate/histogram.h"
#include "curate/inspect.h"

enum { N_JSON_TYPES = JSON_OBJECT + 1 };

/* A stretch of neighbouring rows, seen by one worker: what must stay in order. */
struct chunk {
	struct inspect_broken *broken;
	size_t n_broken;
	size_t count[N_FINDINGS];
	size_t *first[N_FINDINGS]; /* the first rows of each kind, at most n_examples */
	struct stand *pos; /* one a positive */
	size_t n_pos, cap_pos;
};

/* A thread: what may be added up in any order. */
struct field_count {
	const char *name;
	size_t by_type[N_JSON_TYPES];
};
struct worker {
	struct row_reader *reader;
	struct tokenizer_run *tokens;
	struct ids ids, composed; /* of a text, and of the same in form NFC */
	struct buf text;
	struct arena scratch, kept; /* of a row; of what the pass returns */
	struct histogram chars_of[N_PARTS], tokens_of[N_PARTS], per_row[N_PARTS];
	struct map field_index;
	struct field_count *fields;
	size_t n_fields, cap_fields;
};

struct pass {
	const struct dataset *d;
	const struct inspect_options *opt;
	size_t n_rows, n_examples, max_length;
	uint64_t *query, *row; /* [n_rows] hashes */
	uint8_t *is_broken; /* [n_rows] */
	struct chunk *chunks;
	size_t n_chunks;
	struct worker *workers;
	int n_workers;
};

/* Fills p; pass_release() it also after a failure. */
bool pass_run(const struct dataset *d, const struct inspect_options *opt, struct pass *p,
	struct err *err) MUST_CHECK;
void pass_release(struct pass *p);

#endif

/* rows.h - in: a data set, a pool; out: what mining needs of them: texts once each, and rows as
 * numbers. A row is 48 bytes here, however long its texts are.
 *
 * The corpus is the pool, or, without one, every passage of the rows, positive and negative, and
 * for rows from a BEIR folder all of its corpus.jsonl; texts [0, n_corpus) are it, positives that a
 * pool lacks follow. */
#ifndef MINE_ROWS_H
#define MINE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/dataset.h"
#include "mine/texts.h"

struct mine_query {
	struct text text, instruction; /* instruction: the row's prompt; TEXT_NONE = none */
	uint32_t fold;
};
/* What can change the prefix of a passage (prompts_passage). */
struct mine_kind {
	struct text instruction, type;
};
struct mine_row {
	uint32_t row; /* index in the data set */
	uint32_t query, kind; /* indices below */
	uint32_t n_pos, n_neg;
	size_t refs; /* where its positives, then its old negatives stand in refs */
	uint64_t stream; /* from its content: the same wherever the row stands */
};
/* A positive of a query, over all rows that ask it. */
struct mine_positive {
	uint32_t fold; /* of the query */
	uint32_t text;
};

struct mine_rows {
	struct mine_texts texts;
	size_t n_corpus;
	struct mine_query *queries;
	struct mine_kind *kinds;
	struct mine_row *rows;
	uint32_t *refs; /* numbers of texts, or TEXT_BLANK */
	struct mine_positive *positives; /* sorted, each once */
	size_t n_queries, n_kinds, n_rows, n_refs, n_positives;
	size_t n_broken, n_no_query, n_no_positive; /* rows that were left out, each logged */
	struct map by_query, by_kind;
	size_t cap_queries, cap_kinds, cap_rows, cap_refs, cap_positives;
};

/* pool: a file of texts or a BEIR folder; NULL = see above. is_strict: a broken row is
 * an error. Release it with mine_rows_release(), also after a failure. */
bool mine_rows_read(struct mine_rows *ret, const struct dataset *d, const char *pool,
	bool is_strict, struct err *err) MUST_CHECK;
void mine_rows_release(struct mine_rows *x);
/* The positives of the row's query, of whichever row. */
size_t mine_rows_positives(
	const struct mine_rows *x, const struct mine_row *row, const struct mine_positive **ret);

#endif

/* beir.h - in: a BEIR folder (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv); out: passages, queries
 * and judgements by index.
 *
 * Entries are {"_id": ..., "title": ..., "text": ...}; `id` is as good as `_id`, a whole number as
 * good as a string. A line that cannot be read, an id that stands twice, and two judgements of one
 * pair that differ are errors with file and line; equal ones count once. qrels have three columns
 * between tabs, query-id, corpus-id and a whole score, with or without a line of headings; TREC's
 * four columns are taken too. */
#ifndef DATA_BEIR_H
#define DATA_BEIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "base/text.h"

struct qrel {
	uint32_t query, doc; /* indices */
	int32_t grade;
	uint32_t line; /* of the qrels file, from 1 */
};
struct beir {
	struct text *docs; /* title, space, text, trimmed */
	struct text *doc_ids;
	size_t n_docs;
	struct text *queries; /* those that the split's qrels name, in the order of queries.jsonl */
	struct text *query_ids;
	size_t n_queries;
	struct qrel *qrels; /* sorted by query, in file order within one */
	size_t n_qrels;
	size_t n_missing; /* qrels whose passage or query does not exist: left out and counted */
	struct arena arena; /* owns it all */
	char *qrels_path;
};

bool beir_is(const char *dir); /* looks like one */
bool beir_open(const char *dir, const char *split, struct beir *ret, struct err *err) MUST_CHECK;
void beir_close(struct beir *b);

#endif

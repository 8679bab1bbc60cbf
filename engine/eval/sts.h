/* sts.h - in: pairs of sentences with a person's score; out: how a model's similarities correlate
 * with it.
 *
 * Files: TSV with a header that names sentence1, sentence2 and score (the STS Benchmark's columns;
 * split at tabs alone, a quotation mark is a character like any other), or JSONL with those
 * members. Both sentences get the query prompt: STS is symmetric. */
#ifndef EVAL_STS_H
#define EVAL_STS_H

#include "eval/report.h"
#include "model/encoder.h"

struct sts {
	struct text *a, *b;
	double *score;
	size_t n;
	struct arena arena; /* owns it all */
};

/* Errors name file and line: a missing column, too few fields, a score that is no number. */
bool sts_open(const char *path, struct sts *ret, struct err *err) MUST_CHECK;
void sts_close(struct sts *s);

/* Figures: spearman_ and pearson_ of cosine, dot, and the negated euclidean and manhattan
 * distances. per_query: cosine and score of each pair, whose id is its number, from 1. */
bool sts_measure(struct encoder *e, const struct sts *data, const char *set, uint64_t seed,
	struct report *ret, struct encode_stats *stats, struct err *err) MUST_CHECK;

#endif

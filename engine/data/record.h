/* record.h - in: one line of a file; out: the row that everything else flows from.
 *
 * FlagEmbedding's fields and ours (README, "Formats"). Arrays that belong to pos or neg are either
 * NULL or exactly as long as it: the reader checks. Texts are borrowed from the arena that
 * record_parse() was given. */
#ifndef DATA_RECORD_H
#define DATA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "json.h"

struct candidate {
	struct text text;
	double score; /* pos_scores / neg_scores: the active teacher's, in whatever unit it has; NAN
	                 = none */
	double sim; /* pos_sims / neg_sims: the miner's cosine; NAN = none */
	int64_t rank; /* neg_ranks: from 0 in the miner's ranking; -1 = none */
	struct text from; /* neg_from: the run that mined it, or "person"; TEXT_NONE = unknown */
};

struct record {
	struct text query;
	struct candidate *pos, *neg;
	size_t n_pos, n_neg;
	struct text prompt, type, category, id; /* TEXT_NONE when absent */
	struct text line; /* the row as it stands in the file, without its line feed */
	/* Findings: the row can be read, but some commands cannot use it. */
	bool pos_was_string,
		neg_was_string; /* a string where a list belongs; taken as a list of one */
	bool pos_scores_bad,
		neg_scores_bad; /* not as many numbers as texts, or no numbers; ignored */
	size_t n_replaced; /* lone surrogates turned into U+FFFD */
};

/* Parses one JSON line. False: the row is broken (no JSON, no object, no query, pos or neg neither
 * list nor string, a text that is no string); *ret_offset = byte of the line where it shows, err
 * says what was seen and expected. The parser's document stays referenced by nothing: all texts are
 * copied into a. padding: see json_parse(). */
bool record_parse(struct json_parser *p, struct text line, size_t padding, struct arena *a,
	struct record *ret, size_t *ret_offset, struct err *err) MUST_CHECK;

/* Row id: hash of query, prompt and the sorted positives. Mining again or sorting a file changes no
 * id. */
struct hash128 record_id(const struct record *r);

/* Appends the row as one line of JSON (no line feed). Fields that record.h does not know are copied
 * from r->line, in their place; known ones are written from the struct; absent ones are left out
 * (scores when no candidate has one). */
void record_write(const struct record *r, struct json_parser *p, struct buf *out);

#endif

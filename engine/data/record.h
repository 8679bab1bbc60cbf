/* record.h - in: one line of a file; out: the row that everything else flows from.
 *
 * FlagEmbedding's fields and ours (README, "Formats"). Arrays that belong to pos or neg are either
 * NULL or exactly as long as it: the reader checks. Texts are borrowed from the arena that
 * record_parse() was given. */
#ifndef DATA_RECORD_H
#define DATA_RECORD_H

#include <math.h>
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
	double *by_teacher; /* [n_teachers] of the row, NAN = none; NULL = none of any teacher */
};

/* A candidate that nobody has judged or mined yet. */
static inline struct candidate candidate_of(struct text t)
{
	return (struct candidate){.text = t, .score = NAN, .sim = NAN, .rank = -1};
}

/* One judge of the row: the member `name` of the field `scores`. Its scores stand with the
 * candidates, so they travel with the texts when candidates are moved, dropped or replaced. */
struct teacher {
	struct text name;
	struct text form, model; /* what its numbers are ("raw", "sigmoid"), who made them */
};

struct record {
	struct text query;
	struct candidate *pos, *neg;
	size_t n_pos, n_neg;
	struct teacher *teachers;
	size_t n_teachers;
	struct text prompt, type, category, id; /* TEXT_NONE when absent */
	struct text line; /* the row as it stands in the file, without its line feed */
	/* Findings: the row can be read, but some commands cannot use it. */
	bool pos_was_string,
		neg_was_string; /* a string where a list belongs; taken as a list of one */
	bool pos_scores_bad, neg_scores_bad; /* some list that belongs to pos (neg) has not as many
	                                        elements as it, or none of the kind that belongs
	                                        there; such a list is ignored, and not written */
	size_t n_replaced; /* lone surrogates turned into U+FFFD */
};

/* Parses one JSON line. False: the row is broken (no JSON, no object, no query, pos or neg neither
 * list nor string, a text that is no string, a field of ours twice); *ret_offset = byte of the line
 * where it shows, err says what was seen and expected. pos and neg that are missing or null are
 * empty; a score that is null is NAN. The parser's document stays referenced by nothing: all texts
 * are copied into a. padding: see json_parse(). */
bool record_parse(struct json_parser *p, struct text line, size_t padding, struct arena *a,
	struct record *ret, size_t *ret_offset, struct err *err) MUST_CHECK;

/* Row id: hash of query, prompt and the sorted positives. Mining again or sorting a file changes no
 * id. */
struct hash128 record_id(const struct record *r);

/* The index of a teacher, added to the row (without scores yet) when it is new; a as for
 * record_parse(). name must live as long as the row. */
size_t record_teacher(struct record *r, struct text name, struct arena *a);
/* c's score by teacher t; c must belong to r, and may be without any so far. */
void record_set_score(
	struct record *r, struct candidate *c, size_t t, double score, struct arena *a);

/* Appends the row as one line of JSON (no line feed). Fields that record.h does not know are copied
 * from r->line, in their place; known ones are written from the struct; absent ones are left out
 * (scores when no candidate has one). */
void record_write(const struct record *r, struct json_parser *p, struct buf *out);

#endif

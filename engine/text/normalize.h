/* normalize.h - in: the code points of a text between added tokens; out: what the model sees.
 *
 * The chain of a tokenizer.json's "normalizer", flattened: a Sequence in a Sequence is one list. A
 * new kind is one row in the table of normalize.c. */
#ifndef TEXT_NORMALIZE_H
#define TEXT_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "json.h"
#include "text/chars.h"
#include "text/uclass.h"

struct normalizer;
/* What a normaliser works with: from -> to, then the two change places. */
struct normalize_io {
	const struct uclass *classes;
	struct chars from, to;
	/* How many code points at the beginning of `from` stand for the first one of the user's
	 * text, and the same of `to`: Metaspace's prepend_scheme "first" asks. */
	size_t n_front, new_front;
};

struct normalizer_type {
	const char *name; /* "type" in the file */
	bool (*load)(json spec, struct arena *a, struct normalizer *ret, struct err *err);
	/* Reads io->from, fills the empty io->to. */
	void (*apply)(const struct normalizer *n, struct normalize_io *io);
};

struct normalizer {
	const struct normalizer_type *type;
	union {
		struct {
			bool clean, cjk, strip_accents, lower;
		} bert;
		struct {
			bool left, right;
		} strip;
		struct {
			struct chars from, to; /* memory of the arena */
			bool is_run; /* `from` two or more times, as the regex " {2,}" */
		} replace;
		struct charsmap *map;
	} as;
};

struct normalizers {
	struct normalizer *list;
	size_t n;
};

/* Begins with the text t as it is. */
void normalize_begin(struct normalize_io *io, struct text t);
/* For a step: io->from.c[i] became what io->to holds from `before` on. */
static inline void normalize_front(struct normalize_io *io, size_t i, size_t before)
{
	if (i < io->n_front && before == io->new_front)
		io->new_front = io->to.n;
}

/* spec null or missing: an empty list. Everything lives in the arena. */
bool normalizers_load(
	json spec, struct arena *a, struct normalizers *ret, struct err *err) MUST_CHECK;
/* Runs the members [first, n) on io->from, in place. */
void normalizers_apply(const struct normalizers *chain, size_t first, struct normalize_io *io);
void normalizer_apply(const struct normalizer *n, struct normalize_io *io);

/* Rows that others name. */
extern const struct normalizer_type normalizer_bert, normalizer_precompiled, normalizer_strip,
	normalizer_replace;
/* The normaliser of a vocab.txt. */
void normalizer_bert_init(struct normalizer *n, bool cjk, bool strip_accents, bool lower);

#endif

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
	/* Whether the first code point of the result stands for the first of the text: Metaspace's
	 * prepend_scheme "first" asks. */
	bool keeps_front;
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

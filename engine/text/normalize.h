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
struct form_unit;
/* What a normaliser works with: from -> to, then the two change places. */
struct normalize_io {
	const struct uclass *classes;
	struct placed from, to;
	size_t at; /* byte of the user's text where all of this begins */
	size_t next; /* of from: what normalize_put() takes up next */
	struct form_unit *units; /* scratch of the normal forms */
	size_t cap_units;
	struct buf utf8; /* scratch of regular expressions */
};

struct normalizer_type {
	const char *name; /* "type" in the file */
	bool (*load)(json spec, struct arena *a, struct normalizer *ret, struct err *err);
	/* Reads io->from, fills the empty io->to; io->next is 0. */
	void (*apply)(const struct normalizer *n, struct normalize_io *io);
	void (*release)(struct normalizer *n); /* NULL: everything is in the arena */
};

enum normal_form { FORM_NFD, FORM_NFC, FORM_NFKD, FORM_NFKC };

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
			struct regex *regex; /* NULL: from */
		} replace;
		struct chars prepend; /* memory of the arena */
		struct charsmap *map;
		enum normal_form form;
	} as;
};

struct normalizers {
	struct normalizer *list;
	size_t n;
};

/* Begins with the text t, which stands at byte `at` of the user's. */
void normalize_begin(struct normalize_io *io, struct text t, size_t at);
void normalize_release(struct normalize_io *io);

/* The place of what is put in front of everything. */
static inline uint32_t normalize_front(const struct normalize_io *io)
{
	return (uint32_t)io->at | PLACE_EMPTY;
}

/* For a step: one code point of the result, and what becomes of those of `from`. 1: it is put in
 * beside the one before; 0: it stands for the next one; -n: also, and the n behind are gone. The
 * places follow from it as in the Hugging Face library (NormalizedString::transform_range). */
static inline void normalize_put(struct normalize_io *io, uint32_t c, int change)
{
	size_t i = io->next < io->from.n ? io->next : io->from.n - 1;
	if (change <= 0) {
		placed_add(&io->to, c, io->from.at[i]);
		io->next += (size_t)(1 - change);
	} else {
		placed_add(&io->to, c, io->next ? io->from.at[io->next - 1] : normalize_front(io));
	}
}

/* spec null or missing: an empty list. What is not released lives in the arena. */
bool normalizers_load(
	json spec, struct arena *a, struct normalizers *ret, struct err *err) MUST_CHECK;
void normalizers_release(struct normalizers *chain);
/* Runs the members [first, n) on io->from, in place. */
void normalizers_apply(const struct normalizers *chain, size_t first, struct normalize_io *io);
void normalizer_apply(const struct normalizer *n, struct normalize_io *io);
/* The same without a normalizer: from -> to in a normal form; unchanged characters are quick. */
void normalize_form(enum normal_form form, struct normalize_io *io);
/* from <-> to, for a step that is several. */
void normalize_swap(struct normalize_io *io);
/* Code points of t in the arena. */
struct chars chars_in_arena(struct arena *a, struct text t);

/* Rows of the table. */
extern const struct normalizer_type normalizer_bert, normalizer_precompiled, normalizer_strip,
	normalizer_replace, normalizer_lowercase, normalizer_prepend, normalizer_strip_accents,
	normalizer_nmt, normalizer_byte_level, normalizer_nfd, normalizer_nfc, normalizer_nfkd,
	normalizer_nfkc;
/* The normaliser of a vocab.txt. */
void normalizer_bert_init(struct normalizer *n, bool cjk, bool strip_accents, bool lower);

#endif

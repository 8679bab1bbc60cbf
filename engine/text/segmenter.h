/* segmenter.h - in: one piece of pre-tokenised text; out: its ids. The "model" of a tokenizer.json.
 *
 * A new kind is one file with a segmenter_type, and one row in the table of load.c. */
#ifndef TEXT_SEGMENTER_H
#define TEXT_SEGMENTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "json.h"
#include "text/chars.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

struct segmenter;
struct segmenter_run; /* scratch of one thread */

struct segmenter_type {
	const char *name; /* "type" in the file */
	/* Fills the empty vocabulary as well. */
	struct segmenter *(*load)(json spec, struct vocab *v, struct err *err);
	void (*free)(struct segmenter *s);
	struct segmenter_run *(*run_new)(const struct segmenter *s);
	void (*run_free)(struct segmenter_run *r);
	/* Appends the ids of c[0..n), n >= 1, and to spans, unless that is NULL, what of c each
	 * stands for. */
	void (*encode)(const struct segmenter *s, struct segmenter_run *r, const uint32_t *c,
		size_t n, struct ids *out, struct token_spans *spans);
	int32_t (*unk)(const struct segmenter *s); /* -1: none */
	bool unk_spells; /* an unknown token's spelling is the text that it stands for */
};
struct segmenter {
	const struct segmenter_type *type;
};

extern const struct segmenter_type segmenter_wordpiece, segmenter_unigram, segmenter_bpe,
	segmenter_wordlevel;

/* The WordPiece model of a vocab.txt: v is filled already. NULL and *err when unk is not in it. */
struct segmenter *wordpiece_new(const struct vocab *v, struct text unk, struct text prefix,
	int64_t max_chars, struct err *err) MUST_CHECK;

#endif

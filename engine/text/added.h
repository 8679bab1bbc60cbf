/* added.h - added tokens: strings of the text that are tokens by themselves, before the model is
 * asked. In: a text; out: the stretches between them, and their ids.
 *
 * Two sets: tokens with `normalized` false are looked for in the raw text, the others (themselves
 * normalised) in the normalised text. At each place the longest match wins, from left to right. A
 * text without a first byte of any token is passed over quickly. */
#ifndef TEXT_ADDED_H
#define TEXT_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "text/chars.h"
#include "text/trie.h"
#include "text/uclass.h"

struct added_token {
	int32_t id;
	bool single_word, lstrip, rstrip;
};
struct added_set {
	struct trie trie; /* string -> index into tokens */
	struct added_token *tokens;
	struct text *strings; /* of the tokens, as they are looked for */
	size_t n, cap;
	bool firsts[256]; /* first bytes of the tokens ... */
	size_t n_firsts; /* ... how many these are, */
	unsigned char first; /* ... and the last one of them */
};

void added_release(struct added_set *s); /* a set begins as all zero */
/* The string is borrowed until added_end(). */
void added_put(struct added_set *s, struct text string, const struct added_token *token);
/* All are put: builds the trie. False: *ret_bad is a string that is empty or stands twice. */
bool added_end(struct added_set *s, struct text *ret_bad);
bool added_find(const struct added_set *s, struct text string, int32_t *ret_id);

/* One stretch of the text: plain (id -1) or an added token. */
struct added_span {
	size_t begin, end;
	int32_t id;
};
struct added_spans {
	struct added_span *s;
	size_t n, cap;
};
void added_spans_release(struct added_spans *v);
/* Cuts c[0..n) into spans, replacing what v held. */
void added_split(const struct added_set *s, const struct uclass *u, const uint32_t *c, size_t n,
	struct added_spans *v);
/* Whether a raw text holds a token of the set, whatever its neighbours: if not, the text is one plain
 * span. */
bool added_is_in(const struct added_set *s, struct text t);
bool added_is_in_chars(const struct added_set *s, const uint32_t *c, size_t n);

#endif

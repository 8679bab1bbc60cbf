/* tokenizer.h - in: UTF-8 texts; out: token ids, equal to Hugging Face's for the same files.
 *
 * Opened from a model folder: tokenizer.json when there is one, else vocab.txt (+
 * tokenizer_config.json). The stored truncation and padding never apply. What a tokenizer.json asks
 * for and we do not know is refused by its key.
 *
 *	struct tokenizer *t = tokenizer_open("build/models/me5-small", &err);
 *	struct tokenizer_run *r = tokenizer_run_new(t);          (* scratch of one thread *)
 *	struct ids ids = IDS_INIT;
 *	tokenizer_encode(r, TEXT("한국어"), &limits, &ids);        (* <s> ... </s> appended to ids
 **)
 *
 * Threads: a tokenizer is read-only after opening; one tokenizer_run a thread. */
#ifndef TEXT_TOKENIZER_H
#define TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"

/* Growing array of token ids. */
struct ids {
	int32_t *id;
	size_t n, cap;
};
#define IDS_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}
void ids_add(struct ids *v, int32_t id);
void ids_append(struct ids *v, const int32_t *id, size_t n);
void ids_release(struct ids *v);

struct tokenizer;
struct tokenizer *tokenizer_open(const char *dir, struct err *err) MUST_CHECK;
void tokenizer_close(struct tokenizer *t);
struct hash128 tokenizer_hash(const struct tokenizer *t); /* of the files it was read from */
size_t tokenizer_vocab_size(const struct tokenizer *t); /* largest id + 1 */
/* The token of an id, as the vocabulary spells it ("##ing", "▁안녕"); TEXT_NONE outside. */
struct text tokenizer_token(const struct tokenizer *t, int32_t id);
bool tokenizer_id(const struct tokenizer *t, struct text token, int32_t *ret);
int32_t tokenizer_unk(const struct tokenizer *t); /* -1 when it has none */
const char *tokenizer_kind(const struct tokenizer *t); /* "WordPiece", "Unigram" */

struct tokenizer_run;
struct tokenizer_run *tokenizer_run_new(const struct tokenizer *t);
void tokenizer_run_free(struct tokenizer_run *r);

/* How a result is cut. max_length counts special tokens; 0 = no limit. */
struct token_limits {
	size_t max_length;
	bool no_special; /* ids of the text alone, without the post-processor's tokens */
};

/* Appends the ids of one text. Returns how many ids the text has before cutting (specials
 * included), so that callers can count what was cut: cut when the return value exceeds what was
 * appended. Bytes that are not UTF-8 are taken as U+FFFD. Never fails: memory for ids aborts as
 * xmalloc does. */
size_t tokenizer_encode(
	struct tokenizer_run *r, struct text t, const struct token_limits *limits, struct ids *out);
/* The pair (a, b), cut longest_first as transformers does, with the pair template. types gets one
 * type id a token; it may be NULL. */
size_t tokenizer_encode_pair(struct tokenizer_run *r, struct text a, struct text b,
	const struct token_limits *limits, struct ids *out, struct ids *types);
/* The same from ids that were made with no_special: a passage that meets many queries is tokenized
 * once. */
size_t tokenizer_join_pair(const struct tokenizer *t, const struct ids *a, const struct ids *b,
	const struct token_limits *limits, struct ids *out, struct ids *types);
/* Wraps and cuts ids that were made with no_special. */
size_t tokenizer_join(const struct tokenizer *t, const struct ids *a,
	const struct token_limits *limits, struct ids *out);

#endif

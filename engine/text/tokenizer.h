/* tokenizer.h - in: UTF-8 texts; out: token ids, equal to Hugging Face's for the same files.
 *
 * Opened from a model folder: tokenizer.json when there is one, else vocab.txt, else a sentencepiece
 * model (both with tokenizer_config.json). The stored truncation and padding never apply. What a tokenizer.json asks
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
/* The same without opening it: a few milliseconds instead of a quarter of a second. */
bool tokenizer_dir_hash(const char *dir, struct hash128 *ret, struct err *err) MUST_CHECK;
size_t tokenizer_vocab_size(const struct tokenizer *t); /* largest id + 1 */
/* The token of an id, as the vocabulary spells it ("##ing", "▁안녕"); TEXT_NONE outside. */
struct text tokenizer_token(const struct tokenizer *t, int32_t id);
bool tokenizer_id(const struct tokenizer *t, struct text token, int32_t *ret);
int32_t tokenizer_unk(const struct tokenizer *t); /* -1 when it has none */
const char *tokenizer_kind(
	const struct tokenizer *t); /* "WordPiece", "Unigram", "BPE", "WordLevel" */

/* Has every single text end with this token, once: what a model's recipe appends beyond what its
 * tokenizer.json does. Counted as a special token, so kept when a text is cut. Before the first
 * tokenizer_run_new(). */
void tokenizer_close_with(struct tokenizer *t, int32_t id);

struct tokenizer_run;
struct tokenizer_run *tokenizer_run_new(const struct tokenizer *t);
void tokenizer_run_free(struct tokenizer_run *r);

/* Whose tokens go when a result is too long. transformers' names: longest_first, only_first,
 * only_second. */
enum token_cut { CUT_LONGEST_FIRST, CUT_ONLY_FIRST, CUT_ONLY_SECOND };

/* How a result is cut; all zero: not at all. max_length counts special tokens; 0 = no limit.
 *
 * Cutting longest_first never leaves more than max_length (but the special tokens always stay).
 * only_first and only_second take all that is too much from that one text; when that text would
 * vanish, or there is no second, nothing is cut (where the Hugging Face library raises), which the
 * caller sees as a result above max_length. */
struct token_limits {
	size_t max_length;
	bool no_special; /* ids of the text alone, without the post-processor's tokens */
	enum token_cut cut;
	bool cut_left; /* the beginning of a text goes, not its end */
	size_t stride; /* tokens that a part has in common with the part before: see
			  tokenizer_encode_parts(). At least 1 less than what fits. */
};

/* Appends the ids of one text. Returns how many ids the text has before cutting (specials
 * included), so that callers can count what was cut: cut when the return value exceeds what was
 * appended. Bytes that are not UTF-8 are taken as U+FFFD. Never fails: memory for ids aborts as
 * xmalloc does. */
size_t tokenizer_encode(
	struct tokenizer_run *r, struct text t, const struct token_limits *limits, struct ids *out);
/* The pair (a, b), cut as limits say, with the pair template. types gets one
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

/* Where each token comes from: the bytes [begin, end) of the text as it was given, equal to the
 * Hugging Face library's offsets (which count code points in Python and bytes in Rust). Always between
 * characters. What a normaliser put in has the place of the character beside it; neighbouring
 * tokens that are parts of one character (bytes of it) all have the place of that character; special
 * tokens of the post-processor have (0, 0). In a pair, each text counts from its own beginning. A
 * text beyond 2 GiB has no right offsets. */
struct token_span {
	uint32_t begin, end;
};
struct token_spans {
	struct token_span *s;
	size_t n, cap;
};
#define TOKEN_SPANS_INIT                                                                           \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}
void token_spans_add(struct token_spans *v, size_t begin, size_t end);
void token_spans_release(struct token_spans *v);
/* The first token of s[0..n) that covers the byte, or n: none (a space, what was cut off). Special
 * tokens are passed over; of a pair, hand in the part that belongs to the text. */
size_t token_span_at(const struct token_span *s, size_t n, size_t byte);

/* tokenizer_encode() and tokenizer_encode_pair() with the place of every token appended to spans.
 * About ten times slower than ids alone: for screens, not for training. types may be NULL. */
size_t tokenizer_encode_spans(struct tokenizer_run *r, struct text t,
	const struct token_limits *limits, struct ids *out, struct token_spans *spans);
size_t tokenizer_encode_pair_spans(struct tokenizer_run *r, struct text a, struct text b,
	const struct token_limits *limits, struct ids *out, struct ids *types,
	struct token_spans *spans);

/* All of a text that is too long, as a row of results of at most max_length, of which neighbours
 * share limits->stride tokens (return_overflowing_tokens of transformers). Begins as all zero,
 * refilled by each call. */
struct token_parts {
	struct ids ids, types; /* of all parts, one behind the other */
	struct token_spans spans;
	size_t *ends; /* of part i in these: ids.id[i ? ends[i - 1] : 0 .. ends[i]) */
	size_t n, cap; /* parts, at least 1 */
};
void token_parts_release(struct token_parts *p);
/* b.s NULL: a single text. The first part is what tokenizer_encode() gives. */
void tokenizer_encode_parts(struct tokenizer_run *r, struct text a, struct text b,
	const struct token_limits *limits, struct token_parts *parts);

#endif

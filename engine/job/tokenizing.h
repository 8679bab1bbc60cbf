/* tokenizing.h - the `tokenize` command from the inside: what its parts share. */
#ifndef JOB_TOKENIZING_H
#define JOB_TOKENIZING_H

#include "base/buf.h"
#include "base/fs.h"
#include "base/options.h"
#include "data/texts.h"
#include "text/tokenizer.h"

/* What a line holds beside the ids. */
struct token_fields {
	bool tokens; /* as the vocabulary spells them */
	bool offsets; /* [begin, end) of each token in its text, in code points */
	bool parts; /* all of a long text, as a list of parts */
};

struct tokenizing {
	const struct opts *opts;
	const char *dir;
	struct tokenizer *tokenizer;
	struct texts texts, pairs; /* pairs: the second text of each, when has_pairs */
	bool has_pairs;
	struct text prompt; /* put before each text */
	struct token_limits limits;
	struct token_fields fields;
	int threads;
};

/* What one thread needs to make lines. */
struct token_liner {
	const struct tokenizing *z;
	struct tokenizer_run *run;
	struct ids ids, types, sides; /* sides: for a pair, which text a token is of */
	struct token_spans spans;
	struct token_parts parts;
	struct buf text; /* prompt and text */
	size_t n_tokens, n_cut; /* of all texts so far */
};

void token_liner_init(struct token_liner *l, const struct tokenizing *z);
void token_liner_release(struct token_liner *l);
/* Text i, with its prompt: borrowed until the next call. */
struct text token_liner_text(struct token_liner *l, size_t i);
/* Encodes text (or pair) i and counts it; the ids are in l->ids. */
void token_liner_encode(struct token_liner *l, size_t i);
/* The line of text i, with its line feed, appended. */
void token_liner_put(struct token_liner *l, size_t i, struct buf *out);

bool tokenize_bench(const struct tokenizing *z, struct err *err) MUST_CHECK;
/* other: folder of another model. */
bool tokenize_compare(const struct tokenizing *z, const char *other, struct err *err) MUST_CHECK;

#endif

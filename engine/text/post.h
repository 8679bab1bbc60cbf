/* post.h - in: the ids of one text or of a pair; out: the sequence that the model was trained on,
 * cut to a length and with its special tokens. TemplateProcessing, BertProcessing and
 * RobertaProcessing are all templates here; ByteLevel and RobertaProcessing also trim offsets. */
#ifndef TEXT_POST_H
#define TEXT_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "json.h"
#include "text/tokenizer.h"

enum post_kind { POST_A, POST_B, POST_ID };
struct post_item {
	enum post_kind kind;
	int32_t id; /* of a POST_ID */
	int32_t type; /* token type of all that it stands for */
};
struct post_template {
	struct post_item *items;
	size_t n;
	size_t n_special; /* POST_ID items */
};
/* White space at the ends of a token is not in its offsets. */
struct post_trim {
	bool add_prefix_space; /* one that was put in front of the text does not count */
};
#define POST_TRIMS_MAX 4
struct post {
	struct post_template single, pair;
	bool has_template; /* while loading: single and pair are filled */
	struct post_trim trims[POST_TRIMS_MAX];
	size_t n_trims;
};

/* spec null or missing: no special tokens. n_ids: ids at or above it are refused. */
bool post_load(
	json spec, size_t n_ids, struct arena *a, struct post *ret, struct err *err) MUST_CHECK;
/* [cls] A [sep], and [cls] A [sep] B:1 [sep]:1. */
void post_bert(struct arena *a, int32_t cls, int32_t sep, struct post *ret);

/* Where a token comes from, as bytes of the text, and how many characters of white space its
 * spelling begins and ends with. */
struct place {
	uint32_t begin, end;
	uint32_t lead, trail;
};
struct places {
	struct place *p;
	size_t n, cap;
};

/* One text of a sequence. */
struct post_side {
	const int32_t *ids; /* without special tokens */
	size_t n;
	const struct place *places; /* of the ids; NULL: not asked for */
	struct text text; /* in which these are */
	size_t begin, end; /* what stays */
};
/* Chooses what stays of each; b NULL: a single text. Returns the length before cutting. */
size_t post_cut(const struct post *p, struct post_side *a, struct post_side *b,
	const struct token_limits *limits);
/* How many parts a side has of which the first is what stays, and the range of part i. */
size_t post_count_parts(const struct post_side *s, const struct token_limits *limits);
void post_choose_part(
	struct post_side *s, const struct token_limits *limits, size_t kept, size_t i);
/* Appends what stays, with special tokens unless no_special. types and spans may be NULL. */
void post_put(const struct post *p, const struct post_side *a, const struct post_side *b,
	bool no_special, struct ids *out, struct ids *types, struct token_spans *spans);

#endif

/* post.h - in: the ids of one text or of a pair; out: the sequence that the model was trained on,
 * cut to a length and with its special tokens. TemplateProcessing, BertProcessing and
 * RobertaProcessing are all templates here. */
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
struct post {
	struct post_template single, pair;
};

/* spec null or missing: no special tokens. n_ids: ids at or above it are refused. */
bool post_load(
	json spec, size_t n_ids, struct arena *a, struct post *ret, struct err *err) MUST_CHECK;
/* [cls] A [sep], and [cls] A [sep] B:1 [sep]:1. */
void post_bert(struct arena *a, int32_t cls, int32_t sep, struct post *ret);

/* a and b are ids without special tokens; b NULL: a single text. Both append to out (and types,
 * which may be NULL) and return the length before cutting. */
size_t post_join(const struct post *p, const int32_t *a, size_t n_a, const int32_t *b, size_t n_b,
	const struct token_limits *limits, struct ids *out, struct ids *types);

#endif

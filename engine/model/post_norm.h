/* post_norm.h - the encoders that descend from BERT: one computation (post_norm.c), told apart by
 * data (post_norm_kinds.c). Adding another is a row of that table. */
#ifndef MODEL_POST_NORM_H
#define MODEL_POST_NORM_H

#include <stdbool.h>
#include <stdint.h>

#include "model/architectures.h"

/* What a kind calls the modules of a layer. */
struct post_norm_names {
	const char *layer; /* "encoder.layer": the number follows */
	const char *query, *key, *value, *attention, *attention_norm;
	const char *up, *down, *norm;
};
struct post_norm_kind {
	const struct post_norm_names *names;
	bool has_types; /* a token type table */
	bool counts_from_pad; /* a text's first position is pad_token_id + 1 */
	bool has_narrow_tables; /* tables of width embedding_size, projected to hidden_size */
	bool has_relative_bias; /* scores get a bias by distance (relative.h) */
	bool drops_attention; /* dropout behind the attention's output */
};

/* Of config.json, beside what every architecture has; model_config's own. */
struct post_norm_own {
	int64_t first_position; /* rows of the position table in front of a text's first one */
	int64_t pad; /* a pad token inside a text takes position `pad` and is not counted */
	int64_t table_width; /* of the three tables and their norm */
};

bool post_norm_configure(json root, const char *path, struct model_config *c, struct err *err);
struct backbone *post_norm_declare(const struct model_config *c, struct params *p);
void post_norm_free(struct backbone *b);
size_t post_norm_linears(struct backbone *b, struct linear **ret, size_t cap);
tensor post_norm_forward(struct backbone *b, tn_scope *out, const struct token_batch *batch,
	const struct pass *pass);

#endif

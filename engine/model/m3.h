/* m3.h - BGE-M3's other two heads over the same hidden states, present when their files are.
 *
 *	sparse_linear.pt	a token's weight: relu(w . x + b); a text's weight of a token id is the
 *				largest of its tokens'
 *	colbert_linear.pt	a vector a token but the first: W x + b, to length 1
 *
 * Source: Chen et al. 2024, BGE M3-Embedding, section 3.2. */
#ifndef MODEL_M3_H
#define MODEL_M3_H

#include "model/config.h"
#include "model/layers.h"
#include "model/model.h"

struct m3 {
	bool has_sparse, has_multi;
	int64_t multi_dim;
	struct linear sparse, multi; /* [1,H], [D,H] */
};
/* Adds the files that are there to st and declares their weights. */
bool m3_declare(struct m3 *h, const struct model_config *c, struct params *p,
	struct safetensors *st, struct err *err) MUST_CHECK;
/* x [T,H] f32 -> [T], not negative. */
tensor m3_sparse(tn_scope *s, const struct m3 *h, tensor x);
/* -> [tokens that are not their text's first, D], in order, to length 1. */
tensor m3_multi(tn_scope *s, const struct m3 *h, tensor x, struct tn_seqs seqs);

#endif

/* chain.h - what sentence-transformers puts behind the backbone: pooling, then any row of Dense,
 * LayerNorm and Normalize, as modules.json lists them. model_config's modules say which; their
 * weights lie in folders of their own. */
#ifndef MODEL_CHAIN_H
#define MODEL_CHAIN_H

#include "model/config.h"
#include "model/layers.h"
#include "model/model.h"

struct chain_weights { /* of one module */
	struct linear dense; /* [out,in] */
	struct weight residual; /* [out,in], when a residual changes its width */
	struct norm norm;
};
struct chain {
	const struct model_config *c;
	struct chain_weights *w; /* [c->n_modules] */
};

/* Adds the modules' files to st and declares their weights; names are "2_Dense/linear.weight". */
bool chain_declare(struct chain *ch, const struct model_config *c, struct params *p,
	struct safetensors *st, struct err *err) MUST_CHECK;
void chain_release(struct chain *ch);
/* x [T,H] f32 -> [n,dim]. */
tensor chain_forward(
	tn_scope *s, const struct chain *ch, tensor x, const struct token_batch *batch);

#endif

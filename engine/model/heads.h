/* heads.h - in: last hidden states of a packed batch; out: a vector a text, or a score. */
#ifndef MODEL_HEADS_H
#define MODEL_HEADS_H

#include "model/config.h"
#include "model/layers.h"
#include "model/model.h"

/* x [T,H] f32 -> [n,H], pooled over the tokens of each text, those of its prompt left out where
 * batch->prompt_tokens says so. */
tensor head_pool(tn_scope *s, tensor x, const struct token_batch *batch, enum tn_pool how);

/* Sequence classification as BERT has it: tanh(dense(first token)), dropout, classifier. */
struct classifier {
	struct linear pooler; /* [H,H] */
	struct linear out; /* [labels,H] */
	double dropout;
};
void classifier_declare(struct params *p, struct classifier *h, const struct model_config *c);
/* x [T,H] f32 -> logits [n,labels]. */
tensor classifier_forward(tn_scope *s, const struct classifier *h, tensor x, struct tn_seqs seqs,
	double dropout, uint64_t seed);

#endif

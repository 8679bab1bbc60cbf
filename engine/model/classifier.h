/* classifier.h - in: last hidden states of a packed batch; out: the logits of a sequence
 * classification head: rerankers.
 *
 *	encoders	out(drop(norm(act(dense(drop(first token))))))
 *	decoders	out(last token)
 *
 * What an architecture has of this, and its names, are data. */
#ifndef MODEL_CLASSIFIER_H
#define MODEL_CLASSIFIER_H

#include "model/config.h"
#include "model/heads.h"
#include "model/layers.h"
#include "model/model.h"

struct classifier_kind {
	const char *dense; /* "pooler.dense"; NULL: the pooled state goes straight to out */
	const char *norm; /* behind the activation, without bias; NULL: none */
	const char *out; /* "classifier" */
	bool dense_is_inside; /* its name has the encoder's prefix */
	bool drops_input; /* dropout also in front of dense */
	bool is_of_last; /* of the last token that is no pad token; else of the first */
	bool is_free; /* classifier_pooling, _activation and _bias of config.json decide the rest */
	bool has_no_bias; /* out */
	enum head_act act;
};
/* BERT's; that of RoBERTa and its kin (dense, out_proj); the decoders' "score". */
extern const struct classifier_kind classifier_bert, classifier_roberta, classifier_decoder;

struct classifier {
	const struct classifier_kind *kind;
	struct linear dense; /* [H,H] */
	struct weight norm; /* [H] */
	struct linear out; /* [labels,H] */
	bool has_dense_bias;
	enum head_act act;
	enum tn_pool pool;
	double norm_eps, dropout;
	int64_t pad; /* id; -1: none */
};
/* The keys that the head alone has. */
bool classifier_configure(json root, const char *path, struct model_config *c, struct err *err);
void classifier_declare(struct params *p, struct classifier *h, const struct model_config *c);
/* x [T,H] f32 -> logits [n,labels]. */
tensor classifier_forward(tn_scope *s, const struct classifier *h, tensor x,
	const struct token_batch *batch, double dropout, uint64_t seed);

#endif

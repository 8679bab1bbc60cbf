/* parts.h - all of a model that has weights: backbone and heads, declared and found in the files.
 * model_open() loads them, model_facts_read() only looks. */
#ifndef MODEL_PARTS_H
#define MODEL_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/architectures.h"
#include "model/chain.h"
#include "model/classifier.h"
#include "model/config.h"
#include "model/m3.h"
#include "model/params.h"
#include "model/safetensors.h"

struct parts {
	struct backbone *backbone;
	struct linear **linears; /* of the backbone, in its order */
	size_t n_linears;
	struct classifier *head; /* NULL: none */
	struct chain chain; /* of an embedder */
	struct m3 m3;
	struct weight lm_head; /* [V,H], when it is not the token table */
	const struct weight *answers; /* lm_head or the token table; NULL: not asked for */
};
struct parts_options {
	bool wants_lm; /* the language model's head, for rerankers */
	bool may_invent; /* params_rules */
};

/* The folder's weights, an adapter's with those of its base; c learns how many outputs a head that
 * an adapter brings has. The caller closes st also after a failure. */
bool parts_open(struct model_config *c, struct safetensors *st, struct err *err) MUST_CHECK;
/* st holds the folder's weights and gets those of the heads. The caller releases also after a
 * failure. */
bool parts_bind(struct parts *ret, const struct model_config *c, struct params *p,
	struct safetensors *st, const struct parts_options *opt, struct err *err) MUST_CHECK;
void parts_release(struct parts *x, const struct model_config *c);

#endif

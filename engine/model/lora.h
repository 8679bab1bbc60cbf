/* lora.h - low-rank adapters with PEFT's semantics.
 *
 * y = x W' + b + scale * (drop(x) A') B', scale = alpha / r. A [r,I] starts kaiming-uniform with a =
 * sqrt 5, which is uniform in +-1/sqrt(I); B [O,r] starts at zero. Source: Hu et al. 2021, LoRA,
 * eq. 3, with the initialisation of PEFT.
 *
 * A fused weight has an adapter a part (query, key, value), each with its own A and B as PEFT has
 * them; they are computed as one: the A stacked, the B on the diagonal of one matrix. The one
 * difference to PEFT is that the parts of a fused weight see the same dropout mask. */
#ifndef MODEL_LORA_H
#define MODEL_LORA_H

#include <stdbool.h>
#include <stdint.h>

#include "model/params.h"
#include "tensor.h"

struct lora {
	int64_t r;
	double scale;
	tensor a[WEIGHT_PARTS]; /* [r,I] f32 leaves */
	tensor b[WEIGHT_PARTS]; /* [O of the part, r] */
	bool has[WEIGHT_PARTS]; /* the part has an adapter */
};

/* Does a target name this module ("query", "output.dense", or the whole name)? */
bool lora_target_matches(const char *module, const char *target);
/* Adapters for the parts of w that `has` marks, in scope s. */
void lora_init(struct lora *l, tn_scope *s, const struct weight *w, int64_t r, int64_t alpha,
	const bool has[WEIGHT_PARTS], uint64_t seed);
/* scale * (drop(x) A') B' over all parts, [T,O] in dtype. */
tensor lora_delta(tn_scope *s, const struct lora *l, const struct weight *w, tensor x,
	enum tn_dtype dtype, double dropout, uint64_t seed);
/* W of part i with its adapter added, f32, in scope s. */
tensor lora_merged(tn_scope *s, const struct lora *l, const struct weight *w, int i);

#endif

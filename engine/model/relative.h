/* relative.h - attention whose scores get a bias by the distance of the two tokens, as MPNet has it.
 *
 * Distances fall into buckets: near ones each into its own, far ones logarithmically up to 128,
 * one half of the buckets a direction. Source: Raffel et al. 2020, T5, section 2.1; Song et al.
 * 2020, MPNet. */
#ifndef MODEL_RELATIVE_H
#define MODEL_RELATIVE_H

#include <stdint.h>

#include "tensor.h"

#define RELATIVE_BUCKETS 32

/* Bucket of a key at `distance` = its place minus the query's. */
int64_t relative_bucket(int64_t distance);
/* qkv [T,3H] as tn_attention() takes it, table [RELATIVE_BUCKETS, heads] -> [T,H]. Scores of one
 * text, [heads,L,L], exist at a time: L is at most the positions, 512. */
tensor relative_attention(tn_scope *out, tensor qkv, struct tn_seqs seqs,
	const struct tn_attention *how, tensor table);

#endif

/* rope.h - rotary position embeddings: what config.json says of them, and the tables of a batch.
 *
 * A head's halves turn by the angles position * frequency; what differs between models is how the
 * frequencies come about. Sources: Su et al. 2021 (RoFormer), section 3.2; Peng et al. 2023 (YaRN),
 * sections 3.1 to 3.4; Dubey et al. 2024 (Llama 3), section 3.2; the keys of config.json are those of
 * transformers 4 (rope_theta, rope_scaling) and 5 (rope_parameters). Frequencies and angles are
 * rounded to f32 where transformers rounds them: far positions show the difference. */
#ifndef MODEL_ROPE_H
#define MODEL_ROPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "json.h"
#include "tensor.h"

enum rope_kind {
	ROPE_DEFAULT,
	ROPE_LINEAR, /* positions divided by factor */
	ROPE_DYNAMIC, /* theta grows with the length of a text beyond `positions` */
	ROPE_NTK, /* theta times factor, frequencies divided: the fixed form of NewModel */
	ROPE_YARN, /* slow frequencies divided by factor, fast ones left, a ramp between */
	ROPE_LLAMA3, /* the same by wavelengths */
};

struct rope {
	enum rope_kind kind;
	int64_t dim; /* of a head; even */
	double theta, factor;
	double positions; /* max_position_embeddings */
	double original; /* positions before scaling: yarn, llama3 */
	double low,
		high; /* llama3: factors of original that bound the ramp; yarn: turns at its ends */
	bool truncates; /* yarn: the ramp's ends are whole dimensions */
	double gain; /* multiplies cos and sin: yarn */
};

/* Where a layer's parameters stand. */
struct rope_keys {
	const char
		*layer; /* "full_attention": of parameters that differ by layer; NULL: all alike */
	const char *theta_key; /* transformers 4: "rope_theta", "rope_local_base_freq" ... */
	double theta; /* when nothing says it */
	bool unscaled; /* transformers 4: rope_scaling is not for these layers */
};
bool rope_read(json root, const char *path, const struct rope_keys *keys, int64_t dim,
	int64_t positions, struct rope *ret, struct err *err) MUST_CHECK;
/* How far this embedding was meant to reach: positions, times the factor where it stretches them. */
int64_t rope_reach(const struct rope *r);

/* cos and sin [R, dim/2] for all places of a batch, in scope s, and each token's row of them, [T],
 * the caller's to free. */
struct rope_tables {
	tensor cos, sin;
	int64_t *rows;
};
void rope_tables_init(
	struct rope_tables *t, tn_scope *s, const struct rope *r, struct tn_seqs seqs);
void rope_tables_release(struct rope_tables *t);
/* Turns queries and keys, without norms. */
tensor rope_turn(
	tn_scope *s, tensor qkv, const struct rope_tables *t, const struct tn_attention *how);

#endif

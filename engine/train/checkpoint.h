/* checkpoint.h - in: weights, moments and how far a run is; out: a folder from which it goes on bit
 * for bit.
 *
 *	state.json           {"format":1, "step":.., "epoch":.., "identity":{option: value, ...}}
 *	trained.safetensors  param.I, exp_avg.I, exp_avg_sq.I for the I-th trained tensor, f32; with rows.I
 *	                     they hold only these rows of it, the others being as they began
 *
 * There is no generator state to keep: order, draws and dropout follow from (seed, epoch, row) and
 * (seed, step), so the step is all that a run must know. The identity names everything that the
 * result depends on (data, base model, options); a resumed run must agree with it. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "train/optim.h"

struct identity {
	const char *key; /* "data", "model", "lr" ... */
	const char *value;
};

struct progress {
	int64_t step; /* optimiser steps done */
	double epoch; /* of the data, for people */
};

/* Fills dir, which the caller publishes. */
bool checkpoint_write(const char *dir, const struct progress *at, const struct identity *id,
	size_t n_id, struct optim *o, struct err *err) MUST_CHECK;
/* Reads state.json and compares: ERR_USAGE names the first thing that differs. */
bool checkpoint_check(const char *dir, const struct identity *id, size_t n_id,
	struct progress *ret_at, struct err *err) MUST_CHECK;
/* Puts weights and moments into o, which holds the same model. After a failure o is of no use. */
bool checkpoint_load(const char *dir, struct optim *o, struct err *err) MUST_CHECK;

#endif

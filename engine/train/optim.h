/* optim.h - in: gradients; out: moved weights. AdamW (Loshchilov, Hutter 2019, algorithm 2) with
 * clipping by the global norm, as torch.optim.AdamW and clip_grad_norm_ do it. */
#ifndef TRAIN_OPTIM_H
#define TRAIN_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model.h"
#include "tensor.h"

struct optim_options {
	double beta1, beta2, eps;
	double weight_decay; /* none on biases and norms (struct trained's `decays`) */
	double clip; /* largest norm of all gradients together; 0 = no clipping */
};
#define OPTIM_OPTIONS_INIT                                                                         \
	{                                                                                          \
		.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.0, .clip = 1.0        \
	}

struct optim {
	tn_scope *scope; /* owns the moments */
	struct optim_options opt;
	int64_t n_steps; /* taken so far */
	/* One slot a trained tensor; those that decay first. */
	size_t n, n_decaying;
	tensor *param, *m, *v;
	size_t *place; /* place[i]: where the i-th trained tensor stands here */
};

/* Moments start at zero. trained is copied, the params are borrowed. A failure is sticky in root's
 * context. */
void optim_init(struct optim *o, tn_scope *root, const struct trained *trained, size_t n,
	const struct optim_options *opt);
void optim_release(struct optim *o);
/* The norm of the gradients as they are, before clipping. NaN when one of them is not finite. */
double optim_grad_norm(struct optim *o);
/* Clips by what optim_grad_norm() returned, moves the weights, forgets the gradients. */
void optim_step(struct optim *o, double lr, double grad_norm);

#endif

#include "train/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static tensor zeros_like(tn_scope *s, tensor x)
{
	int64_t shape[8] = {0};
	int ndim = tn_ndim(s, x);
	for (int i = 0; i < ndim && i < (int)ARRAY_LEN(shape); i++)
		shape[i] = tn_dim(s, x, i);
	return tn_zeros(s, TN_F32, shape, ndim);
}

void optim_init(struct optim *o, tn_scope *root, const struct trained *trained, size_t n,
	const struct optim_options *opt)
{
	*o = (struct optim){.scope = tn_push_no_grad(root), .opt = *opt, .n = n};
	o->param = xcalloc(n, sizeof *o->param);
	o->m = xcalloc(n, sizeof *o->m);
	o->v = xcalloc(n, sizeof *o->v);
	o->place = xcalloc(n, sizeof *o->place);
	for (size_t i = 0; i < n; i++)
		o->n_decaying += trained[i].decays;
	size_t decaying = 0, plain = o->n_decaying;
	for (size_t i = 0; i < n; i++) {
		size_t at = trained[i].decays ? decaying++ : plain++;
		o->place[i] = at;
		o->param[at] = trained[i].param;
		o->m[at] = zeros_like(o->scope, trained[i].param);
		o->v[at] = zeros_like(o->scope, trained[i].param);
	}
}

void optim_release(struct optim *o)
{
	if (o->scope)
		tn_pop(o->scope);
	free(o->param);
	free(o->m);
	free(o->v);
	free(o->place);
	memset(o, 0, sizeof *o);
}

double optim_grad_norm(struct optim *o)
{
	double norm = tn_grad_norm(o->scope, o->param, (int)o->n);
	return isfinite(norm) ? norm : NAN;
}

void optim_step(struct optim *o, double lr, double grad_norm)
{
	/* clip_grad_norm_ divides by the norm plus 1e-6, and only ever shrinks. */
	double scale = o->opt.clip > 0.0 ? fmin(1.0, o->opt.clip / (grad_norm + 1e-6)) : 1.0;
	struct tn_adamw how = {
		.lr = lr,
		.beta1 = o->opt.beta1,
		.beta2 = o->opt.beta2,
		.eps = o->opt.eps,
		.weight_decay = o->opt.weight_decay,
		.grad_scale = scale,
		.step = ++o->n_steps,
	};
	size_t d = o->n_decaying;
	tn_adamw_(o->scope, o->param, o->m, o->v, (int)d, &how);
	how.weight_decay = 0.0;
	tn_adamw_(o->scope, o->param + d, o->m + d, o->v + d, (int)(o->n - d), &how);
	tn_zero_grad(o->scope, o->param, (int)o->n);
}

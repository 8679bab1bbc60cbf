#include "model/parts.h"

#include <stdlib.h>

#include "model/adapter.h"
#include "model/weights.h"

static bool declare_lm(
	struct parts *x, const struct model_config *c, struct params *p, struct err *err)
{
	const struct architecture *arch = c->arch;
	if (!arch->causal_class)
		return err_set(err, ERR_DATA,
			"%s: %s is no causal language model: it has no tokens to answer with",
			c->dir, arch->encoder_class);
	if (c->is_tied) {
		x->answers = arch->words(x->backbone);
		return true;
	}
	params_one(p, &x->lm_head, WEIGHT_TABLE, c->n_vocab, c->hidden, "%s", arch->lm_head);
	x->lm_head.is_outside = true;
	x->answers = &x->lm_head;
	return true;
}

bool parts_open(struct model_config *c, struct safetensors *st, struct err *err)
{
	if (!weights_open_dir(c->body_dir, st, err))
		return false;
	if (!c->adapter)
		return true;
	if (!adapter_add_weights(c->adapter, st, err))
		return false;
	if (!c->is_classifier)
		return true;
	const char *out = arena_printf(&c->arena, "%s.weight", c->arch->classifier->out);
	const struct st_tensor *t = adapter_saved(st, c->arch->prefix, out);
	if (t && t->ndim == 2)
		c->n_labels = t->shape[0];
	return true;
}

bool parts_bind(struct parts *ret, const struct model_config *c, struct params *p,
	struct safetensors *st, const struct parts_options *opt, struct err *err)
{
	const struct architecture *arch = c->arch;
	struct params_rules rules = {
		.prefix = arch->prefix,
		.has_head = c->is_classifier || opt->wants_lm,
		.harmless = arch->harmless,
		.carried = arch->carried,
		.may_invent = opt->may_invent,
	};
	*ret = (struct parts){.backbone = arch->declare(c, p)};
	if (c->is_classifier) {
		ret->head = xcalloc(1, sizeof *ret->head);
		classifier_declare(p, ret->head, c);
	} else if (!chain_declare(&ret->chain, c, p, st, err) ||
		!m3_declare(&ret->m3, c, p, st, err)) {
		return false;
	}
	if (opt->wants_lm && !declare_lm(ret, c, p, err))
		return false;
	ret->n_linears = arch->linears(ret->backbone, NULL, 0);
	ret->linears = xcalloc(ret->n_linears + 1, sizeof(struct linear *));
	arch->linears(ret->backbone, ret->linears, ret->n_linears);
	return params_bind(p, st, &rules, err) &&
		(!c->adapter || adapter_bind(c->adapter, p, st, arch->prefix, err));
}

void parts_release(struct parts *x, const struct model_config *c)
{
	if (x->backbone)
		c->arch->free(x->backbone);
	chain_release(&x->chain);
	free(x->head);
	free(x->linears);
	*x = (struct parts){0};
}

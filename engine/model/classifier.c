#include "model/classifier.h"

#include <stdlib.h>

#include "base/jsonfile.h"
#include "model/architectures.h"

const struct classifier_kind classifier_bert = {
	.dense = "pooler.dense",
	.out = "classifier",
	.dense_is_inside = true,
	.act = HEAD_TANH,
};
const struct classifier_kind classifier_roberta = {
	.dense = "classifier.dense",
	.out = "classifier.out_proj",
	.drops_input = true,
	.act = HEAD_TANH,
};
const struct classifier_kind classifier_decoder = {
	.out = "score",
	.is_of_last = true,
	.has_no_bias = true,
};

/* num_labels, or as many as id2label names; transformers writes only the latter, and two when it
 * writes neither. */
static bool read_labels(json root, const char *path, struct model_config *c, struct err *err)
{
	size_t named = json_count(json_get(root, "id2label"));
	struct config_range range = {"num_labels", 1, 1e5, named ? (double)named : 2};
	return config_int(root, path, range, &c->n_labels, err);
}

static bool read_free(json root, const char *path, struct model_config *c, struct err *err)
{
	struct text pooling, act;
	if (!json_want_text(root, "classifier_pooling", TEXT("cls"), &pooling, err) ||
		!json_want_text(root, "classifier_activation", TEXT("gelu"), &act, err) ||
		!json_want_bool(root, "classifier_bias", false, &c->classifier_bias, err))
		return err_prefix(err, "%s", path);
	if (!text_is(pooling, "cls") && !text_is(pooling, "mean"))
		return err_set(err, ERR_DATA,
			"%s: classifier_pooling is \"%.*s\", expected cls or mean", path,
			TEXT_ARG(pooling));
	c->classifier_pooling = text_is(pooling, "cls") ? TN_POOL_CLS : TN_POOL_MEAN;
	return head_act_parse(act, &c->classifier_act) ||
		err_set(err, ERR_DATA, "%s: classifier_activation is \"%.*s\", expected %s", path,
			TEXT_ARG(act), head_act_list);
}

bool classifier_configure(json root, const char *path, struct model_config *c, struct err *err)
{
	struct config_range pad = {"pad_token_id", -1, 1e8, -1};
	return read_labels(root, path, c, err) && config_int(root, path, pad, &c->pad_token, err) &&
		(!c->arch->classifier->is_free || read_free(root, path, c, err));
}

static void declare(struct params *p, struct linear *l, int64_t out, int64_t in, const char *name,
	double init_std, bool is_inside, bool has_bias)
{
	params_one(p, &l->w, WEIGHT_HEAD, out, in, "%s.weight", name);
	l->w.init_std = init_std;
	l->w.is_outside = !is_inside;
	if (!has_bias)
		return;
	params_one(p, &l->b, WEIGHT_BIAS, out, 0, "%s.bias", name);
	l->b.init_std = init_std;
	l->b.is_outside = !is_inside;
}

void classifier_declare(struct params *p, struct classifier *h, const struct model_config *c)
{
	const struct classifier_kind *k = c->arch->classifier;
	*h = (struct classifier){
		.kind = k,
		.has_dense_bias = !k->is_free || c->classifier_bias,
		.act = k->is_free ? c->classifier_act : k->act,
		.pool = k->is_free ? c->classifier_pooling : TN_POOL_CLS,
		.norm_eps = c->norm_eps,
		.dropout = c->classifier_dropout,
		.pad = c->pad_token,
	};
	if (k->dense)
		declare(p, &h->dense, c->hidden, c->hidden, k->dense, c->init_std,
			k->dense_is_inside, h->has_dense_bias);
	if (k->norm) {
		params_one(p, &h->norm, WEIGHT_NORM, c->hidden, 0, "%s.weight", k->norm);
		h->norm.is_outside = true;
	}
	declare(p, &h->out, c->n_labels, c->hidden, k->out, c->init_std, false, !k->has_no_bias);
}

/* The last token of each text that is no pad token, as transformers looks for it: a tokenizer may
 * close a text with the token that also pads. [T,H] -> [n,H] */
static tensor last_real(tn_scope *s, tensor x, const struct token_batch *batch, int64_t pad)
{
	int64_t n = batch->seqs.n;
	int64_t *at = xcalloc((size_t)n + 1, sizeof *at);
	for (int64_t i = 0; i < n; i++) {
		int64_t first = batch->seqs.start[i], last = batch->seqs.start[i + 1] - 1;
		while (last > first && batch->ids[last] == pad)
			last--;
		at[i] = last;
	}
	tensor y = tn_index_select(s, x, 0, at, n);
	free(at);
	return y;
}

tensor classifier_forward(tn_scope *out, const struct classifier *h, tensor x,
	const struct token_batch *batch, double dropout, uint64_t seed)
{
	tn_scope *s = tn_push(out);
	tensor y = h->kind->is_of_last ? last_real(s, x, batch, h->pad)
				       : tn_pool(s, x, batch->seqs, h->pool); /* [n,H] */
	if (h->kind->dense) {
		if (h->kind->drops_input)
			y = tn_dropout(s, y, dropout, seed + 1);
		y = tn_linear(
			s, y, h->dense.w.value, h->has_dense_bias ? h->dense.b.value : TN_NONE);
		y = head_activate(s, y, h->act);
		if (h->kind->norm)
			y = tn_layer_norm(s, y, h->norm.value, TN_NONE, h->norm_eps);
		y = tn_dropout(s, y, dropout, seed);
	}
	y = tn_linear(s, y, h->out.w.value, h->kind->has_no_bias ? TN_NONE : h->out.b.value);
	y = tn_keep(out, y); /* [n,labels] */
	tn_pop(s);
	return y;
}

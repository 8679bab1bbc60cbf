#include "model/m3.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/weights.h"

static void declare(struct params *p, struct linear *l, int64_t out, int64_t in, const char *name)
{
	params_one(p, &l->w, WEIGHT_HEAD, out, in, "%s/weight", name);
	params_one(p, &l->b, WEIGHT_BIAS, out, 0, "%s/bias", name);
	l->w.is_outside = l->w.is_beside = l->b.is_outside = l->b.is_beside = true;
}

bool m3_declare(struct m3 *h, const struct model_config *c, struct params *p,
	struct safetensors *st, struct err *err)
{
	if (!weights_add_part(
		    st, c->body_dir, "sparse_linear", "sparse_linear/", &h->has_sparse, err) ||
		!weights_add_part(
			st, c->body_dir, "colbert_linear", "colbert_linear/", &h->has_multi, err))
		return false;
	if (h->has_sparse)
		declare(p, &h->sparse, 1, c->hidden, "sparse_linear");
	if (h->has_multi) {
		const struct st_tensor *w = safetensors_find(st, TEXT("colbert_linear/weight"));
		h->multi_dim = w && w->ndim == 2 ? w->shape[0] : c->hidden;
		declare(p, &h->multi, h->multi_dim, c->hidden, "colbert_linear");
	}
	return true;
}

tensor m3_sparse(tn_scope *out, const struct m3 *h, tensor x)
{
	tn_scope *s = tn_push(out);
	tensor y = tn_relu(s, tn_linear(s, x, h->sparse.w.value, h->sparse.b.value)); /* [T,1] */
	y = tn_keep(out, tn_view(s, y, SHAPE(-1)));
	tn_pop(s);
	return y;
}

tensor m3_multi(tn_scope *out, const struct m3 *h, tensor x, struct tn_seqs seqs)
{
	int64_t *at = xcalloc((size_t)seqs.start[seqs.n] + 1, sizeof *at), n = 0;
	for (int64_t i = 0; i < seqs.n; i++)
		for (int64_t k = seqs.start[i] + 1; k < seqs.start[i + 1]; k++)
			at[n++] = k;
	tn_scope *s = tn_push(out);
	tensor rest = tn_index_select(s, x, 0, at, n); /* [n,H] */
	tensor y = tn_linear(s, rest, h->multi.w.value, h->multi.b.value);
	y = tn_keep(out, tn_normalize(s, y));
	tn_pop(s);
	free(at);
	return y;
}

#include "curate/apply.h"

#include <string.h>

struct context {
	const struct workspace *w;
	struct hash128 row;
	struct apply_counts *counts;
};

static enum verdict verdict_of(const struct context *x, struct text item)
{
	const struct decision *d = workspace_verdict(x->w, x->row, hash128(item.s, item.len));
	return d ? d->verdict : VERDICT_NONE;
}

/* The candidate with its edit, when it has one. */
static struct candidate edited(
	const struct context *x, const struct candidate *c, bool *ret_changed)
{
	const struct decision *d = workspace_edit(x->w, x->row, hash128(c->text.s, c->text.len));
	if (!d || text_equal(d->text, c->text))
		return *c;
	*ret_changed = true;
	x->counts->n_edited++;
	struct candidate e = candidate_of(d->text);
	e.from = TEXT("person");
	return e;
}

/* Copies what stays of `in` to `out`; promoted negatives go to `promoted`. */
static size_t sift(const struct context *x, const struct candidate *in, size_t n,
	struct candidate *out, struct candidate *promoted, size_t *n_promoted, bool *ret_changed)
{
	size_t n_out = 0;
	for (size_t i = 0; i < n; i++) {
		enum verdict v = verdict_of(x, in[i].text);
		if (v == VERDICT_REJECT) {
			*ret_changed = true;
			x->counts->n_rejected++;
		} else if (v == VERDICT_PROMOTE && promoted) {
			*ret_changed = true;
			x->counts->n_promoted++;
			promoted[(*n_promoted)++] = edited(x, &in[i], ret_changed);
		} else {
			out[n_out++] = edited(x, &in[i], ret_changed);
		}
	}
	return n_out;
}

bool apply_decisions(const struct record *r, const struct workspace *w, struct arena *a,
	struct record *ret, bool *ret_changed, struct apply_counts *counts)
{
	struct context x = {w, record_id(r), counts};
	struct candidate *pos = arena_alloc(a, (r->n_pos + r->n_neg) * sizeof *pos);
	struct candidate *neg = arena_alloc(a, r->n_neg * sizeof *neg);
	struct candidate *promoted = arena_alloc(a, r->n_neg * sizeof *promoted);
	size_t n_promoted = 0;
	bool changed = false;
	size_t n_pos = sift(&x, r->pos, r->n_pos, pos, NULL, NULL, &changed);
	size_t n_neg = sift(&x, r->neg, r->n_neg, neg, promoted, &n_promoted, &changed);
	if (n_promoted)
		memcpy(pos + n_pos, promoted, n_promoted * sizeof *pos);
	n_pos += n_promoted;
	counts->n_rows++;
	counts->n_changed += changed;
	*ret_changed = changed;
	*ret = *r;
	if (!changed)
		return true;
	ret->pos = pos;
	ret->n_pos = n_pos;
	ret->neg = neg;
	ret->n_neg = n_neg;
	counts->n_emptied += n_pos == 0;
	return n_pos > 0;
}

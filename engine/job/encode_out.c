#include "job/encode_out.h"

#include <stdlib.h>
#include <string.h>

#include "job/npy.h"

/* "vectors.npy" and "sparse.jsonl" -> "vectors.sparse.jsonl" */
static const char *beside(struct arena *a, const char *path, const char *end)
{
	size_t len = strlen(path);
	if (len > 4 && strcmp(path + len - 4, ".npy") == 0)
		len -= 4;
	return arena_printf(a, "%.*s.%s", (int)len, path, end);
}

bool encode_out_open(struct encode_out *o, const char *path, struct err *err)
{
	struct arena a = ARENA_INIT;
	bool ok = true;
	if (o->which & VIEW_DENSE)
		ok = (o->dense = npy_open(path, o->n, o->dim, err)) != NULL;
	if (ok && (o->which & VIEW_SPARSE))
		ok = (o->sparse = fs_out_open(beside(&a, path, "sparse.jsonl"), err)) != NULL;
	if (ok && (o->which & VIEW_MULTI)) {
		o->end = xcalloc((size_t)o->n + 1, sizeof *o->end);
		o->multi = npy_open(beside(&a, path, "multi.npy"), 0, o->multi_dim, err);
		o->offsets = o->multi
			? npy_open_i64(beside(&a, path, "multi.offsets.npy"), o->n + 1, err)
			: NULL;
		ok = o->offsets != NULL;
	}
	arena_release(&a);
	if (!ok)
		encode_out_abort(o);
	return ok;
}

static void add_sparse(struct encode_out *o, const struct text_view *v)
{
	struct buf line = BUF_INIT;
	char key[16];
	buf_addch(&line, '{');
	for (size_t i = 0; i < v->n_ids; i++) {
		snprintf(key, sizeof key, "%d", v->ids[i]);
		json_put_key(&line, key);
		json_put_float(&line, v->weights[i]);
	}
	buf_adds(&line, "}\n");
	fs_out_text(o->sparse, buf_text(&line));
	buf_release(&line);
}

void encode_out_add(
	struct encode_out *o, const float *dense, const struct text_views *views, size_t n)
{
	if (o->dense)
		fs_out_add(o->dense, dense, n * (size_t)o->dim * sizeof *dense);
	for (size_t i = 0; views && i < n; i++) {
		const struct text_view *v = &views->view[views->of[i]];
		if (o->sparse)
			add_sparse(o, v);
		if (o->multi) {
			fs_out_add(o->multi, v->multi,
				v->n_multi * (size_t)o->multi_dim * sizeof *v->multi);
			o->end[o->done + 1] = o->end[o->done] + (int64_t)v->n_multi;
			o->done++;
		}
	}
}

static bool commit(struct fs_out **f, struct err *err)
{
	struct fs_out *out = *f;
	*f = NULL;
	return !out || fs_out_commit(out, err);
}

bool encode_out_commit(struct encode_out *o, struct err *err)
{
	if (o->multi) {
		npy_set_rows(o->multi, o->end[o->n], o->multi_dim);
		fs_out_add(o->offsets, o->end, ((size_t)o->n + 1) * sizeof *o->end);
	}
	bool ok = commit(&o->sparse, err) && commit(&o->multi, err) && commit(&o->offsets, err) &&
		commit(&o->dense, err);
	encode_out_abort(o);
	return ok;
}

void encode_out_abort(struct encode_out *o)
{
	fs_out_abort(o->dense);
	fs_out_abort(o->sparse);
	fs_out_abort(o->multi);
	fs_out_abort(o->offsets);
	free(o->end);
	o->dense = o->sparse = o->multi = o->offsets = NULL;
	o->end = NULL;
}

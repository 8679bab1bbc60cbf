#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/mem.h"
#include "model/safetensors.h"

#define FORMAT 1
#define CHUNK ((int64_t)1 << 20) /* floats that pass through the host at a time */

enum kind { KIND_PARAM, KIND_M, KIND_V, KINDS };
static const char *const kind_names[KINDS] = {"param", "exp_avg", "exp_avg_sq"};

/* What entry e of the file is: kinds vary slowest. */
static tensor entry_tensor(const struct optim *o, size_t e)
{
	size_t at = o->place[e % o->n];
	switch ((enum kind)(e / o->n)) {
	case KIND_PARAM:
		return o->param[at];
	case KIND_M:
		return o->m[at];
	default:
		return o->v[at];
	}
}

static void describe_entries(const struct optim *o, struct st_entry *entries, struct arena *a)
{
	for (size_t e = 0; e < KINDS * o->n; e++) {
		tensor t = entry_tensor(o, e);
		struct st_entry *entry = &entries[e];
		entry->name = arena_printf(a, "%s.%zu", kind_names[e / o->n], e % o->n);
		entry->dtype = ST_F32;
		entry->ndim = tn_ndim(o->scope, t);
		for (int d = 0; d < entry->ndim && d < ST_DIMS; d++)
			entry->shape[d] = tn_dim(o->scope, t, d);
	}
}

/* Elements [start, start + n) of t in memory order, as a view of it: [n]. */
static tensor piece(tn_scope *s, tensor t, int64_t start, int64_t n)
{
	return tn_narrow(s, tn_view(s, t, SHAPE(-1)), 0, start, n);
}

static bool tensor_failure(const struct optim *o, const char *what, struct err *err)
{
	return err_set(err, ERR_FAILED, "%s: %s", what, tn_message(o->scope));
}

static bool put_entry(void *ctx, size_t e, struct st_sink *out, struct err *err)
{
	const struct optim *o = ctx;
	tensor t = entry_tensor(o, e);
	int64_t total = tn_numel(o->scope, t);
	float *host = try_malloc((size_t)CHUNK, sizeof *host, "a checkpoint's buffer", err);
	bool ok = host != NULL;
	for (int64_t at = 0; ok && at < total; at += CHUNK) {
		int64_t n = total - at < CHUNK ? total - at : CHUNK;
		tn_scope *s = tn_push_no_grad(o->scope);
		ok = tn_read_f32(s, piece(s, t, at, n), host, (size_t)n);
		tn_pop(s);
		if (ok)
			st_sink_add(out, host, (size_t)n * sizeof *host);
		else
			tensor_failure(o, "the weights cannot be read back", err);
	}
	free(host);
	return ok;
}

static bool write_state(const char *path, const struct progress *at, const struct identity *id,
	size_t n_id, struct err *err)
{
	struct buf b = BUF_INIT;
	buf_adds(&b, "{");
	json_put_key(&b, "format");
	json_put_int(&b, FORMAT);
	json_put_key(&b, "step");
	json_put_int(&b, at->step);
	json_put_key(&b, "epoch");
	json_put_real(&b, at->epoch);
	json_put_key(&b, "identity");
	buf_adds(&b, "{");
	for (size_t i = 0; i < n_id; i++) {
		json_put_key(&b, id[i].key);
		json_put_str(&b, id[i].value);
	}
	buf_adds(&b, "}}\n");
	bool ok = fs_write_atomic(path, b.data, b.len, err);
	buf_release(&b);
	return ok;
}

bool checkpoint_write(const char *dir, const struct progress *at, const struct identity *id,
	size_t n_id, struct optim *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	size_t n = KINDS * o->n;
	struct st_entry *entries = arena_calloc(&a, n, sizeof *entries);
	describe_entries(o, entries, &a);
	bool ok = safetensors_write(
			  fs_join(&a, dir, "trained.safetensors"), entries, n, put_entry, o, err) &&
		write_state(fs_join(&a, dir, "state.json"), at, id, n_id, err);
	arena_release(&a);
	return ok;
}

static bool check_identity(
	json saved, const struct identity *id, size_t n_id, const char *path, struct err *err)
{
	for (size_t i = 0; i < n_id; i++) {
		struct text was;
		if (!json_want_text(saved, id[i].key, TEXT("(not given)"), &was, err))
			return err_prefix(err, "%s", path);
		if (!text_is(was, id[i].value))
			return err_set(err, ERR_USAGE,
				"%s: the run was begun with %s %.*s, this command says %s: give what "
				"it was begun with, or begin a new run in another --out",
				path, id[i].key, TEXT_ARG(was), id[i].value);
	}
	return true;
}

bool checkpoint_check(const char *dir, const struct identity *id, size_t n_id,
	struct progress *ret_at, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct json_file f;
	const char *path = fs_join(&a, dir, "state.json");
	int64_t format = 0;
	struct progress at = {0};
	bool ok = json_file_open(path, &f, err) &&
		json_want_int(f.root, "format", 0, &format, err) &&
		json_want_int(f.root, "step", -1, &at.step, err) &&
		json_want_real(f.root, "epoch", 0.0, &at.epoch, err);
	if (ok && format != FORMAT)
		ok = err_set(err, ERR_DATA,
			"%s: format %lld, this program reads format %d: use the program that wrote it",
			path, (long long)format, FORMAT);
	if (ok && at.step < 0)
		ok = err_set(err, ERR_DATA,
			"%s: no step in it: remove this checkpoint to go on from "
			"an older one",
			path);
	ok = ok && check_identity(json_get(f.root, "identity"), id, n_id, path, err);
	if (ok)
		*ret_at = at;
	json_file_close(&f);
	arena_release(&a);
	return ok;
}

static bool same_shape(struct optim *o, tensor t, const struct st_tensor *st)
{
	if (st->dtype != ST_F32 || st->ndim != tn_ndim(o->scope, t))
		return false;
	for (int d = 0; d < st->ndim; d++)
		if (st->shape[d] != tn_dim(o->scope, t, d))
			return false;
	return true;
}

/* Mapped data have no alignment: they pass through host in pieces. */
static void fill_tensor(struct optim *o, tensor t, const struct st_tensor *st, float *host)
{
	int64_t total = tn_numel(o->scope, t);
	for (int64_t at = 0; at < total; at += CHUNK) {
		int64_t n = total - at < CHUNK ? total - at : CHUNK;
		memcpy(host, (const char *)st->data + (size_t)at * sizeof *host,
			(size_t)n * sizeof *host);
		tn_scope *s = tn_push_no_grad(o->scope);
		tn_copy_(s, piece(s, t, at, n), tn_from_f32(s, host, SHAPE(n)));
		tn_pop(s);
	}
}

bool checkpoint_load(const char *dir, struct optim *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct safetensors st;
	const char *path = fs_join(&a, dir, "trained.safetensors");
	float *host = try_malloc((size_t)CHUNK, sizeof *host, "a checkpoint's buffer", err);
	bool ok = host && safetensors_open(path, &st, err);
	bool opened = host != NULL;
	for (size_t e = 0; ok && e < KINDS * o->n; e++) {
		const char *name = arena_printf(&a, "%s.%zu", kind_names[e / o->n], e % o->n);
		const struct st_tensor *from = safetensors_find(&st, text_of(name));
		tensor to = entry_tensor(o, e);
		if (!from || !same_shape(o, to, from))
			ok = err_set(err, ERR_DATA,
				"%s: %s is missing or not shaped as in this model: the checkpoint "
				"belongs to another model",
				path, name);
		else
			fill_tensor(o, to, from, host);
	}
	if (ok && tn_status(o->scope) != TN_OK)
		ok = tensor_failure(o, path, err);
	if (opened)
		safetensors_close(&st);
	free(host);
	arena_release(&a);
	return ok;
}

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

enum kind { KIND_PARAM, KIND_M, KIND_V, KIND_ROWS, KINDS };
static const char *const kind_names[KINDS] = {"param", "exp_avg", "exp_avg_sq", "rows"};

/* A trained tensor as its file has it. */
struct kept {
	int64_t n_rows, row_size; /* of the whole tensor: [n_rows, row_size] */
	int64_t *row; /* [n] the rows that were touched, ascending; NULL: all of them */
	int64_t n;
};

/* What entry e of the file is about. */
struct entry {
	enum kind kind;
	size_t at; /* trained tensor */
};

struct content {
	struct optim *o;
	struct kept *kept; /* [o->n] */
	struct entry *entry;
	struct st_entry *st;
	size_t n;
	float *host; /* [CHUNK] or one row */
	struct arena arena;
};

static tensor tensor_of(const struct optim *o, enum kind kind, size_t at)
{
	size_t place = o->place[at];
	return kind == KIND_PARAM ? o->param[place] : kind == KIND_M ? o->m[place] : o->v[place];
}

static bool decays(const struct optim *o, size_t at)
{
	return o->opt.weight_decay != 0.0 && o->place[at] < o->n_decaying;
}

static bool tensor_failure(const struct optim *o, const char *what, struct err *err)
{
	return err_set(err, ERR_FAILED, "%s: %s", what, tn_message(o->scope));
}

/* Elements [start, start + n) of t in memory order, as a view of it: [n]. */
static tensor piece(tn_scope *s, tensor t, int64_t start, int64_t n)
{
	return tn_narrow(s, tn_view(s, t, SHAPE(-1)), 0, start, n);
}

static bool read_piece(const struct optim *o, tensor t, int64_t start, int64_t n, float *out)
{
	tn_scope *s = tn_push_no_grad(o->scope);
	bool ok = tn_read_f32(s, piece(s, t, start, n), out, (size_t)n);
	tn_pop(s);
	return ok;
}

static void write_piece(
	const struct optim *o, tensor t, int64_t start, int64_t n, const float *from)
{
	tn_scope *s = tn_push_no_grad(o->scope);
	tn_copy_(s, piece(s, t, start, n), tn_from_f32(s, from, SHAPE(n)));
	tn_pop(s);
}

static bool make_host(const struct kept *kept, size_t n, float **ret, struct err *err)
{
	int64_t size = CHUNK;
	for (size_t i = 0; i < n; i++)
		size = kept[i].row_size > size ? kept[i].row_size : size;
	*ret = try_malloc((size_t)size, sizeof(float), "a checkpoint's buffer", err);
	return *ret != NULL;
}

static void shape_kept(struct kept *k, const struct optim *o, size_t at)
{
	tensor t = tensor_of(o, KIND_PARAM, at);
	int64_t numel = tn_numel(o->scope, t);
	k->n_rows = tn_ndim(o->scope, t) == 2 ? tn_dim(o->scope, t, 0) : 1;
	k->row_size = k->n_rows > 0 ? numel / k->n_rows : 0;
	k->n = k->n_rows;
}

/* ---- Writing ---- */

static bool is_zero(const float *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (x[i] != 0.0F)
			return false;
	return true;
}

/* Marks rows of one moment that are not zero. */
static bool mark_rows(struct content *c, size_t at, enum kind kind, uint8_t *touched)
{
	const struct kept *k = &c->kept[at];
	int64_t block = CHUNK / k->row_size > 0 ? CHUNK / k->row_size : 1;
	for (int64_t row = 0; row < k->n_rows; row += block) {
		int64_t n = k->n_rows - row < block ? k->n_rows - row : block;
		if (!read_piece(c->o, tensor_of(c->o, kind, at), row * k->row_size, n * k->row_size,
			    c->host))
			return false;
		for (int64_t i = 0; i < n; i++)
			touched[row + i] |= !is_zero(c->host + i * k->row_size, k->row_size);
	}
	return true;
}

/* A row whose moments are zero never had a gradient, so without decay its weights are still the base
 * model's: most rows of a large vocabulary need no place in the file. */
static bool find_kept(struct content *c, size_t at)
{
	struct kept *k = &c->kept[at];
	if (k->n_rows < 2 || k->row_size == 0 || decays(c->o, at))
		return true;
	uint8_t *touched = arena_calloc(&c->arena, (size_t)k->n_rows, 1);
	if (!mark_rows(c, at, KIND_M, touched) || !mark_rows(c, at, KIND_V, touched))
		return false;
	int64_t n = 0;
	for (int64_t row = 0; row < k->n_rows; row++)
		n += touched[row];
	if (n == k->n_rows)
		return true;
	k->row = arena_alloc(&c->arena, (size_t)n * sizeof *k->row);
	k->n = 0;
	for (int64_t row = 0; row < k->n_rows; row++)
		if (touched[row])
			k->row[k->n++] = row;
	return true;
}

static void add_entry(struct content *c, enum kind kind, size_t at)
{
	const struct kept *k = &c->kept[at];
	tensor t = tensor_of(c->o, KIND_PARAM, at);
	struct st_entry *st = &c->st[c->n];
	c->entry[c->n++] = (struct entry){kind, at};
	st->name = arena_printf(&c->arena, "%s.%zu", kind_names[kind], at);
	st->dtype = kind == KIND_ROWS ? ST_I64 : ST_F32;
	st->ndim = kind == KIND_ROWS ? 1 : tn_ndim(c->o->scope, t);
	for (int d = 0; d < st->ndim && d < ST_DIMS; d++)
		st->shape[d] = tn_dim(c->o->scope, t, d);
	if (k->row)
		st->shape[0] = k->n;
}

static bool describe(struct content *c)
{
	size_t cap = KINDS * c->o->n;
	c->entry = arena_calloc(&c->arena, cap, sizeof *c->entry);
	c->st = arena_calloc(&c->arena, cap, sizeof *c->st);
	for (size_t at = 0; at < c->o->n; at++) {
		if (!find_kept(c, at))
			return false;
		for (enum kind kind = KIND_PARAM; kind <= KIND_V; kind++)
			add_entry(c, kind, at);
		if (c->kept[at].row)
			add_entry(c, KIND_ROWS, at);
	}
	return true;
}

/* A stretch of rows in one go. */
static bool put_stretch(struct content *c, tensor t, int64_t start, int64_t n, struct st_sink *out)
{
	for (int64_t at = 0; at < n; at += CHUNK) {
		int64_t some = n - at < CHUNK ? n - at : CHUNK;
		if (!read_piece(c->o, t, start + at, some, c->host))
			return false;
		st_sink_add(out, c->host, (size_t)some * sizeof *c->host);
	}
	return true;
}

static bool put_entry(void *ctx, size_t e, struct st_sink *out, struct err *err)
{
	struct content *c = ctx;
	const struct entry *entry = &c->entry[e];
	const struct kept *k = &c->kept[entry->at];
	if (entry->kind == KIND_ROWS) {
		st_sink_add(out, k->row, (size_t)k->n * sizeof *k->row);
		return true;
	}
	tensor t = tensor_of(c->o, entry->kind, entry->at);
	bool ok = true;
	if (!k->row)
		ok = put_stretch(c, t, 0, k->n_rows * k->row_size, out);
	for (int64_t i = 0; ok && k->row && i < k->n; i++)
		ok = put_stretch(c, t, k->row[i] * k->row_size, k->row_size, out);
	return ok || tensor_failure(c->o, "the weights cannot be read back", err);
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
	struct content c = {.o = o, .arena = ARENA_INIT};
	c.kept = arena_calloc(&c.arena, o->n, sizeof *c.kept);
	for (size_t i = 0; i < o->n; i++)
		shape_kept(&c.kept[i], o, i);
	bool ok = make_host(c.kept, o->n, &c.host, err);
	if (ok && !describe(&c))
		ok = tensor_failure(o, "the moments cannot be read back", err);
	ok = ok &&
		safetensors_write(fs_join(&c.arena, dir, "trained.safetensors"), c.st, c.n,
			put_entry, &c, err) &&
		write_state(fs_join(&c.arena, dir, "state.json"), at, id, n_id, err);
	free(c.host);
	arena_release(&c.arena);
	return ok;
}

/* ---- Reading ---- */

static bool check_identity(
	json saved, const struct identity *id, size_t n_id, const char *path, struct err *err)
{
	for (size_t i = 0; i < n_id; i++) {
		struct text was;
		if (!json_want_text(saved, id[i].key, TEXT("(not given)"), &was, err))
			return err_prefix(err, "%s", path);
		if (!text_is(was, id[i].value))
			return err_set(err, ERR_USAGE,
				"%s: the run was begun with %s %.*s, this command says %s: give "
				"what it was begun with, or begin a new run in another --out",
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
			"%s: format %lld, this program reads format %d: use the program that wrote "
			"it",
			path, (long long)format, FORMAT);
	if (ok && at.step < 0)
		ok = err_set(err, ERR_DATA,
			"%s: no step in it: remove this checkpoint to go on from an older one",
			path);
	ok = ok && check_identity(json_get(f.root, "identity"), id, n_id, path, err);
	if (ok)
		*ret_at = at;
	json_file_close(&f);
	arena_release(&a);
	return ok;
}

static const struct st_tensor *find(
	const struct safetensors *st, enum kind kind, size_t at, struct arena *a)
{
	return safetensors_find(st, text_of(arena_printf(a, "%s.%zu", kind_names[kind], at)));
}

/* Mapped data have no alignment. */
static bool read_rows(const struct st_tensor *st, struct kept *k, struct arena *a)
{
	if (st->dtype != ST_I64 || st->ndim != 1)
		return false;
	k->n = st->shape[0];
	k->row = arena_alloc(a, (size_t)k->n * sizeof *k->row);
	if (k->n > 0)
		memcpy(k->row, st->data, (size_t)k->n * sizeof *k->row);
	for (int64_t i = 0; i < k->n; i++)
		if (k->row[i] < 0 || k->row[i] >= k->n_rows)
			return false;
	return true;
}

/* The file's data of one tensor into t; false: they are of another size. */
static bool fill(const struct optim *o, tensor t, const struct st_tensor *st, const struct kept *k,
	float *host)
{
	const char *data = st->data;
	int64_t total = k->n * k->row_size, step = k->row ? k->row_size : CHUNK;
	if (st->dtype != ST_F32 || st->bytes != (size_t)total * sizeof *host)
		return false;
	for (int64_t at = 0; at < total; at += step) {
		int64_t n = total - at < step ? total - at : step;
		memcpy(host, data + (size_t)at * sizeof *host, (size_t)n * sizeof *host);
		write_piece(o, t, k->row ? k->row[at / step] * step : at, n, host);
	}
	return true;
}

static bool load_tensor(struct optim *o, const struct safetensors *st, size_t at, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct kept k = {0};
	float *host;
	shape_kept(&k, o, at);
	const struct st_tensor *rows = find(st, KIND_ROWS, at, &a);
	bool ok = make_host(&k, 1, &host, err), fits = !rows || read_rows(rows, &k, &a);
	for (enum kind kind = KIND_PARAM; ok && fits && kind <= KIND_V; kind++) {
		const struct st_tensor *from = find(st, kind, at, &a);
		fits = from && fill(o, tensor_of(o, kind, at), from, &k, host);
	}
	arena_release(&a);
	free(host);
	if (ok && !fits)
		return err_set(err, ERR_DATA,
			"trained tensor %zu is missing or not shaped as in this model: the checkpoint "
			"belongs to another model",
			at);
	return ok;
}

bool checkpoint_load(const char *dir, struct optim *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct safetensors st;
	const char *path = fs_join(&a, dir, "trained.safetensors");
	bool ok = safetensors_open(path, &st, err);
	for (size_t at = 0; ok && at < o->n; at++)
		ok = load_tensor(o, &st, at, err) || err_prefix(err, "%s", path);
	if (ok && tn_status(o->scope) != TN_OK)
		ok = tensor_failure(o, path, err);
	safetensors_close(&st);
	arena_release(&a);
	return ok;
}

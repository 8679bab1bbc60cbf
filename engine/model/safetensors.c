#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/jsonfile.h"
#include "base/parallel.h"
#include "json.h"

#define HEADER_LIMIT 100000000u
#define HASH_CHUNK ((size_t)16 << 20)

static const struct {
	const char *name;
	size_t size;
} dtypes[] = {
	[ST_BOOL] = {"BOOL", 1},
	[ST_U8] = {"U8", 1},
	[ST_I8] = {"I8", 1},
	[ST_F8_E5M2] = {"F8_E5M2", 1},
	[ST_F8_E4M3] = {"F8_E4M3", 1},
	[ST_I16] = {"I16", 2},
	[ST_U16] = {"U16", 2},
	[ST_F16] = {"F16", 2},
	[ST_BF16] = {"BF16", 2},
	[ST_I32] = {"I32", 4},
	[ST_U32] = {"U32", 4},
	[ST_F32] = {"F32", 4},
	[ST_C64] = {"C64", 8},
	[ST_F64] = {"F64", 8},
	[ST_I64] = {"I64", 8},
	[ST_U64] = {"U64", 8},
};

const char *st_dtype_name(enum st_dtype d)
{
	return dtypes[d].name;
}

size_t st_dtype_size(enum st_dtype d)
{
	return dtypes[d].size;
}

const char *shape_text(struct arena *a, const int64_t *shape, int ndim)
{
	const char *list = "";
	for (int i = 0; i < ndim; i++)
		list = arena_printf(a, "%s%s%lld", list, i ? "," : "", (long long)shape[i]);
	return arena_printf(a, "[%s]", list);
}

/* One file while its header is read. */
struct header {
	const char *path;
	struct fs_map map;
	const char *data; /* behind the header */
	size_t data_len;
	struct json_parser *parser;
	json root;
	struct st_tensor *t; /* in the header's order, then by place */
	size_t n;
};

static bool find_header(struct header *h, struct err *err)
{
	if (h->map.len < 8)
		return err_set(err, ERR_DATA, "%s has %zu bytes, too few for a safetensors file",
			h->path, h->map.len);
	uint64_t len = 0;
	for (int i = 7; i >= 0; i--)
		len = len << 8 | (unsigned char)h->map.data[i];
	if (len > HEADER_LIMIT || len > h->map.len - 8)
		return err_set(err, ERR_DATA,
			"%s: the header should be %llu bytes long, the file has %zu: truncated, or "
			"no safetensors file",
			h->path, (unsigned long long)len, h->map.len);
	const char *text = h->map.data + 8;
	struct json_why why;
	if (len == 0 || text[0] != '{')
		return err_set(err, ERR_DATA,
			"%s: the header does not begin with {: no safetensors file", h->path);
	if (!json_parse(h->parser, text, (size_t)len, h->map.len - 8 - (size_t)len + FS_PADDING,
		    &h->root, &why))
		return err_set(
			err, ERR_DATA, "%s: header, byte %zu: %s", h->path, why.offset, why.reason);
	if (!json_is(h->root, JSON_OBJECT))
		return err_set(err, ERR_DATA, "%s: the header is no object", h->path);
	h->data = text + len;
	h->data_len = h->map.len - 8 - (size_t)len;
	return true;
}

static bool read_dtype(const struct header *h, json v, struct st_tensor *t, struct err *err)
{
	struct text name;
	if (!json_want_text(v, "dtype", TEXT(""), &name, err))
		return err_prefix(err, "%s: tensor %s", h->path, t->name);
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++)
		if (text_is(name, dtypes[i].name)) {
			t->dtype = (enum st_dtype)i;
			return true;
		}
	return err_set(err, ERR_DATA, "%s: tensor %s has dtype \"%.*s\", which is not known here",
		h->path, t->name, TEXT_ARG(name));
}

/* shape, and the bytes it stands for. */
static bool read_shape(const struct header *h, json v, struct st_tensor *t, struct err *err)
{
	json shape = json_get(v, "shape");
	size_t bytes = dtypes[t->dtype].size;
	if (!json_is(shape, JSON_ARRAY) || json_count(shape) > ST_DIMS)
		return err_set(err, ERR_DATA, "%s: tensor %s: shape is no list of at most %d sizes",
			h->path, t->name, ST_DIMS);
	for (struct json_iter it = json_each(shape); json_next(&it);) {
		int64_t dim;
		if (!json_int(it.value, &dim) || dim < 0 ||
			__builtin_mul_overflow(bytes, (size_t)dim, &bytes))
			return err_set(err, ERR_DATA,
				"%s: tensor %s: shape holds a size that cannot be", h->path,
				t->name);
		t->shape[t->ndim++] = dim;
	}
	t->bytes = bytes;
	return true;
}

static bool read_place(const struct header *h, json v, struct st_tensor *t, struct err *err)
{
	json place = json_get(v, "data_offsets");
	int64_t at[2] = {0, 0};
	int n = 0;
	if (json_is(place, JSON_ARRAY) && json_count(place) == 2)
		for (struct json_iter it = json_each(place); json_next(&it);)
			n += json_int(it.value, &at[n]);
	if (n != 2 || at[0] < 0 || at[1] < at[0])
		return err_set(err, ERR_DATA,
			"%s: tensor %s: data_offsets is no pair of rising offsets", h->path,
			t->name);
	if ((uint64_t)at[1] > h->data_len)
		return err_set(err, ERR_DATA,
			"%s: tensor %s ends at byte %lld of the data, the file has %zu: truncated; "
			"fetch it again",
			h->path, t->name, (long long)at[1], h->data_len);
	if ((size_t)(at[1] - at[0]) != t->bytes)
		return err_set(err, ERR_DATA,
			"%s: tensor %s has %lld bytes, its shape and dtype ask for %zu", h->path,
			t->name, (long long)(at[1] - at[0]), t->bytes);
	t->data = h->data + at[0];
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct st_tensor *x = a, *y = b;
	const char *px = x->data, *py = y->data;
	if (px != py)
		return px < py ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* an empty one first */
}

static bool check_cover(struct header *h, struct err *err)
{
	qsort(h->t, h->n, sizeof *h->t, by_place);
	const char *end = h->data;
	for (size_t i = 0; i < h->n; i++) {
		if ((const char *)h->t[i].data != end)
			return err_set(err, ERR_DATA,
				"%s: tensor %s does not begin where the one before it ends",
				h->path, h->t[i].name);
		end += h->t[i].bytes;
	}
	if (end != h->data + h->data_len)
		return err_set(err, ERR_DATA, "%s: %zu bytes behind the last tensor belong to none",
			h->path, (size_t)(h->data + h->data_len - end));
	return true;
}

static bool read_tensors(struct header *h, struct arena *a, struct err *err)
{
	h->t = arena_calloc(a, json_count(h->root), sizeof *h->t);
	for (struct json_iter it = json_each(h->root); json_next(&it);) {
		struct text name = {it.key, it.key_len};
		if (text_is(name, "__metadata__"))
			continue;
		struct st_tensor *t = &h->t[h->n++];
		if (memchr(name.s, '\0', name.len))
			return err_set(err, ERR_DATA, "%s: a tensor's name holds a NUL", h->path);
		t->name = arena_text(a, name).s;
		t->file = h->path;
		if (!read_dtype(h, it.value, t, err) || !read_shape(h, it.value, t, err) ||
			!read_place(h, it.value, t, err))
			return false;
	}
	return check_cover(h, err);
}

void safetensors_take_map(struct safetensors *st, const struct fs_map *map)
{
	st->files = xreallocarray(st->files, st->n_files + 1, sizeof *st->files);
	st->files[st->n_files++] = *map;
}

bool safetensors_take(struct safetensors *st, const struct st_tensor *t, size_t n,
	const struct st_select *which, struct err *err)
{
	st->t = xreallocarray(st->t, st->n + n + 1, sizeof *st->t);
	for (size_t i = 0; i < n; i++) {
		int64_t in = which->number;
		if (which->wanted &&
			(!map_get(which->wanted, text_of(t[i].name), &in) || in != which->number))
			continue;
		struct st_tensor *to = &st->t[st->n];
		*to = t[i];
		if (which->prefix)
			to->name = arena_printf(&st->arena, "%s%s", which->prefix, t[i].name);
		if (!map_put(&st->by_name, text_of(to->name), (int64_t)st->n))
			return err_set(err, ERR_DATA, "%s: tensor %s stands there twice", t[i].file,
				to->name);
		st->n++;
	}
	return true;
}

bool safetensors_add(
	struct safetensors *st, const char *path, const struct st_select *which, struct err *err)
{
	struct header h = {.path = arena_strdup(&st->arena, path)};
	if (!fs_map(path, &h.map, err))
		return false;
	safetensors_take_map(st, &h.map);
	h.parser = json_parser_new();
	bool ok = find_header(&h, err) && read_tensors(&h, &st->arena, err) &&
		safetensors_take(st, h.t, h.n, which, err);
	json_parser_free(h.parser);
	return ok;
}

bool safetensors_open(const char *path, struct safetensors *ret, struct err *err)
{
	*ret = (struct safetensors)SAFETENSORS_INIT;
	return safetensors_add(ret, path, &(struct st_select){0}, err);
}

void safetensors_close(struct safetensors *st)
{
	for (size_t i = 0; i < st->n_files; i++)
		fs_unmap(&st->files[i]);
	free(st->files);
	free(st->t);
	map_release(&st->by_name);
	arena_release(&st->arena);
	*st = (struct safetensors){.by_name = MAP_INIT};
}

void safetensors_rest(const struct safetensors *st)
{
	for (size_t i = 0; i < st->n_files; i++)
		madvise(st->files[i].base, st->files[i].len, MADV_DONTNEED);
}

const struct st_tensor *safetensors_find(const struct safetensors *st, struct text name)
{
	int64_t at;
	return map_get(&st->by_name, name, &at) ? &st->t[at] : NULL;
}

struct hash_job {
	const struct fs_map *map;
	struct hash128 *ret;
};

static void hash_chunks(void *ctx, size_t begin, size_t end, int worker)
{
	struct hash_job *job = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		size_t at = i * HASH_CHUNK;
		size_t left = job->map->len - at;
		if (left > HASH_CHUNK)
			left = HASH_CHUNK;
		job->ret[i] = hash128(job->map->data + at, left);
		/* Read once: the file's pages need not count as this process's memory. */
		madvise((char *)job->map->base + at, left, MADV_DONTNEED);
	}
}

struct hash128 safetensors_hash(const struct safetensors *st, int threads)
{
	struct hasher *all = hasher_new();
	for (size_t f = 0; f < st->n_files; f++) {
		size_t n = (st->files[f].len + HASH_CHUNK - 1) / HASH_CHUNK;
		struct hash_job job = {&st->files[f], xcalloc(n + 1, sizeof(struct hash128))};
		parallel_for(n, 1, threads, hash_chunks, &job);
		hasher_add(all, job.ret, n * sizeof *job.ret);
		free(job.ret);
	}
	return hasher_end(all);
}

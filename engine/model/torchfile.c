#include "model/torchfile.h"

#include <string.h>

#include "base/buf.h"
#include "model/pickle.h"
#include "model/zip.h"

struct torchfile {
	const char *path;
	struct fs_map map;
	struct zip zip;
	struct text root; /* of the archive, slash included */
	struct arena *a;
	size_t copied; /* bytes of tensors that did not lie contiguously */
};

static const struct zip_entry *entry(const struct torchfile *f, const char *dir, struct text name)
{
	struct arena scratch = ARENA_INIT;
	const char *path =
		arena_printf(&scratch, "%.*s%s%.*s", TEXT_ARG(f->root), dir, TEXT_ARG(name));
	const struct zip_entry *e = zip_find(&f->zip, text_of(path));
	arena_release(&scratch);
	return e;
}

static bool find_root(struct torchfile *f, struct text *ret_pickle, struct err *err)
{
	static const char name[] = "data.pkl";
	size_t len = sizeof name - 1;
	for (size_t i = 0; i < f->zip.n; i++) {
		struct text t = f->zip.entry[i].name;
		if (t.len > len && t.s[t.len - len - 1] == '/' &&
			memcmp(t.s + t.len - len, name, len) == 0) {
			f->root = (struct text){t.s, t.len - len};
			*ret_pickle = (struct text){f->zip.entry[i].data, f->zip.entry[i].len};
			const struct zip_entry *order = entry(f, "byteorder", TEXT(""));
			if (order && !text_is((struct text){order->data, order->len}, "little"))
				return err_set(err, ERR_DATA,
					"%s: byteorder is not little, which is not read", f->path);
			return true;
		}
	}
	return err_set(err, ERR_DATA, "%s: the archive holds no data.pkl: no file of torch.save()",
		f->path);
}

/* Number of elements, and the place behind the last one that is touched; false: too many. */
static bool measure(const struct pickle_tensor *p, int64_t *ret_n, int64_t *ret_end)
{
	int64_t n = 1, last = p->offset;
	for (int d = 0; d < p->ndim; d++) {
		int64_t reach;
		if (__builtin_mul_overflow(n, p->shape[d], &n) ||
			__builtin_mul_overflow(
				p->shape[d] > 0 ? p->shape[d] - 1 : 0, p->stride[d], &reach) ||
			__builtin_add_overflow(last, reach, &last))
			return false;
	}
	*ret_n = n;
	*ret_end = n > 0 ? last + 1 : p->offset;
	return true;
}

static bool is_contiguous(const struct pickle_tensor *p)
{
	int64_t step = 1;
	for (int d = p->ndim - 1; d >= 0; d--) {
		if (p->shape[d] > 1 && p->stride[d] != step)
			return false;
		step *= p->shape[d];
	}
	return true;
}

/* The elements one after the other; n > 0 of them, all within the storage. */
static const void *gather(
	struct torchfile *f, const struct pickle_tensor *p, const char *base, int64_t n)
{
	size_t size = st_dtype_size(p->dtype);
	char *out = arena_alloc(f->a, (size_t)n * size);
	int64_t at[ST_DIMS] = {0}, from = p->offset;
	for (int64_t i = 0; i < n; i++) {
		memcpy(out + (size_t)i * size, base + (size_t)from * size, size);
		for (int d = p->ndim - 1; d >= 0; d--) {
			from += p->stride[d];
			if (++at[d] < p->shape[d])
				break;
			from -= p->stride[d] * p->shape[d];
			at[d] = 0;
		}
	}
	return out;
}

static bool place(
	struct torchfile *f, const struct pickle_tensor *p, struct st_tensor *t, struct err *err)
{
	const struct zip_entry *e = entry(f, "data/", p->key);
	size_t size = st_dtype_size(p->dtype);
	int64_t n, end;
	if (!e)
		return err_set(err, ERR_DATA, "%s: tensor %s: storage data/%.*s is not there",
			f->path, t->name, TEXT_ARG(p->key));
	if (!measure(p, &n, &end) || end > p->storage_n || (size_t)p->storage_n > e->len / size)
		return err_set(err, ERR_DATA,
			"%s: tensor %s reaches beyond its storage of %lld elements and %zu bytes",
			f->path, t->name, (long long)p->storage_n, e->len);
	t->bytes = (size_t)n * size;
	t->data = e->data + (n > 0 ? (size_t)p->offset * size : 0);
	if (n == 0 || is_contiguous(p))
		return true;
	if ((size_t)n > f->map.len / size || t->bytes > f->map.len - f->copied)
		return err_set(err, ERR_DATA,
			"%s: tensor %s: its strides repeat elements; the file would unfold to more "
			"than it holds",
			f->path, t->name);
	f->copied += t->bytes;
	t->data = gather(f, p, e->data, n);
	return true;
}

static bool take(
	struct torchfile *f, struct safetensors *st, const struct st_select *which, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	struct text pickle;
	struct pickle_tensor *p;
	size_t n;
	bool ok =
		zip_read(f->path, (struct text){f->map.data, f->map.len}, &scratch, &f->zip, err) &&
		find_root(f, &pickle, err) && pickle_read(f->path, pickle, &scratch, &p, &n, err);
	struct st_tensor *t = ok ? arena_calloc(&scratch, n, sizeof *t) : NULL;
	for (size_t i = 0; ok && i < n; i++) {
		t[i] = (struct st_tensor){
			.name = arena_text(f->a, p[i].name).s,
			.file = f->path,
			.dtype = p[i].dtype,
			.ndim = p[i].ndim,
		};
		memcpy(t[i].shape, p[i].shape, sizeof t[i].shape);
		ok = place(f, &p[i], &t[i], err);
	}
	ok = ok && safetensors_take(st, t, n, which, err);
	arena_release(&scratch);
	return ok;
}

bool torchfile_add(
	struct safetensors *st, const char *path, const struct st_select *which, struct err *err)
{
	struct torchfile f = {.path = arena_strdup(&st->arena, path), .a = &st->arena};
	if (!fs_map(path, &f.map, err))
		return false;
	safetensors_take_map(st, &f.map);
	if (f.map.len < 4 || memcmp(f.map.data, "PK\3\4", 4) != 0)
		return err_set(err, ERR_DATA,
			"%s is no zip archive: truncated, a download that failed, or saved by "
			"torch before 1.6; save it again as safetensors",
			path);
	return take(&f, st, which, err);
}

/* Writing: the opcodes that torch.save() itself would use, protocol 2. */

static void put_u32(struct buf *b, size_t v)
{
	for (int i = 0; i < 4; i++)
		buf_addch(b, (char)(v >> (8 * i)));
}

static void put_text(struct buf *b, const char *s)
{
	buf_addch(b, 'X');
	put_u32(b, strlen(s));
	buf_adds(b, s);
}

static void put_int(struct buf *b, int64_t v)
{
	buf_addch(b, 'J');
	put_u32(b, (size_t)v);
}

static int64_t numel(const struct st_entry *e)
{
	int64_t n = 1;
	for (int d = 0; d < e->ndim; d++)
		n *= e->shape[d];
	return n;
}

static void put_tensor(struct buf *b, const struct st_entry *e, const char *key)
{
	put_text(b, e->name);
	buf_adds(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
	put_text(b, "storage");
	buf_adds(b, "ctorch\nFloatStorage\n");
	put_text(b, key);
	put_text(b, "cpu");
	put_int(b, numel(e));
	buf_adds(b, "tQ");
	put_int(b, 0);
	buf_addch(b, '(');
	for (int d = 0; d < e->ndim; d++)
		put_int(b, e->shape[d]);
	buf_adds(b, "t(");
	for (int d = 0; d < e->ndim; d++) {
		int64_t stride = 1;
		for (int k = d + 1; k < e->ndim; k++)
			stride *= e->shape[k];
		put_int(b, stride);
	}
	buf_adds(b,
		"t\x89"
		"ccollections\nOrderedDict\n)RtR");
}

bool torchfile_write(const char *path, const struct st_entry *entries, const float *const *data,
	size_t n, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf pickle = BUF_INIT, out = BUF_INIT;
	struct zip_entry *e = arena_calloc(&a, n + 3, sizeof *e);
	size_t at = 0;
	buf_adds(&pickle,
		"\x80\x02"
		"ccollections\nOrderedDict\n)R(");
	for (size_t i = 0; i < n; i++)
		put_tensor(&pickle, &entries[i], arena_printf(&a, "%zu", i));
	buf_adds(&pickle, "u.");
	e[at++] = (struct zip_entry){TEXT("archive/data.pkl"), pickle.data, pickle.len};
	e[at++] = (struct zip_entry){TEXT("archive/byteorder"), "little", 6};
	for (size_t i = 0; i < n; i++)
		e[at++] = (struct zip_entry){text_of(arena_printf(&a, "archive/data/%zu", i)),
			(const char *)data[i], (size_t)numel(&entries[i]) * sizeof(float)};
	e[at++] = (struct zip_entry){TEXT("archive/version"), "3\n", 2};
	bool ok = zip_write(&out, e, at, err) && fs_write_atomic(path, out.data, out.len, err);
	buf_release(&pickle);
	buf_release(&out);
	arena_release(&a);
	return ok;
}

#include "store/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

#define FILE_MAGIC UINT64_C(0x31636576736d7673) /* "svmsvec1": the last digit is the format */
#define BLOCK_MAGIC UINT64_C(0x6b636f6c62636576)
#define ALIGN ((size_t)64)
#define FIRST_SLOTS ((size_t)1024)
#define FIRST_MAP ((size_t)16 << 20) /* address space, not memory: what the file may grow into */

struct file_head {
	uint64_t magic;
	struct hash128 space;
	uint64_t dim;
	uint64_t reserved[4];
};
struct block_head {
	uint64_t magic;
	uint64_t n; /* vectors in it */
	uint64_t body; /* hash of the ids and the vectors */
	uint64_t self; /* hash of the three above */
	uint64_t reserved[4];
};
_Static_assert(sizeof(struct file_head) == ALIGN, "blocks start on a cache line");
_Static_assert(sizeof(struct block_head) == ALIGN, "ids start on a cache line");

/* Vectors [first, first + n) of the whole, contiguous in memory. */
struct part {
	size_t first, n;
	const float *data;
	float *owned; /* when it is not in a mapping */
};
/* The file is mapped beyond its end: pages become readable as it grows, so that what was handed out
 * never moves. A block that would cross the end of a window opens the next, larger one. */
struct window {
	char *base;
	size_t offset, len;
};

struct vectors {
	char *path;
	struct hash128 space;
	size_t dim;
	int fd; /* -1: nothing on disk */
	bool is_writer;
	size_t end; /* bytes of the file that are whole blocks */
	struct hash128 *ids; /* [n] in the order of addition */
	size_t n, cap;
	uint32_t *slots; /* open addressing by id.lo: index into ids + 1; 0 = free */
	size_t n_slots; /* a power of two */
	struct part *parts;
	size_t n_parts;
	struct window *windows;
	size_t n_windows;
};

static size_t round_up(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t block_bytes(const struct vectors *v, size_t n)
{
	return sizeof(struct block_head) + round_up(n * sizeof(struct hash128)) +
		round_up(n * v->dim * sizeof(float));
}

static uint64_t body_hash(const struct hash128 *ids, const float *data, size_t n, size_t dim)
{
	uint64_t both[2] = {hash64(ids, n * sizeof *ids), hash64(data, n * dim * sizeof *data)};
	return hash64(both, sizeof both);
}

static uint64_t self_hash(const struct block_head *h)
{
	return hash64(h, offsetof(struct block_head, self));
}

/* The slot of id: where it stands, or the free one where it would. */
static size_t find_slot(const struct vectors *v, struct hash128 id)
{
	size_t at = (size_t)id.lo & (v->n_slots - 1);
	while (v->slots[at]) {
		struct hash128 have = v->ids[v->slots[at] - 1];
		if (have.lo == id.lo && have.hi == id.hi)
			break;
		at = (at + 1) & (v->n_slots - 1);
	}
	return at;
}

static void rehash(struct vectors *v, size_t n_slots)
{
	free(v->slots);
	v->n_slots = n_slots;
	v->slots = xcalloc(n_slots, sizeof *v->slots);
	for (size_t i = 0; i < v->n; i++)
		v->slots[find_slot(v, v->ids[i])] = (uint32_t)(i + 1);
}

static void make_room(struct vectors *v, size_t more)
{
	size_t want = v->n + more, n_slots = v->n_slots;
	if (want > v->cap) {
		v->cap = want > 2 * v->cap ? want : 2 * v->cap;
		v->ids = xreallocarray(v->ids, v->cap, sizeof *v->ids);
	}
	while (n_slots < want * 2)
		n_slots *= 2;
	if (n_slots != v->n_slots)
		rehash(v, n_slots);
}

/* Takes in n vectors whose data stay where they are. */
static void index_part(
	struct vectors *v, const struct hash128 *ids, const float *data, float *owned, size_t n)
{
	v->parts = xreallocarray(v->parts, v->n_parts + 1, sizeof *v->parts);
	v->parts[v->n_parts++] = (struct part){v->n, n, data, owned};
	make_room(v, n);
	for (size_t i = 0; i < n; i++) {
		v->ids[v->n] = ids[i];
		v->slots[find_slot(v, ids[i])] = (uint32_t)(v->n + 1);
		v->n++;
	}
}

/* Memory for bytes [offset, offset + len) of the file, which exist. */
static const char *window_at(struct vectors *v, size_t offset, size_t len, struct err *err)
{
	if (v->n_windows) {
		const struct window *w = &v->windows[v->n_windows - 1];
		if (offset >= w->offset && offset + len <= w->offset + w->len)
			return w->base + (offset - w->offset);
	}
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct window w = {NULL, offset / page * page, 0};
	size_t need = offset - w.offset + len;
	w.len = FIRST_MAP;
	while (w.len < 2 * need || w.len < offset)
		w.len *= 2;
	w.base = mmap(NULL, w.len, PROT_READ, MAP_SHARED, v->fd, (off_t)w.offset);
	if (w.base == MAP_FAILED) {
		err_errno(err, "%s: cannot map %zu bytes", v->path, w.len);
		return NULL;
	}
	v->windows = xreallocarray(v->windows, v->n_windows + 1, sizeof *v->windows);
	v->windows[v->n_windows++] = w;
	return w.base + (offset - w.offset);
}

static bool write_all(struct vectors *v, const void *data, size_t len, size_t at, struct err *err)
{
	const char *p = data;
	while (len) {
		ssize_t put = fault_hit(FAULT_WRITE) ? -1 : pwrite(v->fd, p, len, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return err_errno(err, "%s: cannot write", v->path);
		p += put;
		at += (size_t)put;
		len -= (size_t)put;
	}
	return true;
}

/* Reads blocks from v->end on; stops at the first that is not whole. */
static bool read_blocks(struct vectors *v, size_t file_len, struct err *err)
{
	while (file_len - v->end >= sizeof(struct block_head)) {
		const char *at = window_at(v, v->end, file_len - v->end, err);
		if (!at)
			return false;
		struct block_head h;
		memcpy(&h, at, sizeof h);
		size_t left = file_len - v->end;
		size_t each = sizeof(struct hash128) + v->dim * sizeof(float);
		if (h.magic != BLOCK_MAGIC || h.self != self_hash(&h) || h.n > left / each ||
			block_bytes(v, (size_t)h.n) > left)
			break;
		size_t n = (size_t)h.n, whole = block_bytes(v, n);
		const void *ids = at + sizeof h;
		const void *data = at + sizeof h + round_up(n * sizeof(struct hash128));
		bool is_last = left == whole;
		if (is_last && body_hash(ids, data, n, v->dim) != h.body)
			break;
		index_part(v, ids, data, NULL, n);
		v->end += whole;
	}
	return true;
}

static bool head_is_ours(const struct vectors *v)
{
	struct file_head h;
	return pread(v->fd, &h, sizeof h, 0) == (ssize_t)sizeof h && h.magic == FILE_MAGIC &&
		h.space.lo == v->space.lo && h.space.hi == v->space.hi && h.dim == v->dim;
}

/* What is there already; a writer cuts off what a crash left behind. */
static bool load(struct vectors *v, struct err *err)
{
	struct stat st;
	if (fstat(v->fd, &st) != 0)
		return err_errno(err, "%s: cannot look at it", v->path);
	size_t len = (size_t)st.st_size;
	if (len && head_is_ours(v)) {
		v->end = sizeof(struct file_head);
		if (!read_blocks(v, len, err))
			return false;
	}
	if (!v->is_writer || (v->end == len && len))
		return true;
	if (len)
		log_warn("%s: dropped %zu bytes that a crash left unfinished", v->path,
			len - v->end);
	if (ftruncate(v->fd, (off_t)v->end) != 0)
		return err_errno(err, "%s: cannot cut it to %zu bytes", v->path, v->end);
	if (v->end)
		return true;
	struct file_head h = {FILE_MAGIC, v->space, v->dim, {0}};
	v->end = sizeof h;
	return write_all(v, &h, sizeof h, 0, err);
}

struct vectors *vectors_open(const char *dir, struct hash128 space, size_t dim, struct err *err)
{
	if (!fs_mkdirs(dir, err))
		return NULL;
	char hex[HASH_HEX];
	hash_hex(space, hex);
	struct vectors *v = xcalloc(1, sizeof *v);
	v->path = xasprintf("%s/%s.vec", dir, hex);
	v->space = space;
	v->dim = dim;
	rehash(v, FIRST_SLOTS);
	v->fd = fault_hit(FAULT_OPEN) ? -1 : open(v->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (v->fd >= 0)
		v->is_writer = flock(v->fd, LOCK_EX | LOCK_NB) == 0;
	else
		v->fd = open(v->path, O_RDONLY | O_CLOEXEC);
	if (v->fd < 0 && errno != ENOENT) {
		err_errno(err, "%s: cannot open this cache of vectors; --no-cache does without",
			v->path);
		vectors_close(v);
		return NULL;
	}
	if (v->fd >= 0 && !load(v, err)) {
		vectors_close(v);
		return NULL;
	}
	return v;
}

void vectors_close(struct vectors *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n_windows; i++)
		munmap(v->windows[i].base, v->windows[i].len);
	for (size_t i = 0; i < v->n_parts; i++)
		free(v->parts[i].owned);
	if (v->fd >= 0)
		close(v->fd);
	free(v->windows);
	free(v->parts);
	free(v->slots);
	free(v->ids);
	free(v->path);
	free(v);
}

size_t vectors_count(const struct vectors *v)
{
	return v->n;
}

bool vectors_is_durable(const struct vectors *v)
{
	return v->is_writer;
}

const float *vectors_get(const struct vectors *v, struct hash128 id)
{
	uint32_t slot = v->slots[find_slot(v, id)];
	if (!slot)
		return NULL;
	size_t row = slot - 1, low = 0, high = v->n_parts;
	while (high - low > 1) { /* the last part that begins at or before row */
		size_t mid = low + (high - low) / 2;
		if (v->parts[mid].first <= row)
			low = mid;
		else
			high = mid;
	}
	return v->parts[low].data + (row - v->parts[low].first) * v->dim;
}

/* Appends one block at the end of the file and flushes it. */
static bool append_block(struct vectors *v, const struct hash128 *ids, const float *data, size_t n,
	const char **ret_at, struct err *err)
{
	static const char zeros[64];
	struct block_head h = {BLOCK_MAGIC, n, body_hash(ids, data, n, v->dim), 0, {0}};
	h.self = self_hash(&h);
	size_t id_bytes = n * sizeof *ids, data_bytes = n * v->dim * sizeof *data;
	size_t at_ids = v->end + sizeof h, at_data = at_ids + round_up(id_bytes);
	size_t whole = block_bytes(v, n);
	bool ok = write_all(v, &h, sizeof h, v->end, err) &&
		write_all(v, ids, id_bytes, at_ids, err) &&
		write_all(v, zeros, round_up(id_bytes) - id_bytes, at_ids + id_bytes, err) &&
		write_all(v, data, data_bytes, at_data, err) &&
		write_all(v, zeros, round_up(data_bytes) - data_bytes, at_data + data_bytes, err);
	if (ok && (fault_hit(FAULT_FSYNC) || fdatasync(v->fd) != 0))
		ok = err_errno(err, "%s: cannot flush", v->path);
	const char *at = ok ? window_at(v, v->end, whole, err) : NULL;
	if (!at) {
		/* Should this fail too, the next opening drops the torn block. */
		if (ftruncate(v->fd, (off_t)v->end) != 0)
			log_warn("%s: cannot cut off an unfinished block", v->path);
		return false;
	}
	*ret_at = at + (at_data - v->end);
	v->end += whole;
	return true;
}

bool vectors_add(
	struct vectors *v, const struct hash128 *ids, const float *data, size_t n, struct err *err)
{
	if (n >= UINT32_MAX - v->n)
		return err_set(err, ERR_FAILED, "%s: holds %zu vectors, cannot take %zu more",
			v->path, v->n, n);
	struct hash128 *new_ids = xreallocarray(NULL, n + 1, sizeof *new_ids);
	float *rows = try_malloc(n + 1, v->dim * sizeof *rows, "vectors for the cache", err);
	bool ok = rows != NULL;
	size_t n_new = 0;
	make_room(v, n);
	/* The same id twice in one call: the slot of the first is taken while we look. */
	for (size_t i = 0; ok && i < n; i++) {
		size_t at = find_slot(v, ids[i]);
		if (v->slots[at])
			continue;
		v->ids[v->n + n_new] = ids[i];
		v->slots[at] = (uint32_t)(v->n + n_new + 1);
		new_ids[n_new] = ids[i];
		memcpy(rows + n_new * v->dim, data + i * v->dim, v->dim * sizeof *rows);
		n_new++;
	}
	const void *kept = rows;
	if (ok && n_new && v->is_writer) {
		const char *at = NULL;
		ok = append_block(v, new_ids, rows, n_new, &at, err);
		kept = at;
	}
	if (ok && n_new) {
		index_part(v, new_ids, kept, v->is_writer ? NULL : rows, n_new);
		if (!v->is_writer)
			rows = NULL;
	} else if (n_new) {
		rehash(v, v->n_slots); /* takes the slots back */
	}
	free(rows);
	free(new_ids);
	return ok;
}

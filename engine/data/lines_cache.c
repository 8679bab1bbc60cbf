#include "data/lines_cache.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/log.h"

struct header {
	char magic[8];
	uint64_t format;
	uint64_t size;
	int64_t mtime_s, mtime_ns;
	struct hash128 samples;
	uint64_t n, n_runs;
};

static const char magic[8] = {'v', 's', '-', 'l', 'i', 'n', 'e', 's'};
#define FORMAT 1
#define N_SAMPLES 16
#define SAMPLE_BYTES 4096

/* First, last and evenly between: catches a file that was changed with its size and time kept. */
static struct hash128 hash_samples(const struct fs_map *file)
{
	struct hasher *h = hasher_new();
	size_t len = file->len < SAMPLE_BYTES ? file->len : SAMPLE_BYTES;
	size_t step = (file->len - len) / (N_SAMPLES - 1);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		size_t at = i == N_SAMPLES - 1 ? file->len - len : i * step;
		hasher_add(h, file->data + at, len);
	}
	return hasher_end(h);
}

static bool expect(const char *path, const struct fs_map *file, struct header *ret)
{
	struct stat st;
	if (stat(path, &st) != 0 || (size_t)st.st_size != file->len)
		return false;
	*ret = (struct header){.format = FORMAT,
		.size = file->len,
		.mtime_s = st.st_mtim.tv_sec,
		.mtime_ns = st.st_mtim.tv_nsec,
		.samples = hash_samples(file)};
	memcpy(ret->magic, magic, sizeof magic);
	return true;
}

static char *cache_path(const char *cache_dir, const char *path)
{
	char *real = realpath(path, NULL), hex[HASH_HEX];
	const char *name = real ? real : path;
	hash_hex(hash128(name, strlen(name)), hex);
	free(real);
	return xasprintf("%s/lines-%s.idx", cache_dir, hex);
}

/* The cache belongs to this file and its sizes add up. */
static bool fits(const struct fs_map *cache, const struct header *want, struct header *ret)
{
	if (cache->len < sizeof *ret)
		return false;
	memcpy(ret, cache->data, sizeof *ret);
	struct header same = *want;
	same.n = ret->n;
	same.n_runs = ret->n_runs;
	size_t room = cache->len - sizeof *ret;
	return memcmp(&same, ret, sizeof same) == 0 && ret->n <= room / sizeof(uint64_t) &&
		ret->n_runs <= room / sizeof(struct blank_run) &&
		ret->n * sizeof(uint64_t) + ret->n_runs * sizeof(struct blank_run) == room;
}

/* Some offsets, looked up in the file: each begins a line and they rise. */
static bool is_plausible(const struct line_index *x, const struct fs_map *file)
{
	uint64_t last = 0;
	for (size_t k = 0; k < N_SAMPLES && x->n > 0; k++) {
		uint64_t at = x->start[(x->n - 1) / (N_SAMPLES - 1) * k];
		if (at < last || at >= file->len || (at > 3 && file->data[at - 1] != '\n'))
			return false;
		last = at;
	}
	return x->n == 0 || x->start[x->n - 1] < file->len;
}

bool lines_cache_read(
	const char *cache_dir, const char *path, const struct fs_map *file, struct line_index *ret)
{
	struct header want, have;
	char *name = cache_path(cache_dir, path);
	struct fs_map cache;
	bool ok = fs_exists(name) && expect(path, file, &want) && fs_map(name, &cache, NULL);
	free(name);
	if (!ok)
		return false;
	struct line_index x = {.cache = cache};
	ok = fits(&cache, &want, &have);
	if (ok) {
		const char *body = cache.data + sizeof have;
		x.start = (const uint64_t *)(const void *)body;
		x.n = have.n;
		x.runs = (const struct blank_run *)(const void *)(body + have.n * sizeof *x.start);
		x.n_runs = have.n_runs;
		ok = is_plausible(&x, file);
	}
	if (!ok) {
		fs_unmap(&cache);
		return false;
	}
	*ret = x;
	return true;
}

void lines_cache_write(const char *cache_dir, const char *path, const struct fs_map *file,
	const struct line_index *x)
{
	struct err err = ERR_INIT;
	struct header head;
	if (!expect(path, file, &head))
		return;
	head.n = x->n;
	head.n_runs = x->n_runs;
	char *name = cache_path(cache_dir, path);
	struct fs_out *out = fs_mkdirs(cache_dir, &err) ? fs_out_open(name, &err) : NULL;
	free(name);
	if (out) {
		fs_out_add(out, &head, sizeof head);
		fs_out_add(out, x->start, x->n * sizeof *x->start);
		fs_out_add(out, x->runs, x->n_runs * sizeof *x->runs);
		if (fs_out_commit(out, &err))
			return;
	}
	log_warn("%s; the lines of %s will be looked for again next time", err.text, path);
}

#include "data/lines.h"

#include <stdlib.h>
#include <sys/stat.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "base/utf8.h"
#include "data/lines_cache.h"

/* How files begin that are no text of ours. */
static const struct {
	const char *bytes;
	size_t len;
	const char *what, *advice;
} foreign[] = {
	{"\xFF\xFE", 2, "UTF-16", "`iconv -f UTF-16 -t UTF-8`"},
	{"\xFE\xFF", 2, "UTF-16", "`iconv -f UTF-16 -t UTF-8`"},
	{"\x1F\x8B", 2, "compressed by gzip", "`zcat`"},
	{"\x28\xB5\x2F\xFD", 4, "compressed by zstd", "`zstdcat`"},
	{"PAR1", 4, "Parquet", "an export to JSONL"},
};

bool lines_map(const char *path, struct fs_map *ret, struct err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_FAILED,
			"%s is a pipe or a device, which cannot be read by position; save it to a "
			"file first",
			path);
	struct fs_map map;
	if (!fs_map(path, &map, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		if (map.len < foreign[i].len ||
			memcmp(map.data, foreign[i].bytes, foreign[i].len) != 0)
			continue;
		fs_unmap(&map);
		return err_set(err, ERR_DATA, "%s is %s, expected lines of UTF-8; %s makes them",
			path, foreign[i].what, foreign[i].advice);
	}
	*ret = map;
	return true;
}

static struct text trimmed(const char *s, const char *end)
{
	if (end > s && end[-1] == '\r')
		end--;
	return (struct text){s, (size_t)(end - s)};
}

static size_t mark_len(const struct fs_map *file)
{
	return file->len >= 3 && memcmp(file->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

struct line_walk line_walk(const struct fs_map *file)
{
	return (struct line_walk){
		file->data + mark_len(file), file->data + file->len, TEXT_NONE, 0};
}

bool line_next(struct line_walk *w)
{
	if (w->at == w->end)
		return false;
	const char *lf = memchr(w->at, '\n', (size_t)(w->end - w->at));
	w->line = trimmed(w->at, lf ? lf : w->end);
	w->at = lf ? lf + 1 : w->end;
	w->number++;
	return true;
}

bool line_is_blank(struct text line)
{
	size_t i = 0;
	while (i < line.len && (line.s[i] == ' ' || line.s[i] == '\t' || line.s[i] == '\r'))
		i++;
	return i == line.len;
}

size_t line_padding(const struct fs_map *file, struct text line)
{
	return (size_t)(file->data + file->len - (line.s + line.len)) + FS_PADDING;
}

size_t line_column(struct text line, size_t offset)
{
	return utf8_count((struct text){line.s, offset < line.len ? offset : line.len}) + 1;
}

/* p, an array whose length the user's file decides, with room for `need` elements; NULL when there
 * is no memory for it, and p stands as it was. */
static void *grown(void *p, size_t *cap, size_t n, size_t need, size_t size, struct err *err)
{
	if (need <= *cap)
		return p;
	void *q = try_malloc(need * 2, size, "offsets of lines", err);
	if (!q)
		return NULL;
	if (n > 0)
		memcpy(q, p, n * size);
	free(p);
	*cap = need * 2;
	return q;
}

/* What find_lines() has found so far. */
struct found {
	uint64_t *start;
	struct blank_run *runs;
	size_t n, cap, n_runs, cap_runs;
};

/* Room for n more lines. */
static bool make_room(struct found *f, size_t n, struct err *err)
{
	uint64_t *start = grown(f->start, &f->cap, f->n, f->n + n, sizeof *start, err);
	f->start = start ? start : f->start;
	size_t need = f->n_runs + n;
	struct blank_run *runs = grown(f->runs, &f->cap_runs, f->n_runs, need, sizeof *runs, err);
	f->runs = runs ? runs : f->runs;
	return start && runs;
}

/* The line [at, end) of data, its LF not counted. */
static void add_line(struct found *f, const char *data, size_t at, size_t end)
{
	if (data[at] == '{' || !line_is_blank(trimmed(data + at, data + end))) {
		f->start[f->n++] = at;
		return;
	}
	size_t n_before = f->n_runs > 0 ? f->runs[f->n_runs - 1].n_before + 1 : 1;
	if (f->n_runs == 0 || f->runs[f->n_runs - 1].row != f->n)
		f->n_runs++;
	f->runs[f->n_runs - 1] = (struct blank_run){f->n, n_before};
}

enum { BLOCK = 64, STRIDE = 128 }; /* bytes of a block, blocks of a stride */
_Static_assert(BLOCK <= FS_PADDING, "the last block is read whole");

/* For each of n blocks from s on: bit i of its mask is set where byte i is LF. */
typedef void (*masks_fn)(const char *s, size_t n, uint64_t *mask);

#ifdef __SSE2__ /* every x86-64 */
static void masks_sse2(const char *s, size_t n, uint64_t *mask)
{
	const __m128i lf = _mm_set1_epi8('\n');
	for (size_t k = 0; k < n; k++, s += BLOCK) {
		mask[k] = 0;
		for (int i = 0; i < BLOCK; i += 16) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s + i));
			int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(v, lf));
			mask[k] |= (uint64_t)(uint32_t)bits << i;
		}
	}
}

__attribute__((target("avx2"))) static void masks_avx2(const char *s, size_t n, uint64_t *mask)
{
	const __m256i lf = _mm256_set1_epi8('\n');
	for (size_t k = 0; k < n; k++, s += BLOCK) {
		__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)s);
		__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(s + 32));
		uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, lf));
		uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, lf));
		mask[k] = low | (uint64_t)high << 32;
	}
}

static masks_fn best_masks(void)
{
	return __builtin_cpu_supports("avx2") ? masks_avx2 : masks_sse2;
}
#else
static void masks_plain(const char *s, size_t n, uint64_t *mask)
{
	for (size_t k = 0; k < n; k++, s += BLOCK) {
		mask[k] = 0;
		for (int i = 0; i < BLOCK; i++)
			mask[k] |= (uint64_t)(s[i] == '\n') << i;
	}
}

static masks_fn best_masks(void)
{
	return masks_plain;
}
#endif

/* About how many lines there are, from those at the beginning: fewer moves while they are found. */
static size_t guess_lines(const struct fs_map *file)
{
	size_t sample = file->len < (1 << 16) ? file->len : 1 << 16, n = 1;
	for (size_t i = 0; i < sample; i++)
		n += file->data[i] == '\n';
	return sample ? (size_t)((double)n / (double)sample * 1.1 * (double)file->len) : 0;
}

/* start[k] for every line that is not blank; a run for every place where lines are missing. */
static bool find_lines(
	const struct fs_map *file, atomic_size_t *progress, struct line_index *ret, struct err *err)
{
	struct found f = {NULL, NULL, 0, 0, 0, 0};
	size_t at = mark_len(file);
	bool ok = make_room(&f, guess_lines(file) / 2 + 1, err);
	size_t n_blocks = (file->len + BLOCK - 1) / BLOCK;
	masks_fn find_masks = best_masks();
	for (size_t block = 0; ok && block < n_blocks; block += STRIDE) {
		uint64_t mask[STRIDE];
		size_t n = n_blocks - block < STRIDE ? n_blocks - block : STRIDE;
		if (progress)
			atomic_store_explicit(progress, block * BLOCK, memory_order_relaxed);
		find_masks(file->data + block * BLOCK, n, mask);
		ok = make_room(&f, n * BLOCK + 1, err);
		for (size_t k = 0; ok && k < n; k++)
			for (; mask[k]; mask[k] &= mask[k] - 1) {
				size_t bit = (size_t)__builtin_ctzll(mask[k]);
				size_t lf = (block + k) * BLOCK + bit;
				add_line(&f, file->data, at, lf);
				at = lf + 1;
			}
	}
	if (ok && at < file->len)
		add_line(&f, file->data, at, file->len);
	if (!ok) {
		free(f.start);
		free(f.runs);
		return false;
	}
	*ret = (struct line_index){.start = f.start,
		.n = f.n,
		.runs = f.runs,
		.n_runs = f.n_runs,
		.owned = {f.start, f.runs}};
	return true;
}

bool line_index_open(const char *path, const struct fs_map *file, const char *cache_dir,
	atomic_size_t *progress, struct line_index *ret, struct err *err)
{
	bool is_cached = cache_dir && file->len >= LINES_CACHE_MIN;
	if (is_cached && lines_cache_read(cache_dir, path, file, ret))
		return true;
	if (!find_lines(file, progress, ret, err))
		return false;
	if (is_cached)
		lines_cache_write(cache_dir, path, file, ret);
	return true;
}

void line_index_close(struct line_index *x)
{
	free(x->owned[0]);
	free(x->owned[1]);
	if (x->cache.data)
		fs_unmap(&x->cache);
	*x = (struct line_index){0};
}

struct text line_index_get(const struct line_index *x, const struct fs_map *file, size_t i)
{
	const char *at = file->data + x->start[i], *end = file->data + file->len;
	const char *lf = memchr(at, '\n', (size_t)(end - at));
	return trimmed(at, lf ? lf : end);
}

size_t line_index_number(const struct line_index *x, size_t i)
{
	size_t low = 0, high = x->n_runs; /* runs before `low` stand before line i */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (x->runs[mid].row <= i)
			low = mid + 1;
		else
			high = mid;
	}
	return i + 1 + (low > 0 ? (size_t)x->runs[low - 1].n_before : 0);
}

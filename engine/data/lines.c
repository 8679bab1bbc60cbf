#include "data/lines.h"

#include <stdlib.h>
#include <sys/stat.h>

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

/* p, an array whose length the user's file decides, with room for one more; NULL when there is no
 * memory for it, and p stands as it was. */
static void *grown(void *p, size_t *cap, size_t n, size_t size, struct err *err)
{
	if (n < *cap)
		return p;
	void *q = try_malloc(*cap * 2, size, "offsets of lines", err);
	if (!q)
		return NULL;
	memcpy(q, p, n * size);
	free(p);
	*cap *= 2;
	return q;
}

static bool add_line(uint64_t **start, size_t *cap, size_t *n, uint64_t offset, struct err *err)
{
	uint64_t *wider = grown(*start, cap, *n, sizeof *wider, err);
	if (!wider)
		return false;
	wider[(*n)++] = offset;
	*start = wider;
	return true;
}

/* One more blank line before row `row`. */
static bool add_blank(struct blank_run **runs, size_t *cap, size_t *n, size_t row, struct err *err)
{
	size_t n_before = *n > 0 ? (*runs)[*n - 1].n_before + 1 : 1;
	if (*n > 0 && (*runs)[*n - 1].row == row) {
		(*runs)[*n - 1].n_before = n_before;
		return true;
	}
	struct blank_run *wider = grown(*runs, cap, *n, sizeof *wider, err);
	if (!wider)
		return false;
	wider[(*n)++] = (struct blank_run){row, n_before};
	*runs = wider;
	return true;
}

/* start[k] for every line that is not blank; a run for every place where lines are missing. */
static bool find_lines(const struct fs_map *file, struct line_index *ret, struct err *err)
{
	size_t cap = file->len / 256 + 64, cap_runs = 64, n = 0, n_runs = 0;
	uint64_t *start = try_malloc(cap, sizeof *start, "offsets of lines", err);
	struct blank_run *runs = try_malloc(cap_runs, sizeof *runs, "offsets of lines", err);
	bool ok = start && runs;
	const char *end = file->data + file->len, *next;
	for (const char *at = file->data + mark_len(file); ok && at < end; at = next) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		next = lf ? lf + 1 : end;
		if (*at == '{' || !line_is_blank(trimmed(at, lf ? lf : end)))
			ok = add_line(&start, &cap, &n, (uint64_t)(at - file->data), err);
		else
			ok = add_blank(&runs, &cap_runs, &n_runs, n, err);
	}
	if (!ok) {
		free(start);
		free(runs);
		return false;
	}
	*ret = (struct line_index){
		.start = start, .n = n, .runs = runs, .n_runs = n_runs, .owned = {start, runs}};
	return true;
}

bool line_index_open(const char *path, const struct fs_map *file, const char *cache_dir,
	struct line_index *ret, struct err *err)
{
	bool is_cached = cache_dir && file->len >= LINES_CACHE_MIN;
	if (is_cached && lines_cache_read(cache_dir, path, file, ret))
		return true;
	if (!find_lines(file, ret, err))
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

#include "tui/rows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/parallel.h"
#include "data/dataset.h"
#include "data/lines.h"
#include "tui/rows_filter.h"

enum { HEAD_ROWS = 400, KEPT = 64, SLICE_MS = 6 };

struct kept {
	bool is_used;
	size_t index;
	struct arena a;
	struct row row;
};

/* Lines of the first file that are known before its index is. */
struct glimpse {
	struct text line[HEAD_ROWS];
	size_t n;
};

/* Who lets go of the rows last frees them: closing never waits for an index that is half made. */
enum stage { LOADING, LOADED, ABANDONED };

struct rows {
	char **paths;
	size_t n_paths;
	char *cache_dir;
	struct fs_map map; /* of the first file; empty for a BEIR folder */
	struct glimpse head, tail;
	struct json_parser *parser;
	pthread_t loader;
	bool has_loader;
	atomic_int stage; /* enum stage */
	atomic_size_t n_seen; /* bytes that the index has passed */
	struct dataset *data; /* the loader's until LOADED */
	struct err load_error;
	struct row_reader *reader;
	struct kept kept[KEPT];
	size_t next_kept;
	struct rows_scan *scan; /* filter and order; NULL = the file's */
};

static void release(struct rows *s)
{
	rows_scan_free(s->scan);
	row_reader_free(s->reader);
	dataset_close(s->data);
	for (size_t i = 0; i < KEPT; i++)
		arena_release(&s->kept[i].a);
	if (s->map.base)
		fs_unmap(&s->map);
	for (size_t i = 0; i < s->n_paths; i++)
		free(s->paths[i]);
	free(s->paths);
	free(s->cache_dir);
	json_parser_free(s->parser);
	free(s);
}

static void *load(void *arg)
{
	struct rows *s = arg;
	struct dataset_options opt = {.cache_dir = s->cache_dir, .progress = &s->n_seen};
	s->data = dataset_open((const char *const *)s->paths, s->n_paths, &opt, &s->load_error);
	if (atomic_exchange(&s->stage, LOADED) == ABANDONED)
		release(s);
	return NULL;
}

static void look_at_head(struct rows *s)
{
	for (struct line_walk w = line_walk(&s->map); s->head.n < HEAD_ROWS && line_next(&w);)
		if (!line_is_blank(w.line))
			s->head.line[s->head.n++] = w.line;
}

static char *without_slash(const char *path)
{
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	return xstrndup(path, n);
}

/* Of what the index has to pass; of a folder, its passages. */
static int64_t n_bytes(const struct rows *s)
{
	int64_t sum = 0;
	for (size_t i = 0; i < s->n_paths; i++) {
		char *corpus = xasprintf("%s/corpus.jsonl", s->paths[i]);
		int64_t n = fs_size(fs_is_dir(s->paths[i]) ? corpus : s->paths[i]);
		sum += n > 0 ? n : 0;
		free(corpus);
	}
	return sum;
}

struct rows *rows_open(const char *const *paths, size_t n, const char *cache_dir, struct err *err)
{
	struct rows *s = xcalloc(1, sizeof *s);
	s->parser = json_parser_new();
	s->paths = xcalloc(n + 1, sizeof *s->paths);
	for (size_t i = 0; i < n; i++)
		s->paths[s->n_paths++] = without_slash(paths[i]);
	s->cache_dir = cache_dir ? xstrdup(cache_dir) : NULL;
	bool ok = true;
	if (n && !fs_is_dir(paths[0]))
		ok = fs_map(paths[0], &s->map, err);
	if (ok && s->map.base)
		look_at_head(s);
	/* A small file is read at once: the first picture is the right one. */
	if (ok && n_bytes(s) >= (int64_t)LINES_CACHE_MIN)
		s->has_loader = pthread_create(&s->loader, NULL, load, s) == 0;
	if (ok && !s->has_loader)
		load(s);
	if (ok && !s->has_loader && !s->data) {
		*err = s->load_error;
		ok = false;
	}
	if (!ok) {
		rows_close(s);
		return NULL;
	}
	return s;
}

void rows_close(struct rows *s)
{
	if (!s)
		return;
	if (s->has_loader) {
		pthread_t loader = s->loader;
		if (atomic_exchange(&s->stage, ABANDONED) == LOADING) {
			pthread_detach(loader); /* frees s when it is done */
			return;
		}
		pthread_join(loader, NULL);
	}
	release(s);
}

const char *rows_name(const struct rows *s)
{
	return s->n_paths ? fs_basename(s->paths[0]) : "";
}

const char *const *rows_paths(const struct rows *s, size_t *ret_n)
{
	*ret_n = s->n_paths;
	return (const char *const *)s->paths;
}

static struct dataset *data_of(const struct rows *s)
{
	return atomic_load(&s->stage) == LOADED ? s->data : NULL;
}

bool rows_is_complete(const struct rows *s)
{
	return data_of(s) != NULL;
}

const char *rows_error(const struct rows *s)
{
	return atomic_load(&s->stage) == LOADED && !s->data ? s->load_error.text : "";
}

int rows_percent(const struct rows *s)
{
	if (rows_is_complete(s))
		return 100;
	size_t share = s->map.len ? 100 * atomic_load(&s->n_seen) / s->map.len : 0;
	return share < 99 ? (int)share : 99;
}

size_t rows_total(const struct rows *s)
{
	struct dataset *d = data_of(s);
	return d ? dataset_rows(d) : s->head.n;
}

size_t rows_shown(const struct rows *s)
{
	return s->scan ? rows_scan_count(s->scan) : rows_total(s);
}

static void fill(struct rows *s, struct kept *k, struct text line, size_t index)
{
	struct err err = ERR_INIT;
	struct dataset *d = data_of(s);
	bool ok;
	k->row = (struct row){.index = index};
	/* Rows of the tail have no number of the files', also when the index has just become
	 * complete. */
	if (d && index < dataset_rows(d)) {
		if (!s->reader)
			s->reader = row_reader_new(d);
		ok = row_reader_copy(s->reader, index, &k->a, &k->row.r, &err);
	} else {
		size_t offset;
		ok = record_parse(s->parser, line, line_padding(&s->map, line), &k->a, &k->row.r,
			&offset, &err);
	}
	k->row.is_broken = !ok;
	if (ok)
		k->row.id = record_id(&k->row.r);
	else
		snprintf(k->row.why, sizeof k->row.why, "%s", err.text);
}

/* A row parsed before the index was complete has no place in the files' errors: it is parsed again then. */
static const struct row *keep(struct rows *s, struct text line, size_t index)
{
	for (size_t i = 0; i < KEPT; i++)
		if (s->kept[i].is_used && s->kept[i].index == index)
			return &s->kept[i].row;
	struct kept *k = &s->kept[s->next_kept++ % KEPT];
	arena_release(&k->a);
	k->is_used = true;
	k->index = index;
	fill(s, k, line, index);
	return &k->row;
}

const struct row *rows_at(struct rows *s, size_t at)
{
	if (s->scan)
		return keep(s, TEXT_NONE, rows_scan_index(s->scan, at));
	return keep(s, at < s->head.n ? s->head.line[at] : TEXT_NONE, at);
}

size_t rows_index(const struct rows *s, size_t at)
{
	return s->scan ? rows_scan_index(s->scan, at) : at;
}

size_t rows_tail(struct rows *s, size_t n)
{
	s->tail.n = 0;
	const char *end = s->map.data + s->map.len, *begin = s->map.data;
	while (s->tail.n < n && s->tail.n < HEAD_ROWS && end > begin) {
		const char *stop = end[-1] == '\n' ? end - 1 : end;
		const char *feed = memrchr(begin, '\n', (size_t)(stop - begin));
		const char *start = feed ? feed + 1 : begin;
		struct text line = {start, (size_t)(stop - start)};
		if (!line_is_blank(line))
			s->tail.line[s->tail.n++] = line;
		end = start;
	}
	return s->tail.n;
}

const struct row *rows_tail_at(struct rows *s, size_t at)
{
	/* numbered from the far end, so that they cannot be taken for rows of the head */
	return keep(s, s->tail.line[s->tail.n - 1 - at], SIZE_MAX - (s->tail.n - 1 - at));
}

static bool set_view(struct rows *s, const char *expression, const char *column, struct err *err)
{
	if (!rows_is_complete(s))
		return *rows_error(s)
			? err_set(err, ERR_FAILED, "%s", rows_error(s))
			: err_set(err, ERR_FAILED,
				  "%d %% indexed: filters and sorting wait for the rest",
				  rows_percent(s));
	struct rows_scan *scan = NULL;
	if ((*expression || *column) &&
		!(scan = rows_scan_new(data_of(s), expression, column, err)))
		return false;
	rows_scan_free(s->scan);
	s->scan = scan;
	return true;
}

bool rows_filter(struct rows *s, const char *expression, struct err *err)
{
	char *column = xstrdup(rows_sort_text(s));
	bool ok = set_view(s, expression, column, err);
	free(column);
	return ok;
}

bool rows_sort(struct rows *s, const char *column, struct err *err)
{
	char *expression = xstrdup(rows_filter_text(s));
	bool ok = set_view(s, expression, column, err);
	free(expression);
	return ok;
}

const char *rows_filter_text(const struct rows *s)
{
	return s->scan ? rows_scan_expression(s->scan) : "";
}

const char *rows_sort_text(const struct rows *s)
{
	return s->scan ? rows_scan_column(s->scan) : "";
}

bool rows_work(struct rows *s)
{
	if (!rows_is_complete(s)) {
		if (atomic_load(&s->stage) == LOADED)
			return false; /* it failed: the head is all there is */
		return true; /* the loader works on its own */
	}
	if (s->has_loader) {
		pthread_join(s->loader, NULL);
		s->has_loader = false;
		for (size_t i = 0; i < KEPT; i++)
			s->kept[i].is_used = false;
		return true;
	}
	return s->scan && rows_scan_step(s->scan, SLICE_MS);
}

int rows_work_percent(const struct rows *s)
{
	return s->scan ? rows_scan_percent(s->scan) : 100;
}

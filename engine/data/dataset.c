#include "data/dataset.h"

#include <stdlib.h>

#include "base/fs.h"
#include "data/beir.h"
#include "data/lines.h"

struct source {
	char *path;
	size_t first, n; /* its rows */
	bool is_beir;
	struct fs_map map; /* JSONL */
	struct line_index lines;
	struct beir beir;
	uint32_t *relevant; /* [n] the qrels that are rows: grade > 0 */
};
struct dataset {
	struct source *sources;
	size_t n_sources, n_rows;
};
struct row_reader {
	const struct dataset *d;
	struct json_parser *parser;
	struct arena arena;
	struct arena_mark empty;
};

enum { FIRST_BLOCK = 1 << 16 };

/* A file of rows begins with an object, whatever its name; other names must show it. */
static bool check_kind(const char *path, const struct fs_map *map, struct err *err)
{
	size_t len = strlen(path);
	if (len >= 6 && strcmp(path + len - 6, ".jsonl") == 0)
		return true;
	for (struct line_walk w = line_walk(map); line_next(&w);) {
		if (line_is_blank(w.line))
			continue;
		const char *first = w.line.s + strspn(w.line.s, " \t\r");
		if (*first == '{')
			return true;
		if (*first == '[')
			return err_set(err, ERR_DATA,
				"%s:%zu: one JSON list, expected one row a line; "
				"`jq -c '.[]' %s` makes that of it",
				path, w.number, path);
		return err_set(err, ERR_DATA,
			"%s:%zu: no rows of JSON, which begin with {, and the name does not end in "
			".jsonl; expected a JSONL file or a BEIR folder",
			path, w.number);
	}
	return true;
}

static bool open_jsonl(
	struct source *s, const char *path, const struct dataset_options *opt, struct err *err)
{
	if (!lines_map(path, &s->map, err))
		return false;
	if (!check_kind(path, &s->map, err) ||
		!line_index_open(path, &s->map, opt->cache_dir, opt->progress, &s->lines, err)) {
		fs_unmap(&s->map);
		return false;
	}
	s->n = s->lines.n;
	return true;
}

static bool open_beir(
	struct source *s, const char *path, const struct dataset_options *opt, struct err *err)
{
	if (!beir_open(path, opt->split ? opt->split : "train", &s->beir, err))
		return false;
	s->is_beir = true;
	s->relevant = xmalloc(s->beir.n_qrels * sizeof *s->relevant + 1);
	for (size_t i = 0; i < s->beir.n_qrels; i++)
		if (s->beir.qrels[i].grade > 0)
			s->relevant[s->n++] = (uint32_t)i;
	return true;
}

struct dataset *dataset_open(
	const char *const *paths, size_t n, const struct dataset_options *opt, struct err *err)
{
	static const struct dataset_options standard = {NULL, NULL, NULL};
	struct dataset *d = xcalloc(1, sizeof *d);
	d->sources = xcalloc(n + 1, sizeof *d->sources);
	for (size_t i = 0; i < n; i++) {
		struct source *s = &d->sources[i];
		s->first = d->n_rows;
		bool ok = fs_is_dir(paths[i]) ? open_beir(s, paths[i], opt ? opt : &standard, err)
					      : open_jsonl(s, paths[i], opt ? opt : &standard, err);
		if (!ok) {
			dataset_close(d);
			return NULL;
		}
		s->path = xstrdup(paths[i]);
		d->n_sources = i + 1;
		d->n_rows += s->n;
	}
	return d;
}

void dataset_close(struct dataset *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_sources; i++) {
		struct source *s = &d->sources[i];
		if (s->is_beir) {
			beir_close(&s->beir);
		} else {
			line_index_close(&s->lines);
			fs_unmap(&s->map);
		}
		free(s->relevant);
		free(s->path);
	}
	free(d->sources);
	free(d);
}

size_t dataset_rows(const struct dataset *d)
{
	return d->n_rows;
}

size_t dataset_files(const struct dataset *d)
{
	return d->n_sources;
}

void dataset_file(const struct dataset *d, size_t k, struct dataset_file *ret)
{
	const struct source *s = &d->sources[k];
	*ret = (struct dataset_file){.path = s->path,
		.first = s->first,
		.n_rows = s->n,
		.n_bytes = s->is_beir ? 0 : s->map.len,
		.is_beir = s->is_beir,
		.n_missing = s->is_beir ? s->beir.n_missing : 0};
}

static const struct source *source_of(const struct dataset *d, size_t i)
{
	size_t low = 0, high = d->n_sources; /* the last source that begins at or before i */
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (d->sources[mid].first <= i)
			low = mid;
		else
			high = mid;
	}
	return &d->sources[low];
}

static const struct qrel *qrel_of(const struct source *s, size_t i)
{
	return &s->beir.qrels[s->relevant[i - s->first]];
}

void dataset_place(const struct dataset *d, size_t i, const char **ret_path, size_t *ret_line)
{
	const struct source *s = source_of(d, i);
	*ret_path = s->is_beir ? s->beir.qrels_path : s->path;
	*ret_line = s->is_beir ? qrel_of(s, i)->line : line_index_number(&s->lines, i - s->first);
}

struct text dataset_line(const struct dataset *d, size_t i)
{
	const struct source *s = source_of(d, i);
	return s->is_beir ? TEXT_NONE : line_index_get(&s->lines, &s->map, i - s->first);
}

struct row_reader *row_reader_new(const struct dataset *d)
{
	struct row_reader *r = xcalloc(1, sizeof *r);
	r->d = d;
	r->parser = json_parser_new();
	r->empty = arena_mark(&r->arena);
	arena_alloc(&r->arena, FIRST_BLOCK); /* survives each rewind: most rows fit into it */
	return r;
}

void row_reader_free(struct row_reader *r)
{
	if (!r)
		return;
	json_parser_free(r->parser);
	arena_release(&r->arena);
	free(r);
}

static void read_qrel(const struct source *s, size_t i, struct arena *a, struct record *ret)
{
	const struct qrel *q = qrel_of(s, i);
	struct candidate *pos = arena_alloc(a, sizeof *pos);
	*pos = candidate_of(s->beir.docs[q->doc]);
	*ret = (struct record){.query = s->beir.queries[q->query], .pos = pos, .n_pos = 1};
}

bool row_reader_copy(
	struct row_reader *r, size_t i, struct arena *a, struct record *ret, struct err *err)
{
	const struct source *s = source_of(r->d, i);
	if (s->is_beir) {
		read_qrel(s, i, a, ret);
		return true;
	}
	struct text line = line_index_get(&s->lines, &s->map, i - s->first);
	size_t offset;
	if (record_parse(r->parser, line, line_padding(&s->map, line), a, ret, &offset, err))
		return true;
	return err_prefix(err, "%s:%zu:%zu", s->path, line_index_number(&s->lines, i - s->first),
		line_column(line, offset));
}

bool row_reader_get(struct row_reader *r, size_t i, struct record *ret, struct err *err)
{
	arena_rewind(&r->arena, r->empty);
	return row_reader_copy(r, i, &r->arena, ret, err);
}

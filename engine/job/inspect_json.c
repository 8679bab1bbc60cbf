#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "job/inspect_report.h"

static void open_member(struct buf *b, const char *key, char bracket)
{
	json_put_key(b, key);
	buf_addch(b, bracket);
}

static void separate(struct buf *b)
{
	char last = b->data[b->len - 1];
	if (last != '[' && last != '{')
		buf_addch(b, ',');
}

static void put_count(struct buf *b, const char *key, size_t n)
{
	json_put_key(b, key);
	json_put_int(b, (int64_t)n);
}

static void put_string(struct buf *b, const char *key, const char *s)
{
	json_put_key(b, key);
	json_put_str(b, s);
}

static void put_place(struct buf *b, const struct dataset *d, size_t row)
{
	const char *path;
	size_t line;
	dataset_place(d, row, &path, &line);
	char *place = xasprintf("%s:%zu", path, line);
	separate(b);
	json_put_str(b, place);
	free(place);
}

static void put_files(struct buf *b, const struct dataset *d, const struct inspect_report *r)
{
	open_member(b, "files", '[');
	for (size_t i = 0; i < dataset_files(d); i++) {
		struct dataset_file f;
		dataset_file(d, i, &f);
		separate(b);
		buf_addch(b, '{');
		put_string(b, "path", f.path);
		put_string(b, "form", f.is_beir ? "beir" : "jsonl");
		put_count(b, "rows", f.n_rows);
		if (r) {
			put_count(b, "queries", r->files[i].n_queries);
			put_count(b, "broken", r->files[i].n_broken);
		}
		if (f.is_beir)
			put_count(b, "missing_qrels", f.n_missing);
		else
			put_count(b, "bytes", f.n_bytes);
		buf_addch(b, '}');
	}
	buf_addch(b, ']');
}

static void put_lengths(struct buf *b, const char *key, const struct lengths *l)
{
	if (l->n == 0)
		return;
	open_member(b, key, '{');
	put_count(b, "n", l->n);
	put_count(b, "min", l->min);
	put_count(b, "p50", l->p50);
	put_count(b, "p90", l->p90);
	put_count(b, "p99", l->p99);
	put_count(b, "max", l->max);
	json_put_key(b, "mean");
	json_put_real(b, l->mean);
	buf_addch(b, '}');
}

static void put_all_lengths(struct buf *b, const struct inspect_report *r)
{
	static const char *const parts[N_PARTS] = {"query", "pos", "neg"};
	open_member(b, "lengths", '{');
	for (size_t i = 0; i < N_PARTS; i++) {
		open_member(b, parts[i], '{');
		put_lengths(b, "chars", &r->chars[i]);
		put_lengths(b, "tokens", &r->tokens[i]);
		put_lengths(b, "per_row", &r->per_row[i]);
		buf_addch(b, '}');
	}
	buf_addch(b, '}');
}

static void put_fields(struct buf *b, const struct inspect_report *r)
{
	open_member(b, "fields", '[');
	for (size_t i = 0; i < r->n_fields; i++) {
		separate(b);
		buf_addch(b, '{');
		put_string(b, "name", r->fields[i].name);
		put_count(b, "rows", r->fields[i].n);
		put_string(b, "type", r->fields[i].type);
		buf_addch(b, '}');
	}
	buf_addch(b, ']');
}

static void put_finding(struct buf *b, const struct dataset *d, const struct finding *f)
{
	struct dataset_file file;
	separate(b);
	buf_addch(b, '{');
	put_string(b, "kind", finding_name(f->kind));
	put_count(b, "count", f->count);
	put_string(b, "what", finding_what(f->kind));
	put_string(b, "advice", finding_advice(f->kind));
	if (f->file_a != f->file_b) {
		dataset_file(d, f->file_a, &file);
		put_string(b, "file", file.path);
		dataset_file(d, f->file_b, &file);
		put_string(b, "other_file", file.path);
	}
	open_member(b, "examples", '[');
	for (size_t i = 0; i < f->n_examples; i++)
		put_place(b, d, f->examples[i].row);
	buf_addch(b, ']');
	if (f->n_examples > 0 && f->examples[0].other != NO_ROW) {
		open_member(b, "equals", '[');
		for (size_t i = 0; i < f->n_examples; i++)
			put_place(b, d, f->examples[i].other);
		buf_addch(b, ']');
	}
	buf_addch(b, '}');
}

void inspect_print_json(const struct dataset *d, const struct inspect_report *r)
{
	struct buf b = BUF_INIT;
	buf_addch(&b, '{');
	put_count(&b, "rows", dataset_rows(d));
	if (r) {
		put_count(&b, "queries", r->n_queries);
		put_count(&b, "broken", r->n_broken);
	} else {
		buf_adds(&b, ",\"queries\":null,\"broken\":null");
	}
	put_files(&b, d, r);
	if (r) {
		put_fields(&b, r);
		put_all_lengths(&b, r);
		open_member(&b, "broken_rows", '[');
		for (size_t i = 0; i < r->n_broken; i++) {
			separate(&b);
			json_put_str(&b, r->broken[i].why);
		}
		buf_addch(&b, ']');
	}
	open_member(&b, "findings", '[');
	for (size_t i = 0; r && i < r->n_findings; i++)
		put_finding(&b, d, &r->findings[i]);
	buf_adds(&b, "]}\n");
	fwrite(b.data, 1, b.len, stdout);
	buf_release(&b);
}

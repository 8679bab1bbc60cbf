#include <stdio.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "job/common.h"
#include "job/inspect_report.h"

enum { SHOWN_FIELDS = 30, SHOWN_BROKEN = 1000, SHOWN_EXAMPLES = 3 };

static void print_files(const struct dataset *d, const struct inspect_report *r)
{
	static const char *const heads[] = {"rows", "queries", "broken", "MB", "file"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < dataset_files(d); i++) {
		struct dataset_file f;
		dataset_file(d, i, &f);
		table_cell(t, "%zu", f.n_rows);
		table_cell(t, r ? "%zu" : "-", r ? r->files[i].n_queries : 0);
		table_cell(t, r ? "%zu" : "-", r ? r->files[i].n_broken : 0);
		table_cell(t, f.is_beir ? "-" : "%.1f", (double)f.n_bytes / 1e6);
		table_cell(t, "%s", f.path);
	}
	table_print(t, stdout);
}

static void add_lengths(struct table *t, const char *what, const struct lengths *l)
{
	if (l->n == 0)
		return;
	table_cell(t, "%s", what);
	table_cell(t, "%zu", l->n);
	table_cell(t, "%zu", l->min);
	table_cell(t, "%zu", l->p50);
	table_cell(t, "%zu", l->p90);
	table_cell(t, "%zu", l->p99);
	table_cell(t, "%zu", l->max);
	table_cell(t, "%.1f", l->mean);
}

static void print_lengths(const struct inspect_report *r)
{
	static const char *const heads[] = {
		"lengths", "texts", "min", "median", "90 %", "99 %", "max", "mean"};
	static const char *const chars[N_PARTS] = {
		"characters of a query", "characters of a positive", "characters of a negative"};
	static const char *const tokens[N_PARTS] = {
		"tokens of a query", "tokens of a positive", "tokens of a negative"};
	static const char *const per_row[N_PARTS] = {
		"", "positives of a row", "negatives of a row"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < N_PARTS; i++)
		add_lengths(t, chars[i], &r->chars[i]);
	for (size_t i = 0; i < N_PARTS; i++)
		add_lengths(t, tokens[i], &r->tokens[i]);
	for (size_t i = 0; i < N_PARTS; i++)
		add_lengths(t, per_row[i], &r->per_row[i]);
	table_print(t, stdout);
}

static void print_fields(const struct inspect_report *r)
{
	static const char *const heads[] = {"rows", "field", "mostly"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	size_t n = r->n_fields < SHOWN_FIELDS ? r->n_fields : SHOWN_FIELDS;
	for (size_t i = 0; i < n; i++) {
		table_cell(t, "%zu", r->fields[i].n);
		table_cell(t, "%s", r->fields[i].name);
		table_cell(t, "%s", r->fields[i].type);
	}
	table_print(t, stdout);
	if (n < r->n_fields)
		printf("and %zu more fields (--json has all)\n", r->n_fields - n);
}

/* One line each, as a compiler names its errors, so that an editor can go there. */
static void print_broken(const struct inspect_report *r)
{
	struct buf line = BUF_INIT;
	size_t n = r->n_broken < SHOWN_BROKEN ? r->n_broken : SHOWN_BROKEN;
	for (size_t i = 0; i < n; i++) {
		buf_clear(&line);
		utf8_sanitize(&line, text_of(r->broken[i].why));
		puts(line.data);
	}
	buf_release(&line);
	if (n < r->n_broken)
		printf("and %zu more broken rows (--json has all)\n", r->n_broken - n);
}

static void add_place(struct buf *b, const struct dataset *d, size_t row)
{
	const char *path;
	size_t line;
	dataset_place(d, row, &path, &line);
	buf_addf(b, "%s:%zu", path, line);
}

static void add_examples(struct table *t, const struct dataset *d, const struct finding *f)
{
	struct buf b = BUF_INIT;
	size_t n = f->n_examples < SHOWN_EXAMPLES ? f->n_examples : SHOWN_EXAMPLES;
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i > 0 ? " " : "");
		add_place(&b, d, f->examples[i].row);
		if (f->examples[i].other == NO_ROW)
			continue;
		buf_addch(&b, '=');
		add_place(&b, d, f->examples[i].other);
	}
	if (f->kind == FINDING_MISSING_QRELS) {
		struct dataset_file file;
		dataset_file(d, f->file_a, &file);
		buf_adds(&b, file.path);
	}
	table_text(t, buf_text(&b));
	buf_release(&b);
}

static void print_findings(const struct dataset *d, const struct inspect_report *r)
{
	static const char *const heads[] = {"rows", "finding", "what to do", "for example"};
	if (r->n_findings == (r->n_broken > 0)) {
		puts("no findings");
		return;
	}
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct finding *f = &r->findings[i];
		if (f->kind == FINDING_BROKEN) /* each has its line above */
			continue;
		table_cell(t, "%zu", f->count);
		table_cell(t, "%s", finding_what(f->kind));
		table_cell(t, "%s", finding_advice(f->kind));
		add_examples(t, d, f);
	}
	table_print(t, stdout);
}

void inspect_print(const struct dataset *d, const struct inspect_report *r)
{
	print_files(d, r);
	if (!r)
		return;
	if (r->n_fields > 0) {
		putchar('\n');
		print_fields(r);
	}
	if (r->n_rows > r->n_broken) {
		putchar('\n');
		print_lengths(r);
	}
	if (r->n_broken > 0) {
		putchar('\n');
		print_broken(r);
	}
	putchar('\n');
	print_findings(d, r);
	printf("\n%zu rows, %zu distinct queries, %zu broken\n", r->n_rows, r->n_queries,
		r->n_broken);
}

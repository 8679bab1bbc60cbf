#include <stdlib.h>

#include "base/fs.h"
#include "base/log.h"
#include "curate/apply.h"
#include "data/dataset.h"
#include "job/common.h"

struct exporter {
	struct dataset *d;
	struct row_reader *reader;
	struct json_parser *parser;
	struct workspace *w; /* NULL = no decisions are applied */
	struct fs_out *out;
	struct apply_counts counts;
	size_t n_broken;
};

static struct workspace *open_decisions(const struct opts *o, struct err *err)
{
	const char *dir = opts_str(o, "workspace");
	if (!dir)
		dir = getenv("VECSMITH_WORKSPACE");
	return workspace_open_reading(dir && *dir ? dir : ".", err);
}

/* A row that nobody touched is copied byte for byte; a BEIR row has no line and is written. */
static void write_row(struct exporter *x, const struct record *r, bool is_changed, struct buf *line)
{
	buf_clear(line);
	if (is_changed || !r->line.len)
		record_write(r, x->parser, line);
	else
		buf_addtext(line, r->line);
	buf_addch(line, '\n');
	fs_out_text(x->out, buf_text(line));
}

static bool export_row(struct exporter *x, size_t i, bool is_strict, struct arena *a,
	struct buf *line, struct err *err)
{
	struct record r, applied;
	struct err row_err = ERR_INIT;
	bool changed = false;
	if (!row_reader_get(x->reader, i, &r, &row_err)) {
		x->n_broken++;
		if (is_strict)
			return err_set(err, row_err.code, "%s", row_err.text);
		log_warn("left out: %s", row_err.text);
		return true;
	}
	if (!x->w) {
		x->counts.n_rows++;
		write_row(x, &r, false, line);
	} else if (apply_decisions(&r, x->w, a, &applied, &changed, &x->counts)) {
		write_row(x, &applied, changed, line);
	}
	return true;
}

static bool export_all(struct exporter *x, bool is_strict, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf line = BUF_INIT;
	bool ok = true;
	for (size_t i = 0; ok && i < dataset_rows(x->d); i++) {
		struct arena_mark mark = arena_mark(&a);
		ok = export_row(x, i, is_strict, &a, &line, err);
		arena_rewind(&a, mark);
		if (i % 1000 == 0)
			log_progress("export", (int64_t)i, (int64_t)dataset_rows(x->d));
	}
	log_progress_end();
	arena_release(&a);
	buf_release(&line);
	return ok;
}

static void print_result(const struct opts *o, const struct exporter *x)
{
	const struct {
		const char *name;
		size_t n;
	} counts[] = {{"rows", x->counts.n_rows - x->counts.n_emptied},
		{"changed", x->counts.n_changed}, {"rejected", x->counts.n_rejected},
		{"promoted", x->counts.n_promoted}, {"edited", x->counts.n_edited},
		{"emptied", x->counts.n_emptied}, {"broken", x->n_broken}};
	struct buf out = BUF_INIT;
	buf_addch(&out, '{');
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		if (opts_flag(o, "json")) {
			json_put_key(&out, counts[i].name);
			json_put_int(&out, (int64_t)counts[i].n);
		} else {
			printf("%-9s %zu\n", counts[i].name, counts[i].n);
		}
	}
	buf_addch(&out, '}');
	if (opts_flag(o, "json"))
		puts(out.data);
	buf_release(&out);
}

bool export_run(const struct opts *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct exporter x = {.parser = json_parser_new()};
	const char *const *paths;
	size_t n = opts_list(o, "in", &paths);
	struct dataset_options opt = {
		.split = opts_str(o, "split"), .cache_dir = job_cache_dir(o, &a)};
	bool ok = !opts_flag(o, "decisions") || (x.w = open_decisions(o, err));
	ok = ok && (x.d = dataset_open(paths, n, &opt, err));
	if (ok)
		x.reader = row_reader_new(x.d);
	ok = ok && (x.out = fs_out_open(opts_str(o, "out"), err)) &&
		export_all(&x, opts_flag(o, "strict"), err);
	if (ok)
		ok = fs_out_commit(x.out, err);
	else
		fs_out_abort(x.out);
	if (ok)
		print_result(o, &x);
	row_reader_free(x.reader);
	dataset_close(x.d);
	workspace_close(x.w);
	json_parser_free(x.parser);
	arena_release(&a);
	return ok;
}

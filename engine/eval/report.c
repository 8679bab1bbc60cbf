#include "eval/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/metrics.h"

static const char **copy_names(struct arena *a, const char *const *names, size_t n)
{
	const char **copy = arena_calloc(a, n, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(a, names[i]);
	return copy;
}

static double *no_numbers(struct arena *a, size_t n)
{
	double *x = arena_calloc(a, n, sizeof *x);
	for (size_t i = 0; i < n; i++)
		x[i] = (double)NAN;
	return x;
}

void report_init(struct report *r, const char *set, const char *const *names, size_t n_metrics,
	const char *const *columns, size_t n_columns, size_t n_queries)
{
	*r = (struct report){.n_metrics = n_metrics,
		.n_columns = n_columns,
		.n_queries = n_queries,
		.arena = ARENA_INIT};
	struct arena *a = &r->arena;
	r->set = arena_strdup(a, set);
	r->names = copy_names(a, names, n_metrics);
	r->columns = copy_names(a, columns, n_columns);
	r->values = no_numbers(a, n_metrics);
	r->low = no_numbers(a, n_metrics);
	r->high = no_numbers(a, n_metrics);
	r->ids = arena_calloc(a, n_queries, sizeof *r->ids);
	r->cells = arena_calloc(a, n_queries * n_columns, sizeof *r->cells);
}

void report_release(struct report *r)
{
	arena_release(&r->arena);
	*r = (struct report){.arena = ARENA_INIT};
}

void report_average(struct report *r, uint64_t seed)
{
	double *column = xcalloc(r->n_queries + 1, sizeof *column);
	for (size_t m = 0; m < r->n_metrics; m++) {
		for (size_t q = 0; q < r->n_queries; q++)
			column[q] = r->cells[q * r->n_columns + m];
		struct interval in = metric_bootstrap(column, r->n_queries, seed);
		r->values[m] = in.mean;
		r->low[m] = in.low;
		r->high[m] = in.high;
	}
	free(column);
}

static int find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

int report_metric(const struct report *r, const char *name)
{
	return find_name(r->names, r->n_metrics, name);
}

int report_column(const struct report *r, const char *name)
{
	return find_name(r->columns, r->n_columns, name);
}

double report_value(const struct report *r, const char *name)
{
	int at = report_metric(r, name);
	return at < 0 ? (double)NAN : r->values[at];
}

static void put_intervals(const struct report *r, struct buf *out)
{
	json_put_key(out, "ci");
	buf_addch(out, '{');
	for (size_t m = 0; m < r->n_metrics; m++) {
		if (isnan(r->low[m]))
			continue;
		json_put_key(out, r->names[m]);
		buf_addch(out, '[');
		json_put_real(out, r->low[m]);
		buf_addch(out, ',');
		json_put_real(out, r->high[m]);
		buf_addch(out, ']');
	}
	buf_addch(out, '}');
}

static void put_queries(const struct report *r, struct buf *out)
{
	json_put_key(out, "per_query");
	buf_addch(out, '{');
	for (size_t q = 0; q < r->n_queries; q++) {
		if (q)
			buf_addch(out, ',');
		json_put_text(out, r->ids[q]);
		buf_adds(out, ":{");
		for (size_t c = 0; c < r->n_columns; c++) {
			double v = r->cells[q * r->n_columns + c];
			if (isnan(v))
				continue;
			json_put_key(out, r->columns[c]);
			json_put_real(out, v);
		}
		buf_addch(out, '}');
	}
	buf_addch(out, '}');
}

void report_put_json(const struct report *r, struct buf *out)
{
	json_put_key(out, "set");
	json_put_str(out, r->set);
	json_put_key(out, "queries");
	json_put_int(out, (int64_t)r->n_queries);
	json_put_key(out, "metrics");
	buf_addch(out, '{');
	for (size_t m = 0; m < r->n_metrics; m++) {
		json_put_key(out, r->names[m]);
		json_put_real(out, r->values[m]);
	}
	buf_addch(out, '}');
	put_intervals(r, out);
	put_queries(r, out);
}

/* The keys of an object, as C strings in a. */
static const char **keys_of(json object, struct arena *a, size_t *ret_n)
{
	const char **keys = arena_calloc(a, json_count(object), sizeof *keys);
	size_t n = 0;
	for (struct json_iter it = json_each(object); json_next(&it);)
		keys[n++] = arena_text(a, (struct text){it.key, it.key_len}).s;
	*ret_n = n;
	return keys;
}

static void read_cells(struct report *r, json queries)
{
	size_t q = 0;
	for (struct json_iter it = json_each(queries); json_next(&it); q++) {
		r->ids[q] = arena_text(&r->arena, (struct text){it.key, it.key_len});
		for (size_t c = 0; c < r->n_columns; c++) {
			double *cell = &r->cells[q * r->n_columns + c];
			*cell = (double)NAN;
			json_real(json_get(it.value, r->columns[c]), cell);
		}
	}
}

static void read_intervals(struct report *r, json ci)
{
	for (size_t m = 0; m < r->n_metrics; m++) {
		double *ends[2] = {&r->low[m], &r->high[m]};
		size_t i = 0;
		for (struct json_iter it = json_each(json_get(ci, r->names[m]));
			i < 2 && json_next(&it); i++)
			json_real(it.value, ends[i]);
	}
}

bool report_read(json object, const char *set, struct report *ret, struct err *err)
{
	json metrics = json_get(object, "metrics"), queries = json_get(object, "per_query");
	if (!json_is(metrics, JSON_OBJECT))
		return err_set(err, ERR_DATA,
			"`metrics` is %s, expected an object as `eval --out` writes it",
			json_type_name(json_type(metrics)));
	struct arena a = ARENA_INIT;
	const char *name;
	size_t len, n_names, n_columns = 0;
	if (json_string(json_get(object, "set"), &name, &len))
		set = arena_text(&a, (struct text){name, len}).s;
	const char **names = keys_of(metrics, &a, &n_names), **columns = NULL;
	for (struct json_iter it = json_each(queries); !columns && json_next(&it);)
		columns = keys_of(it.value, &a, &n_columns);
	report_init(ret, set, names, n_names, columns, n_columns, json_count(queries));
	for (size_t m = 0; m < n_names; m++)
		json_real(json_get(metrics, names[m]), &ret->values[m]);
	read_intervals(ret, json_get(object, "ci"));
	read_cells(ret, queries);
	arena_release(&a);
	return true;
}

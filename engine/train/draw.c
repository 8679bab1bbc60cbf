#include "train/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "json.h"

struct drawer {
	const struct rows *rows;
	struct draw_options opt;
	struct row_reader *reader;
	struct json_parser *parser; /* of the `scores` of a named teacher */
};

bool fill_parse(const char *name, enum fill *ret)
{
	static const char *const names[] = {
		[FILL_NONE] = "none",
		[FILL_REPEAT] = "repeat",
		[FILL_RANDOM] = "random",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum fill)i;
			return true;
		}
	}
	return false;
}

struct drawer *drawer_new(const struct rows *rows, const struct draw_options *opt)
{
	struct drawer *d = xcalloc(1, sizeof *d);
	d->rows = rows;
	d->opt = *opt;
	d->reader = row_reader_new(rows->data);
	d->parser = json_parser_new();
	return d;
}

void drawer_free(struct drawer *d)
{
	if (!d)
		return;
	row_reader_free(d->reader);
	json_parser_free(d->parser);
	free(d);
}

/* Indices of the candidates that hold text, in order. */
static size_t with_text(const struct candidate *c, size_t n, struct arena *a, int64_t **ret)
{
	int64_t *index = arena_alloc(a, n * sizeof *index);
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (!rows_is_blank(c[i].text))
			index[k++] = (int64_t)i;
	*ret = index;
	return k;
}

/* One list of a teacher's object, {"pos":[...],"neg":[...]}, to scores [n]; a list of another length
 * says nothing about which number belongs to which text. */
static void teacher_list(json list, float *scores, size_t n)
{
	if (json_count(list) != n)
		return;
	size_t i = 0;
	for (struct json_iter it = json_each(list); json_next(&it); i++) {
		double v;
		if (json_real(it.value, &v))
			scores[i] = (float)v;
	}
}

/* Scores of all candidates of r: pos [n_pos], neg [n_neg], NAN where there is none. */
static void read_scores(struct drawer *d, const struct record *r, float *pos, float *neg)
{
	for (size_t i = 0; i < r->n_pos; i++)
		pos[i] = d->opt.teacher ? NAN : (float)r->pos[i].score;
	for (size_t i = 0; i < r->n_neg; i++)
		neg[i] = d->opt.teacher ? NAN : (float)r->neg[i].score;
	json row;
	if (!d->opt.teacher || !r->line.s ||
		!json_parse(d->parser, r->line.s, r->line.len, 0, &row, NULL))
		return;
	json of_teacher = json_get(json_get(row, "scores"), d->opt.teacher);
	teacher_list(json_get(of_teacher, "pos"), pos, r->n_pos);
	teacher_list(json_get(of_teacher, "neg"), neg, r->n_neg);
}

/* Moves k of the n indices, drawn without replacement, to the front in the order drawn. */
static void draw_some(struct rng *rng, int64_t *index, size_t n, size_t k)
{
	for (size_t i = 0; i < k; i++) {
		size_t j = i + (size_t)rng_below(rng, n - i);
		int64_t t = index[i];
		index[i] = index[j];
		index[j] = t;
	}
}

/* The list again and again until it has `want` entries, then `want` drawn from all of the repeats,
 * as random.sample(neg * ceil(want / len(neg)), want). */
static size_t repeat(
	struct rng *rng, bool shuffle, int64_t **index, size_t n, size_t want, struct arena *a)
{
	if (n == 0)
		return 0;
	size_t all = (want + n - 1) / n * n;
	int64_t *longer = arena_alloc(a, all * sizeof *longer);
	for (size_t i = 0; i < all; i++)
		longer[i] = (*index)[i % n];
	if (shuffle)
		draw_some(rng, longer, all, want);
	*index = longer;
	return want;
}

static bool is_of_row(const struct record *r, struct text t)
{
	if (text_equal(t, r->query))
		return true;
	for (size_t i = 0; i < r->n_pos; i++)
		if (text_equal(t, r->pos[i].text))
			return true;
	for (size_t i = 0; i < r->n_neg; i++)
		if (text_equal(t, r->neg[i].text))
			return true;
	return false;
}

static bool is_drawn(const struct drawn *g, struct text t)
{
	for (size_t i = 0; i < g->n; i++)
		if (text_equal(t, g->passage[i]))
			return true;
	return false;
}

/* Adds positives of other rows until the group is full. Rows that offer nothing new (few rows, many
 * equal texts) are given up on after a while: the group stays smaller. */
static bool fill_random(
	struct drawer *d, struct rng *rng, struct arena *a, struct drawn *g, struct err *err)
{
	size_t want = (size_t)d->opt.group_size;
	for (size_t tries = 0; g->n < want && tries < 16 * want; tries++) {
		int64_t row = d->rows->usable[rng_below(rng, d->rows->n)];
		struct record other;
		if (row == g->row)
			continue;
		if (!row_reader_get(d->reader, (size_t)row, &other, err))
			return false;
		size_t i = (size_t)rng_below(rng, other.n_pos);
		struct text t = other.pos[i].text;
		if (rows_is_blank(t) || is_of_row(&g->record, t) || is_drawn(g, t))
			continue;
		g->passage[g->n] = arena_text(a, t);
		g->score[g->n++] = NAN;
	}
	return true;
}

bool drawer_draw(struct drawer *d, int64_t epoch, int64_t row, struct arena *a, struct drawn *ret,
	struct err *err)
{
	struct drawn g = {.row = row};
	if (!row_reader_copy(d->reader, (size_t)row, a, &g.record, err))
		return false;
	const struct record *r = &g.record;
	struct rng rng = rng_new(d->opt.seed ^ UINT64_C(0x64726177), /* apart from the order */
		(uint64_t)epoch << 40 ^ (uint64_t)row);
	size_t want = (size_t)d->opt.group_size - 1;
	g.passage = arena_alloc(a, (want + 1) * sizeof *g.passage);
	g.score = arena_alloc(a, (want + 1) * sizeof *g.score);
	float *pos = arena_alloc(a, r->n_pos * sizeof *pos),
	      *neg = arena_alloc(a, r->n_neg * sizeof *neg);
	read_scores(d, r, pos, neg);

	int64_t *index;
	size_t n = with_text(r->pos, r->n_pos, a, &index);
	if (n == 0)
		return err_set(err, ERR_DATA,
			"row %lld lost its positives: the data changed while "
			"they were being used",
			(long long)row);
	int64_t at = index[d->opt.shuffle ? rng_below(&rng, n) : 0];
	g.passage[g.n] = r->pos[at].text;
	g.score[g.n++] = pos[at];

	n = with_text(r->neg, r->n_neg, a, &index);
	if (n < want && d->opt.fill == FILL_REPEAT)
		n = repeat(&rng, d->opt.shuffle, &index, n, want, a);
	else if (d->opt.shuffle)
		draw_some(&rng, index, n, n < want ? n : want);
	for (size_t i = 0; i < n && i < want; i++) {
		g.passage[g.n] = r->neg[index[i]].text;
		g.score[g.n++] = neg[index[i]];
	}
	if (d->opt.fill == FILL_RANDOM && !fill_random(d, &rng, a, &g, err))
		return false;
	*ret = g;
	return true;
}

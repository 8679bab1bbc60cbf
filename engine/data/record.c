#include "data/record.h"

#include <stdlib.h>

#include "data/fields.h"
#include "data/raw.h"

/* ORDER fields */
static const char *const names[N_FIELDS] = {
	[FIELD_ID] = "id",
	[FIELD_QUERY] = "query",
	[FIELD_POS] = "pos",
	[FIELD_NEG] = "neg",
	[FIELD_POS_SCORES] = "pos_scores",
	[FIELD_NEG_SCORES] = "neg_scores",
	[FIELD_POS_SIMS] = "pos_sims",
	[FIELD_NEG_SIMS] = "neg_sims",
	[FIELD_NEG_RANKS] = "neg_ranks",
	[FIELD_NEG_FROM] = "neg_from",
	[FIELD_SCORES] = "scores",
	[FIELD_PROMPT] = "prompt",
	[FIELD_TYPE] = "type",
	[FIELD_CATEGORY] = "category",
};

const char *field_name(enum field f)
{
	return names[f];
}

enum field field_find(struct text name)
{
	enum field f = 0;
	while (f < N_FIELDS && !text_is(name, names[f]))
		f++;
	return f;
}

/* One line on its way to a record. */
struct parse {
	struct text line;
	struct arena *a;
	struct record *r;
	json value[N_FIELDS]; /* valid where `has` */
	bool has[N_FIELDS];
	size_t member[N_FIELDS]; /* which member of the line's object it is */
	size_t *ret_offset;
	struct err *err;
};

static size_t offset_of(struct text line, struct text part)
{
	return part.s ? (size_t)(part.s - line.s) : 0;
}

/* The row is broken at field f, or at its element i when i >= 0. */
static void mark(const struct parse *p, enum field f, ptrdiff_t i)
{
	struct text value = raw_at(p->line, p->member[f]);
	if (i >= 0)
		value = raw_at(value, (size_t)i);
	*p->ret_offset = offset_of(p->line, value);
}

/* Finds our fields. One that stands twice is refused, because readers disagree on which counts. */
static bool collect(struct parse *p, json root)
{
	size_t i = 0;
	for (struct json_iter it = json_each(root); json_next(&it); i++) {
		enum field f = field_find((struct text){it.key, it.key_len});
		if (f == N_FIELDS)
			continue;
		p->member[f] = i;
		if (p->has[f]) {
			mark(p, f, -1);
			return err_set(p->err, ERR_DATA,
				"%s stands twice in the row, expected once", names[f]);
		}
		p->has[f] = true;
		p->value[f] = it.value;
	}
	return true;
}

/* True when the field is there and not null. */
static bool given(const struct parse *p, enum field f)
{
	return p->has[f] && !json_is(p->value[f], JSON_NULL);
}

static bool copy_string(const struct parse *p, json v, struct text *ret)
{
	struct text t;
	if (!json_string(v, &t.s, &t.len))
		return false;
	*ret = arena_text(p->a, t);
	return true;
}

static bool parse_query(struct parse *p, json root)
{
	if (!p->has[FIELD_QUERY]) {
		*p->ret_offset = 0;
		if (json_is(json_get(root, "text"), JSON_STRING))
			return err_set(p->err, ERR_DATA,
				"no query, but a text: this looks like a passage or a query of a "
				"BEIR folder, expected a row with query, pos and neg");
		return err_set(p->err, ERR_DATA,
			"no query in the row, expected an object with query, pos and neg");
	}
	json v = p->value[FIELD_QUERY];
	if (copy_string(p, v, &p->r->query))
		return true;
	mark(p, FIELD_QUERY, -1);
	return err_set(
		p->err, ERR_DATA, "query is %s, expected a string", json_type_name(json_type(v)));
}

/* pos or neg: a list of strings, or one string, which is taken as a list of one. */
static bool parse_side(
	struct parse *p, enum field f, struct candidate **ret, size_t *ret_n, bool *ret_was_string)
{
	if (!given(p, f))
		return true;
	json v = p->value[f];
	struct text t = TEXT_NONE;
	if (copy_string(p, v, &t)) {
		*ret = arena_alloc(p->a, sizeof **ret);
		**ret = candidate_of(t);
		*ret_n = 1;
		*ret_was_string = true;
		return true;
	}
	if (!json_is(v, JSON_ARRAY)) {
		mark(p, f, -1);
		return err_set(p->err, ERR_DATA, "%s is %s, expected a list of strings", names[f],
			json_type_name(json_type(v)));
	}
	struct candidate *c = arena_alloc(p->a, json_count(v) * sizeof *c);
	size_t n = 0;
	for (struct json_iter it = json_each(v); json_next(&it); n++) {
		if (!copy_string(p, it.value, &t)) {
			mark(p, f, (ptrdiff_t)n);
			return err_set(p->err, ERR_DATA, "%s[%zu] is %s, expected a string",
				names[f], n, json_type_name(json_type(it.value)));
		}
		c[n] = candidate_of(t);
	}
	*ret = c;
	*ret_n = n;
	return true;
}

/* n numbers, null for none; false when v is no such list. */
static bool parse_numbers(json v, size_t n, double *out)
{
	if (!json_is(v, JSON_ARRAY) || json_count(v) != n)
		return false;
	for (struct json_iter it = json_each(v); json_next(&it); out++) {
		*out = NAN;
		if (!json_real(it.value, out) && !json_is(it.value, JSON_NULL))
			return false;
	}
	return true;
}

static bool parse_scores(
	const struct parse *p, enum field f, struct candidate *c, size_t n, bool is_sim)
{
	if (!given(p, f))
		return true;
	double *x = arena_alloc(p->a, n * sizeof *x);
	if (!parse_numbers(p->value[f], n, x))
		return false;
	for (size_t i = 0; i < n; i++)
		*(is_sim ? &c[i].sim : &c[i].score) = x[i];
	return true;
}

static bool parse_ranks(const struct parse *p, struct candidate *c, size_t n)
{
	json v = p->value[FIELD_NEG_RANKS];
	if (!given(p, FIELD_NEG_RANKS))
		return true;
	if (!json_is(v, JSON_ARRAY) || json_count(v) != n)
		return false;
	int64_t *x = arena_alloc(p->a, n * sizeof *x);
	size_t i = 0;
	for (struct json_iter it = json_each(v); json_next(&it); i++) {
		x[i] = -1;
		if (!json_is(it.value, JSON_NULL) && (!json_int(it.value, &x[i]) || x[i] < 0))
			return false;
	}
	for (i = 0; i < n; i++)
		c[i].rank = x[i];
	return true;
}

static bool parse_from(const struct parse *p, struct candidate *c, size_t n)
{
	json v = p->value[FIELD_NEG_FROM];
	if (!given(p, FIELD_NEG_FROM))
		return true;
	if (!json_is(v, JSON_ARRAY) || json_count(v) != n)
		return false;
	struct text *x = arena_alloc(p->a, n * sizeof *x);
	size_t i = 0;
	for (struct json_iter it = json_each(v); json_next(&it); i++) {
		x[i] = TEXT_NONE;
		if (!json_is(it.value, JSON_NULL) && !copy_string(p, it.value, &x[i]))
			return false;
	}
	for (i = 0; i < n; i++)
		c[i].from = x[i];
	return true;
}

/* scores.NAME.pos or .neg into the candidates. */
static bool parse_taught(
	const struct parse *p, json v, size_t teacher, struct candidate *c, size_t n)
{
	if (json_is(v, JSON_MISSING) || json_is(v, JSON_NULL))
		return true;
	double *x = arena_alloc(p->a, n * sizeof *x);
	if (!parse_numbers(v, n, x))
		return false;
	for (size_t i = 0; i < n; i++)
		record_set_score(p->r, &c[i], teacher, x[i], p->a);
	return true;
}

static void parse_teachers(struct parse *p)
{
	struct record *r = p->r;
	if (!given(p, FIELD_SCORES) || !json_is(p->value[FIELD_SCORES], JSON_OBJECT))
		return;
	for (struct json_iter it = json_each(p->value[FIELD_SCORES]); json_next(&it);) {
		if (!json_is(it.value, JSON_OBJECT))
			continue;
		struct text name = arena_text(p->a, (struct text){it.key, it.key_len});
		size_t t = record_teacher(r, name, p->a);
		copy_string(p, json_get(it.value, "form"), &r->teachers[t].form);
		copy_string(p, json_get(it.value, "model"), &r->teachers[t].model);
		r->pos_scores_bad |=
			!parse_taught(p, json_get(it.value, "pos"), t, r->pos, r->n_pos);
		r->neg_scores_bad |=
			!parse_taught(p, json_get(it.value, "neg"), t, r->neg, r->n_neg);
	}
}

static void parse_optional(const struct parse *p, enum field f, struct text *ret)
{
	if (p->has[f])
		copy_string(p, p->value[f], ret);
}

bool record_parse(struct json_parser *parser, struct text line, size_t padding, struct arena *a,
	struct record *ret, size_t *ret_offset, struct err *err)
{
	json root;
	struct json_why why;
	if (!json_parse(parser, line.s, line.len, padding, &root, &why)) {
		*ret_offset = why.offset < line.len ? why.offset : line.len;
		return err_set(err, ERR_DATA, "not JSON: %s", why.reason);
	}
	*ret_offset = 0;
	if (!json_is(root, JSON_OBJECT))
		return err_set(err, ERR_DATA,
			"the row is %s, expected an object with query, pos and neg",
			json_type_name(json_type(root)));
	struct record r = {.line = line, .n_replaced = json_parser_replaced(parser)};
	struct parse p = {.line = line, .a = a, .r = &r, .ret_offset = ret_offset, .err = err};
	if (!collect(&p, root) || !parse_query(&p, root) ||
		!parse_side(&p, FIELD_POS, &r.pos, &r.n_pos, &r.pos_was_string) ||
		!parse_side(&p, FIELD_NEG, &r.neg, &r.n_neg, &r.neg_was_string))
		return false;
	r.pos_scores_bad = !parse_scores(&p, FIELD_POS_SCORES, r.pos, r.n_pos, false);
	r.pos_scores_bad |= !parse_scores(&p, FIELD_POS_SIMS, r.pos, r.n_pos, true);
	r.neg_scores_bad = !parse_scores(&p, FIELD_NEG_SCORES, r.neg, r.n_neg, false);
	r.neg_scores_bad |= !parse_scores(&p, FIELD_NEG_SIMS, r.neg, r.n_neg, true);
	r.neg_scores_bad |= !parse_ranks(&p, r.neg, r.n_neg);
	r.neg_scores_bad |= !parse_from(&p, r.neg, r.n_neg);
	parse_teachers(&p);
	parse_optional(&p, FIELD_PROMPT, &r.prompt);
	parse_optional(&p, FIELD_TYPE, &r.type);
	parse_optional(&p, FIELD_CATEGORY, &r.category);
	parse_optional(&p, FIELD_ID, &r.id);
	*ret = r;
	return true;
}

static void widen(struct candidate *c, size_t n, size_t n_teachers, struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		if (!c[i].by_teacher)
			continue;
		double *x = arena_alloc(a, (n_teachers + 1) * sizeof *x);
		memcpy(x, c[i].by_teacher, n_teachers * sizeof *x);
		x[n_teachers] = NAN;
		c[i].by_teacher = x;
	}
}

size_t record_teacher(struct record *r, struct text name, struct arena *a)
{
	size_t t = 0;
	while (t < r->n_teachers && !text_equal(r->teachers[t].name, name))
		t++;
	if (t < r->n_teachers)
		return t;
	struct teacher *grown = arena_alloc(a, (t + 1) * sizeof *grown);
	if (t > 0)
		memcpy(grown, r->teachers, t * sizeof *grown);
	grown[t] = (struct teacher){.name = name};
	widen(r->pos, r->n_pos, t, a);
	widen(r->neg, r->n_neg, t, a);
	r->teachers = grown;
	r->n_teachers = t + 1;
	return t;
}

void record_set_score(
	struct record *r, struct candidate *c, size_t t, double score, struct arena *a)
{
	if (!c->by_teacher) {
		c->by_teacher = arena_alloc(a, r->n_teachers * sizeof *c->by_teacher);
		for (size_t i = 0; i < r->n_teachers; i++)
			c->by_teacher[i] = NAN;
	}
	c->by_teacher[t] = score;
}

static int by_bytes(const void *a, const void *b)
{
	const struct text *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = n > 0 ? memcmp(x->s, y->s, n) : 0;
	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

struct hash128 record_id(const struct record *r)
{
	struct text *pos = xmalloc(r->n_pos * sizeof *pos + 1);
	for (size_t i = 0; i < r->n_pos; i++)
		pos[i] = r->pos[i].text;
	qsort(pos, r->n_pos, sizeof *pos, by_bytes);
	struct hasher *h = hasher_new();
	hasher_text(h, r->query);
	hasher_text(h, r->prompt);
	for (size_t i = 0; i < r->n_pos; i++)
		hasher_text(h, pos[i]);
	free(pos);
	return hasher_end(h);
}

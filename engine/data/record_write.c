/* Writing a row: the members of its old line in their order, ours anew and the rest as they stood,
 * then ours that are new. The old line is walked twice side by side: as JSON, which knows what a
 * key means whatever its escapes, and raw, which has the bytes. */
#include "data/record.h"

#include "data/fields.h"
#include "data/raw.h"

/* An object as JSON and as text, walked together. */
struct old {
	struct json_iter json;
	struct raw_iter raw;
	struct text name; /* of the member: decoded */
	json value;
	struct raw_member member;
};

/* Of nothing when raw is TEXT_NONE or value no object. */
static struct old old_members(json value, struct text raw)
{
	struct old o = {.raw = raw_iter(raw)};
	if (raw.s && json_is(value, JSON_OBJECT))
		o.json = json_each(value);
	else
		o.raw = raw_iter(TEXT_NONE);
	return o;
}

static bool old_next(struct old *o)
{
	if (!raw_next(&o->raw, &o->member) || !json_next(&o->json))
		return false;
	o->name = (struct text){o->json.key, o->json.key_len};
	o->value = o->json.value;
	return true;
}

/* The comma before the next member or element, unless it is the first. */
static void separate(struct buf *b)
{
	bool is_first = b->len == 0 || b->data[b->len - 1] == '{' || b->data[b->len - 1] == '[';
	if (!is_first)
		buf_addch(b, ',');
}

static void put_raw_key(struct buf *b, const struct old *o)
{
	separate(b);
	buf_addtext(b, o->member.key);
	buf_addch(b, ':');
}

static void put_raw(struct buf *b, const struct old *o)
{
	put_raw_key(b, o);
	buf_addtext(b, o->member.value);
}

static void put_optional(struct buf *b, const char *key, struct text t)
{
	if (!t.s)
		return;
	json_put_key(b, key);
	json_put_text(b, t);
}

static void put_texts(struct buf *b, enum field f, const struct candidate *c, size_t n)
{
	json_put_key(b, field_name(f));
	buf_addch(b, '[');
	for (size_t i = 0; i < n; i++) {
		separate(b);
		json_put_text(b, c[i].text);
	}
	buf_addch(b, ']');
}

/* What a candidate has of a list beside the texts: false when it has nothing. b NULL only asks. */
typedef bool (*item_fn)(struct buf *b, const struct candidate *c, size_t teacher);

static bool put_real(struct buf *b, double x)
{
	if (b && !isnan(x))
		json_put_real(b, x);
	return !isnan(x);
}

static bool item_score(struct buf *b, const struct candidate *c, size_t teacher)
{
	(void)teacher;
	return put_real(b, c->score);
}

static bool item_sim(struct buf *b, const struct candidate *c, size_t teacher)
{
	(void)teacher;
	return put_real(b, c->sim);
}

static bool item_taught(struct buf *b, const struct candidate *c, size_t teacher)
{
	return put_real(b, c->by_teacher ? c->by_teacher[teacher] : NAN);
}

static bool item_rank(struct buf *b, const struct candidate *c, size_t teacher)
{
	(void)teacher;
	if (b && c->rank >= 0)
		json_put_int(b, c->rank);
	return c->rank >= 0;
}

static bool item_from(struct buf *b, const struct candidate *c, size_t teacher)
{
	(void)teacher;
	if (b && c->from.s)
		json_put_text(b, c->from);
	return c->from.s != NULL;
}

static bool has_items(const struct candidate *c, size_t n, item_fn item, size_t teacher)
{
	for (size_t i = 0; i < n; i++)
		if (item(NULL, &c[i], teacher))
			return true;
	return false;
}

/* A list as long as the candidates, null where one has nothing; no list when none has. */
static void put_items(struct buf *b, const char *key, const struct candidate *c, size_t n,
	item_fn item, size_t teacher)
{
	if (!has_items(c, n, item, teacher))
		return;
	json_put_key(b, key);
	buf_addch(b, '[');
	for (size_t i = 0; i < n; i++) {
		separate(b);
		if (!item(b, &c[i], teacher))
			buf_adds(b, "null");
	}
	buf_addch(b, ']');
}

static bool is_teachers_own(struct text name)
{
	return text_is(name, "pos") || text_is(name, "neg") || text_is(name, "form") ||
		text_is(name, "model");
}

/* The value of scores.NAME; what its old object held besides our members is kept. */
static void put_teacher(struct buf *b, const struct record *r, size_t t, struct old old)
{
	buf_addch(b, '{');
	put_items(b, "pos", r->pos, r->n_pos, item_taught, t);
	put_items(b, "neg", r->neg, r->n_neg, item_taught, t);
	put_optional(b, "form", r->teachers[t].form);
	put_optional(b, "model", r->teachers[t].model);
	while (old_next(&old))
		if (!is_teachers_own(old.name))
			put_raw(b, &old);
	buf_addch(b, '}');
}

static bool has_taught(const struct record *r, size_t t)
{
	return has_items(r->pos, r->n_pos, item_taught, t) ||
		has_items(r->neg, r->n_neg, item_taught, t);
}

static size_t find_teacher(const struct record *r, struct text name)
{
	size_t t = 0;
	while (t < r->n_teachers && !text_equal(r->teachers[t].name, name))
		t++;
	return t;
}

/* The teachers that the old object names, in its order; its members that are no teachers stay. */
static void put_old_scores(struct buf *b, const struct record *r, json value, struct text raw)
{
	for (struct old o = old_members(value, raw); old_next(&o);) {
		size_t t = find_teacher(r, o.name);
		if (t < r->n_teachers) {
			put_raw_key(b, &o);
			put_teacher(b, r, t, old_members(o.value, o.member.value));
		} else if (!json_is(o.value, JSON_OBJECT)) {
			put_raw(b, &o);
		}
	}
}

static bool names_teacher(json value, struct text raw, struct text name)
{
	for (struct old o = old_members(value, raw); old_next(&o);)
		if (text_equal(o.name, name))
			return true;
	return false;
}

static void put_scores(struct buf *b, const struct record *r, json value, struct text raw)
{
	bool is_needed = raw.s != NULL;
	for (size_t t = 0; t < r->n_teachers; t++)
		is_needed |= has_taught(r, t);
	if (!is_needed)
		return;
	json_put_key(b, field_name(FIELD_SCORES));
	buf_addch(b, '{');
	put_old_scores(b, r, value, raw);
	for (size_t t = 0; t < r->n_teachers; t++) {
		struct text name = r->teachers[t].name;
		if (!has_taught(r, t) || names_teacher(value, raw, name))
			continue;
		separate(b);
		json_put_text(b, name);
		buf_addch(b, ':');
		put_teacher(b, r, t, old_members(value, TEXT_NONE));
	}
	buf_addch(b, '}');
}

static struct text optional_of(const struct record *r, enum field f)
{
	return f == FIELD_ID        ? r->id
		: f == FIELD_PROMPT ? r->prompt
		: f == FIELD_TYPE   ? r->type
				    : r->category;
}

/* Field f from the struct. old: where it stood, or NULL for a field that the line lacks. */
static void put_field(struct buf *b, const struct record *r, enum field f, const struct old *old)
{
	const char *name = field_name(f);
	switch (f) {
	case FIELD_QUERY:
		put_optional(b, name, r->query.s ? r->query : TEXT(""));
		break;
	case FIELD_POS:
		if (old || r->n_pos > 0 || !r->line.s)
			put_texts(b, f, r->pos, r->n_pos);
		break;
	case FIELD_NEG:
		if (old || r->n_neg > 0 || !r->line.s)
			put_texts(b, f, r->neg, r->n_neg);
		break;
	case FIELD_POS_SCORES:
		put_items(b, name, r->pos, r->n_pos, item_score, 0);
		break;
	case FIELD_NEG_SCORES:
		put_items(b, name, r->neg, r->n_neg, item_score, 0);
		break;
	case FIELD_POS_SIMS:
		put_items(b, name, r->pos, r->n_pos, item_sim, 0);
		break;
	case FIELD_NEG_SIMS:
		put_items(b, name, r->neg, r->n_neg, item_sim, 0);
		break;
	case FIELD_NEG_RANKS:
		put_items(b, name, r->neg, r->n_neg, item_rank, 0);
		break;
	case FIELD_NEG_FROM:
		put_items(b, name, r->neg, r->n_neg, item_from, 0);
		break;
	case FIELD_SCORES:
		if (old)
			put_scores(b, r, old->value, old->member.value);
		else
			put_scores(b, r, (json){NULL, 0}, TEXT_NONE);
		break;
	default: /* one of another type than ours is the user's own */
		if (optional_of(r, f).s)
			put_optional(b, name, optional_of(r, f));
		else if (old && !json_is(old->value, JSON_STRING))
			put_raw(b, old);
		break;
	}
}

/* A member `scores` that is no object is the user's own, unless a teacher needs the place. */
static bool is_foreign(const struct record *r, enum field f, json value)
{
	return f == N_FIELDS ||
		(f == FIELD_SCORES && r->n_teachers == 0 && !json_is(value, JSON_OBJECT));
}

void record_write(const struct record *r, struct json_parser *p, struct buf *out)
{
	bool is_done[N_FIELDS] = {false};
	json root;
	buf_addch(out, '{');
	if (r->line.s && json_parse(p, r->line.s, r->line.len, 0, &root, NULL)) {
		for (struct old o = old_members(root, r->line); old_next(&o);) {
			enum field f = field_find(o.name);
			if (is_foreign(r, f, o.value))
				put_raw(out, &o);
			else if (!is_done[f])
				put_field(out, r, f, &o);
			if (f != N_FIELDS)
				is_done[f] = true;
		}
	}
	for (enum field f = 0; f < N_FIELDS; f++)
		if (!is_done[f])
			put_field(out, r, f, NULL);
	buf_addch(out, '}');
}

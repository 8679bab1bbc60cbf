/* One text of `tokenize` -> one line of JSON. */
#include "base/mem.h"
#include "base/utf8.h"
#include "job/common.h"
#include "job/tokenizing.h"

enum side { SIDE_FIRST = -1, SIDE_SECOND = -2 }; /* else a special token: it has no text */

void token_liner_init(struct token_liner *l, const struct tokenizing *z)
{
	*l = (struct token_liner){.z = z, .run = tokenizer_run_new(z->tokenizer)};
}

void token_liner_release(struct token_liner *l)
{
	tokenizer_run_free(l->run);
	ids_release(&l->ids);
	ids_release(&l->types);
	ids_release(&l->sides);
	token_spans_release(&l->spans);
	token_parts_release(&l->parts);
	buf_release(&l->text);
}

struct text token_liner_text(struct token_liner *l, size_t i)
{
	struct text t = l->z->texts.t[i];
	if (l->z->prompt.len == 0)
		return t;
	buf_clear(&l->text);
	buf_addtext(&l->text, l->z->prompt);
	buf_addtext(&l->text, t);
	return buf_text(&l->text);
}

static struct text second_text(const struct token_liner *l, size_t i)
{
	return l->z->has_pairs ? l->z->pairs.t[i] : TEXT_NONE;
}

/* Which text each id of a pair is of: the pair is joined again from marks instead of ids. */
static void find_sides(struct token_liner *l, struct text a, struct text b)
{
	struct token_limits bare = {.no_special = true};
	struct ids first = IDS_INIT, second = IDS_INIT;
	tokenizer_encode(l->run, a, &bare, &first);
	tokenizer_encode(l->run, b, &bare, &second);
	for (size_t i = 0; i < first.n; i++)
		first.id[i] = SIDE_FIRST;
	for (size_t i = 0; i < second.n; i++)
		second.id[i] = SIDE_SECOND;
	l->sides.n = 0;
	tokenizer_join_pair(l->z->tokenizer, &first, &second, &l->z->limits, &l->sides, NULL);
	ids_release(&first);
	ids_release(&second);
}

static size_t encode_ids(struct token_liner *l, struct text a, struct text b)
{
	l->ids.n = l->types.n = l->spans.n = 0;
	if (l->z->fields.offsets)
		return b.s ? tokenizer_encode_pair_spans(
				     l->run, a, b, &l->z->limits, &l->ids, &l->types, &l->spans)
			   : tokenizer_encode_spans(l->run, a, &l->z->limits, &l->ids, &l->spans);
	return b.s ? tokenizer_encode_pair(l->run, a, b, &l->z->limits, &l->ids, &l->types)
		   : tokenizer_encode(l->run, a, &l->z->limits, &l->ids);
}

void token_liner_encode(struct token_liner *l, size_t i)
{
	struct text a = token_liner_text(l, i), b = second_text(l, i);
	size_t whole = encode_ids(l, a, b);
	l->n_tokens += l->ids.n;
	l->n_cut += whole > l->ids.n;
	if (b.s && l->z->fields.offsets)
		find_sides(l, a, b);
}

static void put_list(const int32_t *id, size_t n, struct buf *out)
{
	buf_addch(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(out, ',');
		json_put_int(out, id[i]);
	}
	buf_addch(out, ']');
}

static void put_tokens(const struct tokenizer *t, const int32_t *id, size_t n, struct buf *out)
{
	json_put_key(out, "tokens");
	buf_addch(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(out, ',');
		json_put_text(out, tokenizer_token(t, id[i]));
	}
	buf_addch(out, ']');
}

/* A place in a text, in bytes and in code points. */
struct place {
	struct text t;
	size_t byte, point;
};

/* Tokens mostly go forward, so that a text is passed over once. */
static size_t points_before(struct place *p, size_t byte)
{
	if (byte < p->byte)
		p->byte = p->point = 0;
	if (byte > p->t.len)
		byte = p->t.len;
	p->point += utf8_count((struct text){p->t.s + p->byte, byte - p->byte});
	p->byte = byte;
	return p->point;
}

/* sides NULL: all tokens are of a. */
static void put_offsets(const struct token_span *s, const int32_t *sides, size_t n, struct text a,
	struct text b, struct buf *out)
{
	struct place first = {.t = a}, second = {.t = b};
	json_put_key(out, "offsets");
	buf_addch(out, '[');
	for (size_t i = 0; i < n; i++) {
		struct place *p = sides && sides[i] == SIDE_SECOND ? &second : &first;
		size_t begin = s[i].begin, end = s[i].end;
		if (end > 0) { /* the specials' (0, 0) must not send us back to the beginning */
			begin = points_before(p, begin);
			struct place behind = *p;
			end = points_before(&behind, end);
		}
		buf_addf(out, "%s[%zu,%zu]", i ? "," : "", begin, end);
	}
	buf_addch(out, ']');
}

static void put_fields(struct token_liner *l, const struct ids *ids, const struct ids *types,
	const struct token_span *spans, struct text a, struct text b, struct buf *out)
{
	buf_addch(out, '{');
	json_put_key(out, "ids");
	put_list(ids->id, ids->n, out);
	if (b.s) {
		json_put_key(out, "types");
		put_list(types->id, types->n, out);
	}
	if (l->z->fields.offsets)
		put_offsets(spans, b.s ? l->sides.id : NULL, ids->n, a, b, out);
	if (l->z->fields.tokens)
		put_tokens(l->z->tokenizer, ids->id, ids->n, out);
	buf_addch(out, '}');
}

/* The stretch [begin, end) of a list, which stays the list's. */
static struct ids slice(const struct ids *v, size_t begin, size_t end)
{
	return v->n < end ? (struct ids)IDS_INIT : (struct ids){v->id + begin, end - begin, 0};
}

static void put_parts(struct token_liner *l, size_t i, struct buf *out)
{
	struct text a = token_liner_text(l, i), b = second_text(l, i);
	struct token_parts *p = &l->parts;
	tokenizer_encode_parts(l->run, a, b, &l->z->limits, p);
	buf_addch(out, '{');
	json_put_key(out, "parts");
	buf_addch(out, '[');
	for (size_t k = 0, begin = 0; k < p->n; begin = p->ends[k++]) {
		struct ids ids = slice(&p->ids, begin, p->ends[k]);
		struct ids types = slice(&p->types, begin, p->ends[k]);
		if (k)
			buf_addch(out, ',');
		put_fields(l, &ids, &types, p->spans.s ? p->spans.s + begin : NULL, a, b, out);
		l->n_tokens += ids.n;
	}
	l->n_cut += p->n > 1;
	buf_adds(out, "]}");
}

void token_liner_put(struct token_liner *l, size_t i, struct buf *out)
{
	if (l->z->fields.parts) {
		put_parts(l, i, out);
	} else {
		token_liner_encode(l, i);
		put_fields(l, &l->ids, &l->types, l->spans.s,
			l->z->fields.offsets ? token_liner_text(l, i) : TEXT_NONE,
			second_text(l, i), out);
	}
	buf_addch(out, '\n');
}

/* A thread's run: texts in, ids out. */
#include "text/parts.h"

#include <stdlib.h>

#include "base/utf8.h"

struct tokenizer_run *tokenizer_run_new(const struct tokenizer *t)
{
	struct tokenizer_run *r = xcalloc(1, sizeof(*r));
	r->t = t;
	r->normal.classes = r->pre.classes = &t->classes;
	r->segment = t->segmenter->type->run_new(t->segmenter);
	cache_init(&r->cache);
	return r;
}

static void encoded_release(struct encoded *e)
{
	ids_release(&e->ids);
	free(e->places.p);
}

void tokenizer_run_free(struct tokenizer_run *r)
{
	if (!r)
		return;
	chars_release(&r->raw);
	buf_release(&r->spaced);
	added_spans_release(&r->raw_spans);
	added_spans_release(&r->spans);
	normalize_release(&r->normal);
	pretokenize_release(&r->pre);
	r->t->segmenter->type->run_free(r->segment);
	token_spans_release(&r->pieces);
	cache_release(&r->cache);
	encoded_release(&r->a);
	encoded_release(&r->b);
	free(r);
}

/* Fills e with the ids of t, special tokens of the post-processor not among them. */
static void encode_bare(struct tokenizer_run *r, struct text t, bool with_places, struct encoded *e)
{
	const struct tokenizer *tok = r->t;
	struct places *places = with_places ? &e->places : NULL;
	e->ids.n = e->places.n = 0;
	r->text = t;
	if (!added_is_in(&tok->raw, t)) {
		encode_stretch(r, t, 0, &e->ids, places);
		return;
	}
	r->raw.n = 0;
	chars_decode(&r->raw, t);
	added_split(&tok->raw, &tok->classes, r->raw.c, r->raw.n, &r->raw_spans);
	if (r->raw_spans.n == 1 && r->raw_spans.s[0].id == TRIE_NO_ID) {
		encode_stretch(r, t, 0, &e->ids, places);
		return;
	}
	size_t at = 0; /* byte of the text */
	for (size_t i = 0, c = 0; i < r->raw_spans.n; i++) {
		const struct added_span *s = &r->raw_spans.s[i];
		size_t begin = at, len;
		for (; c < s->end; c++, at += len)
			utf8_decode(t.s + at, t.len - at, &len);
		if (s->id != TRIE_NO_ID)
			encode_added(r, s->id, begin, at, &e->ids, places);
		else
			encode_stretch(
				r, (struct text){t.s + begin, at - begin}, begin, &e->ids, places);
	}
}

static struct post_side side_of(const struct encoded *e, struct text t, bool with_places)
{
	static const int32_t none[1];
	return (struct post_side){.ids = e->ids.id ? e->ids.id : none,
		.n = e->ids.n,
		.places = with_places ? e->places.p : NULL,
		.text = t};
}

size_t tokenizer_encode_spans(struct tokenizer_run *r, struct text t,
	const struct token_limits *limits, struct ids *out, struct token_spans *spans)
{
	encode_bare(r, t, spans != NULL, &r->a);
	struct post_side a = side_of(&r->a, t, spans != NULL);
	size_t whole = post_cut(&r->t->post, &a, NULL, limits);
	post_put(&r->t->post, &a, NULL, limits->no_special, out, NULL, spans);
	return whole;
}

size_t tokenizer_encode_pair_spans(struct tokenizer_run *r, struct text a, struct text b,
	const struct token_limits *limits, struct ids *out, struct ids *types,
	struct token_spans *spans)
{
	encode_bare(r, a, spans != NULL, &r->a);
	encode_bare(r, b, spans != NULL, &r->b);
	struct post_side first = side_of(&r->a, a, spans != NULL);
	struct post_side second = side_of(&r->b, b, spans != NULL);
	size_t whole = post_cut(&r->t->post, &first, &second, limits);
	post_put(&r->t->post, &first, &second, limits->no_special, out, types, spans);
	return whole;
}

size_t tokenizer_encode(
	struct tokenizer_run *r, struct text t, const struct token_limits *limits, struct ids *out)
{
	return tokenizer_encode_spans(r, t, limits, out, NULL);
}

size_t tokenizer_encode_pair(struct tokenizer_run *r, struct text a, struct text b,
	const struct token_limits *limits, struct ids *out, struct ids *types)
{
	return tokenizer_encode_pair_spans(r, a, b, limits, out, types, NULL);
}

static struct post_side side_of_ids(const struct ids *ids)
{
	static const int32_t none[1];
	return (struct post_side){.ids = ids->id ? ids->id : none, .n = ids->n};
}

size_t tokenizer_join(const struct tokenizer *t, const struct ids *a,
	const struct token_limits *limits, struct ids *out)
{
	struct post_side side = side_of_ids(a);
	size_t whole = post_cut(&t->post, &side, NULL, limits);
	post_put(&t->post, &side, NULL, limits->no_special, out, NULL, NULL);
	return whole;
}

size_t tokenizer_join_pair(const struct tokenizer *t, const struct ids *a, const struct ids *b,
	const struct token_limits *limits, struct ids *out, struct ids *types)
{
	struct post_side first = side_of_ids(a), second = side_of_ids(b);
	size_t whole = post_cut(&t->post, &first, &second, limits);
	post_put(&t->post, &first, &second, limits->no_special, out, types, NULL);
	return whole;
}

void token_parts_release(struct token_parts *p)
{
	ids_release(&p->ids);
	ids_release(&p->types);
	token_spans_release(&p->spans);
	free(p->ends);
	*p = (struct token_parts){.ends = NULL};
}

static void put_part(const struct post *post, const struct post_side *a, const struct post_side *b,
	bool no_special, struct token_parts *p)
{
	post_put(post, a, b, no_special, &p->ids, &p->types, &p->spans);
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 16;
		p->ends = xreallocarray(p->ends, p->cap, sizeof(*p->ends));
	}
	p->ends[p->n++] = p->ids.n;
}

void tokenizer_encode_parts(struct tokenizer_run *r, struct text a, struct text b,
	const struct token_limits *limits, struct token_parts *parts)
{
	const struct post *post = &r->t->post;
	encode_bare(r, a, true, &r->a);
	if (b.s)
		encode_bare(r, b, true, &r->b);
	struct post_side first = side_of(&r->a, a, true), other = side_of(&r->b, b, true);
	struct post_side *second = b.s ? &other : NULL;
	post_cut(post, &first, second, limits);
	size_t n_a = post_count_parts(&first, limits), kept_a = first.end - first.begin;
	size_t n_b = second ? post_count_parts(second, limits) : 1;
	size_t kept_b = second ? second->end - second->begin : 0;
	parts->n = parts->ids.n = parts->types.n = parts->spans.n = 0;
	put_part(post, &first, second, limits->no_special, parts);
	/* The later parts of the first text, each with all of the second, then its first part with
	 * the later ones of the second (Encoding::merge_with). */
	for (size_t k = 1; k <= n_a; k++)
		for (size_t j = k == n_a; j < n_b; j++) {
			post_choose_part(&first, limits, kept_a, k % n_a);
			if (second)
				post_choose_part(second, limits, kept_b, j);
			put_part(post, &first, second, limits->no_special, parts);
		}
}

/* The long way of a text: every step as tokenizer.json describes it. */
#include "text/parts.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "text/bytelevel.h"

static void places_add(struct places *v, struct place p)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 64;
		v->p = xreallocarray(v->p, v->cap, sizeof(*v->p));
	}
	v->p[v->n++] = p;
}

static bool is_trimmed(const struct uclass *u, uint32_t c)
{
	return c == BYTELEVEL_SPACE || uclass_of(u, c) & UC_SPACE;
}

/* Counts the white space at the ends of c[0..n), when the post-processor will ask. */
static void count_space(const struct tokenizer *t, const uint32_t *c, size_t n, struct place *p)
{
	p->lead = p->trail = 0;
	if (t->post.n_trims == 0)
		return;
	while (p->lead < n && is_trimmed(&t->classes, c[p->lead]))
		p->lead++;
	while (p->trail < n && is_trimmed(&t->classes, c[n - 1 - p->trail]))
		p->trail++;
}

static void count_space_of_text(struct tokenizer_run *r, struct text spelling, struct place *p)
{
	if (r->t->post.n_trims == 0) {
		p->lead = p->trail = 0;
		return;
	}
	struct chars c = CHARS_INIT;
	chars_decode(&c, spelling);
	count_space(r->t, c.c, c.n, p);
	chars_release(&c);
}

/* Where the character at byte `at` of the whole text ends. */
static uint32_t end_of_char(const struct tokenizer_run *r, uint32_t at)
{
	if (at & PLACE_EMPTY)
		return at & ~PLACE_EMPTY;
	size_t len = 0;
	if (at < r->text.len)
		utf8_decode(r->text.s + at, r->text.len - at, &len);
	return at + (uint32_t)len;
}

/* Of the ids from `first` on, which r->pieces has as code points of the piece. */
static void add_places(struct tokenizer_run *r, const struct piece *p, const struct ids *out,
	size_t first, struct places *places)
{
	const struct tokenizer *t = r->t;
	const struct placed *text = &r->pre.text;
	int32_t unk =
		t->segmenter->type->unk_spells ? t->segmenter->type->unk(t->segmenter) : TRIE_NO_ID;
	for (size_t i = 0; i < r->pieces.n; i++) {
		size_t begin = p->begin + r->pieces.s[i].begin, end = p->begin + r->pieces.s[i].end;
		int32_t id = out->id[first + i];
		struct place place = {
			text->at[begin] & ~PLACE_EMPTY, end_of_char(r, text->at[end - 1]), 0, 0};
		if (id == unk)
			count_space(t, text->c + begin, end - begin, &place);
		else
			count_space_of_text(r, tokenizer_token(t, id), &place);
		places_add(places, place);
	}
}

/* The ids of a piece; pieces that come again are known, in pipelines that have no shortcut. */
static void encode_piece(struct tokenizer_run *r, const uint32_t *c, size_t n, struct ids *out)
{
	const struct tokenizer *t = r->t;
	size_t bytes = n * sizeof(*c), n_known, before = out->n;
	if (t->shortcut.kind != SHORTCUT_NONE || bytes > CACHE_KEY_MAX) {
		t->segmenter->type->encode(t->segmenter, r->segment, c, n, out, NULL);
		return;
	}
	uint64_t hash = hash64(c, bytes);
	const int32_t *known = cache_get(&r->cache, c, bytes, hash, &n_known);
	if (known) {
		ids_append(out, known, n_known);
		return;
	}
	t->segmenter->type->encode(t->segmenter, r->segment, c, n, out, NULL);
	cache_put(&r->cache, c, bytes, hash, out->id + before, out->n - before);
}

/* Cuts normal.from[begin..end) into pieces and segments them. */
static void encode_pieces(
	struct tokenizer_run *r, size_t begin, size_t end, struct ids *out, struct places *places)
{
	const struct tokenizer *t = r->t;
	struct pretokenize_io *io = &r->pre;
	pretokenize_begin(io, &r->normal.from, begin, end);
	pretokenizers_apply(&t->pretokenizers, io);
	for (size_t i = 0; i < io->list.n; i++) {
		const struct piece *p = &io->list.p[i];
		const uint32_t *c = io->text.c + p->begin;
		size_t n = p->end - p->begin, first = out->n;
		if (!places) {
			encode_piece(r, c, n, out);
			continue;
		}
		r->pieces.n = 0;
		t->segmenter->type->encode(t->segmenter, r->segment, c, n, out, &r->pieces);
		add_places(r, p, out, first, places);
	}
}

void encode_added(struct tokenizer_run *r, int32_t id, size_t begin, size_t end, struct ids *out,
	struct places *places)
{
	ids_add(out, id);
	if (!places)
		return;
	struct place place = {(uint32_t)begin, (uint32_t)end, 0, 0};
	count_space_of_text(r, (struct text){r->text.s + begin, end - begin}, &place);
	places_add(places, place);
}

void encode_normalized(struct tokenizer_run *r, struct ids *out, struct places *places)
{
	const struct tokenizer *t = r->t;
	const struct placed *c = &r->normal.from;
	if (t->normalized.n == 0) {
		encode_pieces(r, 0, c->n, out, places);
		return;
	}
	added_split(&t->normalized, &t->classes, c->c, c->n, &r->spans);
	for (size_t i = 0; i < r->spans.n; i++) {
		const struct added_span *s = &r->spans.s[i];
		if (s->id == TRIE_NO_ID) {
			encode_pieces(r, s->begin, s->end, out, places);
			continue;
		}
		ids_add(out, s->id);
		if (!places)
			continue;
		struct place place = {
			c->at[s->begin] & ~PLACE_EMPTY, end_of_char(r, c->at[s->end - 1]), 0, 0};
		count_space(t, c->c + s->begin, s->end - s->begin, &place);
		places_add(places, place);
	}
}

void encode_stretch(
	struct tokenizer_run *r, struct text t, size_t at, struct ids *out, struct places *places)
{
	if (!places && shortcut_encode(r, t, at == 0, out))
		return;
	normalize_begin(&r->normal, t, at);
	normalizers_apply(&r->t->normalizers, 0, &r->normal);
	encode_normalized(r, out, places);
}

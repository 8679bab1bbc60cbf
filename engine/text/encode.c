/* The long way of a text: every step as tokenizer.json describes it. */
#include "text/parts.h"

#include "base/utf8.h"

/* Cuts normalised text into pieces and segments them. */
static void encode_pieces(
	struct tokenizer_run *r, const uint32_t *c, size_t n, bool is_front, struct ids *out)
{
	const struct tokenizer *t = r->t;
	struct pretokenize_io *io = &r->pre;
	io->text.n = 0;
	io->list.n = 0;
	chars_append(&io->text, c, n);
	pieces_add(&io->list, 0, n, is_front);
	pretokenizers_apply(&t->pretokenizers, io);
	for (size_t i = 0; i < io->list.n; i++) {
		const struct piece *p = &io->list.p[i];
		t->segmenter->type->encode(
			t->segmenter, r->segment, io->text.c + p->begin, p->end - p->begin, out);
	}
}

void encode_normalized(struct tokenizer_run *r, bool is_front, struct ids *out)
{
	const struct tokenizer *t = r->t;
	const struct chars *c = &r->normal.from;
	is_front = is_front && r->normal.n_front > 0;
	if (t->normalized.n == 0) {
		encode_pieces(r, c->c, c->n, is_front, out);
		return;
	}
	added_split(&t->normalized, &t->classes, c->c, c->n, &r->spans);
	for (size_t i = 0; i < r->spans.n; i++) {
		const struct added_span *s = &r->spans.s[i];
		if (s->id != TRIE_NO_ID)
			ids_add(out, s->id);
		else
			encode_pieces(r, c->c + s->begin, s->end - s->begin,
				is_front && s->begin == 0, out);
	}
}

void encode_stretch(struct tokenizer_run *r, struct text t, bool is_front, struct ids *out)
{
	if (shortcut_encode(r, t, out))
		return;
	normalize_begin(&r->normal, t);
	normalizers_apply(&r->t->normalizers, 0, &r->normal);
	encode_normalized(r, is_front, out);
}

/* The shortcuts of BPE: raw bytes, cut by scanners or in front of spaces, each piece looked up. */
#include "text/shortcut.h"

#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "text/bpe.h"
#include "text/parts.h"

#define HIGH_BITS 0x8080808080808080u

/* What adds the ids of a piece that the cache does not know. */
typedef void (*encode_fn)(struct tokenizer_run *r, struct text t, struct ids *out);

static inline void put_piece(
	struct tokenizer_run *r, struct text t, encode_fn encode, struct ids *out)
{
	if (t.len > CACHE_KEY_MAX) {
		encode(r, t, out);
		return;
	}
	uint64_t hash = hash64(t.s, t.len);
	size_t n;
	const int32_t *known = cache_get(&r->cache, t.s, t.len, hash, &n);
	if (known) {
		ids_append(out, known, n);
		return;
	}
	size_t before = out->n;
	encode(r, t, out);
	cache_put(&r->cache, t.s, t.len, hash, out->id + before, out->n - before);
}

/* Whether t is UTF-8 and, when that matters, in NFC for certain. */
static bool is_ready(const struct uclass *u, struct text t, bool nfc)
{
	size_t i = 0;
	while (i < t.len) {
		uint64_t eight;
		while (i + sizeof(eight) <= t.len) {
			memcpy(&eight, t.s + i, sizeof(eight));
			if (eight & HIGH_BITS)
				break;
			i += sizeof(eight);
		}
		for (; i < t.len && !(t.s[i] & 0x80); i++)
			;
		while (i < t.len && t.s[i] & 0x80) {
			size_t len;
			uint32_t c = utf8_decode(t.s + i, t.len - i, &len);
			if (len == 1 || (nfc && uclass_of(u, c) & UC_UNSTABLE))
				return false;
			i += len;
		}
	}
	return true;
}

/* t with a space in front, in the run's buffer. */
static struct text with_space(struct tokenizer_run *r, struct text t)
{
	buf_clear(&r->spaced);
	buf_addch(&r->spaced, ' ');
	buf_add(&r->spaced, t.s, t.len);
	return buf_text(&r->spaced);
}

/* t normalised, and with a space in front, in the run's buffer. */
static struct text normalized(struct tokenizer_run *r, struct text t, bool adds_space)
{
	normalize_begin(&r->normal, t, 0);
	normalizers_apply(&r->t->normalizers, 0, &r->normal);
	buf_clear(&r->spaced);
	if (adds_space)
		buf_addch(&r->spaced, ' ');
	chars_encode(r->normal.from.c, r->normal.from.n, &r->spaced);
	return buf_text(&r->spaced);
}

/* SCAN */

/* The scanner that cuts as a pre-tokeniser does; NULL: there is none. */
static scan_fn scan_of(const struct pretokenizer *p)
{
	if (p->type == &pretokenizer_split)
		return p->as.split.scan;
	if (p->type == &pretokenizer_digits)
		return p->as.individual ? scan_each_digit : scan_digits;
	return NULL;
}

bool shortcut_init_scan(struct tokenizer *t)
{
	struct shortcut *s = &t->shortcut;
	const struct normalizers *n = &t->normalizers;
	const struct pretokenizers *p = &t->pretokenizers;
	if (n->n > 1 || (n->n == 1 && n->list[0].type != &normalizer_nfc) || p->n == 0 ||
		p->n > SHORTCUT_SCANS_MAX || !bpe_has_bytes(t->segmenter))
		return false;
	const struct pretokenizer *last = &p->list[p->n - 1];
	if (last->type != &pretokenizer_byte_level ||
		(last->as.byte_level.add_prefix_space && p->n > 1))
		return false;
	s->n_scans = 0;
	for (size_t i = 0; i + 1 < p->n; i++) {
		scan_fn scan = scan_of(&p->list[i]);
		if (!scan)
			return false;
		s->scans[s->n_scans++] = scan;
	}
	if (last->as.byte_level.use_regex)
		s->scans[s->n_scans++] = scan_gpt2;
	s->space = last->as.byte_level.add_prefix_space ? SPACE_UNLESS_THERE : SPACE_NEVER;
	s->is_nfc = n->n == 1;
	s->kind = SHORTCUT_SCAN;
	return true;
}

static void encode_bytes(struct tokenizer_run *r, struct text t, struct ids *out)
{
	bpe_encode_bytes(r->t->segmenter, r->segment, t.s, t.len, out);
}

/* Cuts t by the scanners from `level` on. */
static void cut(struct tokenizer_run *r, struct text t, size_t level, struct ids *out)
{
	const struct shortcut *s = &r->t->shortcut;
	if (level == s->n_scans) {
		put_piece(r, t, encode_bytes, out);
		return;
	}
	scan_fn scan = s->scans[level];
	bool is_last = level + 1 == s->n_scans;
	for (size_t i = 0; i < t.len;) {
		size_t end = scan(&r->t->classes, t, i);
		struct text piece = {t.s + i, end - i};
		if (is_last)
			put_piece(r, piece, encode_bytes, out);
		else
			cut(r, piece, level + 1, out);
		i = end;
	}
}

bool shortcut_encode_scan(struct tokenizer_run *r, struct text t, struct ids *out)
{
	const struct shortcut *s = &r->t->shortcut;
	if (t.len == 0)
		return true;
	bool adds_space = s->space == SPACE_UNLESS_THERE && t.s[0] != ' ';
	if (!is_ready(&r->t->classes, t, s->is_nfc))
		t = normalized(r, t, adds_space);
	else if (adds_space)
		t = with_space(r, t);
	if (added_is_in(&r->t->normalized, t))
		return false;
	cut(r, t, 0, out);
	return true;
}

/* MARKED */

/* Replace of the space by the mark, behind a Prepend of it if any; what is cut at spaces afterwards
 * finds none. */
static bool marks_by_normalizers(const struct tokenizer *t, struct shortcut *s)
{
	const struct normalizer *n = t->normalizers.list;
	const struct pretokenizer *p = t->pretokenizers.list;
	if (t->normalizers.n == 0 || t->normalizers.n > 2 || t->pretokenizers.n > 1)
		return false;
	const struct normalizer *last = &n[t->normalizers.n - 1];
	if (last->type != &normalizer_replace || last->as.replace.regex ||
		last->as.replace.is_run || last->as.replace.from.n != 1 ||
		last->as.replace.from.c[0] != ' ' || last->as.replace.to.n != 1 ||
		last->as.replace.to.c[0] == ' ')
		return false;
	if (t->pretokenizers.n == 1 &&
		(p[0].type != &pretokenizer_split || p[0].as.split.scan || p[0].as.split.regex ||
			p[0].as.split.invert || p[0].as.split.string.n != 1 ||
			p[0].as.split.string.c[0] != ' '))
		return false;
	s->mark = last->as.replace.to.c[0];
	s->space = t->normalizers.n == 2 ? SPACE_ALWAYS : SPACE_NEVER;
	return t->normalizers.n == 1 ||
		(n[0].type == &normalizer_prepend && n[0].as.prepend.n == 1 &&
			n[0].as.prepend.c[0] == s->mark);
}

/* Metaspace that does not cut. */
static bool marks_by_metaspace(const struct tokenizer *t, struct shortcut *s)
{
	const struct pretokenizer *p = t->pretokenizers.list;
	if (t->normalizers.n > 0 || t->pretokenizers.n != 1 ||
		p[0].type != &pretokenizer_metaspace || p[0].as.metaspace.split ||
		p[0].as.metaspace.replacement == ' ')
		return false;
	s->mark = p[0].as.metaspace.replacement;
	s->space = p[0].as.metaspace.prepend == PREPEND_NEVER ? SPACE_NEVER : SPACE_UNLESS_THERE;
	s->only_front = p[0].as.metaspace.prepend == PREPEND_FIRST;
	return true;
}

bool shortcut_init_marked(struct tokenizer *t)
{
	struct shortcut *s = &t->shortcut;
	if (t->normalized.n > 0 || (!marks_by_normalizers(t, s) && !marks_by_metaspace(t, s)) ||
		!bpe_find_cuts(t->segmenter, s->mark, s->no_cut))
		return false;
	s->kind = SHORTCUT_MARKED;
	return true;
}

static bool begins_with_mark(const struct shortcut *s, struct text t)
{
	char mark[4];
	size_t len = utf8_encode(s->mark, mark);
	return t.s[0] == ' ' || (t.len >= len && memcmp(t.s, mark, len) == 0);
}

static void encode_marked(struct tokenizer_run *r, struct text t, struct ids *out)
{
	struct placed *c = &r->normal.from;
	c->n = 0;
	placed_decode(c, t, 0);
	for (size_t i = 0; i < c->n; i++)
		if (c->c[i] == ' ')
			c->c[i] = r->t->shortcut.mark;
	r->t->segmenter->type->encode(r->t->segmenter, r->segment, c->c, c->n, out, NULL);
}

bool shortcut_encode_marked(struct tokenizer_run *r, struct text t, bool is_front, struct ids *out)
{
	const struct shortcut *s = &r->t->shortcut;
	if (t.len == 0)
		return true;
	if (s->space == SPACE_ALWAYS ||
		(s->space == SPACE_UNLESS_THERE && (is_front || !s->only_front) &&
			!begins_with_mark(s, t)))
		t = with_space(r, t);
	for (size_t i = 0; i < t.len;) {
		size_t begin = i;
		while (i < t.len && t.s[i] == ' ')
			i++;
		for (;;) {
			const char *space = memchr(t.s + i, ' ', t.len - i);
			i = space ? (size_t)(space - t.s) : t.len;
			if (i == t.len || i == begin || !s->no_cut[(unsigned char)t.s[i - 1]])
				break;
			while (i < t.len && t.s[i] == ' ')
				i++;
		}
		put_piece(r, (struct text){t.s + begin, i - begin}, encode_marked, out);
	}
	return true;
}

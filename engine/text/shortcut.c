#include "text/shortcut.h"

#include <string.h>

#include "base/hash.h"
#include "text/parts.h"

/* What the tokenizer's own parts make of a text of ASCII characters: the first n_steps normalisers
 * (SIZE_MAX: all), then the pre-tokenisers unless io is NULL. */
static void try_parts(const struct tokenizer *t, const uint32_t *c, size_t n, size_t n_steps,
	struct normalize_io *normal, struct pretokenize_io *io)
{
	normal->from.n = 0;
	for (size_t i = 0; i < n; i++)
		placed_add(&normal->from, c[i], (uint32_t)i);
	for (size_t i = 0; i < t->normalizers.n && i < n_steps; i++)
		normalizer_apply(&t->normalizers.list[i], normal);
	if (!io)
		return;
	pretokenize_begin(io, &normal->from, 0, normal->from.n);
	pretokenizers_apply(&t->pretokenizers, io);
}

/* The id of a piece that is one character; TRIE_NO_ID when it is not one token. */
static int32_t id_of(const struct tokenizer *t, uint32_t c)
{
	const struct segmenter_type *type = t->segmenter->type;
	struct segmenter_run *run = type->run_new(t->segmenter);
	struct ids ids = IDS_INIT;
	type->encode(t->segmenter, run, &c, 1, &ids, NULL);
	int32_t id = ids.n == 1 ? ids.id[0] : TRIE_NO_ID;
	ids_release(&ids);
	type->run_free(run);
	return id;
}

/* BERT: at most one normaliser, which looks at single characters, then BertPreTokenizer. */
static bool is_words(const struct tokenizer *t)
{
	return t->pretokenizers.n == 1 && t->pretokenizers.list[0].type == &pretokenizer_bert &&
		(t->normalizers.n == 0 ||
			(t->normalizers.n == 1 && t->normalizers.list[0].type == &normalizer_bert));
}

static bool init_words(struct tokenizer *t, struct normalize_io *normal, struct pretokenize_io *io)
{
	struct shortcut *s = &t->shortcut;
	for (uint32_t b = 0; b < 128; b++) {
		const uint32_t text[] = {'a', b, 'a'};
		try_parts(t, text, 3, SIZE_MAX, normal, io);
		s->bytes[b] = (uint8_t)(io->list.n == 3 ? BYTE_ALONE
				: io->list.n == 2       ? BYTE_SPACE
							: BYTE_INSIDE);
		if (s->bytes[b] == BYTE_ALONE && (s->alone[b] = id_of(t, b)) == TRIE_NO_ID)
			return false;
	}
	return true;
}

/* Precompiled, Strip and " {2,}", each at most once and in this order, then WhitespaceSplit if any,
 * then Metaspace that cuts and always puts its mark in front. */
static bool is_metaspace(const struct tokenizer *t, struct shortcut *s)
{
	size_t i = 0;
	const struct normalizer *n = t->normalizers.list;
	const struct pretokenizer *p = t->pretokenizers.list;
	size_t last = t->pretokenizers.n - 1;
	if (t->pretokenizers.n == 0 || last > 1 || p[last].type != &pretokenizer_metaspace ||
		!p[last].as.metaspace.split || p[last].as.metaspace.prepend != PREPEND_ALWAYS ||
		(last == 1 && p[0].type != &pretokenizer_whitespace_split))
		return false;
	s->mark = p[last].as.metaspace.replacement;
	s->collapses = s->strips_left = s->strips_right = last == 1;
	if (i < t->normalizers.n && n[i].type == &normalizer_precompiled) {
		s->has_map = true;
		i++;
	}
	if (i < t->normalizers.n && n[i].type == &normalizer_strip) {
		s->strips_left |= n[i].as.strip.left;
		s->strips_right |= n[i].as.strip.right;
		i++;
	}
	if (i < t->normalizers.n && n[i].type == &normalizer_replace) {
		const struct chars *from = &n[i].as.replace.from, *to = &n[i].as.replace.to;
		if (!n[i].as.replace.is_run || from->c[0] != ' ' || to->n != 1 ||
			(to->c[0] != ' ' && to->c[0] != s->mark))
			return false;
		s->collapses = true;
		i++;
	}
	return i == t->normalizers.n;
}

static bool init_metaspace(struct tokenizer *t, struct normalize_io *normal)
{
	struct shortcut *s = &t->shortcut;
	bool splits_any_space = t->pretokenizers.n == 2;
	for (uint32_t b = 0; b < 128; b++) {
		const uint32_t text[] = {'a', b, 'a'};
		try_parts(t, text, 3, s->has_map ? 1 : 0, normal, NULL);
		uint32_t c = normal->from.n == 3 ? normal->from.c[1] : 'a';
		bool is_space =
			c == ' ' || (splits_any_space && uclass_of(&t->classes, c) & UC_SPACE);
		s->bytes[b] = (uint8_t)(is_space ? BYTE_SPACE : BYTE_INSIDE);
	}
	s->lone = id_of(t, s->mark);
	return s->bytes[' '] == BYTE_SPACE && s->lone != TRIE_NO_ID;
}

/* Whether every token that is looked for in normalised text lies within one chunk, where
 * encode_chunk() sees it. */
static bool added_are_inside(const struct tokenizer *t)
{
	for (size_t i = 0; i < t->normalized.n; i++) {
		struct text string = t->normalized.strings[i];
		for (size_t k = 0; k < string.len; k++)
			if (t->shortcut.bytes[(unsigned char)string.s[k]] != BYTE_INSIDE)
				return false;
	}
	return true;
}

void shortcut_init(struct tokenizer *t)
{
	struct shortcut *s = &t->shortcut;
	*s = (struct shortcut){.kind = SHORTCUT_NONE};
	if (shortcut_init_scan(t) || shortcut_init_marked(t))
		return;
	*s = (struct shortcut){.kind = SHORTCUT_NONE};
	struct normalize_io normal = {.classes = &t->classes};
	struct pretokenize_io io = {.classes = &t->classes};
	enum shortcut_kind kind = SHORTCUT_NONE;
	if (is_words(t)) {
		if (init_words(t, &normal, &io))
			kind = SHORTCUT_WORDS;
	} else if (is_metaspace(t, s) && init_metaspace(t, &normal)) {
		kind = SHORTCUT_METASPACE;
	}
	if (kind != SHORTCUT_NONE && added_are_inside(t))
		s->kind = kind;
	normalize_release(&normal);
	pretokenize_release(&io);
}

/* A chunk that the cache does not know, on the long way. False: it depends on its neighbours. */
static bool encode_chunk(struct tokenizer_run *r, struct text t, struct ids *out)
{
	const struct shortcut *s = &r->t->shortcut;
	struct normalize_io *io = &r->normal;
	const struct uclass *u = &r->t->classes;
	normalize_begin(io, t, 0);
	size_t first = 0;
	if (s->kind == SHORTCUT_METASPACE) {
		/* A mark would join the space in front, a prepended sign the space behind. */
		if (uclass_of(u, io->from.c[0]) & UC_EXTEND ||
			uclass_of(u, io->from.c[io->from.n - 1]) & UC_PREPEND)
			return false;
		if (s->has_map)
			normalizer_apply(&r->t->normalizers.list[first++], io);
		const uint32_t *c = io->from.c;
		size_t n = io->from.n;
		if (n == 0 || c[0] == s->mark || uclass_of(u, c[0]) & UC_SPACE ||
			uclass_of(u, c[n - 1]) & UC_SPACE)
			return false;
	}
	normalizers_apply(&r->t->normalizers, first, io);
	if (added_is_in_chars(&r->t->normalized, io->from.c, io->from.n))
		return false; /* its neighbours count: single_word, lstrip, rstrip */
	encode_normalized(r, out, NULL);
	return true;
}

/* The ids of one chunk, from the cache if it is there. */
static bool put_chunk(struct tokenizer_run *r, struct text t, struct ids *out)
{
	uint64_t hash = hash64(t.s, t.len);
	size_t n;
	const int32_t *known = cache_get(&r->cache, t.s, t.len, hash, &n);
	if (known) {
		ids_append(out, known, n);
		return true;
	}
	size_t before = out->n;
	if (!encode_chunk(r, t, out))
		return false;
	cache_put(&r->cache, t.s, t.len, hash, out->id + before, out->n - before);
	return true;
}

static bool encode_words(struct tokenizer_run *r, struct text t, struct ids *out)
{
	const struct shortcut *s = &r->t->shortcut;
	size_t before = out->n;
	for (size_t i = 0; i < t.len;) {
		unsigned char b = (unsigned char)t.s[i];
		if (s->bytes[b] != BYTE_INSIDE) {
			if (s->bytes[b] == BYTE_ALONE)
				ids_add(out, s->alone[b]);
			i++;
			continue;
		}
		size_t begin = i;
		while (i < t.len && s->bytes[(unsigned char)t.s[i]] == BYTE_INSIDE)
			i++;
		if (!put_chunk(r, (struct text){t.s + begin, i - begin}, out)) {
			out->n = before;
			return false;
		}
	}
	return true;
}

/* How many spaces t.s[*i..] begins with; *i moves behind them. */
static size_t count_spaces(const struct shortcut *s, struct text t, size_t *i)
{
	size_t n = 0;
	for (; *i < t.len && s->bytes[(unsigned char)t.s[*i]] == BYTE_SPACE; (*i)++) {
		/* CR LF is one grapheme cluster, hence one entry of the map. */
		bool is_crlf = s->has_map && t.s[*i] == '\n' && n > 0 && t.s[*i - 1] == '\r';
		n += !is_crlf;
	}
	return n;
}

static bool encode_metaspace(struct tokenizer_run *r, struct text t, struct ids *out)
{
	const struct shortcut *s = &r->t->shortcut;
	size_t before = out->n;
	for (size_t i = 0; i < t.len;) {
		bool is_front = i == 0;
		size_t spaces = count_spaces(s, t, &i);
		bool is_end = i == t.len;
		if (s->collapses && spaces > 1)
			spaces = 1;
		if ((is_front && s->strips_left) || (is_end && s->strips_right))
			spaces = 0;
		/* The last space before a chunk is the mark of its first piece. */
		for (size_t k = is_end ? 0 : 1; k < spaces; k++)
			ids_add(out, s->lone);
		if (is_end)
			break;
		size_t begin = i;
		while (i < t.len && s->bytes[(unsigned char)t.s[i]] != BYTE_SPACE)
			i++;
		if (!put_chunk(r, (struct text){t.s + begin, i - begin}, out)) {
			out->n = before;
			return false;
		}
	}
	return true;
}

bool shortcut_encode(struct tokenizer_run *r, struct text t, bool is_front, struct ids *out)
{
	switch (r->t->shortcut.kind) {
	case SHORTCUT_WORDS:
		return encode_words(r, t, out);
	case SHORTCUT_METASPACE:
		return encode_metaspace(r, t, out);
	case SHORTCUT_SCAN:
		return shortcut_encode_scan(r, t, out);
	case SHORTCUT_MARKED:
		return shortcut_encode_marked(r, t, is_front, out);
	default:
		return false;
	}
}

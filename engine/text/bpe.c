#include "text/bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonfile.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/bytelevel.h"

#define SCRATCH_KEPT ((size_t)1 << 20) /* symbols that a run keeps from a long piece to the next */

struct bpe {
	struct segmenter base;
	const struct vocab *vocab;
	struct bpe_merges merges;
	int32_t unk;
	bool fuse_unk, byte_fallback, ignore_merges;
	bool has_bytes; /* bytes[] is complete, and nothing else decides on a character */
	int32_t bytes[256]; /* ids of the alphabet of bytes */
	struct bpe_bytes *pairs; /* of two of them; NULL unless has_bytes */
	int32_t fallback[256]; /* ids of <0x00> ...; TRIE_NO_ID: absent */
	struct text prefix, suffix; /* of characters inside a piece, of the last one */
};

/* What of t an error shows. */
static struct text shown(struct text t)
{
	return (struct text){t.s, t.len > 60 ? 60 : t.len};
}

static bool missing_token(struct text t, struct err *err)
{
	return err_set(
		err, ERR_DATA, "token \"%.*s\" is not in the vocabulary", TEXT_ARG(shown(t)));
}

/* One merge: the spelling of the whole is that of its parts, the second without the prefix. */
static bool put_merge(
	struct bpe *b, struct text left, struct text right, uint32_t rank, struct err *err)
{
	const struct trie *t = &b->vocab->trie;
	const struct trie_node *node = trie_walk(t, t->nodes, left);
	int32_t right_id;
	if (!node || trie_id(t, node) == TRIE_NO_ID)
		return missing_token(left, err);
	if (!trie_find(t, right, &right_id))
		return missing_token(right, err);
	if (right.len < b->prefix.len)
		return err_set(err, ERR_DATA,
			"token \"%.*s\" is shorter than continuing_subword_prefix",
			TEXT_ARG(shown(right)));
	struct text rest = {right.s + b->prefix.len, right.len - b->prefix.len};
	const struct trie_node *whole =
		rest.len && (rest.s[0] & 0xC0) == 0x80 ? NULL : trie_walk(t, node, rest);
	if (!whole || trie_id(t, whole) == TRIE_NO_ID)
		return err_set(err, ERR_DATA,
			"what \"%.*s\" and \"%.*s\" become is not in the vocabulary",
			TEXT_ARG(shown(left)), TEXT_ARG(shown(right)));
	bpe_merges_put(&b->merges, trie_id(t, node), right_id, rank, trie_id(t, whole));
	return true;
}

/* "a b" or ["a", "b"]. */
static bool read_merge(json v, struct text *left, struct text *right, struct err *err)
{
	struct text line;
	if (json_string(v, &line.s, &line.len)) {
		const char *space = memchr(line.s, ' ', line.len);
		size_t n = space ? (size_t)(space - line.s) : line.len;
		if (space && !memchr(space + 1, ' ', line.len - n - 1)) {
			*left = (struct text){line.s, n};
			*right = (struct text){space + 1, line.len - n - 1};
			return true;
		}
	}
	struct json_iter it = json_each(v);
	if (json_is(v, JSON_ARRAY) && json_next(&it) &&
		json_string(it.value, &left->s, &left->len) && json_next(&it) &&
		json_string(it.value, &right->s, &right->len) && !json_next(&it))
		return true;
	return err_set(err, ERR_DATA, "is not two tokens, as \"a b\" or [\"a\", \"b\"]");
}

static bool load_merges(json list, struct bpe *b, struct err *err)
{
	if (!json_is(list, JSON_ARRAY) || json_count(list) > VOCAB_IDS_MAX)
		return err_set(err, ERR_DATA, "merges is %s of %zu, expected a list of at most %zu",
			json_type_name(json_type(list)), json_count(list), VOCAB_IDS_MAX);
	if (!bpe_merges_init(&b->merges, json_count(list), err))
		return false;
	uint32_t rank = 0;
	size_t at = 0;
	for (struct json_iter it = json_each(list); json_next(&it); at++) {
		struct text left, right;
		const char *s;
		size_t len;
		if (json_string(it.value, &s, &len) && len >= 8 && memcmp(s, "#version", 8) == 0)
			continue;
		if (!read_merge(it.value, &left, &right, err) ||
			!put_merge(b, left, right, rank++, err))
			return err_prefix(err, "merges[%zu]", at);
	}
	return true;
}

static void find_bytes(struct bpe *b)
{
	const struct trie *t = &b->vocab->trie;
	b->has_bytes = b->prefix.len == 0 && b->suffix.len == 0;
	for (unsigned byte = 0; byte < 256; byte++) {
		char name[8];
		const struct trie_node *node = trie_step(t, t->nodes, bytelevel_char(byte));
		b->bytes[byte] = node ? trie_id(t, node) : TRIE_NO_ID;
		b->has_bytes = b->has_bytes && b->bytes[byte] != TRIE_NO_ID;
		snprintf(name, sizeof(name), "<0x%02X>", byte);
		if (!trie_find(t, text_of(name), &b->fallback[byte]))
			b->fallback[byte] = TRIE_NO_ID;
	}
}

static bool want_optional(json spec, const char *key, struct text *ret, struct err *err)
{
	return json_is(json_get(spec, key), JSON_NULL) ||
		json_want_text(spec, key, TEXT_NONE, ret, err);
}

/* dropout would make ids a matter of chance; 0 and null are none. */
static bool check_dropout(json spec, struct err *err)
{
	json v = json_get(spec, "dropout");
	double dropout = 0.0;
	if (json_is(v, JSON_MISSING) || json_is(v, JSON_NULL))
		return true;
	if (!json_real(v, &dropout) || dropout != 0.0)
		return err_set(err, ERR_DATA,
			"dropout is %s%g, expected null or 0: set it so, as ids must not depend on "
			"chance",
			json_is(v, JSON_NUMBER) ? "" : "not a number, ", dropout);
	return true;
}

static bool load_options(json spec, struct bpe *b, struct err *err)
{
	struct text unk = TEXT_NONE, prefix = TEXT_NONE, suffix = TEXT_NONE;
	if (!check_dropout(spec, err) || !want_optional(spec, "unk_token", &unk, err) ||
		!want_optional(spec, "continuing_subword_prefix", &prefix, err) ||
		!want_optional(spec, "end_of_word_suffix", &suffix, err) ||
		!json_want_bool(spec, "fuse_unk", false, &b->fuse_unk, err) ||
		!json_want_bool(spec, "byte_fallback", false, &b->byte_fallback, err) ||
		!json_want_bool(spec, "ignore_merges", false, &b->ignore_merges, err))
		return false;
	b->prefix = (struct text){xstrndup(prefix.s ? prefix.s : "", prefix.len), prefix.len};
	b->suffix = (struct text){xstrndup(suffix.s ? suffix.s : "", suffix.len), suffix.len};
	find_bytes(b);
	b->unk = TRIE_NO_ID;
	if (!unk.s || trie_find(&b->vocab->trie, unk, &b->unk) || b->has_bytes)
		return true;
	missing_token(unk, err);
	return err_prefix(err, "unk_token");
}

static void bpe_free(struct segmenter *s)
{
	struct bpe *b = (struct bpe *)s;
	bpe_merges_release(&b->merges);
	free(b->pairs);
	free((char *)(uintptr_t)b->prefix.s);
	free((char *)(uintptr_t)b->suffix.s);
	free(b);
}

static struct segmenter *load(json spec, struct vocab *v, struct err *err)
{
	struct bpe *b = xcalloc(1, sizeof(*b));
	b->base.type = &segmenter_bpe;
	b->vocab = v;
	if (vocab_load(json_get(spec, "vocab"), v, err) && load_options(spec, b, err) &&
		load_merges(json_get(spec, "merges"), b, err)) {
		if (b->has_bytes)
			b->pairs = bpe_bytes_new(&b->merges, b->bytes);
		return &b->base;
	}
	bpe_free(&b->base);
	return NULL;
}

static struct segmenter_run *run_new(const struct segmenter *s)
{
	(void)s;
	return xcalloc(1, sizeof(struct segmenter_run));
}

static void run_free(struct segmenter_run *r)
{
	free(r->symbols);
	free(r->queue);
	free(r);
}

static void trim_scratch(struct segmenter_run *r)
{
	if (r->cap <= SCRATCH_KEPT)
		return;
	free(r->symbols);
	r->symbols = NULL;
	r->cap = 0;
}

/* The token of one character at its place in the piece. */
static int32_t char_id(const struct bpe *b, uint32_t c, bool is_first, bool is_last)
{
	const struct trie *t = &b->vocab->trie;
	const struct trie_node *at = t->nodes;
	if (!is_first)
		at = trie_walk(t, at, b->prefix);
	if (at)
		at = trie_step(t, at, c);
	if (at && is_last)
		at = trie_walk(t, at, b->suffix);
	return at ? trie_id(t, at) : TRIE_NO_ID;
}

/* The bytes of a character, prefix and suffix with it, as tokens; false: one is missing. */
static bool add_fallback(
	const struct bpe *b, struct segmenter_run *r, uint32_t c, bool is_first, bool is_last)
{
	char s[4];
	const struct text parts[] = {is_first ? TEXT("") : b->prefix, {s, utf8_encode(c, s)},
		is_last ? b->suffix : TEXT("")};
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < ARRAY_LEN(parts); i++)
			for (size_t k = 0; k < parts[i].len; k++) {
				int32_t id = b->fallback[(unsigned char)parts[i].s[k]];
				if (id == TRIE_NO_ID)
					return false;
				if (round == 1)
					bpe_add_symbol(r, id, 1);
			}
	return true;
}

/* The symbols of c[0..n) before merging. An unknown character waits for the next known one, which
 * is how fused ones come to be one; bytes overtake it (models/bpe/model.rs, merge_word). */
static void add_symbols(const struct bpe *b, struct segmenter_run *r, const uint32_t *c, size_t n)
{
	uint32_t waiting = 0; /* bytes of unknown characters */
	for (size_t i = 0; i < n; i++) {
		bool is_first = i == 0, is_last = i + 1 == n;
		uint32_t len = c[i] < 0x80 ? 1 : c[i] < 0x800 ? 2 : c[i] < 0x10000 ? 3 : 4;
		int32_t id = char_id(b, c[i], is_first, is_last);
		if (id != TRIE_NO_ID) {
			if (waiting)
				bpe_add_symbol(r, b->unk, waiting);
			waiting = 0;
			bpe_add_symbol(r, id, len);
		} else if (!b->byte_fallback || !add_fallback(b, r, c[i], is_first, is_last)) {
			if (waiting && !b->fuse_unk) {
				bpe_add_symbol(r, b->unk, waiting);
				waiting = 0;
			}
			if (b->unk != TRIE_NO_ID)
				waiting += len;
		}
	}
	if (waiting)
		bpe_add_symbol(r, b->unk, waiting);
}

/* Symbols count bytes; which characters these belong to. */
static void add_spans(
	const struct segmenter_run *r, const uint32_t *c, size_t n, struct token_spans *spans)
{
	size_t i = 0, end = 0, byte = 0; /* byte: where character i ends */
	for (size_t k = 0; k < r->n; k++) {
		size_t begin = end;
		end += r->symbols[k].len;
		while (i < n && byte <= begin) {
			byte += c[i] < 0x80 ? 1 : c[i] < 0x800 ? 2 : c[i] < 0x10000 ? 3 : 4;
			i++;
		}
		size_t first = i ? i - 1 : 0;
		while (i < n && byte < end) {
			byte += c[i] < 0x80 ? 1 : c[i] < 0x800 ? 2 : c[i] < 0x10000 ? 3 : 4;
			i++;
		}
		token_spans_add(spans, first, i);
	}
}

static void encode(const struct segmenter *s, struct segmenter_run *r, const uint32_t *c, size_t n,
	struct ids *out, struct token_spans *spans)
{
	const struct bpe *b = (const struct bpe *)s;
	if (b->ignore_merges) {
		const struct trie *t = &b->vocab->trie;
		const struct trie_node *at = t->nodes;
		for (size_t i = 0; i < n && at; i++)
			at = trie_step(t, at, c[i]);
		if (at && trie_id(t, at) != TRIE_NO_ID) {
			ids_add(out, trie_id(t, at));
			if (spans)
				token_spans_add(spans, 0, n);
			return;
		}
	}
	r->n = 0;
	add_symbols(b, r, c, n);
	bpe_merge_all(&b->merges, r);
	for (size_t i = 0; i < r->n; i++)
		ids_add(out, r->symbols[i].id);
	if (spans)
		add_spans(r, c, n, spans);
	trim_scratch(r);
}

bool bpe_has_bytes(const struct segmenter *s)
{
	return s->type == &segmenter_bpe && ((const struct bpe *)s)->has_bytes;
}

void bpe_encode_bytes(const struct segmenter *s, struct segmenter_run *r, const char *bytes,
	size_t n, struct ids *out)
{
	const struct bpe *b = (const struct bpe *)s;
	if (b->ignore_merges) {
		const struct trie *t = &b->vocab->trie;
		const struct trie_node *at = t->nodes;
		for (size_t i = 0; i < n && at; i++)
			at = trie_step(t, at, bytelevel_char((unsigned char)bytes[i]));
		if (at && trie_id(t, at) != TRIE_NO_ID) {
			ids_add(out, trie_id(t, at));
			return;
		}
	}
	bpe_merge_bytes(&b->merges, b->bytes, b->pairs, bytes, n, r);
	for (size_t i = 0; i < r->n; i++)
		ids_add(out, r->symbols[i].id);
	trim_scratch(r);
}

bool bpe_find_cuts(const struct segmenter *s, uint32_t mark, bool no_cut[256])
{
	const struct bpe *b = (const struct bpe *)s;
	char m[4];
	size_t len = utf8_encode(mark, m);
	if (s->type != &segmenter_bpe || b->prefix.len || b->suffix.len ||
		char_id(b, mark, true, true) == TRIE_NO_ID)
		return false;
	for (size_t id = 0; id < b->vocab->n; id++) {
		struct text t = b->vocab->tokens[id];
		for (size_t i = 1; i + len <= t.len; i++)
			if (memcmp(t.s + i, m, len) == 0 &&
				(i < len || memcmp(t.s + i - len, m, len) != 0))
				no_cut[(unsigned char)t.s[i - 1]] = true;
	}
	no_cut[(unsigned char)m[len - 1]] = true;
	return true;
}

static int32_t unk(const struct segmenter *s)
{
	return ((const struct bpe *)s)->unk;
}

const struct segmenter_type segmenter_bpe = {
	"BPE", load, bpe_free, run_new, run_free, encode, unk, false};

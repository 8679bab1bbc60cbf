#include "text/charsmap.h"

#include <string.h>

#include "base/jsonfile.h"
#include "base/utf8.h"
#include "text/normalize.h"

#define CLUSTER_BYTES 5 /* the longest cluster that is looked up as a whole */

struct charsmap {
	const uint32_t *units;
	size_t n_units;
	const char *texts;
	size_t n_texts;
	/* Entries of single ASCII characters; s NULL = none. */
	struct text ascii[128];
};

/* The fields of a unit (darts-clone, "double-array unit"). */
static uint32_t unit_label(uint32_t u)
{
	return u & 0x800000FFu;
}
static uint32_t unit_offset(uint32_t u)
{
	return (u >> 10) << ((u & 0x200u) >> 6);
}
static bool unit_has_leaf(uint32_t u)
{
	return u >> 8 & 1;
}

/* Feeds bytes to the walk that stands at *at. 1: *ret found; 0: goes on; -1: no entry begins so. */
static int walk(const struct charsmap *m, size_t *at, const char *s, size_t len, struct text *ret)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char b = (unsigned char)s[i];
		size_t next = *at ^ b;
		if (b == 0 || next >= m->n_units)
			return -1;
		uint32_t unit = m->units[next];
		if (unit_label(unit) != b)
			return -1;
		*at = next ^ unit_offset(unit);
		if (unit_has_leaf(unit)) {
			*ret = text_of(m->texts + (m->units[*at] & 0x7FFFFFFFu));
			return 1;
		}
	}
	return 0;
}

bool charsmap_find(const struct charsmap *m, const uint32_t *c, size_t n, struct text *ret)
{
	size_t at = unit_offset(m->units[0]);
	for (size_t i = 0; i < n; i++) {
		char s[4];
		int found = walk(m, &at, s, utf8_encode(c[i], s), ret);
		if (found)
			return found > 0;
	}
	return false;
}

/* Hangul syllable types that join (rules GB6 to GB8). */
enum { H_NONE, H_L, H_V, H_T, H_LV, H_LVT };

static int hangul_type(uint32_t c)
{
	if (c < 0x1100 || c > 0xD7FB)
		return H_NONE;
	if (c - 0x1100u < 0x60 || c - 0xA960u < 0x1D)
		return H_L;
	if (c - 0x1160u < 0x48 || c - 0xD7B0u < 0x17)
		return H_V;
	if (c - 0x11A8u < 0x58 || c - 0xD7CBu < 0x31)
		return H_T;
	if (c - 0xAC00u < 11172)
		return (c - 0xAC00u) % 28 ? H_LVT : H_LV;
	return H_NONE;
}

static bool hangul_joins(uint32_t a, uint32_t b)
{
	int p = hangul_type(a), q = hangul_type(b);
	switch (p) {
	case H_L:
		return q == H_L || q == H_V || q == H_LV || q == H_LVT;
	case H_LV:
	case H_V:
		return q == H_V || q == H_T;
	case H_LVT:
	case H_T:
		return q == H_T;
	default:
		return false;
	}
}

size_t grapheme_end(const struct uclass *u, const uint32_t *c, size_t i, size_t n)
{
	unsigned p = uclass_of(u, c[i]);
	bool after_picture = p & UC_PICTURE; /* a picture, then only marks and joiners */
	for (i++; i < n; i++) {
		unsigned q = uclass_of(u, c[i]);
		if ((p | q) & UC_CONTROL) {
			if (c[i - 1] == '\r' && c[i] == '\n')
				return i + 1;
			break;
		}
		bool joins = q & UC_EXTEND || p & UC_PREPEND ||
			(after_picture && q & UC_PICTURE && c[i - 1] == 0x200D) ||
			hangul_joins(c[i - 1], c[i]);
		if (!joins)
			break;
		after_picture = q & UC_PICTURE || (after_picture && q & UC_EXTEND);
		p = q;
	}
	return i;
}

static size_t utf8_bytes(const uint32_t *c, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += c[i] < 0x80 ? 1 : c[i] < 0x800 ? 2 : c[i] < 0x10000 ? 3 : 4;
	return bytes;
}

/* One code point waits until it is known what vanishes behind it (normalizers/precompiled.rs of the
 * Hugging Face library: a code point that was put in takes the place of what vanishes; at the very
 * beginning, where none waits, all that follows shifts). */
struct waiting {
	struct normalize_io *io;
	uint32_t c;
	int change;
	bool is_there;
};

static void flush(struct waiting *w)
{
	if (w->is_there)
		normalize_put(w->io, w->c, w->change);
	w->is_there = false;
}

static void push(struct waiting *w, uint32_t c, int change)
{
	flush(w);
	*w = (struct waiting){w->io, c, change, true};
}

/* An entry's text in place of `n` code points. */
static void push_text(struct waiting *w, struct text text, int n)
{
	int done = 0;
	for (size_t i = 0; i < text.len; done++) {
		size_t len;
		uint32_t c = utf8_decode(text.s + i, text.len - i, &len);
		push(w, c, done < n ? 0 : 1);
		i += len;
	}
	if (done < n && w->is_there)
		w->change += done - n;
}

static void precompiled_apply(const struct normalizer *n, struct normalize_io *io)
{
	const struct charsmap *m = n->as.map;
	const uint32_t *c = io->from.c;
	size_t len = io->from.n;
	struct text text;
	struct waiting w = {.io = io};
	for (size_t i = 0; i < len;) {
		bool plain = c[i] - 0x20u < 0x5F && i + 1 < len && c[i + 1] < 0x80;
		size_t end = plain ? i + 1 : grapheme_end(io->classes, c, i, len);
		if (end - i > 1 && end - i <= CLUSTER_BYTES &&
			utf8_bytes(c + i, end - i) <= CLUSTER_BYTES &&
			charsmap_find(m, c + i, end - i, &text)) {
			push_text(&w, text, (int)(end - i));
			i = end;
			continue;
		}
		for (; i < end; i++) {
			if (c[i] < 0x80 ? (text = m->ascii[c[i]]).s != NULL
					: charsmap_find(m, c + i, 1, &text))
				push_text(&w, text, 1);
			else
				push(&w, c[i], 0);
		}
	}
	flush(&w);
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bytes written to out, or SIZE_MAX when t is not base64. */
static size_t base64_decode(struct text t, unsigned char *out)
{
	size_t n = 0;
	uint32_t bits = 0;
	int n_bits = 0;
	while (t.len > 0 && t.s[t.len - 1] == '=')
		t.len--;
	for (size_t i = 0; i < t.len; i++) {
		int digit = base64_digit(t.s[i]);
		if (digit < 0)
			return SIZE_MAX;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[n++] = (unsigned char)(bits >> n_bits);
		}
	}
	return n;
}

/* Every leaf must be there and point at the beginning of a valid text, as walk() relies on it. A
 * unit with the top bit is a leaf itself: no byte leads to it. */
static bool check(const struct charsmap *m, struct err *err)
{
	if (m->n_texts == 0 || m->texts[m->n_texts - 1] != '\0' ||
		utf8_check(m->texts, m->n_texts) != m->n_texts)
		return err_set(
			err, ERR_DATA, "precompiled_charsmap: its texts are cut off or not UTF-8");
	for (size_t i = 0; i < m->n_units; i++) {
		if (m->units[i] >> 31 || !unit_has_leaf(m->units[i]))
			continue;
		size_t leaf = i ^ unit_offset(m->units[i]);
		uint32_t value = leaf < m->n_units ? m->units[leaf] & 0x7FFFFFFFu : UINT32_MAX;
		if (value >= m->n_texts || (m->texts[value] & 0xC0) == 0x80)
			return err_set(err, ERR_DATA,
				"precompiled_charsmap: unit %zu leads to no text", i);
	}
	return true;
}

struct charsmap *charsmap_load(struct text base64, struct arena *a, struct err *err)
{
	unsigned char *bytes = arena_alloc(a, base64.len / 4 * 3 + 3);
	size_t n = base64_decode(base64, bytes);
	if (n == SIZE_MAX) {
		err_set(err, ERR_DATA, "precompiled_charsmap is not base64");
		return NULL;
	}
	uint32_t trie = 0;
	if (n >= 4)
		memcpy(&trie, bytes, 4);
	if (n < 4 || trie < 4 || trie % 4 || trie > n - 4) {
		err_set(err, ERR_DATA,
			"precompiled_charsmap has %zu bytes and says that %u of them are its trie",
			n, trie);
		return NULL;
	}
	struct charsmap *m = arena_calloc(a, 1, sizeof(*m));
	uint32_t *units = arena_alloc(a, trie);
	memcpy(units, bytes + 4, trie);
	m->units = units;
	m->n_units = trie / 4;
	m->texts = (const char *)bytes + 4 + trie;
	m->n_texts = n - 4 - trie;
	if (!check(m, err))
		return NULL;
	for (uint32_t c = 1; c < 128; c++) {
		struct text text;
		if (charsmap_find(m, &c, 1, &text))
			m->ascii[c] = text;
	}
	return m;
}

static bool precompiled_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	struct text base64;
	if (!json_want_text(spec, "precompiled_charsmap", TEXT_NONE, &base64, err))
		return false;
	if (!base64.s)
		return err_set(err, ERR_DATA, "has no precompiled_charsmap");
	ret->as.map = charsmap_load(base64, a, err);
	return ret->as.map != NULL;
}

const struct normalizer_type normalizer_precompiled = {
	"Precompiled", precompiled_load, precompiled_apply, NULL};

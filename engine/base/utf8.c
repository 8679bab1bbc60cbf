#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/mem.h"

uint32_t utf8_decode(const char *s, size_t len, size_t *ret_len)
{
	const unsigned char *p = (const unsigned char *)s;
	*ret_len = 1;
	if (p[0] < 0x80)
		return p[0];
	size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	if (p[0] < 0xC2 || p[0] > 0xF4 || n > len)
		return UTF8_BAD;
	uint32_t cp = p[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return UTF8_BAD;
		cp = cp << 6 | (p[i] & 0x3Fu);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (cp < least[n] || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return UTF8_BAD;
	*ret_len = n;
	return cp;
}

size_t utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

/* U+FFFD written out has length 3; a bad byte has length 1. */
static bool is_bad(uint32_t cp, size_t len)
{
	return cp == UTF8_BAD && len == 1;
}

size_t utf8_check(const char *s, size_t len)
{
	size_t i = 0;
	while (i < len) {
		size_t n;
		if ((unsigned char)s[i] < 0x80) {
			i++;
			continue;
		}
		uint32_t cp = utf8_decode(s + i, len - i, &n);
		if (is_bad(cp, n))
			break;
		i += n;
	}
	return i;
}

size_t utf8_count(struct text t)
{
	size_t n = 0;
	for (size_t i = 0, len; i < t.len; i += len, n++)
		utf8_decode(t.s + i, t.len - i, &len);
	return n;
}

static bool is_space(uint32_t cp)
{
	return cp == ' ' || (cp >= 0x09 && cp <= 0x0D) || cp == 0x85 || cp == 0xA0 ||
		cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 ||
		cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

bool utf8_is_blank(struct text t)
{
	for (size_t i = 0, len; i < t.len; i += len)
		if (!is_space(utf8_decode(t.s + i, t.len - i, &len)))
			return false;
	return true;
}

int utf8_width_cp(uint32_t cp)
{
	if (cp >= 0x20 && cp < 0x7F)
		return 1;
	int w = utf8proc_charwidth((utf8proc_int32_t)cp);
	return w < 0 ? 0 : w > 2 ? 2 : w;
}

/* Walks one grapheme cluster from t.s[at]: its end in bytes, and its width, that of its widest
 * part. */
static size_t cluster(struct text t, size_t at, int *ret_width)
{
	size_t len;
	utf8proc_int32_t state = 0;
	uint32_t before = utf8_decode(t.s + at, t.len - at, &len);
	int width = utf8_width_cp(before);
	for (at += len; at < t.len; at += len) {
		uint32_t cp = utf8_decode(t.s + at, t.len - at, &len);
		if (utf8proc_grapheme_break_stateful(
			    (utf8proc_int32_t)before, (utf8proc_int32_t)cp, &state))
			break;
		int w = utf8_width_cp(cp);
		width = w > width ? w : width;
		/* U+FE0F asks for the emoji form, which takes two columns. */
		width = cp == 0xFE0F && width == 1 ? 2 : width;
		before = cp;
	}
	*ret_width = width;
	return at;
}

size_t utf8_width(struct text t)
{
	size_t width = 0;
	for (size_t at = 0; at < t.len;) {
		int w;
		at = cluster(t, at, &w);
		width += (size_t)w;
	}
	return width;
}

size_t utf8_cut(struct text t, size_t columns)
{
	size_t at = 0;
	while (at < t.len) {
		int w;
		size_t next = cluster(t, at, &w);
		if ((size_t)w > columns)
			break;
		columns -= (size_t)w;
		at = next;
	}
	return at;
}

static bool is_hostile(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x061C || cp == 0x200E ||
		cp == 0x200F || (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) ||
		cp == 0x2028 || cp == 0x2029 || cp == 0xFEFF || (cp >= 0xE0000 && cp <= 0xE007F);
}

void utf8_sanitize(struct buf *out, struct text t)
{
	for (size_t i = 0, len; i < t.len; i += len) {
		uint32_t cp = utf8_decode(t.s + i, t.len - i, &len);
		if (cp == '\t' || cp == '\n')
			buf_addch(out, ' ');
		else if (cp < 0x20)
			buf_addf(out, "^%c", (char)(cp + 0x40));
		else if (is_hostile(cp))
			buf_addf(out, "<%04X>", cp);
		else if (is_bad(cp, len))
			buf_adds(out, "\xEF\xBF\xBD");
		else
			buf_add(out, t.s + i, len);
	}
}

/* utf8proc refuses bad bytes: they are replaced first. The result is the caller's to free; NULL
 * when the library gives up (out of memory, overflow). */
static utf8proc_uint8_t *mapped(struct text t, utf8proc_option_t how, size_t *ret_len)
{
	struct buf clean = BUF_INIT;
	for (size_t i = 0, len; i < t.len; i += len) {
		uint32_t cp = utf8_decode(t.s + i, t.len - i, &len);
		if (is_bad(cp, len))
			buf_adds(&clean, "\xEF\xBF\xBD");
		else
			buf_add(&clean, t.s + i, len);
	}
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)(clean.data ? clean.data : ""),
		(utf8proc_ssize_t)clean.len, &out, how);
	buf_release(&clean);
	*ret_len = n > 0 ? (size_t)n : 0;
	return out;
}

void utf8_nfc(struct buf *out, struct text t)
{
	size_t len;
	utf8proc_uint8_t *nfc = mapped(t, UTF8PROC_STABLE | UTF8PROC_COMPOSE, &len);
	if (len)
		buf_add(out, nfc, len);
	free(nfc);
}

void utf8_fold(struct buf *out, struct text t)
{
	size_t len, start = out->len;
	utf8proc_uint8_t *folded = mapped(t,
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
			UTF8PROC_IGNORE,
		&len);
	const char *s = (const char *)folded;
	bool is_gap = false;
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t cp = utf8_decode(s + i, len - i, &n);
		if (is_space(cp)) {
			is_gap = true;
			continue;
		}
		if (is_gap && out->len > start)
			buf_addch(out, ' ');
		is_gap = false;
		buf_add(out, s + i, n);
	}
	free(folded);
}

bool utf8_is_nfc(struct text t)
{
	size_t ascii = 0;
	while (ascii < t.len && (unsigned char)t.s[ascii] < 0x80)
		ascii++;
	if (ascii == t.len)
		return true;
	struct buf nfc = BUF_INIT;
	utf8_nfc(&nfc, t);
	bool same = text_equal(t, buf_text(&nfc));
	buf_release(&nfc);
	return same;
}

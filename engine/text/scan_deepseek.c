#include "text/scan.h"

#include <stdbool.h>

#define WORD (UC_LETTER | UC_MARK)

size_t scan_deepseek_digits(const struct uclass *u, struct text t, size_t i)
{
	size_t len;
	if (!(scan_class(u, t, i, &len) & UC_NUMBER))
		return scan_run_but(u, t, i, UC_NUMBER);
	for (int n = 0; n < 3 && scan_class(u, t, i, &len) & UC_NUMBER; n++)
		i += len;
	return i;
}

/* U+4E00 to U+9FA5 and U+3040 to U+30FF: all are three bytes long. */
static bool is_cjk(struct text t, size_t i)
{
	const unsigned char *s = (const unsigned char *)t.s + i;
	if (i >= t.len || s[0] < 0xE3 || s[0] > 0xE9)
		return false;
	uint32_t c = (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
	return (c >= 0x4E00 && c <= 0x9FA5) || (c >= 0x3040 && c <= 0x30FF);
}

size_t scan_deepseek_cjk(const struct uclass *u, struct text t, size_t i)
{
	(void)u;
	bool is_match = is_cjk(t, i);
	while (i < t.len && is_cjk(t, i) == is_match) {
		unsigned char b = (unsigned char)t.s[i];
		i += b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
	}
	return i;
}

static bool is_ascii_letter(struct text t, size_t i)
{
	return i < t.len && ((t.s[i] >= 'a' && t.s[i] <= 'z') || (t.s[i] >= 'A' && t.s[i] <= 'Z'));
}

static bool is_ascii_punctuation(char c)
{
	return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
		(c >= '{' && c <= '~');
}

/* The end of the match at i, or i. */
static size_t match(const struct uclass *u, struct text t, size_t i)
{
	size_t len, next_len;
	unsigned class = scan_class(u, t, i, &len);
	if (is_ascii_punctuation(t.s[i]) && is_ascii_letter(t, i + 1)) {
		for (i += 2; is_ascii_letter(t, i);)
			i++;
		return i;
	}
	if (class & WORD)
		return scan_run(u, t, i + len, WORD);
	unsigned next = scan_class(u, t, i + len, &next_len);
	if (next & WORD && !(class & UC_SYMBOL) && t.s[i] != '\r' && t.s[i] != '\n')
		return scan_run(u, t, i + len + next_len, WORD);
	size_t symbol = i + (t.s[i] == ' ' && next & UC_SYMBOL);
	if (symbol > i || class & UC_SYMBOL)
		return scan_newlines(t, scan_run(u, t, symbol, UC_SYMBOL));
	return class & UC_SPACE ? scan_lines(u, t, i) : i;
}

size_t scan_deepseek_words(const struct uclass *u, struct text t, size_t i)
{
	size_t end = match(u, t, i), len;
	if (end > i)
		return end;
	/* Numbers and control characters match nothing: a gap up to the next match. */
	do {
		scan_class(u, t, i, &len);
		i += len;
	} while (i < t.len && match(u, t, i) == i);
	return i;
}

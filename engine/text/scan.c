#include "text/scan.h"

#include <string.h>

#define NOT_OTHER (UC_SPACE | UC_LETTER | UC_NUMBER)
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CL100K(word, digits, rest)                                                                 \
	CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?" word "+|" digits "| ?" rest "+[\\r\\n]*|" SPACES
#define NO_WORD "[^\\s\\p{L}\\p{N}]"
#define CAPITALS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALLS "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define O200K(contractions, digits)                                                                \
	"[^\\r\\n\\p{L}\\p{N}]?" CAPITALS "*" SMALLS "+" contractions                              \
	"|[^\\r\\n\\p{L}\\p{N}]?" CAPITALS "+" SMALLS "*" contractions "|" digits                  \
	"| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES

/* Pattern of a tokenizer.json -> scanner. */
static const struct known {
	struct text pattern;
	scan_fn scan;
} known[] = {
	{TEXT_INIT("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
		   "\\s+(?!\\S)|\\s+"),
		scan_gpt2},
	{TEXT_INIT(CL100K("\\p{L}", "\\p{N}{1,3}", NO_WORD)), scan_cl100k},
	{TEXT_INIT(CL100K("\\p{L}", "\\p{N}", NO_WORD)), scan_qwen},
	{TEXT_INIT(CL100K("[\\p{L}\\p{M}]", "\\p{N}", "[^\\s\\p{L}\\p{M}\\p{N}]")), scan_qwen35},
	{TEXT_INIT(O200K(CONTRACTIONS "?", "\\p{N}{1,3}")), scan_o200k},
	{TEXT_INIT(O200K("", "\\p{N}")), scan_tekken},
	{TEXT_INIT("\\p{N}{1,3}"), scan_deepseek_digits},
	{TEXT_INIT("[一-龥\u3040-ゟ゠-ヿ]+"), scan_deepseek_cjk},
	{TEXT_INIT("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
		   "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|"
		   "\\s*[\r\n]+|\\s+(?!\\S)|\\s+"),
		scan_deepseek_words},
};

bool scan_known(size_t i, struct text *ret_pattern, scan_fn *ret_scan)
{
	if (i >= sizeof(known) / sizeof(*known))
		return false;
	*ret_pattern = known[i].pattern;
	*ret_scan = known[i].scan;
	return true;
}

scan_fn scan_for(struct text pattern)
{
	struct text known_pattern;
	scan_fn scan;
	for (size_t i = 0; scan_known(i, &known_pattern, &scan); i++)
		if (text_equal(pattern, known_pattern))
			return scan;
	return NULL;
}

size_t scan_spaces(const struct uclass *u, struct text t, size_t i)
{
	size_t begin = i, last = i, len;
	while (scan_class(u, t, i, &len) & UC_SPACE) {
		last = i;
		i += len;
	}
	return i < t.len && last > begin ? last : i;
}

size_t scan_lines(const struct uclass *u, struct text t, size_t i)
{
	size_t begin = i, last = i, newline = 0, len; /* newline: behind the last one */
	while (scan_class(u, t, i, &len) & UC_SPACE) {
		last = i;
		if (t.s[i] == '\r' || t.s[i] == '\n')
			newline = i + 1;
		i += len;
	}
	if (newline)
		return newline;
	return i < t.len && last > begin ? last : i;
}

/* The character at s in lower case; the long s is an s, too. */
static char fold(const char *s, size_t left, size_t *len)
{
	*len = 1;
	if (left == 0)
		return 0;
	if (left >= 2 && memcmp(s, "\xC5\xBF", 2) == 0) {
		*len = 2;
		return 's';
	}
	return *s >= 'A' && *s <= 'Z' ? (char)(*s + 'a' - 'A') : *s;
}

size_t scan_contraction(struct text t, size_t i, int any_case)
{
	size_t a_len = 1, b_len = 1, left = t.len - i - 1;
	if (left == 0)
		return i;
	const char *s = t.s + i + 1;
	char a = any_case ? fold(s, left, &a_len) : *s;
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return i + 1 + a_len;
	if (left < a_len + 1)
		return i;
	char b = any_case ? fold(s + a_len, left - a_len, &b_len) : s[1];
	if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
		return i + 1 + a_len + b_len;
	return i;
}

size_t scan_gpt2(const struct uclass *u, struct text t, size_t i)
{
	if (t.s[i] == '\'') {
		size_t end = scan_contraction(t, i, 0);
		if (end > i)
			return end;
	}
	size_t len, next = i + (t.s[i] == ' ');
	unsigned class = scan_class(u, t, next, &len);
	if (class & UC_LETTER)
		return scan_run(u, t, next + len, UC_LETTER);
	if (class & UC_NUMBER)
		return scan_run(u, t, next + len, UC_NUMBER);
	if (len && !(class & UC_SPACE))
		return scan_run_but(u, t, next + len, NOT_OTHER);
	return scan_spaces(u, t, i);
}

/* word: the classes of a word's characters. */
static inline size_t cl100k(
	const struct uclass *u, struct text t, size_t i, int max_digits, unsigned word)
{
	if (t.s[i] == '\'') {
		size_t end = scan_contraction(t, i, 1);
		if (end > i)
			return end;
	}
	size_t len, next_len;
	unsigned class = scan_class(u, t, i, &len), not_other = UC_SPACE | UC_NUMBER | word;
	if (class & word)
		return scan_run(u, t, i + len, word);
	if (class & UC_NUMBER) {
		size_t end = i + len;
		for (int n = 1; n < max_digits; n++, end += len)
			if (!(scan_class(u, t, end, &len) & UC_NUMBER))
				break;
		return end;
	}
	/* Any one character but a line break may begin a word. */
	unsigned next = scan_class(u, t, i + len, &next_len);
	if (next & word && t.s[i] != '\r' && t.s[i] != '\n')
		return scan_run(u, t, i + len + next_len, word);
	size_t other = i;
	if (t.s[i] == ' ' && next_len && !(next & not_other))
		other = i + 1;
	else if (class & UC_SPACE)
		return scan_lines(u, t, i);
	return scan_newlines(t, scan_run_but(u, t, other, not_other));
}

size_t scan_cl100k(const struct uclass *u, struct text t, size_t i)
{
	return cl100k(u, t, i, 3, UC_LETTER);
}

size_t scan_qwen(const struct uclass *u, struct text t, size_t i)
{
	return cl100k(u, t, i, 1, UC_LETTER);
}

size_t scan_qwen35(const struct uclass *u, struct text t, size_t i)
{
	return cl100k(u, t, i, 1, UC_LETTER | UC_MARK);
}

size_t scan_each_digit(const struct uclass *u, struct text t, size_t i)
{
	size_t len;
	if (scan_class(u, t, i, &len) & UC_NUMERIC)
		return i + len;
	return scan_run_but(u, t, i, UC_NUMERIC);
}

size_t scan_digits(const struct uclass *u, struct text t, size_t i)
{
	size_t end = scan_run(u, t, i, UC_NUMERIC);
	return end > i ? end : scan_run_but(u, t, i, UC_NUMERIC);
}

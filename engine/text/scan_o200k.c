/* o200k and tekken: words end before capitals.
 *
 *	[^\r\n\p{L}\p{N}]?CAPITALS*SMALLS+ | [^\r\n\p{L}\p{N}]?CAPITALS+SMALLS* | ...
 *
 * Letters without case and marks are in both sets, so a backtracking engine gives back capitals
 * until one can be a small letter; here the last such place is remembered on the way. */
#include "text/scan.h"

#define CAPITAL (UC_UPPER | UC_CASELESS | UC_MARK)
#define SMALL (UC_LOWER | UC_CASELESS | UC_MARK)
#define NOT_OTHER (UC_SPACE | UC_LETTER | UC_NUMBER)

/* CAPITALS*SMALLS+ from i: its end, or i. */
static size_t small_word(const struct uclass *u, struct text t, size_t i)
{
	size_t begin = i, len, both = begin; /* behind the last one that is in both sets */
	unsigned class;
	while ((class = scan_class(u, t, i, &len)) & CAPITAL) {
		i += len;
		if (class & SMALL)
			both = i;
	}
	return class & SMALL ? scan_run(u, t, i + len, SMALL) : both;
}

/* CAPITALS+SMALLS* from i: its end, or i. */
static size_t capital_word(const struct uclass *u, struct text t, size_t i)
{
	size_t end = scan_run(u, t, i, CAPITAL);
	return end > i ? scan_run(u, t, end, SMALL) : i;
}

/* The first two alternatives: the end of a word, or i. */
static size_t word(const struct uclass *u, struct text t, size_t i)
{
	size_t len;
	unsigned class = scan_class(u, t, i, &len);
	size_t prefix = i + len, end;
	if (class & (UC_LETTER | UC_NUMBER) || t.s[i] == '\r' || t.s[i] == '\n')
		prefix = i;
	if (prefix > i && (end = small_word(u, t, prefix)) > prefix)
		return end;
	if ((end = small_word(u, t, i)) > i)
		return end;
	if (prefix > i && (end = capital_word(u, t, prefix)) > prefix)
		return end;
	return capital_word(u, t, i);
}

static inline size_t o200k(
	const struct uclass *u, struct text t, size_t i, int max_digits, int contractions)
{
	size_t len, next_len, end = word(u, t, i);
	if (end > i) {
		if (contractions && end < t.len && t.s[end] == '\'')
			end = scan_contraction(t, end, 1);
		return end;
	}
	unsigned class = scan_class(u, t, i, &len);
	if (class & UC_NUMBER) {
		end = i + len;
		for (int n = 1; n < max_digits; n++, end += len)
			if (!(scan_class(u, t, end, &len) & UC_NUMBER))
				break;
		return end;
	}
	unsigned next = scan_class(u, t, i + len, &next_len);
	size_t other = i;
	if (t.s[i] == ' ' && next_len && !(next & NOT_OTHER))
		other = i + 1;
	else if (class & UC_SPACE)
		return scan_lines(u, t, i);
	end = scan_run_but(u, t, other, NOT_OTHER);
	while (end < t.len && (t.s[end] == '\r' || t.s[end] == '\n' || t.s[end] == '/'))
		end++;
	return end;
}

size_t scan_o200k(const struct uclass *u, struct text t, size_t i)
{
	return o200k(u, t, i, 3, 1);
}

size_t scan_tekken(const struct uclass *u, struct text t, size_t i)
{
	return o200k(u, t, i, 1, 0);
}

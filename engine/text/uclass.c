#include "text/uclass.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/mem.h"

/* The one letter whose lower case is two code points: I with dot above -> i, dot above. */
#define CAPITAL_DOTTED_I 0x130u

#define HANGUL_FIRST 0xAC00u
#define HANGUL_COUNT 11172u

static uint32_t *page_for(struct uclass *u, uint32_t c)
{
	uint16_t *page = &u->page_of[c / UCLASS_PAGE];
	if (*page == 0) {
		if (u->n_pages == u->cap_pages) {
			u->cap_pages = u->cap_pages ? 2 * u->cap_pages : 512;
			u->pages = xreallocarray(u->pages, u->cap_pages, sizeof(*u->pages));
		}
		memset(u->pages[u->n_pages], 0, sizeof(*u->pages));
		*page = (uint16_t)u->n_pages++;
	}
	return u->pages[*page];
}

static void mark(struct uclass *u, uint32_t first, uint32_t last, uint32_t step, unsigned flag)
{
	for (uint32_t c = first; c <= last; c += step) {
		uint32_t *page = page_for(u, c);
		page[c % UCLASS_PAGE] |= flag;
	}
}

static void mark_all(struct uclass *u, const struct uclass_ranges *table)
{
	for (const struct uclass_ranges *r = table; r->flag; r++)
		for (size_t i = 0; i < r->n; i++)
			mark(u, r->ranges[i][0], r->ranges[i][1], 1, r->flag);
}

void uclass_init(struct uclass *u)
{
	*u = (struct uclass){.pages = NULL};
	page_for(u, 0); /* a page's number must not be 0, so page 0 stands for all empty ones */
	u->page_of[0] = 0;
	mark_all(u, uclass_pieces);
	mark_all(u, uclass_clusters);
	mark_all(u, uclass_letters);
	mark_all(u, uclass_marks);
	for (size_t i = 0; i < uclass_n_lower; i++)
		mark(u, uclass_lower[i].first, uclass_lower[i].last, uclass_lower[i].step,
			UC_CASED);
	mark(u, CAPITAL_DOTTED_I, CAPITAL_DOTTED_I, 1, UC_CASED);
}

void uclass_release(struct uclass *u)
{
	free(u->pages);
	u->pages = NULL;
}

size_t uclass_to_lower(uint32_t c, uint32_t out[2])
{
	if (c == CAPITAL_DOTTED_I) {
		out[0] = 'i';
		out[1] = 0x307;
		return 2;
	}
	size_t lo = 0, hi = uclass_n_lower; /* the last run that begins at c or before */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (uclass_lower[mid].first <= c)
			lo = mid + 1;
		else
			hi = mid;
	}
	out[0] = c;
	if (lo > 0) {
		const struct uclass_case *r = &uclass_lower[lo - 1];
		if (c <= r->last && (c - r->first) % r->step == 0)
			out[0] = (uint32_t)((int32_t)c + r->delta);
	}
	return 1;
}

/* Unicode 15.0, section 3.12: a syllable is a leading consonant, a vowel and perhaps a trailing
 * consonant. */
static size_t decompose_hangul(uint32_t index, uint32_t out[4])
{
	out[0] = 0x1100 + index / 588;
	out[1] = 0x1161 + index % 588 / 28;
	out[2] = 0x11A7 + index % 28;
	return index % 28 ? 3 : 2;
}

size_t uclass_decompose(uint32_t c, uint32_t out[4])
{
	if (c - HANGUL_FIRST < HANGUL_COUNT)
		return decompose_hangul(c - HANGUL_FIRST, out);
	utf8proc_int32_t to[4];
	int boundary = 0;
	utf8proc_ssize_t n =
		utf8proc_decompose_char((utf8proc_int32_t)c, to, 4, UTF8PROC_DECOMPOSE, &boundary);
	if (n < 1 || n > 4) {
		out[0] = c;
		return 1;
	}
	for (utf8proc_ssize_t i = 0; i < n; i++)
		out[i] = (uint32_t)to[i];
	return (size_t)n;
}

int uclass_combining(uint32_t c)
{
	return utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
}

int uclass_script(uint32_t c)
{
	size_t lo = 0, hi = uclass_n_scripts; /* the last run that begins at c or before */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (uclass_scripts[mid].first <= c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && c <= uclass_scripts[lo - 1].last ? uclass_scripts[lo - 1].script : 0;
}

#include "curate/checks.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/utf8.h"

/* Blocks of characters that normal form C neither changes, nor reorders, nor joins to the character
 * before, whatever stands beside them (Unicode 15, UAX 15); the commonest first. */
static const struct {
	uint32_t first, last;
} settled[] = {
	{0x0000, 0x02FF}, /* Latin */
	{0xAC00, 0xF8FF}, /* Hangul syllables */
	{0x309B, 0xA66E}, /* kana, CJK ideographs */
	{0x3030, 0x3098}, /* kana */
	{0x2E00, 0x3029}, /* CJK radicals, punctuation */
	{0x2002, 0x20CF}, /* punctuation */
	{0x0388, 0x0482}, /* Greek, Cyrillic */
	{0x0488, 0x0590}, /* Cyrillic, Armenian */
	{0xFE30, 0xFFFF}, /* full and half width forms */
	{0x1F000, 0x1FFFF}, /* emoji */
	{0x061B, 0x064A}, /* Arabic letters */
	{0x05C8, 0x060F}, /* Hebrew letters */
	{0x1E00, 0x1F70}, /* Latin for Vietnamese, Greek */
	{0x108E, 0x1160}, /* Georgian, Hangul leading jamo */
	{0x212C, 0x2328}, /* arrows, mathematics */
	{0x232B, 0x2ADB}, /* box drawing, symbols */
	{0x20000, 0x2F7FF}, /* CJK extensions */
};

static bool is_settled(uint32_t cp)
{
	for (size_t i = 0; i < ARRAY_LEN(settled); i++)
		if (cp >= settled[i].first && cp <= settled[i].last)
			return true;
	return false;
}

/* The same for a stretch of bytes without decoding it: every lead byte in it is one of ASCII, Latin,
 * CJK ideographs or Hangul syllables. One byte behind the stretch is looked at too. Written without
 * a branch, so that the compiler makes vectors of it. */
enum { STRETCH = 64 };
static bool is_plain(const unsigned char *s)
{
	unsigned char odd = 0;
	for (size_t i = 0; i < STRETCH; i++) {
		unsigned char b = s[i];
		unsigned char latin = b < 0xCC, ideograph = (unsigned char)(b - 0xE4) < 6;
		unsigned char hangul = (unsigned char)(b - 0xEB) < 3;
		unsigned char early_hangul = (b == 0xEA) & (s[i + 1] >= 0xB0);
		odd |= (unsigned char)!(latin | ideograph | hangul | early_hangul);
	}
	return !odd;
}

bool text_may_not_be_nfc(struct text t)
{
	const unsigned char *s = (const unsigned char *)t.s;
	size_t i = 0;
	while (i < t.len) {
		if (t.len - i > STRETCH && is_plain(s + i)) {
			i += STRETCH;
			while (i < t.len && (s[i] & 0xC0) == 0x80) /* of the last one there */
				i++;
			continue;
		}
		size_t end = t.len - i > STRETCH ? i + STRETCH : t.len;
		for (size_t len; i < end; i += len)
			if (!is_settled(utf8_decode(t.s + i, t.len - i, &len)))
				return true;
	}
	return false;
}

size_t text_chars(struct text t)
{
	size_t n = 0;
	for (size_t i = 0; i < t.len; i++)
		n += ((unsigned char)t.s[i] & 0xC0) != 0x80;
	return n;
}

static uint64_t hash_of(struct text t)
{
	return hash64(t.s, t.len);
}

void row_hash(const struct record *r, struct arena *a, struct row_hashes *ret)
{
	enum { HEAD = 4 };
	size_t n = r->n_pos + r->n_neg;
	uint64_t *all = arena_alloc(a, (n + HEAD) * sizeof *all);
	ret->query = hash_of(r->query);
	ret->pos = all + HEAD;
	ret->neg = ret->pos + r->n_pos;
	for (size_t i = 0; i < r->n_pos; i++)
		ret->pos[i] = hash_of(r->pos[i].text);
	for (size_t i = 0; i < r->n_neg; i++)
		ret->neg[i] = hash_of(r->neg[i].text);
	all[0] = ret->query;
	all[1] = hash_of(r->prompt);
	all[2] = hash_of(r->type);
	all[3] = r->n_pos;
	ret->row = hash64(all, (n + HEAD) * sizeof *all);
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static uint64_t *sorted(const uint64_t *h, size_t n, struct arena *a)
{
	uint64_t *copy = arena_alloc(a, n * sizeof *copy);
	if (n > 0) {
		memcpy(copy, h, n * sizeof *copy);
		qsort(copy, n, sizeof *copy, by_hash);
	}
	return copy;
}

static bool holds(const uint64_t *h, size_t n, uint64_t x)
{
	for (size_t i = 0; i < n; i++)
		if (h[i] == x)
			return true;
	return false;
}

static bool repeats(const uint64_t *ordered, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (ordered[i] == ordered[i - 1])
			return true;
	return false;
}

static bool meet(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b)
{
	size_t i = 0, k = 0;
	while (i < n_a && k < n_b) {
		if (a[i] == b[k])
			return true;
		if (a[i] < b[k])
			i++;
		else
			k++;
	}
	return false;
}

/* Which texts of the row equal each other. Sorted, because a row may have any number of them. */
static finding_set check_equality(
	const struct record *r, const struct row_hashes *h, struct arena *a)
{
	finding_set set = 0;
	uint64_t *pos = sorted(h->pos, r->n_pos, a), *neg = sorted(h->neg, r->n_neg, a);
	if (meet(pos, r->n_pos, neg, r->n_neg))
		set |= FINDING_BIT(FINDING_POSITIVE_IN_NEGATIVES);
	if (holds(pos, r->n_pos, h->query))
		set |= FINDING_BIT(FINDING_QUERY_IN_POSITIVES);
	if (holds(neg, r->n_neg, h->query))
		set |= FINDING_BIT(FINDING_QUERY_IN_NEGATIVES);
	if (repeats(pos, r->n_pos) || repeats(neg, r->n_neg))
		set |= FINDING_BIT(FINDING_REPEATED_TEXT);
	return set;
}

static bool is_unnormal(struct text t)
{
	return text_may_not_be_nfc(t) && !utf8_is_nfc(t);
}

static bool any_unnormal(const struct record *r)
{
	for (size_t i = 0; i < r->n_pos; i++)
		if (is_unnormal(r->pos[i].text))
			return true;
	for (size_t i = 0; i < r->n_neg; i++)
		if (is_unnormal(r->neg[i].text))
			return true;
	return is_unnormal(r->query);
}

static bool any_blank(const struct record *r)
{
	for (size_t i = 0; i < r->n_pos; i++)
		if (utf8_is_blank(r->pos[i].text))
			return true;
	for (size_t i = 0; i < r->n_neg; i++)
		if (utf8_is_blank(r->neg[i].text))
			return true;
	return false;
}

/* The active teacher prefers some negative to the lowest positive. */
static bool is_out_of_order(const struct record *r)
{
	double low = INFINITY, high = -INFINITY;
	for (size_t i = 0; i < r->n_pos; i++)
		if (r->pos[i].score < low)
			low = r->pos[i].score;
	for (size_t i = 0; i < r->n_neg; i++)
		if (r->neg[i].score > high)
			high = r->neg[i].score;
	return isfinite(low) && isfinite(high) && high > low;
}

finding_set row_check(const struct record *r, const struct row_hashes *h, struct arena *a)
{
	const struct {
		bool is_so;
		enum finding_kind kind;
	} facts[] = {
		{r->pos_was_string, FINDING_POS_STRING},
		{r->neg_was_string, FINDING_NEG_STRING},
		{r->n_pos == 0, FINDING_EMPTY_POS},
		{r->n_neg == 0, FINDING_EMPTY_NEG},
		{utf8_is_blank(r->query), FINDING_EMPTY_QUERY},
		{any_blank(r), FINDING_EMPTY_TEXT},
		{r->pos_scores_bad || r->neg_scores_bad, FINDING_MISALIGNED_SCORES},
		{r->n_replaced > 0, FINDING_REPLACED_SURROGATES},
		{any_unnormal(r), FINDING_NOT_NFC},
		{is_out_of_order(r), FINDING_NEGATIVE_ABOVE_POSITIVE},
	};
	finding_set set = check_equality(r, h, a);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		if (facts[i].is_so)
			set |= FINDING_BIT(facts[i].kind);
	return set;
}

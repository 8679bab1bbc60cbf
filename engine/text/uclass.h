/* uclass.h - what a code point is, exactly as the Hugging Face tokenizers library sees it.
 *
 * That library's tables are of several Unicode versions at once, so its classes are kept as data of
 * our own (unicode_*.c); only decompositions, which Unicode never changes, come from utf8proc. */
#ifndef TEXT_UCLASS_H
#define TEXT_UCLASS_H

#include <stddef.h>
#include <stdint.h>

enum {
	UC_SPACE = 1 << 0, /* White_Space */
	UC_PUNCT = 1 << 1, /* ASCII punctuation and symbols, category P */
	UC_OTHER = 1 << 2, /* what clean_text drops: NUL, U+FFFD, Cc but \t \n \r, Cf, Co */
	UC_CJK = 1 << 3, /* the blocks that handle_chinese_chars sets apart */
	UC_WORD = 1 << 4, /* \w */
	UC_STRIPPED = 1 << 5, /* strip_accents leaves nothing of it: category Mn */
	UC_DECOMPOSES = 1 << 6, /* has a canonical decomposition; Hangul syllables not marked */
	UC_REORDERS = 1 << 7, /* survives strip_accents and has a combining class */
	UC_CASED = 1 << 8, /* lowercase changes it */
	UC_EXTEND = 1 << 9, /* grapheme clusters: Extend, ZWJ and SpacingMark */
	UC_PREPEND = 1 << 10,
	UC_CONTROL = 1 << 11, /* CR and LF too */
	UC_PICTURE = 1 << 12, /* Extended_Pictographic */
	/* What its regular expressions know: \p{Lu} and \p{Lt}; \p{Ll}; \p{Lm} and \p{Lo}; ... */
	UC_UPPER = 1 << 13,
	UC_LOWER = 1 << 14,
	UC_CASELESS = 1 << 15,
	UC_MARK = 1 << 16, /* \p{M} */
	UC_NUMBER = 1 << 17, /* \p{N} */
	UC_SYMBOL = 1 << 18, /* \p{P} and \p{S} */
	UC_LETTER = UC_UPPER | UC_LOWER | UC_CASELESS, /* \p{L} */
	UC_NUMERIC = 1 << 19, /* what Digits takes for a digit: category N of a newer version */
	UC_COMBINING = 1 << 20, /* what StripAccents drops: category M of an older one */
	UC_FORMLESS =
		1 << 21, /* normal forms take it for an unassigned character, utf8proc does not */
	UC_UNSTABLE = 1 << 22, /* NFC may change it, or what is in front of it */
	UC_RECENT = 1 << 23, /* a letter, mark, number or symbol that Unicode 14 does not have */
};

#define UCLASS_PAGE 256 /* code points a page */
struct uclass {
	uint16_t page_of[0x110000 / UCLASS_PAGE];
	uint32_t (*pages)[UCLASS_PAGE]; /* page 0: no class at all */
	size_t n_pages, cap_pages;
};

void uclass_init(struct uclass *u); /* about 0.2 ms */
void uclass_release(struct uclass *u);
/* Full lower case of one code point: 1 or 2 of them. */
size_t uclass_to_lower(uint32_t c, uint32_t out[2]);
/* Full canonical decomposition, Hangul included: at most 4. */
size_t uclass_decompose(uint32_t c, uint32_t out[4]);
int uclass_combining(uint32_t c); /* canonical combining class */
int uclass_script(uint32_t c); /* a number for each script, 0: any (unassigned) */

static inline unsigned uclass_of(const struct uclass *u, uint32_t c)
{
	return u->pages[u->page_of[c / UCLASS_PAGE]][c % UCLASS_PAGE];
}

/* The data, private to uclass.c. */
struct uclass_ranges {
	unsigned flag;
	const uint32_t (*ranges)[2]; /* first and last, ascending */
	size_t n;
};
extern const struct uclass_ranges uclass_pieces[], uclass_clusters[], uclass_letters[],
	uclass_marks[]; /* end with flag 0 */
struct uclass_script {
	uint32_t first, last;
	int script; /* 1 and up */
};
extern const struct uclass_script uclass_scripts[]; /* ascending */
extern const size_t uclass_n_scripts;
struct uclass_case {
	uint32_t first, last; /* every step-th of these ... */
	uint32_t step;
	int32_t delta; /* ... has its lower case this far away */
};
extern const struct uclass_case uclass_lower[]; /* ascending; U+0130 is not among them */
extern const size_t uclass_n_lower;

#endif

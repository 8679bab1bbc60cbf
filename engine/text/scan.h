/* scan.h - the split patterns of the tokenizers in use, written by hand: several times as fast as
 * a regular expression engine, and linear whatever the text. In: valid UTF-8; out: where the piece
 * ends that begins here.
 *
 * A pattern is known when it stands letter for letter in the table of scan.c; everything else goes
 * to regex.h. Cutting "Isolated": every match is a piece, and what lies between two matches too. */
#ifndef TEXT_SCAN_H
#define TEXT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "text/uclass.h"

/* One past the last byte of the piece that begins at byte i < t.len, where the piece before ended.
 * What stands behind t.len does not count: a text may be a piece of another scanner. */
typedef size_t (*scan_fn)(const struct uclass *u, struct text t, size_t i);
scan_fn scan_for(struct text pattern); /* NULL: not known */
/* The i-th known pattern and its scanner; false: there are no more. */
bool scan_known(size_t i, struct text *ret_pattern, scan_fn *ret_scan);

/* GPT-2's, which ByteLevel has built in: contractions, words, numbers, the rest, spaces. */
size_t scan_gpt2(const struct uclass *u, struct text t, size_t i);
/* GPT-4's (cl100k), with numbers of at most 3 digits (Llama 3) or of one (Qwen 2 and 3); Qwen 3.5 has
 * marks in words, too. */
size_t scan_cl100k(const struct uclass *u, struct text t, size_t i);
size_t scan_qwen(const struct uclass *u, struct text t, size_t i);
size_t scan_qwen35(const struct uclass *u, struct text t, size_t i);
/* GPT-4o's (o200k), which cuts before capitals, and Mistral's tekken: one digit, no contractions. */
size_t scan_o200k(const struct uclass *u, struct text t, size_t i);
size_t scan_tekken(const struct uclass *u, struct text t, size_t i);
/* DeepSeek's three, one behind the other: digits, Chinese and Japanese, words. */
size_t scan_deepseek_digits(const struct uclass *u, struct text t, size_t i);
size_t scan_deepseek_cjk(const struct uclass *u, struct text t, size_t i);
size_t scan_deepseek_words(const struct uclass *u, struct text t, size_t i);

/* What Digits cuts: every digit by itself, or runs of them. */
size_t scan_each_digit(const struct uclass *u, struct text t, size_t i);
size_t scan_digits(const struct uclass *u, struct text t, size_t i);

/* A place in a text, as a byte and as a code point. */
struct scan_walk {
	struct text text;
	size_t byte, i;
};
/* Forward to a byte where a character begins. */
static inline void scan_walk_to(struct scan_walk *w, size_t byte)
{
	for (; w->byte < byte; w->byte++)
		w->i += ((unsigned char)w->text.s[w->byte] & 0xC0) != 0x80;
}

/* For scanners: the class of the character at byte i, and its length; 0 and 0 at the end. */
static inline unsigned scan_class(const struct uclass *u, struct text t, size_t i, size_t *len)
{
	if (i >= t.len) {
		*len = 0;
		return 0;
	}
	const unsigned char *s = (const unsigned char *)t.s + i;
	uint32_t c = s[0];
	if (c < 0x80) {
		*len = 1;
	} else if (c < 0xE0) {
		*len = 2;
		c = (c & 0x1F) << 6 | (s[1] & 0x3F);
	} else if (c < 0xF0) {
		*len = 3;
		c = (c & 0x0F) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3F);
	} else {
		*len = 4;
		c = (c & 0x07) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3F);
	}
	return uclass_of(u, c);
}

/* The end of the run of characters from i that have one of the classes. */
static inline size_t scan_run(const struct uclass *u, struct text t, size_t i, unsigned classes)
{
	size_t len;
	while (scan_class(u, t, i, &len) & classes)
		i += len;
	return i;
}

/* The end of the run of those that have none of them. */
static inline size_t scan_run_but(const struct uclass *u, struct text t, size_t i, unsigned classes)
{
	size_t len;
	while (!(scan_class(u, t, i, &len) & classes) && len)
		i += len;
	return i;
}

static inline size_t scan_newlines(struct text t, size_t i)
{
	while (i < t.len && (t.s[i] == '\r' || t.s[i] == '\n'))
		i++;
	return i;
}

/* \s+(?!\S)|\s+ at a space: all of the run, but its last one when something follows. */
size_t scan_spaces(const struct uclass *u, struct text t, size_t i);
/* \s*[\r\n]+ in front of that. */
size_t scan_lines(const struct uclass *u, struct text t, size_t i);
/* 's|'t|'re|'ve|'m|'ll|'d at an apostrophe, in any case or as it stands: its end, or i. */
size_t scan_contraction(struct text t, size_t i, int any_case);

#endif

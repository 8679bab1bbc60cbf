/* utf8.h - decoding, validity, display width, and the sanitiser that every foreign text passes on
 * its way to a terminal. Widths and properties come from utf8proc (Unicode 15). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

#define UTF8_BAD 0xFFFDu

/* The code point at s (len >= 1 bytes left); *ret_len = bytes it takes, at least 1. Overlong forms,
 * surrogates and stray bytes give UTF8_BAD and length 1. */
uint32_t utf8_decode(const char *s, size_t len, size_t *ret_len);
/* Writes cp (a scalar value) to out, returns 1 to 4. */
size_t utf8_encode(uint32_t cp, char out[4]);
/* Offset of the first byte that is not UTF-8, or len. */
size_t utf8_check(const char *s, size_t len);
size_t utf8_count(struct text t); /* code points; each bad byte counts as one */
bool utf8_is_blank(struct text t); /* empty or white space only (Unicode White_Space) */

/* Columns on a terminal: 0, 1 or 2 for a code point; of a text, the sum over its grapheme clusters'
 * widest. A control character has width 0: sanitise first. */
int utf8_width_cp(uint32_t cp);
size_t utf8_width(struct text t);
/* The longest prefix of at most `columns` columns that splits no grapheme cluster, in bytes. */
size_t utf8_cut(struct text t, size_t columns);

/* Appends t with everything that could steer a terminal or hide text made visible: C0 and C1
 * controls (tab and line feed become a space), DEL, bidi controls, U+2028/2029, bad bytes. */
void utf8_sanitize(struct buf *out, struct text t);

/* Unicode normal form C of t, appended. Invalid bytes become U+FFFD. */
void utf8_nfc(struct buf *out, struct text t);
/* What t says, whoever typed it: compatibility composed (NFKC), case folded, invisible characters
 * (zero width, soft hyphen, variation selectors) left out, every run of white space one blank, none
 * at the ends. Two texts with equal folds are duplicates. Appended; bad bytes as above. */
void utf8_fold(struct buf *out, struct text t);
bool utf8_is_nfc(struct text t); /* true is certain for ASCII, otherwise computed */

#endif

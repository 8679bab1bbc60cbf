/* bytelevel.h - the alphabet of byte-level tokenizers: each of the 256 bytes as a printable
 * character (GPT-2's encoder.py). A vocabulary spells its tokens in it: " the" is "Ġthe". */
#ifndef TEXT_BYTELEVEL_H
#define TEXT_BYTELEVEL_H

#include <stddef.h>
#include <stdint.h>

#include "text/chars.h"

#define BYTELEVEL_SPACE 0x120u /* of the byte 0x20 */

static inline uint32_t bytelevel_char(unsigned b)
{
	if ((b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE)
		return b;
	/* The others in their order: 0 to 0x20, 0x7F to 0xA0, 0xAD. */
	return 0x100 + (b <= 0x20 ? b : b <= 0xA0 ? b - 0x7F + 0x21 : 0x43);
}

/* Appends the UTF-8 bytes of from[begin..end) in that alphabet; each has the place of its character. */
void bytelevel_spell(const struct placed *from, size_t begin, size_t end, struct placed *to);

#endif

#include "text/bytelevel.h"

#include "base/utf8.h"

void bytelevel_spell(const struct placed *from, size_t begin, size_t end, struct placed *to)
{
	placed_reserve(to, end - begin);
	for (size_t i = begin; i < end; i++) {
		char s[4];
		size_t n = utf8_encode(from->c[i], s);
		for (size_t k = 0; k < n; k++)
			placed_add(to, bytelevel_char((unsigned char)s[k]), from->at[i]);
	}
}

#include "tui/key.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"

static const struct {
	uint32_t key;
	const char *name;
} names[] = {
	{KEY_CODE_TAB, "Tab"},
	{KEY_CODE_ENTER, "Enter"},
	{KEY_CODE_ESC, "Esc"},
	{KEY_CODE_SPACE, "Space"},
	{KEY_CODE_BACKSPACE, "Backspace"},
	{KEY_CODE_UP, "Up"},
	{KEY_CODE_DOWN, "Down"},
	{KEY_CODE_LEFT, "Left"},
	{KEY_CODE_RIGHT, "Right"},
	{KEY_CODE_HOME, "Home"},
	{KEY_CODE_END, "End"},
	{KEY_CODE_PGUP, "PgUp"},
	{KEY_CODE_PGDN, "PgDn"},
	{KEY_CODE_DELETE, "Delete"},
	{KEY_CODE_SHIFT_TAB, "S-Tab"},
	{KEY_CODE_F1, "F1"},
};

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static uint32_t parse_named(const char **s)
{
	if (starts_with(*s, "Ctrl-") && (*s)[5] >= '@' && (*s)[5] <= '_') {
		uint32_t key = (uint32_t)(*s)[5] & 0x1F;
		*s += 6;
		return key;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (starts_with(*s, names[i].name)) {
			*s += strlen(names[i].name);
			return names[i].key;
		}
	return 0;
}

uint32_t key_parse(const char **s)
{
	if (**s == '<' && (*s)[1]) {
		const char *inside = *s + 1;
		uint32_t key = parse_named(&inside);
		if (key && *inside == '>') {
			*s = inside + 1;
			return key;
		}
	}
	uint32_t key = parse_named(s);
	if (!key && **s) {
		size_t len;
		key = utf8_decode(*s, strlen(*s), &len);
		*s += len;
	}
	return key;
}

const char *key_label(uint32_t key)
{
	static char ring[8][16];
	static unsigned next;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].key == key)
			return names[i].name;
	char *s = ring[next++ % ARRAY_LEN(ring)];
	if (key < 32) {
		snprintf(s, sizeof ring[0], "Ctrl-%c", (char)(key + '@'));
	} else {
		char utf8[4];
		size_t n = key < KEY_CODE_FIRST ? utf8_encode(key, utf8) : 0;
		snprintf(s, sizeof ring[0], "%.*s", (int)n, utf8);
	}
	return s;
}

uint32_t key_from_jamo(uint32_t key)
{
	/* U+3131 to U+3163 on the two-set keyboard; '.' = a cluster, which no single key makes. */
	static const char two_set[] = "rR.s..eEf.......aqQ.tTdwWczxvgkoiOjpuPh...yn...bm.l";
	enum { FIRST = 0x3131, LAST = 0x3163 };
	if (key < FIRST || key > LAST || two_set[key - FIRST] == '.')
		return key;
	return (uint32_t)two_set[key - FIRST];
}

bool key_is_hangul_syllable(uint32_t key)
{
	return key >= 0xAC00 && key <= 0xD7A3;
}

/* key.h - keys as numbers and names. A key is a Unicode scalar, a control character (Ctrl-A = 1
 * ...), or one of the
 * specials. Names are what help prints, key files hold and scripts type: "j", "Ctrl-D", "PgDn",
 * "Space", "Esc". */
#ifndef TUI_KEY_H
#define TUI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KEY_CODE_TAB = 9,
	KEY_CODE_ENTER = 13,
	KEY_CODE_ESC = 27,
	KEY_CODE_SPACE = 32,
	KEY_CODE_BACKSPACE = 127,
	KEY_CODE_FIRST = 0x110000,
	KEY_CODE_UP = KEY_CODE_FIRST,
	KEY_CODE_DOWN,
	KEY_CODE_LEFT,
	KEY_CODE_RIGHT,
	KEY_CODE_HOME,
	KEY_CODE_END,
	KEY_CODE_PGUP,
	KEY_CODE_PGDN,
	KEY_CODE_DELETE,
	KEY_CODE_SHIFT_TAB,
	KEY_CODE_F1,
};

/* The key that a name at *s means; *s moves behind it. 0: none. "<Down>" and "Down" both work. */
uint32_t key_parse(const char **s);
/* The name of a key, for help and messages; ring of static buffers, 8 deep. */
const char *key_label(uint32_t key);
/* A lone jamo of the Korean two-set layout as the key that was pressed (ㅓ = j, ㅆ = T); anything
 * else as it is. */
uint32_t key_from_jamo(uint32_t key);
/* A composed Hangul syllable: the input method is on, and no key can be told. */
bool key_is_hangul_syllable(uint32_t key);

#endif

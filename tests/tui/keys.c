/* Keys, their names, and the one table that binds them. */
#include "support.h"

#include "base/fs.h"
#include "tui/command.h"
#include "tui/key.h"

static void every_key_has_a_name_that_means_it(void **state)
{
	(void)state;
	for (uint32_t key = 1; key < 0x3200; key++) {
		if (key == 8 || key == 10 || (key >= 0x7f && key < 0xa1))
			continue;
		const char *name = key_label(key), *s = name;
		assert_int_equal(key_parse(&s), key);
		assert_string_equal(s, "");
	}
	for (uint32_t key = KEY_CODE_FIRST; key <= KEY_CODE_F1; key++) {
		const char *s = key_label(key);
		assert_int_equal(key_parse(&s), key);
	}
}

static void names_in_angle_brackets_stand_for_keys_in_a_script(void **state)
{
	(void)state;
	const char *s = "<Down>j<S-Tab><Ctrl-R><";
	assert_int_equal(key_parse(&s), KEY_CODE_DOWN);
	assert_int_equal(key_parse(&s), 'j');
	assert_int_equal(key_parse(&s), KEY_CODE_SHIFT_TAB);
	assert_int_equal(key_parse(&s), 'R' & 0x1f);
	assert_int_equal(key_parse(&s), '<');
}

/* What the two-set keyboard types for each Latin key. */
static void a_lone_jamo_is_the_key_that_was_pressed(void **state)
{
	(void)state;
	static const struct {
		uint32_t jamo;
		char key;
	} pairs[] = {{0x3142, 'q'}, {0x3148, 'w'}, {0x3137, 'e'}, {0x3131, 'r'}, {0x3145, 't'},
		{0x315b, 'y'}, {0x3155, 'u'}, {0x3151, 'i'}, {0x3150, 'o'}, {0x3154, 'p'},
		{0x3141, 'a'}, {0x3134, 's'}, {0x3147, 'd'}, {0x3139, 'f'}, {0x314e, 'g'},
		{0x3157, 'h'}, {0x3153, 'j'}, {0x314f, 'k'}, {0x3163, 'l'}, {0x314b, 'z'},
		{0x314c, 'x'}, {0x314a, 'c'}, {0x314d, 'v'}, {0x3160, 'b'}, {0x315c, 'n'},
		{0x3161, 'm'}, {0x3143, 'Q'}, {0x3149, 'W'}, {0x3138, 'E'}, {0x3132, 'R'},
		{0x3146, 'T'}, {0x3152, 'O'}, {0x3156, 'P'}};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_int_equal(key_from_jamo(pairs[i].jamo), pairs[i].key);
	assert_int_equal(key_from_jamo(0x3133), 0x3133); /* ㄳ takes two keys */
	assert_int_equal(key_from_jamo('j'), 'j');
	assert_true(key_is_hangul_syllable(0xac00) && key_is_hangul_syllable(0xd7a3));
	assert_false(key_is_hangul_syllable(0x3153));
}

static bool binds_both(const struct command *a, const struct command *b, const char **ret_key)
{
	for (const char *s = a->keys; *s;) {
		size_t n = strcspn(s, " ");
		for (const char *t = b->keys; *t;) {
			size_t m = strcspn(t, " ");
			if (n == m && n && strncmp(s, t, n) == 0) {
				*ret_key = s;
				return true;
			}
			t += m + (t[m] == ' ');
		}
		s += n + (s[n] == ' ');
	}
	return false;
}

static void no_two_commands_of_a_screen_share_a_key(void **state)
{
	(void)state;
	const char *key = "";
	for (const struct command *a = commands; a->id; a++)
		for (const struct command *b = a + 1; b->id; b++) {
			assert_string_not_equal(a->name, b->name);
			assert_int_not_equal(a->id, b->id);
			if ((a->where & b->where) && binds_both(a, b, &key))
				fail_msg("%s and %s both take %s", a->name, b->name, key);
		}
}

static void every_command_is_reached_by_its_name_and_its_keys(void **state)
{
	(void)state;
	bool seen[CMD_COUNT] = {false};
	for (const struct command *c = commands; c->id; c++) {
		struct buf hint = BUF_INIT;
		assert_ptr_equal(command_for_name(text_of(c->name), &hint), c);
		buf_release(&hint);
		seen[c->id] = true;
		assert_true(c->where != 0 && c->help[0] && (!c->footer || c->label[0]));
		for (int screen = 0; screen < SCREEN_COUNT; screen++) {
			if (!(c->where & (1u << screen)) || !c->keys[0])
				continue;
			const char *s = c->keys;
			bool is_prefix;
			uint32_t first = key_parse(&s), prefix = 0;
			if (*s == '+') {
				s++;
				command_for_key((enum screen_id)screen, 0, first, &is_prefix);
				assert_true(is_prefix);
				prefix = first;
				first = key_parse(&s);
			}
			assert_ptr_equal(
				command_for_key((enum screen_id)screen, prefix, first, &is_prefix),
				c);
		}
	}
	for (int id = 1; id < CMD_COUNT; id++)
		assert_true(seen[id]);
}

static void no_soft_key_decides(void **state)
{
	(void)state;
	static const uint32_t soft[] = {
		KEY_CODE_BACKSPACE, KEY_CODE_DELETE, KEY_CODE_ENTER, KEY_CODE_SPACE};
	for (int screen = 0; screen < SCREEN_COUNT; screen++)
		for (size_t i = 0; i < ARRAY_LEN(soft); i++) {
			bool is_prefix;
			const struct command *c =
				command_for_key((enum screen_id)screen, 0, soft[i], &is_prefix);
			assert_true(!c || c->id == CMD_ENTER || c->id == CMD_MARK);
		}
}

static void the_card_fits_eighty_columns(void **state)
{
	(void)state;
	struct buf card = BUF_INIT;
	command_card(&card, ON_ALL, ON_ALL);
	command_card(&card, ON_ALL, 0);
	for (const char *s = card.data; *s; s += strcspn(s, "\n") + 1)
		if (strcspn(s, "\n") > 79)
			fail_msg("too wide: %.*s", (int)strcspn(s, "\n"), s);
	buf_release(&card);
}

/* The README's key card is this program's. */
static void the_readme_shows_this_card(void **state)
{
	(void)state;
	struct buf readme = BUF_INIT, card = BUF_INIT;
	struct err err = ERR_INIT;
	assert_ok(fs_read(test_file("README.md"), &readme, 0, &err), &err);
	command_card(&card, ON_ALL, 0);
	buf_adds(&card, "\n");
	command_card(&card, ON_ALL, ON_ALL);
	if (!strstr(readme.data, card.data))
		fail_msg("README.md does not show what `vecsmith --keys` prints: copy it there");
	buf_release(&readme);
	buf_release(&card);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_a_name_that_means_it),
		cmocka_unit_test(names_in_angle_brackets_stand_for_keys_in_a_script),
		cmocka_unit_test(a_lone_jamo_is_the_key_that_was_pressed),
		cmocka_unit_test(no_two_commands_of_a_screen_share_a_key),
		cmocka_unit_test(every_command_is_reached_by_its_name_and_its_keys),
		cmocka_unit_test(no_soft_key_decides),
		cmocka_unit_test(the_card_fits_eighty_columns),
		cmocka_unit_test(the_readme_shows_this_card),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

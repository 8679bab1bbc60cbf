/* The line that readline edits without knowing a terminal. */
#include "support.h"

#include <locale.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/utf8.h"
#include "tui/key.h"
#include "tui/prompt.h"

static void type(const char *keys)
{
	while (*keys)
		prompt_key(key_parse(&keys));
}

static void begin(const char *initial)
{
	prompt_begin(":", text_of(initial), PROMPT_FORGETS, NULL, NULL);
}

static void korean_is_edited_by_the_syllable(void **state)
{
	(void)state;
	begin("");
	type("한국어<Left><Backspace>");
	assert_string_equal(prompt_line(), "한어");
	/* the cursor is drawn at the columns of what stands before it, not at its bytes */
	assert_int_equal(utf8_width((struct text){prompt_line(), prompt_cursor()}), 2);
	type("<Delete>X<Home>y<End>z");
	assert_string_equal(prompt_line(), "y한Xz");
	type("<Enter>");
	assert_false(prompt_is_open());
	assert_string_equal(prompt_line(), "y한Xz");
}

static void escape_leaves_and_an_empty_line_is_left_by_backspace(void **state)
{
	(void)state;
	begin("abc");
	assert_int_equal(prompt_key(KEY_CODE_ESC), PROMPT_CANCELLED);
	begin("");
	assert_int_equal(prompt_key(KEY_CODE_DELETE), PROMPT_OPEN);
	assert_int_equal(prompt_key(KEY_CODE_BACKSPACE), PROMPT_CANCELLED);
	assert_false(prompt_is_open());
}

static void complete(void *ctx, const char *line, const char *word, struct buf *out)
{
	(void)ctx;
	static const char *const all[] = {"margin", "margin_t", "n_pos", "폴더/"};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strncmp(all[i], word, strlen(word)) == 0 && line)
			buf_addf(out, "%s\n", all[i]);
}

static void tab_adds_what_all_candidates_share(void **state)
{
	(void)state;
	prompt_begin(":", TEXT_NONE, PROMPT_FORGETS, complete, NULL);
	type("sort m<Tab>");
	assert_string_equal(prompt_line(), "sort margin");
	assert_string_equal(prompt_hints(), "margin  margin_t  ");
	type("_<Tab>");
	assert_string_equal(prompt_line(), "sort margin_t ");
	type("폴<Tab>"); /* a folder is gone on with, so no blank follows it */
	assert_string_equal(prompt_line(), "sort margin_t 폴더/");
	type("<Esc>");
}

static void accept(enum prompt_history h, const char *line)
{
	prompt_begin(":", TEXT_NONE, h, NULL, NULL);
	type(line);
	type("<Enter>");
}

static void commands_and_searches_have_histories_of_their_own(void **state)
{
	(void)state;
	accept(PROMPT_COMMANDS, "one");
	accept(PROMPT_SEARCHES, "find");
	accept(PROMPT_COMMANDS, "two");
	accept(PROMPT_FORGETS, "secret");
	prompt_begin(":", TEXT_NONE, PROMPT_COMMANDS, NULL, NULL);
	type("<Up>");
	assert_string_equal(prompt_line(), "two");
	type("<Up>");
	assert_string_equal(prompt_line(), "one");
	type("<Esc>");
	prompt_begin("/", TEXT_NONE, PROMPT_SEARCHES, NULL, NULL);
	type("<Up><Up>");
	assert_string_equal(prompt_line(), "find");
	type("<Esc>");
}

static void history_is_on_disk_as_soon_as_a_line_is_accepted(void **state)
{
	(void)state;
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	char path[4096];
	setenv("XDG_STATE_HOME", test_scratch(), 1);
	prompt_history_keep();
	accept(PROMPT_COMMANDS, "filter 한국");
	snprintf(path, sizeof path, "%s/vecsmith/commands", test_scratch());
	assert_ok(fs_read(path, &text, 0, &err), &err);
	assert_non_null(strstr(text.data, "filter 한국\n"));
	buf_release(&text);
}

/* What waits at the program's own input must never be taken for the end of the line. */
static void input_that_waits_elsewhere_does_not_end_the_line(void **state)
{
	(void)state;
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "xyz", 3), 3);
	int saved = dup(STDIN_FILENO);
	dup2(pipes[0], STDIN_FILENO);
	begin("");
	type("한a글");
	assert_true(prompt_is_open());
	assert_string_equal(prompt_line(), "한a글");
	type("<Esc>");
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(korean_is_edited_by_the_syllable),
		cmocka_unit_test(escape_leaves_and_an_empty_line_is_left_by_backspace),
		cmocka_unit_test(tab_adds_what_all_candidates_share),
		cmocka_unit_test(commands_and_searches_have_histories_of_their_own),
		cmocka_unit_test(history_is_on_disk_as_soon_as_a_line_is_accepted),
		cmocka_unit_test(input_that_waits_elsewhere_does_not_end_the_line),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

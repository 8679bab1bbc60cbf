#include "support.h"

#include "base/buf.h"
#include "data/texts.h"

static const char *written(const char *name, const char *content)
{
	static char path[300];
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	test_write(path, content);
	return path;
}

/* want: the texts, each between bars. */
static void assert_texts(const char *path, size_t n, const char *want)
{
	struct texts t;
	struct err err = ERR_INIT;
	struct buf all = BUF_INIT;
	assert_ok(texts_open(path, &t, &err), &err);
	assert_int_equal(t.n, n);
	buf_addch(&all, '|');
	for (size_t i = 0; i < t.n; i++) {
		buf_addtext(&all, t.t[i]);
		buf_addch(&all, '|');
	}
	assert_string_equal(all.data, want);
	buf_release(&all);
	texts_close(&t);
}

static void assert_refused(const char *path, const char *words)
{
	struct texts t;
	struct err err = ERR_INIT;
	if (texts_open(path, &t, &err))
		fail_msg("%s was opened", path);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
}

static void plain_lines_stay_aligned_with_the_input(void **state)
{
	(void)state;
	assert_texts(written("a.txt", "one\n\n  two \xE2\x80\xA8\r\n\n"), 4,
		"|one||  two \xE2\x80\xA8||");
	assert_texts(written("a.txt", "\xEF\xBB\xBFone"), 1, "|one|");
	assert_texts(written("a.txt", ""), 0, "|");
	assert_texts(written("a.txt", "\n"), 1, "||");
	assert_texts(written("a.txt", "\xFE\xFD"), 1, "|\xFE\xFD|");
}

static void json_lines_give_their_text(void **state)
{
	(void)state;
	assert_texts(written("b.jsonl", "{\"text\":\" a \"}\n\n{\"text\":\"\",\"x\":1}\r\n"), 2,
		"| a ||");
	assert_texts(written("b.txt", "\n \t{\"text\":\"a\"}"), 1, "|a|");
	assert_texts(
		written("c.jsonl", "{\"_id\":\"1\",\"title\":\"T\",\"text\":\" b \xE3\x80\x80\"}"),
		1, "|T  b|");
	assert_texts(written("c.jsonl", "{\"title\":\"\",\"text\":\" b\xC2\xA0\"}"), 1, "|b|");
	assert_texts(written("c.jsonl", "{\"title\":\" T\",\"text\":\"\"}"), 1, "|T|");
}

static void ids_come_with_their_texts(void **state)
{
	(void)state;
	struct texts t;
	struct err err = ERR_INIT;
	const char *path = written("ids.jsonl",
		"{\"_id\":\"x\",\"text\":\"a\"}\n{\"id\":7,\"text\":\"b\"}\n{\"text\":\"c\"}\n");
	assert_ok(texts_open(path, &t, &err), &err);
	assert_true(text_is(t.id[0], "x") && text_is(t.id[1], "7") && !t.id[2].s);
	texts_close(&t);
}

static void a_line_that_cannot_be_read_is_an_error(void **state)
{
	(void)state;
	assert_refused(written("d.jsonl", "{\"text\":\"a\"}\nplain\n"), "d.jsonl:2:1: not JSON");
	assert_refused(written("d.jsonl", "{\"text\":7}\n"), "d.jsonl:1:9: text is a number");
	assert_refused(written("d.jsonl", "{\"query\":\"q\"}\n"), "d.jsonl:1: no text");
	assert_refused(written("d.jsonl", "{\"text\":null}\n"), "d.jsonl:1: no text");
	assert_refused(test_scratch(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_lines_stay_aligned_with_the_input),
		cmocka_unit_test(json_lines_give_their_text),
		cmocka_unit_test(ids_come_with_their_texts),
		cmocka_unit_test(a_line_that_cannot_be_read_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

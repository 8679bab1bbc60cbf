#include "support.h"

#include "base/options.h"

static const struct option table[] = {
	{.name = "in", .type = OPT_PATHS, .arg = "F", .help = "files", .is_positional = true},
	{.name = "negatives",
		.type = OPT_INT,
		.def = "7",
		.range = "1..1000",
		.arg = "N",
		.help = "how many"},
	{.name = "lr",
		.type = OPT_REAL,
		.def = "2e-5",
		.range = "0..",
		.arg = "X",
		.help = "learning rate"},
	{.name = "loss",
		.type = OPT_STRING,
		.def = "infonce",
		.range = "infonce|kl_div",
		.arg = "L",
		.help = "loss"},
	{.name = "dims", .type = OPT_LIST, .arg = "LIST", .help = "dimensions"},
	{.name = "after",
		.type = OPT_STRING,
		.arg = "[A-B]",
		.help = "a value that may be left out",
		.may_stand_alone = true},
	{.name = "lora", .type = OPT_FLAG, .help = "adapters"},
	{.name = NULL},
};
static const struct job job = {"try", "a table for tests", table, "  vecsmith try a.jsonl\n"};

/* "%s" in the line stands for word. Words are parted by single spaces. */
static struct opts *parse(const char *line, const char *word, struct err *err)
{
	static char text[2000];
	snprintf(text, sizeof text, line, word);
	char *argv[32] = {text};
	int argc = 0;
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	return opts_parse(&job, argc, argv, err);
}

static void every_form_of_a_value_is_taken(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct opts *o = parse(
		"try a.jsonl --negatives=15 --lr 1e-4 --dims 64,128 --dims 256 --lora b,c.jsonl%s",
		"", &err);
	assert_ok(o, &err);
	const char *const *items;
	assert_int_equal(opts_list(o, "in", &items), 2);
	assert_string_equal(items[1], "b,c.jsonl");
	assert_int_equal(opts_int(o, "negatives"), 15);
	assert_true(opts_real(o, "lr") == 1e-4);
	assert_int_equal(opts_list(o, "dims", &items), 3);
	assert_string_equal(items[2], "256");
	assert_true(opts_flag(o, "lora"));
	assert_false(opts_given(o, "loss"));
	assert_string_equal(opts_str(o, "loss"), "infonce");
	opts_free(o);
}

static void a_value_may_be_left_out_where_the_table_says_so(void **state)
{
	(void)state;
	static const struct {
		const char *word, *value;
	} forms[] = {{"--after --lora", ""}, {"--after", ""}, {"--after 3-50", "3-50"},
		{"--after=1-2", "1-2"}};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct err err = ERR_INIT;
		struct opts *o = parse("try %s", forms[i].word, &err);
		assert_ok(o, &err);
		assert_string_equal(opts_str(o, "after"), forms[i].value);
		opts_free(o);
	}
	struct err err = ERR_INIT;
	struct opts *o = parse("try x%s", "", &err);
	assert_null(opts_str(o, "after"));
	opts_free(o);
}

static void wrong_values_are_refused_with_the_name_the_value_and_what_is_right(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		const char *says;
	} wrong[] = {
		{"--negatives=0", "1..1000"},
		{"--negatives=ten", "whole number"},
		{"--negatives=99999999999999999999", "whole number"},
		{"--lr=nan", "number"},
		{"--loss=infonc", "infonce|kl_div"},
		{"--negative=3", "did you mean --negatives"},
		{"--lora=perhaps", "true or false"},
		{"--lr", "needs a value"},
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err err = ERR_INIT;
		assert_null(parse("try %s", wrong[i].word, &err));
		assert_int_equal(err.code, ERR_USAGE);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("%s: \"%s\" lacks \"%s\"", wrong[i].word, err.text, wrong[i].says);
	}
}

static void the_command_line_wins_over_the_file_and_the_file_over_the_default(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char path[300];
	snprintf(path, sizeof path, "%s/c.yaml", test_scratch());
	test_write(path, "negatives: 3\nlr: 1e-3 # fast\ndims: [8, 16]\nlora: yes\n");
	struct opts *o = parse("try --config %s --negatives 5", path, &err);
	assert_ok(o, &err);
	assert_int_equal(opts_int(o, "negatives"), 5);
	assert_true(opts_real(o, "lr") == 1e-3);
	const char *const *items;
	assert_int_equal(opts_list(o, "dims", &items), 2);
	assert_true(opts_flag(o, "lora"));
	opts_free(o);
}

static void a_wrong_line_of_the_file_is_named_by_line_and_column(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{"negatives: 3\nlearning_rate: 1\n", ":2:"},
		{"negatives: many\n", "c.yaml:1:"},
		{"negatives: &a 3\n", "anchors"},
		{"- 1\n", "name: value"},
		{"a: [1, 2\n", "c.yaml:"},
		{"lr: 1\nlr: 2\n", "twice"},
	};
	char path[300];
	snprintf(path, sizeof path, "%s/c.yaml", test_scratch());
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err err = ERR_INIT;
		test_write(path, wrong[i].text);
		assert_null(parse("try --config %s", path, &err));
		if (!strstr(err.text, wrong[i].says))
			fail_msg("\"%s\" lacks \"%s\"", err.text, wrong[i].says);
	}
}

static void help_and_manifest_are_printed_from_the_table(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	opts_help(&job, &b);
	assert_non_null(strstr(b.data, "--negatives N"));
	assert_non_null(strstr(b.data, "[7]"));
	assert_non_null(strstr(b.data, "--threads N"));
	buf_clear(&b);
	struct err err = ERR_INIT;
	struct opts *o = parse("try x%s", "", &err);
	assert_ok(o, &err);
	opts_json(o, &b);
	assert_non_null(strstr(b.data, "\"in\":[\"x\"]"));
	assert_non_null(strstr(b.data, "\"lr\":2e-05"));
	assert_non_null(strstr(b.data, "\"dims\":null"));
	opts_free(o);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_value_is_taken),
		cmocka_unit_test(a_value_may_be_left_out_where_the_table_says_so),
		cmocka_unit_test(
			wrong_values_are_refused_with_the_name_the_value_and_what_is_right),
		cmocka_unit_test(the_command_line_wins_over_the_file_and_the_file_over_the_default),
		cmocka_unit_test(a_wrong_line_of_the_file_is_named_by_line_and_column),
		cmocka_unit_test(help_and_manifest_are_printed_from_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

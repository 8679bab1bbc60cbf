#include "support.h"

#include "base/fs.h"
#include "model/prompts.h"

static const char *folder(const char *json)
{
	static char dir[512];
	static unsigned n;
	struct err err = ERR_INIT;
	char path[600];
	snprintf(dir, sizeof dir, "%s/prompts-%u", test_scratch(), n++);
	assert_ok(fs_mkdirs(dir, &err), &err);
	snprintf(path, sizeof path, "%s/config_sentence_transformers.json", dir);
	if (json)
		test_write(path, json);
	return dir;
}

static struct prompts open_prompts(const char *json, const char *query, const char *passage)
{
	struct err err = ERR_INIT;
	struct prompts p;
	assert_ok(prompts_open(folder(json), query, passage, &p, &err), &err);
	return p;
}

static void is(struct text got, const char *want)
{
	if (!text_is(got, want))
		fail_msg("'%.*s' should be '%s'", TEXT_ARG(got), want);
}

static void a_folder_without_prompts_has_none(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct prompts p = open_prompts(NULL, NULL, NULL);
	is(prompts_query(&p, TEXT_NONE, &a), "");
	is(prompts_passage(&p, TEXT_NONE, TEXT_NONE, &a), "");
	assert_null(p.default_name.s);
	prompts_close(&p);
	p = open_prompts("{\"prompts\": null, \"default_prompt_name\": null}", NULL, NULL);
	assert_int_equal(p.n, 0);
	prompts_close(&p);
	arena_release(&a);
}

static void the_folders_prompts_are_the_default(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct text t;
	struct prompts p = open_prompts("{\"prompts\": {\"query\": \"query: \", \"document\": "
					"\"passage: \", \"sts\": \"same? \"}, "
					"\"default_prompt_name\": \"sts\"}",
		NULL, NULL);
	is(prompts_query(&p, TEXT_NONE, &a), "query: ");
	is(prompts_passage(&p, TEXT_NONE, TEXT_NONE, &a), "passage: ");
	is(p.default_name, "sts");
	assert_true(prompts_named(&p, "sts", &t));
	is(t, "same? ");
	assert_false(prompts_named(&p, "none", &t));
	prompts_close(&p);
	arena_release(&a);
}

static void other_names_for_both_roles_are_known(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct prompts p = open_prompts(
		"{\"prompts\": {\"s2p_query\": \"q \", \"corpus\": \"c \"}}", NULL, NULL);
	is(prompts_query(&p, TEXT_NONE, &a), "q ");
	is(prompts_passage(&p, TEXT_NONE, TEXT_NONE, &a), "c ");
	prompts_close(&p);
	arena_release(&a);
}

static void the_user_stands_above_row_and_folder(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct prompts p = open_prompts(
		"{\"prompts\": {\"query\": \"query: \", \"document\": \"d: \"}}", "mine: ", "");
	is(prompts_query(&p, TEXT("Find it."), &a), "mine: ");
	is(prompts_passage(&p, TEXT_NONE, TEXT_NONE, &a), "");
	prompts_close(&p);
	arena_release(&a);
}

static void an_instruction_goes_into_the_templates_slot(void **state)
{
	(void)state;
	static const struct {
		const char *json, *want;
	} cases[] = {
		{"{\"prompts\": {\"query\": \"Instruct: Given a web search query, find\\nQuery: \"}}",
			"Instruct: Find it.\nQuery: "},
		{"{\"prompts\": {\"query\": \"Instruct: {instruction}\\nQuery: \"}}",
			"Instruct: Find it.\nQuery: "},
		{"{\"prompts\": {\"query\": \"<instruct>{instruction}\\n<query>{query}\"}}",
			"<instruct>Find it.\n<query>"},
		{"{\"prompts\": {\"query\": \"query: \"}}", "Find it."},
		{"{}", "Find it."},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a = ARENA_INIT;
		struct prompts p = open_prompts(cases[i].json, NULL, NULL);
		is(prompts_query(&p, TEXT("Find it."), &a), cases[i].want);
		prompts_close(&p);
		arena_release(&a);
	}
}

static void an_open_slot_says_nothing_without_an_instruction(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct prompts p = open_prompts(
		"{\"prompts\": {\"query\": \"Instruct: {instruction}\\nQuery: \"}}", NULL, NULL);
	is(prompts_query(&p, TEXT_NONE, &a), "");
	prompts_close(&p);
	arena_release(&a);
}

static void symmetric_rows_repeat_the_querys_prompt(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct prompts p = open_prompts(
		"{\"prompts\": {\"query\": \"query: \", \"document\": \"passage: \"}}", NULL, NULL);
	is(prompts_passage(&p, TEXT("Same?"), TEXT("symmetric_sts"), &a), "Same?");
	is(prompts_passage(&p, TEXT_NONE, TEXT("symmetric_clustering"), &a), "query: ");
	is(prompts_passage(&p, TEXT("Same?"), TEXT("retrieval"), &a), "passage: ");
	prompts_close(&p);
	arena_release(&a);
}

static void wrong_files_are_refused_by_key(void **state)
{
	(void)state;
	static const struct {
		const char *json, *word;
	} cases[] = {
		{"{\"prompts\": [1]}", "prompts is a list"},
		{"{\"prompts\": {\"query\": 3}}", "query is a number"},
		{"{\"prompts\": {}, \"default_prompt_name\": \"q\"}",
			"default_prompt_name is \"q\""},
		{"{\"prompts\": {}, \"default_prompt_name\": 5}", "default_prompt_name is 5"},
		{"{", "not JSON"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct prompts p;
		assert_false(prompts_open(folder(cases[i].json), NULL, NULL, &p, &err));
		if (!strstr(err.text, cases[i].word) ||
			!strstr(err.text, "config_sentence_transformers.json"))
			fail_msg("'%s' should say %s", err.text, cases[i].word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_without_prompts_has_none),
		cmocka_unit_test(the_folders_prompts_are_the_default),
		cmocka_unit_test(other_names_for_both_roles_are_known),
		cmocka_unit_test(the_user_stands_above_row_and_folder),
		cmocka_unit_test(an_instruction_goes_into_the_templates_slot),
		cmocka_unit_test(an_open_slot_says_nothing_without_an_instruction),
		cmocka_unit_test(symmetric_rows_repeat_the_querys_prompt),
		cmocka_unit_test(wrong_files_are_refused_by_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

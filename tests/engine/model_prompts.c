#include "support.h"

#include "base/fs.h"
#include "model/prompts.h"
#include "text/tokenizer.h"

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

/* A folder of this name, with a config.json that says what it was made of when base is given. */
static const char *named(const char *name, const char *base, const char *prompts)
{
	static char dir[600];
	struct err err = ERR_INIT;
	char path[800], config[300];
	snprintf(dir, sizeof dir, "%s/%s", test_scratch(), name);
	assert_ok(fs_remove_tree(dir, &err) && fs_mkdirs(dir, &err), &err);
	if (base) {
		snprintf(path, sizeof path, "%s/config.json", dir);
		snprintf(config, sizeof config, "{\"_name_or_path\": \"%s\"}", base);
		test_write(path, config);
	}
	if (prompts) {
		snprintf(path, sizeof path, "%s/config_sentence_transformers.json", dir);
		test_write(path, prompts);
	}
	return dir;
}

static void a_family_is_known_by_the_folders_name(void **state)
{
	(void)state;
	static const struct {
		const char *name, *base, *family, *query, *passage, *closing;
	} cases[] = {
		{"bge-base-en-v1.5", NULL, "bge-en",
			"Represent this sentence for searching relevant passages: ", "", ""},
		{"BGE-large-zh", NULL, "bge-zh", "为这个句子生成表示以用于检索相关文章：", "", ""},
		{"bge-m3", NULL, "bge-m3", "", "", ""},
		{"KURE-v1", NULL, "bge-m3", "", "", ""},
		{"KoE5", NULL, "koe5", "query: ", "passage: ", ""},
		{"e5-base-v2", NULL, "e5", "query: ", "passage: ", ""},
		{"multilingual-e5-large", NULL, "multilingual-e5", "query: ", "passage: ", ""},
		{"multilingual-e5-large-instruct", NULL, "multilingual-e5-instruct",
			"Instruct: Given a web search query, retrieve relevant passages that answer "
			"the query\nQuery: ",
			"", ""},
		{"e5-mistral-7b-instruct", NULL, "e5-mistral",
			"Instruct: Given a web search query, retrieve relevant passages that answer "
			"the query\nQuery: ",
			"", "</s>"},
		{"bge-multilingual-gemma2", NULL, "bge-multilingual-gemma2",
			"<instruct>Given a query, retrieve passages that are relevant to the "
			"query.\n<query>",
			"", "<eos>"},
		{"KaLM-embedding-multilingual-mini-instruct-v1.5", NULL, "kalm",
			"Instruct: Given a query, retrieve documents that answer the query \n Query: ",
			"", ""},
		{"Qwen3-Embedding-0.6B", NULL, "qwen3-embedding",
			"Instruct: Given a web search query, retrieve relevant passages that answer "
			"the query\nQuery:",
			"", ""},
		{"gte-large", NULL, "gte", "", "", ""},
		{"embeddinggemma-300m", NULL, "embeddinggemma",
			"task: search result | query: ", "title: none | text: ", ""},
		{"mine", "BAAI/bge-small-en-v1.5", "bge-en",
			"Represent this sentence for searching relevant passages: ", "", ""},
		{"e5-small-v2/checkpoint-100", NULL, "e5", "query: ", "passage: ", ""},
		{"mine", "someone/unknown", NULL, "", "", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct prompts p;
		struct arena a = ARENA_INIT;
		assert_ok(prompts_open(
				  named(cases[i].name, cases[i].base, NULL), NULL, NULL, &p, &err),
			&err);
		if (!cases[i].family)
			assert_null(p.family);
		else
			assert_string_equal(p.family, cases[i].family);
		is(prompts_query(&p, TEXT_NONE, &a), cases[i].query);
		is(prompts_passage(&p, TEXT_NONE, TEXT_NONE, &a), cases[i].passage);
		is(p.closing, cases[i].closing);
		prompts_close(&p);
		arena_release(&a);
	}
}

static void a_rows_instruction_goes_into_the_familys_template(void **state)
{
	(void)state;
	static const struct {
		const char *name, *want;
	} cases[] = {
		{"e5-mistral-7b-instruct", "Instruct: Find it.\nQuery: "},
		{"bge-multilingual-gemma2", "<instruct>Find it.\n<query>"},
		{"KaLM-Embedding-V2", "Instruct: Find it. \n Query: "},
		{"Qwen3-Embedding-8B", "Instruct: Find it.\nQuery:"},
		{"embeddinggemma-300m", "task: Find it. | query: "},
		{"bge-base-en", "Find it."},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct prompts p;
		struct arena a = ARENA_INIT;
		assert_ok(
			prompts_open(named(cases[i].name, NULL, NULL), NULL, NULL, &p, &err), &err);
		is(prompts_query(&p, TEXT("Find it."), &a), cases[i].want);
		prompts_close(&p);
		arena_release(&a);
	}
}

static void folder_user_and_named_family_stand_in_their_order(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct prompts p;
	const char *own = "{\"prompts\": {\"query\": \"\", \"document\": \"d: \"}}";
	const char *dir = named("bge-base-en", NULL, own);
	assert_ok(prompts_open(dir, NULL, NULL, &p, &err), &err);
	is(p.query, "");
	is(p.passage, "d: ");
	assert_string_equal(p.source, "config_sentence_transformers.json");
	prompts_close(&p);
	struct prompts_options opt = {.family = "e5"};
	assert_ok(prompts_open_as(dir, &opt, &p, &err), &err);
	is(p.query, "query: ");
	assert_string_equal(p.source, "family e5");
	prompts_close(&p);
	opt = (struct prompts_options){.family = "none", .query = "mine: "};
	assert_ok(prompts_open_as(named("bge-base-en", NULL, NULL), &opt, &p, &err), &err);
	is(p.query, "mine: ");
	assert_null(p.family);
	assert_string_equal(p.source, "--query-prompt; none");
	prompts_close(&p);
	opt = (struct prompts_options){.family = "bge-klingon"};
	assert_false(prompts_open_as(dir, &opt, &p, &err));
	assert_non_null(strstr(err.text, "bge-multilingual-gemma2"));
	assert_int_equal(err.code, ERR_USAGE);
}

static void the_closing_token_is_kept_when_a_text_is_cut(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct prompts p;
	struct ids whole = IDS_INIT, cut = IDS_INIT;
	struct token_limits limits = {.max_length = 4};
	int32_t eos;
	struct tokenizer *t = tokenizer_open(test_file("tests/fixtures/rerankers/gemma"), &err);
	assert_ok(t != NULL, &err);
	assert_ok(prompts_open(named("e5-mistral", NULL, NULL), NULL, NULL, &p, &err), &err);
	struct hash128 before = tokenizer_hash(t);
	assert_ok(prompts_close_texts(&p, t, &err) && prompts_close_texts(&p, t, &err), &err);
	struct hash128 after = tokenizer_hash(t);
	assert_memory_not_equal(&before, &after, sizeof before);
	assert_true(tokenizer_id(t, TEXT("</s>"), &eos));
	struct tokenizer_run *run = tokenizer_run_new(t);
	size_t n =
		tokenizer_encode(run, TEXT("what is a panda?"), &(struct token_limits){0}, &whole);
	assert_int_equal(n, whole.n);
	assert_true(n > 4 && whole.id[n - 1] == eos && whole.id[n - 2] != eos);
	assert_int_equal(tokenizer_encode(run, TEXT("what is a panda?"), &limits, &cut), n);
	assert_int_equal(cut.n, 4);
	assert_int_equal(cut.id[3], eos);
	assert_memory_equal(cut.id, whole.id, 3 * sizeof *cut.id);
	ids_release(&whole);
	ids_release(&cut);
	tokenizer_run_free(run);
	prompts_close(&p);
	tokenizer_close(t);
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
		cmocka_unit_test(a_family_is_known_by_the_folders_name),
		cmocka_unit_test(a_rows_instruction_goes_into_the_familys_template),
		cmocka_unit_test(folder_user_and_named_family_stand_in_their_order),
		cmocka_unit_test(the_closing_token_is_kept_when_a_text_is_cut),
		cmocka_unit_test(wrong_files_are_refused_by_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

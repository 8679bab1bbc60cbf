/* The probe opens tokenizers behind the screen, and shows what a limit cuts. */
#include "support.h"

#include "base/fs.h"
#include "tui/models.h"
#include "tui/probe.h"

static const char *fixture(const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "tests/fixtures/tokenizer/%s", name);
	return test_file(path);
}

static void wait_for(struct probe *p)
{
	while (probe_wait(p, 6))
		assert_int_equal(probe_state(p), PROBE_OPENING);
}

static void a_tokenizer_is_opened_behind_the_screen(void **state)
{
	(void)state;
	struct probe *p = probe_new();
	assert_int_equal(probe_state(p), PROBE_NONE);
	probe_open(p, fixture("wordpiece"));
	assert_int_equal(probe_state(p), PROBE_OPENING); /* it did not wait */
	wait_for(p);
	assert_int_equal(probe_state(p), PROBE_READY);
	const struct probed *r = probe_text(p, TEXT("the  ferry"), 0);
	assert_int_equal(r->n, 2);
	assert_int_equal(r->n_kept, 2);
	assert_int_equal(r->n_special, 2);
	assert_int_equal(r->spans[1].begin, 5);
	assert_int_equal(r->spans[1].end, 10);
	probe_free(p);
}

static void the_one_asked_for_last_is_what_comes(void **state)
{
	(void)state;
	struct probe *p = probe_new();
	probe_open(p, fixture("wordpiece"));
	probe_open(p, fixture("unigram-plain"));
	probe_open(p, fixture("unigram"));
	wait_for(p);
	assert_string_equal(tokenizer_kind(probe_tokenizer(p)), "Unigram");
	probe_open(p, fixture("unigram")); /* it is there */
	assert_int_equal(probe_state(p), PROBE_READY);
	probe_open(p, fixture("wordpiece"));
	probe_free(p); /* on its way: waited for */
}

static void what_cannot_be_opened_says_why(void **state)
{
	(void)state;
	struct probe *p = probe_new();
	probe_open(p, test_scratch());
	wait_for(p);
	assert_int_equal(probe_state(p), PROBE_FAILED);
	assert_non_null(strstr(probe_error(p), "neither a tokenizer.json"));
	probe_open(p, fixture("wordpiece"));
	wait_for(p);
	assert_int_equal(probe_state(p), PROBE_READY);
	probe_free(p);
}

static void a_limit_counts_special_tokens(void **state)
{
	(void)state;
	static const struct {
		size_t limit, kept;
	} cases[] = {{0, 4}, {7, 4}, {6, 4}, {5, 3}, {3, 1}, {2, 0}, {1, 0}};
	struct probe *p = probe_new();
	probe_open(p, fixture("wordpiece"));
	wait_for(p);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct probed *r =
			probe_text(p, TEXT("the ferry \U0001F6F8 the"), cases[i].limit);
		assert_int_equal(r->n, 4);
		assert_int_equal(r->n_unknown, 1);
		assert_int_equal(r->n_kept, cases[i].kept);
	}
	assert_int_equal(probe_text(p, TEXT(""), 5)->n, 0);
	probe_free(p);
}

static void model_folders_are_found_with_their_facts(void **state)
{
	(void)state;
	char dir[300], path[400];
	struct err err = ERR_INIT;
	snprintf(dir, sizeof dir, "%s/work", test_scratch());
	snprintf(path, sizeof path, "%s/models/a", dir);
	assert_ok(fs_mkdirs(path, &err), &err);
	snprintf(path, sizeof path, "%s/models/a/config.json", dir);
	test_write(path,
		"{\"model_type\":\"xlm-roberta\",\"hidden_size\":8,\"num_hidden_layers\":2,"
		"\"max_position_embeddings\":514}");
	snprintf(path, sizeof path, "%s/models/a/config_sentence_transformers.json", dir);
	test_write(path, "{\"prompts\":{\"query\":\"q: \",\"document\":\"\"}}");
	snprintf(path, sizeof path, "%s/models/none", dir);
	assert_ok(fs_mkdirs(path, &err), &err);
	struct session s = {.dir = dir};
	struct models m = {0};
	models_find(&m, &s);
	assert_int_equal(m.n, 1);
	assert_string_equal(m.e[0].name, "a");
	assert_string_equal(m.e[0].kind, "xlm-roberta");
	assert_int_equal(m.e[0].max_length, 512);
	assert_int_equal(m.e[0].layers, 2);
	assert_string_equal(m.e[0].prompts, "query \"q: \"");
	models_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tokenizer_is_opened_behind_the_screen),
		cmocka_unit_test(the_one_asked_for_last_is_what_comes),
		cmocka_unit_test(what_cannot_be_opened_says_why),
		cmocka_unit_test(a_limit_counts_special_tokens),
		cmocka_unit_test(model_folders_are_found_with_their_facts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

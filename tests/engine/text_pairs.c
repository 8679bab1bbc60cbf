/* Pairs for rerankers against FlagEmbedding and Qwen3-Reranker's model card: pairs.jsonl (see
 * tests/parity/make_pair_gold.py). */
#include "support.h"

#include "base/fs.h"
#include "base/jsonfile.h"
#include "text/pair_budget.h"

static struct tokenizer *open_fixture(struct text name)
{
	char path[200];
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "tests/fixtures/tokenizer/%.*s", TEXT_ARG(name));
	struct tokenizer *t = tokenizer_open(test_file(path), &err);
	assert_ok(t != NULL, &err);
	return t;
}

static enum pair_rule rule_of(struct text name)
{
	static const char *const names[] = {[PAIR_LONGEST_FIRST] = "longest_first",
		[PAIR_ONLY_SECOND] = "only_second",
		[PAIR_YES] = "yes",
		[PAIR_YES_NO] = "yes_no"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_is(name, names[i]))
			return (enum pair_rule)i;
	fail_msg("no such rule");
	return PAIR_YES;
}

/* "lengths": [query, passage, whole] as scoring has them, or [query, passage, 0] of training. */
static struct pair_lengths lengths_of(json row)
{
	int64_t n[3] = {0};
	bool is_training = false;
	size_t i = 0;
	for (struct json_iter it = json_each(json_get(row, "lengths")); i < 3 && json_next(&it);)
		assert_true(json_int(it.value, &n[i++]));
	assert_true(json_bool(json_get(row, "training"), &is_training));
	return is_training ? pair_lengths_training((size_t)n[0], (size_t)n[1])
			   : pair_lengths_scoring((size_t)n[2], (size_t)n[0]);
}

/* The rows of one setting stand together: its budget serves them all. */
struct serving {
	struct tokenizer *tokenizer;
	struct pair_budget_options opt;
	struct pair_budget *budget;
};

static void serve(struct serving *s, struct tokenizer *t, json row)
{
	struct text rule;
	struct err err = ERR_INIT;
	assert_ok(json_want_text(row, "rule", TEXT_NONE, &rule, &err), &err);
	struct pair_budget_options opt = {
		.rule = rule_of(rule), .lengths = lengths_of(row), .dir = test_scratch()};
	if (s->budget && s->tokenizer == t && s->opt.rule == opt.rule &&
		memcmp(&s->opt.lengths, &opt.lengths, sizeof opt.lengths) == 0)
		return;
	pair_budget_free(s->budget);
	*s = (struct serving){t, opt, pair_budget_new(t, &opt, &err)};
	assert_ok(s->budget != NULL, &err);
}

static void check_row(struct pair_budget *b, json row, size_t line)
{
	struct text query, passage;
	struct err err = ERR_INIT;
	assert_ok(json_want_text(row, "query", TEXT_NONE, &query, &err), &err);
	assert_ok(json_want_text(row, "passage", TEXT_NONE, &passage, &err), &err);
	struct ids ids = IDS_INIT, types = IDS_INIT;
	json want = json_get(row, "ids");
	size_t whole = pair_budget_encode(b, query, passage, &ids, &types), i = 0;
	assert_true(whole >= ids.n);
	assert_int_equal(types.n, ids.n);
	if (ids.n != json_count(want))
		fail_msg("line %zu: %zu ids, expected %zu", line, ids.n, json_count(want));
	for (struct json_iter it = json_each(want); json_next(&it); i++) {
		int64_t id = -1;
		if (!json_int(it.value, &id) || id != ids.id[i])
			fail_msg("line %zu: id %zu is %d, expected %lld", line, i, ids.id[i],
				(long long)id);
	}
	ids_release(&ids);
	ids_release(&types);
}

static void pairs_are_cut_as_their_families_were_trained(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct fs_map m;
	struct json_parser *p = json_parser_new();
	char config[300];
	snprintf(config, sizeof config, "%s/tokenizer_config.json", test_scratch());
	test_write(config, "{\"bos_token\":{\"content\":\"<s>\"},\"pad_token\":\"<pad>\"}");
	struct tokenizer *t[] = {open_fixture(TEXT("wordpiece")), open_fixture(TEXT("unigram"))};
	assert_ok(fs_map(test_file("tests/fixtures/tokenizer/pairs.jsonl"), &m, &err), &err);
	struct serving serving = {0};
	size_t line = 0;
	for (size_t at = 0; at < m.len; line++) {
		size_t len = (size_t)((char *)memchr(m.data + at, '\n', m.len - at) - m.data) - at;
		json row;
		struct text name;
		assert_true(json_parse(p, m.data + at, len, 0, &row, NULL));
		assert_ok(json_want_text(row, "tokenizer", TEXT_NONE, &name, &err), &err);
		serve(&serving, t[text_is(name, "unigram")], row);
		check_row(serving.budget, row, line + 1);
		at += len + 1;
	}
	assert_int_equal(line, 300);
	fs_unmap(&m);
	json_parser_free(p);
	pair_budget_free(serving.budget);
	tokenizer_close(t[0]);
	tokenizer_close(t[1]);
}

static void what_leaves_nothing_of_the_passage_is_refused(void **state)
{
	(void)state;
	static const struct {
		enum pair_rule rule;
		size_t max_length, query_max_length;
	} cases[] = {{PAIR_ONLY_SECOND, 64, 64}, {PAIR_YES, 20, 200}, {PAIR_YES_NO, 100, 0}};
	struct tokenizer *t = open_fixture(TEXT("unigram"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct pair_budget_options opt = {.rule = cases[i].rule,
			.lengths = pair_lengths_scoring(
				cases[i].max_length, cases[i].query_max_length)};
		assert_null(pair_budget_new(t, &opt, &err));
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.text, "leaves none for the passage"));
	}
	tokenizer_close(t);
}

static void prefixes_and_prompt_of_the_caller_replace_the_familys(void **state)
{
	(void)state;
	struct tokenizer *t = open_fixture(TEXT("wordpiece"));
	struct tokenizer_run *run = tokenizer_run_new(t);
	struct err err = ERR_INIT;
	struct pair_budget_options opt = {.rule = PAIR_YES,
		.query_prefix = TEXT(""),
		.passage_prefix = TEXT("the "),
		.prompt = TEXT("ticket?")};
	struct pair_budget *b = pair_budget_new(t, &opt, &err);
	assert_ok(b != NULL, &err);
	struct ids got = IDS_INIT, want = IDS_INIT;
	struct token_limits bare = {.no_special = true};
	/* "\n" is no token of a WordPiece vocabulary. */
	size_t whole = pair_budget_encode(b, TEXT("ferry"), TEXT("harbour"), &got, NULL);
	tokenizer_encode(run, TEXT("ferry the harbour ticket?"), &bare, &want);
	assert_int_equal(whole, want.n);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.id, want.id, want.n * sizeof *want.id);
	int32_t id = -1;
	assert_true(pair_answer_id(t, TEXT("ferry"), &id));
	assert_int_equal(id, want.id[0]);
	assert_false(pair_answer_id(t, TEXT("\n"), &id));
	ids_release(&got);
	ids_release(&want);
	pair_budget_free(b);
	tokenizer_run_free(run);
	tokenizer_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_cut_as_their_families_were_trained),
		cmocka_unit_test(what_leaves_nothing_of_the_passage_is_refused),
		cmocka_unit_test(prefixes_and_prompt_of_the_caller_replace_the_familys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

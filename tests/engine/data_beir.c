#include "support.h"

#include "base/fs.h"
#include "data/beir.h"

static void assert_text(struct text t, const char *want)
{
	if (!text_is(t, want))
		fail_msg("\"%.*s\", expected \"%s\"", TEXT_ARG(t), want);
}

/* A folder in the scratch folder; NULL files are left out. */
static const char *folder(
	const char *name, const char *corpus, const char *queries, const char *qrels)
{
	static char dir[300];
	char path[400];
	struct err err = ERR_INIT;
	snprintf(dir, sizeof dir, "%s/%s", test_scratch(), name);
	snprintf(path, sizeof path, "%s/qrels", dir);
	assert_ok(fs_mkdirs(path, &err), &err);
	snprintf(path, sizeof path, "%s/corpus.jsonl", dir);
	test_write(path, corpus);
	snprintf(path, sizeof path, "%s/queries.jsonl", dir);
	test_write(path, queries);
	snprintf(path, sizeof path, "%s/qrels/test.tsv", dir);
	test_write(path, qrels);
	return dir;
}

static void assert_refused(const char *dir, const char *split, const char *words)
{
	struct beir b = {.n_docs = 77};
	struct err err = ERR_INIT;
	if (beir_open(dir, split, &b, &err))
		fail_msg("%s was opened", dir);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
	assert_int_equal(b.n_docs, 77);
}

static void a_folder_becomes_passages_queries_and_judgements(void **state)
{
	(void)state;
	struct beir b;
	struct err err = ERR_INIT;
	const char *dir = test_file("tests/fixtures/rows_beir");
	assert_true(beir_is(dir));
	assert_ok(beir_open(dir, "train", &b, &err), &err);
	assert_int_equal(b.n_docs, 4);
	assert_text(b.docs[0], "Title one Body one");
	assert_text(b.docs[1], "제목 없는 문서");
	assert_text(b.docs[2], "no title here");
	assert_text(b.docs[3], "숫자 id");
	assert_text(b.doc_ids[3], "4");
	assert_int_equal(b.n_queries, 2);
	assert_text(b.queries[0], "first query");
	assert_text(b.query_ids[1], "q2");
	assert_int_equal(b.n_missing, 2);
	static const struct qrel want[] = {{0, 0, 2, 3}, {0, 1, 0, 7}, {1, 2, 1, 2}, {1, 3, 1, 6}};
	assert_int_equal(b.n_qrels, ARRAY_LEN(want));
	assert_memory_equal(b.qrels, want, sizeof want);
	beir_close(&b);
}

static void qrels_need_no_header_and_no_last_line_feed(void **state)
{
	(void)state;
	struct beir b;
	struct err err = ERR_INIT;
	assert_ok(beir_open(test_file("tests/fixtures/rows_beir"), "test", &b, &err), &err);
	assert_int_equal(b.n_qrels, 1);
	assert_int_equal(b.qrels[0].doc, 2);
	beir_close(&b);
}

static void qrels_may_be_trecs_four_columns(void **state)
{
	(void)state;
	struct beir b;
	struct err err = ERR_INIT;
	const char *dir =
		folder("trec", "{\"_id\":\"d 1\",\"text\":\"t\"}\n{\"_id\":\"d2\",\"text\":\"u\"}",
			"{\"_id\":\"q\",\"text\":\"t\"}", "q 0  d2  1\nq\tQ0\td 1\t-1.0\n");
	assert_ok(beir_open(dir, "test", &b, &err), &err);
	assert_int_equal(b.n_qrels, 2);
	assert_true(b.qrels[0].doc == 1 && b.qrels[0].grade == 1);
	assert_true(b.qrels[1].doc == 0 && b.qrels[1].grade == -1);
	beir_close(&b);
}

static void a_judgement_that_stands_twice_counts_once(void **state)
{
	(void)state;
	struct beir b;
	struct err err = ERR_INIT;
	const char *corpus = "{\"_id\":\"d\",\"text\":\"t\"}",
		   *queries = "{\"_id\":\"q\",\"text\":\"t\"}";
	const char *dir = folder("twice", corpus, queries, "q\td\t1\nq\td\t1\n");
	assert_ok(beir_open(dir, "test", &b, &err), &err);
	assert_int_equal(b.n_qrels, 1);
	assert_int_equal(b.qrels[0].line, 1);
	beir_close(&b);
	dir = folder("differ", corpus, queries, "q\td\t1\nq\td\t0\n");
	assert_refused(dir, "test", "test.tsv:2: passage d has score 0 here and 1 in line 1");
}

static void each_fault_is_named_with_file_and_line(void **state)
{
	(void)state;
	const char *doc = "{\"_id\":\"d\",\"text\":\"t\"}",
		   *query = "{\"_id\":\"q\",\"text\":\"t\"}";
	static const struct {
		const char *corpus, *queries, *qrels, *words;
	} cases[] = {
		{"{\"_id\":\"a\",\"text\":\"t\"}\n\n{\"_id\":\"a\",\"text\":\"u\"}", NULL, "",
			"corpus.jsonl:3: _id a stands in line 1 already"},
		{NULL, "\n{\"text\":\"t\"}", "", "queries.jsonl:2: no _id"},
		{"{\"_id\":\"a\"}", NULL, "", "corpus.jsonl:1: no text"},
		{"{\"query\":\"a\"}", NULL, "", "looks like a row"},
		{"{\"_id\":\"a\",\"text\":[1]}", NULL, "", "corpus.jsonl:1:19: text is a list"},
		{"{\"_id\":1.5,\"text\":\"t\"}", NULL, "", "corpus.jsonl:1:8: _id is a number"},
		{"[]", NULL, "", "corpus.jsonl:1: a list, expected an object"},
		{"{\"_id\":\"a\",", NULL, "", "corpus.jsonl:1:12: not JSON"},
		{NULL, NULL, "q\td\n", "test.tsv:1: expected query-id, corpus-id and score"},
		{NULL, NULL, "q\td\t1\nq\td\tone\n", "test.tsv:2: score is \"one\""},
		{NULL, NULL, "h\th\th\nq\td\t1.5\n", "test.tsv:2: score is \"1.5\""},
		{NULL, NULL, "h\th\th\nq\td\t99999999999\n", "test.tsv:2: score is"},
		{NULL, NULL, "h\th\th\nq\td\t\n", "test.tsv:2: score is \"\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char name[20];
		snprintf(name, sizeof name, "fault%zu", i);
		const char *dir = folder(name, cases[i].corpus ? cases[i].corpus : doc,
			cases[i].queries ? cases[i].queries : query, cases[i].qrels);
		assert_refused(dir, "test", cases[i].words);
	}
}

static void a_missing_split_names_those_there_are(void **state)
{
	(void)state;
	assert_refused(test_file("tests/fixtures/rows_beir"), "dev", "it has test, train");
	assert_refused(test_scratch(), "test", "no BEIR folder");
	assert_false(beir_is(test_scratch()));
}

static void the_shared_sets_have_the_sizes_of_their_description(void **state)
{
	(void)state;
	static const struct {
		const char *name, *split;
		size_t docs, queries, qrels;
	} sets[] = {
		{"ko-retrieval", "train", 1488, 1590, 1617},
		{"ko-retrieval", "test", 1488, 276, 276},
		{"en-retrieval", "test", 3858, 440, 0},
		{"ko-retrieval-lohelp", "test", 2359, 828, 0},
		{"xquad/ar", "test", 240, 1190, 0},
	};
	if (!test_shared("ko-retrieval"))
		skip();
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		struct beir b;
		struct err err = ERR_INIT;
		assert_ok(beir_open(test_shared(sets[i].name), sets[i].split, &b, &err), &err);
		assert_int_equal(b.n_docs, sets[i].docs);
		assert_int_equal(b.n_queries, sets[i].queries);
		if (sets[i].qrels)
			assert_int_equal(b.n_qrels, sets[i].qrels);
		assert_int_equal(b.n_missing, 0);
		beir_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_becomes_passages_queries_and_judgements),
		cmocka_unit_test(qrels_need_no_header_and_no_last_line_feed),
		cmocka_unit_test(qrels_may_be_trecs_four_columns),
		cmocka_unit_test(a_judgement_that_stands_twice_counts_once),
		cmocka_unit_test(each_fault_is_named_with_file_and_line),
		cmocka_unit_test(a_missing_split_names_those_there_are),
		cmocka_unit_test(the_shared_sets_have_the_sizes_of_their_description),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

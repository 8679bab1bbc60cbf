/* The opened rows: filter, order, search, broken ones, and the end before the index. */
#include "support.h"

#include <unistd.h>

#include "tui/rows.h"
#include "tui/seek.h"

static const char small[] =
	"{\"query\":\"하나 apple\",\"pos\":[\"가\"],\"neg\":[\"나\",\"다\"],\"pos_sims\":[0.5],\"neg_sims\":[0.9,0.1]}\n"
	"\n"
	"{\"query\":\"둘\",\"pos\":[\"APPLE 라\"],\"neg\":[],\"pos_sims\":[0.7]}\n"
	"{\"query\": broken\n"
	"{\"query\":\"셋\",\"pos\":[\"마\"],\"neg\":[\"바\"],\"pos_sims\":[0.8],\"neg_sims\":[0.2]}\n"
	"{\"query\":\"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab\",\"pos\":[\"x\"],\"neg\":[\"y\"],\"pos_sims\":[0.9],\"neg_sims\":[0.4]}\n";

static struct rows *open_text(const char *name, const char *text)
{
	char path[4096];
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	test_write(path, text);
	const char *const paths[] = {path};
	struct rows *r = rows_open(paths, 1, NULL, &err);
	assert_ok(r != NULL, &err);
	return r;
}

static void finish(struct rows *r)
{
	while (rows_work(r))
		;
}

static void assert_shown(struct rows *r, const char *expected)
{
	struct buf b = BUF_INIT;
	finish(r);
	for (size_t i = 0; i < rows_shown(r); i++)
		buf_addf(&b, "%zu ", rows_at(r, i)->index);
	assert_string_equal(b.data ? b.data : "", expected);
	buf_release(&b);
}

static void filter(struct rows *r, const char *expression, const char *expected)
{
	struct err err = ERR_INIT;
	assert_ok(rows_filter(r, expression, &err), &err);
	assert_shown(r, expected);
}

static void a_broken_row_says_where_and_the_others_are_there(void **state)
{
	(void)state;
	struct rows *r = open_text("small.jsonl", small);
	assert_int_equal(rows_total(r), 5);
	assert_true(rows_at(r, 2)->is_broken);
	assert_non_null(strstr(rows_at(r, 2)->why, "small.jsonl:4:"));
	assert_false(rows_at(r, 3)->is_broken);
	rows_close(r);
}

static void filters_take_words_and_numbers(void **state)
{
	(void)state;
	struct rows *r = open_text("small.jsonl", small);
	filter(r, "apple", "0 1 ");
	filter(r, "-apple", "3 4 ");
	filter(r, "margin < 0", "0 ");
	filter(r, "n_neg >= 1 and pos_s > .6", "3 4 ");
	filter(r, "한", "4 "); /* typed composed, stored decomposed */
	filter(r, "", "0 1 2 3 4 ");
	rows_close(r);
}

static void a_filter_that_makes_no_sense_leaves_the_old_one(void **state)
{
	(void)state;
	struct rows *r = open_text("small.jsonl", small);
	struct err err = ERR_INIT;
	filter(r, "apple", "0 1 ");
	assert_false(rows_filter(r, "nonsense > 3", &err));
	assert_non_null(strstr(err.text, "nonsense"));
	assert_shown(r, "0 1 ");
	rows_close(r);
}

static void rows_without_the_value_stand_last_both_ways(void **state)
{
	(void)state;
	struct rows *r = open_text("small.jsonl", small);
	struct err err = ERR_INIT;
	assert_ok(rows_sort(r, "margin", &err), &err);
	assert_shown(r, "0 4 3 1 ");
	assert_ok(rows_sort(r, "-margin", &err), &err);
	assert_shown(r, "3 4 0 1 ");
	rows_close(r);
}

static void a_search_goes_round_and_says_when_there_is_nothing(void **state)
{
	(void)state;
	struct rows *r = open_text("small.jsonl", small);
	struct seek k = {SEEK_NONE};
	seek_text(&k, r, "apple", 0, 1);
	assert_int_equal(seek_work(&k, r, 1000), SEEK_FOUND);
	assert_int_equal(k.at, 1);
	seek_text(&k, r, "apple", 1, 1);
	assert_int_equal(seek_work(&k, r, 1000), SEEK_FOUND);
	assert_int_equal(k.at, 0);
	seek_text(&k, r, "apple", 0, -1);
	assert_int_equal(seek_work(&k, r, 1000), SEEK_FOUND);
	assert_int_equal(k.at, 1);
	seek_text(&k, r, "없음", 0, 1);
	assert_int_equal(seek_work(&k, r, 1000), SEEK_MISSED);
	seek_row(&k, r, rows_at(r, 3)->id, 4);
	assert_int_equal(seek_work(&k, r, 1000), SEEK_FOUND);
	assert_int_equal(k.at, 3);
	rows_close(r);
}

/* Large enough for an index of its own thread. */
static char *large(size_t n)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "{\"query\":\"%zu %0200d\",\"pos\":[\"p\"],\"neg\":[]}\n", i, 0);
	return buf_take(&b);
}

static void the_end_of_a_file_is_there_before_its_index(void **state)
{
	(void)state;
	enum { N = 30000 };
	char *text = large(N);
	struct rows *r = open_text("large.jsonl", text);
	assert_true(rows_total(r) > 100); /* the head, or all */
	size_t n = rows_tail(r, 5);
	assert_int_equal(n, 5);
	assert_memory_equal(rows_tail_at(r, 4)->r.query.s, "29999 ", 6);
	assert_memory_equal(rows_tail_at(r, 0)->r.query.s, "29995 ", 6);
	assert_memory_equal(rows_at(r, 0)->r.query.s, "0 ", 2);
	finish(r);
	assert_true(rows_is_complete(r));
	assert_int_equal(rows_percent(r), 100);
	assert_int_equal(rows_total(r), N);
	assert_memory_equal(rows_at(r, N - 1)->r.query.s, "29999 ", 6);
	assert_int_equal(rows_at(r, N - 1)->index, N - 1);
	rows_close(r);
	free(text);
}

static void closing_does_not_wait_for_the_index(void **state)
{
	(void)state;
	char *text = large(60000);
	/* A file of its own each time: what an abandoned thread still reads must not be cut short. */
	for (int i = 0; i < 5; i++) {
		char name[32];
		snprintf(name, sizeof name, "large-%d.jsonl", i);
		rows_close(open_text(name, text));
	}
	free(text);
	usleep(200000); /* lets the abandoned threads free what they hold */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_row_says_where_and_the_others_are_there),
		cmocka_unit_test(filters_take_words_and_numbers),
		cmocka_unit_test(a_filter_that_makes_no_sense_leaves_the_old_one),
		cmocka_unit_test(rows_without_the_value_stand_last_both_ways),
		cmocka_unit_test(a_search_goes_round_and_says_when_there_is_nothing),
		cmocka_unit_test(the_end_of_a_file_is_there_before_its_index),
		cmocka_unit_test(closing_does_not_wait_for_the_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

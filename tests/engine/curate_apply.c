/* Decisions on a row: texts leave, move and change, and what belongs to them goes with them. */
#include "support.h"

#include "curate/apply.h"
#include "json.h"

static const char row[] =
	"{\"query\":\"질문\",\"pos\":[\"p\"],\"neg\":[\"a\",\"b\",\"c\"],\"pos_scores\":[0.9],\"neg_scores\":[0.8,0.5,0.1],"
	"\"pos_sims\":[0.7],\"neg_sims\":[0.6,0.4,0.2],\"neg_ranks\":[0,1,2],\"neg_from\":[\"m\",\"m\",\"x\"],\"own\":{\"k\":1}}";

struct fixture {
	struct arena a;
	struct json_parser *parser;
	struct record r;
	struct workspace *w;
};

static struct fixture open_fixture(const char *name)
{
	struct fixture f = {.a = ARENA_INIT, .parser = json_parser_new()};
	struct err err = ERR_INIT;
	size_t offset;
	char *dir = arena_printf(&f.a, "%s/%s", test_scratch(), name);
	struct text line = arena_text(&f.a, text_of(row));
	assert_ok(record_parse(f.parser, line, 0, &f.a, &f.r, &offset, &err), &err);
	f.w = workspace_open(dir, &err);
	assert_ok(f.w != NULL, &err);
	return f;
}

static void close_fixture(struct fixture *f)
{
	workspace_close(f->w);
	json_parser_free(f->parser);
	arena_release(&f->a);
}

static void decide(struct fixture *f, const char *item, enum verdict v, const char *text)
{
	struct err err = ERR_INIT;
	struct decision d = {.row = record_id(&f->r),
		.item = hash128(item, strlen(item)),
		.verdict = v,
		.text = text_of(text)};
	assert_ok(workspace_decide(f->w, &d, 1, &err), &err);
}

static void assert_applied(struct fixture *f, const char *expected)
{
	struct record out;
	struct apply_counts counts = {0};
	struct buf line = BUF_INIT;
	bool changed = false;
	assert_true(apply_decisions(&f->r, f->w, &f->a, &out, &changed, &counts));
	assert_true(changed);
	record_write(&out, f->parser, &line);
	assert_string_equal(line.data, expected);
	buf_release(&line);
}

static void a_promoted_negative_takes_its_numbers_along(void **state)
{
	(void)state;
	struct fixture f = open_fixture("promote");
	decide(&f, "b", VERDICT_PROMOTE, "");
	assert_applied(&f,
		"{\"query\":\"질문\",\"pos\":[\"p\",\"b\"],\"neg\":[\"a\",\"c\"],\"pos_scores\":[0.9,0.5],\"neg_scores\":[0.8,0.1],"
		"\"pos_sims\":[0.7,0.4],\"neg_sims\":[0.6,0.2],\"neg_ranks\":[0,2],\"neg_from\":[\"m\",\"x\"],\"own\":{\"k\":1}}");
	close_fixture(&f);
}

static void a_rejected_negative_leaves_and_an_edited_one_loses_its_numbers(void **state)
{
	(void)state;
	struct fixture f = open_fixture("reject");
	decide(&f, "a", VERDICT_REJECT, "");
	decide(&f, "c", VERDICT_EDIT, "새 글");
	assert_applied(&f,
		"{\"query\":\"질문\",\"pos\":[\"p\"],\"neg\":[\"b\",\"새 글\"],\"pos_scores\":[0.9],\"neg_scores\":[0.5,null],"
		"\"pos_sims\":[0.7],\"neg_sims\":[0.4,null],\"neg_ranks\":[1,null],\"neg_from\":[\"m\",\"person\"],\"own\":{\"k\":1}}");
	close_fixture(&f);
}

static void what_was_kept_skipped_noted_or_undone_changes_nothing(void **state)
{
	(void)state;
	struct fixture f = open_fixture("keep");
	struct record out;
	struct apply_counts counts = {0};
	struct err err = ERR_INIT;
	const struct decision *undone;
	size_t n;
	bool changed = true;
	decide(&f, "a", VERDICT_KEEP, "");
	decide(&f, "b", VERDICT_SKIP, "");
	decide(&f, "c", VERDICT_NOTE, "why");
	decide(&f, "a", VERDICT_REJECT, "");
	assert_ok(workspace_undo(f.w, &undone, &n, &err), &err);
	assert_true(apply_decisions(&f.r, f.w, &f.a, &out, &changed, &counts));
	assert_false(changed);
	assert_int_equal(counts.n_changed, 0);
	close_fixture(&f);
}

static void a_row_without_a_positive_is_left_out_and_counted(void **state)
{
	(void)state;
	struct fixture f = open_fixture("empty");
	struct record out;
	struct apply_counts counts = {0};
	bool changed;
	decide(&f, "p", VERDICT_REJECT, "");
	assert_false(apply_decisions(&f.r, f.w, &f.a, &out, &changed, &counts));
	assert_int_equal(counts.n_emptied, 1);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_promoted_negative_takes_its_numbers_along),
		cmocka_unit_test(a_rejected_negative_leaves_and_an_edited_one_loses_its_numbers),
		cmocka_unit_test(what_was_kept_skipped_noted_or_undone_changes_nothing),
		cmocka_unit_test(a_row_without_a_positive_is_left_out_and_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/rng.h"
#include "store/workspace.h"

static char *fresh(void)
{
	static int n;
	struct err err = ERR_INIT;
	char *dir = xasprintf("%s/w%d", test_scratch(), n++);
	assert_ok(fs_mkdirs(dir, &err), &err);
	return dir;
}

static struct workspace *open_ok(const char *dir)
{
	struct err err = ERR_INIT;
	struct workspace *w = workspace_open(dir, &err);
	assert_ok(w, &err);
	return w;
}

static struct decision about(uint64_t row, uint64_t item, enum verdict v)
{
	return (struct decision){.row = {row, 1},
		.item = {item, 2},
		.verdict = v,
		.text = TEXT("고친 글"),
		.reason = TEXT("")};
}

static enum verdict in_force(const struct workspace *w, uint64_t row, uint64_t item)
{
	const struct decision *d =
		workspace_verdict(w, (struct hash128){row, 1}, (struct hash128){item, 2});
	return d ? d->verdict : VERDICT_NONE;
}

static void decide(struct workspace *w, uint64_t row, uint64_t item, enum verdict v)
{
	struct err err = ERR_INIT;
	struct decision d = about(row, item, v);
	assert_ok(workspace_decide(w, &d, 1, &err), &err);
}

static size_t undo(struct workspace *w)
{
	struct err err = ERR_INIT;
	const struct decision *d;
	size_t n;
	assert_ok(workspace_undo(w, &d, &n, &err), &err);
	return n;
}

static size_t redo(struct workspace *w)
{
	struct err err = ERR_INIT;
	const struct decision *d;
	size_t n;
	assert_ok(workspace_redo(w, &d, &n, &err), &err);
	return n;
}

static void the_last_decision_stands_and_undo_brings_back_the_one_before(void **state)
{
	(void)state;
	char *dir = fresh();
	struct workspace *w = open_ok(dir);
	decide(w, 1, 1, VERDICT_REJECT);
	decide(w, 1, 1, VERDICT_PROMOTE);
	decide(w, 1, 1, VERDICT_EDIT);
	assert_int_equal(in_force(w, 1, 1), VERDICT_PROMOTE);
	assert_non_null(workspace_edit(w, (struct hash128){1, 1}, (struct hash128){1, 2}));
	assert_int_equal(undo(w), 1);
	assert_null(workspace_edit(w, (struct hash128){1, 1}, (struct hash128){1, 2}));
	undo(w);
	assert_int_equal(in_force(w, 1, 1), VERDICT_REJECT);
	undo(w);
	assert_int_equal(in_force(w, 1, 1), VERDICT_NONE);
	assert_int_equal(undo(w), 0);
	assert_int_equal(redo(w), 1);
	assert_int_equal(in_force(w, 1, 1), VERDICT_REJECT);
	workspace_close(w);
	free(dir);
}

static void a_group_is_undone_as_one_also_after_reopening(void **state)
{
	(void)state;
	char *dir = fresh();
	struct workspace *w = open_ok(dir);
	struct err err = ERR_INIT;
	struct decision many[3] = {
		about(1, 1, VERDICT_KEEP), about(1, 2, VERDICT_KEEP), about(1, 3, VERDICT_KEEP)};
	assert_ok(workspace_decide(w, many, 3, &err), &err);
	decide(w, 2, 1, VERDICT_SKIP);
	undo(w);
	workspace_close(w);
	w = open_ok(dir);
	assert_int_equal(in_force(w, 2, 1), VERDICT_NONE);
	assert_int_equal(redo(w), 1);
	undo(w);
	assert_int_equal(undo(w), 3);
	assert_int_equal(in_force(w, 1, 2), VERDICT_NONE);
	assert_string_equal(workspace_at(w, 0, &(bool){false})->text.s, "고친 글");
	workspace_close(w);
	free(dir);
}

static void a_second_workspace_reads_and_says_who_holds_it(void **state)
{
	(void)state;
	char *dir = fresh();
	struct workspace *w = open_ok(dir);
	decide(w, 5, 5, VERDICT_KEEP);
	struct workspace *second = open_ok(dir);
	assert_true(workspace_is_read_only(second));
	char pid[32];
	snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
	assert_non_null(strstr(workspace_notice(second), pid));
	assert_int_equal(in_force(second, 5, 5), VERDICT_KEEP);
	struct err err = ERR_INIT;
	struct decision d = about(5, 5, VERDICT_REJECT);
	assert_false(workspace_decide(second, &d, 1, &err));
	assert_int_equal(in_force(second, 5, 5), VERDICT_KEEP);
	workspace_close(second);
	workspace_close(w);
	w = open_ok(dir);
	assert_false(workspace_is_read_only(w));
	workspace_close(w);
	free(dir);
}

/* A child decides and says so on a pipe; it is killed at a random moment. Whatever was said must be there. */
static void a_kill_loses_no_decision_that_was_acknowledged(void **state)
{
	(void)state;
	struct rng r = rng_new(11, 0);
	for (int round = 0; round < 8; round++) {
		char *dir = fresh();
		int said[2];
		assert_int_equal(pipe(said), 0);
		pid_t child = fork();
		if (child == 0) {
			struct err err = ERR_INIT;
			struct workspace *w = workspace_open(dir, &err);
			for (uint64_t i = 0; w; i++) {
				struct decision d = about(i, i, VERDICT_KEEP);
				if (!workspace_decide(w, &d, 1, &err) ||
					write(said[1], &i, sizeof i) != sizeof i)
					break;
			}
			_exit(1);
		}
		close(said[1]);
		usleep((useconds_t)(20000 + rng_below(&r, 80000)));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		uint64_t last = 0, n = 0, i;
		while (read(said[0], &i, sizeof i) == sizeof i) {
			last = i;
			n++;
		}
		close(said[0]);
		struct workspace *w = open_ok(dir);
		assert_true(workspace_count(w) >= n);
		if (n)
			assert_int_equal(in_force(w, last, last), VERDICT_KEEP);
		workspace_close(w);
		free(dir);
	}
}

/* Random decisions, undos and redos against a list kept the plain way; reopened now and then. */
static void what_is_in_force_is_what_a_plain_list_says(void **state)
{
	(void)state;
	enum { ITEMS = 6, STEPS = 150 };
	char *dir = fresh();
	struct workspace *w = open_ok(dir);
	struct rng r = rng_new(2, 0);
	int list[STEPS][2]; /* item, verdict */
	size_t n = 0, top = 0; /* in force: the first n; redo: up to top */
	for (int step = 0; step < STEPS; step++) {
		uint64_t what = rng_below(&r, 10);
		if (what < 6) {
			list[n][0] = (int)rng_below(&r, ITEMS);
			list[n][1] = 1 + (int)rng_below(&r, 4);
			decide(w, 9, (uint64_t)list[n][0], (enum verdict)list[n][1]);
			top = ++n;
		} else if (what < 8) {
			assert_int_equal(undo(w), n > 0);
			n -= n > 0;
		} else if (what == 8) {
			assert_int_equal(redo(w), n < top);
			n += n < top;
		} else {
			workspace_close(w);
			w = open_ok(dir);
		}
		for (int item = 0; item < ITEMS; item++) {
			int expected = VERDICT_NONE;
			for (size_t i = 0; i < n; i++)
				expected = list[i][0] == item ? list[i][1] : expected;
			assert_int_equal(in_force(w, 9, (uint64_t)item), expected);
		}
	}
	workspace_close(w);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_decision_stands_and_undo_brings_back_the_one_before),
		cmocka_unit_test(a_group_is_undone_as_one_also_after_reopening),
		cmocka_unit_test(a_second_workspace_reads_and_says_who_holds_it),
		cmocka_unit_test(a_kill_loses_no_decision_that_was_acknowledged),
		cmocka_unit_test(what_is_in_force_is_what_a_plain_list_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The whole program without a terminal: every screen at every size, and keys at random. */
#include "support.h"

#include <locale.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/rng.h"
#include "tui/app.h"
#include "tui/key.h"
#include "tui/prompt.h"

static char scratch[100];

static void remove_scratch(void)
{
	struct err err = ERR_INIT;
	if (chdir("/") != 0 || !fs_remove_tree(scratch, &err))
		fprintf(stderr, "%s\n", err.text);
}

/* In memory where there is some: thousands of decisions are each flushed to disk. */
static const char *quick_scratch(void)
{
	if (!scratch[0]) {
		bool has_memory = access("/dev/shm", W_OK) == 0;
		snprintf(scratch, sizeof scratch, "%s/vecsmith-test-XXXXXX",
			has_memory ? "/dev/shm" : "/tmp");
		if (!mkdtemp(scratch))
			fail_msg("mkdtemp failed");
		atexit(remove_scratch);
	}
	return scratch;
}

/* A workspace with jobs of every state, a run that goes on, and two evaluations; see tests/screens/workspace.sh. */
static void record_past(const char *workspace)
{
	struct err err = ERR_INIT;
	char dir[4096], line[9000];
	snprintf(dir, sizeof dir, "%s/%s", quick_scratch(), workspace);
	assert_ok(fs_mkdirs(dir, &err), &err);
	snprintf(line, sizeof line, "bash %s %s %ld", test_file("tests/screens/workspace.sh"), dir,
		(long)getpid());
	assert_int_equal(system(line), 0);
}

static struct app *open_app(const char *workspace, const char *data, bool is_ascii)
{
	char dir[4096];
	struct err err = ERR_INIT;
	snprintf(dir, sizeof dir, "%s/%s", quick_scratch(), workspace);
	assert_ok(fs_mkdirs(dir, &err), &err);
	assert_int_equal(chdir(dir), 0);
	const char *const paths[] = {data};
	/* jobs that are started here end at once */
	struct app_options opt = {.workspace = dir,
		.paths = paths,
		.n_paths = data != NULL,
		.rows = 24,
		.cols = 80,
		.is_ascii = is_ascii,
		.is_script = true,
		.program = "/bin/true"};
	struct app *a = app_new(&opt, &err);
	assert_ok(a != NULL, &err);
	while (app_work(a))
		;
	return a;
}

static void type(struct app *a, const char *keys)
{
	while (*keys) {
		app_key(a, key_parse(&keys));
		while (app_work(a))
			;
	}
}

static bool is_blank_row(const struct grid *g, int row)
{
	for (int col = 0; col < g->cols; col++)
		if (strcmp(grid_at(g, row, col)->text, " ") != 0)
			return false;
	return true;
}

static void assert_drawn(struct app *a, int cols, int rows)
{
	app_resize(a, rows, cols);
	app_draw(a);
	if (is_blank_row(&a->grid, 0) || is_blank_row(&a->grid, rows - 1))
		fail_msg("%s at %dx%d has no header or no footer",
			app_screens[app_screen(a)]->title, cols, rows);
	struct buf out = BUF_INIT;
	grid_dump(&a->grid, &out);
	for (const char *s = out.data; *s; s++)
		assert_true((unsigned char)*s >= ' ' || *s == '\n');
	buf_release(&out);
}

/* The header's name of the data set or the run, which no layout may drop. */
static void assert_names(struct app *a, const char *name)
{
	struct buf out = BUF_INIT;
	app_resize(a, 16, 60);
	app_draw(a);
	grid_dump(&a->grid, &out);
	out.data[strcspn(out.data, "\n")] = '\0';
	if (!strstr(out.data, name))
		fail_msg("\"%s\" does not name %s", out.data, name);
	buf_release(&out);
}

static void every_screen_is_drawn_at_every_size(void **state)
{
	(void)state;
	static const char *const places[] = {"gd", "gdG", "gr", "grG", "gn", "gnG", "gc", "gc<Tab>",
		"gcz", "gt", "gtz", "z", "z", "gt<Tab>:set lr x<Enter>", "ge", "ge<Enter>z", "gj",
		"gjG", "gjjX", "?", ":messages<Enter>", "gd/한글", "gtL"};
	record_past("sizes");
	struct app *a = open_app("sizes", test_file("assets/demo/train.jsonl"), false);
	for (size_t p = 0; p < ARRAY_LEN(places); p++) {
		type(a, places[p]);
		for (int rows = 8; rows <= 100; rows += rows < 30 ? 1 : 10)
			for (int cols = 20; cols <= 300; cols += cols < 130 ? 7 : 53)
				assert_drawn(a, cols, rows);
		app_resize(a, 1, 1);
		app_draw(a);
		app_resize(a, 3, 2);
		app_draw(a);
		type(a, "<Esc>");
	}
	app_free(a);
}

static void a_header_always_names_the_data_set(void **state)
{
	(void)state;
	static const char *const places[] = {"gd", "gr", "gn", "gc", "gt", "ge", "gj", "gm", "?"};
	struct app *a = open_app("names", test_file("assets/demo/train.jsonl"), false);
	type(a, "gdfn_neg > 0<Enter>");
	for (size_t p = 0; p < ARRAY_LEN(places); p++) {
		type(a, places[p]);
		assert_names(a, "train.jsonl");
	}
	app_free(a);
}

static void random_keys(
	const char *workspace, const char *data, bool is_ascii, int n, uint64_t seed)
{
	static const uint32_t special[] = {KEY_CODE_TAB, KEY_CODE_ENTER, KEY_CODE_ESC, KEY_CODE_UP,
		KEY_CODE_DOWN, KEY_CODE_LEFT, KEY_CODE_RIGHT, KEY_CODE_HOME, KEY_CODE_END,
		KEY_CODE_PGUP, KEY_CODE_PGDN, KEY_CODE_DELETE, KEY_CODE_SHIFT_TAB, KEY_CODE_F1,
		KEY_CODE_BACKSPACE, 0x3153, 0xD55C, 'g', 'g', 'u', 'a', 'x', 'p', ':', 'j', 'j',
		'G', '?'};
	struct rng rng = rng_new(seed, 0);
	struct app *a = open_app(workspace, data, is_ascii);
	for (int i = 0; i < n; i++) {
		uint32_t key = rng_below(&rng, 3) == 0
			? special[rng_below(&rng, ARRAY_LEN(special))]
			: rng_below(&rng, 12) == 0 ? 1 + (uint32_t)rng_below(&rng, 31)
						   : 32 + (uint32_t)rng_below(&rng, 95);
		/* no path that is typed here may lead out of the scratch folder */
		if (prompt_is_open() && (key == '/' || key == '~'))
			key = 'z';
		app_key(a, key);
		app_work(a);
		if (i % 5 == 0)
			app_draw(a);
		if (i % 97 == 0)
			app_resize(a, 3 + (int)rng_below(&rng, 50), 5 + (int)rng_below(&rng, 150));
		if (i % 211 == 0)
			app_tick(a);
		a->must_quit = a->must_suspend = false;
	}
	if (prompt_is_open())
		app_key(a, KEY_CODE_ESC);
	app_free(a);
}

static void random_keys_break_nothing(void **state)
{
	(void)state;
	int n = getenv("VECSMITH_SOAK") ? 100000 : 10000;
	record_past("random");
	random_keys("random", test_file("assets/demo/train.jsonl"), false, n, 1);
}

static void random_keys_break_nothing_in_ascii_on_broken_rows(void **state)
{
	(void)state;
	int n = getenv("VECSMITH_SOAK") ? 100000 : 3000;
	random_keys("random-ascii", test_file("tests/fixtures/rows_faults.jsonl"), true, n, 2);
	random_keys("random-empty", NULL, false, n / 3, 3);
}

/* All the commands, typed by name on all the screens, with and without something behind them. */
static void every_command_can_be_typed_everywhere(void **state)
{
	(void)state;
	static const char *const places[] = {"gd", "gr", "gn", "gc", "gt", "ge", "gj", "gm", "?"};
	static const char *const args[] = {"", " 3", " 한글", " -x=y '", " lr 1e-4"};
	struct app *a = open_app("commands", test_file("assets/demo/train.jsonl"), false);
	for (size_t p = 0; p < ARRAY_LEN(places); p++)
		for (const struct command *c = commands; c->id; c++)
			for (size_t i = 0; i < ARRAY_LEN(args); i++) {
				type(a, places[p]);
				struct buf line = BUF_INIT;
				buf_addf(&line, "%s%s", c->name, args[i]);
				app_command(a, buf_text(&line));
				buf_release(&line);
				app_work(a);
				app_resize(a, 24, 80);
				app_draw(a);
				if (prompt_is_open())
					app_key(a, KEY_CODE_ESC);
				a->must_quit = a->must_suspend = false;
			}
	app_free(a);
}

static void decisions_survive_and_undo_finds_its_place_again(void **state)
{
	(void)state;
	const char *data = test_file("assets/demo/train.jsonl");
	struct app *a = open_app("undo", data, false);
	type(a, "gcx");
	size_t row = a->session.row;
	app_free(a);

	a = open_app("undo", data, false);
	type(a, "gdGgcu");
	assert_non_null(strstr(a->message, "undone: reject"));
	assert_int_equal(app_screen(a), SCREEN_CURATE);
	size_t tally[VERDICT_NOTE + 1];
	workspace_tally(a->session.workspace, tally);
	assert_int_equal(tally[VERDICT_REJECT], 0);
	(void)row;
	type(a, "gdu");
	assert_non_null(strstr(a->message, "nothing to undo"));
	app_free(a);
}

static void several_marks_are_decided_and_undone_in_one_go(void **state)
{
	(void)state;
	char path[4096];
	snprintf(path, sizeof path, "%s/many.jsonl", quick_scratch());
	test_write(path, "{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"a\",\"b\",\"c\",\"d\"]}\n");
	struct app *a = open_app("marks", path, false);
	size_t tally[VERDICT_NOTE + 1];
	type(a, "gn*x");
	workspace_tally(a->session.workspace, tally);
	assert_int_equal(tally[VERDICT_REJECT], 4);
	type(a, "u");
	workspace_tally(a->session.workspace, tally);
	assert_int_equal(tally[VERDICT_REJECT], 0);
	type(a, "<Ctrl-R>");
	workspace_tally(a->session.workspace, tally);
	assert_int_equal(tally[VERDICT_REJECT], 4);
	app_free(a);
}

static void a_second_workbench_reads_and_says_who_writes(void **state)
{
	(void)state;
	const char *data = test_file("assets/demo/train.jsonl");
	struct app *first = open_app("two", data, false), *second = open_app("two", data, false);
	assert_non_null(strstr(second->message, "read only: pid"));
	type(second, "gcx");
	assert_true(second->is_error);
	assert_int_equal(workspace_count(second->session.workspace), 0);
	assert_false(second->session.save_failed);
	app_free(second);
	type(first, "gcx");
	assert_int_equal(workspace_count(first->session.workspace), 1);
	app_free(first);
}

static void row_of(struct app *a, int row, struct buf *out)
{
	buf_clear(out);
	app_draw(a);
	for (int col = 0; col < a->grid.cols; col++)
		buf_adds(out, grid_at(&a->grid, row, col)->text);
}

/* The style of the first cell of a word in the header. */
static enum style style_in_header(struct app *a, const char *word)
{
	struct buf out = BUF_INIT;
	row_of(a, 0, &out);
	const char *at = strstr(out.data, word);
	if (!at)
		fail_msg("the header \"%s\" does not say %s", out.data, word);
	enum style style = (enum style)grid_at(&a->grid, 0, (int)(at - out.data))->style;
	buf_release(&out);
	return style;
}

/* Every write to a file fails from here on, as on a full disk; and works again. */
static void refuse_writes(bool on)
{
	struct rlimit limit;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = on ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What was shown is on disk, what is not on disk says so, stays undecided, and can be decided again. */
static void a_disk_that_refuses_is_told_in_red(void **state)
{
	(void)state;
	struct app *a = open_app("refuses", test_file("assets/demo/train.jsonl"), false);
	type(a, "gcx");
	assert_int_equal(style_in_header(a, "saved"), STYLE_TITLE);
	size_t row = a->session.row;
	refuse_writes(true);
	type(a, "x");
	assert_true(a->is_error);
	assert_non_null(strstr(a->message, "NOT SAVED"));
	assert_int_equal(style_in_header(a, "NOT SAVED"), STYLE_BAD);
	assert_int_equal(workspace_count(a->session.workspace), 1);
	assert_int_equal(a->session.row, row);
	refuse_writes(false);
	type(a, "x");
	assert_int_equal(workspace_count(a->session.workspace), 2);
	assert_int_equal(style_in_header(a, "saved"), STYLE_TITLE);
	app_free(a);
}

static void press(struct app *a, const char *keys)
{
	while (*keys)
		app_key(a, key_parse(&keys));
}

static void ctrl_c_stops_what_goes_on_and_only_then_leaves(void **state)
{
	(void)state;
	struct app *a = open_app("cancel", test_file("assets/demo/train.jsonl"), false);
	size_t n = rows_shown(a->session.rows);
	press(a, "gd/no such text<Enter><Ctrl-C>");
	assert_non_null(strstr(a->message, "search was stopped"));
	press(a, "fno such text<Enter><Ctrl-C>");
	assert_non_null(strstr(a->message, "all rows are shown"));
	assert_int_equal(rows_shown(a->session.rows), n);
	assert_false(a->must_quit);
	press(a, "<Ctrl-C>");
	assert_false(a->must_quit);
	press(a, "<Ctrl-C>");
	assert_true(a->must_quit);
	app_free(a);
}

static void marks_are_counted_and_queued(void **state)
{
	(void)state;
	struct app *a = open_app("counted", test_file("assets/demo/train.jsonl"), false);
	struct buf header = BUF_INIT;
	type(a, "gdf노새<Enter>");
	size_t n = rows_shown(a->session.rows);
	assert_true(n > 5 && n < rows_total(a->session.rows));
	type(a, "*<Space><Space>"); /* two are unmarked again */
	row_of(a, 0, &header);
	char marked[40];
	snprintf(marked, sizeof marked, " %zu marked", n - 2);
	assert_non_null(strstr(header.data, marked));
	type(a, "c:filter-clear<Enter>gc");
	assert_int_equal(a->session.n_queue, n - 2);
	type(a, "gd<Esc>");
	row_of(a, 0, &header);
	assert_null(strstr(header.data, "marked"));
	buf_release(&header);
	app_free(a);
}

static void soft_keys_decide_nothing(void **state)
{
	(void)state;
	struct app *a = open_app("soft", test_file("assets/demo/train.jsonl"), false);
	type(a, "gc<Enter><Backspace><Delete><Space>gn<Enter><Backspace><Delete>gr<Enter><Backspace><Delete>");
	assert_int_equal(workspace_count(a->session.workspace), 0);
	app_free(a);
}

static void hangul_keys_act_and_a_syllable_gives_a_hint(void **state)
{
	(void)state;
	struct app *a = open_app("hangul", test_file("assets/demo/train.jsonl"), false);
	type(a, "ㅓㅓ"); /* j j */
	assert_int_equal(a->session.row, 2);
	type(a, "한");
	assert_non_null(strstr(a->message, "Hangul input method is on"));
	assert_int_equal(a->session.row, 2);
	app_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_screen_is_drawn_at_every_size),
		cmocka_unit_test(a_header_always_names_the_data_set),
		cmocka_unit_test(random_keys_break_nothing),
		cmocka_unit_test(random_keys_break_nothing_in_ascii_on_broken_rows),
		cmocka_unit_test(every_command_can_be_typed_everywhere),
		cmocka_unit_test(decisions_survive_and_undo_finds_its_place_again),
		cmocka_unit_test(several_marks_are_decided_and_undone_in_one_go),
		cmocka_unit_test(a_second_workbench_reads_and_says_who_writes),
		cmocka_unit_test(a_disk_that_refuses_is_told_in_red),
		cmocka_unit_test(ctrl_c_stops_what_goes_on_and_only_then_leaves),
		cmocka_unit_test(marks_are_counted_and_queued),
		cmocka_unit_test(soft_keys_decide_nothing),
		cmocka_unit_test(hangul_keys_act_and_a_syllable_gives_a_hint),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

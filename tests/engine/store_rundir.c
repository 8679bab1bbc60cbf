#include "support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "store/rundir.h"

static const char *fresh_path(void)
{
	static char path[8][512];
	static unsigned at;
	char *p = path[at % 8];
	snprintf(p, sizeof path[0], "%s/run-%u", test_scratch(), at++);
	return p;
}

static bool file_is(const char *path, const char *want)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	bool same = fs_read(path, &b, 0, &err) && text_is(buf_text(&b), want);
	buf_release(&b);
	return same;
}

static void fill(const char *dir, const char *content)
{
	char path[600];
	snprintf(path, sizeof path, "%s/file", dir);
	test_write(path, content);
}

static void checkpoint(struct rundir *r, int64_t step, const char *content)
{
	struct err err = ERR_INIT;
	const char *dir = rundir_checkpoint_begin(r, step, &err);
	assert_ok(dir, &err);
	fill(dir, content);
	assert_ok(rundir_checkpoint_publish(r, step, &err), &err);
}

static void a_new_run_has_a_heartbeat_and_a_log(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *path = fresh_path();
	struct rundir *r = rundir_create(path, &err);
	assert_ok(r, &err);
	log_info("first line");
	rundir_beat(r, 3, 10);
	assert_true(heartbeat_is_alive(rundir_file(r, "heartbeat"), NULL));
	struct buf b = BUF_INIT;
	assert_ok(fs_read(rundir_file(r, "log.txt"), &b, 0, &err), &err);
	assert_non_null(strstr(b.data, "first line"));
	buf_release(&b);
	rundir_close(r, RUN_DONE, NULL);

	char file[600];
	struct json_file f;
	int64_t step = 0;
	struct text said;
	snprintf(file, sizeof file, "%s/heartbeat", path);
	assert_false(heartbeat_is_alive(file, NULL));
	assert_ok(json_file_open(file, &f, &err), &err);
	assert_ok(json_want_int(f.root, "step", 0, &step, &err), &err);
	assert_ok(json_want_text(f.root, "state", TEXT_NONE, &said, &err), &err);
	assert_int_equal(step, 3);
	assert_true(text_is(said, "done"));
	json_file_close(&f);
}

static void a_folder_that_holds_a_run_is_not_begun_again(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *path = fresh_path();
	struct rundir *r = rundir_create(path, &err);
	assert_ok(r, &err);
	rundir_close(r, RUN_FAILED, NULL); /* before it had a manifest: nothing was begun */
	r = rundir_create(path, &err);
	assert_ok(r, &err);
	assert_ok(rundir_manifest(r, TEXT("{}"), &err), &err);
	assert_false(rundir_is_done(path));
	rundir_close(r, RUN_DONE, NULL);
	assert_true(rundir_is_done(path));
	assert_null(rundir_create(path, &err));
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "--resume"));
}

static void a_run_that_still_lives_is_not_resumed(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *path = fresh_path();
	struct rundir *r = rundir_create(path, &err);
	assert_ok(r, &err);
	assert_null(rundir_resume(path, &err));
	assert_int_equal(err.code, ERR_USAGE);
	rundir_close(r, RUN_STOPPED, NULL);
	err_clear(&err);
	r = rundir_resume(path, &err);
	assert_ok(r, &err);
	rundir_close(r, RUN_DONE, NULL);
}

static void a_killed_process_is_not_alive(void **state)
{
	(void)state;
	char file[600];
	snprintf(file, sizeof file, "%s/beat", test_scratch());
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	if (child == 0) {
		struct err err = ERR_INIT;
		char ok = heartbeat_start(file, &err) ? 'y' : 'n';
		if (write(fds[1], &ok, 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	char ok;
	assert_int_equal(read(fds[0], &ok, 1), 1);
	assert_int_equal(ok, 'y');
	int64_t pid = 0;
	assert_true(heartbeat_is_alive(file, &pid));
	assert_int_equal(pid, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_false(heartbeat_is_alive(file, NULL));
	close(fds[0]);
	close(fds[1]);
}

static void metrics_survive_a_cut_line_and_can_be_rewound(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *path = fresh_path();
	struct rundir *r = rundir_create(path, &err);
	assert_ok(r, &err);
	assert_ok(rundir_metrics(r, TEXT("{\"step\":1}"), &err), &err);
	assert_ok(rundir_metrics(r, TEXT("{\"step\":2}"), &err), &err);
	assert_ok(rundir_metrics(r, TEXT("{\"step\":2,\"eval\":true}"), &err), &err);
	assert_ok(rundir_metrics(r, TEXT("{\"step\":3}"), &err), &err);
	rundir_close(r, RUN_STOPPED, NULL);
	char file[600];
	snprintf(file, sizeof file, "%s/metrics.jsonl", path);
	FILE *f = fopen(file, "ab");
	assert_non_null(f);
	fputs("{\"step\":4,\"lo", f);
	fclose(f);

	r = rundir_resume(path, &err);
	assert_ok(r, &err);
	assert_ok(rundir_rewind_metrics(r, 2, &err), &err);
	assert_ok(rundir_metrics(r, TEXT("{\"step\":3,\"again\":1}"), &err), &err);
	assert_true(rundir_has_metrics(r, 2, "eval"));
	assert_false(rundir_has_metrics(r, 1, "eval"));
	assert_false(rundir_has_metrics(r, 4, "step"));
	rundir_close(r, RUN_DONE, NULL);
	assert_true(file_is(file,
		"{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"eval\":true}\n"
		"{\"step\":3,\"again\":1}\n"));
}

static void the_newest_complete_checkpoint_wins(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct rundir *r = rundir_create(fresh_path(), &err);
	assert_ok(r, &err);
	const char *dir;
	int64_t step;
	assert_false(rundir_checkpoint_newest(r, &dir, &step));
	checkpoint(r, 9, "nine");
	checkpoint(r, 10, "ten"); /* later than 9 as a number, earlier as a name */
	assert_ok(rundir_checkpoint_begin(r, 11, &err), &err); /* a crash leaves it unpublished */
	assert_true(rundir_checkpoint_newest(r, &dir, &step));
	assert_int_equal(step, 10);
	char file[600];
	snprintf(file, sizeof file, "%s/file", dir);
	assert_true(file_is(file, "ten"));
	checkpoint(r, 12, "twelve");
	assert_false(fs_exists(rundir_file(r, "checkpoints/step-11.tmp")));
	rundir_close(r, RUN_DONE, NULL);
}

static void pruning_keeps_the_newest(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct rundir *r = rundir_create(fresh_path(), &err);
	assert_ok(r, &err);
	for (int64_t step = 1; step <= 5; step++)
		checkpoint(r, step, "x");
	assert_ok(rundir_checkpoint_prune(r, 0, &err), &err);
	assert_true(fs_exists(rundir_file(r, "checkpoints/step-1")));
	assert_ok(rundir_checkpoint_prune(r, 2, &err), &err);
	assert_false(fs_exists(rundir_file(r, "checkpoints/step-3")));
	assert_true(fs_exists(rundir_file(r, "checkpoints/step-4")));
	assert_true(fs_exists(rundir_file(r, "checkpoints/step-5")));
	rundir_close(r, RUN_DONE, NULL);
}

static void a_failed_publication_leaves_the_older_checkpoint(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct rundir *r = rundir_create(fresh_path(), &err);
	assert_ok(r, &err);
	checkpoint(r, 1, "one");
	const char *dir = rundir_checkpoint_begin(r, 2, &err);
	assert_ok(dir, &err);
	fill(dir, "two");
	setenv("VECSMITH_FAULT", "fsync:1", 1);
	fault_reset();
	assert_false(rundir_checkpoint_publish(r, 2, &err));
	unsetenv("VECSMITH_FAULT");
	fault_reset();
	int64_t step;
	assert_true(rundir_checkpoint_newest(r, &dir, &step));
	assert_int_equal(step, 1);
	rundir_close(r, RUN_FAILED, NULL);
}

static void a_folder_is_replaced_as_a_whole(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct rundir *r = rundir_create(fresh_path(), &err);
	assert_ok(r, &err);
	for (int round = 0; round < 3; round++) {
		char content[16];
		snprintf(content, sizeof content, "%d", round);
		const char *dir = rundir_folder_begin(r, "model", &err);
		assert_ok(dir, &err);
		fill(dir, content);
		assert_ok(rundir_folder_publish(r, "model", &err), &err);
		assert_true(file_is(rundir_file(r, "model/file"), content));
		assert_false(fs_exists(rundir_file(r, "model.new")));
		assert_false(fs_exists(rundir_file(r, "model.tmp")));
	}
	const char *dir = rundir_folder_begin(r, "model", &err);
	assert_ok(dir, &err);
	fill(dir, "never");
	setenv("VECSMITH_FAULT", "rename:2", 1); /* the exchange itself */
	fault_reset();
	assert_false(rundir_folder_publish(r, "model", &err));
	unsetenv("VECSMITH_FAULT");
	fault_reset();
	assert_true(file_is(rundir_file(r, "model/file"), "2"));
	rundir_close(r, RUN_FAILED, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_run_has_a_heartbeat_and_a_log),
		cmocka_unit_test(a_folder_that_holds_a_run_is_not_begun_again),
		cmocka_unit_test(a_run_that_still_lives_is_not_resumed),
		cmocka_unit_test(a_killed_process_is_not_alive),
		cmocka_unit_test(metrics_survive_a_cut_line_and_can_be_rewound),
		cmocka_unit_test(the_newest_complete_checkpoint_wins),
		cmocka_unit_test(pruning_keeps_the_newest),
		cmocka_unit_test(a_failed_publication_leaves_the_older_checkpoint),
		cmocka_unit_test(a_folder_is_replaced_as_a_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"

static const char *in_scratch(const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	return path;
}

static void a_mapped_file_is_followed_by_readable_zeros(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *data = xcalloc(page, 1);
	memset(data, 'x', page);
	assert_ok(fs_write_atomic(in_scratch("page"), data, page, &err), &err);
	struct fs_map m;
	assert_ok(fs_map(in_scratch("page"), &m, &err), &err);
	assert_int_equal(m.len, page);
	for (size_t i = 0; i < FS_PADDING; i++)
		assert_int_equal(m.data[m.len + i], 0);
	fs_unmap(&m);
	free(data);
}

static void set_fault(const char *plan)
{
	if (plan)
		setenv("VECSMITH_FAULT", plan, 1);
	else
		unsetenv("VECSMITH_FAULT");
	fault_reset();
}

static void a_failing_write_leaves_the_old_file_and_no_other(void **state)
{
	(void)state;
	static const char *const faults[] = {"open:1", "write:1", "fsync:1", "fsync:2", "rename:1"};
	struct err err = ERR_INIT;
	struct arena a = ARENA_INIT;
	char *dir = arena_strdup(&a, in_scratch("atomic")), *path = fs_join(&a, dir, "f");
	assert_ok(fs_mkdirs(dir, &err), &err);
	assert_ok(fs_write_atomic(path, "old", 3, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		set_fault(faults[i]);
		assert_false(fs_write_atomic(path, "new", 3, &err));
		assert_int_equal(err.code, ERR_FAILED);
		set_fault(NULL);
		err_clear(&err);
		struct buf b = BUF_INIT;
		assert_ok(fs_read(path, &b, 0, &err), &err);
		/* fsync:2 is the folder's: the new content stands, and the caller knows it may not last. */
		assert_string_equal(b.data, strcmp(faults[i], "fsync:2") == 0 ? "new" : "old");
		assert_ok(fs_write_atomic(path, "old", 3, &err), &err);
		buf_release(&b);
		char **names;
		size_t n;
		assert_ok(fs_list(dir, &a, &names, &n, &err), &err);
		assert_int_equal(n, 1);
	}
	arena_release(&a);
}

static void a_torn_last_line_is_cut_off_when_a_file_is_reopened(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	test_write(in_scratch("log"), "one\ntwo\nthr");
	struct fs_append *f = fs_append_open(in_scratch("log"), &err);
	assert_non_null(f);
	assert_ok(fs_append_line(f, TEXT("three"), &err), &err);
	fs_append_close(f);
	struct buf b = BUF_INIT;
	assert_ok(fs_read(in_scratch("log"), &b, 0, &err), &err);
	assert_string_equal(b.data, "one\ntwo\nthree\n");
	buf_release(&b);
}

static void a_published_folder_replaces_the_old_one_whole(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct arena a = ARENA_INIT;
	char *dir = arena_strdup(&a, in_scratch("model")), *tmp = arena_printf(&a, "%s.tmp", dir);
	for (int round = 0; round < 2; round++) {
		assert_ok(fs_mkdirs(fs_join(&a, tmp, "sub"), &err), &err);
		test_write(fs_join(&a, tmp, round ? "b" : "a"), "x");
		assert_ok(fs_publish_dir(tmp, dir, &err), &err);
	}
	char **names;
	size_t n;
	assert_ok(fs_list(dir, &a, &names, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(names[0], "b");
	assert_string_equal(names[1], "sub");
	assert_false(fs_exists(tmp));
	assert_ok(fs_remove_tree(dir, &err), &err);
	assert_false(fs_exists(dir));
	arena_release(&a);
}

static void errors_name_the_path(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct fs_map m;
	assert_false(fs_map("/nowhere/at/all", &m, &err));
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	err_clear(&err);
	assert_false(fs_map("/tmp", &m, &err));
	assert_non_null(strstr(err.text, "directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapped_file_is_followed_by_readable_zeros),
		cmocka_unit_test(a_failing_write_leaves_the_old_file_and_no_other),
		cmocka_unit_test(a_torn_last_line_is_cut_off_when_a_file_is_reopened),
		cmocka_unit_test(a_published_folder_replaces_the_old_one_whole),
		cmocka_unit_test(errors_name_the_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

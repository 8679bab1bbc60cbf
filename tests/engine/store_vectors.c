#include "support.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "store/vectors.h"

enum { DIM = 5 };
static const struct hash128 space = {7, 9};

static struct hash128 id_of(size_t i)
{
	return hash128(&i, sizeof i);
}

static void vector_of(size_t i, float *out)
{
	for (size_t k = 0; k < DIM; k++)
		out[k] = (float)i + (float)k / 8.0f;
}

static struct vectors *open_in(const char *dir)
{
	struct err err = ERR_INIT;
	struct vectors *v = vectors_open(dir, space, DIM, &err);
	assert_ok(v != NULL, &err);
	return v;
}

/* Vectors [from, to) as one block. */
static bool add(struct vectors *v, size_t from, size_t to, struct err *err)
{
	struct hash128 ids[64];
	float data[64 * DIM];
	for (size_t i = from; i < to; i++) {
		ids[i - from] = id_of(i);
		vector_of(i, data + (i - from) * DIM);
	}
	return vectors_add(v, ids, data, to - from, err);
}

static void assert_holds(const struct vectors *v, size_t n)
{
	float want[DIM];
	assert_int_equal(vectors_count(v), n);
	for (size_t i = 0; i < n; i++) {
		const float *have = vectors_get(v, id_of(i));
		vector_of(i, want);
		assert_non_null(have);
		assert_memory_equal(have, want, sizeof want);
	}
	assert_null(vectors_get(v, id_of(n)));
}

static const char *fresh_dir(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	return path;
}

static const char *only_file(const char *dir)
{
	static char path[4200];
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	char **names;
	size_t n;
	assert_ok(fs_list(dir, &a, &names, &n, &err), &err);
	assert_int_equal(n, 1);
	snprintf(path, sizeof path, "%s/%s", dir, names[0]);
	arena_release(&a);
	return path;
}

static void what_was_added_is_there_in_the_next_run(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *dir = fresh_dir("again");
	struct vectors *v = open_in(dir);
	assert_true(vectors_is_durable(v));
	assert_holds(v, 0);
	assert_ok(add(v, 0, 3, &err) && add(v, 3, 40, &err), &err);
	assert_holds(v, 40);
	vectors_close(v);
	v = open_in(dir);
	assert_holds(v, 40);
	assert_ok(add(v, 40, 41, &err), &err);
	vectors_close(v);
	v = open_in(dir);
	assert_holds(v, 41);
	vectors_close(v);
}

static void pointers_stay_while_the_file_grows_past_its_first_window(void **state)
{
	(void)state;
	enum { WIDE = 65536, N = 100 }; /* 26 MB: more than the first mapping reaches */
	struct err err = ERR_INIT;
	struct vectors *v = vectors_open(fresh_dir("large"), space, WIDE, &err);
	assert_ok(v != NULL, &err);
	float *row = xcalloc(WIDE, sizeof *row);
	const float **seen = xcalloc(N, sizeof *seen);
	for (size_t i = 0; i < N; i++) {
		struct hash128 id = id_of(i);
		row[0] = (float)i;
		assert_ok(vectors_add(v, &id, row, 1, &err), &err);
		seen[i] = vectors_get(v, id);
	}
	for (size_t i = 0; i < N; i++) {
		assert_ptr_equal(vectors_get(v, id_of(i)), seen[i]);
		assert_float_equal(seen[i][0], (float)i, 0.0f);
	}
	vectors_close(v);
	free(seen);
	free(row);
}

static void an_id_is_kept_once_and_its_first_vector_stays(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct vectors *v = open_in(fresh_dir("once"));
	struct hash128 twice[2] = {id_of(0), id_of(0)};
	float data[2 * DIM];
	vector_of(0, data);
	vector_of(8, data + DIM);
	assert_ok(vectors_add(v, twice, data, 2, &err), &err);
	assert_holds(v, 1);
	assert_ok(vectors_add(v, twice, data + DIM, 1, &err), &err);
	assert_holds(v, 1);
	vectors_close(v);
}

static void a_file_cut_anywhere_keeps_its_whole_blocks(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *dir = fresh_dir("torn");
	struct vectors *v = open_in(dir);
	assert_ok(add(v, 0, 2, &err), &err);
	vectors_close(v);
	const char *path = only_file(dir);
	int64_t first = fs_size(path);
	v = open_in(dir);
	assert_ok(add(v, 2, 5, &err), &err);
	vectors_close(v);
	struct buf whole = BUF_INIT;
	assert_ok(fs_read(path, &whole, 0, &err), &err);
	for (size_t cut = 0; cut <= whole.len; cut++) {
		FILE *f = fopen(path, "wb");
		assert_non_null(f);
		assert_int_equal(fwrite(whole.data, 1, cut, f), cut);
		fclose(f);
		v = open_in(dir);
		assert_holds(v, cut < (size_t)first ? 0 : cut < whole.len ? 2 : 5);
		vectors_close(v);
	}
	buf_release(&whole);
}

static void a_last_block_whose_bytes_never_arrived_is_dropped(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *dir = fresh_dir("zeros");
	struct vectors *v = open_in(dir);
	assert_ok(add(v, 0, 2, &err) && add(v, 2, 6, &err), &err);
	vectors_close(v);
	const char *path = only_file(dir);
	struct buf whole = BUF_INIT;
	assert_ok(fs_read(path, &whole, 0, &err), &err);
	memset(whole.data + whole.len - 64, 0, 32);
	assert_ok(fs_write_atomic(path, whole.data, whole.len, &err), &err);
	v = open_in(dir);
	assert_holds(v, 2);
	assert_ok(add(v, 2, 6, &err), &err);
	vectors_close(v);
	v = open_in(dir);
	assert_holds(v, 6);
	vectors_close(v);
	buf_release(&whole);
}

static void the_second_writer_keeps_its_additions_to_itself(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *dir = fresh_dir("two");
	struct vectors *first = open_in(dir);
	assert_ok(add(first, 0, 2, &err), &err);
	struct vectors *second = open_in(dir);
	assert_false(vectors_is_durable(second));
	assert_holds(second, 2);
	assert_ok(add(second, 2, 4, &err), &err);
	assert_holds(second, 4);
	assert_holds(first, 2);
	vectors_close(first);
	vectors_close(second);
	struct vectors *third = open_in(dir);
	assert_true(vectors_is_durable(third));
	assert_holds(third, 2);
	vectors_close(third);
}

static void a_failed_addition_leaves_what_was_there(void **state)
{
	(void)state;
	static const char *const faults[] = {"write:1", "write:2", "write:4", "fsync:1"};
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct err err = ERR_INIT;
		char name[32];
		snprintf(name, sizeof name, "full%zu", i);
		const char *dir = fresh_dir(name);
		struct vectors *v = open_in(dir);
		assert_ok(add(v, 0, 2, &err), &err);
		setenv("VECSMITH_FAULT", faults[i], 1);
		fault_reset();
		assert_false(add(v, 2, 4, &err));
		unsetenv("VECSMITH_FAULT");
		fault_reset();
		assert_int_equal(err.code, ERR_FAILED);
		assert_holds(v, 2);
		err_clear(&err);
		assert_ok(add(v, 2, 4, &err), &err);
		vectors_close(v);
		v = open_in(dir);
		assert_holds(v, 4);
		vectors_close(v);
	}
}

static void a_writer_killed_in_the_middle_loses_only_its_last_block(void **state)
{
	(void)state;
	for (int nth = 1; nth <= 5; nth++) {
		struct err err = ERR_INIT;
		char name[32];
		snprintf(name, sizeof name, "killed%d", nth);
		const char *dir = fresh_dir(name);
		struct vectors *v = open_in(dir);
		assert_ok(add(v, 0, 2, &err), &err);
		vectors_close(v);
		pid_t child = fork();
		if (child == 0) {
			char fault[32];
			struct vectors *w = open_in(dir);
			snprintf(fault, sizeof fault, "write:%d:kill", nth);
			setenv("VECSMITH_FAULT", fault, 1);
			fault_reset();
			_exit(add(w, 2, 9, &err) ? 0 : 1);
		}
		int status = 0;
		assert_int_equal(waitpid(child, &status, 0), child);
		v = open_in(dir);
		assert_true(vectors_is_durable(v));
		assert_holds(v, WIFSIGNALED(status) ? 2 : 9);
		vectors_close(v);
	}
}

static void a_file_of_another_kind_is_replaced(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *dir = fresh_dir("foreign");
	struct vectors *v = open_in(dir);
	vectors_close(v);
	test_write(only_file(dir),
		"this was never a cache of vectors, but it is longer than a head\n\n");
	v = open_in(dir);
	assert_holds(v, 0);
	assert_ok(add(v, 0, 3, &err), &err);
	vectors_close(v);
	v = open_in(dir);
	assert_holds(v, 3);
	vectors_close(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_there_in_the_next_run),
		cmocka_unit_test(pointers_stay_while_the_file_grows_past_its_first_window),
		cmocka_unit_test(an_id_is_kept_once_and_its_first_vector_stays),
		cmocka_unit_test(a_file_cut_anywhere_keeps_its_whole_blocks),
		cmocka_unit_test(a_last_block_whose_bytes_never_arrived_is_dropped),
		cmocka_unit_test(the_second_writer_keeps_its_additions_to_itself),
		cmocka_unit_test(a_failed_addition_leaves_what_was_there),
		cmocka_unit_test(a_writer_killed_in_the_middle_loses_only_its_last_block),
		cmocka_unit_test(a_file_of_another_kind_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "data/dataset.h"
#include "data/lines.h"

static char *scratch(const char *name)
{
	static char ring[4][300];
	static unsigned at;
	char *path = ring[at++ % ARRAY_LEN(ring)];
	snprintf(path, sizeof ring[0], "%s/%s", test_scratch(), name);
	return path;
}

static void write_bytes(const char *path, const char *data, size_t len)
{
	FILE *f = fopen(path, "wb");
	assert_true(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
}

static struct dataset *opened(const char *path, const char *cache_dir)
{
	struct err err = ERR_INIT;
	struct dataset_options opt = {.cache_dir = cache_dir};
	struct dataset *d = dataset_open(&path, 1, &opt, &err);
	assert_ok(d != NULL, &err);
	return d;
}

static void assert_refused(const char *path, const char *words)
{
	struct err err = ERR_INIT;
	struct dataset *d = dataset_open(&path, 1, NULL, &err);
	assert_null(d);
	if (!strstr(err.text, words))
		fail_msg("%s: \"%s\" lacks \"%s\"", path, err.text, words);
}

/* Row i reads as query `want` (NULL: is broken) at this line of the file. */
static void assert_row(struct dataset *d, size_t i, const char *want, size_t want_line)
{
	struct row_reader *reader = row_reader_new(d);
	struct record r;
	struct err err = ERR_INIT;
	bool ok = row_reader_get(reader, i, &r, &err);
	if (ok != (want != NULL) || (ok && !text_is(r.query, want)))
		fail_msg("row %zu: %s %.*s", i, err.text, TEXT_ARG(ok ? r.query : TEXT_NONE));
	const char *path;
	size_t line;
	dataset_place(d, i, &path, &line);
	assert_int_equal(line, want_line);
	row_reader_free(reader);
}

static void lines_end_at_lf_alone_and_blank_ones_are_no_rows(void **state)
{
	(void)state;
	char *path = scratch("lines.jsonl");
	test_write(path,
		"\xEF\xBB\xBF\n \t\r\n{\"query\":\"a\xC2\x85\xE2\x80\xA8\"}\r\n\n\n"
		"  {\"query\":\"b\"}  \r\n{\"query\":\"c\"}\n\nx\n{\"query\":\"d\"}");
	struct dataset *d = opened(path, NULL);
	assert_int_equal(dataset_rows(d), 5);
	assert_row(d, 0, "a\xC2\x85\xE2\x80\xA8", 3);
	assert_row(d, 1, "b", 6);
	assert_row(d, 2, "c", 7);
	assert_row(d, 3, NULL, 9);
	assert_row(d, 4, "d", 10);
	assert_true(text_is(dataset_line(d, 1), "  {\"query\":\"b\"}  "));
	dataset_close(d);
}

static void small_and_empty_files_have_their_rows(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len, rows;
	} cases[] = {{"", 0, 0}, {"\n", 1, 0}, {"{", 1, 1}, {"\0", 1, 1}, {"\r", 1, 0},
		{"\xEF\xBB\xBF", 3, 0}, {"\xEF\xBB", 2, 1}, {"\n\n\n", 3, 0}, {"1\n2", 3, 2}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *path = scratch("small.jsonl");
		write_bytes(path, cases[i].bytes, cases[i].len);
		struct dataset *d = opened(path, NULL);
		if (dataset_rows(d) != cases[i].rows)
			fail_msg("case %zu: %zu rows", i, dataset_rows(d));
		for (size_t k = 0; k < cases[i].rows; k++)
			assert_row(d, k, NULL, k + 1);
		dataset_close(d);
	}
}

static void a_break_is_named_by_file_line_and_column(void **state)
{
	(void)state;
	char *path = scratch("broken.jsonl");
	test_write(
		path, "{\"query\":\"a\"}\n\n{\"query\":\"\xED\x95\x9C\xEA\xB5\xAD\",\"pos\":7}\n");
	struct dataset *d = opened(path, NULL);
	struct row_reader *reader = row_reader_new(d);
	struct record r;
	struct err err = ERR_INIT;
	assert_false(row_reader_get(reader, 1, &r, &err));
	char want[400]; /* characters, not bytes: the Korean ones count once */
	snprintf(want, sizeof want, "%s:3:21: pos is a number, expected a list of strings", path);
	assert_string_equal(err.text, want);
	assert_int_equal(err.code, ERR_DATA);
	row_reader_free(reader);
	dataset_close(d);
}

static void several_files_are_one_run_of_rows(void **state)
{
	(void)state;
	char *a = scratch("a.jsonl"), *b = scratch("b.jsonl"), *c = scratch("c.txt");
	test_write(a, "{\"query\":\"1\"}\n{\"query\":\"2\"}\n");
	test_write(b, "\n");
	test_write(c, "\n{\"query\":\"3\"}");
	const char *paths[] = {b, a, b, b, c, b};
	struct err err = ERR_INIT;
	struct dataset *d = dataset_open(paths, ARRAY_LEN(paths), NULL, &err);
	assert_ok(d != NULL, &err);
	assert_int_equal(dataset_rows(d), 3);
	assert_row(d, 0, "1", 1);
	assert_row(d, 1, "2", 2);
	assert_row(d, 2, "3", 2);
	const char *path;
	size_t line;
	dataset_place(d, 2, &path, &line);
	assert_string_equal(path, c);
	assert_int_equal(dataset_files(d), 6);
	struct dataset_file file;
	dataset_file(d, 1, &file);
	assert_string_equal(file.path, a);
	assert_true(file.first == 0 && file.n_rows == 2 && file.n_bytes == 28 && !file.is_beir);
	dataset_close(d);
}

static void what_holds_no_rows_is_refused_with_a_sentence(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_refused(scratch("absent.jsonl"), "absent.jsonl");
	char *path = scratch("list.json");
	test_write(path, "\n[{\"query\":\"a\"}]");
	assert_refused(path, "list.json:2: one JSON list");
	path = scratch("table.tsv");
	test_write(path, "query\tpos\n");
	assert_refused(path, "table.tsv:1: no rows of JSON");
	path = scratch("utf16.jsonl");
	write_bytes(path, "\xFF\xFE{\0}\0", 6);
	assert_refused(path, "utf16.jsonl is UTF-16, expected lines of UTF-8; `iconv");
	path = scratch("rows.jsonl.gz");
	test_write(path, "\x1F\x8B\x08");
	assert_refused(path, "compressed by gzip");
	path = scratch("pipe.jsonl");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, "pipe.jsonl is a pipe");
	path = scratch("folder.jsonl");
	assert_ok(fs_mkdirs(path, &err), &err);
	assert_refused(path, "no BEIR folder");
}

static void a_copied_row_outlives_the_reader(void **state)
{
	(void)state;
	char *path = scratch("copy.jsonl");
	test_write(path, "{\"query\":\"a\",\"pos\":[\"p\"]}\n{\"query\":\"b\"}\n");
	struct dataset *d = opened(path, NULL);
	struct row_reader *reader = row_reader_new(d);
	struct arena a = ARENA_INIT;
	struct record first, second;
	struct err err = ERR_INIT;
	assert_ok(row_reader_copy(reader, 0, &a, &first, &err), &err);
	assert_ok(row_reader_get(reader, 1, &second, &err), &err);
	row_reader_free(reader);
	assert_true(text_is(first.query, "a") && text_is(first.pos[0].text, "p"));
	arena_release(&a);
	dataset_close(d);
}

static void a_huge_line_is_a_row_like_any_other(void **state)
{
	(void)state;
	size_t len = (size_t)20 << 20;
	char *line = xmalloc(len + 32), *path = scratch("huge.jsonl");
	size_t n = (size_t)sprintf(line, "{\"query\":\"");
	memset(line + n, 'x', len);
	memcpy(line + n + len, "\"}\n{}", 5);
	write_bytes(path, line, n + len + 5);
	struct dataset *d = opened(path, NULL);
	struct row_reader *reader = row_reader_new(d);
	struct record r;
	struct err err = ERR_INIT;
	assert_int_equal(dataset_rows(d), 2);
	assert_ok(row_reader_get(reader, 0, &r, &err), &err);
	assert_int_equal(r.query.len, len);
	row_reader_free(reader);
	dataset_close(d);
	free(line);
}

/* A file of n rows {"query":"I"} with a blank line before each 1000th, padded past the size from
 * which offsets are kept. */
static void write_big(const char *path, size_t n, char fill)
{
	FILE *f = fopen(path, "wb");
	char pad[201];
	memset(pad, fill, 200);
	pad[200] = '\0';
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s{\"query\":\"%zu\",\"x\":\"%s\"}\n", i % 1000 ? "" : "\n", i, pad);
	assert_int_equal(fclose(f), 0);
}

static char *only_file(const char *dir)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	char **names;
	size_t n;
	assert_ok(fs_list(dir, &a, &names, &n, &err), &err);
	assert_int_equal(n, 1);
	char *path = xasprintf("%s/%s", dir, names[0]);
	arena_release(&a);
	return path;
}

static void assert_big(struct dataset *d, size_t n)
{
	assert_int_equal(dataset_rows(d), n);
	for (size_t i = 0; i < n; i += 997) {
		char want[30];
		snprintf(want, sizeof want, "%zu", i);
		assert_row(d, i, want, i + 1 + i / 1000 + 1);
	}
}

static void offsets_are_kept_and_used_again(void **state)
{
	(void)state;
	char *path = scratch("big.jsonl"), *cache = scratch("cache");
	size_t n = 30000;
	write_big(path, n, 'x');
	assert_true(fs_size(path) > (int64_t)LINES_CACHE_MIN);
	struct dataset *d = opened(path, cache);
	assert_big(d, n);
	dataset_close(d);
	char *kept = only_file(cache);
	/* A changed offset in the cache shows that it is what the second opening reads. */
	FILE *f = fopen(kept, "r+b");
	uint64_t offset;
	assert_int_equal(fseek(f, 72 + 8, SEEK_SET), 0);
	assert_int_equal(fread(&offset, sizeof offset, 1, f), 1);
	offset++;
	assert_int_equal(fseek(f, 72 + 8, SEEK_SET), 0);
	assert_int_equal(fwrite(&offset, sizeof offset, 1, f), 1);
	assert_int_equal(fclose(f), 0);
	d = opened(path, cache);
	assert_int_equal(dataset_rows(d), n);
	assert_row(d, 0, "0", 2);
	assert_row(d, 1, NULL, 3);
	dataset_close(d);
	free(kept);
}

static void offsets_of_a_changed_file_are_found_anew(void **state)
{
	(void)state;
	char *path = scratch("changed.jsonl"), *cache = scratch("cache2");
	write_big(path, 30000, 'x');
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	dataset_close(opened(path, cache));
	write_big(path, 29000, 'x');
	struct dataset *d = opened(path, cache); /* another size */
	assert_big(d, 29000);
	dataset_close(d);
	/* Equal size and time, other bytes: the samples tell. */
	write_big(path, 30000, 'x');
	struct timespec times[2] = {st.st_mtim, st.st_mtim};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	dataset_close(opened(path, cache));
	FILE *f = fopen(path, "r+b");
	assert_int_equal(fwrite("\n\n\n\n\n", 1, 5, f), 5);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	d = opened(path, cache);
	assert_row(d, 0, NULL, 6);
	dataset_close(d);
}

static void a_damaged_cache_is_no_cache(void **state)
{
	(void)state;
	char *path = scratch("damaged.jsonl"), *cache = scratch("cache3");
	write_big(path, 30000, 'x');
	dataset_close(opened(path, cache));
	char *kept = only_file(cache);
	static const size_t cuts[] = {0, 1, 71, 72, 1000, 72 + 30000 * 8};
	struct buf whole = BUF_INIT;
	struct err err = ERR_INIT;
	assert_ok(fs_read(kept, &whole, 0, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		write_bytes(kept, whole.data, cuts[i]);
		struct dataset *d = opened(path, cache);
		assert_big(d, 30000);
		dataset_close(d);
	}
	memset(whole.data + 72, 0xFF, whole.len - 72);
	write_bytes(kept, whole.data, whole.len);
	struct dataset *d = opened(path, cache);
	assert_big(d, 30000);
	dataset_close(d);
	buf_release(&whole);
	free(kept);
}

static void a_cache_that_cannot_be_written_is_no_failure(void **state)
{
	(void)state;
	char *path = scratch("nocache.jsonl"), *cache = scratch("file-not-folder");
	write_big(path, 30000, 'x');
	test_write(cache, "x");
	struct dataset *d = opened(path, cache);
	assert_big(d, 30000);
	dataset_close(d);
}

static void a_beir_folder_is_one_row_a_relevant_judgement(void **state)
{
	(void)state;
	const char *dir = test_file("tests/fixtures/rows_beir");
	struct err err = ERR_INIT;
	struct dataset *d = dataset_open(&dir, 1, NULL, &err);
	assert_ok(d != NULL, &err);
	assert_int_equal(dataset_rows(d), 3);
	struct row_reader *reader = row_reader_new(d);
	struct record r;
	assert_ok(row_reader_get(reader, 0, &r, &err), &err);
	assert_true(text_is(r.query, "first query"));
	assert_int_equal(r.n_pos, 1);
	assert_int_equal(r.n_neg, 0);
	assert_true(text_is(r.pos[0].text, "Title one Body one"));
	assert_null(r.line.s);
	const char *path;
	size_t line;
	dataset_place(d, 2, &path, &line);
	assert_true(strstr(path, "rows_beir/qrels/train.tsv") != NULL);
	assert_int_equal(line, 6);
	assert_null(dataset_line(d, 0).s);
	struct dataset_file file;
	dataset_file(d, 0, &file);
	assert_true(file.is_beir && file.n_missing == 2 && file.n_rows == 3);
	row_reader_free(reader);
	dataset_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_at_lf_alone_and_blank_ones_are_no_rows),
		cmocka_unit_test(small_and_empty_files_have_their_rows),
		cmocka_unit_test(a_break_is_named_by_file_line_and_column),
		cmocka_unit_test(several_files_are_one_run_of_rows),
		cmocka_unit_test(what_holds_no_rows_is_refused_with_a_sentence),
		cmocka_unit_test(a_copied_row_outlives_the_reader),
		cmocka_unit_test(a_huge_line_is_a_row_like_any_other),
		cmocka_unit_test(offsets_are_kept_and_used_again),
		cmocka_unit_test(offsets_of_a_changed_file_are_found_anew),
		cmocka_unit_test(a_damaged_cache_is_no_cache),
		cmocka_unit_test(a_cache_that_cannot_be_written_is_no_failure),
		cmocka_unit_test(a_beir_folder_is_one_row_a_relevant_judgement),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

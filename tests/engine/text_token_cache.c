/* The token cache serves what was put, whatever happened to its files. */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/parallel.h"
#include "text/token_cache.h"
#include "text/token_segment.h"

static struct tokenizer *open_fixture(void)
{
	struct err err = ERR_INIT;
	struct tokenizer *t = tokenizer_open(test_file("tests/fixtures/tokenizer/wordpiece"), &err);
	assert_ok(t != NULL, &err);
	return t;
}

static const char *cache_dir(const char *name)
{
	static char path[300];
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	return path;
}

static struct token_cache *open_cache(
	const char *name, const struct tokenizer *t, size_t max_bytes, int workers)
{
	struct err err = ERR_INIT;
	struct token_cache *c =
		token_cache_open(cache_dir(name), tokenizer_hash(t), max_bytes, workers, &err);
	assert_ok(c != NULL, &err);
	return c;
}

/* Text i of a made-up corpus; some are empty. */
static struct text text_at(size_t i, char *room, size_t size)
{
	static const char *const words[] = {"ferry", "harbour", "gulls", "ticket", "seven", "tide"};
	int len = snprintf(room, size, "%s %zu %s the lighthouse %s", words[i % 6], i,
		words[i / 6 % 6], words[i / 36 % 6]);
	return (struct text){room, i % 500 == 7 ? 0 : (size_t)len};
}

struct asking {
	const struct tokenizer *t;
	struct token_cache *cache;
	struct tokenizer_run *run[2];
	size_t first;
};

static void ask(void *ctx, size_t begin, size_t end, int worker)
{
	struct asking *a = ctx;
	struct ids want = IDS_INIT;
	struct token_limits bare = {.no_special = true};
	for (size_t i = begin; i < end; i++) {
		char room[200];
		struct text text = text_at(a->first + i, room, sizeof room);
		struct ids got = token_cache_ids(a->cache, worker, a->run[worker], text);
		want.n = 0;
		tokenizer_encode(a->run[worker], text, &bare, &want);
		assert_int_equal(got.n, want.n);
		if (want.n > 0)
			assert_memory_equal(got.id, want.id, want.n * sizeof *want.id);
	}
	ids_release(&want);
}

/* Texts [first, first + n), in steps as training makes them. */
static struct token_cache_stats ask_for(const char *name, const struct tokenizer *t,
	size_t max_bytes, int workers, size_t first, size_t n)
{
	struct asking a = {t, open_cache(name, t, max_bytes, workers),
		{tokenizer_run_new(t), tokenizer_run_new(t)}, first};
	for (size_t done = 0; done < n; done += 1000) {
		a.first = first + done;
		parallel_for(n - done < 1000 ? n - done : 1000, 16, workers, ask, &a);
		token_cache_settle(a.cache);
	}
	struct token_cache_stats stats = token_cache_stats(a.cache);
	token_cache_close(a.cache);
	tokenizer_run_free(a.run[0]);
	tokenizer_run_free(a.run[1]);
	return stats;
}

#define PLENTY ((size_t)1 << 26)

static void a_second_run_tokenizes_nothing(void **state)
{
	(void)state;
	struct tokenizer *t = open_fixture();
	struct token_cache_stats one = ask_for("twice", t, PLENTY, 2, 0, 5000);
	struct token_cache_stats two = ask_for("twice", t, PLENTY, 2, 0, 5000);
	struct token_cache_stats more = ask_for("twice", t, PLENTY, 2, 4000, 2000);
	assert_int_equal(one.n_found + one.n_made, 5000);
	assert_true(one.n_made >= 4990); /* empty texts are one */
	assert_int_equal(two.n_made, 0);
	assert_int_equal(two.n_found, 5000);
	assert_true(more.n_made >= 990 && more.n_made <= 1000);
	tokenizer_close(t);
}

static void a_later_step_finds_what_an_earlier_one_made(void **state)
{
	(void)state;
	struct tokenizer *t = open_fixture();
	struct asking a = {t, open_cache("steps", t, PLENTY, 1), {tokenizer_run_new(t), NULL}, 0};
	ask(&a, 0, 300, 0);
	token_cache_settle(a.cache);
	ask(&a, 0, 300, 0);
	assert_int_equal(token_cache_stats(a.cache).n_found, 300);
	token_cache_close(a.cache);
	tokenizer_run_free(a.run[0]);
	tokenizer_close(t);
}

/* fn for each segment file of a cache; returns how many there are. */
static size_t each_file(const char *name, const struct tokenizer *t, void (*fn)(const char *path))
{
	char hex[HASH_HEX], dir[400], path[700];
	size_t n = 0;
	hash_hex(tokenizer_hash(t), hex);
	snprintf(dir, sizeof dir, "%s/%s", cache_dir(name), hex);
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (!strstr(e->d_name, ".tokens") || strstr(e->d_name, ".tmp-"))
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		n++;
		if (fn)
			fn(path);
	}
	closedir(d);
	return n;
}

static void cut_in_half(const char *path)
{
	assert_int_equal(truncate(path, (off_t)(fs_size(path) / 2)), 0);
}

static void flip_bytes(const char *path)
{
	int fd = open(path, O_RDWR);
	off_t len = (off_t)fs_size(path);
	assert_true(fd >= 0);
	for (off_t at = 64; at < len; at += 97) {
		unsigned char byte;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x5A;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
}

static void flip_head(const char *path)
{
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "\xff", 1, 30), 1);
	close(fd);
}

/* ask() itself holds every answer to the tokenizer's. */
static void damaged_files_are_made_anew(void **state)
{
	(void)state;
	void (*const damages[])(const char *) = {cut_in_half, flip_bytes, flip_head};
	struct tokenizer *t = open_fixture();
	log_to(NULL, LOG_LEVEL_ERROR);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		char name[20];
		snprintf(name, sizeof name, "damage%zu", i);
		ask_for(name, t, PLENTY, 1, 0, 2000);
		assert_int_equal(each_file(name, t, damages[i]), 1);
		struct token_cache_stats again = ask_for(name, t, PLENTY, 1, 0, 2000);
		assert_true(again.n_made > 0);
		struct token_cache_stats healed = ask_for(name, t, PLENTY, 1, 0, 2000);
		assert_int_equal(healed.n_made, 0);
	}
	log_to(stderr, LOG_LEVEL_INFO);
	tokenizer_close(t);
}

static void the_size_is_bounded_and_the_newest_stay(void **state)
{
	(void)state;
	struct tokenizer *t = open_fixture();
	size_t bound = 400000;
	for (size_t first = 0; first < 20000; first += 2000) {
		struct token_cache_stats s = ask_for("bound", t, bound, 1, first, 2000);
		assert_true(s.n_bytes <= bound);
		assert_true(s.n_segments < 12);
	}
	struct token_cache_stats newest = ask_for("bound", t, bound, 1, 19000, 1000);
	assert_int_equal(newest.n_made, 0);
	assert_true(ask_for("bound", t, bound, 1, 0, 1000).n_made > 0);
	tokenizer_close(t);
}

static void small_runs_leave_few_files(void **state)
{
	(void)state;
	struct tokenizer *t = open_fixture();
	for (size_t i = 0; i < 30; i++)
		ask_for("small", t, PLENTY, 1, i * 40, 40);
	assert_true(each_file("small", t, NULL) <= 6);
	assert_int_equal(ask_for("small", t, PLENTY, 1, 0, 1200).n_made, 0);
	tokenizer_close(t);
}

/* Killed while it writes, at twenty moments: the folder stays good. */
static void a_kill_leaves_a_good_folder(void **state)
{
	(void)state;
	struct tokenizer *t = open_fixture();
	size_t kept = 0;
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		if (child == 0) {
			for (size_t first = 0;; first += 500)
				ask_for("kill", t, 2000000, 1, (size_t)i * 100000 + first, 500);
		}
		usleep(20000 + 7000 * (unsigned)i);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		kept += ask_for("kill", t, 2000000, 1, (size_t)i * 100000, 500).n_found;
	}
	assert_true(kept > 0);
	tokenizer_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_run_tokenizes_nothing),
		cmocka_unit_test(a_later_step_finds_what_an_earlier_one_made),
		cmocka_unit_test(damaged_files_are_made_anew),
		cmocka_unit_test(the_size_is_bounded_and_the_newest_stay),
		cmocka_unit_test(small_runs_leave_few_files),
		cmocka_unit_test(a_kill_leaves_a_good_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

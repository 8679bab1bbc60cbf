/* BPE and WordLevel files that are damaged, and files that are no file to read: one sentence with the
 * key, in bounded time and memory. Other kinds are in text_damage.c. */
#include "support.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/parallel.h"
#include "text/tokenizer.h"

static const char bpe[] =
	"{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":null,"
	"\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
	"\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"c\":3},"
	"\"merges\":[[\"a\",\"b\"]],\"unk_token\":null,\"fuse_unk\":false,"
	"\"byte_fallback\":false,\"ignore_merges\":false,\"dropout\":null}}";

static const char word_level[] = "{\"version\":\"1.0\",\"added_tokens\":[],"
				 "\"pre_tokenizer\":{\"type\":\"Whitespace\"},"
				 "\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"?\":1},"
				 "\"unk_token\":\"?\"}}";

static const struct {
	const char *whole, *from, *to, *words;
} edits[] = {
	{bpe, "[[\"a\",\"b\"]]", "[[\"a\",\"q\"]]",
		"model: merges[0]: token \"q\" is not in the vocab"},
	{bpe, "[[\"a\",\"b\"]]", "[[\"a\",\"c\"]]",
		"model: merges[0]: what \"a\" and \"c\" become is not"},
	{bpe, "[[\"a\",\"b\"]]", "[[\"a\",\"b\"],[\"a\"]]", "model: merges[1]: is"},
	{bpe, "[[\"a\",\"b\"]]", "[\"ab\"]", "model: merges[0]: is not two tokens"},
	{bpe, "[[\"a\",\"b\"]]", "[7]", "model: merges[0]: is"},
	{bpe, "[[\"a\",\"b\"]]", "[[\"a\",\"b\",\"c\"]]", "model: merges[0]: is"},
	{bpe, "[[\"a\",\"b\"]]", "{\"a\":\"b\"}", "model: merges is an object"},
	{bpe, "[[\"a\",\"b\"]]", "null", "model: merges is"},
	{bpe, "\"ab\":2", "\"ab\":1", "model: vocab: \"ab\" has id 1"},
	{bpe, "\"ab\":2", "\"ab\":\"2\"", "model: vocab: \"ab\" has"},
	{bpe, "\"vocab\":{", "\"vocab\":[],\"x\":{", "model: vocab is a list"},
	{bpe, "\"fuse_unk\":false", "\"fuse_unk\":0", "model: fuse_unk is 0"},
	{bpe, "\"byte_fallback\":false", "\"byte_fallback\":[]", "model: byte_fallback is a list"},
	{bpe, "\"ignore_merges\":false", "\"ignore_merges\":\"\"", "model: ignore_merges is"},
	{bpe, "\"unk_token\":null", "\"unk_token\":7", "model: unk_token is 7"},
	{bpe, "\"dropout\":null", "\"dropout\":0.5", "model: dropout is 0.5"},
	{bpe, "\"ByteLevel\"", "\"Split\"", "pre_tokenizer: pattern is neither"},
	{bpe, "\"type\":\"ByteLevel\",\"add_prefix_space\":false",
		"\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"",
		"pre_tokenizer: pattern.Regex: \"(\" is no"},
	{bpe, "\"type\":\"ByteLevel\",\"add_prefix_space\":false",
		"\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Dropped\"",
		"pre_tokenizer: behavior is \"Dropped\""},
	{bpe, "\"normalizer\":null", "\"normalizer\":\"NFC\"", "normalizer: is"},
	{word_level, "\"unk_token\":\"?\"", "\"unk_token\":\"!\"",
		"model: unk_token \"!\" is not in the vocabulary"},
	{word_level, "\"a\":0", "\"a\":1", "has id 1"},
	{word_level, "\"WordLevel\"", "\"WordLovel\"", "model: type is \"WordLovel\""},
	{word_level, "\"vocab\":{\"a\":0,\"?\":1}", "\"vocab\":{}", "model: "},
};

static const char *folder(const char *name)
{
	static char path[300];
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	assert_ok(fs_mkdirs(path, &err), &err);
	return path;
}

static void write_edited(const char *dir, size_t i)
{
	char path[400];
	struct buf out = BUF_INIT;
	const char *at = strstr(edits[i].whole, edits[i].from);
	assert_non_null(at);
	buf_add(&out, edits[i].whole, (size_t)(at - edits[i].whole));
	buf_adds(&out, edits[i].to);
	buf_adds(&out, at + strlen(edits[i].from));
	snprintf(path, sizeof path, "%s/tokenizer.json", dir);
	test_write(path, out.data);
	buf_release(&out);
}

static void assert_refused(const char *dir, const char *words)
{
	struct err err = ERR_INIT;
	struct tokenizer *t = tokenizer_open(dir, &err);
	if (t)
		fail_msg("it was opened, expected: %s", words);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
	assert_non_null(strstr(err.text, dir));
	assert_null(strchr(err.text, '\n'));
}

static void the_files_are_good_as_they_stand(void **state)
{
	(void)state;
	const char *const files[] = {bpe, word_level};
	char path[400];
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct err err = ERR_INIT;
		snprintf(path, sizeof path, "%s/tokenizer.json", folder("good"));
		test_write(path, files[i]);
		struct tokenizer *t = tokenizer_open(folder("good"), &err);
		assert_ok(t, &err);
		tokenizer_close(t);
	}
}

static void an_edited_file_is_refused_by_its_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		const char *dir = folder("edited");
		write_edited(dir, i);
		assert_refused(dir, edits[i].words);
	}
}

static void a_link_to_itself_ends(void **state)
{
	(void)state;
	const char *dir = folder("loop");
	char path[400];
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "%s/tokenizer.json", dir);
	assert_int_equal(symlink("tokenizer.json", path), 0);
	assert_null(tokenizer_open(dir, &err));
	assert_non_null(strstr(err.text, dir));
}

static size_t most_memory_kb(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (size_t)u.ru_maxrss;
}

/* Sparse: it takes no room on the disk, and would take 1 GB of memory. */
static void a_file_of_a_gigabyte_is_refused_unread(void **state)
{
	(void)state;
	static const char *const names[] = {
		"tokenizer.json", "vocab.txt", "tokenizer.model", "sentencepiece.bpe.model"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char dir_name[20], path[400];
		snprintf(dir_name, sizeof dir_name, "giga%zu", i);
		snprintf(path, sizeof path, "%s/%s", folder(dir_name), names[i]);
		test_write(path, "{");
		assert_int_equal(truncate(path, (off_t)1 << 30), 0);
		size_t before = most_memory_kb();
		double begin = cpu_seconds();
		assert_refused(folder(dir_name), "has 1073741824 bytes, expected at most");
		assert_true(cpu_seconds() - begin < 1);
		assert_true(most_memory_kb() - before < 100000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_are_good_as_they_stand),
		cmocka_unit_test(an_edited_file_is_refused_by_its_key),
		cmocka_unit_test(a_link_to_itself_ends),
		cmocka_unit_test(a_file_of_a_gigabyte_is_refused_unread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

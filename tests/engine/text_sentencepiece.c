/* Sentencepiece models that are damaged, or of no known class, end in one sentence. Their ids are
 * in text_gold.c. */
#include "support.h"

#include "base/fs.h"
#include "text/sentencepiece.h"
#include "text/tokenizer.h"

static struct buf fixture(const char *name)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	assert_ok(fs_read(test_file(name), &b, 0, &err), &err);
	return b;
}

static const char *folder(const char *name)
{
	static char path[300];
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	assert_ok(fs_mkdirs(path, &err), &err);
	return path;
}

static void write_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[400];
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_ok(fs_write_atomic(path, data, len, &err), &err);
}

static void assert_refused(const char *dir, const char *words)
{
	struct err err = ERR_INIT;
	struct tokenizer *t = tokenizer_open(dir, &err);
	if (t)
		fail_msg("it was opened, expected: %s", words);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(err.code, ERR_DATA);
}

static void a_class_that_is_not_known_is_refused_by_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *config, *model, *words;
	} cases[] = {
		{"{\"tokenizer_class\":\"T5Tokenizer\"}", NULL, "tokenizer_class is T5Tokenizer"},
		{"{}", NULL, "tokenizer_class is nothing"},
		{NULL, NULL, "tokenizer_class is nothing"},
		{"{}", "{\"model_type\":\"mamba\"}", "model_type is mamba"},
		{"{\"tokenizer_class\":\"LlamaTokenizerFaster\"}", NULL, "LlamaTokenizerFaster"},
	};
	struct buf model =
		fixture("tests/fixtures/tokenizer/spm-xlm-roberta/sentencepiece.bpe.model");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char name[20];
		snprintf(name, sizeof name, "class%zu", i);
		const char *dir = folder(name);
		write_file(dir, "tokenizer.model", model.data, model.len);
		if (cases[i].config)
			write_file(dir, "tokenizer_config.json", cases[i].config,
				strlen(cases[i].config));
		if (cases[i].model)
			write_file(dir, "config.json", cases[i].model, strlen(cases[i].model));
		assert_refused(dir, cases[i].words);
	}
	buf_release(&model);
}

/* In fields of the wire format: 0x0a is field 1 with a length, 0x12 field 2. */
static const struct {
	const char *data;
	size_t len;
	const char *words;
} damages[] = {
	{"", 0, "it holds no pieces"},
	{"{\"version\":", 11, "does not end where it should"},
	{"\x0a\x05\x0a\x03"
	 "ab",
		6, "does not end where it should"},
	{"\x0a\x02\x0a\x05", 4, "piece 0: it does not end"},
	{"\x0a\x02\x0a\x00", 4, "piece 0 is empty"},
	{"\x0a\x03\x0a\x01\xff", 5, "piece 0 is not UTF-8"},
	{"\x0a\x08\x0a\x01"
	 "a\x15\x00\x00\xc0\x7f",
		10, "piece 0 has a score that is no number"},
	{"\x0a\x05\x0a\x01"
	 "a\x18\x09",
		7, "piece 0 has type 9"},
	{"\x0a\x03\x0a\x01"
	 "a\x12\x02\x18\x04",
		9, "trainer_spec.model_type is 4"},
	{"\x0a\x03\x0a\x01"
	 "a\x12\x02\x18\x84",
		9, "trainer_spec does not end"},
	{"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, "does not end where it should"},
	{"\x00\x00", 2, "does not end where it should"},
	{"\x0a\x03\x0a\x01"
	 "a",
		5, "it has no piece <unk>"},
};

static void damage_ends_in_one_sentence(void **state)
{
	(void)state;
	const char *dir = folder("damage");
	static const char config[] = "{\"tokenizer_class\":\"LlamaTokenizer\"}";
	write_file(dir, "tokenizer_config.json", config, sizeof config - 1);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		write_file(dir, "tokenizer.model", damages[i].data, damages[i].len);
		assert_refused(dir, damages[i].words);
	}
}

/* Cut anywhere: refused, or read as far as whole pieces go. */
static void a_model_cut_anywhere_does_not_crash(void **state)
{
	(void)state;
	struct buf model =
		fixture("tests/fixtures/tokenizer/spm-xlm-roberta/sentencepiece.bpe.model");
	for (size_t len = 0; len <= model.len; len += 1 + len / 50) {
		struct arena a = ARENA_INIT;
		struct sentencepiece sp;
		struct err err = ERR_INIT;
		/* Its own copy, so that a read behind the end is seen. */
		char *copy = xmalloc(len + 1);
		memcpy(copy, model.data, len);
		char *exact = xrealloc(copy, len ? len : 1);
		if (!sentencepiece_read((struct text){exact, len}, &a, &sp, &err))
			assert_true(strlen(err.text) > 0);
		free(exact);
		arena_release(&a);
	}
	buf_release(&model);
}

static void pieces_keep_their_scores_and_types(void **state)
{
	(void)state;
	struct buf model =
		fixture("tests/fixtures/tokenizer/spm-xlm-roberta/sentencepiece.bpe.model");
	struct arena a = ARENA_INIT;
	struct sentencepiece sp;
	struct err err = ERR_INIT;
	assert_ok(sentencepiece_read(buf_text(&model), &a, &sp, &err), &err);
	assert_int_equal(sp.n, 298);
	assert_int_equal(sp.type, SENTENCEPIECE_UNIGRAM);
	assert_true(sp.charsmap.len > 0);
	assert_true(text_is(sp.pieces[0].s, "<unk>"));
	assert_int_equal(sp.pieces[0].type, PIECE_UNKNOWN);
	assert_int_equal(sp.pieces[1].type, PIECE_CONTROL);
	assert_int_equal(sp.pieces[3].type, PIECE_NORMAL);
	for (size_t i = 3; i < sp.n; i++)
		assert_true(sp.pieces[i].score < 0 && sp.pieces[i].score > -100);
	arena_release(&a);
	buf_release(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_class_that_is_not_known_is_refused_by_its_name),
		cmocka_unit_test(damage_ends_in_one_sentence),
		cmocka_unit_test(a_model_cut_anywhere_does_not_crash),
		cmocka_unit_test(pieces_keep_their_scores_and_types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

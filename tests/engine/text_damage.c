/* Damaged and foreign tokenizer files end in one sentence that names the file and the key. */
#include "support.h"

#include "base/fs.h"
#include "text/tokenizer.h"

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
	if (!strstr(err.text, dir))
		fail_msg("\"%s\" does not name the file", err.text);
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(err.code, ERR_DATA);
}

/* The fixture with the first `from` replaced. */
static struct buf edited(const char *fixture, const char *from, const char *to)
{
	struct err err = ERR_INIT;
	struct buf whole = BUF_INIT, out = BUF_INIT;
	char path[200];
	snprintf(path, sizeof path, "tests/fixtures/tokenizer/%s/tokenizer.json", fixture);
	assert_ok(fs_read(test_file(path), &whole, 0, &err), &err);
	const char *at = strstr(whole.data, from);
	if (!at)
		fail_msg("%s has no %s", path, from);
	buf_add(&out, whole.data, (size_t)(at - whole.data));
	buf_adds(&out, to);
	buf_adds(&out, at + strlen(from));
	buf_release(&whole);
	return out;
}

static const struct {
	const char *fixture, *from, *to, *words;
} edits[] = {
	{"wordpiece", "\"version\":\"1.0\"", "\"version\":\"2.0\"", "version is \"2.0\""},
	{"wordpiece", "\"BertNormalizer\"", "\"NFKX\"", "normalizer: type is \"NFKX\""},
	{"wordpiece", "\"BertNormalizer\"", "7", "normalizer: type is 7"},
	{"wordpiece", "\"lowercase\":true", "\"lowercase\":\"yes\"",
		"normalizer: lowercase is \"yes\""},
	{"wordpiece", "\"BertPreTokenizer\"", "\"ByteLeval\"",
		"pre_tokenizer: type is \"ByteLeval\""},
	{"wordpiece", "\"TemplateProcessing\"", "\"Sequence\"",
		"post_processor: processors is nothing, expected a list"},
	{"wordpiece", "\"type\":\"WordPiece\"", "\"type\":\"BPE\"", "model: merges is nothing"},
	{"wordpiece", "\"unk_token\":\"[UNK]\"", "\"unk_token\":\"[NONE]\"",
		"model: unk_token \"[NONE]\" is not in the vocabulary"},
	{"wordpiece", "\"[UNK]\":1", "\"[UNK]\":0", "model: vocab: \"[UNK]\" has id 0"},
	{"wordpiece", "\"[UNK]\":1", "\"[UNK]\":-1", "has id -1"},
	{"wordpiece", "\"[UNK]\":1", "\"[UNK]\":4194304", "has id 4194304"},
	{"wordpiece", "\"[UNK]\":1", "\"[UNK]\":1e30", "vocab: \"[UNK]\" has"},
	{"wordpiece", "\"[UNK]\":1", "\"[UNK]\":1.5", "vocab: \"[UNK]\" has"},
	{"wordpiece", "\"[UNK]\":1", "\"[PAD]\":1", "model: vocab has a token twice"},
	{"wordpiece", "\"vocab\":{", "\"vocab\":[],\"x\":{", "model: vocab is a list"},
	{"wordpiece", "\"max_input_chars_per_word\":100", "\"max_input_chars_per_word\":-1",
		"max_input_chars_per_word is -1"},
	{"wordpiece", "\"added_tokens\":[", "\"added_tokens\":3,\"x\":[",
		"added_tokens is a number"},
	{"wordpiece", "\"content\":\"[UNK]\"", "\"content\":\"[PAD]\"",
		"added_tokens: \"[PAD]\" is there twice"},
	{"wordpiece", "\"content\":\"[UNK]\"", "\"content\":\"\"", "added_tokens: \"\" is empty"},
	{"wordpiece", "\"single\":[", "\"single\":4,\"x\":[", "post_processor: single is a number"},
	{"wordpiece", "\"SpecialToken\":{\"id\":\"[CLS]\"", "\"SpecialToken\":{\"id\":\"[X]\"",
		"single[0]: SpecialToken \"[X]\" is not in special_tokens"},
	{"wordpiece", "\"ids\":[2]", "\"ids\":[70000]", "token id 70000 is not one of"},
	{"wordpiece", "{\"Sequence\":{\"id\":\"A\"", "{\"Sequence\":{\"id\":\"B\"",
		"single[1]: Sequence.id is \"B\", expected A"},
	{"wordpiece-cased", "\"sep\":[\"[SEP]\",3]", "\"sep\":[\"[SEP]\"]", "sep is not a list"},
	{"unigram", "\"unk_id\":3", "\"unk_id\":null", "model: unk_id is -1 or missing"},
	{"unigram", "\"unk_id\":3", "\"unk_id\":5000", "model: unk_id is 5000"},
	{"unigram", "[\"<s>\",0.0]", "[\"<s>\"]", "model: vocab[0]: is not a list"},
	{"unigram", "[\"<s>\",0.0]", "[0.0,\"<s>\"]", "model: vocab[0]: is not a list"},
	{"unigram", "\"vocab\":[", "\"vocab\":[],\"x\":[", "model: vocab is a list of 0"},
	{"unigram", "\"precompiled_charsmap\":\"", "\"precompiled_charsmap\":\"!",
		"precompiled_charsmap is not base64"},
	{"unigram", "\"precompiled_charsmap\":\"", "\"precompiled_charsmap\":\"////",
		"precompiled_charsmap has"},
	{"unigram", "\"precompiled_charsmap\":", "\"precompiled_charsmap\":null,\"x\":",
		"normalizers[0]: has no precompiled_charsmap"},
	{"unigram", "\" {2,}\"", "\"[ab+\"", "normalizers[1]: pattern.Regex: \"[ab+\" is no"},
	{"unigram", "\"prepend_scheme\":\"always\"", "\"prepend_scheme\":\"last\"",
		"pre_tokenizer: prepend_scheme is \"last\""},
	{"unigram", "\"split\":true", "\"add_prefix_space\":false", "contradicts prepend_scheme"},
	{"unigram", "\"replacement\":\"\u2581\"", "\"replacement\":\"ab\"",
		"replacement is not one character"},
	{"unigram", "\"normalizers\":[", "\"normalizers\":7,\"x\":[", "normalizers is a number"},
};

static void an_edited_file_is_refused_by_its_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		struct buf file = edited(edits[i].fixture, edits[i].from, edits[i].to);
		const char *dir = folder("edited");
		write_file(dir, "tokenizer.json", file.data, file.len);
		assert_refused(dir, edits[i].words);
		buf_release(&file);
	}
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	(void)state;
	static const char *const fixtures[] = {"wordpiece", "unigram"};
	for (size_t k = 0; k < ARRAY_LEN(fixtures); k++) {
		struct buf file = edited(fixtures[k], "{", "{");
		const char *dir = folder("cut");
		for (size_t len = 0; len + 2 < file.len; len += 1 + file.len / 40) {
			write_file(dir, "tokenizer.json", file.data, len);
			assert_refused(dir, "not JSON");
		}
		buf_release(&file);
	}
}

/* Whatever a byte turns into: refused with a sentence or read, never a crash. */
static void a_file_with_any_byte_changed_does_not_crash(void **state)
{
	(void)state;
	struct buf file = edited("unigram-words", "{", "{");
	const char *dir = folder("changed");
	uint32_t random = 1;
	for (int round = 0; round < 150; round++) {
		random = random * 1664525u + 1013904223u;
		size_t at = random % file.len;
		char old = file.data[at];
		file.data[at] = "0\"}]A/7,"[random >> 29];
		write_file(dir, "tokenizer.json", file.data, file.len);
		file.data[at] = old;
		struct err err = ERR_INIT;
		struct tokenizer *t = tokenizer_open(dir, &err);
		if (t) {
			struct tokenizer_run *r = tokenizer_run_new(t);
			struct token_limits limits = {.max_length = 0};
			struct ids ids = IDS_INIT;
			tokenizer_encode(
				r, TEXT("The f\u00e9rry \uff21 \r\n \ubc30\ub294"), &limits, &ids);
			ids_release(&ids);
			tokenizer_run_free(r);
		} else {
			assert_true(strlen(err.text) > 0);
		}
		tokenizer_close(t);
	}
	buf_release(&file);
}

static void a_deep_sequence_is_refused(void **state)
{
	(void)state;
	struct buf deep = BUF_INIT;
	for (int i = 0; i < 300; i++)
		buf_adds(&deep,
			"\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{" + (i ? 14 : 0));
	buf_adds(&deep, "\"type\":\"Lowercase\"}");
	for (int i = 0; i < 300; i++)
		buf_adds(&deep, "]}");
	buf_adds(&deep, ",\"x\":{");
	struct buf file = edited("wordpiece", "\"normalizer\":{", deep.data);
	const char *dir = folder("deep");
	write_file(dir, "tokenizer.json", file.data, file.len);
	assert_refused(dir, "normalizer");
	buf_release(&deep);
	buf_release(&file);
}

static void a_folder_without_tokenizer_files_says_what_it_lacks(void **state)
{
	(void)state;
	const char *dir = folder("empty");
	assert_refused(dir, "neither a tokenizer.json nor a vocab.txt");
}

static void a_vocab_txt_is_refused_by_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *vocab, *words;
	} cases[] = {
		{"", "vocab.txt is empty"},
		{"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n", "\"[MASK]\" is not in the vocabulary"},
		{"a\nb\n", "unk_token \"[UNK]\" is not in the vocabulary"},
		{"[PAD]\n[UNK]\nx\xff\n", "vocab.txt:3:2: not UTF-8"},
	};
	const char *dir = folder("vocab");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_file(dir, "vocab.txt", cases[i].vocab, strlen(cases[i].vocab));
		assert_refused(dir, cases[i].words);
	}
	write_file(dir, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", 32);
	write_file(dir, "tokenizer_config.json", "{\"do_lower_case\": 1}", 20);
	assert_refused(dir, "tokenizer_config.json: do_lower_case is 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_edited_file_is_refused_by_its_key),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(a_file_with_any_byte_changed_does_not_crash),
		cmocka_unit_test(a_deep_sequence_is_refused),
		cmocka_unit_test(a_folder_without_tokenizer_files_says_what_it_lacks),
		cmocka_unit_test(a_vocab_txt_is_refused_by_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

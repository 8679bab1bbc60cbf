/* Hostile texts take time in proportion to their length with every kind of tokenizer, and no stack. The
 * long ones (a word of 10 MB, a million of each) are in tests/soak. */
#include "support.h"

#include <pthread.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/parallel.h"
#include "text/tokenizer.h"

/* Rows of options.jsonl: each step that looks at more than one character, and each model. */
static const char *const kinds[] = {"bpe-gpt2", "bpe-qwen", "bpe-o200k", "bpe-deepseek",
	"bpe-whole-texts", "bpe-unk", "bpe-suffix", "bpe-fallback", "bpe-fallback-metaspace",
	"normalizer-nfc", "normalizer-nfkd", "normalizer-replace-regex", "normalizer-replace-run",
	"normalizer-precompiled", "pretokenizer-split-gpt2", "pretokenizer-split-invert-contiguous",
	"pretokenizer-punctuation-contiguous", "pretokenizer-digits-individual",
	"pretokenizer-unicodescripts", "pretokenizer-metaspace-first", "added-normalized",
	"added-word"};
static const char *const folders[] = {"wordpiece-added", "unigram-bytes", "spm-llama", "spm-gemma"};

static const char *const units[] = {"A", "^", " ", "\u0301", "a\u0301", "\u1112\u1161\u11ab", "1",
	"'", "\r\n", "ab", "\u2581", "\U00012000", "TO", "x ", "\xff"};

struct fixture {
	struct tokenizer *t;
	struct tokenizer_run *r;
};

static struct fixture open_folder(const char *dir)
{
	struct err err = ERR_INIT;
	struct fixture f = {tokenizer_open(dir, &err), NULL};
	assert_ok(f.t != NULL, &err);
	f.r = tokenizer_run_new(f.t);
	return f;
}

/* The tokenizer of that row of options.jsonl. */
static struct fixture open_kind(const char *name)
{
	struct err err = ERR_INIT;
	struct fs_map m;
	char path[400], begin[100];
	size_t n = (size_t)snprintf(begin, sizeof begin, "{\"name\":\"%s\",", name);
	assert_ok(fs_map(test_file("tests/fixtures/tokenizer/options.jsonl"), &m, &err), &err);
	const char *at = m.data;
	while (at && strncmp(at, begin, n) != 0) {
		at = memchr(at, '\n', m.len - (size_t)(at - m.data));
		at = at && at + 1 < m.data + m.len ? at + 1 : NULL;
	}
	if (!at)
		fail_msg("options.jsonl has no %s", name);
	struct json_parser *p = json_parser_new();
	const char *end = memchr(at, '\n', m.len - (size_t)(at - m.data));
	json row;
	struct text spec = TEXT_NONE;
	assert_true(json_parse(p, at, (size_t)(end - at), 0, &row, NULL));
	assert_ok(json_want_text(row, "tokenizer", TEXT_NONE, &spec, &err), &err);
	snprintf(path, sizeof path, "%s/tokenizer.json", test_scratch());
	assert_ok(fs_write_atomic(path, spec.s, spec.len, &err), &err);
	json_parser_free(p);
	fs_unmap(&m);
	return open_folder(test_scratch());
}

static void close_fixture(struct fixture *f)
{
	tokenizer_run_free(f->r);
	tokenizer_close(f->t);
}

/* The least CPU seconds of two for `unit` repeated to about len bytes. */
static double seconds_for(struct fixture *f, const char *unit, size_t len, bool has_spans)
{
	struct buf text = BUF_INIT;
	struct ids ids = IDS_INIT;
	struct token_spans spans = TOKEN_SPANS_INIT;
	struct token_limits all = {0};
	double least = 1e9;
	while (text.len < len)
		buf_adds(&text, unit);
	for (int round = 0; round < 2; round++) {
		ids.n = spans.n = 0;
		double begin = cpu_seconds();
		if (has_spans)
			tokenizer_encode_spans(f->r, buf_text(&text), &all, &ids, &spans);
		else
			tokenizer_encode(f->r, buf_text(&text), &all, &ids);
		double took = cpu_seconds() - begin;
		least = took < least ? took : least;
	}
	ids_release(&ids);
	token_spans_release(&spans);
	buf_release(&text);
	return least;
}

/* Four times the length: quadratic work would take sixteen times as long, linear four. */
static void check_growth(struct fixture *f, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		for (int has_spans = 0; has_spans < 2; has_spans++) {
			double one = seconds_for(f, units[i], 8000, has_spans) + 0.002;
			double four = seconds_for(f, units[i], 32000, has_spans);
			if (four > 10 * one)
				fail_msg("%s, unit %zu: %.4f s for 8 kB, %.4f s for 32 kB", name, i,
					one, four);
		}
}

static void time_grows_with_length_for_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct fixture f = open_kind(kinds[i]);
		check_growth(&f, kinds[i]);
		close_fixture(&f);
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char path[200];
		snprintf(path, sizeof path, "tests/fixtures/tokenizer/%s", folders[i]);
		struct fixture f = open_folder(test_file(path));
		check_growth(&f, folders[i]);
		close_fixture(&f);
	}
}

static void *encode_long_words(void *ctx)
{
	struct fixture *f = ctx;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		seconds_for(f, units[i], 100000, true);
	return NULL;
}

/* A thread with the smallest stack that the sanitisers can live with. */
static void a_long_word_takes_no_stack(void **state)
{
	(void)state;
	static const char *const some[] = {"bpe-qwen", "bpe-fallback", "normalizer-precompiled"};
	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		struct fixture f = open_kind(some[i]);
		pthread_attr_t attr;
		pthread_t thread;
		pthread_attr_init(&attr);
		assert_int_equal(pthread_attr_setstacksize(&attr, 256 * 1024), 0);
		assert_int_equal(pthread_create(&thread, &attr, encode_long_words, &f), 0);
		pthread_join(thread, NULL);
		pthread_attr_destroy(&attr);
		close_fixture(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_grows_with_length_for_every_kind),
		cmocka_unit_test(a_long_word_takes_no_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

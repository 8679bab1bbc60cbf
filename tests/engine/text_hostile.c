/* Hostile texts take time in proportion to their length, and give what short ones give. */
#include "support.h"

#include "base/parallel.h"
#include "text/added.h"
#include "text/cache.h"
#include "text/charsmap.h"
#include "text/tokenizer.h"

struct fixture {
	struct tokenizer *t;
	struct tokenizer_run *r;
};

static struct fixture open_fixture(const char *name)
{
	struct err err = ERR_INIT;
	char path[200];
	snprintf(path, sizeof path, "tests/fixtures/tokenizer/%s", name);
	struct fixture f = {tokenizer_open(test_file(path), &err), NULL};
	assert_ok(f.t != NULL, &err);
	f.r = tokenizer_run_new(f.t);
	return f;
}

static void close_fixture(struct fixture *f)
{
	tokenizer_run_free(f->r);
	tokenizer_close(f->t);
}

/* CPU seconds for `unit` repeated to about len bytes. */
static double seconds_for(struct fixture *f, const char *unit, size_t len)
{
	struct buf text = BUF_INIT;
	struct ids ids = IDS_INIT;
	struct token_limits limits = {.max_length = 0};
	while (text.len < len)
		buf_adds(&text, unit);
	double begin = cpu_seconds();
	tokenizer_encode(f->r, buf_text(&text), &limits, &ids);
	double end = cpu_seconds();
	ids_release(&ids);
	buf_release(&text);
	return end - begin;
}

/* Eight times the length in less than 30 times the time: linear with room for a slow machine, and
 * far from the 64 times of quadratic work. */
static void time_grows_with_length(void **state)
{
	(void)state;
	static const char *const units[] = {"A", "^", " ", "\t \r\n", "\u0301", "\u302e\U0001d165",
		"a\u0301", "\uac00", "\u1100", "\u2581", "\u0600", "[", "[CLS", "<mask", "<mask> ",
		"\xff", "\U00012000", "\u200d", "\u00a0", "a \u0301"};
	static const char *const names[] = {"wordpiece", "wordpiece-added", "wordpiece-cased",
		"unigram", "unigram-bytes", "unigram-never"};
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct fixture f = open_fixture(names[k]);
		for (size_t i = 0; i < ARRAY_LEN(units); i++) {
			double one = seconds_for(&f, units[i], 10000) + 0.002;
			double eight = seconds_for(&f, units[i], 80000);
			if (eight > 30 * one)
				fail_msg("%s: %zu: %.4f s for 10 kB, %.4f s for 80 kB", names[k], i,
					one, eight);
		}
		close_fixture(&f);
	}
}

static void a_word_of_a_million_characters_is_one_unknown_token(void **state)
{
	(void)state;
	struct fixture f = open_fixture("wordpiece");
	struct buf text = BUF_INIT;
	struct ids ids = IDS_INIT;
	struct token_limits limits = {.no_special = true};
	while (text.len < 1000000)
		buf_addch(&text, 'a');
	assert_int_equal(tokenizer_encode(f.r, buf_text(&text), &limits, &ids), 1);
	assert_int_equal(ids.id[0], tokenizer_unk(f.t));
	ids_release(&ids);
	buf_release(&text);
	close_fixture(&f);
}

/* Repeating a text with spaces between repeats its ids: nothing of the length goes in. */
static void a_long_text_gives_the_ids_of_its_parts(void **state)
{
	(void)state;
	static const char part[] = "the ferry \ubc30\ub294 caf\u00e9";
	struct fixture f = open_fixture("unigram");
	struct ids one = IDS_INIT, many = IDS_INIT;
	struct buf text = BUF_INIT;
	struct token_limits limits = {.no_special = true};
	tokenizer_encode(f.r, text_of(part), &limits, &one);
	for (int i = 0; i < 20000; i++) {
		buf_adds(&text, i ? " " : "");
		buf_adds(&text, part);
	}
	tokenizer_encode(f.r, buf_text(&text), &limits, &many);
	assert_int_equal(many.n, 20000 * one.n);
	for (size_t i = 0; i < many.n; i++)
		if (many.id[i] != one.id[i % one.n])
			fail_msg("id %zu differs", i);
	ids_release(&one);
	ids_release(&many);
	buf_release(&text);
	close_fixture(&f);
}

static void bytes_that_are_no_utf8_count_as_replacement_characters(void **state)
{
	(void)state;
	struct fixture f = open_fixture("unigram");
	struct ids bad = IDS_INIT, good = IDS_INIT;
	struct token_limits limits = {.max_length = 0};
	tokenizer_encode(f.r, TEXT("ferry\xff\xc0 \xed\xa0\x80 \xf4<mask>\x80"), &limits, &bad);
	tokenizer_encode(f.r, TEXT("ferry\ufffd\ufffd \ufffd\ufffd\ufffd \ufffd<mask>\ufffd"),
		&limits, &good);
	assert_int_equal(bad.n, good.n);
	assert_memory_equal(bad.id, good.id, bad.n * sizeof *bad.id);
	ids_release(&bad);
	ids_release(&good);
	close_fixture(&f);
}

/* More distinct keys than it holds: what it returns is always what was put. */
static void the_cache_never_returns_another_keys_ids(void **state)
{
	(void)state;
	struct cache c;
	cache_init(&c);
	size_t n, hits = 0;
	for (int32_t round = 0; round < 2; round++)
		for (int32_t i = 0; i < 150000; i++) {
			char key[32];
			size_t len =
				(size_t)snprintf(key, sizeof key, "%d", i % 40000 * 7 + i / 75000);
			/* Only few distinct hashes: probing must tell keys apart. */
			uint64_t hash = (uint64_t)(i % 1000) * 0x9E3779B97F4A7C15u;
			int32_t want[2] = {i % 40000 * 7 + i / 75000, -1};
			const int32_t *got = cache_get(&c, key, len, hash, &n);
			if (got) {
				hits++;
				assert_int_equal(n, 2);
				assert_int_equal(got[0], want[0]);
			} else {
				cache_put(&c, key, len, hash, want, 2);
			}
		}
	assert_true(hits > 100);
	cache_release(&c);
}

static void grapheme_clusters_end_where_unicode_says(void **state)
{
	(void)state;
	static const struct {
		uint32_t c[6];
		size_t n, end;
	} cases[] = {
		{{'a', 'b'}, 2, 1},
		{{'a', 0x301, 0x327, 'b'}, 4, 3},
		{{'\r', '\n', '\n'}, 3, 2},
		{{'\n', 0x301}, 2, 1},
		{{'\r', 'a'}, 2, 1},
		{{'\0', 0x301}, 2, 1},
		{{0x1100, 0x1161, 0x11A8, 'a'}, 4, 3},
		{{0xAC00, 0x11A8, 0x1161}, 3, 2},
		{{0xAC01, 0x1161}, 2, 1},
		{{0x600, 'a', 0x301, 'b'}, 4, 3},
		{{0x600, '\n'}, 2, 1},
		{{0xA9, 0x200D, 0x1F600, 'a'}, 4, 3},
		{{'a', 0x200D, 0x1F600}, 3, 2},
		{{0xE33, 0xE33}, 2, 2},
	};
	struct uclass u;
	uclass_init(&u);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (grapheme_end(&u, cases[i].c, 0, cases[i].n) != cases[i].end)
			fail_msg("case %zu: %zu, expected %zu", i,
				grapheme_end(&u, cases[i].c, 0, cases[i].n), cases[i].end);
	uclass_release(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_grows_with_length),
		cmocka_unit_test(a_word_of_a_million_characters_is_one_unknown_token),
		cmocka_unit_test(a_long_text_gives_the_ids_of_its_parts),
		cmocka_unit_test(bytes_that_are_no_utf8_count_as_replacement_characters),
		cmocka_unit_test(the_cache_never_returns_another_keys_ids),
		cmocka_unit_test(grapheme_clusters_end_where_unicode_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

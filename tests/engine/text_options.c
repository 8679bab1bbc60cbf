/* Every option of a tokenizer.json against the Hugging Face tokenizers library: ids and offsets of
 * tests/fixtures/tokenizer/options.jsonl (made by tests/parity/make_tokenizer_options.py). */
#include "support.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/parallel.h"
#include "json.h"
#include "text/tokenizer.h"

struct outcome {
	struct ids ids, fast;
	struct token_spans spans;
};

static struct text text_in(json v)
{
	struct text t = TEXT_NONE;
	assert_true(json_string(v, &t.s, &t.len));
	return t;
}

/* A text or a list of two. */
static void encode(struct tokenizer_run *r, json v, struct outcome *o)
{
	static const struct token_limits none;
	o->ids.n = o->fast.n = o->spans.n = 0;
	if (!json_is(v, JSON_ARRAY)) {
		tokenizer_encode_spans(r, text_in(v), &none, &o->ids, &o->spans);
		tokenizer_encode(r, text_in(v), &none, &o->fast);
		return;
	}
	struct json_iter it = json_each(v);
	assert_true(json_next(&it));
	struct text a = text_in(it.value);
	assert_true(json_next(&it));
	struct text b = text_in(it.value);
	tokenizer_encode_pair_spans(r, a, b, &none, &o->ids, NULL, &o->spans);
	tokenizer_encode_pair(r, a, b, &none, &o->fast, NULL);
}

static size_t first_difference(json want, const int32_t *got, size_t n)
{
	size_t i = 0;
	for (struct json_iter it = json_each(want); json_next(&it); i++) {
		int64_t v = -1;
		if (i >= n || !json_int(it.value, &v) || v != got[i])
			return i;
	}
	return i == n ? SIZE_MAX : i;
}

static void check(json gold, const struct outcome *o, struct text name, size_t text)
{
	struct json_iter it = json_each(gold);
	assert_true(json_next(&it));
	size_t at = first_difference(it.value, o->ids.id, o->ids.n);
	size_t fast = first_difference(it.value, o->fast.id, o->fast.n);
	assert_true(json_next(&it));
	struct ids flat = IDS_INIT;
	for (size_t i = 0; i < o->spans.n; i++) {
		ids_add(&flat, (int32_t)o->spans.s[i].begin);
		ids_add(&flat, (int32_t)o->spans.s[i].end);
	}
	size_t span = first_difference(it.value, flat.id, flat.n);
	ids_release(&flat);
	if (at != SIZE_MAX || fast != SIZE_MAX)
		fail_msg("%.*s, text %zu: ids differ at %zd with places, at %zd without",
			TEXT_ARG(name), text, (ssize_t)at, (ssize_t)fast);
	if (span != SIZE_MAX)
		fail_msg("%.*s, text %zu: the place of token %zu differs", TEXT_ARG(name), text,
			span / 2);
}

/* CPU seconds for `unit` repeated to about len bytes. */
static double seconds_for(struct tokenizer_run *r, const char *unit, size_t len)
{
	static const struct token_limits none;
	struct buf text = BUF_INIT;
	struct ids ids = IDS_INIT;
	struct token_spans spans = TOKEN_SPANS_INIT;
	while (text.len < len)
		buf_adds(&text, unit);
	double begin = cpu_seconds();
	tokenizer_encode(r, buf_text(&text), &none, &ids);
	ids.n = 0;
	tokenizer_encode_spans(r, buf_text(&text), &none, &ids, &spans);
	double end = cpu_seconds();
	ids_release(&ids);
	token_spans_release(&spans);
	buf_release(&text);
	return end - begin;
}

/* Eight times the length in less than 30 times the time, see text_hostile.c. */
static void check_growth(struct tokenizer_run *r, struct text name)
{
	static const char *const units[] = {"a", "A", "aA", "\uac00A", " ", "\n ", "\u0301",
		"\u302e\U0001d165", "a\u0301", "\u1100\u1161", "\u2581", "'", "1", "<", "<m> ",
		"\u00a0", "ab", "TOK"};
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		double one = seconds_for(r, units[i], 4000) + 0.002;
		double eight = seconds_for(r, units[i], 32000);
		if (eight > 30 * one)
			fail_msg("%.*s: %zu: %.4f s for 4 kB, %.4f s for 32 kB", TEXT_ARG(name), i,
				one, eight);
	}
}

/* Time is asked of one tokenizer for each way that a text can take. */
static bool wants_growth(struct text name)
{
	static const char *const names[] = {"normalizer-nfc", "normalizer-nfkd",
		"pretokenizer-split-invert-removed", "pretokenizer-unicodescripts",
		"added-normalized", "post-roberta", "bpe-whole-texts", "bpe-o200k", "bpe-deepseek",
		"bpe-fallback", "bpe-fallback-metaspace"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_is(name, names[i]))
			return true;
	return false;
}

/* Two rounds: the second time pieces come from the cache. */
static void check_tokenizer(json row, json texts, const char *dir)
{
	struct err err = ERR_INIT;
	struct text name = text_in(json_get(row, "name"));
	struct text file = text_in(json_get(row, "tokenizer"));
	char path[300];
	snprintf(path, sizeof path, "%s/tokenizer.json", dir);
	assert_ok(fs_write_atomic(path, file.s, file.len, &err), &err);
	struct tokenizer *t = tokenizer_open(dir, &err);
	if (!t)
		fail_msg("%.*s: %s", TEXT_ARG(name), err.text);
	struct tokenizer_run *r = tokenizer_run_new(t);
	struct outcome o = {IDS_INIT, IDS_INIT, TOKEN_SPANS_INIT};
	for (int round = 0; round < 2; round++) {
		size_t i = 0;
		struct json_iter gold = json_each(json_get(row, "gold"));
		for (struct json_iter it = json_each(texts); json_next(&it); i++) {
			assert_true(json_next(&gold));
			encode(r, it.value, &o);
			check(gold.value, &o, name, i);
		}
		assert_true(i > 20);
	}
	if (wants_growth(name))
		check_growth(r, name);
	ids_release(&o.ids);
	ids_release(&o.fast);
	token_spans_release(&o.spans);
	tokenizer_run_free(r);
	tokenizer_close(t);
}

static void every_option_gives_the_ids_and_places_of_hugging_face(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct fs_map m;
	struct json_parser *head = json_parser_new(), *p = json_parser_new();
	json texts = {0}, row;
	const char *dir = test_scratch();
	size_t n = 0;
	assert_ok(fs_map(test_file("tests/fixtures/tokenizer/options.jsonl"), &m, &err), &err);
	for (size_t at = 0; at < m.len; n++) {
		const char *end = memchr(m.data + at, '\n', m.len - at);
		assert_non_null(end);
		size_t len = (size_t)(end - m.data) - at;
		assert_true(json_parse(n ? p : head, m.data + at, len, 0, &row, NULL));
		if (n == 0)
			texts = json_get(row, "texts");
		else
			check_tokenizer(row, texts, dir);
		at += len + 1;
	}
	assert_true(n > 90);
	fs_unmap(&m);
	json_parser_free(head);
	json_parser_free(p);
}

static int64_t number_in(struct json_iter *it)
{
	int64_t v = -1;
	assert_true(json_next(it) && json_int(it->value, &v) && v >= 0);
	return v;
}

/* One row of cuts.jsonl: the cut sequence, and all parts of it. */
static void check_cuts(struct tokenizer_run *r, json row, struct token_parts *parts, size_t line)
{
	struct text a = text_in(json_get(row, "text")), b = TEXT_NONE;
	struct json_iter it = json_each(json_get(row, "limits"));
	struct token_limits limits = {.max_length = (size_t)number_in(&it)};
	struct ids ids = IDS_INIT;
	limits.cut = (enum token_cut)number_in(&it);
	limits.cut_left = number_in(&it);
	limits.stride = (size_t)number_in(&it);
	limits.no_special = number_in(&it);
	if (!json_is(json_get(row, "pair"), JSON_MISSING))
		b = text_in(json_get(row, "pair"));
	tokenizer_encode_parts(r, a, b, &limits, parts);
	if (b.s)
		tokenizer_encode_pair(r, a, b, &limits, &ids, NULL);
	else
		tokenizer_encode(r, a, &limits, &ids);
	assert_int_equal(ids.n, parts->ends[0]);
	assert_memory_equal(ids.id, parts->ids.id, ids.n * sizeof *ids.id);
	size_t i = 0, begin = 0;
	for (it = json_each(json_get(row, "parts")); json_next(&it); begin = parts->ends[i++])
		if (i >= parts->n ||
			first_difference(it.value, parts->ids.id + begin, parts->ends[i] - begin) !=
				SIZE_MAX)
			fail_msg("line %zu: part %zu of %zu differs", line, i, parts->n);
	assert_int_equal(i, parts->n);
	assert_int_equal(parts->spans.n, parts->ids.n);
	assert_int_equal(parts->types.n, parts->ids.n);
	ids_release(&ids);
}

/* The tokenizer of a row of options.jsonl. */
static struct tokenizer *open_named(struct text name)
{
	struct err err = ERR_INIT;
	struct fs_map m;
	struct json_parser *p = json_parser_new();
	struct tokenizer *t = NULL;
	char path[300];
	snprintf(path, sizeof path, "%s/tokenizer.json", test_scratch());
	assert_ok(fs_map(test_file("tests/fixtures/tokenizer/options.jsonl"), &m, &err), &err);
	for (size_t at = 0, len; at < m.len && !t; at += len + 1) {
		json row;
		len = (size_t)((const char *)memchr(m.data + at, '\n', m.len - at) - m.data) - at;
		assert_true(json_parse(p, m.data + at, len, 0, &row, NULL));
		if (at == 0 || !text_equal(text_in(json_get(row, "name")), name))
			continue;
		struct text file = text_in(json_get(row, "tokenizer"));
		assert_ok(fs_write_atomic(path, file.s, file.len, &err), &err);
		t = tokenizer_open(test_scratch(), &err);
		assert_ok(t != NULL, &err);
	}
	assert_non_null(t);
	fs_unmap(&m);
	json_parser_free(p);
	return t;
}

static void long_texts_are_cut_as_hugging_face_cuts_them(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct fs_map m;
	struct json_parser *p = json_parser_new();
	struct token_parts parts = {.n = 0};
	struct tokenizer *t = NULL;
	struct tokenizer_run *r = NULL;
	char name[64] = "";
	size_t line = 0;
	assert_ok(fs_map(test_file("tests/fixtures/tokenizer/cuts.jsonl"), &m, &err), &err);
	for (size_t at = 0, len; at < m.len; at += len + 1) {
		json row;
		len = (size_t)((const char *)memchr(m.data + at, '\n', m.len - at) - m.data) - at;
		assert_true(json_parse(p, m.data + at, len, 0, &row, NULL));
		struct text wanted = text_in(json_get(row, "name"));
		if (!text_is(wanted, name)) {
			tokenizer_run_free(r);
			tokenizer_close(t);
			t = open_named(wanted);
			r = tokenizer_run_new(t);
			snprintf(name, sizeof name, "%.*s", TEXT_ARG(wanted));
		}
		check_cuts(r, row, &parts, ++line);
	}
	assert_true(line > 100);
	token_parts_release(&parts);
	tokenizer_run_free(r);
	tokenizer_close(t);
	fs_unmap(&m);
	json_parser_free(p);
}

static void a_text_that_would_vanish_is_not_cut(void **state)
{
	(void)state;
	struct tokenizer *t = open_named(TEXT("post-roberta"));
	struct tokenizer_run *r = tokenizer_run_new(t);
	struct token_limits limits = {.max_length = 6, .cut = CUT_ONLY_SECOND};
	struct ids ids = IDS_INIT;
	size_t whole = tokenizer_encode_pair(
		r, TEXT("ferry leaves the harbour"), TEXT("a"), &limits, &ids, NULL);
	assert_true(whole > 6);
	assert_int_equal(ids.n, whole);
	ids.n = 0;
	limits = (struct token_limits){.max_length = 3};
	assert_true(tokenizer_encode(r, TEXT("The ferry leaves"), &limits, &ids) > 3);
	assert_int_equal(ids.n, 3);
	ids_release(&ids);
	tokenizer_run_free(r);
	tokenizer_close(t);
}

static void a_byte_of_the_text_finds_its_token(void **state)
{
	(void)state;
	static const struct token_span s[] = {{0, 0}, {0, 3}, {3, 6}, {3, 6}, {7, 9}, {0, 0}};
	static const size_t want[] = {1, 1, 1, 2, 2, 2, 6, 4, 4, 6};
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(token_span_at(s, ARRAY_LEN(s), i), want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_gives_the_ids_and_places_of_hugging_face),
		cmocka_unit_test(long_texts_are_cut_as_hugging_face_cuts_them),
		cmocka_unit_test(a_text_that_would_vanish_is_not_cut),
		cmocka_unit_test(a_byte_of_the_text_finds_its_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "curate/checks.h"
#include "curate/equals.h"
#include "curate/histogram.h"
#include "curate/inspect.h"

struct fixture {
	struct dataset *d;
	struct inspect_report r;
};

static const char *written(const char *name, const char *content)
{
	static char ring[4][300];
	static unsigned at;
	char *path = ring[at++ % ARRAY_LEN(ring)];
	snprintf(path, sizeof ring[0], "%s/%s", test_scratch(), name);
	test_write(path, content);
	return path;
}

static void look(struct fixture *f, const char *const *paths, size_t n, int threads)
{
	struct err err = ERR_INIT;
	struct inspect_options opt = {.threads = threads};
	f->d = dataset_open(paths, n, NULL, &err);
	assert_ok(f->d != NULL, &err);
	assert_ok(inspect(f->d, &opt, &f->r, &err), &err);
}

static void done(struct fixture *f)
{
	inspect_release(&f->r);
	dataset_close(f->d);
}

static const struct finding *found(const struct fixture *f, enum finding_kind k)
{
	for (size_t i = 0; i < f->r.n_findings; i++)
		if (f->r.findings[i].kind == k)
			return &f->r.findings[i];
	return NULL;
}

static size_t line_of(const struct fixture *f, size_t row)
{
	const char *path;
	size_t line;
	dataset_place(f->d, row, &path, &line);
	return line;
}

/* The findings of a file as "kind count@line,line=other ..." in one string. */
static char *told(const struct fixture *f)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < f->r.n_findings; i++) {
		const struct finding *g = &f->r.findings[i];
		buf_addf(&b, "%s%s %zu@", i ? " " : "", finding_name(g->kind), g->count);
		for (size_t e = 0; e < g->n_examples; e++) {
			buf_addf(&b, "%s%zu", e ? "," : "", line_of(f, g->examples[e].row));
			if (g->examples[e].other != NO_ROW)
				buf_addf(&b, "=%zu", line_of(f, g->examples[e].other));
		}
	}
	return buf_take(&b);
}

static void assert_told(const char *rows, const char *want)
{
	struct fixture f;
	const char *path = written("rows.jsonl", rows);
	look(&f, &path, 1, 1);
	char *have = told(&f);
	if (strcmp(have, want) != 0)
		fail_msg("%s\nhave %s\nwant %s", rows, have, want);
	free(have);
	done(&f);
}

#define GOOD "{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"n\"]}\n"

static void a_clean_row_has_no_finding(void **state)
{
	(void)state;
	assert_told(GOOD, "");
	assert_told("", "");
	assert_told("\n\n", "");
	assert_told("{\"query\":\"한국어 é\",\"pos\":[\"p\"],\"neg\":[\"n\"],\"pos_scores\":[2],"
		    "\"neg_scores\":[1]}",
		"");
}

static void each_fault_of_a_row_is_found(void **state)
{
	(void)state;
	assert_told("{\"query\":\"q\",\"pos\":\"p\",\"neg\":[\"n\"]}", "pos_string 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":\"n\"}", "neg_string 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[],\"neg\":[\"n\"]}", "empty_pos 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"]}", "empty_neg 1@1");
	assert_told("{\"query\":\" \\u3000\",\"pos\":[\"p\"],\"neg\":[\"n\"]}", "empty_query 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\",\"\"],\"neg\":[\"n\"]}", "empty_text 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"\\n\"]}", "empty_text 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"n\"],\"neg_scores\":[1,2]}",
		"misaligned_scores 1@1");
	assert_told("{\"query\":\"q\\ud800\",\"pos\":[\"p\"],\"neg\":[\"n\"]}",
		"replaced_surrogates 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"n\",\"p\"]}",
		"positive_in_negatives 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"q\"],\"neg\":[\"n\"]}", "query_in_positives 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"q\"]}", "query_in_negatives 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"n\",\"m\",\"n\"]}",
		"repeated_text 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\",\"r\"],\"neg\":[\"n\"],\"pos_scores\":[9,1],"
		    "\"neg_scores\":[2]}",
		"negative_above_positive 1@1");
	assert_told("{\"query\":\"q\"", "broken 1@1");
}

static void decomposed_text_is_found_and_composed_text_is_not(void **state)
{
	(void)state;
	/* The jamo of one Hangul syllable; e and its accent; a CJK compatibility ideograph. */
	assert_told("{\"query\":\"\\u1112\\u1161\\u11ab\",\"pos\":[\"p\"],\"neg\":[\"n\"]}",
		"not_nfc 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"e\\u0301\"],\"neg\":[\"n\"]}", "not_nfc 1@1");
	assert_told("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"\\uf900\"]}", "not_nfc 1@1");
	/* Composed, with characters that only a close look clears: q with a diaeresis, old jamo. */
	assert_told(
		"{\"query\":\"\\ud55c\",\"pos\":[\"q\\u0308\"],\"neg\":[\"\\u1112\\u119e\"]}", "");
}

/* Reference: utf8_is_nfc, which computes the form. */
static void the_quick_look_never_clears_a_text_that_is_not_nfc(void **state)
{
	(void)state;
	size_t n_cleared = 0;
	for (uint32_t cp = 0; cp < 0x30000; cp++) {
		if (cp >= 0xD800 && cp < 0xE000)
			continue;
		char text[16];
		static const char *const before[] = {
			"a", "\xEA\xB0\x80", "\xE1\x84\x92\xE1\x85\xA1"};
		for (size_t k = 0; k < (cp < 0x3200 ? 3 : 1); k++) {
			size_t n = strlen(before[k]);
			memcpy(text, before[k], n);
			n += utf8_encode(cp, text + n);
			struct text t = {text + (k == 2 ? 3 : 0), n - (k == 2 ? 3 : 0)};
			bool may = text_may_not_be_nfc((struct text){text, n});
			n_cleared += !may;
			if (!may && !utf8_is_nfc(t))
				fail_msg("U+%04X after \"%s\"", cp, before[k]);
		}
	}
	assert_true(n_cleared > 100000);
}

/* The same over stretches: a jamo that joins its neighbour, at every place of long texts. */
static void the_quick_look_sees_every_place_of_a_long_text(void **state)
{
	(void)state;
	static const char *const fillers[] = {
		"a", "\xEA\xB0\x80", "\xED\x95\x9C", "\xE4\xB8\x80", "\xC3\xA9", "\xE2\x80\x9C"};
	for (size_t f = 0; f < ARRAY_LEN(fillers); f++) {
		for (size_t before = 0; before < 150; before++) {
			struct buf b = BUF_INIT;
			for (size_t i = 0; i < before; i++)
				buf_adds(&b, fillers[f]);
			buf_adds(&b, "\xE1\x84\x92\xE1\x85\xA1");
			for (size_t i = before; i < 150; i++)
				buf_adds(&b, fillers[f]);
			assert_true(text_may_not_be_nfc(buf_text(&b)));
			struct text rest = {b.data + before * strlen(fillers[f]) + 6, 0};
			rest.len = (size_t)(b.data + b.len - rest.s);
			assert_false(text_may_not_be_nfc(rest));
			buf_release(&b);
		}
	}
}

static void equal_rows_and_queries_name_the_first(void **state)
{
	(void)state;
	assert_told(GOOD "\n" GOOD GOOD, "duplicate_row 2@3=1,4=1");
	/* Fields that are not of the row's meaning make no difference. */
	assert_told(GOOD "{\"neg\":[\"n\"],\"x\":1,\"pos\":[\"p\"],\"query\":\"q\"}",
		"duplicate_row 1@2=1");
	assert_told(GOOD "{\"query\":\"q\",\"pos\":[\"other\"],\"neg\":[\"n\"]}\n" GOOD,
		"duplicate_row 1@3=1 duplicate_query 1@2=1");
	assert_told(GOOD "{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"n\"],\"prompt\":\"x\"}\n",
		"duplicate_query 1@2=1");
	/* pos and neg are not one list */
	assert_told("{\"query\":\"q\",\"pos\":[\"a\",\"b\"],\"neg\":[\"c\"]}\n"
		    "{\"query\":\"q\",\"pos\":[\"a\"],\"neg\":[\"b\",\"c\"]}",
		"duplicate_query 1@2=1");
}

static void a_positive_of_two_queries_is_shared(void **state)
{
	(void)state;
	assert_told(GOOD "{\"query\":\"r\",\"pos\":[\"x\",\"p\"],\"neg\":[\"n\"]}\n"
			 "{\"query\":\"s\",\"pos\":[\"y\"],\"neg\":[\"p\"]}\n"
			 "{\"query\":\"t\",\"pos\":[\"p\",\"x\"],\"neg\":[\"n\"]}",
		"shared_positive 3@1=2,2=1,4=1");
	/* the same query twice shares with itself alone */
	assert_told(
		GOOD "{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"m\"]}", "duplicate_query 1@2=1");
}

static void a_leak_names_both_files(void **state)
{
	(void)state;
	const char *paths[] = {
		written("train.jsonl",
			GOOD "{\"query\":\"r\",\"pos\":[\"s\",\"t\"],\"neg\":[\"n\"]}\n" GOOD
			     "{\"query\":\"u\",\"pos\":[\"v\"],\"neg\":[\"s\"]}\n"),
		written("dev.jsonl", "{\"query\":\"w\",\"pos\":[\"x\"],\"neg\":[\"n\"]}\n"),
		written("test.jsonl", "{\"query\":\"q\",\"pos\":[\"t\",\"s\"],\"neg\":[\"n\"]}\n"),
	};
	struct fixture f;
	look(&f, paths, 3, 1);
	const struct finding *query = found(&f, FINDING_LEAKED_QUERY);
	assert_non_null(query);
	assert_int_equal(query->count, 2); /* rows 0 and 2 of train */
	assert_true(query->file_a == 0 && query->file_b == 2);
	assert_true(query->examples[0].row == 0 && query->examples[0].other == 5);
	const struct finding *pos = found(&f, FINDING_LEAKED_POSITIVE);
	assert_non_null(pos);
	assert_int_equal(pos->count, 1); /* one row, though both its positives leak */
	assert_true(pos->examples[0].row == 1 && pos->examples[0].other == 5);
	assert_int_equal(f.r.n_queries, 4);
	assert_int_equal(f.r.files[0].n_queries, 3);
	assert_int_equal(f.r.files[2].n_queries, 1);
	done(&f);
}

static void a_beir_folder_is_compared_like_a_file(void **state)
{
	(void)state;
	const char *paths[] = {
		written("train.jsonl",
			"{\"query\":\"first query\",\"pos\":[\"no title here\"],\"neg\":[\"n\"]}\n"),
		test_file("tests/fixtures/rows_beir")};
	struct fixture f;
	look(&f, paths, 2, 1);
	const struct finding *leak = found(&f, FINDING_LEAKED_QUERY);
	assert_non_null(leak);
	assert_int_equal(line_of(&f, leak->examples[0].other), 3); /* of qrels/train.tsv */
	assert_non_null(found(&f, FINDING_LEAKED_POSITIVE));
	const struct finding *missing = found(&f, FINDING_MISSING_QRELS);
	assert_non_null(missing);
	assert_true(missing->count == 2 && missing->file_a == 1);
	/* by nature: no negatives, one query in several rows */
	assert_null(found(&f, FINDING_EMPTY_NEG));
	assert_null(found(&f, FINDING_DUPLICATE_QUERY));
	done(&f);
}

static void every_broken_row_is_listed_with_its_place(void **state)
{
	(void)state;
	const char *paths[] = {written("a.jsonl", GOOD "{\"pos\":[]}\n\n[1]\n"),
		written("b.jsonl", "{\"query\":\"한\",\"neg\":[\"a\",2]}\n" GOOD)};
	struct fixture f;
	look(&f, paths, 2, 1);
	assert_int_equal(f.r.n_rows, 5);
	assert_int_equal(f.r.n_broken, 3);
	static const char *const ends[] = {"a.jsonl:2:1: no query",
		"a.jsonl:4:1: the row is a list",
		"b.jsonl:1:25: neg[1] is a number, expected a string"};
	for (size_t i = 0; i < 3; i++)
		if (!strstr(f.r.broken[i].why, ends[i]))
			fail_msg("\"%s\" lacks \"%s\"", f.r.broken[i].why, ends[i]);
	assert_true(f.r.files[0].n_broken == 2 && f.r.files[0].n_rows == 3);
	assert_true(f.r.files[1].n_broken == 1 && f.r.files[1].n_queries == 1);
	done(&f);
}

static void lengths_count_characters(void **state)
{
	(void)state;
	struct fixture f;
	const char *path = written("l.jsonl",
		"{\"query\":\"한국어\",\"pos\":[\"\",\"ab\\u0000\"],\"neg\":[\"\\ud83d\\ude00\"]}\n"
		"{\"query\":\"x\",\"pos\":[\"12345\"],\"neg\":[]}\n");
	look(&f, &path, 1, 1);
	const struct lengths *q = &f.r.chars[PART_QUERY], *p = &f.r.chars[PART_POS];
	assert_true(q->n == 2 && q->min == 1 && q->p50 == 1 && q->max == 3 && q->mean == 2.0);
	assert_true(p->n == 3 && p->min == 0 && p->p50 == 3 && p->p90 == 5 && p->max == 5);
	assert_true(f.r.chars[PART_NEG].n == 1 && f.r.chars[PART_NEG].max == 1);
	assert_true(f.r.per_row[PART_NEG].n == 2 && f.r.per_row[PART_NEG].min == 0);
	assert_int_equal(f.r.tokens[PART_QUERY].n, 0);
	done(&f);
}

static void a_long_text_is_found_by_its_estimated_tokens(void **state)
{
	(void)state;
	char line[5000];
	for (size_t len = 2051; len <= 2052; len++) { /* 512 tokens of 4 bytes, and one more */
		snprintf(line, sizeof line, "{\"query\":\"q\",\"pos\":[\"%0*d\"],\"neg\":[\"n\"]}",
			(int)len, 0);
		assert_told(line, len == 2052 ? "long_text 1@1" : "");
	}
}

static void tokens_are_counted_with_a_model(void **state)
{
	(void)state;
	const char *dir = test_model("minilm-en");
	if (!dir)
		skip();
	struct err err = ERR_INIT;
	struct tokenizer *t = tokenizer_open(dir, &err);
	assert_ok(t != NULL, &err);
	const char *path = written(
		"t.jsonl", "{\"query\":\"hello\",\"pos\":[\"a b c d\"],\"neg\":[\"x y z\"]}");
	struct dataset *d = dataset_open(&path, 1, NULL, &err);
	assert_ok(d != NULL, &err);
	struct inspect_options opt = {.threads = 1, .tokenizer = t, .max_length = 5};
	struct inspect_report r;
	assert_ok(inspect(d, &opt, &r, &err), &err);
	assert_int_equal(r.tokens[PART_QUERY].max, 3); /* [CLS] hello [SEP] */
	assert_int_equal(r.tokens[PART_POS].max, 6);
	assert_int_equal(r.n_findings, 1);
	assert_int_equal(r.findings[0].kind, FINDING_LONG_TEXT);
	inspect_release(&r);
	dataset_close(d);
	tokenizer_close(t);
}

/* Two rows hold decomposed Hangul; a tokenizer without a normaliser reads them as other tokens, one that
 * takes everything apart by itself does not. */
static void decomposed_hangul_counts_where_the_tokenizer_breaks_it(void **state)
{
	(void)state;
	static const struct {
		const char *tokenizer;
		size_t rows;
	} cases[] = {{"unigram-plain", 2}, {"wordpiece", 0}};
	const char *path = written("nfd.jsonl",
		"{\"query\":\"\u1107\u1162\u1102\u1173\u11ab\",\"pos\":[\"p\"],\"neg\":[]}\n"
		"{\"query\":\"\ubc30\ub294\",\"pos\":[\"cafe\u0301\"],\"neg\":[]}\n"
		"{\"query\":\"q\",\"pos\":[\"p\",\"x \u1107\u1162\"],\"neg\":[]}\n");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		char dir[200];
		snprintf(dir, sizeof dir, "tests/fixtures/tokenizer/%s", cases[i].tokenizer);
		struct tokenizer *t = tokenizer_open(test_file(dir), &err);
		assert_ok(t != NULL, &err);
		struct inspect_options opt = {.threads = 1, .tokenizer = t};
		struct fixture f;
		f.d = dataset_open(&path, 1, NULL, &err);
		assert_ok(f.d != NULL, &err);
		assert_ok(inspect(f.d, &opt, &f.r, &err), &err);
		const struct finding *broken = found(&f, FINDING_BROKEN_HANGUL);
		assert_int_equal(broken ? broken->count : 0, cases[i].rows);
		if (broken)
			assert_int_equal(line_of(&f, broken->examples[1].row), 3);
		assert_int_equal(found(&f, FINDING_NOT_NFC)->count, 3);
		done(&f);
		tokenizer_close(t);
	}
}

static void fields_are_counted_with_their_commonest_type(void **state)
{
	(void)state;
	struct fixture f;
	const char *path = written("f.jsonl",
		"{\"query\":\"a\",\"pos\":[\"p\"],\"neg\":[],\"x\":1}\n"
		"{\"query\":\"b\",\"pos\":[\"p\"],\"neg\":[],\"x\":{\"y\":2}}\n"
		"{\"query\":\"c\",\"pos\":\"p\",\"x\":null}\n{\"query\":\"d\",\"pos\":[],\"x\":-3}\n");
	look(&f, &path, 1, 1);
	static const struct inspect_field want[] = {{"pos", 4, "a list"}, {"query", 4, "a string"},
		{"x", 4, "a number"}, {"neg", 2, "a list"}};
	assert_int_equal(f.r.n_fields, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(f.r.fields[i].name, want[i].name);
		assert_int_equal(f.r.fields[i].n, want[i].n);
		assert_string_equal(f.r.fields[i].type, want[i].type);
	}
	done(&f);
}

/* Some thousand rows, a tenth of them with some fault or an equal. */
static const char *many_rows(void)
{
	struct buf b = BUF_INIT;
	struct rng rng = rng_new(7, 0);
	for (size_t i = 0; i < 5000; i++) {
		uint64_t dice = rng_below(&rng, 40);
		if (dice == 0)
			buf_adds(&b, "{\"query\":\n");
		else if (dice == 1)
			buf_adds(&b, GOOD);
		else if (dice == 2)
			buf_addf(&b, "{\"query\":\"e\\u0301 %zu\",\"pos\":[],\"neg\":\"n\"}\n", i);
		else
			buf_addf(&b,
				"{\"query\":\"%zu\",\"pos\":[\"%zu\",\"p\"],\"neg\":[\"x\"],\"f%zu\":1}\n",
				(size_t)rng_below(&rng, 4000), i, i % 7);
	}
	const char *path = written("many.jsonl", b.data);
	buf_release(&b);
	return path;
}

static void the_report_is_the_same_for_any_number_of_threads(void **state)
{
	(void)state;
	const char *path = many_rows();
	struct fixture one, more;
	look(&one, &path, 1, 1);
	char *want = told(&one);
	assert_true(one.r.n_broken > 50 && one.r.n_findings > 5);
	for (int threads = 2; threads <= 5; threads++) {
		look(&more, &path, 1, threads);
		char *have = told(&more);
		assert_string_equal(have, want);
		free(have);
		assert_int_equal(more.r.n_queries, one.r.n_queries);
		assert_int_equal(more.r.n_fields, one.r.n_fields);
		for (size_t i = 0; i < one.r.n_fields; i++)
			assert_string_equal(more.r.fields[i].name, one.r.fields[i].name);
		for (size_t i = 0; i < one.r.n_broken; i++)
			assert_string_equal(more.r.broken[i].why, one.r.broken[i].why);
		assert_memory_equal(more.r.chars, one.r.chars, sizeof one.r.chars);
		done(&more);
	}
	free(want);
	done(&one);
}

/* Memory that runs out at any place ends in a sentence. */
static void a_lack_of_memory_is_an_error(void **state)
{
	(void)state;
	const char *path = many_rows();
	size_t n_failed = 0;
	bool is_done = false;
	for (int n = 1; !is_done && n < 100; n++) {
		char fault[30];
		snprintf(fault, sizeof fault, "memory:%d", n);
		setenv("VECSMITH_FAULT", fault, 1);
		fault_reset();
		struct err err = ERR_INIT;
		struct inspect_options opt = {.threads = 1};
		struct inspect_report r;
		struct dataset *d = dataset_open(&path, 1, NULL, &err);
		is_done = d && inspect(d, &opt, &r, &err);
		if (is_done)
			inspect_release(&r);
		else
			assert_non_null(strstr(err.text, "out of memory"));
		n_failed += !is_done;
		dataset_close(d);
	}
	unsetenv("VECSMITH_FAULT");
	fault_reset();
	assert_true(is_done && n_failed > 5);
}

static void a_radix_sort_keeps_the_order_of_equals(void **state)
{
	(void)state;
	enum { N = 3000 };
	struct stand s[N];
	struct rng rng = rng_new(1, 2);
	struct err err = ERR_INIT;
	for (size_t i = 0; i < N; i++) /* high and low digits both decide */
		s[i] = (struct stand){rng_below(&rng, 50) << 58 | rng_below(&rng, 20), i};
	assert_ok(stands_sort(s, N, &err), &err);
	for (size_t i = 1; i < N; i++)
		assert_true(s[i - 1].hash < s[i].hash ||
			(s[i - 1].hash == s[i].hash && s[i - 1].row < s[i].row));
}

static void quantiles_are_exact_beyond_the_bins_too(void **state)
{
	(void)state;
	struct histogram a = HISTOGRAM_INIT, b = HISTOGRAM_INIT;
	struct lengths l;
	for (size_t i = 1; i <= 100; i++)
		histogram_add(i % 2 ? &a : &b, i > 80 ? HISTOGRAM_BINS + 200 - i : i);
	histogram_merge(&a, &b);
	histogram_lengths(&a, &l);
	assert_int_equal(l.n, 100);
	assert_int_equal(l.min, 1);
	assert_int_equal(l.p50, 50);
	assert_int_equal(l.p90, HISTOGRAM_BINS + 109);
	assert_int_equal(l.p99, HISTOGRAM_BINS + 118);
	assert_int_equal(l.max, HISTOGRAM_BINS + 119);
	histogram_release(&a);
	histogram_release(&b);
}

static void the_shared_training_file_has_its_known_counts(void **state)
{
	(void)state;
	const char *path = test_shared("ko-pairs/chatbot/pairs.jsonl");
	if (!path)
		skip();
	struct fixture f;
	look(&f, &path, 1, 2);
	assert_int_equal(f.r.n_rows, 11662);
	assert_int_equal(f.r.n_queries, 11662);
	assert_int_equal(f.r.n_broken, 0);
	assert_int_equal(found(&f, FINDING_EMPTY_NEG)->count, 11662);
	assert_true(found(&f, FINDING_SHARED_POSITIVE)->count > 6000);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_row_has_no_finding),
		cmocka_unit_test(each_fault_of_a_row_is_found),
		cmocka_unit_test(decomposed_text_is_found_and_composed_text_is_not),
		cmocka_unit_test(the_quick_look_never_clears_a_text_that_is_not_nfc),
		cmocka_unit_test(the_quick_look_sees_every_place_of_a_long_text),
		cmocka_unit_test(equal_rows_and_queries_name_the_first),
		cmocka_unit_test(a_positive_of_two_queries_is_shared),
		cmocka_unit_test(a_leak_names_both_files),
		cmocka_unit_test(a_beir_folder_is_compared_like_a_file),
		cmocka_unit_test(every_broken_row_is_listed_with_its_place),
		cmocka_unit_test(lengths_count_characters),
		cmocka_unit_test(a_long_text_is_found_by_its_estimated_tokens),
		cmocka_unit_test(tokens_are_counted_with_a_model),
		cmocka_unit_test(decomposed_hangul_counts_where_the_tokenizer_breaks_it),
		cmocka_unit_test(fields_are_counted_with_their_commonest_type),
		cmocka_unit_test(the_report_is_the_same_for_any_number_of_threads),
		cmocka_unit_test(a_lack_of_memory_is_an_error),
		cmocka_unit_test(a_radix_sort_keeps_the_order_of_equals),
		cmocka_unit_test(quantiles_are_exact_beyond_the_bins_too),
		cmocka_unit_test(the_shared_training_file_has_its_known_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include <math.h>

#include "base/rng.h"
#include "data/record.h"

struct fixture {
	struct json_parser *parser;
	struct arena arena;
	struct buf out;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);
	f->parser = json_parser_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	json_parser_free(f->parser);
	arena_release(&f->arena);
	buf_release(&f->out);
	free(f);
	return 0;
}

static struct record parsed(struct fixture *f, struct text line)
{
	struct record r;
	struct err err = ERR_INIT;
	size_t offset;
	assert_ok(record_parse(f->parser, line, 0, &f->arena, &r, &offset, &err), &err);
	return r;
}

static void assert_text(struct text t, const char *want)
{
	if (!text_is(t, want))
		fail_msg("\"%.*s\", expected \"%s\"", TEXT_ARG(t), want);
}

/* The row is refused at the first byte of `at` within line, and the sentence holds `words`. */
static void assert_broken(struct fixture *f, const char *line, const char *at, const char *words)
{
	struct record r = {.n_pos = 77};
	struct err err = ERR_INIT;
	size_t offset = SIZE_MAX;
	if (record_parse(f->parser, text_of(line), 0, &f->arena, &r, &offset, &err))
		fail_msg("%s: taken for a row", line);
	assert_int_equal(err.code, ERR_DATA);
	if (!strstr(err.text, words))
		fail_msg("%s: \"%s\" lacks \"%s\"", line, err.text, words);
	const char *want = strstr(line, at);
	assert_non_null(want);
	if (offset != (size_t)(want - line))
		fail_msg("%s: at byte %zu, expected %zu", line, offset, (size_t)(want - line));
	assert_int_equal(r.n_pos, 77);
}

static void a_row_of_flagembedding_is_read_whole(void **state)
{
	struct record r = parsed(*state,
		TEXT("{\"query\": \"q\", \"pos\": [\"a\", \"b\"], \"neg\": [\"c\"], \"pos_scores\": [1, 2.5],"
		     " \"neg_scores\": [-0.25], \"prompt\": \"p\", \"type\": \"normal\", \"category\": \"x\"}"));
	assert_text(r.query, "q");
	assert_int_equal(r.n_pos, 2);
	assert_text(r.pos[1].text, "b");
	assert_int_equal(r.n_neg, 1);
	assert_text(r.neg[0].text, "c");
	assert_true(r.pos[1].score == 2.5 && r.neg[0].score == -0.25);
	assert_true(isnan(r.neg[0].sim) && r.neg[0].rank == -1 && !r.neg[0].from.s);
	assert_text(r.prompt, "p");
	assert_text(r.type, "normal");
	assert_text(r.category, "x");
	assert_null(r.id.s);
	assert_false(r.pos_was_string || r.neg_was_string || r.pos_scores_bad || r.neg_scores_bad);
}

static void our_lists_stand_with_their_candidates(void **state)
{
	struct record r = parsed(*state,
		TEXT("{\"neg_from\":[null,\"person\"],\"neg_ranks\":[7,null],\"neg_sims\":[0.5,null],"
		     "\"pos_sims\":[0.75],\"scores\":{\"bge\":{\"neg\":[null,2],\"pos\":[3],"
		     "\"form\":\"raw\",\"model\":\"m\"},\"llm\":{\"pos\":[1]}},"
		     "\"query\":\"q\",\"pos\":[\"a\"],\"neg\":[\"c\",\"d\"],\"id\":\"row1\"}"));
	assert_true(r.pos[0].sim == 0.75 && r.neg[0].sim == 0.5 && isnan(r.neg[1].sim));
	assert_true(r.neg[0].rank == 7 && r.neg[1].rank == -1);
	assert_null(r.neg[0].from.s);
	assert_text(r.neg[1].from, "person");
	assert_int_equal(r.n_teachers, 2);
	assert_text(r.teachers[0].name, "bge");
	assert_text(r.teachers[0].form, "raw");
	assert_text(r.teachers[0].model, "m");
	assert_text(r.teachers[1].name, "llm");
	assert_true(r.pos[0].by_teacher[0] == 3 && r.pos[0].by_teacher[1] == 1);
	assert_true(isnan(r.neg[0].by_teacher[0]) && r.neg[1].by_teacher[0] == 2);
	assert_text(r.id, "row1");
	assert_false(r.pos_scores_bad || r.neg_scores_bad);
}

static void a_string_where_a_list_belongs_is_a_list_of_one(void **state)
{
	struct record r = parsed(*state, TEXT("{\"query\":\"q\",\"pos\":\"a\",\"neg\":\"b\"}"));
	assert_true(r.pos_was_string && r.neg_was_string);
	assert_int_equal(r.n_pos, 1);
	assert_text(r.pos[0].text, "a");
	assert_int_equal(r.n_neg, 1);
	assert_text(r.neg[0].text, "b");
}

static void absent_null_and_empty_lists_are_empty(void **state)
{
	static const char *const lines[] = {"{\"query\":\"q\"}",
		"{\"query\":\"q\",\"pos\":null,\"neg\":null,\"pos_scores\":null,\"scores\":null}",
		"{\"query\":\"q\",\"pos\":[],\"neg\":[],\"neg_scores\":[]}"};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct record r = parsed(*state, text_of(lines[i]));
		assert_int_equal(r.n_pos + r.n_neg, 0);
		assert_false(r.pos_was_string || r.pos_scores_bad || r.neg_scores_bad);
	}
}

static void lists_that_do_not_fit_are_ignored_and_flagged(void **state)
{
	static const struct {
		const char *member;
		bool pos, neg;
	} cases[] = {
		{"\"pos_scores\":[1]", true, false},
		{"\"pos_scores\":[]", true, false},
		{"\"pos_scores\":[1,2,3]", true, false},
		{"\"pos_scores\":[1,\"2\"]", true, false},
		{"\"pos_scores\":{\"a\":1,\"b\":2}", true, false},
		{"\"pos_sims\":0.5", true, false},
		{"\"neg_scores\":[1,2]", false, true},
		{"\"neg_sims\":[true]", false, true},
		{"\"neg_ranks\":[1.5]", false, true},
		{"\"neg_ranks\":[-1]", false, true},
		{"\"neg_from\":[1]", false, true},
		{"\"neg_from\":\"x\"", false, true},
		{"\"scores\":{\"t\":{\"pos\":[1]}}", true, false},
		{"\"scores\":{\"t\":{\"neg\":[1,2]}}", false, true},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *line = xasprintf("{\"query\":\"q\",\"pos\":[\"a\",\"b\"],\"neg\":[\"c\"],%s}",
			cases[i].member);
		struct record r = parsed(f, text_of(line));
		if (r.pos_scores_bad != cases[i].pos || r.neg_scores_bad != cases[i].neg)
			fail_msg("%s: pos %d, neg %d", line, r.pos_scores_bad, r.neg_scores_bad);
		for (size_t k = 0; k < 2; k++)
			assert_true(isnan(r.pos[k].score) && isnan(r.pos[k].sim));
		assert_true(isnan(r.neg[0].score) && isnan(r.neg[0].sim) && r.neg[0].rank == -1);
		free(line);
	}
}

static void a_broken_row_says_where_and_what(void **state)
{
	struct fixture *f = *state;
	assert_broken(f, "{\"query\": \"q\" \"pos\": []}", "\"pos\"", "not JSON");
	assert_broken(f, "{\"query\": \"q\", \"pos\": [\"a]}", "\"a]}", "a string is not closed");
	assert_broken(f, "[\"query\"]", "[", "the row is a list, expected an object");
	assert_broken(f, "17", "17", "the row is a number");
	assert_broken(f, "{}", "{", "no query");
	assert_broken(f, "{\"_id\":\"1\",\"text\":\"t\"}", "{", "looks like a passage");
	assert_broken(f, "{\"pos\":[], \"query\": [\"q\"]}", "[\"q\"]", "query is a list");
	assert_broken(f, "{\"query\":null}", "null", "query is null");
	assert_broken(f, "{\"query\":\"q\", \"pos\": {\"a\": 1}}", "{\"a\"", "pos is an object");
	assert_broken(f, "{\"query\":\"q\", \"neg\":7}", "7", "neg is a number");
	assert_broken(f, "{\"query\":\"q\",\"pos\":[\"a\", [\"]\\\"\"] , 5]}", "[\"]",
		"pos[1] is a list, expected a string");
	assert_broken(f, "{\"query\":\"q\",\"x\":{\"pos\":1},\"neg\":[\"a\",null]}", "null]",
		"neg[1] is null");
	assert_broken(
		f, "{\"query\":\"q\",\"pos\":[],\"query\":\"r\"}", "\"r\"", "query stands twice");
}

static void escapes_nul_and_lone_surrogates_become_text(void **state)
{
	struct record r = parsed(*state,
		TEXT("{\"qu\\u0065ry\":\"a\\u0000b\",\"pos\":[\"\\uD55C\\ud83d\\ude00\",\"x\\ud800y\"],"
		     "\"neg\":[\"\\udc00\"]}"));
	assert_int_equal(r.query.len, 3);
	assert_memory_equal(r.query.s, "a\0b", 3);
	assert_text(r.pos[0].text, "\xED\x95\x9C\xF0\x9F\x98\x80");
	assert_text(r.pos[1].text, "x\xEF\xBF\xBDy");
	assert_text(r.neg[0].text, "\xEF\xBF\xBD");
	assert_int_equal(r.n_replaced, 2);
}

static void a_row_cut_anywhere_is_broken_and_never_a_crash(void **state)
{
	struct fixture *f = *state;
	struct text whole = TEXT(
		"{\"query\":\"\xED\x95\x9C\\ud55c\",\"pos\":[\"a\",\"\\\"\"],\"neg\":[],"
		"\"neg_scores\":[],\"x\":{\"y\":[1.5e3,true,null]},\"scores\":{\"t\":{\"pos\":[1,2]}}}");
	parsed(f, whole);
	for (size_t len = 0; len < whole.len; len++) {
		/* A heap copy of exactly this size, so that a byte read behind it is seen. */
		char *cut = xmalloc(len ? len : 1);
		memcpy(cut, whole.s, len);
		struct record r;
		struct err err = ERR_INIT;
		size_t offset = SIZE_MAX;
		assert_false(record_parse(
			f->parser, (struct text){cut, len}, 0, &f->arena, &r, &offset, &err));
		assert_true(offset <= len);
		assert_true(err.text[0] != '\0');
		free(cut);
	}
}

static void the_id_forgets_order_and_negatives(void **state)
{
	struct fixture *f = *state;
	struct record a =
		parsed(f, TEXT("{\"query\":\"q\",\"pos\":[\"b\",\"a\"],\"neg\":[\"n\"]}"));
	struct record b =
		parsed(f, TEXT("{\"neg\":[],\"pos\":[\"a\",\"b\"],\"query\":\"q\",\"x\":1}"));
	struct hash128 x = record_id(&a), y = record_id(&b);
	assert_true(x.lo == y.lo && x.hi == y.hi);
	static const char *const others[] = {"{\"query\":\"q\",\"pos\":[\"a\"]}",
		"{\"query\":\"q\",\"pos\":[\"ab\"]}", "{\"query\":\"r\",\"pos\":[\"a\",\"b\"]}",
		"{\"query\":\"q\",\"pos\":[\"a\",\"b\"],\"prompt\":\"p\"}",
		"{\"query\":\"q\",\"pos\":[]}"};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct record r = parsed(f, text_of(others[i]));
		struct hash128 z = record_id(&r);
		assert_false(z.lo == x.lo && z.hi == x.hi);
	}
}

static void assert_written(struct fixture *f, const struct record *r, const char *want)
{
	buf_clear(&f->out);
	record_write(r, f->parser, &f->out);
	assert_true(buf_ok(&f->out));
	assert_string_equal(f->out.data, want);
}

static void a_row_from_no_file_is_written_in_the_usual_order(void **state)
{
	struct fixture *f = *state;
	struct candidate pos = candidate_of(TEXT("\xED\x95\x9C\"\n")),
			 neg = candidate_of(TEXT("n"));
	neg.sim = 0.5;
	neg.rank = 3;
	neg.from = TEXT("run");
	struct record r = {.query = TEXT("q"), .pos = &pos, .n_pos = 1};
	assert_written(f, &r, "{\"query\":\"q\",\"pos\":[\"\xED\x95\x9C\\\"\\n\"],\"neg\":[]}");
	r.neg = &neg;
	r.n_neg = 1;
	r.prompt = TEXT("p");
	assert_written(f, &r,
		"{\"query\":\"q\",\"pos\":[\"\xED\x95\x9C\\\"\\n\"],\"neg\":[\"n\"],"
		"\"neg_sims\":[0.5],\"neg_ranks\":[3],\"neg_from\":[\"run\"],\"prompt\":\"p\"}");
}

static void fields_that_are_not_ours_stay_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct record r = parsed(f,
		TEXT("{ \"a\\u0062\" : {\"x\" :  [1.00, \"\\ud55c\\/\"]} , \"query\":\"q\",\"pos\":[\"p\"], "
		     "\"id\": 17, \"n\":1e5,\"n\":2,\"prompt\":null,\"neg\":[\"old\"],\"neg_scores\":[9],"
		     "\"scores\":{\"t\":{\"pos\":[1],\"neg\":[2],\"note\": [ 1 ]},\"v\": 2.0}, \"z\":\"\\\\\"}"));
	struct candidate neg = candidate_of(TEXT("new"));
	r.neg = &neg;
	assert_written(f, &r,
		"{\"a\\u0062\":{\"x\" :  [1.00, \"\\ud55c\\/\"]},\"query\":\"q\",\"pos\":[\"p\"],\"id\":17,"
		"\"n\":1e5,\"n\":2,\"prompt\":null,\"neg\":[\"new\"],"
		"\"scores\":{\"t\":{\"pos\":[1],\"note\":[ 1 ]},\"v\":2.0},\"z\":\"\\\\\"}");
}

static void a_teacher_is_added_beside_the_old_ones(void **state)
{
	struct fixture *f = *state;
	struct record r = parsed(f,
		TEXT("{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"m\",\"n\"],"
		     "\"scores\":{\"old\":{\"pos\":[1],\"neg\":[2,3]}}}"));
	size_t t = record_teacher(&r, TEXT("new"), &f->arena);
	assert_int_equal(t, 1);
	assert_int_equal(record_teacher(&r, TEXT("old"), &f->arena), 0);
	r.teachers[t].form = TEXT("raw");
	record_set_score(&r, &r.pos[0], t, 4, &f->arena);
	record_set_score(&r, &r.neg[1], t, -5, &f->arena);
	assert_written(f, &r,
		"{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"m\",\"n\"],"
		"\"scores\":{\"old\":{\"pos\":[1],\"neg\":[2,3]},"
		"\"new\":{\"pos\":[4],\"neg\":[null,-5],\"form\":\"raw\"}}}");
	struct candidate kept = r.neg[1]; /* the scores travel with the text */
	r.neg = &kept;
	r.n_neg = 1;
	assert_written(f, &r,
		"{\"query\":\"q\",\"pos\":[\"p\"],\"neg\":[\"n\"],"
		"\"scores\":{\"old\":{\"pos\":[1],\"neg\":[3]},"
		"\"new\":{\"pos\":[4],\"neg\":[-5],\"form\":\"raw\"}}}");
}

static void scores_of_another_shape_are_the_users_own(void **state)
{
	struct fixture *f = *state;
	struct record r = parsed(f, TEXT("{\"query\":\"q\",\"pos\":[\"p\"],\"scores\":[ 1,2 ]}"));
	assert_written(f, &r, "{\"query\":\"q\",\"pos\":[\"p\"],\"scores\":[ 1,2 ]}");
	size_t t = record_teacher(&r, TEXT("t"), &f->arena);
	record_set_score(&r, &r.pos[0], t, 1, &f->arena);
	assert_written(f, &r, "{\"query\":\"q\",\"pos\":[\"p\"],\"scores\":{\"t\":{\"pos\":[1]}}}");
}

/* A random row is built as text beside a model of what must come out: our fields from the struct,
 * all others as they stood, in their order. */
struct model {
	struct buf line, want;
};

static const char *const foreign[] = {"1.0", "-0", "1e+05", "[ 1 , 2 ]", "{\"pos\" : [\"]\"]}",
	"true", "null", "\"\\u00e9\\\\\\\"}\"", "\"\xEA\xB0\x80, \\n{\"", "{}", "[[],[{}]]",
	"12345678901234567890"};

static void add_member(struct model *m, const char *key, const char *value, bool stays)
{
	static const char *const spaces[] = {"", " ", "\t", "  "};
	buf_addf(&m->line, "%s%s%s :%s%s", m->line.len > 1 ? "," : "", spaces[m->line.len % 4], key,
		spaces[m->line.len % 3], value);
	if (stays)
		buf_addf(&m->want, "%s%s:%s", m->want.len > 1 ? "," : "", key, value);
}

static void add_foreign(struct model *m, struct rng *rng)
{
	char key[40];
	snprintf(key, sizeof key, rng_below(rng, 4) ? "\"f%d\"" : "\"\\u0066\\\"%d\"",
		(int)rng_below(rng, 5));
	add_member(m, key, foreign[rng_below(rng, ARRAY_LEN(foreign))], true);
}

static void any_row_keeps_what_is_not_ours(void **state)
{
	struct fixture *f = *state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		struct rng rng = rng_new(seed, 0);
		struct model m = {BUF_INIT, BUF_INIT};
		buf_addch(&m.line, '{');
		buf_addch(&m.want, '{');
		static const struct {
			const char *key, *value;
			bool stays;
		} ours[] = {
			{"\"query\"", "\"q\"", true},
			{"\"pos\"", "[\"a\",\"b\"]", true},
			{"\"neg\"", "[\"c\"]", true},
			{"\"pos_scores\"", "[1,-2.5]", true},
			{"\"neg_scores\"", "[1,2]", false}, /* misaligned: dropped */
			{"\"neg_ranks\"", "[3]", true},
			{"\"neg_from\"", "[null]", false}, /* says nothing */
			{"\"prompt\"", "\"p\"", true},
			{"\"type\"", "7", true}, /* no type of ours: the user's */
			{"\"scores\"", "{\"t\":{\"pos\":[0.1,null],\"by\":[ ]}}", true},
		};
		int64_t order[ARRAY_LEN(ours)];
		for (size_t i = 0; i < ARRAY_LEN(ours); i++)
			order[i] = (int64_t)i;
		rng_shuffle(&rng, order, ARRAY_LEN(ours));
		for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
			while (rng_below(&rng, 3) == 0)
				add_foreign(&m, &rng);
			if (order[i] < 3 || rng_below(&rng, 2))
				add_member(&m, ours[order[i]].key, ours[order[i]].value,
					ours[order[i]].stays);
		}
		buf_addch(&m.line, '}');
		buf_addch(&m.want, '}');
		struct record r = parsed(f, buf_text(&m.line));
		buf_clear(&f->out);
		record_write(&r, f->parser, &f->out);
		if (strcmp(f->out.data, m.want.data) != 0)
			fail_msg("seed %d\n%s\n%s\n%s", (int)seed, m.line.data, f->out.data,
				m.want.data);
		buf_release(&m.line);
		buf_release(&m.want);
	}
}

static bool equal_sides(
	const struct candidate *a, size_t n_a, const struct candidate *b, size_t n_b)
{
	bool same = n_a == n_b;
	for (size_t i = 0; same && i < n_a; i++)
		same = text_equal(a[i].text, b[i].text) &&
			(a[i].score == b[i].score || (isnan(a[i].score) && isnan(b[i].score)));
	return same;
}

/* Bytes of a good row changed, dropped, doubled: it is refused with a place, or it is a row that
 * comes back from its own writing. */
static void any_damaged_row_is_refused_or_comes_back(void **state)
{
	struct fixture *f = *state;
	static const char good[] =
		"{\"query\":\"\xED\x95\x9C\\ud55c\",\"pos\":[\"a\",\"b\"],\"neg\":[\"c\"],"
		"\"pos_scores\":[1,2e1],\"neg_scores\":[null],\"scores\":{\"t\":{\"pos\":[1,2]}},"
		"\"id\":\"x\",\"z\":[{\"y\":false}]}";
	static const char likely[] = "\"{}[]:,\\ \n0-\x80\xFF\0nullpos";
	size_t n_read = 0, n_refused = 0;
	for (uint64_t seed = 0; seed < 20000; seed++) {
		struct rng rng = rng_new(seed, 1);
		char line[2 * sizeof good];
		size_t len = sizeof good - 1;
		memcpy(line, good, len);
		for (uint64_t k = rng_below(&rng, 3) + 1; k > 0; k--) {
			size_t at = rng_below(&rng, len), n = rng_below(&rng, 6);
			n = n < len - at ? n : len - at;
			switch (rng_below(&rng, 3)) {
			case 0:
				line[at] = likely[rng_below(&rng, sizeof likely - 1)];
				break;
			case 1:
				memmove(line + at, line + at + n, len - at - n);
				len -= n;
				break;
			default:
				memmove(line + at + n, line + at, len - at);
				len += n;
				break;
			}
		}
		struct record r, again;
		struct err err = ERR_INIT;
		size_t offset = SIZE_MAX;
		if (!record_parse(
			    f->parser, (struct text){line, len}, 0, &f->arena, &r, &offset, &err)) {
			assert_true(offset <= len && err.text[0]);
			n_refused++;
			continue;
		}
		n_read++;
		buf_clear(&f->out);
		record_write(&r, f->parser, &f->out);
		again = parsed(f, buf_text(&f->out));
		assert_true(text_equal(r.query, again.query));
		assert_true(equal_sides(r.pos, r.n_pos, again.pos, again.n_pos));
		assert_true(equal_sides(r.neg, r.n_neg, again.neg, again.n_neg));
		assert_true(text_equal(r.id, again.id));
		assert_false(again.pos_scores_bad || again.neg_scores_bad);
	}
	assert_true(n_read > 1000 && n_refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_row_of_flagembedding_is_read_whole),
		T(our_lists_stand_with_their_candidates),
		T(a_string_where_a_list_belongs_is_a_list_of_one),
		T(absent_null_and_empty_lists_are_empty),
		T(lists_that_do_not_fit_are_ignored_and_flagged),
		T(a_broken_row_says_where_and_what),
		T(escapes_nul_and_lone_surrogates_become_text),
		T(a_row_cut_anywhere_is_broken_and_never_a_crash),
		T(the_id_forgets_order_and_negatives),
		T(a_row_from_no_file_is_written_in_the_usual_order),
		T(fields_that_are_not_ours_stay_byte_for_byte),
		T(a_teacher_is_added_beside_the_old_ones),
		T(scores_of_another_shape_are_the_users_own),
		T(any_row_keeps_what_is_not_ours),
		T(any_damaged_row_is_refused_or_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

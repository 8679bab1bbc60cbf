#include "support.h"

#include <math.h>

#include "base/buf.h"
#include "base/log.h"
#include "train/draw.h"
#include "train/rows.h"

static struct dataset *open_text(const char *text)
{
	static char path[512];
	static int at;
	struct err err = ERR_INIT;
	const char *paths[] = {path};
	snprintf(path, sizeof path, "%s/rows-%d.jsonl", test_scratch(), at++);
	test_write(path, text);
	struct dataset *d = dataset_open(paths, 1, &(struct dataset_options){0}, &err);
	assert_ok(d, &err);
	return d;
}

/* n rows whose query is q0, q1 ..., positive p0 ..., negatives n0.0 ... n0.(k-1). */
static struct dataset *many(int n, int k)
{
	struct buf b = BUF_INIT;
	for (int i = 0; i < n; i++) {
		buf_addf(&b, "{\"query\":\"q%d\",\"pos\":[\"p%d\",\"o%d\"],\"neg\":[", i, i, i);
		for (int j = 0; j < k; j++)
			buf_addf(&b, "%s\"n%d.%d\"", j ? "," : "", i, j);
		buf_adds(&b, "]}\n");
	}
	struct dataset *d = open_text(b.data);
	buf_release(&b);
	return d;
}

static const char messy[] =
	"{\"query\":\"a\",\"pos\":[\"p\"],\"neg\":[\"n\"],\"pos_scores\":[3],\"neg_scores\":[1]}\n"
	"{\"query\":\"b\",\"pos\":\"one string\",\"neg\":[\"n\"]}\n"
	"{\"query\":\"c\",\"pos\":[\"p\"],\"neg\":[]}\n"
	"{\"query\":\"d\",\"pos\":[],\"neg\":[\"n\"]}\n"
	"{\"query\":\"e\",\"pos\":[\"p\"\n"
	"{\"query\":\" \\t\",\"pos\":[\"p\"],\"neg\":[\"n\"]}\n"
	"{\"query\":\"f\",\"pos\":[\" \",\"q\"],\"neg\":[\"n\",\"\"],\"neg_scores\":[1]}\n";

static char *logged(struct dataset *d, const struct rows_options *opt, struct rows *r, bool *ok,
	struct err *err)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	log_to(f, LOG_LEVEL_INFO);
	*ok = rows_open(d, opt, r, err);
	log_to(NULL, LOG_LEVEL_INFO);
	fclose(f);
	return text;
}

static void every_bad_row_costs_one_line(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct dataset *d = open_text(messy);
	struct rows r;
	bool ok;
	const struct rows_options opt = {.threads = 2, .wants_negatives = true};
	char *said = logged(d, &opt, &r, &ok, &err);
	assert_ok(ok, &err);
	assert_int_equal(r.n, 4); /* a, b, c, f */
	assert_int_equal(r.n_broken, 1);
	assert_int_equal(r.n_blank_query, 1);
	assert_int_equal(r.n_no_pos, 1);
	assert_int_equal(r.n_no_neg, 1);
	assert_int_equal(r.n_strings, 1);
	assert_int_equal(r.n_bad_scores, 1);
	int lines = 0;
	for (const char *p = said; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 6);
	for (int line = 2; line <= 7; line++) {
		char place[32];
		snprintf(place, sizeof place, "jsonl:%d:", line);
		assert_non_null(strstr(said, place));
	}
	free(said);
	rows_close(&r);
	dataset_close(d);
}

static void strict_ends_at_a_broken_row(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct dataset *d = open_text(messy);
	struct rows r;
	assert_false(rows_open(d, &(struct rows_options){.threads = 1, .strict = true}, &r, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_non_null(strstr(err.text, ".jsonl:5:"));
	dataset_close(d);
}

static void data_without_a_usable_row_are_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct dataset *d = open_text("{\"query\":\"d\",\"pos\":[],\"neg\":[\"n\"]}\n");
	struct rows r;
	assert_false(rows_open(d, &(struct rows_options){.threads = 1}, &r, &err));
	assert_int_equal(err.code, ERR_DATA);
	dataset_close(d);
}

static void an_epoch_visits_every_row_once_in_an_order_of_its_own(void **state)
{
	(void)state;
	enum { N = 300 };
	struct err err = ERR_INIT;
	struct dataset *d = many(N, 0);
	struct rows r;
	int64_t first[N], again[N], second[N], other[N];
	assert_ok(rows_open(d, &(struct rows_options){.threads = 1}, &r, &err), &err);
	rows_order(&r, 7, 0, true, first);
	rows_order(&r, 7, 0, true, again);
	rows_order(&r, 7, 1, true, second);
	rows_order(&r, 8, 0, true, other);
	assert_memory_equal(first, again, sizeof first);
	assert_memory_not_equal(first, second, sizeof first);
	assert_memory_not_equal(first, other, sizeof first);
	bool seen[N] = {false};
	for (int i = 0; i < N; i++) {
		assert_false(seen[second[i]]);
		seen[second[i]] = true;
	}
	rows_order(&r, 7, 3, false, first);
	for (int i = 0; i < N; i++)
		assert_int_equal(first[i], i);
	rows_close(&r);
	dataset_close(d);
}

static void content_changes_with_texts_and_scores_alone(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{\"query\":\"a\",\"pos\":[\"p\"],\"neg\":[\"n\"],\"neg_scores\":[1]}\n",
		"{\"query\":\"a\",\"pos\":[\"p\"],\"neg\":[\"n\"],\"neg_scores\":[1]}\n",
		"{\"query\":\"a\",\"pos\":[\"p\"],\"neg\":[\"n\"],\"neg_scores\":[2]}\n",
		"{\"query\":\"a\",\"pos\":[\"p\"],\"neg\":[\"m\"],\"neg_scores\":[1]}\n",
	};
	struct hash128 h[ARRAY_LEN(texts)];
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = ERR_INIT;
		struct dataset *d = open_text(texts[i]);
		struct rows r;
		assert_ok(rows_open(d, &(struct rows_options){.threads = 1}, &r, &err), &err);
		h[i] = r.content;
		rows_close(&r);
		dataset_close(d);
	}
	assert_memory_equal(&h[0], &h[1], sizeof h[0]);
	assert_memory_not_equal(&h[0], &h[2], sizeof h[0]);
	assert_memory_not_equal(&h[0], &h[3], sizeof h[0]);
}

/* ---- Draws ---- */

struct drawing {
	struct dataset *d;
	struct rows rows;
	struct drawer *drawer;
	struct arena arena;
};

static void begin(struct drawing *g, struct dataset *d, const struct draw_options *opt)
{
	struct err err = ERR_INIT;
	*g = (struct drawing){.d = d};
	assert_ok(rows_open(d, &(struct rows_options){.threads = 1}, &g->rows, &err), &err);
	g->drawer = drawer_new(&g->rows, opt);
}

static struct drawn draw(struct drawing *g, int64_t epoch, int64_t row)
{
	struct err err = ERR_INIT;
	struct drawn out;
	assert_ok(drawer_draw(g->drawer, epoch, row, &g->arena, &out, &err), &err);
	return out;
}

static void end(struct drawing *g)
{
	drawer_free(g->drawer);
	rows_close(&g->rows);
	dataset_close(g->d);
	arena_release(&g->arena);
}

static void without_shuffling_the_first_ones_are_taken(void **state)
{
	(void)state;
	struct drawing g;
	begin(&g, many(3, 5), &(struct draw_options){.group_size = 4});
	struct drawn x = draw(&g, 2, 1);
	assert_int_equal(x.n, 4);
	assert_true(text_is(x.passage[0], "p1"));
	assert_true(text_is(x.passage[1], "n1.0"));
	assert_true(text_is(x.passage[3], "n1.2"));
	end(&g);
}

static void draws_follow_seed_epoch_and_row_alone(void **state)
{
	(void)state;
	struct draw_options opt = {.group_size = 4, .shuffle = true, .seed = 3};
	struct drawing g;
	begin(&g, many(40, 9), &opt);
	bool pos[2] = {false, false}, differs = false;
	for (int64_t epoch = 0; epoch < 20; epoch++) {
		struct drawn x = draw(&g, epoch, 5), y = draw(&g, epoch, 5), z = draw(&g, 0, 5);
		assert_int_equal(x.n, 4);
		for (size_t i = 0; i < x.n; i++) {
			assert_true(text_equal(x.passage[i], y.passage[i]));
			differs = differs || !text_equal(x.passage[i], z.passage[i]);
			for (size_t j = 0; j < i; j++)
				assert_false(text_equal(x.passage[i], x.passage[j]));
		}
		pos[x.passage[0].s[0] == 'o'] = true;
	}
	assert_true(pos[0] && pos[1] && differs);
	end(&g);
}

static void a_short_row_is_filled_as_asked(void **state)
{
	(void)state;
	struct draw_options opt = {.group_size = 6, .shuffle = true};
	struct drawing g;
	begin(&g, many(12, 2), &opt);
	assert_int_equal(draw(&g, 0, 3).n, 3);
	end(&g);

	opt.fill = FILL_REPEAT;
	begin(&g, many(12, 2), &opt);
	struct drawn x = draw(&g, 0, 3);
	assert_int_equal(x.n, 6);
	int times[2] = {0, 0};
	for (size_t i = 1; i < x.n; i++)
		times[text_is(x.passage[i], "n3.1")]++;
	assert_int_equal(times[0] + times[1], 5);
	assert_true(times[0] >= 2 && times[1] >= 2);
	end(&g);

	opt.fill = FILL_RANDOM;
	begin(&g, many(12, 2), &opt);
	x = draw(&g, 0, 3);
	assert_int_equal(x.n, 6);
	for (size_t i = 3; i < x.n; i++) {
		assert_true(x.passage[i].s[0] == 'p' || x.passage[i].s[0] == 'o');
		assert_false(text_is(x.passage[i], "p3") || text_is(x.passage[i], "o3"));
		assert_true(isnan(x.score[i]));
	}
	end(&g);
}

static void scores_stay_with_their_texts(void **state)
{
	(void)state;
	static const char rows[] =
		"{\"query\":\"a\",\"pos\":[\"7\"],\"neg\":[\"1\",\"\",\"3\",\"4\"],\"pos_scores\":"
		"[7],\"neg_scores\":[1,2,3,4],\"scores\":{\"big\":{\"pos\":[70],\"neg\":[10,20,30,"
		"40]},\"odd\":{\"pos\":[70],\"neg\":[10]}}}\n";
	struct draw_options opt = {.group_size = 3, .shuffle = true, .wants_scores = true};
	struct drawing g;
	begin(&g, open_text(rows), &opt);
	for (int64_t epoch = 0; epoch < 10; epoch++) {
		struct drawn x = draw(&g, epoch, 0);
		assert_int_equal(x.n, 3);
		for (size_t i = 0; i < x.n; i++)
			assert_true(x.score[i] == (float)(x.passage[i].s[0] - '0'));
	}
	end(&g);

	opt.teacher = "big";
	begin(&g, open_text(rows), &opt);
	struct drawn x = draw(&g, 0, 0);
	for (size_t i = 0; i < x.n; i++)
		assert_true(x.score[i] == 10.0F * (float)(x.passage[i].s[0] - '0'));
	end(&g);

	opt.teacher = "odd"; /* fewer scores than texts: nobody knows whose they are */
	begin(&g, open_text(rows), &opt);
	x = draw(&g, 0, 0);
	assert_true(x.score[0] == 70.0F && isnan(x.score[1]));
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_row_costs_one_line),
		cmocka_unit_test(strict_ends_at_a_broken_row),
		cmocka_unit_test(data_without_a_usable_row_are_refused),
		cmocka_unit_test(an_epoch_visits_every_row_once_in_an_order_of_its_own),
		cmocka_unit_test(content_changes_with_texts_and_scores_alone),
		cmocka_unit_test(without_shuffling_the_first_ones_are_taken),
		cmocka_unit_test(draws_follow_seed_epoch_and_row_alone),
		cmocka_unit_test(a_short_row_is_filled_as_asked),
		cmocka_unit_test(scores_stay_with_their_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

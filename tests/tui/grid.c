/* The grid against a model that knows only columns. */
#include "support.h"

#include "base/rng.h"
#include "base/utf8.h"
#include "tui/grid.h"

static struct grid grid_of(int rows, int cols)
{
	struct grid g;
	grid_init(&g, rows, cols, false);
	return g;
}

static struct rect all(const struct grid *g)
{
	return (struct rect){0, 0, g->rows, g->cols};
}

static void assert_dump(const struct grid *g, const char *expected)
{
	struct buf out = BUF_INIT;
	grid_dump(g, &out);
	assert_string_equal(out.data, expected);
	buf_release(&out);
}

static void a_wide_character_that_does_not_fit_leaves_a_space(void **state)
{
	(void)state;
	struct grid g = grid_of(1, 5);
	assert_int_equal(grid_put(&g, all(&g), 0, 0, STYLE_PLAIN, "가나다"), 5);
	assert_dump(&g, "가나\n");
	grid_release(&g);
}

static void overwriting_half_of_a_wide_character_blanks_the_other(void **state)
{
	(void)state;
	struct grid g = grid_of(1, 6);
	grid_put(&g, all(&g), 0, 0, STYLE_PLAIN, "가나다");
	grid_put(&g, all(&g), 0, 1, STYLE_PLAIN, "x");
	assert_dump(&g, " x나다\n");
	grid_put(&g, all(&g), 0, 4, STYLE_PLAIN, "y");
	assert_dump(&g, " x나y\n");
	grid_put(&g, all(&g), 0, 1, STYLE_PLAIN, "라");
	assert_dump(&g, " 라 y\n");
	grid_release(&g);
}

static void decomposed_korean_is_shown_composed(void **state)
{
	(void)state;
	struct grid g = grid_of(1, 8);
	assert_int_equal(grid_put(&g, all(&g), 0, 0, STYLE_PLAIN,
				 "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab" /* 한, as three jamo */),
		2);
	assert_dump(&g, "한\n");
	grid_release(&g);
}

static void what_steers_a_terminal_never_gets_into_a_cell(void **state)
{
	(void)state;
	struct grid g = grid_of(2, 60);
	static const char evil[] = "a\x1b[31mb\x9b"
				   "2Jc\x07\x08\x7f\r\n\xe2\x80\xae"
				   "d\xc2\x9b"
				   "e\0f";
	grid_text(&g, all(&g), 0, 0, STYLE_PLAIN, (struct text){evil, sizeof evil - 1});
	for (int i = 0; i < g.rows * g.cols; i++)
		for (const char *s = g.cells[i].text; *s; s++)
			assert_true((unsigned char)*s >= 0x20 && *s != 0x7f);
	grid_release(&g);
}

static void an_ascii_grid_shows_a_question_mark_of_the_same_width(void **state)
{
	(void)state;
	struct grid g;
	grid_init(&g, 1, 10, true);
	assert_int_equal(grid_put(&g, all(&g), 0, 0, STYLE_PLAIN, "a한b글"), 6);
	assert_dump(&g, "a? b?\n");
	grid_release(&g);
}

static void a_field_is_exactly_as_wide_as_it_was_asked(void **state)
{
	(void)state;
	struct grid g = grid_of(1, 12);
	grid_put(&g, all(&g), 0, 0, STYLE_PLAIN, "############");
	grid_field(&g, all(&g), 0, 2, 5, STYLE_PLAIN, false, TEXT("가나다라"));
	assert_dump(&g, "##가나 #####\n");
	grid_field(&g, all(&g), 0, 2, 6, STYLE_PLAIN, true, TEXT("12"));
	assert_dump(&g, "##    12####\n");
	grid_release(&g);
}

/* Every cell is a whole cluster, or the second half of the wide one before it. */
static void assert_sane(const struct grid *g)
{
	for (int row = 0; row < g->rows; row++)
		for (int col = 0; col < g->cols;) {
			const char *s = grid_at(g, row, col)->text;
			size_t width = utf8_width(text_of(s));
			assert_true(s[0] != '\0' && strlen(s) < CELL_BYTES);
			assert_in_range(width, 1, 2);
			if (width == 2)
				assert_string_equal(grid_at(g, row, col + 1)->text, "");
			col += (int)width;
		}
}

static void random_texts_at_random_places_leave_whole_cells(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a", " ", "한", "글", "e\xcc\x81",
		"👩‍👩‍👧", "ㅎ", "\t", "\xff", "日本", "\xe1\x84\x92\xe1\x85\xa1", "🇰🇷",
		"\x1b[2J", "⌚", "❤️",
		"x\xcc\x80\xcc\x81\xcc\x82\xcc\x83"
		"\xcc\x84\xcc\x85\xcc\x86\xcc\x87\xcc\x88\xcc\x89\xcc\x8a\xcc\x8b"};
	struct rng rng = rng_new(7, 0);
	struct grid g = grid_of(9, 31);
	for (int i = 0; i < 4000; i++) {
		char text[400] = "";
		for (uint64_t n = rng_below(&rng, 12); n > 0; n--)
			strcat(text, pieces[rng_below(&rng, ARRAY_LEN(pieces))]);
		struct rect r = {(int)rng_below(&rng, 10) - 1, (int)rng_below(&rng, 32) - 1,
			(int)rng_below(&rng, 10), (int)rng_below(&rng, 33)};
		int used = grid_put(&g, r, (int)rng_below(&rng, 9), (int)rng_below(&rng, 20),
			STYLE_PLAIN, text);
		assert_in_range(used, 0, 33);
		if (i % 7 == 0)
			grid_fill(&g, r, STYLE_DIM);
		if (i % 11 == 0)
			grid_frame(&g, r, "제목", i % 2);
		assert_sane(&g);
	}
	grid_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wide_character_that_does_not_fit_leaves_a_space),
		cmocka_unit_test(overwriting_half_of_a_wide_character_blanks_the_other),
		cmocka_unit_test(decomposed_korean_is_shown_composed),
		cmocka_unit_test(what_steers_a_terminal_never_gets_into_a_cell),
		cmocka_unit_test(an_ascii_grid_shows_a_question_mark_of_the_same_width),
		cmocka_unit_test(a_field_is_exactly_as_wide_as_it_was_asked),
		cmocka_unit_test(random_texts_at_random_places_leave_whole_cells),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The hand-written scanners cut where Oniguruma finds matches of their patterns, on random strings. */
#include "support.h"

#include "base/buf.h"
#include "base/rng.h"
#include "text/chars.h"
#include "text/regex.h"
#include "text/scan.h"

/* Every class that a pattern asks for, and what stands at its edges. */
static const uint32_t pool[] = {'a', 'b', 's', 'S', 't', 'T', 'm', 'd', 'r', 'e', 'v', 'l', 'L',
	'Z', '\'', '\'', '0', '1', '9', ' ', ' ', ' ', '\n', '\r', '\t', '/', '!', '.', '-', '_',
	'`', '~', '$', '+', 0x00, 0x1F, 0x7F, 0x85, 0xA0, 0xAB, 0xB2, 0xBD, 0xC9, 0xE9, 0x17F,
	0x1C5, 0x2B0, 0x300, 0x301, 0x345, 0x391, 0x3C9, 0x661, 0x5D0, 0x93F, 0xE01, 0xE31, 0x1100,
	0x1161, 0x11A8, 0x1680, 0x180E, 0x2003, 0x200B, 0x200D, 0x2028, 0x203F, 0x20AC, 0x20D0,
	0x2160, 0x2167, 0x212A, 0x3000, 0x3001, 0x303F, 0x3040, 0x3041, 0x309F, 0x30A0, 0x30FF,
	0x3100, 0x3131, 0x4DFF, 0x4E00, 0x9FA5, 0x9FA6, 0xAC00, 0xE000, 0xFB01, 0xFE0F, 0xFF11,
	0xFF21, 0xFFFD, 0x10400, 0x10428, 0x1D165, 0x1D7CE, 0x1F468, 0x20000, 0xE0001};

struct ends {
	size_t end[400];
	size_t n, last;
};

static void add_end(struct ends *e, size_t end)
{
	if (end == e->last)
		return;
	e->end[e->n++] = e->last = end;
}

/* A match, and the gap in front of it. */
static void add_match(void *ctx, size_t begin, size_t end)
{
	add_end(ctx, begin);
	add_end(ctx, end);
}

static void random_text(struct rng *r, struct buf *out)
{
	size_t n = 1 + rng_below(r, 30), kinds = 1 + rng_below(r, 8);
	uint32_t some[8];
	for (size_t i = 0; i < kinds; i++)
		some[i] = pool[rng_below(r, ARRAY_LEN(pool))];
	buf_clear(out);
	for (size_t i = 0; i < n; i++) {
		uint32_t c = rng_below(r, 3) ? some[rng_below(r, kinds)]
					     : pool[rng_below(r, ARRAY_LEN(pool))];
		chars_encode(&c, 1, out);
	}
}

static void check(
	const struct uclass *u, const struct regex *re, scan_fn scan, struct text t, size_t which)
{
	struct ends want = {.n = 0}, got = {.n = 0};
	regex_each(re, t, add_match, &want);
	add_end(&want, t.len);
	for (size_t i = 0; i < t.len; add_end(&got, i)) {
		size_t end = scan(u, t, i);
		assert_true(end > i && end <= t.len);
		i = end;
	}
	bool same = want.n == got.n;
	for (size_t i = 0; same && i < want.n; i++)
		same = want.end[i] == got.end[i];
	if (same)
		return;
	for (size_t i = 0; i < t.len; i++)
		print_message("%02X ", (unsigned char)t.s[i]);
	fail_msg("pattern %zu: %zu pieces, Oniguruma has %zu", which, got.n, want.n);
}

static void scanners_cut_where_oniguruma_does(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct uclass u;
	struct buf text = BUF_INIT;
	struct text pattern;
	scan_fn scan;
	size_t n = 0;
	uclass_init(&u);
	for (; scan_known(n, &pattern, &scan); n++) {
		struct rng r = rng_new(n + 1, 0);
		struct regex *re = regex_new(pattern, &err);
		assert_ok(re != NULL, &err);
		for (int i = 0; i < 4000; i++) {
			random_text(&r, &text);
			check(&u, re, scan, buf_text(&text), n);
		}
		regex_free(re);
	}
	assert_true(n >= 8);
	buf_release(&text);
	uclass_release(&u);
}

static void a_pattern_that_is_none_is_refused_with_its_fault(void **state)
{
	(void)state;
	static const char *const bad[] = {"(", "[a", "*", "\\p{Nonsense}", "a\\"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;
		struct regex *re = regex_new(text_of(bad[i]), &err);
		if (re)
			fail_msg("%s is taken", bad[i]);
		assert_non_null(strstr(err.text, bad[i]));
		assert_int_equal(err.code, ERR_DATA);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scanners_cut_where_oniguruma_does),
		cmocka_unit_test(a_pattern_that_is_none_is_refused_with_its_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

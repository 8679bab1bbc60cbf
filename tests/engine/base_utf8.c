#include "support.h"

#include "base/rng.h"
#include "base/utf8.h"

static void code_points_survive_encoding_and_decoding(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp <= 0x10FFFF; cp += cp < 0x3000 ? 1 : 37) {
		if (cp >= 0xD800 && cp <= 0xDFFF)
			continue;
		char s[4];
		size_t n = utf8_encode(cp, s), len;
		assert_int_equal(utf8_decode(s, n, &len), cp);
		assert_int_equal(len, n);
		if (n > 1) {
			assert_int_equal(utf8_decode(s, n - 1, &len), UTF8_BAD);
			assert_int_equal(len, 1);
		}
	}
}

static void what_is_not_utf8_is_found_at_its_byte(void **state)
{
	(void)state;
	static const struct {
		const char *s;
		size_t at;
	} bad[] = {{"ab\xff", 2}, {"\xC0\xAF", 0}, {"\xED\xA0\x80", 0}, {"한\xED\x95", 3},
		{"\xF4\x90\x80\x80", 0}, {"ok", 2}};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(utf8_check(bad[i].s, strlen(bad[i].s)), bad[i].at);
}

static void widths_are_those_of_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(utf8_width(TEXT("abc")), 3);
	assert_int_equal(utf8_width(TEXT("한국어")), 6);
	assert_int_equal(utf8_width(TEXT("e\xCC\x81")), 1); /* combining accent */
	assert_int_equal(utf8_width(TEXT("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB")),
		2); /* 한 as conjoining jamo */
	assert_int_equal(utf8_width(TEXT("👩‍👩‍👧")), 2);
}

static void a_cut_never_splits_a_wide_character(void **state)
{
	(void)state;
	struct text t = TEXT("가나다");
	for (size_t columns = 0; columns <= 7; columns++)
		assert_int_equal(utf8_cut(t, columns), columns >= 6 ? 9 : columns / 2 * 3);
}

static void nothing_that_steers_a_terminal_passes_the_sanitiser(void **state)
{
	(void)state;
	static const struct text hostile[] = {
		TEXT_INIT("\033]0;title\007"),
		TEXT_INIT("\033]52;c;ZWNobw==\007"),
		TEXT_INIT("\033[2J\033[H"),
		TEXT_INIT("\xC2\x9B"
			  "31m"),
		TEXT_INIT("\033P+q544e\033\\"),
		TEXT_INIT("\033[6n"),
		TEXT_INIT("\xE2\x80\xAE"
			  "gpj.exe"),
		TEXT_INIT("\x9b"
			  "31m raw"),
		TEXT_INIT("a\rb\bc\x7f"),
		TEXT_INIT("\033_payload\033\\"),
	};
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct buf b = BUF_INIT;
		utf8_sanitize(&b, hostile[i]);
		assert_int_equal(utf8_check(b.data, b.len), b.len);
		for (size_t at = 0, len; at < b.len; at += len) {
			uint32_t cp = utf8_decode(b.data + at, b.len - at, &len);
			assert_false(cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x202E);
		}
		buf_release(&b);
	}
}

static void random_bytes_come_out_as_clean_utf8(void **state)
{
	(void)state;
	struct rng r = rng_new(5, 0);
	for (int round = 0; round < 3000; round++) {
		char s[40];
		for (size_t i = 0; i < sizeof s; i++)
			s[i] = (char)rng_next(&r);
		struct buf b = BUF_INIT;
		utf8_sanitize(&b, (struct text){s, sizeof s});
		utf8_nfc(&b, (struct text){s, sizeof s});
		assert_int_equal(utf8_check(b.data, b.len), b.len);
		buf_release(&b);
	}
}

static void decomposed_hangul_is_composed(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	struct text nfd =
		TEXT("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB\xE1\x84\x80\xE1\x85\xB3\xE1\x86\xAF");
	utf8_nfc(&b, nfd);
	assert_string_equal(b.data, "한글");
	assert_false(utf8_is_nfc(nfd));
	assert_true(utf8_is_nfc(TEXT("한글")));
	buf_release(&b);
}

static void duplicates_have_equal_folds(void **state)
{
	(void)state;
	static const struct {
		const char *text, *fold;
	} cases[] = {
		{"  Straße\t\n\u00a0 NR.\u3000１ ", "strasse nr. 1"},
		{"ﬁne\u200bprint\ufeff", "fineprint"},
		{"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB  ＡＢＣ", "한 abc"},
		{" \n ", ""},
		{"", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT;
		utf8_fold(&b, text_of(cases[i].text));
		assert_string_equal(b.data ? b.data : "", cases[i].fold);
		buf_release(&b);
	}
	struct buf b = BUF_INIT;
	buf_adds(&b, "before");
	utf8_fold(&b, TEXT(" A\0\xff "));
	assert_true(text_equal(buf_text(&b), TEXT("beforea\0\uFFFD")));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_points_survive_encoding_and_decoding),
		cmocka_unit_test(what_is_not_utf8_is_found_at_its_byte),
		cmocka_unit_test(widths_are_those_of_a_terminal),
		cmocka_unit_test(a_cut_never_splits_a_wide_character),
		cmocka_unit_test(nothing_that_steers_a_terminal_passes_the_sanitiser),
		cmocka_unit_test(random_bytes_come_out_as_clean_utf8),
		cmocka_unit_test(decomposed_hangul_is_composed),
		cmocka_unit_test(duplicates_have_equal_folds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

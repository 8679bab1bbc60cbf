#include "support.h"

#include "json.h"

static void values_come_back_with_their_types(void **state)
{
	(void)state;
	static const char doc[] = "{\"a\":[1,2.5,\"\\uD55C\\u0000x\",true,null],\"b\":{\"c\":-7}}";
	struct json_parser *p = json_parser_new();
	json root;
	assert_true(json_parse(p, doc, sizeof doc - 1, 0, &root, NULL));
	json a = json_get(root, "a");
	assert_int_equal(json_count(a), 5);
	static const enum json_type types[] = {
		JSON_NUMBER, JSON_NUMBER, JSON_STRING, JSON_BOOL, JSON_NULL};
	size_t i = 0;
	for (struct json_iter it = json_each(a); json_next(&it); i++) {
		assert_null(it.key);
		assert_int_equal(json_type(it.value), types[i]);
	}
	assert_int_equal(i, 5);
	int64_t n;
	assert_true(json_int(json_get(json_get(root, "b"), "c"), &n));
	assert_int_equal(n, -7);
	assert_int_equal(json_type(json_get(root, "zzz")), JSON_MISSING);
	json_parser_free(p);
}

static void members_come_in_file_order(void **state)
{
	(void)state;
	static const char doc[] = "{\"z\":{\"deep\":[1,[2]]},\"y\":2,\"x\":\"s\"}";
	struct json_parser *p = json_parser_new();
	json root;
	assert_true(json_parse(p, doc, sizeof doc - 1, 0, &root, NULL));
	char keys[8] = "";
	for (struct json_iter it = json_each(root); json_next(&it);)
		strncat(keys, it.key, 1);
	assert_string_equal(keys, "zyx");
	json_parser_free(p);
}

static void lone_surrogates_are_replaced_and_counted(void **state)
{
	(void)state;
	static const char doc[] = "[\"\\ud83d\\ude00\", \"a\\ud800b\", \"\\\\ud800\", \"\\udc00\"]";
	struct json_parser *p = json_parser_new();
	json root;
	assert_true(json_parse(p, doc, sizeof doc - 1, 0, &root, NULL));
	assert_int_equal(json_parser_replaced(p), 2);
	static const char *const expected[] = {"\xF0\x9F\x98\x80",
		"a\xEF\xBF\xBD"
		"b",
		"\\ud800", "\xEF\xBF\xBD"};
	size_t i = 0;
	for (struct json_iter it = json_each(root); json_next(&it); i++) {
		const char *s;
		size_t len;
		assert_true(json_string(it.value, &s, &len));
		assert_int_equal(len, strlen(expected[i]));
		assert_memory_equal(s, expected[i], len);
	}
	json_parser_free(p);
}

static void integers_beyond_64_bits_are_doubles(void **state)
{
	(void)state;
	static const char text[] =
		"{\"a\": 1000000000000000019884624838656, \"b\": "
		"\"\\\"12345678901234567890123\", \"c\": [-99999999999999999999], "
		"\"d\": 9223372036854775807, \"e\": 0.12345678901234567890123}";
	struct json_parser *p = json_parser_new();
	json root;
	struct json_why why = {0};
	double real;
	int64_t n;
	const char *s;
	size_t len;
	if (!json_parse(p, text, sizeof text - 1, 0, &root, &why))
		fail_msg("%s at %zu", why.reason, why.offset);
	assert_false(json_int(json_get(root, "a"), &n));
	assert_true(json_real(json_get(root, "a"), &real) && real == 1e30);
	assert_true(json_string(json_get(root, "b"), &s, &len));
	assert_int_equal(len, 24);
	assert_true(json_int(json_get(root, "d"), &n) && n == INT64_MAX);
	assert_true(json_real(json_get(root, "e"), &real) && real < 0.124);
	json_parser_free(p);
}

static void errors_say_where(void **state)
{
	(void)state;
	static const struct {
		const char *doc;
		size_t offset;
	} broken[] = {
		{"{\"a\": 1, \"b\" 2}", 13},
		{"[1, 2", 5},
		{"{\"a\": \"open", 6},
		{"[1, 2] x", 7},
		{"[1, zwei]", 4},
		{"[\"\xff\"]", 2},
		{"", 0},
	};
	struct json_parser *p = json_parser_new();
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		json root;
		struct json_why why = {0};
		assert_false(json_parse(p, broken[i].doc, strlen(broken[i].doc), 0, &root, &why));
		assert_int_equal(why.offset, broken[i].offset);
		assert_true(why.reason[0]);
	}
	json_parser_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_with_their_types),
		cmocka_unit_test(members_come_in_file_order),
		cmocka_unit_test(lone_surrogates_are_replaced_and_counted),
		cmocka_unit_test(integers_beyond_64_bits_are_doubles),
		cmocka_unit_test(errors_say_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

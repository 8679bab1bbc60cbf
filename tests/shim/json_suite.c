/* JSONTestSuite: y_ must parse, n_ must be refused, i_ either way, and none may crash. */
#include "support.h"

#include "base/buf.h"
#include "base/fs.h"
#include "json.h"

typedef void (*judge)(const char *name, bool is_parsed, const struct json_why *why, size_t len);

static void for_each_file(judge fn)
{
	const char *dir = test_shared("edge-cases/json");
	if (!dir)
		skip();
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct json_parser *p = json_parser_new();
	char **names;
	size_t n, n_seen = 0;
	assert_ok(fs_list(dir, &a, &names, &n, &err), &err);
	for (size_t i = 0; i < n; i++) {
		if (!strstr(names[i], ".json"))
			continue;
		struct fs_map map;
		assert_ok(fs_map(fs_join(&a, dir, names[i]), &map, &err), &err);
		json root;
		struct json_why why = {0, ""};
		/* Both ways in: as a mapped file, and as a copy of exactly its size. */
		bool mapped = json_parse(p, map.data, map.len, FS_PADDING, &root, &why);
		char *copy = xmalloc(map.len + 1);
		memcpy(copy, map.data, map.len);
		bool copied = json_parse(p, copy, map.len, 0, &root, &why);
		free(copy);
		if (mapped != copied)
			fail_msg("%s: mapped %d, copied %d", names[i], mapped, copied);
		fn(names[i], mapped, &why, map.len);
		fs_unmap(&map);
		n_seen++;
	}
	assert_int_equal(n_seen, 318);
	json_parser_free(p);
	arena_release(&a);
}

static void judge_strictly(const char *name, bool is_parsed, const struct json_why *why, size_t len)
{
	if (name[0] == 'y' && !is_parsed)
		fail_msg("%s was refused: %s at %zu", name, why->reason, why->offset);
	if (name[0] == 'n' && is_parsed)
		fail_msg("%s was taken for JSON", name);
	if (!is_parsed && (why->offset > len || !why->reason[0]))
		fail_msg("%s: offset %zu of %zu, reason \"%s\"", name, why->offset, len,
			why->reason);
}

static void what_is_json_parses_and_what_is_not_is_refused(void **state)
{
	(void)state;
	for_each_file(judge_strictly);
}

/* What the standard leaves open, as we decide it: a lone surrogate escape is replaced; bytes that are
 * not UTF-8, numbers beyond a double, and a byte order mark (lines.h takes it off) are refused; an
 * integer beyond 64 bits is a double. */
static void judge_open_cases(
	const char *name, bool is_parsed, const struct json_why *why, size_t len)
{
	(void)len;
	if (name[0] != 'i')
		return;
	bool is_not_utf8 =
		strstr(name, "UTF8_surrogate") || strstr(name, "utf16") || strstr(name, "UTF-16");
	bool is_escape = strstr(name, "surrogate") && !is_not_utf8;
	bool is_tiny = strstr(name, "huge_neg_exp") || strstr(name, "underflow");
	bool is_deep = strstr(name, "500_nested") != NULL;
	bool is_big = strstr(name, "too_big") || strstr(name, "very_big_negative_int");
	if (is_parsed != (is_escape || is_tiny || is_deep || is_big))
		fail_msg("%s: parsed %d, %s", name, is_parsed, why->reason);
}

static void what_the_standard_leaves_open_is_decided(void **state)
{
	(void)state;
	for_each_file(judge_open_cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_json_parses_and_what_is_not_is_refused),
		cmocka_unit_test(what_the_standard_leaves_open_is_decided),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

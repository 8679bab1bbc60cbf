#include "data/entry.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "data/raw.h"

bool entry_error(struct err *err, const char *path, const struct line_walk *w, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return err_set(err, ERR_DATA, "%s:%zu: %s", path, w->number, text);
}

/* The text of member `key`: false when it is there with another type. null is as good as absent. */
static bool member(json root, const char *key, struct arena *a, struct text *ret)
{
	json v = json_get(root, key);
	struct text t;
	int64_t number;
	if (json_string(v, &t.s, &t.len))
		*ret = arena_text(a, t);
	else if (json_int(v, &number) && strcmp(key, "text") != 0)
		*ret = text_of(arena_printf(a, "%" PRId64, number));
	else
		return json_is(v, JSON_MISSING) || json_is(v, JSON_NULL);
	return true;
}

static size_t column_of(const struct line_walk *w, json root, const char *key)
{
	size_t i = 0;
	for (struct json_iter it = json_each(root); json_next(&it); i++)
		if (text_is((struct text){it.key, it.key_len}, key))
			break;
	struct text value = raw_at(w->line, i);
	return line_column(w->line, value.s ? (size_t)(value.s - w->line.s) : 0);
}

static bool wrong_type(
	struct err *err, const char *path, const struct line_walk *w, json root, const char *key)
{
	return err_set(err, ERR_DATA, "%s:%zu:%zu: %s is %s, expected a string", path, w->number,
		column_of(w, root, key), key, json_type_name(json_type(json_get(root, key))));
}

bool entry_parse(struct json_parser *p, const char *path, const struct fs_map *file,
	const struct line_walk *w, struct arena *a, struct entry *ret, struct err *err)
{
	json root;
	struct json_why why;
	if (!json_parse(p, w->line.s, w->line.len, line_padding(file, w->line), &root, &why))
		return err_set(err, ERR_DATA, "%s:%zu:%zu: not JSON: %s", path, w->number,
			line_column(w->line, why.offset), why.reason);
	if (!json_is(root, JSON_OBJECT))
		return entry_error(err, path, w, "%s, expected an object with a text",
			json_type_name(json_type(root)));
	struct entry e = {TEXT_NONE, TEXT_NONE, TEXT_NONE};
	static const char *const keys[] = {"_id", "id", "title", "text"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (i == 1 && e.id.s)
			continue;
		struct text *into = i < 2 ? &e.id : i == 2 ? &e.title : &e.text;
		if (!member(root, keys[i], a, into))
			return wrong_type(err, path, w, root, keys[i]);
	}
	if (!e.text.s)
		return entry_error(err, path, w, "no text, expected an object with a text%s",
			json_is(json_get(root, "query"), JSON_MISSING)
				? ""
				: "; this looks like a row with query, pos and neg");
	*ret = e;
	return true;
}

static struct text trim(struct text t)
{
	size_t n;
	for (; t.len > 0; t.s += n, t.len -= n) {
		utf8_decode(t.s, t.len, &n);
		if (!utf8_is_blank((struct text){t.s, n}))
			break;
	}
	while (t.len > 0) {
		n = 1;
		while (n < t.len && n < 4 && ((unsigned char)t.s[t.len - n] & 0xC0) == 0x80)
			n++;
		if (!utf8_is_blank((struct text){t.s + t.len - n, n}))
			break;
		t.len -= n;
	}
	return t;
}

struct text entry_passage(const struct entry *e, struct arena *a)
{
	if (e->title.len == 0)
		return trim(e->text);
	char *s = arena_alloc(a, e->title.len + e->text.len + 2);
	memcpy(s, e->title.s, e->title.len);
	s[e->title.len] = ' ';
	if (e->text.len > 0)
		memcpy(s + e->title.len + 1, e->text.s, e->text.len);
	s[e->title.len + e->text.len + 1] = '\0';
	return trim((struct text){s, e->title.len + e->text.len + 1});
}

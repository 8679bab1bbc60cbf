#include "model/jsoncopy.h"

#include <string.h>

#include "base/err.h"

static void copy_members(struct buf *out, json v, bool is_object)
{
	buf_addch(out, is_object ? '{' : '[');
	for (struct json_iter it = json_each(v); json_next(&it);) {
		char last = out->data[out->len - 1];
		if (last != '{' && last != '[')
			buf_addch(out, ',');
		if (is_object) {
			json_put_text(out, (struct text){it.key, it.key_len});
			buf_addch(out, ':');
		}
		json_copy(out, it.value);
	}
	buf_addch(out, is_object ? '}' : ']');
}

/* 2.0 stays 2.0: readers that check types take no 2 in its place. */
static void copy_real(struct buf *out, double x)
{
	size_t at = out->len;
	json_put_real(out, x);
	if (!strpbrk(out->data + at, ".e"))
		buf_adds(out, ".0");
}

void json_copy(struct buf *out, json v)
{
	struct text s;
	int64_t i;
	double x;
	bool b;
	switch (json_type(v)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		copy_members(out, v, json_is(v, JSON_OBJECT));
		return;
	case JSON_STRING:
		if (json_string(v, &s.s, &s.len))
			json_put_text(out, s);
		return;
	case JSON_NUMBER:
		if (json_int(v, &i))
			json_put_int(out, i);
		else if (json_real(v, &x))
			copy_real(out, x);
		return;
	case JSON_BOOL:
		if (json_bool(v, &b))
			buf_adds(out, b ? "true" : "false");
		return;
	case JSON_NULL:
	case JSON_MISSING:
		break;
	}
	buf_adds(out, "null");
}

static void begin_member(struct buf *out, struct text key, bool *is_first)
{
	buf_adds(out, *is_first ? "\n  " : ",\n  ");
	*is_first = false;
	json_put_text(out, key);
	buf_adds(out, ": ");
}

static const struct json_change *change_of(
	struct text key, const struct json_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_is(key, changes[i].key))
			return &changes[i];
	return NULL;
}

void json_copy_changed(
	struct buf *out, json object, const struct json_change *changes, size_t n_changes)
{
	bool is_first = true;
	buf_addch(out, '{');
	for (struct json_iter it = json_each(object); json_next(&it);) {
		struct text key = {it.key, it.key_len};
		const struct json_change *c = change_of(key, changes, n_changes);
		if (c && !c->text)
			continue;
		begin_member(out, key, &is_first);
		if (c)
			buf_adds(out, c->text);
		else
			json_copy(out, it.value);
	}
	for (size_t i = 0; i < n_changes; i++) {
		if (!changes[i].text || !json_is(json_get(object, changes[i].key), JSON_MISSING))
			continue;
		begin_member(out, text_of(changes[i].key), &is_first);
		buf_adds(out, changes[i].text);
	}
	buf_adds(out, "\n}\n");
}

#include "text/spec.h"

#include <string.h>

#include "base/jsonfile.h"

bool spec_type(json spec, struct text *ret, struct err *err)
{
	if (!json_is(spec, JSON_OBJECT))
		return err_set(err, ERR_DATA, "is %s, expected an object with a type",
			json_type_name(json_type(spec)));
	if (!json_want_text(spec, "type", TEXT_NONE, ret, err))
		return false;
	return ret->s || err_set(err, ERR_DATA, "has no type");
}

bool spec_unknown(struct text type, const char *known, struct err *err)
{
	int shown = type.len > 60 ? 60 : (int)type.len;
	return err_set(err, ERR_DATA,
		"type is \"%.*s\", which this version does not know (it knows %s)", shown, type.s,
		known);
}

static bool flatten(json spec, struct spec_list *list, int depth, struct arena *a, struct err *err)
{
	struct text type;
	if (!spec_type(spec, &type, err))
		return false;
	if (!text_is(type, "Sequence")) {
		if (list->n == SPEC_PARTS_MAX)
			return err_set(err, ERR_DATA, "has more than %d parts", SPEC_PARTS_MAX);
		void *item = (char *)list->items + list->n * list->size;
		memset(item, 0, list->size);
		if (!list->load(spec, a, item, err))
			return false;
		list->n++;
		return true;
	}
	json members = json_get(spec, list->members);
	if (!json_is(members, JSON_ARRAY) || depth == SPEC_PARTS_MAX)
		return err_set(err, ERR_DATA, "%s is %s, expected a list of at most %d levels",
			list->members, json_type_name(json_type(members)), SPEC_PARTS_MAX);
	size_t at = 0;
	for (struct json_iter it = json_each(members); json_next(&it); at++)
		if (!flatten(it.value, list, depth + 1, a, err))
			return err_prefix(err, "%s[%zu]", list->members, at);
	return true;
}

bool spec_flatten(json spec, struct spec_list *list, struct arena *a, struct err *err)
{
	list->n = 0;
	list->items = arena_alloc(a, SPEC_PARTS_MAX * list->size);
	if (json_is(spec, JSON_MISSING) || json_is(spec, JSON_NULL))
		return true;
	return flatten(spec, list, 0, a, err);
}

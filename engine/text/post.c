#include "text/post.h"

#include <string.h>

#include "base/jsonfile.h"
#include "text/spec.h"

#define ITEMS_MAX 64

static void put(struct post_template *t, enum post_kind kind, int32_t id, int32_t type)
{
	t->items[t->n++] = (struct post_item){kind, id, type};
	t->n_special += kind == POST_ID;
}

static void template_init(struct post_template *t, struct arena *a, size_t max)
{
	*t = (struct post_template){arena_alloc(a, max * sizeof(*t->items)), 0, 0};
}

static void post_init(struct post *p, struct arena *a, size_t max)
{
	template_init(&p->single, a, max);
	template_init(&p->pair, a, max);
}

static void post_none(struct arena *a, struct post *ret)
{
	post_init(ret, a, 2);
	put(&ret->single, POST_A, 0, 0);
	put(&ret->pair, POST_A, 0, 0);
	put(&ret->pair, POST_B, 0, 1);
}

void post_bert(struct arena *a, int32_t cls, int32_t sep, struct post *ret)
{
	post_init(ret, a, 5);
	put(&ret->single, POST_ID, cls, 0);
	put(&ret->single, POST_A, 0, 0);
	put(&ret->single, POST_ID, sep, 0);
	put(&ret->pair, POST_ID, cls, 0);
	put(&ret->pair, POST_A, 0, 0);
	put(&ret->pair, POST_ID, sep, 0);
	put(&ret->pair, POST_B, 0, 1);
	put(&ret->pair, POST_ID, sep, 1);
}

static void post_roberta(struct arena *a, int32_t cls, int32_t sep, struct post *ret)
{
	post_init(ret, a, 6);
	put(&ret->single, POST_ID, cls, 0);
	put(&ret->single, POST_A, 0, 0);
	put(&ret->single, POST_ID, sep, 0);
	put(&ret->pair, POST_ID, cls, 0);
	put(&ret->pair, POST_A, 0, 0);
	put(&ret->pair, POST_ID, sep, 0);
	put(&ret->pair, POST_ID, sep, 0);
	put(&ret->pair, POST_B, 0, 0);
	put(&ret->pair, POST_ID, sep, 0);
}

/* A token id of the file, in range. */
static bool want_id(json v, size_t n_ids, int32_t *ret, struct err *err)
{
	int64_t id;
	if (!json_int(v, &id))
		return err_set(err, ERR_DATA, "a token id is %s, expected a whole number",
			json_type_name(json_type(v)));
	if (id < 0 || (uint64_t)id >= n_ids)
		return err_set(err, ERR_DATA,
			"token id %lld is not one of the %zu of the vocabulary", (long long)id,
			n_ids);
	*ret = (int32_t)id;
	return true;
}

/* "cls": ["[CLS]", 101] */
static bool want_token(json spec, const char *key, size_t n_ids, int32_t *ret, struct err *err)
{
	json pair = json_get(spec, key), second = {0};
	struct json_iter it = json_each(pair);
	if (!json_is(pair, JSON_ARRAY) || json_count(pair) != 2)
		return err_set(err, ERR_DATA, "%s is not a list of a token and its id", key);
	while (json_next(&it))
		second = it.value;
	return want_id(second, n_ids, ret, err) || err_prefix(err, "%s", key);
}

/* {"SpecialToken": {"id": "[CLS]", "type_id": 0}}: one item for each of its ids. */
static bool load_special(
	json token, json specials, size_t n_ids, struct post_template *t, struct err *err)
{
	struct text name;
	int64_t type;
	if (!json_want_text(token, "id", TEXT_NONE, &name, err) ||
		!json_want_int(token, "type_id", 0, &type, err))
		return false;
	json ids = {0};
	for (struct json_iter it = json_each(specials); json_next(&it);)
		if (text_equal(name, (struct text){it.key, it.key_len}))
			ids = json_get(it.value, "ids");
	if (!name.s || !json_is(ids, JSON_ARRAY))
		return err_set(err, ERR_DATA, "SpecialToken \"%.*s\" is not in special_tokens",
			name.len > 60 ? 60 : (int)name.len, name.s ? name.s : "");
	for (struct json_iter it = json_each(ids); json_next(&it);) {
		int32_t id;
		if (t->n == ITEMS_MAX)
			return err_set(err, ERR_DATA, "has more than %d tokens", ITEMS_MAX);
		if (!want_id(it.value, n_ids, &id, err))
			return err_prefix(err, "special_tokens.ids");
		put(t, POST_ID, id, (int32_t)type);
	}
	return true;
}

/* {"Sequence": {"id": "A", "type_id": 0}} */
static bool load_sequence(json sequence, bool is_pair, struct post_template *t, struct err *err)
{
	struct text name;
	int64_t type;
	if (!json_want_text(sequence, "id", TEXT_NONE, &name, err) ||
		!json_want_int(sequence, "type_id", 0, &type, err))
		return false;
	if (!text_is(name, "A") && !(is_pair && text_is(name, "B")))
		return err_set(err, ERR_DATA, "Sequence.id is \"%.*s\", expected %s",
			name.len > 60 ? 60 : (int)name.len, name.s ? name.s : "",
			is_pair ? "A or B" : "A");
	put(t, text_is(name, "A") ? POST_A : POST_B, 0, (int32_t)type);
	return true;
}

static bool load_template(
	json spec, const char *key, size_t n_ids, struct post_template *t, struct err *err)
{
	json list = json_get(spec, key), specials = json_get(spec, "special_tokens");
	if (!json_is(list, JSON_ARRAY))
		return err_set(err, ERR_DATA, "%s is %s, expected a list", key,
			json_type_name(json_type(list)));
	bool is_pair = strcmp(key, "pair") == 0;
	size_t at = 0;
	for (struct json_iter it = json_each(list); json_next(&it); at++) {
		json token = json_get(it.value, "SpecialToken");
		json sequence = json_get(it.value, "Sequence");
		bool ok;
		if (t->n == ITEMS_MAX)
			ok = err_set(err, ERR_DATA, "has more than %d parts", ITEMS_MAX);
		else if (json_is(token, JSON_OBJECT))
			ok = load_special(token, specials, n_ids, t, err);
		else if (json_is(sequence, JSON_OBJECT))
			ok = load_sequence(sequence, is_pair, t, err);
		else
			ok = err_set(err, ERR_DATA, "is neither a SpecialToken nor a Sequence");
		if (!ok)
			return err_prefix(err, "%s[%zu]", key, at);
	}
	return true;
}

bool post_load(json spec, size_t n_ids, struct arena *a, struct post *ret, struct err *err)
{
	if (json_is(spec, JSON_MISSING) || json_is(spec, JSON_NULL)) {
		post_none(a, ret);
		return true;
	}
	struct text type;
	if (!spec_type(spec, &type, err))
		return false;
	if (text_is(type, "TemplateProcessing")) {
		post_init(ret, a, ITEMS_MAX);
		return load_template(spec, "single", n_ids, &ret->single, err) &&
			load_template(spec, "pair", n_ids, &ret->pair, err);
	}
	int32_t cls, sep;
	if (text_is(type, "BertProcessing") || text_is(type, "RobertaProcessing")) {
		if (!want_token(spec, "cls", n_ids, &cls, err) ||
			!want_token(spec, "sep", n_ids, &sep, err))
			return false;
		if (text_is(type, "BertProcessing"))
			post_bert(a, cls, sep, ret);
		else
			post_roberta(a, cls, sep, ret);
		return true;
	}
	return spec_unknown(type, "TemplateProcessing, BertProcessing, RobertaProcessing", err);
}

/* How many ids of each text stay when `max` are left for both: the longer one is cut first; when
 * that is not enough each gets half, the odd one going to the longer (tokenizers,
 * utils/truncation.rs, LongestFirst). */
static void cut_pair(size_t *n_a, size_t *n_b, size_t max)
{
	if (*n_a + *n_b <= max)
		return;
	bool swapped = *n_a > *n_b;
	size_t shorter = swapped ? *n_b : *n_a, longer;
	if (shorter > max)
		longer = shorter;
	else
		longer = max - shorter > shorter ? max - shorter : shorter;
	if (shorter + longer > max) {
		shorter = max / 2;
		longer = shorter + max % 2;
	}
	*n_a = swapped ? longer : shorter;
	*n_b = swapped ? shorter : longer;
}

size_t post_join(const struct post *p, const int32_t *a, size_t n_a, const int32_t *b, size_t n_b,
	const struct token_limits *limits, struct ids *out, struct ids *types)
{
	const struct post_template *t = b ? &p->pair : &p->single;
	size_t n_special = limits->no_special ? 0 : t->n_special;
	size_t whole = n_a + n_b + n_special;
	if (limits->max_length > 0) {
		size_t max = limits->max_length > n_special ? limits->max_length - n_special : 0;
		cut_pair(&n_a, &n_b, max);
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct post_item *item = &t->items[i];
		if (item->kind == POST_ID && limits->no_special)
			continue;
		const int32_t *from = item->kind == POST_A ? a
			: item->kind == POST_B             ? b
							   : &item->id;
		size_t n = item->kind == POST_A ? n_a : item->kind == POST_B ? n_b : 1;
		ids_append(out, from, n);
		for (size_t k = 0; types && k < n; k++)
			ids_add(types, item->type);
	}
	return whole;
}

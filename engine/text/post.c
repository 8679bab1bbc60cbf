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

static void put_bert(struct arena *a, int32_t cls, int32_t sep, struct post *ret)
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

void post_bert(struct arena *a, int32_t cls, int32_t sep, struct post *ret)
{
	*ret = (struct post){.has_template = true};
	put_bert(a, cls, sep, ret);
}

static void put_roberta(struct arena *a, int32_t cls, int32_t sep, struct post *ret)
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
		int32_t id = 0;
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

/* ByteLevel and RobertaProcessing. */
static bool load_trim(json spec, struct post *ret, struct err *err)
{
	bool trim, prefix;
	if (!json_want_bool(spec, "trim_offsets", true, &trim, err) ||
		!json_want_bool(spec, "add_prefix_space", true, &prefix, err))
		return false;
	if (!trim)
		return true;
	if (ret->n_trims == POST_TRIMS_MAX)
		return err_set(err, ERR_DATA, "trims offsets more than %d times", POST_TRIMS_MAX);
	ret->trims[ret->n_trims++] = (struct post_trim){prefix};
	return true;
}

static bool load_specials(json spec, struct text type, size_t n_ids, struct arena *a,
	struct post *ret, struct err *err)
{
	int32_t cls = 0, sep = 0;
	if (ret->has_template)
		return err_set(err, ERR_DATA,
			"is a second part that puts special tokens in, expected at most one");
	ret->has_template = true;
	if (text_is(type, "TemplateProcessing")) {
		post_init(ret, a, ITEMS_MAX);
		return load_template(spec, "single", n_ids, &ret->single, err) &&
			load_template(spec, "pair", n_ids, &ret->pair, err);
	}
	if (!want_token(spec, "cls", n_ids, &cls, err) ||
		!want_token(spec, "sep", n_ids, &sep, err))
		return false;
	if (text_is(type, "BertProcessing")) {
		put_bert(a, cls, sep, ret);
		return true;
	}
	put_roberta(a, cls, sep, ret);
	return load_trim(spec, ret, err);
}

static bool load_processor(
	json spec, size_t n_ids, int depth, struct arena *a, struct post *ret, struct err *err)
{
	struct text type;
	if (!spec_type(spec, &type, err))
		return false;
	if (text_is(type, "TemplateProcessing") || text_is(type, "BertProcessing") ||
		text_is(type, "RobertaProcessing"))
		return load_specials(spec, type, n_ids, a, ret, err);
	if (text_is(type, "ByteLevel"))
		return load_trim(spec, ret, err);
	if (!text_is(type, "Sequence"))
		return spec_unknown(type,
			"TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, "
			"Sequence",
			err);
	json members = json_get(spec, "processors");
	if (!json_is(members, JSON_ARRAY) || depth == SPEC_PARTS_MAX ||
		json_count(members) > SPEC_PARTS_MAX)
		return err_set(err, ERR_DATA,
			"processors is %s, expected a list of at most %d, in as many levels",
			json_type_name(json_type(members)), SPEC_PARTS_MAX);
	size_t at = 0;
	for (struct json_iter it = json_each(members); json_next(&it); at++)
		if (!load_processor(it.value, n_ids, depth + 1, a, ret, err))
			return err_prefix(err, "processors[%zu]", at);
	return true;
}

bool post_load(json spec, size_t n_ids, struct arena *a, struct post *ret, struct err *err)
{
	*ret = (struct post){.n_trims = 0};
	if (!json_is(spec, JSON_MISSING) && !json_is(spec, JSON_NULL) &&
		!load_processor(spec, n_ids, 0, a, ret, err))
		return false;
	if (!ret->has_template)
		post_none(a, ret);
	return true;
}

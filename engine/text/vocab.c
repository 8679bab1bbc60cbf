#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

void vocab_release(struct vocab *v)
{
	trie_release(&v->trie);
	free(v->tokens);
	arena_release(&v->spellings);
}

static bool grow(struct vocab *v, size_t n, struct err *err)
{
	if (n <= v->cap)
		return true;
	size_t cap = v->cap ? v->cap : 1024;
	while (cap < n)
		cap *= 2;
	struct text *tokens = try_malloc(cap, sizeof(*tokens), "the vocabulary", err);
	if (!tokens)
		return false;
	memset(tokens, 0, cap * sizeof(*tokens));
	if (v->n)
		memcpy(tokens, v->tokens, v->n * sizeof(*tokens));
	free(v->tokens);
	v->tokens = tokens;
	v->cap = cap;
	return true;
}

bool vocab_put(struct vocab *v, struct text spelling, int64_t id, struct err *err)
{
	int shown = spelling.len > 60 ? 60 : (int)spelling.len;
	if (id < 0 || (uint64_t)id >= VOCAB_IDS_MAX)
		return err_set(err, ERR_DATA, "\"%.*s\" has id %lld, expected 0 to %zu", shown,
			spelling.s, (long long)id, VOCAB_IDS_MAX - 1);
	size_t at = (size_t)id;
	if (!grow(v, at + 1, err))
		return false;
	if (v->tokens[at].s)
		return err_set(err, ERR_DATA, "\"%.*s\" has id %zu, which \"%.*s\" has already",
			shown, spelling.s, at, v->tokens[at].len > 60 ? 60 : (int)v->tokens[at].len,
			v->tokens[at].s);
	v->tokens[at] = arena_text(&v->spellings, spelling);
	if (v->n <= at)
		v->n = at + 1;
	v->n_tokens++;
	return true;
}

void vocab_end(struct vocab *v, const double *weights)
{
	trie_build(&v->trie, v->tokens, weights, v->n);
}

bool vocab_load(json object, struct vocab *v, struct err *err)
{
	if (!json_is(object, JSON_OBJECT))
		return err_set(err, ERR_DATA, "vocab is %s, expected an object of tokens and ids",
			json_type_name(json_type(object)));
	size_t has_empty = 0;
	for (struct json_iter it = json_each(object); json_next(&it);) {
		int64_t id;
		has_empty |= it.key_len == 0;
		if (!json_int(it.value, &id))
			return err_set(err, ERR_DATA,
				"vocab: \"%.*s\" has %s for its id, expected a whole number",
				it.key_len > 60 ? 60 : (int)it.key_len, it.key,
				json_type_name(json_type(it.value)));
		if (!vocab_put(v, (struct text){it.key, it.key_len}, id, err))
			return err_prefix(err, "vocab");
	}
	vocab_end(v, NULL);
	if (v->trie.n_strings < json_count(object) - has_empty)
		return err_set(err, ERR_DATA, "vocab has a token twice");
	return true;
}

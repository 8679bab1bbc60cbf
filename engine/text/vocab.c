#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void vocab_init(struct vocab *v, size_t n_expected)
{
	*v = (struct vocab){.spellings = ARENA_INIT};
	/* A node has about two and a half times as many edges in a trie as there are tokens. */
	trie_init(&v->trie, n_expected * 5 / 2);
}

void vocab_release(struct vocab *v)
{
	trie_release(&v->trie);
	free(v->tokens);
	arena_release(&v->spellings);
	chars_release(&v->scratch);
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

bool vocab_put_added(struct vocab *v, struct text spelling, int64_t id, struct err *err)
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
	return true;
}

bool vocab_put(struct vocab *v, struct text spelling, int64_t id, struct err *err)
{
	if (!vocab_put_added(v, spelling, id, err))
		return false;
	v->n_model++;
	v->scratch.n = 0;
	chars_decode(&v->scratch, spelling);
	if (v->scratch.n)
		trie_put(&v->trie, v->scratch.c, v->scratch.n, (int32_t)id);
	return true;
}

bool vocab_find(const struct vocab *v, struct text spelling, int32_t *ret)
{
	uint32_t node = TRIE_ROOT;
	const struct trie_edge *e = NULL;
	for (size_t i = 0; i < spelling.len;) {
		size_t len;
		e = trie_step(&v->trie, node, utf8_decode(spelling.s + i, spelling.len - i, &len));
		if (!e)
			return false;
		node = e->node;
		i += len;
	}
	if (!e || e->id == TRIE_NO_ID)
		return false;
	*ret = e->id;
	return true;
}

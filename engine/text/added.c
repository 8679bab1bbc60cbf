#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

void added_init(struct added_set *s)
{
	*s = (struct added_set){.tokens = NULL};
	trie_init(&s->trie, 0);
}

void added_release(struct added_set *s)
{
	trie_release(&s->trie);
	free(s->tokens);
	free(s->firsts);
	*s = (struct added_set){.tokens = NULL};
}

bool added_put(struct added_set *s, const uint32_t *c, size_t n, const struct added_token *token)
{
	int32_t index;
	if (n == 0 || trie_get(&s->trie, c, n, &index))
		return false;
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->tokens = xreallocarray(s->tokens, s->cap, sizeof(*s->tokens));
		s->firsts = xreallocarray(s->firsts, s->cap, sizeof(*s->firsts));
	}
	trie_put(&s->trie, c, n, (int32_t)s->n);
	s->tokens[s->n++] = *token;
	for (size_t i = 0; i < s->n_firsts; i++)
		if (s->firsts[i] == c[0])
			return true;
	s->firsts[s->n_firsts++] = c[0];
	return true;
}

bool added_has(const struct added_set *s, struct text content, int32_t *ret_id)
{
	struct chars c = CHARS_INIT;
	chars_decode(&c, content);
	int32_t index;
	bool found = trie_get(&s->trie, c.c, c.n, &index);
	if (found)
		*ret_id = s->tokens[index].id;
	chars_release(&c);
	return found;
}

void added_spans_release(struct added_spans *v)
{
	free(v->s);
	*v = (struct added_spans){NULL, 0, 0};
}

static void add_span(struct added_spans *v, size_t begin, size_t end, int32_t id)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 16;
		v->s = xreallocarray(v->s, v->cap, sizeof(*v->s));
	}
	v->s[v->n++] = (struct added_span){begin, end, id};
}

bool added_may_match(const struct added_set *s, struct text t)
{
	if (t.len == 0)
		return false;
	/* A first byte in common is enough to look closer; many different ones are not worth a
	 * pass each. */
	if (s->n_firsts > 4)
		return true;
	for (size_t i = 0; i < s->n_firsts; i++) {
		char first[4];
		utf8_encode(s->firsts[i], first);
		if (memchr(t.s, first[0], t.len))
			return true;
	}
	return false;
}

/* The longest token at c[i]; NULL: none. */
static const struct added_token *longest(
	const struct added_set *s, const uint32_t *c, size_t i, size_t n, size_t *ret_end)
{
	const struct added_token *best = NULL;
	uint32_t node = TRIE_ROOT;
	while (i < n) {
		const struct trie_edge *e = trie_step(&s->trie, node, c[i]);
		if (!e)
			break;
		node = e->node;
		i++;
		if (e->id != TRIE_NO_ID) {
			best = &s->tokens[e->id];
			*ret_end = i;
		}
	}
	return best;
}

static bool is_single_word(
	const struct uclass *u, const uint32_t *c, size_t begin, size_t end, size_t n)
{
	bool word_before = begin > 0 && uclass_of(u, c[begin - 1]) & UC_WORD;
	bool word_behind = end < n && uclass_of(u, c[end]) & UC_WORD;
	return !word_before && !word_behind;
}

void added_split(const struct added_set *s, const struct uclass *u, const uint32_t *c, size_t n,
	struct added_spans *v)
{
	size_t done = 0; /* all before is in spans */
	v->n = 0;
	for (size_t i = 0; i < n && s->n;) {
		size_t begin = i, end = 0;
		const struct added_token *token = longest(s, c, i, n, &end);
		if (!token) {
			i++;
			continue;
		}
		/* The search goes on behind the token even when its neighbours forbid it, and
		 * before any spaces that it takes along. */
		i = end;
		if (token->single_word && !is_single_word(u, c, begin, end, n))
			continue;
		if (token->lstrip)
			while (begin > done && uclass_of(u, c[begin - 1]) & UC_SPACE)
				begin--;
		if (token->rstrip)
			while (end < n && uclass_of(u, c[end]) & UC_SPACE)
				end++;
		if (done < begin)
			add_span(v, done, begin, TRIE_NO_ID);
		add_span(v, begin, end, token->id);
		done = end;
	}
	if (done < n)
		add_span(v, done, n, TRIE_NO_ID);
}

#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

void added_release(struct added_set *s)
{
	trie_release(&s->trie);
	free(s->tokens);
	free(s->strings);
	*s = (struct added_set){.tokens = NULL};
}

void added_put(struct added_set *s, struct text string, const struct added_token *token)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->tokens = xreallocarray(s->tokens, s->cap, sizeof *s->tokens);
		s->strings = xreallocarray(s->strings, s->cap, sizeof *s->strings);
	}
	s->strings[s->n] = string;
	s->tokens[s->n++] = *token;
}

static void collect_firsts(struct added_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->first = (unsigned char)s->strings[i].s[0];
		s->n_firsts += !s->firsts[s->first];
		s->firsts[s->first] = true;
	}
}

bool added_end(struct added_set *s, struct text *ret_bad)
{
	trie_build(&s->trie, s->strings, NULL, s->n);
	for (size_t i = 0; i < s->n; i++) {
		int32_t index;
		if (trie_find(&s->trie, s->strings[i], &index) && index == (int32_t)i)
			continue;
		*ret_bad = s->strings[i];
		return false;
	}
	collect_firsts(s);
	return true;
}

bool added_find(const struct added_set *s, struct text string, int32_t *ret_id)
{
	int32_t index;
	if (!trie_find(&s->trie, string, &index))
		return false;
	*ret_id = s->tokens[index].id;
	return true;
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

/* Whether a token begins at the text's byte `at`. */
static bool begins_at(const struct added_set *s, struct text t, size_t at)
{
	const struct trie_node *node = s->trie.nodes;
	while (at < t.len) {
		size_t len;
		node = trie_step(&s->trie, node, utf8_decode(t.s + at, t.len - at, &len));
		if (!node || node->weight != TRIE_NO_WEIGHT)
			return node != NULL;
		at += len;
	}
	return false;
}

/* The first byte from `at` on that a token begins with, or t.len. */
static size_t next_first(const struct added_set *s, struct text t, size_t at)
{
	if (s->n_firsts == 1) {
		const char *found = memchr(t.s + at, s->first, t.len - at);
		return found ? (size_t)(found - t.s) : t.len;
	}
	while (at < t.len && !s->firsts[(unsigned char)t.s[at]])
		at++;
	return at;
}

bool added_is_in(const struct added_set *s, struct text t)
{
	if (s->n == 0 || t.len == 0)
		return false;
	for (size_t at = next_first(s, t, 0); at < t.len; at = next_first(s, t, at + 1))
		if (begins_at(s, t, at))
			return true;
	return false;
}

/* The longest token at c[i]; NULL: none. */
static const struct added_token *longest(
	const struct added_set *s, const uint32_t *c, size_t i, size_t n, size_t *ret_end)
{
	const struct added_token *best = NULL;
	const struct trie_node *node = s->trie.nodes;
	while (i < n && (node = trie_step(&s->trie, node, c[i]))) {
		i++;
		if (node->weight != TRIE_NO_WEIGHT) {
			best = &s->tokens[trie_id(&s->trie, node)];
			*ret_end = i;
		}
	}
	return best;
}

bool added_is_in_chars(const struct added_set *s, const uint32_t *c, size_t n)
{
	size_t end;
	for (size_t i = 0; s->n > 0 && i < n; i++)
		if (longest(s, c, i, n, &end))
			return true;
	return false;
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

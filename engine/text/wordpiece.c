/* WordPiece: from the left, always the longest token of the vocabulary; inside a word tokens carry
 * a prefix ("##"). A word that cannot be covered so, or is too long, is one unknown token. */
#include "text/segmenter.h"

#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/mem.h"

struct wordpiece {
	struct segmenter base;
	const struct trie *trie;
	const struct trie_node
		*inside; /* where tokens with the prefix begin; NULL: there are none */
	int32_t unk;
	size_t max_chars;
};

struct segmenter *wordpiece_new(const struct vocab *v, struct text unk, struct text prefix,
	int64_t max_chars, struct err *err)
{
	int32_t unk_id;
	if (!trie_find(&v->trie, unk, &unk_id)) {
		err_set(err, ERR_DATA, "unk_token \"%.*s\" is not in the vocabulary",
			unk.len > 60 ? 60 : (int)unk.len, unk.s);
		return NULL;
	}
	if (max_chars < 0) {
		err_set(err, ERR_DATA, "max_input_chars_per_word is %lld, expected 0 or more",
			(long long)max_chars);
		return NULL;
	}
	struct wordpiece *w = xmalloc(sizeof(*w));
	*w = (struct wordpiece){{&segmenter_wordpiece}, &v->trie,
		trie_walk(&v->trie, v->trie.nodes, prefix), unk_id, (size_t)max_chars};
	return &w->base;
}

static struct segmenter *load(json spec, struct vocab *v, struct err *err)
{
	struct text unk, prefix;
	int64_t max_chars;
	if (!vocab_load(json_get(spec, "vocab"), v, err) ||
		!json_want_text(spec, "unk_token", TEXT("[UNK]"), &unk, err) ||
		!json_want_text(spec, "continuing_subword_prefix", TEXT("##"), &prefix, err) ||
		!json_want_int(spec, "max_input_chars_per_word", 100, &max_chars, err))
		return NULL;
	return wordpiece_new(v, unk, prefix, max_chars, err);
}

/* The longest token that begins at c[*i], walking from `at`; *i moves behind it. */
static int32_t longest(
	const struct trie *t, const struct trie_node *at, const uint32_t *c, size_t n, size_t *i)
{
	int32_t id = TRIE_NO_ID;
	for (size_t k = *i; k < n && (at = trie_step(t, at, c[k]));) {
		k++;
		if (at->weight == TRIE_NO_WEIGHT)
			continue;
		id = trie_id(t, at);
		*i = k;
	}
	return id;
}

static void encode(const struct segmenter *s, struct segmenter_run *r, const uint32_t *c, size_t n,
	struct ids *out, struct token_spans *spans)
{
	const struct wordpiece *w = (const struct wordpiece *)s;
	(void)r;
	size_t before = out->n, spans_before = spans ? spans->n : 0;
	const struct trie_node *from = w->trie->nodes;
	bool is_covered = n <= w->max_chars;
	for (size_t i = 0; i < n && is_covered; from = w->inside) {
		size_t begin = i;
		int32_t id = from ? longest(w->trie, from, c, n, &i) : TRIE_NO_ID;
		is_covered = id != TRIE_NO_ID;
		if (!is_covered)
			break;
		ids_add(out, id);
		if (spans)
			token_spans_add(spans, begin, i);
	}
	if (is_covered)
		return;
	out->n = before;
	ids_add(out, w->unk);
	if (spans) {
		spans->n = spans_before;
		token_spans_add(spans, 0, n);
	}
}

static void wordpiece_free(struct segmenter *s)
{
	free(s);
}

static struct segmenter_run *run_new(const struct segmenter *s)
{
	(void)s;
	return NULL;
}

static void run_free(struct segmenter_run *r)
{
	(void)r;
}

static int32_t unk(const struct segmenter *s)
{
	return ((const struct wordpiece *)s)->unk;
}

const struct segmenter_type segmenter_wordpiece = {
	"WordPiece", load, wordpiece_free, run_new, run_free, encode, unk, false};

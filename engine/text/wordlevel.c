/* WordLevel: a piece is a token or unknown. */
#include "text/segmenter.h"

#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/mem.h"

struct wordlevel {
	struct segmenter base;
	const struct trie *trie;
	int32_t unk;
};

static struct segmenter *load(json spec, struct vocab *v, struct err *err)
{
	struct text unk;
	int32_t id;
	if (!vocab_load(json_get(spec, "vocab"), v, err) ||
		!json_want_text(spec, "unk_token", TEXT("<unk>"), &unk, err))
		return NULL;
	if (!trie_find(&v->trie, unk, &id)) {
		err_set(err, ERR_DATA, "unk_token \"%.*s\" is not in the vocabulary",
			unk.len > 60 ? 60 : (int)unk.len, unk.s);
		return NULL;
	}
	struct wordlevel *w = xmalloc(sizeof(*w));
	*w = (struct wordlevel){{&segmenter_wordlevel}, &v->trie, id};
	return &w->base;
}

static void encode(const struct segmenter *s, struct segmenter_run *r, const uint32_t *c, size_t n,
	struct ids *out, struct token_spans *spans)
{
	const struct wordlevel *w = (const struct wordlevel *)s;
	const struct trie_node *at = w->trie->nodes;
	(void)r;
	for (size_t i = 0; i < n && at; i++)
		at = trie_step(w->trie, at, c[i]);
	int32_t id = at ? trie_id(w->trie, at) : TRIE_NO_ID;
	ids_add(out, id == TRIE_NO_ID ? w->unk : id);
	if (spans)
		token_spans_add(spans, 0, n);
}

static void wordlevel_free(struct segmenter *s)
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
	return ((const struct wordlevel *)s)->unk;
}

const struct segmenter_type segmenter_wordlevel = {
	"WordLevel", load, wordlevel_free, run_new, run_free, encode, unk, false};

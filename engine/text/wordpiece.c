/* WordPiece: from the left, always the longest token of the vocabulary; inside a word tokens carry a
 * prefix ("##"). A word that cannot be covered so, or is too long, is one unknown token. */
#include "text/segmenter.h"

#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/mem.h"

struct wordpiece {
	struct segmenter base;
	const struct trie *trie;
	uint32_t inside; /* node where tokens with the prefix begin; NO_NODE: there are none */
	int32_t unk;
	size_t max_chars;
};

#define NO_NODE UINT32_MAX

struct segmenter *wordpiece_new(const struct vocab *v, struct text unk, struct text prefix,
	int64_t max_chars, struct err *err)
{
	int32_t unk_id;
	if (!vocab_find(v, unk, &unk_id)) {
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
	*w = (struct wordpiece){
		{&segmenter_wordpiece}, &v->trie, NO_NODE, unk_id, (size_t)max_chars};
	struct chars p = CHARS_INIT;
	chars_decode(&p, prefix);
	if (!trie_walk(&v->trie, TRIE_ROOT, p.c, p.n, &w->inside))
		w->inside = NO_NODE;
	chars_release(&p);
	return &w->base;
}

static bool load_vocab(json spec, struct vocab *v, struct err *err)
{
	json vocab = json_get(spec, "vocab");
	if (!json_is(vocab, JSON_OBJECT))
		return err_set(err, ERR_DATA, "vocab is %s, expected an object of tokens and ids",
			json_type_name(json_type(vocab)));
	vocab_init(v, json_count(vocab));
	for (struct json_iter it = json_each(vocab); json_next(&it);) {
		int64_t id;
		if (!json_int(it.value, &id))
			return err_set(err, ERR_DATA,
				"vocab: \"%.*s\" has %s for its id, expected a whole number",
				it.key_len > 60 ? 60 : (int)it.key_len, it.key,
				json_type_name(json_type(it.value)));
		if (!vocab_put(v, (struct text){it.key, it.key_len}, id, err))
			return err_prefix(err, "vocab");
	}
	return true;
}

static struct segmenter *load(json spec, struct vocab *v, struct err *err)
{
	struct text unk, prefix;
	int64_t max_chars;
	if (!load_vocab(spec, v, err) ||
		!json_want_text(spec, "unk_token", TEXT("[UNK]"), &unk, err) ||
		!json_want_text(spec, "continuing_subword_prefix", TEXT("##"), &prefix, err) ||
		!json_want_int(spec, "max_input_chars_per_word", 100, &max_chars, err))
		return NULL;
	return wordpiece_new(v, unk, prefix, max_chars, err);
}

/* The longest token that begins at c[i], walking from node; ret_end is one past it. */
static int32_t longest(
	const struct trie *t, uint32_t node, const uint32_t *c, size_t i, size_t n, size_t *ret_end)
{
	int32_t id = TRIE_NO_ID;
	while (i < n) {
		const struct trie_edge *e = trie_step(t, node, c[i]);
		if (!e)
			break;
		i++;
		node = e->node;
		if (e->id != TRIE_NO_ID) {
			id = e->id;
			*ret_end = i;
		}
	}
	return id;
}

static void encode(const struct segmenter *s, struct segmenter_run *r, const uint32_t *c, size_t n,
	struct ids *out)
{
	const struct wordpiece *w = (const struct wordpiece *)s;
	(void)r;
	size_t before = out->n;
	size_t i = n > w->max_chars ? n : 0;
	uint32_t node = TRIE_ROOT;
	bool is_covered = i == 0;
	while (i < n && is_covered) {
		int32_t id = node == NO_NODE ? TRIE_NO_ID : longest(w->trie, node, c, i, n, &i);
		is_covered = id != TRIE_NO_ID;
		if (is_covered)
			ids_add(out, id);
		node = w->inside;
	}
	if (!is_covered) {
		out->n = before;
		ids_add(out, w->unk);
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
	"WordPiece", load, wordpiece_free, run_new, run_free, encode, unk};

/* Unigram: of all ways to cover a piece with tokens, the one whose log probabilities add up to
 * most (Kudo 2018, "Subword Regularization", section 3.1), found by Viterbi's algorithm from the
 * left.
 *
 * Equal to the Hugging Face library bit by bit: scores are doubles added from the left; of two
 * paths that are equally good the one found first stays; a character that is no token by itself may be an
 * unknown one, at 10 below the lowest score; neighbouring unknown ones are one token, whose spelling
 * is looked up again. */
#include "text/segmenter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonfile.h"
#include "base/mem.h"
#include "base/utf8.h"

#define UNK_PENALTY 10.0
#define SCRATCH_KEPT ((size_t)1 << 20) /* nodes that a run keeps from a long piece to the next */

struct unigram {
	struct segmenter base;
	const struct vocab *vocab;
	double unk_score;
	int32_t unk;
	bool byte_fallback;
	int32_t bytes[256]; /* ids of <0x00> ...; TRIE_NO_ID: absent */
};

/* The best path that ends here. */
struct node {
	double score;
	uint32_t start; /* where its last token begins; NONE: no path ends here */
	uint32_t token; /* its node in the trie; UNKNOWN: one character that is no token */
};
#define NONE UINT32_MAX
#define UNKNOWN UINT32_MAX

struct segmenter_run {
	struct node *nodes; /* one behind each character, and one in front */
	size_t cap;
	struct ids found; /* back to front */
	struct token_spans spans; /* of these */
};

/* One pair of the vocabulary: ["▁the", -3.2]. */
static bool load_pair(json pair, struct text *ret_spelling, double *ret_score, struct err *err)
{
	struct json_iter it = json_each(pair);
	if (json_is(pair, JSON_ARRAY) && json_next(&it) &&
		json_string(it.value, &ret_spelling->s, &ret_spelling->len) && json_next(&it) &&
		json_real(it.value, ret_score) && !json_next(&it))
		return true;
	return err_set(err, ERR_DATA, "is not a list of a token and its score");
}

static bool load_vocab(json spec, struct unigram *u, struct vocab *v, struct err *err)
{
	json vocab = json_get(spec, "vocab");
	size_t n = json_count(vocab), id = 0;
	if (!json_is(vocab, JSON_ARRAY) || n == 0 || n > VOCAB_IDS_MAX)
		return err_set(err, ERR_DATA,
			"vocab is %s of %zu, expected a list of 1 to %zu tokens with scores",
			json_type_name(json_type(vocab)), n, VOCAB_IDS_MAX);
	double lowest = INFINITY;
	double *scores = try_malloc(n, sizeof *scores, "the scores of the vocabulary", err);
	bool ok = scores != NULL;
	for (struct json_iter it = json_each(vocab); ok && json_next(&it); id++) {
		struct text spelling = TEXT_NONE;
		ok = load_pair(it.value, &spelling, &scores[id], err) &&
			vocab_put(v, spelling, (int64_t)id, err);
		if (!ok)
			err_prefix(err, "vocab[%zu]", id);
		else if (scores[id] < lowest)
			lowest = scores[id];
	}
	if (ok)
		vocab_end(v, scores);
	u->unk_score = lowest - UNK_PENALTY;
	free(scores);
	return ok;
}

static void find_bytes(struct unigram *u)
{
	for (int b = 0; b < 256; b++) {
		char name[8];
		snprintf(name, sizeof(name), "<0x%02X>", (unsigned)b & 0xFF);
		if (!trie_find(&u->vocab->trie, text_of(name), &u->bytes[b]))
			u->bytes[b] = TRIE_NO_ID;
	}
}

static struct segmenter *load(json spec, struct vocab *v, struct err *err)
{
	struct unigram *u = xcalloc(1, sizeof(*u));
	u->base.type = &segmenter_unigram;
	u->vocab = v;
	int64_t unk;
	bool ok = load_vocab(spec, u, v, err) && json_want_int(spec, "unk_id", -1, &unk, err) &&
		json_want_bool(spec, "byte_fallback", false, &u->byte_fallback, err);
	if (ok && (unk < 0 || (uint64_t)unk >= v->n))
		ok = err_set(err, ERR_DATA,
			"unk_id is %lld or missing, expected the id of one of the %zu tokens",
			(long long)unk, v->n);
	if (!ok) {
		free(u);
		return NULL;
	}
	u->unk = (int32_t)unk;
	find_bytes(u);
	return &u->base;
}

static void unigram_free(struct segmenter *s)
{
	free(s);
}

static struct segmenter_run *run_new(const struct segmenter *s)
{
	(void)s;
	return xcalloc(1, sizeof(struct segmenter_run));
}

static void run_free(struct segmenter_run *r)
{
	free(r->nodes);
	ids_release(&r->found);
	token_spans_release(&r->spans);
	free(r);
}

static void offer(struct node *to, double score, size_t start, size_t token)
{
	if (to->start == NONE || score > to->score)
		*to = (struct node){score, (uint32_t)start, (uint32_t)token};
}

/* Fills nodes[0..n]. */
static void viterbi(const struct unigram *u, struct node *nodes, const uint32_t *c, size_t n)
{
	const struct trie *t = &u->vocab->trie;
	for (size_t i = 0; i <= n; i++)
		nodes[i] = (struct node){0.0, NONE, UNKNOWN};
	for (size_t start = 0; start < n; start++) {
		double here = nodes[start].score;
		bool has_single = false;
		const struct trie_node *at = t->nodes;
		for (size_t i = start; i < n && (at = trie_step(t, at, c[i]));) {
			i++;
			if (at->weight == TRIE_NO_WEIGHT)
				continue;
			has_single |= i == start + 1;
			offer(&nodes[i], at->weight + here, start, (size_t)(at - t->nodes));
		}
		if (!has_single)
			offer(&nodes[start + 1], u->unk_score + here, start, UNKNOWN);
	}
}

static int32_t id_at(const struct unigram *u, const struct node *node)
{
	return node->token == UNKNOWN ? u->unk : u->vocab->trie.ids[node->token];
}

/* The ids of the bytes of c[0..n), back to front; false, nothing added, when one is missing. */
static bool add_bytes(const struct unigram *u, const uint32_t *c, size_t n, struct ids *found)
{
	size_t before = found->n;
	for (size_t i = n; i-- > 0;) {
		char s[4];
		for (size_t k = utf8_encode(c[i], s); k-- > 0;) {
			int32_t id = u->bytes[(unsigned char)s[k]];
			if (id == TRIE_NO_ID) {
				found->n = before;
				return false;
			}
			ids_add(found, id);
		}
	}
	return true;
}

/* A run of unknown characters. Its spelling may be a token after all: that of unk itself. */
static void add_unknown(const struct unigram *u, const uint32_t *c, size_t n, struct ids *found)
{
	const struct trie *t = &u->vocab->trie;
	const struct trie_node *at = t->nodes;
	for (size_t i = 0; i < n && at; i++)
		at = trie_step(t, at, c[i]);
	if (at && trie_id(t, at) != TRIE_NO_ID)
		ids_add(found, trie_id(t, at));
	else if (!u->byte_fallback || !add_bytes(u, c, n, found))
		ids_add(found, u->unk);
}

static void encode(const struct segmenter *s, struct segmenter_run *r, const uint32_t *c, size_t n,
	struct ids *out, struct token_spans *spans)
{
	const struct unigram *u = (const struct unigram *)s;
	if (r->cap < n + 1) {
		free(r->nodes);
		r->cap = n + 1 < 256 ? 256 : n + 1;
		r->nodes = xreallocarray(NULL, r->cap, sizeof(*r->nodes));
	}
	viterbi(u, r->nodes, c, n);
	r->found.n = r->spans.n = 0;
	for (size_t end = n; end > 0;) {
		size_t start = r->nodes[end].start;
		int32_t id = id_at(u, &r->nodes[end]);
		if (id != u->unk) {
			ids_add(&r->found, id);
		} else {
			while (start > 0 && id_at(u, &r->nodes[start]) == u->unk)
				start = r->nodes[start].start;
			add_unknown(u, c + start, end - start, &r->found);
		}
		while (spans && r->spans.n < r->found.n) /* bytes of a character share its place */
			token_spans_add(&r->spans, start, end);
		end = start;
	}
	for (size_t i = r->found.n; i-- > 0;) {
		ids_add(out, r->found.id[i]);
		if (spans)
			token_spans_add(spans, r->spans.s[i].begin, r->spans.s[i].end);
	}
	if (r->cap > SCRATCH_KEPT) {
		free(r->nodes);
		r->nodes = NULL;
		r->cap = 0;
	}
}

static int32_t unk(const struct segmenter *s)
{
	return ((const struct unigram *)s)->unk;
}

const struct segmenter_type segmenter_unigram = {
	"Unigram", load, unigram_free, run_new, run_free, encode, unk, true};

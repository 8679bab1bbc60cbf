/* vocab.h - the tokens of a model: id -> spelling, and spelling -> id as a trie. */
#ifndef TEXT_VOCAB_H
#define TEXT_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "json.h"
#include "text/trie.h"

/* The largest vocabulary in use has under a million tokens; an id beyond this is damage. */
#define VOCAB_IDS_MAX ((size_t)1 << 22)

struct vocab {
	struct text *tokens; /* by id; s NULL where an id stands for nothing */
	size_t n, cap; /* n: the largest id + 1 */
	size_t n_tokens; /* how many were put */
	struct trie trie; /* of the model's tokens */
	struct arena spellings;
};

/* A vocab begins as all zero. */
void vocab_release(struct vocab *v);
/* The spelling is copied. False: the id is out of range or taken. */
bool vocab_put(struct vocab *v, struct text spelling, int64_t id, struct err *err) MUST_CHECK;
/* Puts all of a file's {"token": id} and builds the trie. */
bool vocab_load(json object, struct vocab *v, struct err *err) MUST_CHECK;
/* All tokens of the model are put: builds the trie. weights by id, or NULL. Tokens put later are
 * added ones, which the trie does not know. */
void vocab_end(struct vocab *v, const double *weights);

#endif

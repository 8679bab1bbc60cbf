/* encoder_impl.h - the encoder itself, for the files that work on it. */
#ifndef MODEL_ENCODER_IMPL_H
#define MODEL_ENCODER_IMPL_H

#include "model/encoder.h"

struct encoder {
	struct model *model;
	struct tokenizer *tokenizer; /* NULL until a text is not in the cache */
	struct prompts *prompts;
	tn_scope *root;
	struct encoder_options opt;
	bool owns; /* closes the four above */
	char describe[160];
	char *cache_dir;
	struct hash128 model_hash, tokenizer_hash; /* known when there is a cache */
	struct prompts own_prompts;
};

/* Opens the tokenizer unless it is open. Vectors of texts that were encoded before need none, and to
 * open one takes longer than to find them. */
bool encoder_need_tokenizer(struct encoder *e, struct err *err) MUST_CHECK;
/* Tokens that a text of this role may have. */
size_t encoder_limit(const struct encoder *e, enum encode_role role);
bool encoder_on_cpu(const struct encoder *e);

#endif

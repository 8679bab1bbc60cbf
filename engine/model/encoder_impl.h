/* encoder_impl.h - the encoder itself, for the files that work on it. */
#ifndef MODEL_ENCODER_IMPL_H
#define MODEL_ENCODER_IMPL_H

#include "model/encoder.h"

struct encoder {
	struct model *model;
	struct tokenizer *tokenizer;
	struct prompts *prompts;
	tn_scope *root;
	struct encoder_options opt;
	bool owns; /* closes the four above */
	char describe[160];
	char *cache_dir;
	struct hash128 model_hash; /* known when there is a cache */
	struct prompts own_prompts;
};

bool encoder_on_cpu(const struct encoder *e);

#endif

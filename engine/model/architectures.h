/* architectures.h - the table of backbones. Adding one is a file of its own, a row here, and a
 * parity case in tests/parity/make_model_gold.py. */
#ifndef MODEL_ARCHITECTURES_H
#define MODEL_ARCHITECTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "json.h"
#include "model/config.h"
#include "model/layers.h"
#include "model/model.h"
#include "model/params.h"
#include "tensor.h"

struct classifier_kind;
struct backbone; /* each architecture's own struct */

struct architecture {
	const char *model_type; /* config.json's */
	const char *encoder_class; /* transformers' class without a head: "BertModel" */
	const char *classifier_class; /* with a sequence classification head; NULL: none */
	const char *causal_class; /* with a language model's head: "Qwen2ForCausalLM"; NULL: an
	                             encoder, whose attention is bidirectional */
	/* The key that makes a decoder bidirectional for transformers; NULL: is_causal false does. */
	const char *bidirectional_key;
	bool brings_code; /* transformers lacks these classes: a folder brings their code along */
	const char *lm_head; /* that head's matrix in the file: "lm_head.weight" */
	const struct classifier_kind *classifier; /* what classifier_class has on top; NULL: none */
	const void *variant; /* what tells it from others of its file: the file's own struct */
	const char *prefix; /* of the encoder's names inside a class with a head: "bert." */
	const char *const *lora_targets; /* when the user names none; ends with NULL */
	/* Tensors that a file may hold and no vector needs, by the start of their name (prefix cut
	 * off) or, with a leading '*', by its end. Ends with NULL. */
	const char *const *harmless;
	const char *const
		*carried; /* of these, what a written model keeps, by the start of the name */

	/* Reads and checks the backbone's keys of config.json. */
	bool (*configure)(json root, const char *path, struct model_config *c, struct err *err);
	/* Declares every weight; allocates nothing of the model's size. */
	struct backbone *(*declare)(const struct model_config *c, struct params *p);
	void (*free)(struct backbone *b);
	/* The linears, in the order of the file's layers: what LoRA and prepacking walk over. */
	size_t (*linears)(struct backbone *b, struct linear **ret, size_t cap);
	/* The token table, which a tied lm_head shares; NULL: architectures without such a head. */
	const struct weight *(*words)(const struct backbone *b);
	/* [T,H] last hidden states, behind the last norm where there is one, in the computing
	 * dtype. pass->states and pass->n_layers are heeded. */
	tensor (*forward)(struct backbone *b, tn_scope *s, const struct token_batch *batch,
		const struct pass *pass);
};

const struct architecture *architecture_find(struct text model_type); /* NULL: unknown */
/* "bert": what is known, for errors. */
const char *architecture_list(struct arena *a);

extern const struct architecture bert_architecture, roberta_architecture, xlm_roberta_architecture,
	camembert_architecture, electra_architecture, mpnet_architecture, distilbert_architecture;
extern const struct architecture modernbert_architecture, new_architecture, gte_architecture;

#endif

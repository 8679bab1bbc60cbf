/* model.h - in: token ids of a packed batch; out: one vector a text, or a score a pair. The one
 * face of every backbone.
 *
 * A model is a Hugging Face folder: config.json, safetensors, and the sentence-transformers files
 * that say how to pool (1_Pooling/config.json), normalise (2_Normalize), prompt
 * (config_sentence_transformers.json) and cut (sentence_bert_config.json). Without those files:
 * mean pooling, not normalised, as sentence-transformers does then, and a warning says so. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "tensor.h"

struct model;

enum model_dtype { MODEL_AUTO, MODEL_F32, MODEL_BF16, MODEL_F16 };
enum model_use {
	MODEL_ENCODE, /* inference: weights frozen, fused and prepacked as the device likes them */
	MODEL_TRAIN, /* f32 master weights that can collect gradients */
};

struct model_options {
	enum model_use use;
	enum model_dtype dtype; /* AUTO: bf16 on a GPU or a CPU with AMX, else f32 */
	const char *pooling; /* "cls", "mean", "max", "last", "mean_sqrt_len", "weighted"; NULL =
	                        the folder's */
	const char
		*attention; /* "causal", "bidirectional"; NULL or "auto" = what the folder says */
	const char
		*prompts; /* prompts.h's family, which also says how to pool without modules.json */
	const char *base; /* of a PEFT adapter's folder; NULL = as it says */
	bool wants_answers; /* also a causal language model's head: model_answers() */
	uint64_t seed; /* for weights that the folder lacks (a new classification head) */
};

/* The model lives in scope root's context, for as long as that is open or until model_close. */
struct model *model_open(const char *dir, tn_scope *root, const struct model_options *opt,
	struct err *err) MUST_CHECK;
void model_close(struct model *m);

int64_t model_dim(const struct model *m); /* of a vector; 0 for a reranker */
int64_t model_n_labels(
	const struct model *m); /* outputs of a classification head; 0 for an embedder */
int64_t model_max_length(const struct model
		*m); /* tokens, specials included: sentence_bert_config's, else the positions */
int64_t model_positions(const struct model *m); /* the most tokens that a text can have at all */
enum model_dtype model_dtype(const struct model *m); /* what it computes in; never AUTO */
struct hash128 model_hash(const struct model *m); /* config and weights */
const char *model_dir(const struct model *m);
const char *model_tokenizer_dir(const struct model *m); /* where its tokenizer lies */
const char *model_prompts_dir(const struct model *m); /* and its prompts */
const char *model_pooling(const struct model *m);
bool model_normalizes(const struct model *m);
int64_t model_n_params(const struct model *m, bool only_trained);

/* A packed batch. types may be NULL (all 0); prompt_tokens[i] = leading tokens of text i that
 * pooling leaves out (NULL: none). */
struct token_batch {
	const int32_t *ids; /* [T] */
	const int32_t *types; /* [T] or NULL */
	struct tn_seqs seqs;
	const int32_t *prompt_tokens; /* [n] or NULL */
};
struct forward {
	bool train; /* dropout on */
	double dropout; /* < 0: the config's */
	uint64_t seed; /* of this forward: (run seed, step, pass) mixed by the caller */
};
#define FORWARD_ENCODE ((struct forward){false, 0.0, 0})

/* -> [n, dim] f32, pooled and (when the model does) normalised, in scope s. Failures are sticky in
 * the scope's context. */
tensor model_embed(
	struct model *m, tn_scope *s, const struct token_batch *b, const struct forward *how);
/* A sequence classification head -> logits [n, n_labels] f32. */
tensor model_classify(
	struct model *m, tn_scope *s, const struct token_batch *b, const struct forward *how);
/* Logits of a causal language model behind the last token of each text, of the words ids[0..n_ids)
 * alone, f32 [n, n_ids]; soft-capped where the model is. Opened with wants_answers. n_layers: only
 * so many layers run; 0: all. */
struct answers {
	const int64_t *ids;
	int64_t n_ids;
	int64_t n_layers;
};
tensor model_answers(struct model *m, tn_scope *s, const struct token_batch *b,
	const struct forward *how, const struct answers *what);
/* BGE-M3's three views of a batch from one pass: dense as model_embed(); sparse [T], the weight of
 * each token; multi [tokens that are not their text's first, model_multi_dim()]. TN_NONE where the
 * model has no such head or it is not asked for. */
enum { VIEW_DENSE = 1, VIEW_SPARSE = 2, VIEW_MULTI = 4 };
struct views {
	tensor dense, sparse, multi;
};
unsigned model_views(const struct model *m); /* those that it has */
int64_t model_multi_dim(const struct model *m); /* 0: no such head */
struct views model_view(struct model *m, tn_scope *s, const struct token_batch *b,
	const struct forward *how, unsigned which);
/* Last hidden states, [T, H] f32, for parity tests and heads. */
tensor model_hidden(
	struct model *m, tn_scope *s, const struct token_batch *b, const struct forward *how);

/* What transformers calls hidden_states: the embeddings, what each layer gives, the last one behind
 * the last norm; [T,H] f32 each. ret [layers + 1]; returns how many. */
size_t model_states(struct model *m, tn_scope *s, const struct token_batch *b,
	const struct forward *how, tensor *ret);

/* Training. */
struct lora_options {
	int64_t r, alpha;
	double dropout;
	const char *const *targets; /* suffixes of module names: "query", "value", "dense";
	                               n_targets 0 = query, key, value, dense */
	size_t n_targets;
	uint64_t seed; /* of A (kaiming uniform, a = sqrt 5, as PEFT); B starts at zero */
};
/* Freezes the base and adds adapters, before the first forward. */
bool model_add_lora(struct model *m, const struct lora_options *opt, struct err *err) MUST_CHECK;

/* What is trained. A fused weight (query, key, value in one tensor) is one param here and several
 * names outside. */
struct trained {
	tensor param; /* f32 leaf */
	bool decays; /* weight decay applies: false for biases and norms */
	int64_t numel;
};
size_t model_trained(
	struct model *m, const struct trained **ret); /* borrowed; a fixed order for equal models */
/* bf16 computing copies are made anew from the f32 masters: call after each optimiser step. */
void model_refresh(struct model *m);
/* Gradients under Hugging Face's (or PEFT's) names, f32, to one safetensors file. */
bool model_write_gradients(struct model *m, const char *path, struct err *err) MUST_CHECK;

/* Prompts that model_write() stores in place of the folder's, because training used them; NULL
 * keeps the folder's. Copied. */
void model_set_prompts(struct model *m, const char *query, const char *passage);
/* Writes a complete folder: weights (LoRA merged), config, tokenizer files, the
 * sentence-transformers files in the layout that every version reads (prompts included), and a
 * model card. dir is filled in place: the caller publishes it. */
bool model_write(struct model *m, const char *dir, struct err *err) MUST_CHECK;
/* adapter_config.json + adapter_model.safetensors as PEFT reads them. Only with LoRA. */
bool model_write_adapter(struct model *m, const char *dir, struct err *err) MUST_CHECK;

#endif

/* config.h - in: a model folder's JSON files; out: what the model is, every value checked.
 *
 * config.json is read in the spellings of transformers 4 and 5; modules.json and what it names in
 * those of sentence-transformers before and after 5.4. A value that cannot be (a negative size,
 * heads that do not divide the width) is refused by file and key before a weight is looked at. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "json.h"
#include "tensor.h"

struct architecture;
struct adapter_config;

enum model_act { MODEL_GELU, MODEL_GELU_TANH, MODEL_RELU, MODEL_SILU };
/* Activations of heads: sentence-transformers' Dense names torch's classes, config.json the short
 * names. */
enum head_act {
	HEAD_IDENTITY,
	HEAD_TANH,
	HEAD_GELU,
	HEAD_GELU_TANH,
	HEAD_RELU,
	HEAD_SILU,
	HEAD_SIGMOID
};
enum model_attention { ATTENTION_BIDIRECTIONAL, ATTENTION_CAUSAL };

/* A module of sentence-transformers behind the pooling. */
enum module_kind { MODULE_DENSE, MODULE_LAYER_NORM, MODULE_NORMALIZE };
struct module {
	enum module_kind kind;
	const char *path; /* its folder inside the model's: "2_Dense" */
	int64_t in, out; /* Dense; out also of LayerNorm */
	bool has_bias, is_residual;
	enum head_act act;
	const char *act_class; /* as its config.json has it */
};
#define POOLINGS 6

struct model_config {
	const char *dir;
	const char *body_dir; /* of config.json, weights and tokenizer: dir, or a folder in it that
	                         modules.json names */
	const char *modules_dir, *prompts_dir, *tokenizer_dir; /* dir, but for adapters, which may
	                                                          leave these files to their base */
	const struct adapter_config *adapter; /* NULL: none */
	const struct architecture *arch;
	bool is_classifier; /* a sequence classification head: scores, no vectors */
	bool is_causal_lm; /* the folder is of arch->causal_class: a language model's head */

	/* The backbone, from config.json: what every architecture has. */
	int64_t n_vocab, hidden, n_layers, n_heads, n_kv_heads, head_dim, ff;
	int64_t n_positions, n_types; /* rows of the position and token type tables */
	int64_t default_length; /* where texts are cut when no file says it; 0: n_positions */
	int64_t n_labels; /* of the classification head */
	double norm_eps, init_std;
	double hidden_dropout, attention_dropout, classifier_dropout;
	enum model_act act;
	/* The rest of config.json that the architecture reads: its own struct, which configure()
	 * puts into arena; NULL when there is none. */
	const void *own;

	/* Which tokens see which: of decoders it can be chosen. */
	enum model_attention attention;
	const char *attention_from; /* what says so: "is_causal", "--attention" ... */

	/* A sequence classification head, beside n_labels. */
	int64_t pad_token; /* -1: none */
	bool classifier_bias;
	enum tn_pool classifier_pooling;
	enum head_act classifier_act;

	/* A causal language model's head, for rerankers. */
	bool is_tied; /* it is the token table */
	double logit_soft_cap; /* logits become cap * tanh(logits / cap); 0: they do not */

	struct hash128 hash; /* of config.json, byte by byte */

	/* How vectors are made, from the sentence-transformers files. */
	bool has_modules; /* false: no modules.json, so mean pooling, not normalised */
	const char *family; /* which says how to pool because the folder does not; NULL */
	enum tn_pool poolings[POOLINGS]; /* their vectors stand side by side */
	int n_poolings;
	bool pools_prompt; /* false: the prompt's tokens are left out of the pooling */
	struct module *modules; /* behind the pooling, in order */
	size_t n_modules;
	bool normalizes; /* the last of them is Normalize */
	int64_t dim; /* numbers of a vector */
	int64_t max_length; /* tokens of a text, specials included */

	struct arena arena; /* owns the strings */
};

/* The caller releases it also after a failure. */
bool model_config_read(const char *dir, struct model_config *ret, struct err *err) MUST_CHECK;
/* The same of a folder that may be a PEFT adapter's; base: where its base lies, NULL = as it says. */
bool model_config_read_on(
	const char *dir, const char *base, struct model_config *ret, struct err *err) MUST_CHECK;
void model_config_release(struct model_config *c);

/* The sentence-transformers half, from modules.json and what it names; called by
 * model_config_read(), first, because it says where config.json lies. modules.c, folder.c. */
/* Pooling, from the folder of its module. */
bool model_pooling_read(struct model_config *c, const char *module, struct err *err) MUST_CHECK;
bool model_folder_read(struct model_config *c, struct err *err) MUST_CHECK;
/* Pooling of a folder without modules.json, from its family; prompts: model_options'. */
bool model_family_apply(struct model_config *c, const char *prompts, struct err *err) MUST_CHECK;
/* Widths of the modules, once hidden is known: they must fit each other; sets dim. */
bool model_modules_check(struct model_config *c, struct err *err) MUST_CHECK;
/* max_length, once n_positions is known. */
bool model_length_read(struct model_config *c, struct err *err) MUST_CHECK;

/* What the user says (--attention) in place of what config.json does: "causal", "bidirectional",
 * NULL or "auto" for neither. Only a decoder has the choice. */
bool model_attention_choose(struct model_config *c, const char *asked, struct err *err) MUST_CHECK;
const char *model_attention_name(enum model_attention a);
/* attention_from of models that are known to be bidirectional though config.json is silent. */
#define ATTENTION_ASSUMED "what is known of this model"
/* What to change in the config.json of a written model so that it says what the attention is: ret
 * [2]; returns how many. */
struct json_change;
size_t model_attention_changes(const struct model_config *c, struct json_change *ret);
/* Who computes the same from config.json, in a sentence, in a; NULL when nothing needs saying. */
const char *model_attention_note(const struct model_config *c, struct arena *a);

/* For an architecture's own keys: a number in [low, high], required unless def is in that range.
 * path stands in the error. */
struct config_range {
	const char *key;
	double low, high, def; /* def outside the range: the key must be there */
};
bool config_int(json root, const char *path, struct config_range range, int64_t *ret,
	struct err *err) MUST_CHECK;
bool config_real(json root, const char *path, struct config_range range, double *ret,
	struct err *err) MUST_CHECK;
/* Many of them, each into the field of c that is `at` bytes from its beginning. */
struct config_field {
	struct config_range range;
	size_t at;
};
bool config_ints(json root, const char *path, const struct config_field *fields, size_t n,
	struct model_config *c, struct err *err) MUST_CHECK;
bool config_reals(json root, const char *path, const struct config_field *fields, size_t n,
	struct model_config *c, struct err *err) MUST_CHECK;
/* hidden / heads, for architectures that have no head_dim of their own. */
bool config_head_dim(const char *path, struct model_config *c, struct err *err) MUST_CHECK;
/* layer_types: is_local [n_layers] says which are "sliding_attention"; untouched without that key. */
bool config_layer_types(json root, const char *path, const struct model_config *c, bool *is_local,
	struct err *err) MUST_CHECK;
/* "gelu", "gelu_new", "silu" ... */
bool config_act(json root, const char *path, const char *key, enum model_act *ret,
	struct err *err) MUST_CHECK;

/* Names of poolings: "cls", "mean", "max", "last", "mean_sqrt_len", "weighted". */
bool pooling_parse(const char *name, enum tn_pool *ret);
const char *pooling_name(enum tn_pool p);
/* "mean", or "cls+mean" of several; lives in a. */
const char *pooling_names(const struct model_config *c, struct arena *a);
/* The flag of 1_Pooling/config.json that stands for it: "pooling_mode_cls_token" ... */
const char *pooling_flag(enum tn_pool p);
/* Its name in sentence-transformers since 5.4: "cls", "lasttoken" ... */
const char *pooling_mode(enum tn_pool p);

#endif

/* decoder.h - decoders as data: what an architecture fixes, and what config.json says within that.
 *
 * decoder_kinds.c holds the architectures, decoder_config.c reads config.json, decoder.c computes. */
#ifndef MODEL_DECODER_H
#define MODEL_DECODER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/architectures.h"
#include "model/rope.h"

/* Which layers see only a window, when config.json has no layer_types. */
enum decoder_windows {
	WINDOWS_NONE,
	WINDOWS_ALL, /* when sliding_window is a number */
	WINDOWS_UPPER, /* when use_sliding_window: layers from max_window_layers on */
	WINDOWS_PATTERN, /* all but every nth: sliding_window_pattern */
};

struct decoder_variant {
	const char *act_key;
	enum model_act act; /* without that key */
	bool gelu_is_tanh; /* "gelu" means its tanh form, whatever is written */
	int64_t head_dim; /* without the key; 0: hidden / heads */
	bool qkv_has_bias; /* always; o_proj never */
	bool reads_attention_bias, reads_mlp_bias;
	bool norms_heads; /* queries and keys, before they turn */
	bool has_four_norms; /* behind attention and feed-forward too */
	bool is_gemma; /* embeddings times sqrt(hidden), norms times (1 + w) */
	bool has_query_scalar; /* query_pre_attn_scalar */
	bool has_depth_scale; /* scale_emb, and scale_depth / sqrt(layers) of what a layer adds */
	double score_cap, logit_cap; /* without the keys; < 0: there are no such keys */
	int64_t positions;
	bool is_tied; /* without the key */
	enum decoder_windows windows;
	int64_t window, pattern; /* without the keys; 0: no window */
	double theta, local_theta; /* local_theta 0: layers turn alike */
	bool halves_window; /* bidirectional: half of it to either side, else all of it */
};

struct decoder_config {
	struct rope rope, local_rope; /* local: of layers with a window */
	bool qkv_has_bias, out_has_bias, mlp_has_bias;
	double norm_shift, embedding_scale, score_scale, score_cap;
	double depth_scale; /* of what attention and the feed-forward half add */
	int64_t window; /* of is_local layers, as config.json counts it: keys, itself included */
	bool halves_window; /* bidirectional: half of it to either side, else all of it */
	const bool *is_local; /* [n_layers] */
};

/* For struct architecture. */
bool decoder_configure(json root, const char *path, struct model_config *c, struct err *err);

extern const struct architecture qwen2_architecture, qwen3_architecture, llama_architecture,
	mistral_architecture, gemma_architecture, gemma2_architecture, gemma3_text_architecture,
	minicpm_architecture;

/* decoder.c's, for the table of decoder_kinds.c. */
struct backbone *decoder_declare(const struct model_config *c, struct params *p);
void decoder_free(struct backbone *b);
size_t decoder_linears(struct backbone *b, struct linear **ret, size_t cap);
const struct weight *decoder_words(const struct backbone *b);
tensor decoder_forward(struct backbone *b, tn_scope *out, const struct token_batch *batch,
	const struct pass *pass);

#endif

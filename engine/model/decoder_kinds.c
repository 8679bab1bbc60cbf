/* decoder_kinds.c - the decoders that there are, as data. Defaults are transformers'. */
#include "model/classifier.h"
#include "model/decoder.h"

static const char *const lora_targets[] = {
	"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", NULL};
/* A language model's head, and frequencies that old files keep. */
static const char *const harmless[] = {"lm_head.", "*rotary_emb.inv_freq", NULL};
static const char *const carried[] = {NULL};

#define DECODER(type, name, causal, key, data, foreign)                                            \
	{                                                                                          \
		.model_type = type, .encoder_class = name "Model",                                 \
		.classifier_class = name "ForSequenceClassification",                              \
		.classifier = &classifier_decoder, .causal_class = causal "ForCausalLM",           \
		.bidirectional_key = key, .brings_code = foreign, .lm_head = "lm_head.weight",     \
		.variant = data, .prefix = "model.", .lora_targets = lora_targets,                 \
		.harmless = harmless, .carried = carried, .configure = decoder_configure,          \
		.declare = decoder_declare, .free = decoder_free, .linears = decoder_linears,      \
		.words = decoder_words, .forward = decoder_forward,                                \
	}

static const struct decoder_variant llama = {
	.act_key = "hidden_act",
	.act = MODEL_SILU,
	.reads_attention_bias = true,
	.reads_mlp_bias = true,
	.score_cap = -1,
	.logit_cap = -1,
	.positions = 2048,
	.theta = 1e4,
};
const struct architecture llama_architecture =
	DECODER("llama", "Llama", "Llama", NULL, &llama, false);

static const struct decoder_variant mistral = {
	.act_key = "hidden_act",
	.act = MODEL_SILU,
	.score_cap = -1,
	.logit_cap = -1,
	.positions = 131072,
	.windows = WINDOWS_ALL,
	.window = 4096,
	.theta = 1e4,
};
const struct architecture mistral_architecture =
	DECODER("mistral", "Mistral", "Mistral", NULL, &mistral, false);

/* The backbone of bge-reranker-v2-minicpm-layerwise (Hu et al. 2024, MiniCPM, section 3). */
static const struct decoder_variant minicpm = {
	.act_key = "hidden_act",
	.act = MODEL_SILU,
	.reads_attention_bias = true,
	.has_depth_scale = true,
	.score_cap = -1,
	.logit_cap = -1,
	.positions = 2048,
	.is_tied = true,
	.theta = 1e4,
};
const struct architecture minicpm_architecture =
	DECODER("minicpm", "MiniCPM", "LayerWiseMiniCPM", NULL, &minicpm, true);

static const struct decoder_variant qwen2 = {
	.act_key = "hidden_act",
	.act = MODEL_SILU,
	.qkv_has_bias = true,
	.score_cap = -1,
	.logit_cap = -1,
	.positions = 32768,
	.windows = WINDOWS_UPPER,
	.window = 4096,
	.theta = 1e4,
};
const struct architecture qwen2_architecture =
	DECODER("qwen2", "Qwen2", "Qwen2", NULL, &qwen2, false);

static const struct decoder_variant qwen3 = {
	.act_key = "hidden_act",
	.act = MODEL_SILU,
	.head_dim = 128,
	.reads_attention_bias = true,
	.norms_heads = true,
	.score_cap = -1,
	.logit_cap = -1,
	.positions = 32768,
	.windows = WINDOWS_UPPER,
	.window = 4096,
	.theta = 1e4,
};
const struct architecture qwen3_architecture =
	DECODER("qwen3", "Qwen3", "Qwen3", NULL, &qwen3, false);

static const struct decoder_variant gemma = {
	.act_key = "hidden_act",
	.act = MODEL_GELU_TANH,
	.gelu_is_tanh = true, /* the published files say gelu and mean its tanh form */
	.head_dim = 256,
	.reads_attention_bias = true,
	.is_gemma = true,
	.score_cap = -1,
	.logit_cap = -1,
	.positions = 8192,
	.is_tied = true,
	.theta = 1e4,
};
const struct architecture gemma_architecture =
	DECODER("gemma", "Gemma", "Gemma", NULL, &gemma, false);

static const struct decoder_variant gemma2 = {
	.act_key = "hidden_activation",
	.act = MODEL_GELU_TANH,
	.head_dim = 256,
	.reads_attention_bias = true,
	.has_four_norms = true,
	.is_gemma = true,
	.has_query_scalar = true,
	.score_cap = 50,
	.logit_cap = 30,
	.positions = 8192,
	.is_tied = true,
	.windows = WINDOWS_PATTERN,
	.window = 4096,
	.pattern = 2,
	.theta = 1e4,
};
const struct architecture gemma2_architecture =
	DECODER("gemma2", "Gemma2", "Gemma2", NULL, &gemma2, false);

/* Its file has a cap of scores too, which transformers does not apply: nor do we. */
static const struct decoder_variant gemma3 = {
	.act_key = "hidden_activation",
	.act = MODEL_GELU_TANH,
	.head_dim = 256,
	.reads_attention_bias = true,
	.norms_heads = true,
	.has_four_norms = true,
	.is_gemma = true,
	.has_query_scalar = true,
	.score_cap = -1,
	.logit_cap = 0,
	.positions = 131072,
	.is_tied = true,
	.windows = WINDOWS_PATTERN,
	.window = 4096,
	.pattern = 6,
	.theta = 1e6,
	.local_theta = 1e4,
	.halves_window = true,
};
const struct architecture gemma3_text_architecture = DECODER(
	"gemma3_text", "Gemma3Text", "Gemma3", "use_bidirectional_attention", &gemma3, false);

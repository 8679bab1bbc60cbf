/* layers.h - linears and norms, as every backbone is made of them.
 *
 * A linear computes x W' + b: in f32 by one product, in bf16 for inference by a prepacked one, and
 * with LoRA by two thin products more. The bias is left to the op behind (bias + activation, bias +
 * residual + norm are one pass over memory) wherever there is one. */
#ifndef MODEL_LAYERS_H
#define MODEL_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/config.h"
#include "model/lora.h"
#include "model/model.h"
#include "model/params.h"
#include "tensor.h"

/* One forward: what is on, and where its random numbers come from. */
struct pass {
	enum tn_dtype dtype; /* of the activations */
	double hidden_dropout, attention_dropout, lora_dropout; /* 0 when nothing is trained */
	uint64_t seed;
	/* Only the first n_layers layers run, 0: all. The last norm follows the last that runs. */
	int64_t n_layers;
	/* NULL, or [n_layers + 1], filled as transformers' hidden_states, in the caller's scope: the
	 * embeddings, what each layer gives, the last one behind the last norm. */
	tensor *states;
};
/* pass->n_layers, or all of the model's. */
int64_t pass_layers(const struct pass *p, int64_t n_layers);
/* Puts x, which lies in a child of scope out, into pass->states when these are wanted. */
void pass_state(const struct pass *p, tn_scope *out, int64_t index, tensor x);
/* A seed of its own for each place in the model. */
uint64_t pass_seed(const struct pass *p, int64_t layer, int place);

struct linear {
	struct weight w; /* [O,I] */
	struct weight b; /* [O]; not declared when there is none: its value is TN_NONE */
	tn_pack *pack; /* bf16 inference: weight and bias; else NULL */
	struct lora *lora; /* NULL: none */
};
/* Declares weight and bias of one linear of the file. */
void linear_declare(struct params *p, struct linear *l, int64_t out, int64_t in, const char *name);
/* A weight alone. */
void linear_declare_bare(
	struct params *p, struct linear *l, int64_t out, int64_t in, const char *name);
/* Linears of the file that share their input, as one product: their rows stacked. */
struct linear_part {
	const char *name;
	int64_t out;
};
void linear_declare_parts(struct params *p, struct linear *l, int64_t in, bool has_bias,
	const struct linear_part *parts, size_t n);
/* The bf16 pack for inference, once weights are loaded; frees with linear_release(). */
void linear_pack(tn_scope *s, struct linear *l);
void linear_release(struct linear *l);

/* x [T,I] -> [T,O], without the bias unless it is in the pack. seed: of LoRA's dropout. */
tensor linear_product(
	tn_scope *s, const struct linear *l, tensor x, const struct pass *pass, uint64_t seed);
/* The bias that linear_product() left out; TN_NONE when there is none or it did not. */
tensor linear_bias(const struct linear *l);
/* With the bias. */
tensor linear_forward(
	tn_scope *s, const struct linear *l, tensor x, const struct pass *pass, uint64_t seed);
/* act(x W' + b). */
tensor linear_act(tn_scope *s, const struct linear *l, tensor x, enum model_act act,
	const struct pass *pass, uint64_t seed);

struct norm {
	struct weight w, b; /* [H] */
	double eps;
};
void norm_declare(struct params *p, struct norm *n, int64_t width, double eps, const char *name);
/* A weight alone. */
void norm_declare_bare(
	struct params *p, struct norm *n, int64_t width, double eps, const char *name);
tensor norm_forward(tn_scope *s, const struct norm *n, tensor x);
/* layer_norm(residual + dropout(x + bias)). */
tensor norm_add(tn_scope *s, const struct norm *n, tensor x, tensor bias, tensor residual,
	double dropout, uint64_t seed);

/* x / rms(x) * (shift + w): the norm of decoders. */
struct rms {
	struct weight w; /* [H] */
	double eps, shift;
};
void rms_declare(
	struct params *p, struct rms *n, int64_t width, double eps, double shift, const char *name);
tensor rms_forward(tn_scope *s, const struct rms *n, tensor x);

/* act(gate) * up of both halves of x [T,2F] -> [T,F]. */
tensor gate_forward(tn_scope *s, tensor x, enum model_act act, bool gate_last);

/* A token table [V,H], and its rows for a batch -> [T,H] f32. */
void token_table_declare(
	struct params *p, struct weight *table, int64_t rows, int64_t width, const char *name);
tensor token_embedding(tn_scope *s, const struct weight *table, const struct token_batch *batch);
/* v as the computing dtype holds it. */
double rounded_to(tn_scope *s, double v, enum tn_dtype dtype);

#endif

/* tensor.h - autograd tensors for C, over libtorch.
 *
 * Lifetime: each op puts its result in scope `s`; tn_pop(s) frees all of them. A function that
 * returns a tensor puts it in its caller's scope, and opens a scope of its own for temporaries.
 * Errors: sticky. After the first failure in a context every op does nothing and returns TN_NONE;
 *   tn_message() tells the op, the shapes and libtorch's reason in one line. Check once a step.
 *   After a failure tn_dim() is 0 and tn_read_* leaves its output untouched: never divide by a dim.
 * Shapes: [T,H] tokens of a packed batch by hidden size; "..." any leading dims; [] a scalar.
 * Packed batches: the texts of a batch are one stream of T tokens without padding; struct tn_seqs
 * says where each begins. No op here ever sees a pad token. Gradients: recorded for what depends on
 * a tn_param, unless the scope was pushed with no_grad. Threads: one context, one thread. Inside,
 * ops use tn_open's number of threads. Determinism: equal inputs, seeds and thread count give equal
 * bits on one machine. Dropout masks come from a counter hash of (seed, element), never from a
 * hidden generator, so recomputation and resumption repeat them.
 *
 *	tn_scope *root = tn_open("cpu", 2);
 *	tn_scope *s = tn_push(root);
 *	tensor y = tn_linear(s, x, w, b);              (* [T,O] *)
 *	tn_read_f32(s, y, out, n);
 *	tn_pop(s); */
#ifndef SHIM_TENSOR_H
#define SHIM_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* a struct and a function of one name, as C allows */
#endif

typedef struct tn_scope tn_scope; /* owns the tensors made in it */
typedef struct {
	uint32_t slot, gen;
} tensor; /* a name, copied freely, never freed alone */

#ifdef __cplusplus
#define TN_NONE (tensor{0, 0})
#else
#define TN_NONE ((tensor){0, 0}) /* "no bias", "no mask" */
#endif
/* A shape and its number of axes: tn_zeros(s, TN_F32, SHAPE(2, 3)). C only. */
#define SHAPE(...)                                                                                 \
	(const int64_t[]){__VA_ARGS__},                                                            \
	        (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

enum tn_status { TN_OK, TN_BAD_SHAPE, TN_STALE, TN_OOM, TN_TORCH };
enum tn_dtype { TN_F32, TN_BF16, TN_F16, TN_I64, TN_I32, TN_U8, TN_F64 };

/* Where each sequence of a packed batch begins: start[0] = 0 <= start[1] ... <= start[n] = T.
 * Borrowed during the call; what backward needs is copied. Empty sequences are allowed. */
struct tn_seqs {
	const int64_t *start;
	int64_t n;
};

/* Context and scopes. */
tn_scope *tn_open(const char *device, int threads, char *why,
        size_t why_size); /* "cpu" or "cuda:0"; NULL + why */
void tn_close(tn_scope *root);
tn_scope *tn_push(tn_scope *parent); /* child scope; pop before the parent */
tn_scope *tn_push_no_grad(tn_scope *parent); /* same, and ops record no gradient */
void tn_pop(tn_scope *s); /* autograd keeps what backward still needs */
tensor tn_keep(
        tn_scope *into, tensor t); /* the same tensor, now also owned by `into`, an ancestor */
void tn_drop(tn_scope *s, tensor t); /* frees one early: what s owns under this name */
size_t tn_live(const tn_scope *s); /* handles alive in the whole context: for leak tests */
enum tn_status tn_status(const tn_scope *s); /* first failure of the whole context */
const char *tn_message(const tn_scope *s); /* "" or one line; borrowed until tn_clear */
void tn_clear(tn_scope *s); /* forget the failure, e.g. to halve the batch */
bool tn_cuda_present(void); /* a GPU that libtorch could use (looks, loads nothing) */
const char *tn_torch_version(void); /* of the headers this was built with: "2.11.0" */
/* What the context runs on, for results and manifests: "AMX bf16, MKL 2024.2, 2 threads". Borrowed.
 */
const char *tn_describe(const tn_scope *s);

/* In and out. Data are host memory, row-major. */
tensor tn_from_f32(tn_scope *s, const float *data, const int64_t *shape, int ndim); /* copies */
tensor tn_from_i64(tn_scope *s, const int64_t *data, const int64_t *shape, int ndim); /* copies */
/* A tensor over memory that the caller keeps alive, unchanged, as long as the tensor and all it was
 * kept into live (mapped weights). On a GPU it is copied. Misaligned data are copied. */
tensor tn_borrow(
        tn_scope *s, const void *data, enum tn_dtype dtype, const int64_t *shape, int ndim);
tensor tn_zeros(tn_scope *s, enum tn_dtype dtype, const int64_t *shape, int ndim);
tensor tn_full(tn_scope *s, double value, const int64_t *shape, int ndim); /* f32 */
/* Uniform in [low, high) / normal(0, std) from the counter hash of seed. f32. */
tensor tn_uniform(
        tn_scope *s, double low, double high, uint64_t seed, const int64_t *shape, int ndim);
tensor tn_normal(tn_scope *s, double std, uint64_t seed, const int64_t *shape, int ndim);
bool tn_read_f32(tn_scope *s, tensor t, float *out,
        size_t n); /* n elements expected; converts from any dtype */
bool tn_read_i64(tn_scope *s, tensor t, int64_t *out, size_t n); /* integers only */
bool tn_read_raw(tn_scope *s, tensor t, void *out, size_t bytes); /* in the tensor's own dtype */
double tn_item(tn_scope *s, tensor t); /* the one element; NaN on failure */
int64_t tn_dim(tn_scope *s, tensor t, int axis); /* 0 on failure; -1 is the last axis */
int tn_ndim(tn_scope *s, tensor t);
int64_t tn_numel(tn_scope *s, tensor t);
enum tn_dtype tn_dtype_of(tn_scope *s, tensor t);
tensor tn_cast(tn_scope *s, tensor t, enum tn_dtype dtype); /* differentiable between floats */
tensor tn_copy(tn_scope *s, tensor t); /* detached, contiguous */
tensor tn_detach(tn_scope *s, tensor t); /* shares memory, no gradient */

/* Arithmetic: broadcasts as numpy does. */
tensor tn_add(tn_scope *s, tensor a, tensor b);
tensor tn_sub(tn_scope *s, tensor a, tensor b);
tensor tn_mul(tn_scope *s, tensor a, tensor b);
tensor tn_div(tn_scope *s, tensor a, tensor b);
tensor tn_scale(tn_scope *s, tensor a, double k);
tensor tn_shift(tn_scope *s, tensor a, double k); /* a + k */
tensor tn_exp(tn_scope *s, tensor a);
tensor tn_log(tn_scope *s, tensor a);
tensor tn_sqrt(tn_scope *s, tensor a);
tensor tn_tanh(tn_scope *s, tensor a);
tensor tn_relu(tn_scope *s, tensor a);
tensor tn_silu(tn_scope *s, tensor a);
tensor tn_sigmoid(tn_scope *s, tensor a);
tensor tn_gelu(tn_scope *s, tensor a, bool tanh_form); /* false: erf, as BERT's "gelu" */
tensor tn_where(tn_scope *s, tensor cond_u8, tensor a, tensor b);
tensor tn_matmul(tn_scope *s, tensor a, tensor b); /* [...,M,K][...,K,N] -> [...,M,N] */
tensor tn_linear(tn_scope *s, tensor x, tensor w, tensor bias); /* [...,I][O,I][O] -> [...,O] */

/* Shape. */
tensor tn_view(tn_scope *s, tensor x, const int64_t *shape, int ndim); /* one dim may be -1 */
tensor tn_transpose(tn_scope *s, tensor x, int a, int b);
tensor tn_contiguous(tn_scope *s, tensor x);
tensor tn_narrow(tn_scope *s, tensor x, int axis, int64_t start, int64_t len); /* a view */
tensor tn_cat(tn_scope *s, const tensor *parts, int n, int axis);
tensor tn_stack(tn_scope *s, const tensor *parts, int n, int axis);
tensor tn_index_select(
        tn_scope *s, tensor x, int axis, const int64_t *index, int64_t n); /* repeats allowed */
tensor tn_gather(tn_scope *s, tensor x, int axis, tensor index_i64);

/* Reduction. */
tensor tn_sum(tn_scope *s, tensor x); /* -> [] */
tensor tn_mean(tn_scope *s, tensor x); /* -> [] */
tensor tn_sum_axis(tn_scope *s, tensor x, int axis, bool keep_dim);
tensor tn_mean_axis(tn_scope *s, tensor x, int axis, bool keep_dim);
tensor tn_max_axis(tn_scope *s, tensor x, int axis); /* values */
tensor tn_norm_axis(tn_scope *s, tensor x, int axis, bool keep_dim); /* L2 */
/* The k largest along the last axis, largest first; ids i64. ret_ids may be NULL. */
tensor tn_topk(tn_scope *s, tensor x, int64_t k, tensor *ret_ids);
tensor tn_softmax(tn_scope *s, tensor x); /* last axis, computed in f32 */
tensor tn_log_softmax(tn_scope *s, tensor x); /* last axis, computed in f32 */
tensor tn_normalize(tn_scope *s, tensor x); /* last axis to L2 norm 1; eps 1e-12 as torch */
/* logits [N,C], target i64 [N], mean over N -> []. */
tensor tn_cross_entropy(tn_scope *s, tensor logits, const int64_t *target, int64_t n);

/* Pieces of a transformer over packed tokens. Where a CPU kernel of ours exists it computes in f32
 * inside. */
tensor tn_embedding(tn_scope *s, tensor table, const int64_t *ids,
        int64_t n); /* [V,H] -> [n,H]; dense gradient */
tensor tn_layer_norm(tn_scope *s, tensor x, tensor w, tensor b, double eps); /* last axis */
/* x / rms(x) * (shift + w): shift 0 as Llama has it, 1 as Gemma. */
tensor tn_rms_norm(tn_scope *s, tensor x, tensor w, double eps, double shift);
tensor tn_dropout(tn_scope *s, tensor x, double p, uint64_t seed); /* p = 0 returns x itself */
/* layer_norm(residual + dropout(x + bias)): one pass over memory forward, one backward. [T,H]; bias
 * [H] or TN_NONE. */
tensor tn_add_layer_norm(tn_scope *s, tensor x, tensor bias, tensor residual, tensor w, tensor b,
        double eps, double p, uint64_t seed);
enum tn_act {
	TN_ACT_NONE,
	TN_ACT_GELU,
	TN_ACT_GELU_TANH,
	TN_ACT_RELU,
	TN_ACT_TANH,
	TN_ACT_SILU
};
/* act(gate) * other, x [T,2F] -> [T,F]: gate in the first half of x, or in the last. Of acts, not
 * NONE and TANH. */
tensor tn_glu(tn_scope *s, tensor x, enum tn_act act, bool gate_last);
/* gelu(x + bias), x [T,F], bias [F]; backward recomputes, keeping only x. */
tensor tn_bias_gelu(tn_scope *s, tensor x, tensor bias, bool tanh_form);

struct tn_attention {
	int64_t n_heads, n_kv_heads,
	        head_dim; /* query heads share key heads when n_kv_heads < n_heads */
	double scale; /* multiplies q.k; 0 = 1/sqrt(head_dim) */
	bool is_causal;
	int64_t window; /* keys at most this far away on either side (left only when causal); 0 =
	                   all */
	double soft_cap; /* scores become cap * tanh(scores / cap); 0 = none (Gemma 2) */
	double dropout; /* of the probabilities */
	uint64_t seed;
};
/* Softmax attention within each sequence. qkv [T, (n_heads + 2 * n_kv_heads) * head_dim], q first,
 * then k, then v
 * -> [T, n_heads * head_dim]. Memory is linear in T: scores exist a tile at a time, backward
 * recomputes them. */
tensor tn_attention(tn_scope *s, tensor qkv, struct tn_seqs seqs, const struct tn_attention *how);
/* What decoders do to queries and keys in front of attention: a norm of each head when there is
 * one, then the rotary embedding in the rotate-half layout. */
struct tn_rotary {
	tensor cos, sin; /* [R, head_dim / 2] f32 */
	const int64_t *rows; /* [T] row of cos and sin that turns a token */
	tensor q_norm, k_norm; /* [head_dim] of a RMS norm of each head; TN_NONE: none */
	double eps, shift; /* of that norm, as tn_rms_norm */
};
/* qkv as tn_attention takes it -> the same shape; the values pass unchanged. */
tensor tn_rotary(
        tn_scope *s, tensor qkv, const struct tn_attention *how, const struct tn_rotary *rotary);

/* Pooling: [T,H] -> [n,H]. An empty sequence gives zeros. */
enum tn_pool {
	TN_POOL_MEAN,
	TN_POOL_CLS,
	TN_POOL_LAST,
	TN_POOL_MAX,
	TN_POOL_MEAN_SQRT,
	TN_POOL_WEIGHTED
};
tensor tn_pool(tn_scope *s, tensor x, struct tn_seqs seqs, enum tn_pool how);

/* Prepacked linears: inference only, CPU, the fast way of oneDNN in bf16 (AMX). The pack holds its
 * own copy. */
typedef struct tn_pack tn_pack;
tn_pack *tn_pack_linear(
        tn_scope *s, tensor w, tensor bias); /* w bf16 [O,I]; NULL + sticky error on failure */
void tn_pack_free(tn_pack *p);
tensor tn_linear_packed(
        tn_scope *s, tensor x, const tn_pack *p, enum tn_act act); /* [T,I] bf16 -> [T,O] bf16 */

/* Training. A param is a leaf: it outlives its scope only when kept. */
tensor tn_param(
        tn_scope *s, tensor value); /* contiguous f32 (or bf16) copy that collects a gradient */
void tn_backward(tn_scope *s, tensor loss); /* loss is []; adds into every leaf's grad */
void tn_backward_from(
        tn_scope *s, tensor y, tensor grad_y); /* as backward(y, grad_y): GradCache's second pass */
tensor tn_grad(
        tn_scope *s, tensor param); /* the gradient, shared memory; TN_NONE when there is none */
/* Forgets the gradients and frees them; that of a table (tn_embedding) becomes zero instead and is
 * kept, since only the rows that were looked up have to be cleared. */
void tn_zero_grad(tn_scope *s, const tensor *params, int n);
double tn_grad_norm(tn_scope *s, const tensor *params, int n); /* global L2; 0 without gradients */
void tn_scale_grads(tn_scope *s, const tensor *params, int n, double k); /* in place */
void tn_axpy_(tn_scope *s, tensor y, double k, tensor x); /* y += k*x in place, no gradient */
void tn_copy_(
        tn_scope *s, tensor dst, tensor src); /* dst = src in place, converts dtype, no gradient */
/* One AdamW step over n tensors (Loshchilov, Hutter 2019, alg. 2, decoupled decay, as
 * torch.optim.AdamW): f32, in place. m, v: first and second moments, shaped as the params. step
 * counts from 1. grad_scale multiplies each gradient on the fly (clipping without a pass of its
 * own). Params without a gradient are left alone. */
struct tn_adamw {
	double lr, beta1, beta2, eps, weight_decay, grad_scale;
	int64_t step;
};
void tn_adamw_(tn_scope *s, const tensor *params, const tensor *m, const tensor *v, int n,
        const struct tn_adamw *how);

/* Device memory in bytes: used now by tensors, the most it ever was, and what the device has. CPU:
 * used and peak are this process's resident set. */
struct tn_memory {
	int64_t used, peak, total;
};
struct tn_memory tn_memory(const tn_scope *s);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif
#endif

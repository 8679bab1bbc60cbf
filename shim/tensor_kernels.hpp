// tensor_kernels.hpp - the CPU loops that are ours: rows in, rows out, nothing of libtorch.
//
// The same source (tensor_kernel_body.hpp) is compiled once per instruction set; kernels() picks
// the widest that this CPU has. All compute in f32; elements in memory are f32 or bf16. No kernel
// allocates, throws or starts threads. Results depend on the instruction set's width (sums run in
// its lanes), never on the number of threads.
#ifndef SHIM_TENSOR_KERNELS_HPP
#define SHIM_TENSOR_KERNELS_HPP

#include <cstdint>

namespace shim
{

struct mask_rule {
	uint64_t seed;
	uint32_t below; // 0: nothing is dropped
	float inv_keep; // 1 / (1 - p)
};

// layer_norm(residual + dropout(x + bias)) of rows of n elements.
struct norm_args {
	const void *x, *residual; // residual may be NULL
	const float *bias, *w, *b; // bias may be NULL
	void *y;
	float *stats; // [rows, 2] mean and 1 / deviation; NULL: not kept
	int64_t n;
	float eps;
	mask_rule drop;
};
struct norm_grad_args {
	norm_args forward;
	const void *dy;
	void *dx, *dresidual; // dresidual may be NULL
	float *dbias, *dw, *db; // [n] each, added to; dbias may be NULL
	float *scratch; // [2 n]
};

struct gelu_args {
	const void *x;
	const float *bias; // [n]
	void *y; // forward
	const void *dy; // backward
	void *dx;
	float *dbias; // [n], added to
	int64_t n;
	bool tanh_form;
};

// x / rms(x) * (shift + w) of rows of n elements.
struct rms_args {
	const void *x;
	const float *w; // [n]
	void *y; // forward
	const void *dy; // backward
	void *dx;
	float *dw; // [n], added to
	int64_t n;
	float eps, shift;
};

enum class gate_act { gelu, gelu_tanh, relu, silu };

// act(gate) * other; x holds rows of 2 n elements: gate, other, or the reverse.
struct glu_args {
	const void *x;
	void *y; // forward, [rows, n]
	const void *dy; // backward
	void *dx;
	int64_t n;
	gate_act act;
	bool gate_last;
};

// What happens to queries and keys between their linear and attention. Rows of n_q + 2 n_k heads of
// d elements; the last n_k, the values, are copied.
struct head_args {
	const void *x;
	void *y; // forward
	const void *dy; // backward
	void *dx;
	const float *cos, *sin; // [R, d / 2]
	const int64_t *rows; // of cos and sin, one a token
	const float *q_norm, *k_norm; // [d]; NULL: heads are not normed
	float *dq_norm, *dk_norm; // [d], added to
	float *scratch; // [d], backward
	int64_t n_q, n_k, d;
	float eps, shift; // as in rms_args
};

// One row of scores: query i sees keys [low, high) of the n in the tile, the rest becomes 0.
struct score_row {
	int64_t low, high, n;
	float soft_cap; // 0: none
	uint64_t row; // of the mask
	uint32_t first_key; // the tile's first key in its sequence
	mask_rule drop;
	float max, inv_sum; // out of the forward, in to the backward
};

struct adamw_factors {
	float decay, beta1, beta2, eps, step_size, inv_root2, grad_scale;
};

// One set for each element type: f32 and bf16.
struct row_kernels {
	void (*norm)(const norm_args &a, int64_t begin, int64_t end, float *scratch);
	void (*norm_grad)(const norm_grad_args &a, int64_t begin, int64_t end);
	void (*gelu)(const gelu_args &a, int64_t begin, int64_t end);
	void (*gelu_grad)(const gelu_args &a, int64_t begin, int64_t end);
	// y = dropout(x) of elements [begin, end)
	void (*dropout)(const void *x, void *y, int64_t begin, int64_t end, mask_rule drop);
	// rows x n elements to f32 and back; strides in elements
	void (*widen)(const void *x, int64_t x_stride, float *y, int64_t y_stride, int64_t rows,
		int64_t n);
	void (*narrow)(const float *x, int64_t x_stride, void *y, int64_t y_stride, int64_t rows,
		int64_t n);
	void (*rms)(const rms_args &a, int64_t begin, int64_t end);
	void (*rms_grad)(const rms_args &a, int64_t begin, int64_t end);
	void (*glu)(const glu_args &a, int64_t begin, int64_t end);
	void (*glu_grad)(const glu_args &a, int64_t begin, int64_t end);
	void (*heads)(const head_args &a, int64_t begin, int64_t end);
	void (*heads_grad)(const head_args &a, int64_t begin, int64_t end);
};

struct kernel_set {
	const char *name;
	row_kernels f32, bf16;
	// Scores to unnormalised, dropped probabilities in place.
	void (*softmax)(float *s, score_row &r);
	// s: scores, then dropped probabilities times inv_keep; dp: gradient of those, then of the
	// scores. scratch [n].
	void (*softmax_grad)(float *s, float *dp, float *scratch, const score_row &r);
	void (*scale_rows)(float *x, int64_t stride, const float *k, int64_t k_stride, int64_t rows,
		int64_t n);
	void (*adamw)(
		float *p, float *m, float *v, const float *g, int64_t n, const adamw_factors &k);
	double (*sum_squares)(const float *x, int64_t n);
};

extern const kernel_set kernels_avx512, kernels_avx2, kernels_sse2;
const kernel_set &kernels(); // for this CPU

} // namespace shim

#endif

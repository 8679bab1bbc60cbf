// tensor_kernel_gated.hpp - the kernels of decoders: RMS norm, gated activations, rotary heads.
//
// Part of tensor_kernel_body.hpp, which includes it.
#ifndef SHIM_TENSOR_KERNEL_GATED_HPP
#define SHIM_TENSOR_KERNEL_GATED_HPP

#include "tensor_kernel_math.hpp"
#include "tensor_kernels.hpp"

namespace shim
{
namespace
{

inline void add_to(float *p, vf v, int64_t k)
{
	store(p, load(p, k) + v, k);
}

// 1 / sqrt(mean(x^2) + eps)
template <class T> inline float inverse_rms(const T *x, int64_t n, float eps)
{
	vf square = {};
	for (int64_t i = 0; i < n; i += W) {
		vf v = load(x + i, n - i);
		square += v * v;
	}
	return 1.0f / __builtin_sqrtf(sum(square) / static_cast<float>(n) + eps);
}

// Zhang, Sennrich 2019, eq. 4
template <class T> void rms(const rms_args &a, int64_t begin, int64_t end)
{
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * a.n;
		T *y = static_cast<T *>(a.y) + row * a.n;
		vf inv = splat(inverse_rms(x, a.n, a.eps)), shift = splat(a.shift);
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			store(y + i, load(x + i, k) * inv * (shift + load(a.w + i, k)), k);
		}
	}
}

// With xhat = x * inv and g = dy * (shift + w): dx = inv * (g - xhat * mean(g * xhat)).
template <class T> void rms_grad(const rms_args &a, int64_t begin, int64_t end)
{
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * a.n,
			*dy = static_cast<const T *>(a.dy) + row * a.n;
		T *dx = static_cast<T *>(a.dx) + row * a.n;
		vf inv = splat(inverse_rms(x, a.n, a.eps)), shift = splat(a.shift), dot = {};
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			vf xhat = load(x + i, k) * inv, d = load(dy + i, k);
			add_to(a.dw + i, d * xhat, k);
			dot += d * (shift + load(a.w + i, k)) * xhat;
		}
		vf mean = splat(sum(dot) / static_cast<float>(a.n));
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			vf g = load(dy + i, k) * (shift + load(a.w + i, k));
			store(dx + i, inv * (g - load(x + i, k) * inv * mean), k);
		}
	}
}

inline void act_of(vf t, gate_act act, vf &value, vf &slope)
{
	const vf one = splat(1.0f);
	switch (act) {
	case gate_act::gelu:
	case gate_act::gelu_tanh:
		gelu_of(t, act == gate_act::gelu_tanh, value, slope);
		return;
	case gate_act::relu:
		value = larger(t, vf{});
		slope = t > vf{} ? one : vf{};
		return;
	case gate_act::silu:
		break;
	}
	vf gate = one / (one + exp_of(-t));
	value = t * gate;
	slope = gate * (one + t * (one - gate));
}

// Shazeer 2020, GLU variants: y = act(gate) * other.
template <class T> void glu(const glu_args &a, int64_t begin, int64_t end)
{
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * 2 * a.n;
		const T *gate = a.gate_last ? x + a.n : x, *other = a.gate_last ? x : x + a.n;
		T *y = static_cast<T *>(a.y) + row * a.n;
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			vf value, slope;
			act_of(load(gate + i, k), a.act, value, slope);
			store(y + i, value * load(other + i, k), k);
		}
	}
}

template <class T> void glu_grad(const glu_args &a, int64_t begin, int64_t end)
{
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * 2 * a.n,
			*dy = static_cast<const T *>(a.dy) + row * a.n;
		T *dx = static_cast<T *>(a.dx) + row * 2 * a.n;
		int64_t gate = a.gate_last ? a.n : 0, other = a.gate_last ? 0 : a.n;
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			vf value, slope, d = load(dy + i, k);
			act_of(load(x + gate + i, k), a.act, value, slope);
			vf u = load(x + other + i, k);
			store(dx + gate + i, d * u * slope, k);
			store(dx + other + i, d * value, k);
		}
	}
}

// One head: its norm when w is there, then the turn of its halves (Su et al. 2021, eq. 34, in the
// rotate-half layout of GPT-NeoX).
template <class T>
inline void turn(
	const head_args &a, const T *x, T *y, const float *w, const float *c, const float *s)
{
	int64_t half = a.d / 2;
	vf inv = splat(w ? inverse_rms(x, a.d, a.eps) : 1.0f), shift = splat(a.shift);
	for (int64_t i = 0; i < half; i += W) {
		int64_t k = half - i;
		vf u = load(x + i, k), v = load(x + half + i, k);
		if (w) {
			u = u * inv * (shift + load(w + i, k));
			v = v * inv * (shift + load(w + half + i, k));
		}
		vf cos = load(c + i, k), sin = load(s + i, k);
		store(y + i, u * cos - v * sin, k);
		store(y + half + i, v * cos + u * sin, k);
	}
}

// The turn back; then, with a norm, as rms_grad. g: scratch [d].
template <class T>
inline void turn_back(const head_args &a, const T *x, const T *dy, T *dx, const float *w, float *dw,
	const float *c, const float *s, float *g)
{
	int64_t half = a.d / 2;
	for (int64_t i = 0; i < half; i += W) {
		int64_t k = half - i;
		vf u = load(dy + i, k), v = load(dy + half + i, k);
		vf cos = load(c + i, k), sin = load(s + i, k);
		vf first = u * cos + v * sin, second = v * cos - u * sin;
		if (w) {
			store(g + i, first, k);
			store(g + half + i, second, k);
		} else {
			store(dx + i, first, k);
			store(dx + half + i, second, k);
		}
	}
	if (!w)
		return;
	vf inv = splat(inverse_rms(x, a.d, a.eps)), shift = splat(a.shift), dot = {};
	for (int64_t i = 0; i < a.d; i += W) {
		int64_t k = a.d - i;
		vf xhat = load(x + i, k) * inv, d = load(g + i, k);
		add_to(dw + i, d * xhat, k);
		d *= shift + load(w + i, k);
		dot += d * xhat;
		store(g + i, d, k);
	}
	vf mean = splat(sum(dot) / static_cast<float>(a.d));
	for (int64_t i = 0; i < a.d; i += W) {
		int64_t k = a.d - i;
		store(dx + i, inv * (load(g + i, k) - load(x + i, k) * inv * mean), k);
	}
}

template <class T> void heads(const head_args &a, int64_t begin, int64_t end)
{
	int64_t n_turned = a.n_q + a.n_k, width = (n_turned + a.n_k) * a.d;
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * width;
		T *y = static_cast<T *>(a.y) + row * width;
		const float *c = a.cos + a.rows[row] * (a.d / 2),
			    *s = a.sin + a.rows[row] * (a.d / 2);
		for (int64_t h = 0; h < n_turned; h++)
			turn(a, x + h * a.d, y + h * a.d, h < a.n_q ? a.q_norm : a.k_norm, c, s);
		memcpy(y + n_turned * a.d, x + n_turned * a.d,
			static_cast<size_t>(a.n_k * a.d) * sizeof *x);
	}
}

template <class T> void heads_grad(const head_args &a, int64_t begin, int64_t end)
{
	int64_t n_turned = a.n_q + a.n_k, width = (n_turned + a.n_k) * a.d;
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * width,
			*dy = static_cast<const T *>(a.dy) + row * width;
		T *dx = static_cast<T *>(a.dx) + row * width;
		const float *c = a.cos + a.rows[row] * (a.d / 2),
			    *s = a.sin + a.rows[row] * (a.d / 2);
		for (int64_t h = 0; h < n_turned; h++) {
			bool is_q = h < a.n_q;
			int64_t at = h * a.d;
			turn_back(a, x + at, dy + at, dx + at, is_q ? a.q_norm : a.k_norm,
				is_q ? a.dq_norm : a.dk_norm, c, s, a.scratch);
		}
		memcpy(dx + n_turned * a.d, dy + n_turned * a.d,
			static_cast<size_t>(a.n_k * a.d) * sizeof *x);
	}
}

} // namespace
} // namespace shim

#endif

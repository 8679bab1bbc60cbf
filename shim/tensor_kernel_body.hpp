// tensor_kernel_body.hpp - the kernels, compiled once per instruction set into one kernel_set,
// SHIM_KERNELS.
#include "tensor_kernel_gated.hpp"
#include "tensor_kernel_math.hpp"
#include "tensor_kernels.hpp"

namespace shim
{
namespace
{

template <class T> inline vf norm_input(const norm_args &a, int64_t row, int64_t i, int64_t k)
{
	int64_t at = row * a.n + i;
	vf h = load(static_cast<const T *>(a.x) + at, k);
	if (a.bias)
		h += load(a.bias + i, k);
	h = drop_at(h, a.drop, at);
	if (a.residual)
		h += load(static_cast<const T *>(a.residual) + at, k);
	return h;
}

template <class T> void norm(const norm_args &a, int64_t begin, int64_t end, float *h)
{
	float inv_n = 1.0f / static_cast<float>(a.n);
	for (int64_t row = begin; row < end; row++) {
		vf total = {};
		for (int64_t i = 0; i < a.n; i += W) {
			vf v = only(norm_input<T>(a, row, i, a.n - i), a.n - i, vf{});
			store(h + i, v, a.n - i);
			total += v;
		}
		vf mean = splat(sum(total) * inv_n), square = {};
		for (int64_t i = 0; i < a.n; i += W) {
			vf d = only(load(h + i, a.n - i) - mean, a.n - i, vf{});
			square += d * d;
		}
		float inv = 1.0f / __builtin_sqrtf(sum(square) * inv_n + a.eps);
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			vf y = (load(h + i, k) - mean) * splat(inv) * load(a.w + i, k);
			if (a.b)
				y += load(a.b + i, k);
			store(static_cast<T *>(a.y) + row * a.n + i, y, k);
		}
		if (a.stats) {
			a.stats[2 * row] = mean[0];
			a.stats[2 * row + 1] = inv;
		}
	}
}

// Ba, Kiros, Hinton 2016; with xhat = (h - mean) * inv and g = dy * w:
// dh = inv * (g - mean(g) - xhat * mean(g * xhat))
template <class T> void norm_grad(const norm_grad_args &g, int64_t begin, int64_t end)
{
	const norm_args &a = g.forward;
	const float inv_n = 1.0f / static_cast<float>(a.n);
	float *xhat = g.scratch, *dyw = g.scratch + a.n;
	for (int64_t row = begin; row < end; row++) {
		vf mean = splat(a.stats[2 * row]), inv = splat(a.stats[2 * row + 1]), s1 = {},
		   s2 = {};
		const T *dy = static_cast<const T *>(g.dy) + row * a.n;
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			vf x = (norm_input<T>(a, row, i, k) - mean) * inv, d = load(dy + i, k);
			vf dw = d * load(a.w + i, k);
			store(xhat + i, x, k);
			store(dyw + i, dw, k);
			s1 += dw; // lanes beyond k are 0 in dy
			s2 += dw * x;
			add_to(g.dw + i, d * x, k);
			if (g.db)
				add_to(g.db + i, d, k);
		}
		vf c1 = splat(sum(s1) * inv_n), c2 = splat(sum(s2) * inv_n);
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i, at = row * a.n + i;
			vf dh = inv * (load(dyw + i, k) - c1 - load(xhat + i, k) * c2);
			if (g.dresidual)
				store(static_cast<T *>(g.dresidual) + at, dh, k);
			dh = drop_at(dh, a.drop, at);
			store(static_cast<T *>(g.dx) + at, dh, k);
			if (g.dbias)
				add_to(g.dbias + i, dh, k);
		}
	}
}

template <class T> void gelu(const gelu_args &a, int64_t begin, int64_t end)
{
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * a.n;
		T *y = static_cast<T *>(a.y) + row * a.n;
		for (int64_t i = 0; i < a.n; i += W) {
			vf value, slope;
			gelu_of(load(x + i, a.n - i) + load(a.bias + i, a.n - i), a.tanh_form,
				value, slope);
			store(y + i, value, a.n - i);
		}
	}
}

template <class T> void gelu_grad(const gelu_args &a, int64_t begin, int64_t end)
{
	for (int64_t row = begin; row < end; row++) {
		const T *x = static_cast<const T *>(a.x) + row * a.n,
			*dy = static_cast<const T *>(a.dy) + row * a.n;
		T *dx = static_cast<T *>(a.dx) + row * a.n;
		for (int64_t i = 0; i < a.n; i += W) {
			int64_t k = a.n - i;
			vf value, slope;
			gelu_of(load(x + i, k) + load(a.bias + i, k), a.tanh_form, value, slope);
			vf d = load(dy + i, k) * slope;
			store(dx + i, d, k);
			add_to(a.dbias + i, d, k);
		}
	}
}

template <class T> void dropout(const void *x, void *y, int64_t begin, int64_t end, mask_rule drop)
{
	for (int64_t i = begin; i < end; i += W) {
		vf v = load(static_cast<const T *>(x) + i, end - i);
		store(static_cast<T *>(y) + i, drop_at(v, drop, i), end - i);
	}
}

template <class T>
void widen_rows(
	const void *x, int64_t x_stride, float *y, int64_t y_stride, int64_t rows, int64_t n)
{
	for (int64_t row = 0; row < rows; row++)
		for (int64_t i = 0; i < n; i += W)
			store(y + row * y_stride + i,
				load(static_cast<const T *>(x) + row * x_stride + i, n - i), n - i);
}

template <class T>
void narrow_rows(
	const float *x, int64_t x_stride, void *y, int64_t y_stride, int64_t rows, int64_t n)
{
	for (int64_t row = 0; row < rows; row++)
		for (int64_t i = 0; i < n; i += W)
			store(static_cast<T *>(y) + row * y_stride + i,
				load(x + row * x_stride + i, n - i), n - i);
}

inline vf capped(vf s, float cap)
{
	return cap > 0.0f ? splat(cap) * tanh_of(s * splat(1.0f / cap)) : s;
}

inline void zero(float *p, int64_t begin, int64_t end)
{
	if (end > begin)
		memset(p + begin, 0, static_cast<size_t>(end - begin) * sizeof *p);
}

void softmax(float *s, score_row &r)
{
	vf most = splat(-__builtin_inff()), total = {};
	for (int64_t j = r.low; j < r.high; j += W) {
		vf v = capped(load(s + j, r.high - j), r.soft_cap);
		if (r.soft_cap > 0.0f)
			store(s + j, v, r.high - j);
		most = larger(only(v, r.high - j, most), most);
	}
	r.max = most[0];
	for (int i = 1; i < W; i++)
		r.max = most[i] > r.max ? most[i] : r.max;
	hash_key key = r.drop.below ? key_of(r.drop.seed, r.row) : hash_key{};
	for (int64_t j = r.low; j < r.high; j += W) {
		vf e = exp_of(load(s + j, r.high - j) - splat(r.max));
		total += only(e, r.high - j, vf{});
		if (r.drop.below)
			e = keep(
				e, kept(key, r.first_key + static_cast<uint32_t>(j), r.drop.below));
		store(s + j, e, r.high - j);
	}
	r.inv_sum = 1.0f / sum(total);
	zero(s, 0, r.low);
	zero(s, r.high, r.n);
}

// With P the probabilities and M the mask times inv_keep: dP = M * dPM, dS = P * (dP - sum(P *
// dP)). slope [n]: scratch for the derivative of the soft cap, 1 - (capped / cap)^2.
void softmax_grad(float *s, float *dp, float *slope, const score_row &r)
{
	bool has_cap = r.soft_cap > 0.0f;
	hash_key key = r.drop.below ? key_of(r.drop.seed, r.row) : hash_key{};
	vf dot = {};
	for (int64_t j = r.low; j < r.high; j += W) {
		int64_t k = r.high - j;
		vf v = capped(load(s + j, k), r.soft_cap);
		vf p = only(exp_of(v - splat(r.max)) * splat(r.inv_sum), k, vf{}),
		   d = load(dp + j, k);
		if (has_cap) {
			vf ratio = v * splat(1.0f / r.soft_cap);
			store(slope + j, splat(1.0f) - ratio * ratio, k);
		}
		vf sign = splat(1.0f);
		if (r.drop.below) { // the second pass learns from the sign what was dropped
			vi mask = kept(key, r.first_key + static_cast<uint32_t>(j), r.drop.below);
			d = keep(d * splat(r.drop.inv_keep), mask);
			sign = mask ? sign : splat(-1.0f);
		}
		dot += p * d;
		store(s + j, p * sign, k);
		store(dp + j, d, k);
	}
	vf mean = splat(sum(dot));
	for (int64_t j = r.low; j < r.high; j += W) {
		int64_t k = r.high - j;
		vf p = load(s + j, k);
		vf ds = abs_of(p) * (load(dp + j, k) - mean);
		store(dp + j, has_cap ? ds * load(slope + j, k) : ds, k);
		store(s + j, larger(p, vf{}) * splat(r.drop.inv_keep), k);
	}
	zero(s, 0, r.low);
	zero(s, r.high, r.n);
	zero(dp, 0, r.low);
	zero(dp, r.high, r.n);
}

void scale_rows(float *x, int64_t stride, const float *k, int64_t k_stride, int64_t rows, int64_t n)
{
	for (int64_t row = 0; row < rows; row++)
		for (int64_t i = 0; i < n; i += W)
			store(x + row * stride + i,
				load(x + row * stride + i, n - i) * splat(k[row * k_stride]),
				n - i);
}

// Loshchilov, Hutter 2019, algorithm 2. Scalar in form; the compiler makes vectors of it, square
// root included.
void adamw(float *__restrict p, float *__restrict m, float *__restrict v, const float *__restrict g,
	int64_t n, const adamw_factors &f)
{
	const adamw_factors k = f;
	for (int64_t i = 0; i < n; i++) {
		float grad = g[i] * k.grad_scale;
		float first = k.beta1 * m[i] + (1.0f - k.beta1) * grad;
		float second = k.beta2 * v[i] + (1.0f - k.beta2) * grad * grad;
		m[i] = first;
		v[i] = second;
		p[i] = p[i] * k.decay -
			k.step_size * first / (__builtin_sqrtf(second) * k.inv_root2 + k.eps);
	}
}

double sum_squares(const float *x, int64_t n)
{
	double lane[8] = {}, total = 0.0;
	int64_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (int64_t k = 0; k < 8; k++)
			lane[k] += static_cast<double>(x[i + k]) * static_cast<double>(x[i + k]);
	for (; i < n; i++)
		total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
	for (double l : lane)
		total += l;
	return total;
}

template <class T> constexpr row_kernels rows_of()
{
	return {norm<T>, norm_grad<T>, gelu<T>, gelu_grad<T>, dropout<T>, widen_rows<T>,
		narrow_rows<T>, rms<T>, rms_grad<T>, glu<T>, glu_grad<T>, heads<T>, heads_grad<T>};
}

} // namespace

extern const kernel_set SHIM_KERNELS;
const kernel_set SHIM_KERNELS = {SHIM_NAME, rows_of<float>(), rows_of<bf16>(), softmax,
	softmax_grad, scale_rows, adamw, sum_squares};

} // namespace shim

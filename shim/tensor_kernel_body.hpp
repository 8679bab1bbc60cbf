// tensor_kernel_body.hpp - the kernels, in vectors of SHIM_BYTES; compiled into one kernel_set, SHIM_KERNELS.
//
// Only headers without inline code of other instruction sets may be included here: the linker keeps one copy of an
// inline function, and must not pick one that this CPU cannot run. So everything is static, and nothing is std.
#include <cstdint>
#include <cstring>

#include "tensor_hash.hpp"
#include "tensor_kernels.hpp"

namespace shim
{
namespace
{

typedef float vf __attribute__((vector_size(SHIM_BYTES)));
typedef int32_t vi __attribute__((vector_size(SHIM_BYTES)));
typedef uint32_t vu __attribute__((vector_size(SHIM_BYTES)));
typedef uint16_t vh __attribute__((vector_size(SHIM_BYTES / 2)));
typedef uint16_t bf16;
constexpr int64_t W = SHIM_BYTES / 4;

inline vf splat(float x)
{
	return x - vf{};
}

template <class V> inline V read(const void *p)
{
	V v;
	memcpy(&v, p, sizeof v);
	return v;
}

inline vf widen(vh h)
{
	return reinterpret_cast<vf>(__builtin_convertvector(h, vu) << 16);
}

// Round to nearest even; a NaN stays one.
inline vh narrow(vf x)
{
	vu u = reinterpret_cast<vu>(x);
	u = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
	vu nan = vu{} + 0x7fc0u;
	return __builtin_convertvector(x == x ? u : nan, vh);
}

inline vf load(const float *p)
{
	return read<vf>(p);
}
inline vf load(const bf16 *p)
{
	return widen(read<vh>(p));
}
inline void store(float *p, vf v)
{
	memcpy(p, &v, sizeof v);
}
inline void store(bf16 *p, vf v)
{
	vh h = narrow(v);
	memcpy(p, &h, sizeof h);
}

// The first k < W elements; the others read as 0 and are not written.
template <class T> inline vf load(const T *p, int64_t k)
{
	if (k >= W)
		return load(p);
	T part[W] = {};
	memcpy(part, p, static_cast<size_t>(k) * sizeof(T));
	return load(part);
}
template <class T> inline void store(T *p, vf v, int64_t k)
{
	if (k >= W)
		return store(p, v);
	T part[W];
	store(part, v);
	memcpy(p, part, static_cast<size_t>(k) * sizeof(T));
}

inline vi lanes()
{
	vi v = {};
	for (int i = 0; i < W; i++)
		v[i] = i;
	return v;
}

// 1s in the first k lanes
inline vf only(vf v, int64_t k, vf other)
{
	return k >= W ? v : (lanes() < vi{} + static_cast<int32_t>(k) ? v : other);
}

inline float sum(vf v)
{
	float s = 0.0f;
	for (int i = 0; i < W; i++)
		s += v[i];
	return s;
}

inline vf larger(vf a, vf b)
{
	return a > b ? a : b;
}

// exp by 2^n * e^r, |r| <= ln2 / 2 (Cody, Waite 1980); relative error below 2e-7. Clamped to normal numbers.
inline vf exp_of(vf x)
{
	x = x < splat(-87.0f) ? splat(-87.0f) : x;
	x = x > splat(88.0f) ? splat(88.0f) : x;
	const vf magic = splat(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
	vf shifted = x * splat(1.44269504f) + magic;
	vf n = shifted - magic;
	vf r = x - n * splat(0.693359375f);
	r = r + n * splat(2.12194440e-4f);
	vf p = splat(1.98756915e-4f);
	p = p * r + splat(1.39819995e-3f);
	p = p * r + splat(8.33345205e-3f);
	p = p * r + splat(4.16657962e-2f);
	p = p * r + splat(1.66666657e-1f);
	p = p * r + splat(0.5f);
	p = p * r * r + r + splat(1.0f);
	vu exponent = reinterpret_cast<vu>(shifted) << 23;
	return reinterpret_cast<vf>(reinterpret_cast<vu>(p) + exponent);
}

inline vf tanh_of(vf x)
{
	return splat(1.0f) - splat(2.0f) / (exp_of(x + x) + splat(1.0f));
}

inline vf abs_of(vf x)
{
	return reinterpret_cast<vf>(reinterpret_cast<vu>(x) & 0x7fffffffu);
}

// Bits set where the element is kept. 32-bit twin of hash32, see tensor_hash.hpp.
inline vi kept(hash_key key, uint32_t first, uint32_t below)
{
	vu x = (reinterpret_cast<vu>(lanes()) + first) ^ key.low;
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= key.high;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	x ^= x >> 16;
	return x >= vu{} + below;
}

inline vf keep(vf v, vi mask)
{
	return mask ? v : vf{};
}

// The mask of elements at ..+W of a tensor counted as one row.
inline vi kept_at(const mask_rule &drop, int64_t at)
{
	uint64_t i = static_cast<uint64_t>(at);
	hash_key key = key_of(drop.seed, i >> 32);
	uint32_t low = static_cast<uint32_t>(i);
	if (low <= 0xffffffffu - static_cast<uint32_t>(W))
		return kept(key, low, drop.below);
	vi mask = {}; // the counter's high half turns within the vector
	for (int k = 0; k < W; k++) {
		uint64_t e = i + static_cast<uint64_t>(k);
		mask[k] = hash32(key_of(drop.seed, e >> 32), static_cast<uint32_t>(e)) < drop.below
			? 0
			: -1;
	}
	return mask;
}

inline vf drop_at(vf v, const mask_rule &drop, int64_t at)
{
	return drop.below ? keep(v * splat(drop.inv_keep), kept_at(drop, at)) : v;
}

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

inline void add_to(float *p, vf v, int64_t k)
{
	store(p, load(p, k) + v, k);
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

// Phi(t) and phi(t) of the standard normal. 1 - Phi(a) = exp(-a^2/2) * P(u), u = 1 / (1 + 0.3 a), with P fitted by
// weighted least squares to erfcx(a / sqrt 2) / 2 on [0, 14]: relative error below 2e-7.
inline void normal(vf t, vf &cumulative, vf &density)
{
	vf a = abs_of(t), u = splat(1.0f) / (splat(1.0f) + splat(0.3f) * a),
	   e = exp_of(splat(-0.5f) * t * t);
	vf p = splat(0.0356749467f);
	p = p * u + splat(-0.157203761f);
	p = p * u + splat(0.206354598f);
	p = p * u + splat(-0.0536845741f);
	p = p * u + splat(0.128562077f);
	p = p * u + splat(0.0999133681f);
	p = p * u + splat(0.120753974f);
	p = p * u + splat(0.119629298f);
	vf tail = e * p * u;
	cumulative = t < vf{} ? tail : splat(1.0f) - tail;
	density = e * splat(0.398942280f);
}

// gelu and its derivative (Hendrycks, Gimpel 2016, eq. 2 and its tanh form)
inline void gelu_of(vf t, bool tanh_form, vf &value, vf &slope)
{
	if (!tanh_form) {
		vf cumulative, density;
		normal(t, cumulative, density);
		value = t * cumulative;
		slope = cumulative + t * density;
		return;
	}
	const vf c = splat(0.797884561f), k = splat(0.044715f);
	vf inner = c * (t + k * t * t * t);
	vf gate = splat(1.0f) / (splat(1.0f) + exp_of(splat(-2.0f) * inner)); // (1 + tanh) / 2
	value = t * gate;
	slope = gate +
		splat(2.0f) * t * gate * (splat(1.0f) - gate) * c *
			(splat(1.0f) + splat(3.0f) * k * t * t);
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

// With P the probabilities and M the mask times inv_keep: dP = M * dPM, dS = P * (dP - sum(P * dP)).
// slope [n]: scratch for the derivative of the soft cap, 1 - (capped / cap)^2.
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

// Loshchilov, Hutter 2019, algorithm 2. Scalar in form; the compiler makes vectors of it, square root included.
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
		narrow_rows<T>};
}

} // namespace

extern const kernel_set SHIM_KERNELS;
const kernel_set SHIM_KERNELS = {SHIM_NAME, rows_of<float>(), rows_of<bf16>(), softmax,
	softmax_grad, scale_rows, adamw, sum_squares};

} // namespace shim

// tensor_kernel_math.hpp - vectors of SHIM_BYTES for the kernels: loads and stores of f32 and bf16,
// exp, tanh, gelu, the dropout mask.
//
// Only headers without inline code of other instruction sets may be included here: the linker keeps
// one copy of an inline function, and must not pick one that this CPU cannot run. So everything is
// in an unnamed namespace, and nothing is std.
#ifndef SHIM_TENSOR_KERNEL_MATH_HPP
#define SHIM_TENSOR_KERNEL_MATH_HPP

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

// exp by 2^n * e^r, |r| <= ln2 / 2 (Cody, Waite 1980); relative error below 2e-7. Clamped to normal
// numbers.
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

// Phi(t) and phi(t) of the standard normal. 1 - Phi(a) = exp(-a^2/2) * P(u), u = 1 / (1 + 0.3 a),
// with P fitted by weighted least squares to erfcx(a / sqrt 2) / 2 on [0, 14]: relative error below
// 2e-7.
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

} // namespace
} // namespace shim

#endif

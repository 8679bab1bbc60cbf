// tensor_data.cpp - host memory to tensors and back.
#include "tensor_internal.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "tensor_hash.hpp"
#include "tensor_table.hpp"

namespace shim
{

// From here on zeros are left to the system until they are written: the moments of a table, most of
// whose rows never get any.
constexpr int64_t lazy_elements = int64_t{1} << 23;

at::ScalarType scalar_type(enum tn_dtype dtype)
{
	switch (dtype) {
	case TN_F32:
		return at::kFloat;
	case TN_BF16:
		return at::kBFloat16;
	case TN_F16:
		return at::kHalf;
	case TN_I64:
		return at::kLong;
	case TN_I32:
		return at::kInt;
	case TN_U8:
		return at::kByte;
	case TN_F64:
		return at::kDouble;
	}
	throw bad_shape(cat("unknown dtype ", static_cast<int>(dtype)));
}

static enum tn_dtype code_of(at::ScalarType type)
{
	for (enum tn_dtype code : {TN_F32, TN_BF16, TN_F16, TN_I64, TN_I32, TN_U8, TN_F64}) {
		if (scalar_type(code) == type)
			return code;
	}
	throw bad_shape(cat("dtype ", type, " has no name here"));
}

at::Tensor to_device(const context &c, const at::Tensor &host)
{
	return c.device.is_cpu() ? host : host.to(c.device);
}

at::Tensor from_host(const context &c, const void *data, at::ScalarType type, at::IntArrayRef shape)
{
	at::Tensor host = at::empty(shape, type);
	if (host.numel() > 0)
		memcpy(host.data_ptr(), data, host.nbytes());
	return to_device(c, host);
}

static void check_shape(const int64_t *shape, int ndim)
{
	require(ndim >= 0 && (ndim == 0 || shape), "shape of ", ndim, " axes");
	for (int64_t d : dims(shape, ndim))
		require(d >= 0, "negative dim in shape ", dims(shape, ndim));
}

static tensor copy_in(tn_scope *s, const char *name, const void *data, at::ScalarType type,
	const int64_t *shape, int ndim)
{
	return op(s, name, [&] {
		check_shape(shape, ndim);
		return from_host(context_of(s), data, type, dims(shape, ndim));
	});
}

static at::Tensor to_host(const at::Tensor &t, at::ScalarType type)
{
	return t.detach().to(at::TensorOptions().device(at::kCPU).dtype(type)).contiguous();
}

static bool copy_out(
	const at::Tensor &host, void *out, size_t bytes, size_t wanted, const char *unit)
{
	require(bytes == wanted, "holds ", host.numel(), " elements (", bytes,
		" bytes), asked for ", wanted, unit);
	if (bytes > 0)
		memcpy(out, host.const_data_ptr(), bytes);
	return true;
}

// f32 of `shape` on the host, filled by next(element), then on the device.
template <class F>
static tensor generate(tn_scope *s, const char *name, const int64_t *shape, int ndim, F &&next)
{
	return op(s, name, [&] {
		check_shape(shape, ndim);
		at::Tensor host = at::empty(dims(shape, ndim), at::kFloat);
		float *out = host.mutable_data_ptr<float>();
		for (int64_t i = 0; i < host.numel(); i++)
			out[i] = static_cast<float>(next(static_cast<uint64_t>(i)));
		return to_device(context_of(s), host);
	});
}

// Uniform in [0, 1) with 53 bits.
static double unit(uint64_t seed, uint64_t i)
{
	return static_cast<double>(mix64(mix64(seed + 0x9e3779b97f4a7c15u) + i) >> 11) * 0x1p-53;
}

} // namespace shim

using namespace shim;

tensor tn_from_f32(tn_scope *s, const float *data, const int64_t *shape, int ndim)
{
	return copy_in(s, __func__, data, at::kFloat, shape, ndim);
}

tensor tn_from_i64(tn_scope *s, const int64_t *data, const int64_t *shape, int ndim)
{
	return copy_in(s, __func__, data, at::kLong, shape, ndim);
}

tensor tn_borrow(tn_scope *s, const void *data, enum tn_dtype dtype, const int64_t *shape, int ndim)
{
	return op(s, __func__, [&] {
		check_shape(shape, ndim);
		at::ScalarType type = scalar_type(dtype);
		bool is_aligned = reinterpret_cast<uintptr_t>(data) % c10::elementSize(type) == 0;
		if (!context_of(s).device.is_cpu() || !is_aligned)
			return from_host(context_of(s), data, type, dims(shape, ndim));
		return at::from_blob(const_cast<void *>(data), dims(shape, ndim), type);
	});
}

tensor tn_zeros(tn_scope *s, enum tn_dtype dtype, const int64_t *shape, int ndim)
{
	return op(s, __func__, [&] {
		check_shape(shape, ndim);
		if (dtype == TN_F32 && context_of(s).device.is_cpu() &&
			c10::multiply_integers(dims(shape, ndim)) >= lazy_elements)
			return lazy_zeros(dims(shape, ndim));
		return at::zeros(dims(shape, ndim),
			at::TensorOptions().dtype(scalar_type(dtype)).device(context_of(s).device));
	});
}

tensor tn_full(tn_scope *s, double value, const int64_t *shape, int ndim)
{
	return op(s, __func__, [&] {
		check_shape(shape, ndim);
		return at::full(dims(shape, ndim), value,
			at::TensorOptions().dtype(at::kFloat).device(context_of(s).device));
	});
}

tensor tn_uniform(
	tn_scope *s, double low, double high, uint64_t seed, const int64_t *shape, int ndim)
{
	float below =
		std::nextafter(static_cast<float>(high), -std::numeric_limits<float>::infinity());
	return generate(
		s, __func__, shape, ndim, [=](uint64_t i) { // rounding to f32 must not reach high
			double x = low + (high - low) * unit(seed, i);
			return high > low ? std::min(x, static_cast<double>(below)) : low;
		});
}

// Box and Muller 1958; 1 - u lies in (0, 1].
tensor tn_normal(tn_scope *s, double std, uint64_t seed, const int64_t *shape, int ndim)
{
	return generate(s, __func__, shape, ndim, [=](uint64_t i) {
		double radius = std::sqrt(-2.0 * std::log(1.0 - unit(seed, 2 * i)));
		return std * radius * std::cos(2.0 * M_PI * unit(seed, 2 * i + 1));
	});
}

bool tn_read_f32(tn_scope *s, tensor t, float *out, size_t n)
{
	return guard(s, __func__, false, [&] {
		at::Tensor host = to_host(get(s, t), at::kFloat);
		return copy_out(host, out, host.nbytes(), n * sizeof *out, " bytes");
	});
}

bool tn_read_i64(tn_scope *s, tensor t, int64_t *out, size_t n)
{
	return guard(s, __func__, false, [&] {
		const at::Tensor &in = get(s, t);
		require(c10::isIntegralType(in.scalar_type(), true), "holds ", in.scalar_type(),
			", no integers");
		at::Tensor host = to_host(in, at::kLong);
		return copy_out(host, out, host.nbytes(), n * sizeof *out, " bytes");
	});
}

bool tn_read_raw(tn_scope *s, tensor t, void *out, size_t bytes)
{
	return guard(s, __func__, false, [&] {
		const at::Tensor &in = get(s, t);
		at::Tensor host = to_host(in, in.scalar_type());
		return copy_out(host, out, host.nbytes(), bytes, " bytes");
	});
}

double tn_item(tn_scope *s, tensor t)
{
	return guard(s, __func__, std::numeric_limits<double>::quiet_NaN(), [&] {
		const at::Tensor &in = get(s, t);
		require(in.numel() == 1, "holds ", in.numel(), " elements, expected one");
		return in.detach().to(at::kDouble).item<double>();
	});
}

int64_t tn_dim(tn_scope *s, tensor t, int axis)
{
	return guard(s, __func__, int64_t{0}, [&] {
		const at::Tensor &in = get(s, t);
		int64_t on = axis < 0 ? axis + in.dim() : axis;
		require(on >= 0 && on < in.dim(), "axis ", axis, " of a tensor of ", in.dim(),
			" axes");
		return in.size(on);
	});
}

int tn_ndim(tn_scope *s, tensor t)
{
	return guard(s, __func__, 0, [&] { return static_cast<int>(get(s, t).dim()); });
}

int64_t tn_numel(tn_scope *s, tensor t)
{
	return guard(s, __func__, int64_t{0}, [&] { return get(s, t).numel(); });
}

enum tn_dtype tn_dtype_of(tn_scope *s, tensor t)
{
	return guard(s, __func__, TN_F32, [&] { return code_of(get(s, t).scalar_type()); });
}

tensor tn_cast(tn_scope *s, tensor t, enum tn_dtype dtype)
{
	return op(s, __func__, [&] { return get(s, t).to(scalar_type(dtype)); });
}

tensor tn_copy(tn_scope *s, tensor t)
{
	return op(s, __func__,
		[&] { return get(s, t).detach().clone(at::MemoryFormat::Contiguous); });
}

tensor tn_detach(tn_scope *s, tensor t)
{
	return op(s, __func__, [&] { return get(s, t).detach(); });
}

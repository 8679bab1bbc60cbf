// tensor_ops.cpp - arithmetic, shapes and reductions: one line of ATen each.
#include "tensor_internal.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>

using namespace shim;

// Refuses operands that do not broadcast, with their shapes.
static void require_broadcast(const at::Tensor &a, const at::Tensor &b)
{
	auto x = a.sizes(), y = b.sizes();
	for (size_t i = 1; i <= std::min(x.size(), y.size()); i++) {
		int64_t m = x[x.size() - i], n = y[y.size() - i];
		require(m == n || m == 1 || n == 1, "shapes do not broadcast: axis -", i, " is ", m,
			" and ", n);
	}
}

static int64_t axis_of(const at::Tensor &x, int axis)
{
	int64_t n = x.dim(), at = axis < 0 ? axis + n : axis;
	require(at >= 0 && at < n, "axis ", axis, " of a tensor of ", n, " axes");
	return at;
}

static at::Tensor in_f32(const at::Tensor &x)
{
	bool is_low = x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
	return is_low ? x.to(at::kFloat) : x;
}

template <class F> static tensor binary(tn_scope *s, const char *name, tensor a, tensor b, F &&body)
{
	return op(s, name, [&] {
		const at::Tensor &x = get(s, a), &y = get(s, b);
		require_broadcast(x, y);
		return body(x, y);
	});
}

tensor tn_add(tn_scope *s, tensor a, tensor b)
{
	return binary(s, __func__, a, b, [](auto &x, auto &y) { return x.add(y); });
}

tensor tn_sub(tn_scope *s, tensor a, tensor b)
{
	return binary(s, __func__, a, b, [](auto &x, auto &y) { return x.sub(y); });
}

tensor tn_mul(tn_scope *s, tensor a, tensor b)
{
	return binary(s, __func__, a, b, [](auto &x, auto &y) { return x.mul(y); });
}

tensor tn_div(tn_scope *s, tensor a, tensor b)
{
	return binary(s, __func__, a, b, [](auto &x, auto &y) { return x.div(y); });
}

tensor tn_scale(tn_scope *s, tensor a, double k)
{
	return op(s, __func__, [&] { return get(s, a).mul(k); });
}

tensor tn_shift(tn_scope *s, tensor a, double k)
{
	return op(s, __func__, [&] { return get(s, a).add(k); });
}

tensor tn_exp(tn_scope *s, tensor a)
{
	return op(s, __func__, [&] { return get(s, a).exp(); });
}

tensor tn_log(tn_scope *s, tensor a)
{
	return op(s, __func__, [&] { return get(s, a).log(); });
}

tensor tn_sqrt(tn_scope *s, tensor a)
{
	return op(s, __func__, [&] { return get(s, a).sqrt(); });
}

tensor tn_tanh(tn_scope *s, tensor a)
{
	return op(s, __func__, [&] { return get(s, a).tanh(); });
}

tensor tn_relu(tn_scope *s, tensor a)
{
	return op(s, __func__, [&] { return at::relu(get(s, a)); });
}

tensor tn_silu(tn_scope *s, tensor a)
{
	return op(s, __func__, [&] { return at::silu(get(s, a)); });
}

tensor tn_sigmoid(tn_scope *s, tensor a)
{
	return op(s, __func__, [&] { return get(s, a).sigmoid(); });
}

tensor tn_gelu(tn_scope *s, tensor a, bool tanh_form)
{
	return op(s, __func__, [&] { return at::gelu(get(s, a), tanh_form ? "tanh" : "none"); });
}

tensor tn_where(tn_scope *s, tensor cond_u8, tensor a, tensor b)
{
	return op(s, __func__, [&] {
		const at::Tensor &cond = get(s, cond_u8), &x = get(s, a), &y = get(s, b);
		require_broadcast(cond, x);
		require_broadcast(x, y);
		require_broadcast(cond, y);
		return at::where(cond.ne(0), x, y);
	});
}

tensor tn_matmul(tn_scope *s, tensor a, tensor b)
{
	return op(s, __func__, [&] {
		const at::Tensor &x = get(s, a), &y = get(s, b);
		require(x.dim() >= 2 && y.dim() >= 2, "matrices have at least two axes");
		require(x.size(-1) == y.size(-2), "inner dims differ: ", x.size(-1), " and ",
			y.size(-2));
		return at::matmul(x, y);
	});
}

tensor tn_linear(tn_scope *s, tensor x, tensor w, tensor bias)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &weight = get(s, w);
		at::Tensor add = get_or_none(s, bias);
		require(in.dim() >= 1 && weight.dim() == 2 && in.size(-1) == weight.size(1),
			"input ", in.sizes(), " does not fit weight ", weight.sizes(),
			" [out, in]");
		require(!add.defined() || add.sizes() == weight.sizes().slice(0, 1), "bias of ",
			add.defined() ? add.numel() : 0, " for ", weight.size(0), " outputs");
		if (add.defined() && add.scalar_type() != in.scalar_type())
			add = add.to(in.scalar_type());
		return at::linear(in, weight, add);
	});
}

tensor tn_view(tn_scope *s, tensor x, const int64_t *shape, int ndim)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		int64_t known = 1, n_free = 0;
		for (int64_t d : dims(shape, ndim))
			d == -1 ? (void)n_free++ : (void)(known *= d);
		bool fits =
			n_free == 0 ? known == in.numel() : known > 0 && in.numel() % known == 0;
		require(n_free <= 1 && fits, in.sizes(), " cannot be seen as ", dims(shape, ndim));
		return in.reshape(dims(shape, ndim));
	});
}

tensor tn_transpose(tn_scope *s, tensor x, int a, int b)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return in.transpose(axis_of(in, a), axis_of(in, b));
	});
}

tensor tn_contiguous(tn_scope *s, tensor x)
{
	return op(s, __func__, [&] { return get(s, x).contiguous(); });
}

tensor tn_narrow(tn_scope *s, tensor x, int axis, int64_t start, int64_t len)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		int64_t on = axis_of(in, axis), size = in.size(on);
		require(start >= 0 && len >= 0 && start <= size - len, "[", start, ", ", start,
			" + ", len, ") of an axis of ", size);
		return in.narrow(on, start, len);
	});
}

static std::vector<at::Tensor> get_all(tn_scope *s, const tensor *parts, int n)
{
	require(n > 0, "there are no parts");
	std::vector<at::Tensor> all;
	for (int i = 0; i < n; i++)
		all.push_back(get(s, parts[i]));
	return all;
}

tensor tn_cat(tn_scope *s, const tensor *parts, int n, int axis)
{
	return op(s, __func__, [&] {
		auto all = get_all(s, parts, n);
		return at::cat(all, axis_of(all[0], axis));
	});
}

tensor tn_stack(tn_scope *s, const tensor *parts, int n, int axis)
{
	return op(s, __func__, [&] { return at::stack(get_all(s, parts, n), axis); });
}

tensor tn_index_select(tn_scope *s, tensor x, int axis, const int64_t *index, int64_t n)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		int64_t on = axis_of(in, axis), size = in.size(on);
		for (int64_t i = 0; i < n; i++)
			require(index[i] >= 0 && index[i] < size, "index ", index[i], " at place ",
				i, " of an axis of ", size);
		return in.index_select(on, from_host(context_of(s), index, at::kLong, {n}));
	});
}

tensor tn_gather(tn_scope *s, tensor x, int axis, tensor index_i64)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return in.gather(axis_of(in, axis), get(s, index_i64));
	});
}

tensor tn_sum(tn_scope *s, tensor x)
{
	return op(s, __func__, [&] { return get(s, x).sum(); });
}

tensor tn_mean(tn_scope *s, tensor x)
{
	return op(s, __func__, [&] { return get(s, x).mean(); });
}

tensor tn_sum_axis(tn_scope *s, tensor x, int axis, bool keep_dim)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return in.sum(axis_of(in, axis), keep_dim);
	});
}

tensor tn_mean_axis(tn_scope *s, tensor x, int axis, bool keep_dim)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return in.mean(axis_of(in, axis), keep_dim);
	});
}

tensor tn_max_axis(tn_scope *s, tensor x, int axis)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return std::get<0>(at::max(in, axis_of(in, axis)));
	});
}

tensor tn_norm_axis(tn_scope *s, tensor x, int axis, bool keep_dim)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return at::linalg_vector_norm(in, 2, axis_of(in, axis), keep_dim);
	});
}

tensor tn_topk(tn_scope *s, tensor x, int64_t k, tensor *ret_ids)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		require(in.dim() > 0 && k >= 0 && k <= in.size(-1), "the ", k, " largest of ",
			in.dim() > 0 ? in.size(-1) : 0);
		auto [values, ids] = at::topk(in, k);
		if (ret_ids)
			*ret_ids = put(s, ids);
		return values;
	});
}

tensor tn_softmax(tn_scope *s, tensor x)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return at::softmax(in_f32(in), -1).to(in.scalar_type());
	});
}

tensor tn_log_softmax(tn_scope *s, tensor x)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		return at::log_softmax(in_f32(in), -1).to(in.scalar_type());
	});
}

tensor tn_normalize(tn_scope *s, tensor x)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		require(in.dim() > 0, "a scalar has no last axis");
		at::Tensor wide = in_f32(in);
		at::Tensor norm = at::linalg_vector_norm(wide, 2, at::IntArrayRef{-1}, true);
		return wide.div(norm.clamp_min(1e-12)).to(in.scalar_type());
	});
}

tensor tn_cross_entropy(tn_scope *s, tensor logits, const int64_t *target, int64_t n)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, logits);
		require(in.dim() == 2 && in.size(0) == n && n > 0, "logits [N,C] for ", n,
			" targets");
		for (int64_t i = 0; i < n; i++)
			require(target[i] >= 0 && target[i] < in.size(1), "target ", target[i],
				" of row ", i, " with ", in.size(1), " classes");
		return at::cross_entropy_loss(
			in_f32(in), from_host(context_of(s), target, at::kLong, {n}));
	});
}

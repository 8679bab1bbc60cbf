// tensor_layers.cpp - embedding, norms, dropout and gelu over packed tokens.
//
// On a CPU in f32 and bf16 the kernels of tensor_kernels.hpp run, and backward computes again what
// it can: of dropout, bias, gelu and norm only inputs are kept, which the graph holds anyway.
// Elsewhere (CUDA, f64, f16) the same formulas run as plain ATen ops, which is also what tests
// compare the kernels with.
#include "tensor_internal.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/zeros_like.h>

#include "tensor_hash.hpp"
#include "tensor_kernels.hpp"
#include "tensor_node.hpp"
#include "tensor_rows.hpp"
#include "tensor_table.hpp"

namespace shim
{

static mask_rule mask_of(double p, uint64_t seed)
{
	return {seed, drop_below(p), static_cast<float>(1.0 / (1.0 - p))};
}

static void check_dropout(double p)
{
	require(p >= 0.0 && p < 1.0, "dropout of ", p, ", expected [0, 1)");
}

static at::Tensor dropout_plain(const at::Tensor &x, double p, uint64_t seed)
{
	if (p == 0.0)
		return x;
	at::Tensor ones = at::empty(x.sizes(), at::kFloat).fill_(1.0 / (1.0 - p)),
		   mask = at::empty_like(ones);
	kernels().f32.dropout(ones.const_data_ptr(), mask.mutable_data_ptr(), 0, ones.numel(),
		{seed, drop_below(p), 1.0f});
	return x.mul(mask.to(x.options()));
}

static at::Tensor dropout_ours(const at::Tensor &x, mask_rule drop)
{
	auto apply = [drop](const at::Tensor &from) {
		at::Tensor in = from.contiguous(), out = at::empty_like(in);
		const void *src = in.const_data_ptr();
		void *dst = out.mutable_data_ptr();
		at::parallel_for(0, in.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
			rows_for(in).dropout(src, dst, begin, end, drop);
		});
		return out;
	};
	at::Tensor in = x.contiguous();
	return recorded(apply(in.detach()), {in}, {},
		[apply](const at::Tensor &grad, const tensors &, const auto &) {
			return tensors{apply(grad)};
		});
}

static at::Tensor norm_plain(
	const at::Tensor &x, const at::Tensor &w, const at::Tensor &b, double eps)
{
	at::Tensor in = wide(x);
	return at::layer_norm(in, {x.size(-1)}, as(w, in), as(b, in), eps).to(x.scalar_type());
}

struct norm_inputs {
	at::Tensor x, bias, residual, w, b;
};

static norm_args args_of(const norm_inputs &in, const at::Tensor &y, const at::Tensor &stats,
	float eps, mask_rule drop)
{
	return {in.x.const_data_ptr(),
		in.residual.defined() ? in.residual.const_data_ptr() : nullptr, floats(in.bias),
		floats(in.w), floats(in.b), y.defined() ? y.mutable_data_ptr() : nullptr,
		stats.defined() ? stats.mutable_data_ptr<float>() : nullptr, in.x.size(-1), eps,
		drop};
}

// saved: x, bias, residual, w, b, stats -> gradients of the first five
static tensors norm_backward(const at::Tensor &grad, const tensors &saved,
	const std::vector<bool> &wanted, float eps, mask_rule drop)
{
	norm_inputs in = {saved[0], saved[1], saved[2], saved[3], saved[4]};
	int64_t n = in.x.size(-1), rows = in.x.numel() / n;
	at::Tensor dy = grad.to(in.x.scalar_type()).contiguous(), dx = at::empty_like(in.x),
		   dresidual;
	if (in.residual.defined()) // without dropout both gradients are the same numbers
		dresidual = drop.below ? at::empty_like(in.x) : dx;
	bool has_own = dresidual.defined() && drop.below;
	norm_grad_args a = {args_of(in, {}, saved[5], eps, drop), dy.const_data_ptr(),
		dx.mutable_data_ptr(), has_own ? dresidual.mutable_data_ptr() : nullptr, nullptr,
		nullptr, nullptr, nullptr};
	at::Tensor sums = sum_rows(rows, 3, n, [&](int64_t first, int64_t last, float *to) {
		std::vector<float> scratch(static_cast<size_t>(2 * n));
		norm_grad_args own = a;
		own.dbias = in.bias.defined() ? to : nullptr;
		own.dw = to + n;
		own.db = to + 2 * n;
		own.scratch = scratch.data();
		rows_for(dy).norm_grad(own, first, last);
	});
	auto sum = [&](size_t input, int64_t row) {
		return wanted[input] && saved[input].defined() ? sums.select(0, row).clone()
							       : at::Tensor();
	};
	return {dx, sum(1, 0), dresidual, sum(3, 1), sum(4, 2)};
}

static at::Tensor norm_ours(norm_inputs in, double eps_, mask_rule drop)
{
	float eps = static_cast<float>(eps_);
	in = {in.x.contiguous(), f32(in.bias),
		in.residual.defined() ? as(in.residual, in.x).contiguous() : at::Tensor(),
		f32(in.w), f32(in.b)};
	int64_t n = in.x.size(-1), rows = n == 0 ? 0 : in.x.numel() / n;
	tensors inputs = {in.x, in.bias, in.residual, in.w, in.b};
	at::Tensor y = at::empty_like(in.x), stats; // [..., 2]: mean and 1 / deviation
	if (is_recorded(inputs))
		stats = at::empty({rows, 2}, at::kFloat);
	norm_args a = args_of(in, y, stats, eps, drop);
	at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
		std::vector<float> scratch(static_cast<size_t>(n));
		rows_for(y).norm(a, begin, end, scratch.data());
	});
	return recorded(y, inputs, {in.x, in.bias, in.residual, in.w, in.b, stats},
		[eps, drop](const at::Tensor &grad, const tensors &saved,
			const std::vector<bool> &wanted) {
			return norm_backward(grad, saved, wanted, eps, drop);
		});
}

static at::Tensor gelu_ours(const at::Tensor &x_, const at::Tensor &bias_, bool tanh_form)
{
	at::Tensor x = x_.contiguous(), bias = f32(bias_), y = at::empty_like(x);
	int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
	gelu_args a = {x.const_data_ptr(), floats(bias), y.mutable_data_ptr(), nullptr, nullptr,
		nullptr, n, tanh_form};
	at::parallel_for(
		0, rows, 8, [&](int64_t begin, int64_t end) { rows_for(x).gelu(a, begin, end); });
	return recorded(y, {x, bias}, {x, bias},
		[n, rows, tanh_form](const at::Tensor &grad, const tensors &saved, const auto &) {
			at::Tensor dy = grad.to(saved[0].scalar_type()).contiguous(),
				   dx = at::empty_like(dy);
			gelu_args back = {saved[0].const_data_ptr(), floats(saved[1]), nullptr,
				dy.const_data_ptr(), dx.mutable_data_ptr(), nullptr, n, tanh_form};
			at::Tensor dbias =
				sum_rows(rows, 1, n, [&](int64_t first, int64_t last, float *to) {
					gelu_args own = back;
					own.dbias = to;
					rows_for(dy).gelu_grad(own, first, last);
				});
			return tensors{dx, dbias.select(0, 0)};
		});
}

// table.grad += the rows of grad [n,H] at ids.
static void add_rows(const at::Tensor &table, const at::Tensor &grad, const at::Tensor &ids)
{
	at::Tensor &total = table.mutable_grad();
	bool fits = table.is_cpu() && table.scalar_type() == at::kFloat && table.is_contiguous();
	if (fits && (!total.defined() || rows_of_table(total))) {
		table_add(table, grad, ids);
		return;
	}
	if (!total.defined())
		total = at::zeros_like(table);
	total.index_add_(0, ids, grad.to(total.scalar_type()));
}

// A leaf's dense gradient grows in place: libtorch would make a second table for each backward and
// add it.
static at::Tensor embed(const at::Tensor &table, const at::Tensor &ids)
{
	if (!table.is_leaf() || !table.requires_grad())
		return at::embedding(table, ids);
	at::Tensor leaf = table;
	return recorded(at::embedding(table.detach(), ids), {table}, {},
		[leaf, ids](const at::Tensor &grad, const tensors &, const auto &) {
			add_rows(leaf, grad, ids);
			return tensors{at::Tensor()};
		});
}

} // namespace shim

using namespace shim;

tensor tn_embedding(tn_scope *s, tensor table, const int64_t *ids, int64_t n)
{
	return op(s, __func__, [&] {
		const at::Tensor &rows = get(s, table);
		require(rows.dim() == 2, "a table is [V,H], got ", rows.sizes());
		for (int64_t i = 0; i < n; i++)
			require(ids[i] >= 0 && ids[i] < rows.size(0), "id ", ids[i], " at place ",
				i, " of a table of ", rows.size(0));
		return embed(rows, from_host(context_of(s), ids, at::kLong, {n}));
	});
}

tensor tn_layer_norm(tn_scope *s, tensor x, tensor w, tensor b, double eps)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &weight = get(s, w);
		at::Tensor shift = get_or_none(s, b);
		check_vector("weight", weight, in);
		if (shift.defined())
			check_vector("shift", shift, in);
		if (is_ours(in))
			return norm_ours({in, {}, {}, weight, shift}, eps, mask_of(0.0, 0));
		return norm_plain(in, weight, shift, eps);
	});
}

tensor tn_dropout(tn_scope *s, tensor x, double p, uint64_t seed)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		check_dropout(p);
		if (p == 0.0 || !is_ours(in))
			return dropout_plain(in, p, seed);
		return dropout_ours(in, mask_of(p, seed));
	});
}

tensor tn_add_layer_norm(tn_scope *s, tensor x, tensor bias, tensor residual, tensor w, tensor b,
	double eps, double p, uint64_t seed)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &rest = get(s, residual), &weight = get(s, w),
				 &shift = get(s, b);
		at::Tensor add = get_or_none(s, bias);
		check_dropout(p);
		require(in.sizes() == rest.sizes(), "x ", in.sizes(), " and residual ",
			rest.sizes(), " differ");
		check_vector("weight", weight, in);
		check_vector("shift", shift, in);
		if (add.defined())
			check_vector("bias", add, in);
		if (is_ours(in))
			return norm_ours({in, add, rest, weight, shift}, eps, mask_of(p, seed));
		at::Tensor h = add.defined() ? wide(in).add(wide(add)) : wide(in);
		return norm_plain(dropout_plain(h, p, seed).add(wide(rest)), weight, shift, eps)
			.to(in.scalar_type());
	});
}

tensor tn_bias_gelu(tn_scope *s, tensor x, tensor bias, bool tanh_form)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &add = get(s, bias);
		check_vector("bias", add, in);
		if (is_ours(in))
			return gelu_ours(in, add, tanh_form);
		return at::gelu(wide(in).add(wide(add)), tanh_form ? "tanh" : "none")
			.to(in.scalar_type());
	});
}

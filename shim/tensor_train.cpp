// tensor_train.cpp - leaves, backward, and what a step does to gradients and weights.
#include "tensor_internal.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <torch/csrc/autograd/autograd.h>

#include "tensor_kernels.hpp"
#include "tensor_table.hpp"

namespace shim
{

// Gradients of n params; undefined where there is none.
static std::vector<at::Tensor> grads_of(tn_scope *s, const tensor *params, int n)
{
	std::vector<at::Tensor> all;
	for (int i = 0; i < n; i++)
		all.push_back(get(s, params[i]).grad());
	return all;
}

// A stretch of one tensor, so that small and large tensors share one parallel loop evenly.
struct piece {
	size_t tensor;
	int64_t begin, end;
};

constexpr int64_t piece_elements = int64_t{1} << 15;

static void add_pieces(std::vector<piece> &all, size_t index, int64_t n)
{
	for (int64_t at = 0; at < n; at += piece_elements)
		all.push_back({index, at, std::min(n, at + piece_elements)});
}

template <class F> static void for_each_piece(const std::vector<piece> &all, F &&fn)
{
	at::parallel_for(0, static_cast<int64_t>(all.size()), 1, [&](int64_t begin, int64_t end) {
		for (int64_t i = begin; i < end; i++)
			fn(static_cast<size_t>(i), all[static_cast<size_t>(i)]);
	});
}

// Sum of squares in f64, piece by piece: equal bits for any number of threads.
static double sum_of_squares(const std::vector<at::Tensor> &grads)
{
	std::vector<at::Tensor> flat; // f32, contiguous
	std::vector<piece> pieces;
	double total = 0.0;
	for (const at::Tensor &g : grads) {
		if (!g.defined())
			continue;
		if (const table_rows *rows = rows_of_table(g)) {
			total += table_sum_squares(g, *rows);
			continue;
		}
		if (!g.is_cpu()) {
			double norm =
				at::linalg_vector_norm(g, 2, {}, false, at::kDouble).item<double>();
			total += norm * norm;
			continue;
		}
		flat.push_back(g.to(at::kFloat).contiguous());
		add_pieces(pieces, flat.size() - 1, g.numel());
	}
	std::vector<double> part(pieces.size());
	for_each_piece(pieces, [&](size_t i, const piece &p) {
		part[i] = kernels().sum_squares(
			flat[p.tensor].const_data_ptr<float>() + p.begin, p.end - p.begin);
	});
	for (double p : part)
		total += p;
	return total;
}

static void check_moments(const at::Tensor &p, const at::Tensor &m, const at::Tensor &v, int i)
{
	for (const at::Tensor *t : {&p, &m, &v})
		require(t->sizes() == p.sizes() && t->scalar_type() == at::kFloat &&
				t->is_contiguous(),
			"param ", i, " ", p.sizes(),
			" and its moments are contiguous f32 of one shape");
}

static adamw_factors factors_of(const struct tn_adamw &how)
{
	double steps = static_cast<double>(how.step);
	double correct1 = 1.0 - std::pow(how.beta1, steps),
	       correct2 = 1.0 - std::pow(how.beta2, steps);
	auto f = [](double x) { return static_cast<float>(x); };
	return {f(1.0 - how.lr * how.weight_decay), f(how.beta1), f(how.beta2), f(how.eps),
		f(how.lr / correct1), f(1.0 / std::sqrt(correct2)), f(how.grad_scale)};
}

struct adamw_operands {
	float *p, *m, *v;
	at::Tensor grad; // f32, contiguous
};

static void adamw_cpu(const std::vector<adamw_operands> &all, const adamw_factors &k)
{
	std::vector<piece> pieces;
	for (size_t i = 0; i < all.size(); i++)
		add_pieces(pieces, i, all[i].grad.numel());
	for_each_piece(pieces, [&](size_t, const piece &at) {
		const adamw_operands &o = all[at.tensor];
		kernels().adamw(o.p + at.begin, o.m + at.begin, o.v + at.begin,
			o.grad.const_data_ptr<float>() + at.begin, at.end - at.begin, k);
	});
}

static void adamw_cuda(const at::Tensor &p, const at::Tensor &m, const at::Tensor &v,
	const at::Tensor &grad, const struct tn_adamw &how)
{
	at::Tensor g = grad.to(at::kFloat).mul(how.grad_scale);
	at::Tensor step = at::full({}, static_cast<double>(how.step), p.options());
	std::vector<at::Tensor> ps = {p}, gs = {g}, ms = {m}, vs = {v}, steps = {step};
	at::_fused_adamw_(ps, gs, ms, vs, {}, steps, how.lr, how.beta1, how.beta2, how.weight_decay,
		how.eps, false, false);
}

} // namespace shim

using namespace shim;

tensor tn_param(tn_scope *s, tensor value)
{
	return op(s, __func__, [&] {
		at::Tensor leaf = get(s, value).detach().clone(at::MemoryFormat::Contiguous);
		require(leaf.is_floating_point(), "a param of ", leaf.scalar_type(),
			" cannot have a gradient");
		return leaf.set_requires_grad(true);
	});
}

void tn_backward(tn_scope *s, tensor loss)
{
	act(s, __func__, [&] {
		const at::Tensor &y = get(s, loss);
		require(y.numel() == 1, "a loss of ", y.numel(), " elements, expected one");
		torch::autograd::backward({y}, {});
	});
}

void tn_backward_from(tn_scope *s, tensor y, tensor grad_y)
{
	act(s, __func__, [&] {
		const at::Tensor &out = get(s, y), &grad = get(s, grad_y);
		require(out.sizes() == grad.sizes(), "gradient ", grad.sizes(), " of a tensor ",
			out.sizes());
		torch::autograd::backward({out}, {grad});
	});
}

tensor tn_grad(tn_scope *s, tensor param)
{
	return guard(s, __func__, TN_NONE, [&] {
		at::Tensor grad = get(s, param).grad();
		return grad.defined() ? put(s, grad) : TN_NONE;
	});
}

void tn_zero_grad(tn_scope *s, const tensor *params, int n)
{
	act(s, __func__, [&] {
		for (int i = 0; i < n; i++) {
			at::Tensor p = get(s, params[i]);
			if (table_rows *rows = rows_of_table(p.grad()))
				table_forget(p.grad(), *rows);
			else
				p.mutable_grad().reset();
		}
	});
}

double tn_grad_norm(tn_scope *s, const tensor *params, int n)
{
	return guard(s, __func__, 0.0,
		[&] { return std::sqrt(sum_of_squares(grads_of(s, params, n))); });
}

void tn_scale_grads(tn_scope *s, const tensor *params, int n, double k)
{
	act(s, __func__, [&] {
		c10::AutoGradMode off(false);
		for (at::Tensor &grad : grads_of(s, params, n)) {
			if (table_rows *rows = rows_of_table(grad))
				table_scale(grad, *rows, k);
			else if (grad.defined())
				grad.mul_(k);
		}
	});
}

void tn_axpy_(tn_scope *s, tensor y, double k, tensor x)
{
	act(s, __func__, [&] {
		c10::AutoGradMode off(false);
		at::Tensor to = get(s, y), from = get(s, x);
		require(to.sizes() == from.sizes(), "sizes differ");
		to.add_(from.to(to.scalar_type()), k);
	});
}

void tn_copy_(tn_scope *s, tensor dst, tensor src)
{
	act(s, __func__, [&] {
		c10::AutoGradMode off(false);
		at::Tensor to = get(s, dst), from = get(s, src);
		require(to.sizes() == from.sizes(), "sizes differ");
		to.copy_(from);
	});
}

void tn_adamw_(tn_scope *s, const tensor *params, const tensor *m, const tensor *v, int n,
	const struct tn_adamw *how)
{
	act(s, __func__, [&] {
		c10::AutoGradMode off(false);
		require(how->step >= 1, "step ", how->step, ", they count from 1");
		std::vector<adamw_operands> on_cpu;
		for (int i = 0; i < n; i++) {
			context_of(s).touched.clear();
			at::Tensor p = get(s, params[i]), m1 = get(s, m[i]), m2 = get(s, v[i]);
			check_moments(p, m1, m2, i);
			if (!p.grad().defined())
				continue;
			if (table_rows *rows = rows_of_table(p.grad()))
				table_adamw(p, m1, m2, p.grad(), *rows, factors_of(*how),
					how->step == 1);
			else if (p.is_cpu())
				on_cpu.push_back({p.mutable_data_ptr<float>(),
					m1.mutable_data_ptr<float>(), m2.mutable_data_ptr<float>(),
					p.grad().to(at::kFloat).contiguous()});
			else
				adamw_cuda(p, m1, m2, p.grad(), *how);
		}
		adamw_cpu(on_cpu, factors_of(*how));
	});
}

// tensor_train.cpp - leaves, backward, and what a step does to gradients and weights.
#include "tensor_internal.hpp"

#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <torch/csrc/autograd/autograd.h>

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

// Sum of squares in f64, by chunks of a fixed size: equal bits for any number of threads.
static double sum_of_squares(const at::Tensor &grad)
{
	constexpr int64_t chunk = 1 << 15;
	at::Tensor flat = grad.to(at::kFloat).contiguous();
	const float *g = flat.const_data_ptr<float>();
	int64_t n = flat.numel(), n_chunks = (n + chunk - 1) / chunk;
	std::vector<double> part(static_cast<size_t>(n_chunks));
	at::parallel_for(0, n_chunks, 1, [&](int64_t begin, int64_t end) {
		for (int64_t c = begin; c < end; c++) {
			double lane[8] = {};
			int64_t i = c * chunk, last = std::min(n, i + chunk);
			for (; i + 8 <= last; i += 8)
				for (int64_t k = 0; k < 8; k++)
					lane[k] += static_cast<double>(g[i + k]) *
					        static_cast<double>(g[i + k]);
			for (; i < last; i++)
				lane[0] += static_cast<double>(g[i]) * static_cast<double>(g[i]);
			for (double l : lane)
				part[static_cast<size_t>(c)] += l;
		}
	});
	double sum = 0.0;
	for (double p : part)
		sum += p;
	return sum;
}

static void check_moments(const at::Tensor &p, const at::Tensor &m, const at::Tensor &v, int i)
{
	for (const at::Tensor *t : {&p, &m, &v})
		require(t->sizes() == p.sizes() && t->scalar_type() == at::kFloat &&
		                t->is_contiguous(),
		        "param ", i, " ", p.sizes(),
		        " and its moments are contiguous f32 of one shape");
}

struct adamw_factors {
	float decay, beta1, beta2, eps, step_size, inv_root2, grad_scale;
};

static void adamw_range(float *__restrict p, float *__restrict m, float *__restrict v,
        const float *__restrict g, int64_t n, const adamw_factors &k)
{
	for (int64_t i = 0; i < n; i++) {
		float grad = g[i] * k.grad_scale;
		m[i] = k.beta1 * m[i] + (1.0f - k.beta1) * grad;
		v[i] = k.beta2 * v[i] + (1.0f - k.beta2) * grad * grad;
		p[i] = p[i] * k.decay -
		        k.step_size * m[i] / (std::sqrt(v[i]) * k.inv_root2 + k.eps);
	}
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

static void adamw_cpu(const at::Tensor &p, const at::Tensor &m, const at::Tensor &v,
        const at::Tensor &grad, const adamw_factors &k)
{
	at::Tensor g = grad.to(at::kFloat).contiguous();
	float *pp = p.mutable_data_ptr<float>(), *mp = m.mutable_data_ptr<float>(),
	      *vp = v.mutable_data_ptr<float>();
	const float *gp = g.const_data_ptr<float>();
	at::parallel_for(0, p.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
		adamw_range(pp + begin, mp + begin, vp + begin, gp + begin, end - begin, k);
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
			p.mutable_grad().reset();
		}
	});
}

double tn_grad_norm(tn_scope *s, const tensor *params, int n)
{
	return guard(s, __func__, 0.0, [&] {
		double sum = 0.0;
		for (const at::Tensor &grad : grads_of(s, params, n)) {
			if (!grad.defined())
				continue;
			if (grad.is_cpu())
				sum += sum_of_squares(grad);
			else
				sum += std::pow(
				        at::linalg_vector_norm(grad, 2, {}, false, at::kDouble)
				                .item<double>(),
				        2);
		}
		return std::sqrt(sum);
	});
}

void tn_scale_grads(tn_scope *s, const tensor *params, int n, double k)
{
	act(s, __func__, [&] {
		c10::AutoGradMode off(false);
		for (at::Tensor &grad : grads_of(s, params, n)) {
			if (grad.defined())
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
		adamw_factors k = factors_of(*how);
		for (int i = 0; i < n; i++) {
			const at::Tensor &p = get(s, params[i]), &m1 = get(s, m[i]),
			                 &m2 = get(s, v[i]);
			context_of(s).touched.clear();
			check_moments(p, m1, m2, i);
			if (!p.grad().defined())
				continue;
			if (p.is_cpu())
				adamw_cpu(p, m1, m2, p.grad(), k);
			else
				adamw_cuda(p, m1, m2, p.grad(), *how);
		}
	});
}

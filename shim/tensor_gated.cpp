// tensor_gated.cpp - what decoders are made of beside linears and attention: RMS norm, gated
// activations, rotary heads.
//
// As in tensor_layers.cpp: our kernels on a CPU in f32 and bf16, with only inputs kept for backward;
// plain ATen ops elsewhere, which tests compare the kernels with.
#include "tensor_internal.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

#include "tensor_node.hpp"
#include "tensor_rows.hpp"

namespace shim
{

static at::Tensor rms_plain(const at::Tensor &x, const at::Tensor &w, double eps, double shift)
{
	at::Tensor h = wide(x);
	at::Tensor inv = h.mul(h).mean(-1, true).add(eps).rsqrt();
	return h.mul(inv).mul(as(w, h).add(shift));
}

static at::Tensor rms_ours(const at::Tensor &x_, const at::Tensor &w_, double eps, double shift)
{
	at::Tensor x = x_.contiguous(), w = f32(w_), y = at::empty_like(x);
	int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
	float e = static_cast<float>(eps), k = static_cast<float>(shift);
	rms_args a = {x.const_data_ptr(), floats(w), y.mutable_data_ptr(), nullptr, nullptr,
		nullptr, n, e, k};
	at::parallel_for(
		0, rows, 16, [&](int64_t begin, int64_t end) { rows_for(x).rms(a, begin, end); });
	return recorded(y, {x, w}, {x, w},
		[n, rows, e, k](const at::Tensor &grad, const tensors &saved, const auto &) {
			at::Tensor dy = grad.to(saved[0].scalar_type()).contiguous(),
				   dx = at::empty_like(saved[0]);
			rms_args back = {saved[0].const_data_ptr(), floats(saved[1]), nullptr,
				dy.const_data_ptr(), dx.mutable_data_ptr(), nullptr, n, e, k};
			at::Tensor dw =
				sum_rows(rows, 1, n, [&](int64_t first, int64_t last, float *to) {
					rms_args own = back;
					own.dw = to;
					rows_for(dy).rms_grad(own, first, last);
				});
			return tensors{dx, dw.select(0, 0)};
		});
}

static gate_act act_for(enum tn_act act)
{
	switch (act) {
	case TN_ACT_GELU:
		return gate_act::gelu;
	case TN_ACT_GELU_TANH:
		return gate_act::gelu_tanh;
	case TN_ACT_RELU:
		return gate_act::relu;
	case TN_ACT_SILU:
		return gate_act::silu;
	case TN_ACT_NONE:
	case TN_ACT_TANH:
		break;
	}
	throw bad_shape(cat("activation ", static_cast<int>(act), " is not one of a gate"));
}

static at::Tensor glu_plain(const at::Tensor &x, gate_act act, bool gate_last)
{
	int64_t n = x.size(-1) / 2;
	at::Tensor in = wide(x), gate = in.narrow(-1, gate_last ? n : 0, n),
		   other = in.narrow(-1, gate_last ? 0 : n, n);
	switch (act) {
	case gate_act::gelu:
	case gate_act::gelu_tanh:
		return at::gelu(gate, act == gate_act::gelu ? "none" : "tanh").mul(other);
	case gate_act::relu:
		return at::relu(gate).mul(other);
	case gate_act::silu:
		break;
	}
	return at::silu(gate).mul(other);
}

static at::Tensor glu_ours(const at::Tensor &x_, gate_act act, bool gate_last)
{
	at::Tensor x = x_.contiguous();
	int64_t rows = x.size(0), n = x.size(1) / 2;
	at::Tensor y = at::empty({rows, n}, x.options());
	glu_args a = {
		x.const_data_ptr(), y.mutable_data_ptr(), nullptr, nullptr, n, act, gate_last};
	at::parallel_for(
		0, rows, 8, [&](int64_t begin, int64_t end) { rows_for(x).glu(a, begin, end); });
	return recorded(y, {x}, {x},
		[rows, n, act, gate_last](
			const at::Tensor &grad, const tensors &saved, const auto &) {
			at::Tensor dy = grad.to(saved[0].scalar_type()).contiguous(),
				   dx = at::empty_like(saved[0]);
			glu_args back = {saved[0].const_data_ptr(), nullptr, dy.const_data_ptr(),
				dx.mutable_data_ptr(), n, act, gate_last};
			at::parallel_for(0, rows, 8, [&](int64_t begin, int64_t end) {
				rows_for(dy).glu_grad(back, begin, end);
			});
			return tensors{dx};
		});
}

// What tn_rotary works with. at: row of cos and sin for each token, i64 [T].
struct turning {
	at::Tensor cos, sin, at, q_norm, k_norm;
	int64_t n_q, n_k, d;
	float eps, shift;
};

static at::Tensor turned(const at::Tensor &x, const turning &t)
{
	int64_t half = t.d / 2;
	at::Tensor c = as(t.cos, x).index_select(0, t.at).unsqueeze(1), // [T,1,D/2]
		s = as(t.sin, x).index_select(0, t.at).unsqueeze(1);
	at::Tensor u = x.narrow(-1, 0, half), v = x.narrow(-1, half, half);
	return at::cat({u.mul(c).sub(v.mul(s)), v.mul(c).add(u.mul(s))}, -1);
}

static at::Tensor heads_plain(const at::Tensor &qkv, const turning &t)
{
	int64_t rows = qkv.size(0), n_turned = t.n_q + t.n_k;
	auto part = [&](int64_t from, int64_t n, const at::Tensor &norm) {
		at::Tensor x = wide(qkv.narrow(1, from * t.d, n * t.d)).reshape({rows, n, t.d});
		if (norm.defined())
			x = rms_plain(x, norm, t.eps, t.shift);
		return turned(x, t).reshape({rows, n * t.d}).to(qkv.scalar_type());
	};
	return at::cat({part(0, t.n_q, t.q_norm), part(t.n_q, t.n_k, t.k_norm),
			       qkv.narrow(1, n_turned * t.d, t.n_k * t.d)},
		1);
}

static head_args args_of(const turning &t, const at::Tensor &x)
{
	head_args a = {};
	a.x = x.const_data_ptr();
	a.cos = floats(t.cos);
	a.sin = floats(t.sin);
	a.rows = t.at.const_data_ptr<int64_t>();
	a.q_norm = floats(t.q_norm);
	a.k_norm = floats(t.k_norm);
	a.n_q = t.n_q;
	a.n_k = t.n_k;
	a.d = t.d;
	a.eps = t.eps;
	a.shift = t.shift;
	return a;
}

// -> gradients of qkv, q_norm and k_norm
static tensors heads_backward(const turning &t, const at::Tensor &x, const at::Tensor &grad)
{
	at::Tensor dy = grad.to(x.scalar_type()).contiguous(), dx = at::empty_like(x);
	head_args back = args_of(t, x);
	back.dy = dy.const_data_ptr();
	back.dx = dx.mutable_data_ptr();
	at::Tensor sums = sum_rows(x.size(0), 2, t.d, [&](int64_t first, int64_t last, float *to) {
		std::vector<float> scratch(static_cast<size_t>(t.d));
		head_args own = back;
		own.dq_norm = to;
		own.dk_norm = to + t.d;
		own.scratch = scratch.data();
		rows_for(x).heads_grad(own, first, last);
	});
	auto sum = [&](const at::Tensor &norm, int64_t row) {
		return norm.defined() ? sums.select(0, row).clone() : at::Tensor();
	};
	return {dx, sum(t.q_norm, 0), sum(t.k_norm, 1)};
}

static at::Tensor heads_ours(const at::Tensor &qkv, turning t)
{
	at::Tensor x = qkv.contiguous(), y = at::empty_like(x);
	t.q_norm = f32(t.q_norm);
	t.k_norm = f32(t.k_norm);
	tensors inputs = {x, t.q_norm, t.k_norm};
	head_args a = args_of(t, x);
	a.y = y.mutable_data_ptr();
	at::parallel_for(0, x.size(0), 8,
		[&](int64_t begin, int64_t end) { rows_for(x).heads(a, begin, end); });
	t.q_norm = t.q_norm.defined() ? t.q_norm.detach() : t.q_norm; // the graph holds them
	t.k_norm = t.k_norm.defined() ? t.k_norm.detach() : t.k_norm;
	return recorded(
		y, inputs, {x}, [t](const at::Tensor &grad, const tensors &saved, const auto &) {
			return heads_backward(t, saved[0], grad);
		});
}

static void check_rotary(const at::Tensor &qkv, const struct tn_attention &how, const turning &t)
{
	int64_t width = (t.n_q + 2 * t.n_k) * t.d;
	require(qkv.dim() == 2 && qkv.size(1) == width, "qkv ", qkv.sizes(), ", expected [T,",
		width, "] for ", how.n_heads, " and ", how.n_kv_heads, " heads of ", t.d);
	require(t.d % 2 == 0 && t.cos.dim() == 2 && t.cos.size(1) == t.d / 2 &&
			t.cos.sizes() == t.sin.sizes(),
		"cos ", t.cos.sizes(), " and sin ", t.sin.sizes(), " for heads of ", t.d);
	for (const at::Tensor *norm : {&t.q_norm, &t.k_norm})
		require(!norm->defined() || (norm->dim() == 1 && norm->size(0) == t.d),
			"norm of heads of ", t.d);
}

static void check_rows(const int64_t *rows, int64_t n, int64_t n_rows)
{
	for (int64_t i = 0; i < n; i++)
		require(rows[i] >= 0 && rows[i] < n_rows, "token ", i, " turns by row ", rows[i],
			" of ", n_rows, " of cos and sin");
}

} // namespace shim

using namespace shim;

// Zhang, Sennrich 2019, eq. 4
tensor tn_rms_norm(tn_scope *s, tensor x, tensor w, double eps, double shift)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &weight = get(s, w);
		check_vector("weight", weight, in);
		return is_ours(in) ? rms_ours(in, weight, eps, shift)
				   : rms_plain(in, weight, eps, shift).to(in.scalar_type());
	});
}

tensor tn_glu(tn_scope *s, tensor x, enum tn_act act, bool gate_last)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		gate_act gate = act_for(act);
		require(in.dim() == 2 && in.size(1) % 2 == 0, "both halves are [T,2F], got ",
			in.sizes());
		return is_ours(in) ? glu_ours(in, gate, gate_last)
				   : glu_plain(in, gate, gate_last).to(in.scalar_type());
	});
}

tensor tn_rotary(
	tn_scope *s, tensor qkv, const struct tn_attention *how, const struct tn_rotary *rotary)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, qkv);
		turning t = {get(s, rotary->cos), get(s, rotary->sin), at::Tensor(),
			get_or_none(s, rotary->q_norm), get_or_none(s, rotary->k_norm),
			how->n_heads, how->n_kv_heads, how->head_dim,
			static_cast<float>(rotary->eps), static_cast<float>(rotary->shift)};
		check_rotary(in, *how, t);
		check_rows(rotary->rows, in.size(0), t.cos.size(0));
		t.at = from_host(context_of(s), rotary->rows, at::kLong, {in.size(0)});
		return is_ours(in) ? heads_ours(in, t) : heads_plain(in, t);
	});
}

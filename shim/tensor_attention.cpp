// tensor_attention.cpp - softmax attention within each sequence of a packed batch.
//
// Vaswani et al. 2017, eq. 1, per head. Three ways: our CPU kernel (f32, bf16), libtorch's packed
// CUDA kernels, and plain ops a sequence at a time for what is left (f64, f16 on a CPU, soft caps
// on a GPU), which also serve as the tests' truth.
#include "tensor_internal.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include "tensor_attention.hpp"
#include "tensor_hash.hpp"
#include "tensor_node.hpp"

namespace shim
{

static double scale_of(const struct tn_attention &how)
{
	return how.scale != 0.0 ? how.scale : 1.0 / std::sqrt(static_cast<double>(how.head_dim));
}

static attention_plan plan_of(struct tn_seqs seqs, const struct tn_attention &how)
{
	mask_rule drop = {
		how.seed, drop_below(how.dropout), static_cast<float>(1.0 / (1.0 - how.dropout))};
	return {how, std::vector<int64_t>(seqs.start, seqs.start + seqs.n + 1),
		static_cast<float>(scale_of(how)), drop};
}

// [heads, n, keys] keep-mask over the scores of the queries at global rows first .. first + n and
// the keys from low on.
static at::Tensor score_mask(
	const struct tn_attention &how, int64_t first, int64_t n, int64_t low, int64_t keys)
{
	at::Tensor mask = at::empty({how.n_heads, n, keys}, at::kFloat);
	float *out = mask.mutable_data_ptr<float>();
	uint32_t below = drop_below(how.dropout);
	for (int64_t h = 0; h < how.n_heads; h++)
		for (int64_t i = 0; i < n; i++) {
			hash_key key = key_of(
				how.seed, static_cast<uint64_t>((first + i) * how.n_heads + h));
			for (int64_t j = low; j < low + keys; j++)
				*out++ =
					hash32(key, static_cast<uint32_t>(j)) < below ? 0.0f : 1.0f;
		}
	return mask;
}

// Of one sequence: n queries from `query` on and the keys [low, high) that any of them sees; first:
// the sequence's first token in the batch.
struct tile {
	int64_t first, query, n, low, high;
};

// A tile's queries by plain ops: rows [high - low, (H + 2K) * D] of its keys, which its queries are
// among -> [n, H * D].
static at::Tensor attend(const at::Tensor &rows, const tile &t, const struct tn_attention &how)
{
	int64_t len = rows.size(0), d = how.head_dim, heads = how.n_heads, kv = how.n_kv_heads;
	int64_t n = t.n, query = t.query - t.low;
	at::Tensor q = rows.narrow(0, query, n)
			       .narrow(1, 0, heads * d)
			       .view({n, heads, d})
			       .transpose(0, 1); // [H,n,D]
	auto shared = [&](int64_t from) { // [K,L,D] -> [H,L,D]
		at::Tensor x = rows.narrow(1, from * d, kv * d).view({len, kv, d}).transpose(0, 1);
		return kv == heads
			? x
			: x.unsqueeze(1).expand({kv, heads / kv, len, d}).reshape({heads, len, d});
	};
	at::Tensor scores =
		at::matmul(q, shared(heads).transpose(1, 2)).mul(scale_of(how)); // [H,n,L]
	if (how.soft_cap > 0.0)
		scores = scores.div(how.soft_cap).tanh().mul(how.soft_cap);
	if (how.is_causal || how.window > 0) {
		at::Tensor place = at::arange(len, rows.options().dtype(at::kLong));
		at::Tensor ahead = place.unsqueeze(0).sub(
			place.narrow(0, query, n).unsqueeze(1)); // key - query
		at::Tensor hidden = how.is_causal ? ahead.gt(0) : ahead.gt(how.window);
		if (how.window > 0)
			hidden = hidden.logical_or(ahead.lt(-how.window));
		scores = scores.masked_fill(hidden, -INFINITY);
	}
	at::Tensor p = at::softmax(scores, -1);
	if (how.dropout > 0.0)
		p = p.mul(score_mask(how, t.first + t.query, n, t.low, len).to(p.options()))
			    .mul(1.0 / (1.0 - how.dropout));
	return at::matmul(p, shared(heads + kv)).transpose(0, 1).reshape({n, heads * d});
}

// fn(tile) for each block of queries of each sequence.
template <class F> static void for_each_tile(const attention_plan &plan, F &&fn)
{
	constexpr int64_t block = 256;
	int64_t window = plan.how.window;
	for (size_t i = 0; i + 1 < plan.start.size(); i++) {
		int64_t first = plan.start[i], len = plan.start[i + 1] - first;
		for (int64_t query = 0; query < len; query += block) {
			int64_t n = std::min(block, len - query), low = 0, high = len;
			if (window > 0) {
				low = std::max<int64_t>(0, query - window);
				high = std::min(len, query + n + window);
			}
			if (plan.how.is_causal)
				high = query + n;
			fn(tile{first, query, n, low, high});
		}
	}
}

// Each block is recorded, differentiated and forgotten by itself: no more than one block's scores
// exist at a time.
static at::Tensor attend_plain_grad(
	const attention_plan &plan, const at::Tensor &qkv, const at::Tensor &dout)
{
	at::Tensor dqkv = at::zeros_like(qkv);
	for_each_tile(plan, [&](const tile &t) {
		c10::AutoGradMode on(true);
		int64_t from = t.first + t.low, keys = t.high - t.low;
		at::Tensor rows = qkv.narrow(0, from, keys).detach().set_requires_grad(true);
		at::Tensor y = attend(rows, t, plan.how);
		auto grads = torch::autograd::grad(
			{y}, {rows}, {dout.narrow(0, t.first + t.query, t.n)});
		c10::AutoGradMode off(false);
		dqkv.narrow(0, from, keys).add_(grads.at(0));
	});
	return dqkv;
}

static at::Tensor attend_plain(
	const at::Tensor &qkv, struct tn_seqs seqs, const struct tn_attention &how)
{
	auto plan = std::make_shared<attention_plan>(plan_of(seqs, how));
	at::Tensor in = wide(qkv);
	at::Tensor out = at::empty({in.size(0), how.n_heads * how.head_dim}, in.options());
	{
		c10::AutoGradMode off(false);
		for_each_tile(*plan, [&](const tile &t) {
			at::Tensor rows = in.narrow(0, t.first + t.low, t.high - t.low);
			out.narrow(0, t.first + t.query, t.n).copy_(attend(rows, t, how));
		});
	}
	out = recorded(out, {in}, {in},
		[plan](const at::Tensor &grad, const tensors &saved, const auto &) {
			return tensors{attend_plain_grad(*plan, saved[0], grad)};
		});
	return out.to(qkv.scalar_type());
}

static at::Tensor attend_ours(
	const at::Tensor &qkv, struct tn_seqs seqs, const struct tn_attention &how)
{
	auto plan = std::make_shared<attention_plan>(plan_of(seqs, how));
	at::Tensor in = qkv.contiguous(), stats;
	at::Tensor out = at::empty({in.size(0), how.n_heads * how.head_dim}, in.options());
	if (is_recorded({in}))
		stats = at::empty({in.size(0), how.n_heads, 2}, at::kFloat);
	{
		c10::AutoGradMode off(false);
		attend_cpu(*plan, in.detach(), out,
			stats.defined() ? stats.mutable_data_ptr<float>() : nullptr);
	}
	return recorded(out, {in}, {in, stats},
		[plan](const at::Tensor &grad, const tensors &saved, const auto &) {
			at::Tensor dqkv = at::empty_like(saved[0]);
			at::Tensor dout = grad.to(saved[0].scalar_type()).contiguous();
			attend_cpu_grad(
				*plan, saved[0], dout, saved[1].const_data_ptr<float>(), dqkv);
			return tensors{dqkv};
		});
}

static void check_attention(
	const at::Tensor &qkv, struct tn_seqs seqs, const struct tn_attention &how)
{
	require(how.n_heads > 0 && how.n_kv_heads > 0 && how.head_dim > 0 &&
			how.n_heads % how.n_kv_heads == 0,
		how.n_heads, " query heads over ", how.n_kv_heads, " key heads of ", how.head_dim);
	int64_t width = (how.n_heads + 2 * how.n_kv_heads) * how.head_dim;
	require(qkv.dim() == 2 && qkv.size(1) == width, "qkv ", qkv.sizes(), ", expected [T,",
		width, "]");
	require(how.dropout >= 0.0 && how.dropout < 1.0, "dropout of ", how.dropout,
		", expected [0, 1)");
	require(how.window >= 0 && how.soft_cap >= 0.0, "negative window or soft cap");
	check_seqs(seqs, qkv.size(0));
}

} // namespace shim

using namespace shim;

tensor tn_attention(tn_scope *s, tensor qkv, struct tn_seqs seqs, const struct tn_attention *how)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, qkv);
		check_attention(in, seqs, *how);
		if (fits_cuda(plan_of(seqs, *how), in))
			return attend_cuda(plan_of(seqs, *how), in);
		bool is_ours = in.is_cpu() &&
			(in.scalar_type() == at::kFloat || in.scalar_type() == at::kBFloat16);
		return is_ours ? attend_ours(in, seqs, *how) : attend_plain(in, seqs, *how);
	});
}

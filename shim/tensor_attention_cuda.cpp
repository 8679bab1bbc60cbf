// tensor_attention_cuda.cpp - attention on a GPU by the kernels that libtorch brings for packed
// sequences.
//
// Both ops have backward formulas in libtorch. Their dropout draws from the device's generator: it
// is seeded by the caller's seed right before, so that a repeated forward drops the same
// probabilities.
#include "tensor_attention.hpp"

#include <algorithm>

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/ops/_efficient_attention_forward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/empty.h>

namespace shim
{

static at::Tensor starts_on_device(const attention_plan &plan, const at::Tensor &like)
{
	at::Tensor host = at::empty({plan.n_seqs() + 1}, at::kInt); // [n + 1]
	std::copy(plan.start.begin(), plan.start.end(), host.mutable_data_ptr<int>());
	return host.to(like.device());
}

static void seed_device(const attention_plan &plan, const at::Tensor &like)
{
	if (plan.how.dropout == 0.0)
		return;
	at::Generator generator = at::globalContext().defaultGenerator(like.device());
	std::lock_guard<std::mutex> lock(generator.mutex());
	generator.set_current_seed(plan.how.seed);
}

// Rows first .. first + heads of qkv, in heads: a view [T, heads, D].
static at::Tensor heads_of(
	const attention_plan &plan, const at::Tensor &qkv, int64_t first, int64_t heads)
{
	int64_t d = plan.how.head_dim;
	return qkv.narrow(1, first * d, heads * d).view({qkv.size(0), heads, d});
}

static bool fits_flash(const attention_plan &plan, const at::Tensor &qkv)
{
	bool is_half = qkv.scalar_type() == at::kBFloat16 || qkv.scalar_type() == at::kHalf;
	return is_half && plan.how.head_dim % 8 == 0 && plan.how.head_dim <= 256;
}

bool fits_cuda(const attention_plan &plan, const at::Tensor &qkv)
{
	if (!qkv.is_cuda() || plan.how.soft_cap > 0.0 || qkv.size(0) == 0)
		return false;
	bool is_wide = qkv.scalar_type() == at::kFloat && plan.how.window == 0 &&
		plan.how.head_dim % 4 == 0;
	return fits_flash(plan, qkv) || is_wide;
}

static at::Tensor shared(const attention_plan &plan, const at::Tensor &kv)
{
	int64_t heads = plan.how.n_heads, n = plan.how.n_kv_heads;
	return n == heads ? kv : kv.repeat_interleave(heads / n, 1); // [T,H,D]
}

at::Tensor attend_cuda(const attention_plan &plan, const at::Tensor &qkv)
{
	const struct tn_attention &how = plan.how;
	at::Tensor q = heads_of(plan, qkv, 0, how.n_heads);
	at::Tensor k = heads_of(plan, qkv, how.n_heads, how.n_kv_heads);
	at::Tensor v = heads_of(plan, qkv, how.n_heads + how.n_kv_heads, how.n_kv_heads);
	at::Tensor starts = starts_on_device(plan, qkv);
	int64_t longest = 0;
	for (size_t i = 0; i + 1 < plan.start.size(); i++)
		longest = std::max(longest, plan.start[i + 1] - plan.start[i]);
	std::optional<double> scale = static_cast<double>(plan.scale);
	std::optional<int64_t> left, right;
	if (how.window > 0) {
		left = how.window;
		right = how.is_causal ? 0 : how.window;
	}
	seed_device(plan, qkv);
	at::Tensor out;
	if (fits_flash(plan, qkv))
		out = std::get<0>(at::_flash_attention_forward(q, k, v, starts, starts, longest,
			longest, how.dropout, how.is_causal, false, scale, left, right));
	else // a batch of one: the starts say where sequences end; mask 1 is causal
		out = std::get<0>(at::_efficient_attention_forward(q.unsqueeze(0),
			shared(plan, k).unsqueeze(0), shared(plan, v).unsqueeze(0), {}, starts,
			starts, longest, longest, how.dropout, how.is_causal ? 1 : 0, true, scale));
	return out.reshape({qkv.size(0), how.n_heads * how.head_dim});
}

} // namespace shim

// tensor_seqs.cpp - what knows where each sequence of a packed batch begins: pooling.
#include "tensor_internal.hpp"

#include <cmath>

#include <ATen/ops/max.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

namespace shim
{

void check_seqs(struct tn_seqs seqs, int64_t n_tokens)
{
	require(seqs.n >= 0 && seqs.start, "there are no sequences");
	require(seqs.start[0] == 0, "sequence 0 starts at ", seqs.start[0], ", expected 0");
	for (int64_t i = 0; i < seqs.n; i++)
		require(seqs.start[i] <= seqs.start[i + 1], "sequence ", i, " ends at ",
			seqs.start[i + 1], " before its start ", seqs.start[i]);
	require(seqs.start[seqs.n] == n_tokens, "sequences end at ", seqs.start[seqs.n], " of ",
		n_tokens, " tokens");
}

// Sequence of each token, [T] i64.
static at::Tensor owner_of(const context &c, struct tn_seqs seqs)
{
	std::vector<int64_t> owner;
	for (int64_t i = 0; i < seqs.n; i++)
		owner.insert(
			owner.end(), static_cast<size_t>(seqs.start[i + 1] - seqs.start[i]), i);
	return from_host(c, owner.data(), at::kLong, {static_cast<int64_t>(owner.size())});
}

// weight(len, index in the sequence) of each token, [T,1] f32; what a sum over a sequence is made
// of.
template <class F>
static at::Tensor token_weights(const context &c, struct tn_seqs seqs, F &&weight)
{
	std::vector<float> all;
	for (int64_t i = 0; i < seqs.n; i++) {
		int64_t len = seqs.start[i + 1] - seqs.start[i];
		for (int64_t j = 0; j < len; j++)
			all.push_back(static_cast<float>(
				weight(static_cast<double>(len), static_cast<double>(j))));
	}
	return from_host(c, all.data(), at::kFloat, {static_cast<int64_t>(all.size()), 1});
}

static at::Tensor weighted_sum(
	const context &c, const at::Tensor &x, struct tn_seqs seqs, const at::Tensor &weights)
{
	at::Tensor zero = at::zeros({seqs.n, x.size(1)}, wide(x).options());
	return zero.index_add(0, owner_of(c, seqs), wide(x).mul(weights.to(zero.scalar_type())))
		.to(x.scalar_type());
}

// One row a sequence, the one at row(start, end).
template <class F>
static at::Tensor pick(const context &c, const at::Tensor &x, struct tn_seqs seqs, F &&row)
{
	std::vector<int64_t> index, filled;
	for (int64_t i = 0; i < seqs.n; i++) {
		if (seqs.start[i] == seqs.start[i + 1])
			continue;
		index.push_back(row(seqs.start[i], seqs.start[i + 1]));
		filled.push_back(i);
	}
	int64_t n = static_cast<int64_t>(index.size());
	at::Tensor rows = x.index_select(0, from_host(c, index.data(), at::kLong, {n}));
	if (n == seqs.n)
		return rows;
	return at::zeros({seqs.n, x.size(1)}, x.options())
		.index_copy(0, from_host(c, filled.data(), at::kLong, {n}), rows);
}

static at::Tensor pool_max(const at::Tensor &x, struct tn_seqs seqs)
{
	std::vector<at::Tensor> rows;
	for (int64_t i = 0; i < seqs.n; i++) {
		int64_t len = seqs.start[i + 1] - seqs.start[i];
		rows.push_back(len == 0 ? at::zeros({x.size(1)}, x.options())
					: std::get<0>(at::max(x.narrow(0, seqs.start[i], len), 0)));
	}
	return rows.empty() ? at::zeros({0, x.size(1)}, x.options()) : at::stack(rows);
}

static at::Tensor pool(const context &c, const at::Tensor &x, struct tn_seqs seqs, enum tn_pool how)
{
	auto sum = [&](auto weight) {
		return weighted_sum(c, x, seqs, token_weights(c, seqs, weight));
	};
	switch (how) {
	case TN_POOL_MEAN:
		return sum([](double len, double) { return 1.0 / len; });
	case TN_POOL_MEAN_SQRT:
		return sum([](double len, double) { return 1.0 / std::sqrt(len); });
	case TN_POOL_WEIGHTED: // 1, 2 ... len (Muennighoff 2022, SGPT, eq. 2)
		return sum(
			[](double len, double j) { return 2.0 * (j + 1.0) / (len * (len + 1.0)); });
	case TN_POOL_CLS:
		return pick(c, x, seqs, [](int64_t start, int64_t) { return start; });
	case TN_POOL_LAST:
		return pick(c, x, seqs, [](int64_t, int64_t end) { return end - 1; });
	case TN_POOL_MAX:
		return pool_max(x, seqs);
	}
	throw bad_shape(cat("unknown pooling ", static_cast<int>(how)));
}

} // namespace shim

using namespace shim;

tensor tn_pool(tn_scope *s, tensor x, struct tn_seqs seqs, enum tn_pool how)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		require(in.dim() == 2, "tokens are [T,H], got ", in.sizes());
		check_seqs(seqs, in.size(0));
		return pool(context_of(s), in, seqs, how);
	});
}

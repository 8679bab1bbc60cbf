// tensor_layers.cpp - pieces of a transformer over packed tokens: embedding, norms, dropout,
// pooling, rotary.
#include "tensor_internal.hpp"

#include <algorithm>

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/max.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "tensor_hash.hpp"

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

at::Tensor keep_mask(const at::Tensor &like, double p, uint64_t seed)
{
	at::Tensor host = at::empty(like.sizes(), at::kFloat);
	float *out = host.mutable_data_ptr<float>();
	uint32_t below = drop_below(p);
	uint64_t n = static_cast<uint64_t>(host.numel());
	for (uint64_t i = 0; i < n;) {
		hash_key key = key_of(seed, i >> 32);
		for (uint64_t end = std::min(n, ((i >> 32) + 1) << 32); i < end; i++)
			out[i] = hash32(key, static_cast<uint32_t>(i)) < below ? 0.0f : 1.0f;
	}
	return host.to(like.options());
}

static void check_dropout(double p)
{
	require(p >= 0.0 && p < 1.0, "dropout of ", p, ", expected [0, 1)");
}

static at::Tensor dropout(const at::Tensor &x, double p, uint64_t seed)
{
	return p == 0.0 ? x : x.mul(keep_mask(x, p, seed)).mul(1.0 / (1.0 - p));
}

// At least f32: f64 stays, so that gradients can be checked in it.
static at::Tensor wide(const at::Tensor &x)
{
	return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

static at::Tensor as(const at::Tensor &x, const at::Tensor &like)
{
	return x.defined() ? x.to(like.scalar_type()) : x;
}

static void check_vector(const char *what, const at::Tensor &v, const at::Tensor &x)
{
	require(v.dim() == 1 && v.size(0) == x.size(-1), what, " ", v.sizes(),
	        " for a last axis of ", x.size(-1));
}

static at::Tensor layer_norm(
        const at::Tensor &x, const at::Tensor &w, const at::Tensor &b, double eps)
{
	at::Tensor in = wide(x);
	return at::layer_norm(in, {x.size(-1)}, as(w, in), as(b, in), eps).to(x.scalar_type());
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

// [T] i64: index of each token in its sequence.
static at::Tensor positions(const context &c, struct tn_seqs seqs)
{
	std::vector<int64_t> all;
	for (int64_t i = 0; i < seqs.n; i++)
		for (int64_t t = seqs.start[i]; t < seqs.start[i + 1]; t++)
			all.push_back(t - seqs.start[i]);
	return from_host(c, all.data(), at::kLong, {static_cast<int64_t>(all.size())});
}

static at::Tensor rotate(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin)
{
	int64_t half = x.size(-1) / 2;
	at::Tensor turned = at::cat({x.narrow(-1, half, half).neg(), x.narrow(-1, 0, half)}, -1);
	return x.mul(cos).add(turned.mul(sin));
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
		return at::embedding(rows, from_host(context_of(s), ids, at::kLong, {n}));
	});
}

tensor tn_layer_norm(tn_scope *s, tensor x, tensor w, tensor b, double eps)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &weight = get(s, w);
		at::Tensor bias = get_or_none(s, b);
		check_vector("weight", weight, in);
		if (bias.defined())
			check_vector("bias", bias, in);
		return layer_norm(in, weight, bias, eps);
	});
}

// Zhang, Sennrich 2019, eq. 4
tensor tn_rms_norm(tn_scope *s, tensor x, tensor w, double eps)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &weight = get(s, w);
		check_vector("weight", weight, in);
		at::Tensor h = wide(in);
		at::Tensor scale = h.mul(h).mean(-1, true).add(eps).rsqrt();
		return h.mul(scale).mul(as(weight, h)).to(in.scalar_type());
	});
}

tensor tn_dropout(tn_scope *s, tensor x, double p, uint64_t seed)
{
	return op(s, __func__, [&] {
		check_dropout(p);
		return dropout(get(s, x), p, seed);
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
		require(in.sizes() == rest.sizes() && in.dim() == 2, "x ", in.sizes(),
		        " and residual ", rest.sizes(), " are both [T,H]");
		check_vector("weight", weight, in);
		check_vector("shift", shift, in);
		if (add.defined())
			check_vector("bias", add, in);
		at::Tensor h = add.defined() ? wide(in).add(wide(add)) : wide(in);
		return layer_norm(dropout(h, p, seed).add(wide(rest)), weight, shift, eps)
		        .to(in.scalar_type());
	});
}

tensor tn_bias_gelu(tn_scope *s, tensor x, tensor bias, bool tanh_form)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x), &add = get(s, bias);
		check_vector("bias", add, in);
		return at::gelu(wide(in).add(wide(add)), tanh_form ? "tanh" : "none")
		        .to(in.scalar_type());
	});
}

tensor tn_pool(tn_scope *s, tensor x, struct tn_seqs seqs, enum tn_pool how)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, x);
		require(in.dim() == 2, "tokens are [T,H], got ", in.sizes());
		check_seqs(seqs, in.size(0));
		return pool(context_of(s), in, seqs, how);
	});
}

// Su et al. 2021, section 3.4.2, in the rotate-half layout of GPT-NeoX
tensor tn_rope(tn_scope *s, tensor qkv, struct tn_seqs seqs, const struct tn_attention *how,
        tensor cos, tensor sin)
{
	return op(s, __func__, [&] {
		const at::Tensor &in = get(s, qkv), &c = get(s, cos), &d = get(s, sin);
		int64_t turned = how->n_heads + how->n_kv_heads, heads = turned + how->n_kv_heads;
		int64_t size = how->head_dim;
		require(in.dim() == 2 && in.size(1) == heads * size, "qkv ", in.sizes(), " for ",
		        heads, " heads of ", size);
		require(size % 2 == 0 && c.dim() == 2 && c.size(1) == size &&
		                c.sizes() == d.sizes(),
		        "cos ", c.sizes(), " and sin ", d.sizes(), " for heads of ", size);
		check_seqs(seqs, in.size(0));
		for (int64_t i = 0; i < seqs.n; i++)
			require(seqs.start[i + 1] - seqs.start[i] <= c.size(0), "sequence ", i,
			        " is longer than the ", c.size(0), " positions of cos and sin");
		at::Tensor at = positions(context_of(s), seqs);
		at::Tensor x =
		        wide(in.narrow(1, 0, turned * size)).view({in.size(0), turned, size});
		at::Tensor y = rotate(x, as(c.index_select(0, at), x).unsqueeze(1),
		        as(d.index_select(0, at), x).unsqueeze(1));
		at::Tensor head = y.view({in.size(0), turned * size}).to(in.scalar_type());
		return at::cat({head, in.narrow(1, turned * size, how->n_kv_heads * size)}, 1);
	});
}

// tensor_attention_cpu.cpp - attention on the CPU, by sequence and key head: MKL's sgemm on strided
// rows, one vectorised loop for softmax and dropout between the products.
//
// A tile is a block of queries by all keys they may see, so the scratch grows with the length, not
// its square. Each row of scores has one range of visible keys (causal, window), so there are no
// masks. Backward computes the scores again from the row maximum and sum that forward kept. Why not
// libtorch's: its CPU kernel knows no dropout and no window, and its bf16 backward takes half of a
// training step.
#include "tensor_attention.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

extern "C" {
void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
	const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
	const float *beta, float *c, const int *ldc);
int MKL_Set_Num_Threads_Local(int n);
}

namespace shim
{
namespace
{

struct matrix {
	float *at;
	int64_t stride;
	matrix rows(int64_t first) const { return {at + first * stride, stride}; }
	matrix columns(int64_t first) const { return {at + first, stride}; }
};

// c[m,n] = alpha * op(a) op(b) + beta * c, row-major; BLAS sees the transposes. k: the inner size.
void multiply(matrix a, bool turn_a, matrix b, bool turn_b, matrix c, int64_t m, int64_t n,
	int64_t k, float alpha, float beta)
{
	int im = static_cast<int>(m), in = static_cast<int>(n), ik = static_cast<int>(k);
	int lda = static_cast<int>(a.stride), ldb = static_cast<int>(b.stride),
	    ldc = static_cast<int>(c.stride);
	sgemm_(turn_b ? "T" : "N", turn_a ? "T" : "N", &in, &im, &ik, &alpha, b.at, &ldb, a.at,
		&lda, &beta, c.at, &ldc);
}

// One sequence and one key head with the query heads that share it: [len, group * d], [len, d],
// [len, d].
struct group {
	matrix q, k, v;
};

struct keys {
	int64_t low, high;
};

class worker
{
public:
	worker(const attention_plan &p, float *scratch)
	    : plan(p), next(scratch), threads(MKL_Set_Num_Threads_Local(1))
	{
	}
	worker(const worker &) = delete;
	~worker() { MKL_Set_Num_Threads_Local(threads); }

	void forward(int64_t seq, int64_t kv, const at::Tensor &qkv, const at::Tensor &out,
		float *stats);
	void backward(int64_t seq, int64_t kv, const at::Tensor &qkv, const at::Tensor &dout,
		const float *stats, const at::Tensor &dqkv);

private:
	const attention_plan &plan;
	float *next;
	int threads;

	float *take(int64_t n)
	{
		float *at = next;
		next += (n + 15) / 16 * 16; // whole cache lines
		return at;
	}
	matrix view(const at::Tensor &t, int64_t row, int64_t column, int64_t rows, int64_t n,
		bool read);
	void write_back(const at::Tensor &t, int64_t row, int64_t column, int64_t rows, int64_t n,
		matrix from) const;
	group open(const at::Tensor &t, int64_t seq, int64_t kv, bool read);
	void close(const at::Tensor &t, int64_t seq, int64_t kv, const group &g) const;
	keys visible(int64_t first, int64_t n, int64_t len) const;
	score_row row(int64_t seq, int64_t head, int64_t query, keys tile) const;
	int64_t query_heads() const { return plan.how.n_heads / plan.how.n_kv_heads; }
	int64_t length(int64_t seq) const
	{
		return plan.start[idx(seq) + 1] - plan.start[idx(seq)];
	}
	static size_t idx(int64_t i) { return static_cast<size_t>(i); }
};

bool is_bf16(const at::Tensor &t)
{
	return t.scalar_type() == at::kBFloat16;
}

// A block of t as f32: in place when it is f32, else in scratch (filled only when it will be read).
matrix worker::view(
	const at::Tensor &t, int64_t row, int64_t column, int64_t rows, int64_t n, bool read)
{
	int64_t at = row * t.size(1) + column;
	if (!is_bf16(t))
		return {t.mutable_data_ptr<float>() + at, t.size(1)};
	matrix m = {take(rows * n), n};
	if (read)
		kernels().bf16.widen(
			t.const_data_ptr<at::BFloat16>() + at, t.size(1), m.at, n, rows, n);
	return m;
}

void worker::write_back(const at::Tensor &t, int64_t row, int64_t column, int64_t rows, int64_t n,
	matrix from) const
{
	if (is_bf16(t))
		kernels().bf16.narrow(from.at, from.stride,
			t.mutable_data_ptr<at::BFloat16>() + row * t.size(1) + column, t.size(1),
			rows, n);
}

group worker::open(const at::Tensor &t, int64_t seq, int64_t kv, bool read)
{
	int64_t d = plan.how.head_dim, first = plan.start[idx(seq)], len = length(seq),
		heads = plan.how.n_heads;
	return {view(t, first, kv * query_heads() * d, len, query_heads() * d, read),
		view(t, first, (heads + kv) * d, len, d, read),
		view(t, first, (heads + plan.how.n_kv_heads + kv) * d, len, d, read)};
}

void worker::close(const at::Tensor &t, int64_t seq, int64_t kv, const group &g) const
{
	int64_t d = plan.how.head_dim, first = plan.start[idx(seq)], len = length(seq),
		heads = plan.how.n_heads;
	write_back(t, first, kv * query_heads() * d, len, query_heads() * d, g.q);
	write_back(t, first, (heads + kv) * d, len, d, g.k);
	write_back(t, first, (heads + plan.how.n_kv_heads + kv) * d, len, d, g.v);
}

// Keys that any of the queries first .. first + n sees.
keys worker::visible(int64_t first, int64_t n, int64_t len) const
{
	int64_t window = plan.how.window, last = first + n;
	return {window > 0 ? std::max<int64_t>(0, first - window) : 0,
		plan.how.is_causal   ? last
			: window > 0 ? std::min(len, last + window)
				     : len};
}

score_row worker::row(int64_t seq, int64_t head, int64_t query, keys tile) const
{
	keys own = visible(query, 1, length(seq));
	uint64_t token = static_cast<uint64_t>(plan.start[idx(seq)] + query);
	uint64_t mask_row =
		token * static_cast<uint64_t>(plan.how.n_heads) + static_cast<uint64_t>(head);
	return {own.low - tile.low, own.high - tile.low, tile.high - tile.low,
		static_cast<float>(plan.how.soft_cap), mask_row, static_cast<uint32_t>(tile.low),
		plan.drop, 0.0f, 0.0f};
}

void worker::forward(
	int64_t seq, int64_t kv, const at::Tensor &qkv, const at::Tensor &out, float *stats)
{
	float *mark = next;
	int64_t d = plan.how.head_dim, len = length(seq), block = plan.block(len),
		heads = query_heads();
	group in = open(qkv, seq, kv, true);
	matrix o = view(out, plan.start[idx(seq)], kv * heads * d, len, heads * d, false);
	float *scores = take(block * plan.max_keys(len)), *factors = take(block);
	for (int64_t h = 0; h < heads; h++)
		for (int64_t first = 0; first < len; first += block) {
			int64_t n = std::min(block, len - first);
			keys tile = visible(first, n, len);
			int64_t n_keys = tile.high - tile.low;
			matrix s = {scores, n_keys}; // [n, n_keys]
			multiply(in.q.rows(first).columns(h * d), false, in.k.rows(tile.low), true,
				s, n, n_keys, d, plan.scale, 0.0f);
			for (int64_t i = 0; i < n; i++) {
				score_row r = row(seq, kv * heads + h, first + i, tile);
				kernels().softmax(s.rows(i).at, r);
				factors[i] = r.inv_sum * plan.drop.inv_keep;
				if (stats) {
					stats[2 * r.row] = r.max;
					stats[2 * r.row + 1] = r.inv_sum;
				}
			}
			matrix to = o.rows(first).columns(h * d);
			multiply(
				s, false, in.v.rows(tile.low), false, to, n, d, n_keys, 1.0f, 0.0f);
			kernels().scale_rows(to.at, to.stride, factors, 1, n, d);
		}
	write_back(out, plan.start[idx(seq)], kv * heads * d, len, heads * d, o);
	next = mark;
}

void zero_rows(matrix m, int64_t rows, int64_t n)
{
	for (int64_t i = 0; i < rows; i++)
		std::fill_n(m.rows(i).at, n, 0.0f);
}

// dV = P' dO; dP = dO V'; dS from both; dQ = scale dS K; dK = scale dS' Q.
void worker::backward(int64_t seq, int64_t kv, const at::Tensor &qkv, const at::Tensor &dout,
	const float *stats, const at::Tensor &dqkv)
{
	float *mark = next;
	int64_t d = plan.how.head_dim, len = length(seq), block = plan.block(len),
		heads = query_heads();
	int64_t max_keys = plan.max_keys(len);
	group in = open(qkv, seq, kv, true), grad = open(dqkv, seq, kv, false);
	matrix o = view(dout, plan.start[idx(seq)], kv * heads * d, len, heads * d, true);
	float *scores = take(block * max_keys), *dscores = take(block * max_keys),
	      *scratch = take(max_keys);
	bool is_single = heads == 1 && block >= len; // then the products write all of dK and dV
	if (!is_single) {
		zero_rows(grad.k, len, d);
		zero_rows(grad.v, len, d);
	}
	float beta = is_single ? 0.0f : 1.0f;
	for (int64_t h = 0; h < heads; h++)
		for (int64_t first = 0; first < len; first += block) {
			int64_t n = std::min(block, len - first);
			keys tile = visible(first, n, len);
			int64_t n_keys = tile.high - tile.low;
			matrix s = {scores, n_keys}, ds = {dscores, n_keys}; // [n, n_keys]
			matrix q = in.q.rows(first).columns(h * d), k = in.k.rows(tile.low),
			       v = in.v.rows(tile.low);
			matrix from = o.rows(first).columns(h * d);
			multiply(q, false, k, true, s, n, n_keys, d, plan.scale, 0.0f);
			multiply(from, false, v, true, ds, n, n_keys, d, 1.0f, 0.0f);
			for (int64_t i = 0; i < n; i++) {
				score_row r = row(seq, kv * heads + h, first + i, tile);
				r.max = stats[2 * r.row];
				r.inv_sum = stats[2 * r.row + 1];
				kernels().softmax_grad(s.rows(i).at, ds.rows(i).at, scratch, r);
			}
			multiply(s, true, from, false, grad.v.rows(tile.low), n_keys, d, n, 1.0f,
				beta);
			multiply(ds, false, k, false, grad.q.rows(first).columns(h * d), n, d,
				n_keys, plan.scale, 0.0f);
			multiply(ds, true, q, false, grad.k.rows(tile.low), n_keys, d, n,
				plan.scale, beta);
		}
	close(dqkv, seq, kv, grad);
	next = mark;
}

// Runs fn(worker, sequence, key head) for each pair once. Which thread takes which does not matter
// to the result.
template <class F> void for_each_group(const attention_plan &plan, int64_t scratch_floats, F &&fn)
{
	int64_t items = plan.n_seqs() * plan.how.n_kv_heads;
	int64_t n_workers = std::min<int64_t>(at::get_num_threads(), items);
	if (n_workers == 0)
		return;
	at::Tensor scratch = at::empty({n_workers, scratch_floats}, at::kFloat);
	float *base = scratch.mutable_data_ptr<float>();
	std::atomic<int64_t> taken = 0;
	at::parallel_for(0, n_workers, 1, [&](int64_t begin, int64_t end) {
		for (int64_t w = begin; w < end; w++) {
			worker one(plan, base + w * scratch_floats);
			for (int64_t item; (item = taken.fetch_add(1)) < items;) {
				int64_t seq = item / plan.how.n_kv_heads;
				if (plan.start[static_cast<size_t>(seq)] <
					plan.start[static_cast<size_t>(seq) + 1])
					fn(one, seq, item % plan.how.n_kv_heads);
			}
		}
	});
}

} // namespace

// A tile of about 64k scores stays in the second-level cache.
int64_t attention_plan::block(int64_t len) const
{
	int64_t rows = (int64_t{1} << 16) / max_keys(len) / 16 * 16;
	return std::min(len, std::clamp<int64_t>(rows, 16, 128));
}

int64_t attention_plan::max_keys(int64_t len) const
{
	return how.window > 0 ? std::min(len, 128 + 2 * how.window) : len;
}

int64_t attention_plan::scratch_floats(bool is_bf16, bool is_backward) const
{
	int64_t most = 0, group = how.n_heads / how.n_kv_heads, tiles = is_backward ? 2 : 1;
	for (int64_t i = 0; i < n_seqs(); i++) {
		int64_t len = start[static_cast<size_t>(i) + 1] - start[static_cast<size_t>(i)];
		if (len == 0)
			continue;
		int64_t floats =
			tiles * (block(len) * max_keys(len) + 16) + max_keys(len) + block(len) + 64;
		if (is_bf16) // qkv, its gradient, the output or its gradient
			floats += (tiles * (group + 2) + group) * len * how.head_dim + 7 * 16;
		most = std::max(most, floats);
	}
	return (most + 15) / 16 * 16;
}

void attend_cpu(
	const attention_plan &plan, const at::Tensor &qkv, const at::Tensor &out, float *stats)
{
	for_each_group(plan, plan.scratch_floats(is_bf16(qkv), false),
		[&](worker &w, int64_t seq, int64_t kv) { w.forward(seq, kv, qkv, out, stats); });
}

void attend_cpu_grad(const attention_plan &plan, const at::Tensor &qkv, const at::Tensor &dout,
	const float *stats, const at::Tensor &dqkv)
{
	for_each_group(plan, plan.scratch_floats(is_bf16(qkv), true),
		[&](worker &w, int64_t seq, int64_t kv) {
			w.backward(seq, kv, qkv, dout, stats, dqkv);
		});
}

} // namespace shim

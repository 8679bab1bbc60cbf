// tensor_rows.hpp - what the ops over rows of packed tokens share: which kernels run, what those read,
// and sums over rows that come out the same for any number of threads.
#ifndef SHIM_TENSOR_ROWS_HPP
#define SHIM_TENSOR_ROWS_HPP

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include "tensor_internal.hpp"
#include "tensor_kernels.hpp"

namespace shim
{

inline bool is_ours(const at::Tensor &x)
{
	return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

inline const row_kernels &rows_for(const at::Tensor &x)
{
	return x.scalar_type() == at::kBFloat16 ? kernels().bf16 : kernels().f32;
}

inline const float *floats(const at::Tensor &t)
{
	return t.defined() ? t.const_data_ptr<float>() : nullptr;
}

// A vector that a kernel reads: f32, contiguous, and still part of the graph.
inline at::Tensor f32(const at::Tensor &t)
{
	return t.defined() ? t.to(at::kFloat).contiguous() : t;
}

inline void check_vector(const char *what, const at::Tensor &v, const at::Tensor &x)
{
	require(x.dim() >= 1 && v.dim() == 1 && v.size(0) == x.size(-1), what, " ", v.sizes(),
		" for ", x.sizes());
}

// Rows are added up in blocks of a fixed size, then the blocks in order: equal bits for any number
// of threads.
inline constexpr int64_t block_rows = 128;

// fn(first, last, sums): adds rows [first, last) to sums [n_sums, n] -> [n_sums, n] f32.
template <class F> at::Tensor sum_rows(int64_t rows, int64_t n_sums, int64_t n, F &&fn)
{
	int64_t blocks = (rows + block_rows - 1) / block_rows;
	at::Tensor parts = at::zeros({std::max<int64_t>(blocks, 1), n_sums, n}, at::kFloat);
	float *base = parts.mutable_data_ptr<float>();
	at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
		for (int64_t b = begin; b < end; b++)
			fn(b * block_rows, std::min(rows, (b + 1) * block_rows),
				base + b * n_sums * n);
	});
	for (int64_t b = 1; b < blocks; b++)
		for (int64_t i = 0; i < n_sums * n; i++)
			base[i] += base[b * n_sums * n + i];
	return parts.select(0, 0);
}

} // namespace shim

#endif

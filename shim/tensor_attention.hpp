// tensor_attention.hpp - one call of tn_attention, as its kernels see it.
#ifndef SHIM_TENSOR_ATTENTION_HPP
#define SHIM_TENSOR_ATTENTION_HPP

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "tensor.h"
#include "tensor_kernels.hpp"

namespace shim
{

struct attention_plan {
	struct tn_attention how;
	std::vector<int64_t> start; // [n + 1]
	float scale;
	mask_rule drop;

	int64_t n_seqs() const { return static_cast<int64_t>(start.size()) - 1; }
	int64_t block(int64_t len) const; // queries of a tile
	int64_t max_keys(int64_t len) const; // keys of a tile at most
	int64_t scratch_floats(bool is_bf16, bool is_backward) const; // of one thread
};

// qkv [T, (H + 2K) D] and out [T, H D] contiguous, both f32 or both bf16. stats [T, H, 2]: each
// row's maximum and 1 / sum, for backward; NULL: not kept.
void attend_cpu(
	const attention_plan &plan, const at::Tensor &qkv, const at::Tensor &out, float *stats);
void attend_cpu_grad(const attention_plan &plan, const at::Tensor &qkv, const at::Tensor &dout,
	const float *stats, const at::Tensor &dqkv);

// Whether libtorch's packed kernels can do this call, and the call: [T, (H + 2K) D] -> [T, H D],
// differentiable.
bool fits_cuda(const attention_plan &plan, const at::Tensor &qkv);
at::Tensor attend_cuda(const attention_plan &plan, const at::Tensor &qkv);

} // namespace shim

#endif

// tensor_table.hpp - gradients of lookup tables, of which a step touches few rows.
//
// To look at, such a gradient is dense: [V,H] f32, zero where no row was looked up. It lies in pages
// that cost nothing until they are written, and it remembers which rows were, so that adding to it,
// its norm, the optimiser's step and forgetting it cost what the touched rows cost: a vocabulary of
// 250,000 rows is 384 MB, a step looks up about a thousand of them. Nothing is approximated: a row
// that never had a gradient has moments of zero, and AdamW leaves it where it is but for its decay.
#ifndef SHIM_TENSOR_TABLE_HPP
#define SHIM_TENSOR_TABLE_HPP

#include <vector>

#include <ATen/core/Tensor.h>

#include "tensor_kernels.hpp"

namespace shim
{

struct table_rows {
	std::vector<uint8_t> now, ever; // [V] has a gradient; had one in some step
	std::vector<int64_t> list; // the rows of `now`, in the order of their first touch
	uint32_t version = 0; // of the tensor: another op's writing raises it
	const void *moments = nullptr; // whose rows `ever` is known to cover
};

// f32 zeros on the CPU whose pages exist once they are written.
at::Tensor lazy_zeros(at::IntArrayRef sizes);
// What a gradient made by table_add() remembers; nullptr for every other tensor, and for one that
// another op has written to since.
table_rows *rows_of_table(const at::Tensor &grad);
// The gradient of `table`, a CPU leaf [V,H] in f32, grows by the rows of grad [n,H] at ids.
void table_add(const at::Tensor &table, const at::Tensor &grad, const at::Tensor &ids);
// Zero again, memory kept.
void table_forget(const at::Tensor &grad, table_rows &rows);
void table_scale(const at::Tensor &grad, table_rows &rows, double k);
double table_sum_squares(const at::Tensor &grad, const table_rows &rows);
// AdamW over the rows that it can move. is_first: the optimiser's first step, moments are zero.
void table_adamw(const at::Tensor &p, const at::Tensor &m, const at::Tensor &v,
	const at::Tensor &grad, table_rows &rows, const adamw_factors &k, bool is_first);

} // namespace shim

#endif

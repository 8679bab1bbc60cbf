// tensor_node.hpp - a node of the autograd graph whose backward is ours.
#ifndef SHIM_TENSOR_NODE_HPP
#define SHIM_TENSOR_NODE_HPP

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace shim
{

using tensors = std::vector<at::Tensor>;

// Whether an op over these inputs is recorded now; what only backward needs is made only then.
bool is_recorded(const tensors &inputs);

// grad: of the op's output. saved: as given to recorded(). wanted[i]: input i needs its gradient; a
// gradient may be left undefined when it is not. Runs without recording. Gives one gradient for
// each input.
using backward_fn = std::function<tensors(
	const at::Tensor &grad, const tensors &saved, const std::vector<bool> &wanted)>;

// `out`, with fn as its backward. What is saved is freed when backward has run.
at::Tensor recorded(at::Tensor out, const tensors &inputs, const tensors &saved, backward_fn fn);

} // namespace shim

#endif

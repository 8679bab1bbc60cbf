// tensor_node.cpp - see tensor_node.hpp.
#include "tensor_node.hpp"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

namespace shim
{

namespace ag = torch::autograd;

struct node : ag::Node {
	std::vector<ag::SavedVariable> saved;
	backward_fn fn;

	ag::variable_list apply(ag::variable_list &&grads) override
	{
		TORCH_CHECK(
			fn, "backward ran through this graph before: its saved tensors are gone");
		size_t n = num_outputs();
		if (!grads.at(0).defined())
			return ag::variable_list(n);
		tensors values;
		for (const ag::SavedVariable &s : saved)
			values.push_back(s.unpack());
		std::vector<bool> wanted(n);
		for (size_t i = 0; i < n; i++)
			wanted[i] = task_should_compute_output(i);
		c10::AutoGradMode off(false);
		return fn(grads[0], values, wanted);
	}

	void release_variables() override
	{
		saved.clear();
		fn = nullptr;
	}
};

bool is_recorded(const tensors &inputs)
{
	if (!c10::GradMode::is_enabled())
		return false;
	for (const at::Tensor &t : inputs) {
		if (t.defined() && t.requires_grad())
			return true;
	}
	return false;
}

at::Tensor recorded(at::Tensor out, const tensors &inputs, const tensors &saved, backward_fn fn)
{
	if (!is_recorded(inputs))
		return out;
	std::shared_ptr<node> n(new node, ag::deleteNode);
	n->set_next_edges(ag::collect_next_edges(inputs));
	for (const at::Tensor &t : saved)
		n->saved.emplace_back(t, false);
	n->fn = std::move(fn);
	ag::impl::set_gradient_edge(out, {n, n->add_input_metadata(out)});
	return out;
}

} // namespace shim

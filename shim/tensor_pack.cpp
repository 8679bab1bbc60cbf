// tensor_pack.cpp - linears whose weight is laid out once as oneDNN likes it, bias and activation
// fused. Inference only.
//
// mkldnn::_linear_pointwise has no C++ wrapper: it is called by name through the dispatcher.
#include "tensor_internal.hpp"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>

struct tn_pack {
	at::Tensor weight; // [O,I]; opaque when is_packed
	at::Tensor bias; // [O] or undefined
	int64_t n_in, n_out;
	bool is_packed;
};

namespace shim
{

static at::Tensor call(const char *name, std::vector<c10::IValue> stack)
{
	auto found = c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
	found.callBoxed(&stack);
	return stack.at(0).toTensor();
}

static const char *attribute(enum tn_act act)
{
	switch (act) {
	case TN_ACT_NONE:
		return "none";
	case TN_ACT_GELU:
	case TN_ACT_GELU_TANH:
		return "gelu";
	case TN_ACT_RELU:
		return "relu";
	case TN_ACT_TANH:
		return "tanh";
	case TN_ACT_SILU:
		return "swish";
	}
	throw bad_shape(cat("unknown activation ", static_cast<int>(act)));
}

static at::Tensor activate(const at::Tensor &y, enum tn_act act)
{
	switch (act) {
	case TN_ACT_NONE:
		return y;
	case TN_ACT_GELU:
	case TN_ACT_GELU_TANH:
		return at::gelu(y, act == TN_ACT_GELU ? "none" : "tanh");
	case TN_ACT_RELU:
		return at::relu(y);
	case TN_ACT_TANH:
		return at::tanh(y);
	case TN_ACT_SILU:
		return at::silu(y);
	}
	throw bad_shape(cat("unknown activation ", static_cast<int>(act)));
}

// oneDNN computes in bf16 from AVX-512 BW upwards; older CPUs keep the plain weight.
static bool can_pack()
{
	__builtin_cpu_init();
	return at::hasMKLDNN() && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

} // namespace shim

using namespace shim;

tn_pack *tn_pack_linear(tn_scope *s, tensor w, tensor bias)
{
	return guard(s, __func__, static_cast<tn_pack *>(nullptr), [&] {
		c10::AutoGradMode off(false);
		at::Tensor weight = get(s, w).detach(), add = get_or_none(s, bias);
		require(weight.dim() == 2 && weight.scalar_type() == at::kBFloat16 &&
				weight.numel() > 0,
			"weight is bf16 [O,I], got ", weight.scalar_type(), " ", weight.sizes());
		require(!add.defined() || add.sizes() == weight.sizes().slice(0, 1),
			"bias does not fit the weight");
		bool packs = weight.is_cpu() && can_pack();
		if (add.defined())
			add = add.detach().to(at::kBFloat16).clone();
		int64_t n_out = weight.size(0), n_in = weight.size(1);
		weight = packs ? call("mkldnn::_reorder_linear_weight",
					 {weight.contiguous(), c10::IValue()})
			       : weight.clone(at::MemoryFormat::Contiguous);
		return new tn_pack{weight, add, n_in, n_out, packs};
	});
}

void tn_pack_free(tn_pack *p)
{
	delete p;
}

tensor tn_linear_packed(tn_scope *s, tensor x, const tn_pack *p, enum tn_act act)
{
	return op(s, __func__, [&] {
		c10::AutoGradMode off(false);
		const at::Tensor &in = get(s, x);
		require(p, "there is no pack");
		require(in.dim() == 2 && in.size(1) == p->n_in && in.scalar_type() == at::kBFloat16,
			"input is bf16 [T,", p->n_in, "], got ", in.scalar_type(), " ", in.sizes());
		if (in.size(0) == 0)
			return in.new_empty({0, p->n_out});
		if (!p->is_packed)
			return activate(at::linear(in, p->weight, p->bias), act);
		c10::List<std::optional<at::Scalar>> scalars;
		c10::IValue algorithm = act == TN_ACT_GELU ? "none"
			: act == TN_ACT_GELU_TANH          ? "tanh"
							   : "";
		c10::IValue add = p->bias.defined() ? c10::IValue(p->bias) : c10::IValue();
		return call("mkldnn::_linear_pointwise",
			{in.contiguous(), p->weight, add, attribute(act), scalars, algorithm});
	});
}

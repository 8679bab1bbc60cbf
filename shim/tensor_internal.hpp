// tensor_internal.hpp - what the files behind tensor.h share: the context, its slots, the one
// guard.
//
// A handle names a slot and the generation it was given out with. Freeing a slot raises its
// generation, so an old name is told apart from a new one and is reported, never followed. Every
// extern "C" function of tensor.h runs its body inside guard(): there, and nowhere else, exceptions
// become the context's sticky error.
#ifndef SHIM_TENSOR_INTERNAL_HPP
#define SHIM_TENSOR_INTERNAL_HPP

#include <deque>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <c10/util/SmallVector.h>

#include "tensor.h"

namespace shim
{

struct slot {
	at::Tensor value;
	uint32_t gen = 1; // 0 is never alive: it is TN_NONE's
	c10::SmallVector<tn_scope *, 2> owners; // empty: the slot is free
};

struct context {
	at::Device device = at::kCPU;
	int threads = 1;
	std::string describe;
	std::deque<slot> slots; // a deque: a slot does not move when others are added
	std::vector<uint32_t> free_slots;
	size_t n_live = 0;
	tn_scope *scopes = nullptr; // all of them, linked: tn_close frees what was never popped
	enum tn_status status = TN_OK;
	char message[512] = "";
	c10::SmallVector<tensor, 8> touched; // operands of the op that runs, for its message
};

// An operand that breaks the op's rules: TN_BAD_SHAPE, with a sentence.
struct bad_shape : std::exception {
	std::string text;
	explicit bad_shape(std::string t) : text(std::move(t)) {}
	const char *what() const noexcept override { return text.c_str(); }
};
// A name whose tensor is gone: TN_STALE.
struct stale : std::exception {
	std::string text;
	explicit stale(std::string t) : text(std::move(t)) {}
	const char *what() const noexcept override { return text.c_str(); }
};

// For the length of an op: gradient mode of the scope, the context's threads, libtorch's warnings
// silenced.
struct op_frame {
	explicit op_frame(tn_scope *s);
	c10::AutoGradMode grad;
	c10::WarningUtils::WarningHandlerGuard warnings;
};

const at::Tensor &get(tn_scope *s, tensor t); // throws stale
tensor put(tn_scope *s, at::Tensor value);
// Records the exception in flight as the context's failure. Call from a catch block only.
void record(tn_scope *s, const char *op) noexcept;
bool is_failed(const tn_scope *s) noexcept;

// TN_NONE gives an undefined tensor.
inline at::Tensor get_or_none(tn_scope *s, tensor t)
{
	return t.gen == 0 ? at::Tensor() : get(s, t);
}

// Runs body unless the context has failed; `failed` is the result then, and when body throws.
template <class R, class F> R guard(tn_scope *s, const char *op, R failed, F &&body) noexcept
{
	if (is_failed(s))
		return failed;
	try {
		op_frame frame(s);
		return body();
	} catch (...) {
		record(s, op);
		return failed;
	}
}

// guard() for the common case: the body gives an at::Tensor, which goes into s.
template <class F> tensor op(tn_scope *s, const char *name, F &&body) noexcept
{
	return guard(s, name, TN_NONE, [&] { return put(s, body()); });
}
template <class F> void act(tn_scope *s, const char *name, F &&body) noexcept
{
	guard(s, name, false, [&] {
		body();
		return true;
	});
}

template <class... Parts> std::string cat(const Parts &...parts)
{
	return c10::str(parts...);
}
template <class... Parts> void require(bool ok, const Parts &...parts)
{
	if (!ok)
		throw bad_shape(cat(parts...));
}

at::ScalarType scalar_type(enum tn_dtype dtype);
inline at::IntArrayRef dims(const int64_t *shape, int ndim)
{
	return {shape, static_cast<size_t>(ndim)};
}
// Host data of any length to a tensor of the context's device.
at::Tensor from_host(
	const context &c, const void *data, at::ScalarType type, at::IntArrayRef shape);
// start[0] = 0 <= ... <= start[n] = n_tokens, else bad_shape.
void check_seqs(struct tn_seqs seqs, int64_t n_tokens);
at::Tensor to_device(const context &c, const at::Tensor &host);
context &context_of(tn_scope *s);

// At least f32: f64 stays, so that gradients can be checked in it.
inline at::Tensor wide(const at::Tensor &x)
{
	return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}
// v in the dtype of like; undefined stays so.
inline at::Tensor as(const at::Tensor &v, const at::Tensor &like)
{
	return v.defined() ? v.to(like.scalar_type()) : v;
}

// Keep-mask of n elements from the counter hash (kernels.hpp), 1 or 0 in type, on the context's
// device.
at::Tensor keep_mask(const at::Tensor &like, double p, uint64_t seed);

} // namespace shim

struct tn_scope {
	shim::context *ctx;
	tn_scope *parent;
	bool no_grad;
	bool is_popped = false; // popped before a child: lives on, empty, until that is popped
	size_t n_children = 0;
	std::vector<uint32_t> owned; // slots
	tn_scope *prev = nullptr, *next = nullptr;
};

#endif

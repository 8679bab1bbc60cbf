// tensor_core.cpp - contexts, scopes, handles, and how an exception becomes a sentence.
#include "tensor_internal.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/empty.h>

namespace shim
{

struct quiet : c10::WarningHandler {
	void process(const c10::Warning &) override {}
};
static quiet no_warnings;

op_frame::op_frame(tn_scope *s) : grad(!s->no_grad), warnings(&no_warnings)
{
	s->ctx->touched.clear();
	if (at::get_num_threads() != s->ctx->threads)
		at::set_num_threads(s->ctx->threads);
}

context &context_of(tn_scope *s)
{
	return *s->ctx;
}

bool is_failed(const tn_scope *s) noexcept
{
	return !s || s->ctx->status != TN_OK;
}

static bool is_alive(const context &c, tensor t)
{
	return t.gen != 0 && t.slot < c.slots.size() && c.slots[t.slot].gen == t.gen &&
		!c.slots[t.slot].owners.empty();
}

const at::Tensor &get(tn_scope *s, tensor t)
{
	context &c = *s->ctx;
	size_t place = c.touched.size() + 1;
	if (t.gen == 0)
		throw stale(cat("tensor ", place,
			" is TN_NONE: an op before it failed or it was never made"));
	if (!is_alive(c, t))
		throw stale(cat("tensor ", place,
			" was freed with its scope: keep it in an outer scope with tn_keep"));
	c.touched.push_back(t);
	return c.slots[t.slot].value;
}

static void own(tn_scope *s, uint32_t index)
{
	s->owned.push_back(index);
	try {
		s->ctx->slots[index].owners.push_back(s);
	} catch (...) {
		s->owned.pop_back();
		throw;
	}
}

tensor put(tn_scope *s, at::Tensor value)
{
	context &c = *s->ctx;
	uint32_t index;
	if (c.free_slots.empty()) {
		index = static_cast<uint32_t>(c.slots.size());
		c.slots.emplace_back();
		c.free_slots.reserve(c.slots.size()); // so that freeing never allocates
	} else {
		index = c.free_slots.back();
		c.free_slots.pop_back();
	}
	try {
		own(s, index);
	} catch (...) {
		c.free_slots.push_back(index);
		throw;
	}
	c.slots[index].value = std::move(value);
	c.n_live++;
	return {index, c.slots[index].gen};
}

static void disown(tn_scope *s, uint32_t index) noexcept
{
	context &c = *s->ctx;
	slot &it = c.slots[index];
	it.owners.erase(std::remove(it.owners.begin(), it.owners.end(), s), it.owners.end());
	if (!it.owners.empty())
		return;
	it.value.reset();
	if (++it.gen == 0)
		it.gen = 1;
	c.free_slots.push_back(index);
	c.n_live--;
}

static std::string shapes(const context &c)
{
	std::string out;
	for (tensor t : c.touched) {
		if (is_alive(c, t))
			out += cat(out.empty() ? "" : " x ", c.slots[t.slot].value.sizes());
	}
	return out;
}

// First line, up to the list of backends that libtorch appends to some messages.
static std::string one_line(std::string text)
{
	text = text.substr(0, text.find('\n'));
	size_t noise = text.find(" (triggered internally");
	text = text.substr(0, noise);
	while (!text.empty() && (text.back() == ' ' || text.back() == '.'))
		text.pop_back();
	return text;
}

static void set_failure(
	context &c, enum tn_status status, const char *op, const char *reason) noexcept
{
	if (c.status != TN_OK)
		return;
	c.status = status;
	try {
		std::string at = shapes(c);
		std::string line = one_line(reason);
		snprintf(c.message, sizeof c.message, "%s%s%s: %s", op, at.empty() ? "" : " ",
			at.c_str(), line.c_str());
	} catch (...) {
		snprintf(c.message, sizeof c.message, "%s: out of memory", op);
	}
}

void record(tn_scope *s, const char *op) noexcept
{
	context &c = *s->ctx;
	try {
		throw;
	} catch (const bad_shape &e) {
		set_failure(c, TN_BAD_SHAPE, op, e.what());
	} catch (const stale &e) {
		set_failure(c, TN_STALE, op, e.what());
	} catch (const c10::OutOfMemoryError &e) {
		set_failure(c, TN_OOM, op, e.what_without_backtrace());
	} catch (const std::bad_alloc &) {
		set_failure(c, TN_OOM, op, "out of memory");
	} catch (const c10::IndexError &e) {
		set_failure(c, TN_BAD_SHAPE, op, e.what_without_backtrace());
	} catch (const c10::Error &e) {
		// the CPU's allocator has no exception type of its own
		bool oom = strstr(e.what_without_backtrace(), "DefaultCPUAllocator") != nullptr;
		set_failure(c, oom ? TN_OOM : TN_TORCH, op, e.what_without_backtrace());
	} catch (const std::exception &e) {
		set_failure(c, TN_TORCH, op, e.what());
	} catch (...) {
		set_failure(c, TN_TORCH, op, "unknown failure");
	}
}

static tn_scope *new_scope(context *c, tn_scope *parent, bool no_grad)
{
	auto *s = new tn_scope{c, parent, no_grad, false, 0, {}};
	s->next = c->scopes;
	if (c->scopes)
		c->scopes->prev = s;
	c->scopes = s;
	if (parent)
		parent->n_children++;
	return s;
}

static tn_scope *push(tn_scope *parent, const char *name, bool no_grad) noexcept
{
	if (!parent)
		return nullptr;
	try {
		return new_scope(parent->ctx, parent, no_grad || parent->no_grad);
	} catch (...) {
		record(parent, name);
		return nullptr;
	}
}

static void release(tn_scope *s) noexcept
{
	for (uint32_t index : s->owned)
		disown(s, index);
	s->owned.clear();
}

static void unlink_scope(tn_scope *s) noexcept
{
	(s->prev ? s->prev->next : s->ctx->scopes) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	tn_scope *parent = s->parent;
	delete s;
	if (parent && --parent->n_children == 0 && parent->is_popped)
		unlink_scope(parent);
}

} // namespace shim

using namespace shim;

void tn_close(tn_scope *root)
{
	if (!root)
		return;
	context *c = root->ctx;
	for (tn_scope *s = c->scopes; s;) {
		tn_scope *next = s->next;
		delete s;
		s = next;
	}
	delete c;
}

tn_scope *tn_push(tn_scope *parent)
{
	return push(parent, __func__, false);
}

tn_scope *tn_push_no_grad(tn_scope *parent)
{
	return push(parent, __func__, true);
}

void tn_pop(tn_scope *s)
{
	if (!s)
		return;
	release(s);
	if (s->n_children == 0) {
		unlink_scope(s);
		return;
	}
	s->is_popped = true;
	set_failure(*s->ctx, TN_STALE, __func__, "a scope was popped before its child");
}

tensor tn_keep(tn_scope *into, tensor t)
{
	return guard(into, __func__, TN_NONE, [&] {
		get(into, t);
		auto &owners = into->ctx->slots[t.slot].owners;
		if (std::find(owners.begin(), owners.end(), into) == owners.end())
			own(into, t.slot);
		return t;
	});
}

void tn_drop(tn_scope *s, tensor t)
{
	if (!s || t.gen == 0)
		return;
	auto at = s->owned.rend(); // the newest are dropped most often
	if (is_alive(*s->ctx, t))
		at = std::find(s->owned.rbegin(), s->owned.rend(), t.slot);
	if (at == s->owned.rend()) {
		set_failure(*s->ctx, TN_STALE, __func__, "this scope does not own the tensor");
		return;
	}
	s->owned.erase(std::next(at).base());
	disown(s, t.slot);
}

size_t tn_live(const tn_scope *s)
{
	return s ? s->ctx->n_live : 0;
}

enum tn_status tn_status(const tn_scope *s)
{
	return s ? s->ctx->status : TN_STALE;
}

const char *tn_message(const tn_scope *s)
{
	return s ? s->ctx->message : "there is no scope";
}

void tn_clear(tn_scope *s)
{
	if (!s)
		return;
	s->ctx->status = TN_OK;
	s->ctx->message[0] = '\0';
}

const char *tn_describe(const tn_scope *s)
{
	return s ? s->ctx->describe.c_str() : "";
}

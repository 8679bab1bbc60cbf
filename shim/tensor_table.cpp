// tensor_table.cpp - see tensor_table.hpp.
#include "tensor_table.hpp"

#include <algorithm>
#include <new>

#include <sys/mman.h>

#include <ATen/Parallel.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/Storage.h>

namespace shim
{

// Behind a tensor's storage: the mapping, and for a gradient its rows.
struct lazy_pages {
	void *base = nullptr;
	size_t bytes = 0;
	table_rows rows;
};

static void free_pages(void *context)
{
	lazy_pages *pages = static_cast<lazy_pages *>(context);
	munmap(pages->base, pages->bytes);
	delete pages;
}

at::Tensor lazy_zeros(at::IntArrayRef sizes)
{
	size_t n = 1;
	for (int64_t size : sizes)
		n *= static_cast<size_t>(size);
	lazy_pages *pages = new lazy_pages;
	pages->bytes = std::max(n * sizeof(float), size_t{1});
	pages->base = mmap(
		nullptr, pages->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages->base == MAP_FAILED) {
		delete pages;
		throw std::bad_alloc();
	}
	// A huge page would bring hundreds of rows that nobody touches.
	madvise(pages->base, pages->bytes, MADV_NOHUGEPAGE);
	c10::Storage storage(c10::Storage::use_byte_size_t(), static_cast<int64_t>(pages->bytes),
		c10::DataPtr(pages->base, pages, free_pages, at::kCPU), nullptr, false);
	at::Tensor t = at::detail::make_tensor<c10::TensorImpl>(std::move(storage),
		c10::DispatchKeySet(c10::DispatchKey::CPU), caffe2::TypeMeta::Make<float>());
	t.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
	return t;
}

table_rows *rows_of_table(const at::Tensor &grad)
{
	if (!grad.defined() || !grad.is_cpu() || !grad.has_storage() || !grad.is_contiguous())
		return nullptr;
	lazy_pages *pages = grad.storage().data_ptr().cast_context<lazy_pages>(&free_pages);
	bool is_gradient = pages && !pages->rows.now.empty();
	return is_gradient && pages->rows.version == grad._version() ? &pages->rows : nullptr;
}

static void begin(const at::Tensor &table)
{
	at::Tensor total = lazy_zeros(table.sizes());
	lazy_pages *pages = static_cast<lazy_pages *>(total.storage().data_ptr().get_context());
	pages->rows.now.resize(static_cast<size_t>(table.size(0)));
	pages->rows.ever.resize(static_cast<size_t>(table.size(0)));
	pages->rows.version = static_cast<uint32_t>(total._version());
	table.mutable_grad() = total;
}

void table_add(const at::Tensor &table, const at::Tensor &grad, const at::Tensor &ids)
{
	if (!table.mutable_grad().defined())
		begin(table);
	table_rows &rows = *rows_of_table(table.mutable_grad());
	at::Tensor from_rows = grad.to(at::kFloat).contiguous();
	int64_t n = ids.numel(), width = table.size(1);
	const float *from = from_rows.const_data_ptr<float>();
	const int64_t *id = ids.const_data_ptr<int64_t>();
	float *to = table.mutable_grad().mutable_data_ptr<float>();
	for (int64_t i = 0; i < n; i++) {
		size_t row = static_cast<size_t>(id[i]);
		if (!rows.now[row])
			rows.list.push_back(id[i]);
		rows.now[row] = rows.ever[row] = 1;
	}
	at::parallel_for(
		0, width, 64, [&](int64_t begin, int64_t end) { // by columns: rows may repeat
			for (int64_t i = 0; i < n; i++)
				for (int64_t c = begin; c < end; c++)
					to[id[i] * width + c] += from[i * width + c];
		});
}

void table_forget(const at::Tensor &grad, table_rows &rows)
{
	int64_t width = grad.size(1);
	float *g = grad.mutable_data_ptr<float>();
	for (int64_t row : rows.list) {
		std::fill_n(g + row * width, width, 0.0f);
		rows.now[static_cast<size_t>(row)] = 0;
	}
	rows.list.clear();
}

void table_scale(const at::Tensor &grad, table_rows &rows, double k)
{
	int64_t width = grad.size(1);
	float *g = grad.mutable_data_ptr<float>();
	for (int64_t row : rows.list)
		for (int64_t c = 0; c < width; c++)
			g[row * width + c] *= static_cast<float>(k);
}

double table_sum_squares(const at::Tensor &grad, const table_rows &rows)
{
	int64_t width = grad.size(1);
	const float *g = grad.const_data_ptr<float>();
	double total = 0.0;
	for (int64_t row : rows.list)
		total += kernels().sum_squares(g + row * width, width);
	return total;
}

// Moments that were read back from a checkpoint: their rows count as touched.
static void learn_moments(const at::Tensor &m, const at::Tensor &v, table_rows &rows)
{
	int64_t width = m.size(1);
	const float *first = m.const_data_ptr<float>(), *second = v.const_data_ptr<float>();
	auto is_zero = [width](const float *x) {
		return std::all_of(x, x + width, [](float value) { return value == 0.0f; });
	};
	at::parallel_for(0, m.size(0), 4096, [&](int64_t begin, int64_t end) {
		for (int64_t row = begin; row < end; row++)
			if (!is_zero(first + row * width) || !is_zero(second + row * width))
				rows.ever[static_cast<size_t>(row)] = 1;
	});
}

void table_adamw(const at::Tensor &p, const at::Tensor &m, const at::Tensor &v,
	const at::Tensor &grad, table_rows &rows, const adamw_factors &k, bool is_first)
{
	int64_t width = p.size(1);
	float *pp = p.mutable_data_ptr<float>(), *mp = m.mutable_data_ptr<float>(),
	      *vp = v.mutable_data_ptr<float>();
	const float *g = grad.const_data_ptr<float>();
	if (!is_first && rows.moments != mp)
		learn_moments(m, v, rows);
	rows.moments = mp;
	at::parallel_for(0, p.size(0), 2048, [&](int64_t begin, int64_t end) {
		for (int64_t row = begin; row < end; row++) {
			int64_t at = row * width;
			if (rows.ever[static_cast<size_t>(row)])
				kernels().adamw(pp + at, mp + at, vp + at, g + at, width, k);
			else if (k.decay != 1.0f)
				for (int64_t c = at; c < at + width; c++)
					pp[c] *= k.decay;
		}
	});
}

} // namespace shim

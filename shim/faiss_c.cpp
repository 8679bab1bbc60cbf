// faiss' own C names, declared by Debian's headers and missing in its library: those that mine/
// uses. Every exception ends here, as a code and the text of faiss_get_last_error().
#include <exception>
#include <memory>
#include <string>

#include <faiss/AutoTune.h>
#include <faiss/Index.h>
#include <faiss/impl/FaissException.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#include <faiss/c_api/AutoTune_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/c_api/index_io_c.h>

namespace
{
thread_local std::string last_error;

template <class Body> int guard(Body &&body) noexcept
{
	try {
		body();
		return 0;
	} catch (const faiss::FaissException &e) {
		last_error = e.what();
		return FAISS_EXCEPT;
	} catch (const std::exception &e) {
		last_error = e.what();
		return STD_EXCEPT;
	} catch (...) {
		last_error = "an exception of unknown type";
		return UNKNOWN_EXCEPT;
	}
}

faiss::Index *index_of(FaissIndex *i)
{
	return reinterpret_cast<faiss::Index *>(i);
}
const faiss::Index *index_of(const FaissIndex *i)
{
	return reinterpret_cast<const faiss::Index *>(i);
}
} // namespace

extern "C" {

const char *faiss_get_last_error()
{
	return last_error.c_str();
}

int faiss_index_factory(
	FaissIndex **p_index, int d, const char *description, FaissMetricType metric)
{
	return guard([&] {
		*p_index = reinterpret_cast<FaissIndex *>(faiss::index_factory(
			d, description, static_cast<faiss::MetricType>(metric)));
	});
}

int faiss_Index_d(const FaissIndex *index)
{
	return static_cast<int>(index_of(index)->d);
}
idx_t faiss_Index_ntotal(const FaissIndex *index)
{
	return index_of(index)->ntotal;
}
int faiss_Index_is_trained(const FaissIndex *index)
{
	return index_of(index)->is_trained;
}
FaissMetricType faiss_Index_metric_type(const FaissIndex *index)
{
	return static_cast<FaissMetricType>(index_of(index)->metric_type);
}
void faiss_Index_free(FaissIndex *index)
{
	delete index_of(index);
}

int faiss_Index_train(FaissIndex *index, idx_t n, const float *x)
{
	return guard([&] { index_of(index)->train(n, x); });
}

int faiss_Index_add(FaissIndex *index, idx_t n, const float *x)
{
	return guard([&] { index_of(index)->add(n, x); });
}

int faiss_Index_search(
	const FaissIndex *index, idx_t n, const float *x, idx_t k, float *distances, idx_t *labels)
{
	return guard([&] { index_of(index)->search(n, x, k, distances, labels); });
}

int faiss_write_index_fname(const FaissIndex *index, const char *fname)
{
	return guard([&] { faiss::write_index(index_of(index), fname); });
}

int faiss_read_index_fname(const char *fname, int io_flags, FaissIndex **p_out)
{
	return guard([&] {
		*p_out = reinterpret_cast<FaissIndex *>(faiss::read_index(fname, io_flags));
	});
}

int faiss_ParameterSpace_new(FaissParameterSpace **space)
{
	return guard([&] {
		*space = reinterpret_cast<FaissParameterSpace *>(new faiss::ParameterSpace());
	});
}

void faiss_ParameterSpace_free(FaissParameterSpace *space)
{
	delete reinterpret_cast<faiss::ParameterSpace *>(space);
}

int faiss_ParameterSpace_set_index_parameters(
	const FaissParameterSpace *space, FaissIndex *index, const char *parameters)
{
	return guard([&] {
		reinterpret_cast<const faiss::ParameterSpace *>(space)->set_index_parameters(
			index_of(index), parameters);
	});
}
}

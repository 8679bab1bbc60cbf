/* pickle.h - in: the pickle of a state_dict; out: its tensors' names, shapes and places. Executes
 * nothing.
 *
 * A pickle is a program that may call any function by name. This reader knows the few opcodes and
 * the few names that weights consist of, and refuses everything else by its name: what is not a
 * dictionary of tensors over named storages is no model.
 *
 * Source: CPython's Lib/pickletools.py for the opcodes; torch/serialization.py and torch/_utils.py
 * for the persistent ids and _rebuild_tensor_v2. */
#ifndef MODEL_PICKLE_H
#define MODEL_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/safetensors.h"

/* Elements offset + sum(index * stride) of storage `key`, which holds n elements. */
struct pickle_tensor {
	struct text name;
	struct text key;
	enum st_dtype dtype;
	int64_t storage_n, offset;
	int64_t shape[ST_DIMS], stride[ST_DIMS];
	int ndim;
};

/* The tensors of the dictionary that `bytes` describe, in its order; values of other kinds are
 * left out. Everything lives in a; names and keys in bytes. path stands in errors. */
bool pickle_read(const char *path, struct text bytes, struct arena *a, struct pickle_tensor **ret,
	size_t *ret_n, struct err *err) MUST_CHECK;

#endif

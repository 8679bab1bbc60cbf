/* weights.h - in: a model folder; out: all its tensors by name, in whatever files it has them.
 *
 * Looked for in this order: model.safetensors, model.safetensors.index.json with its shards,
 * pytorch_model.bin, pytorch_model.bin.index.json. An index names a file for each tensor; the files
 * must lie in the folder and hold what the index says. */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/safetensors.h"

/* Into an empty container; the caller closes it also after a failure. */
bool weights_open_dir(const char *dir, struct safetensors *ret, struct err *err) MUST_CHECK;
/* Adds the tensors of dir/NAME.safetensors, else of dir/NAME.bin or .pt, their names behind prefix;
 * *ret_found tells whether there is such a file. */
bool weights_add_part(struct safetensors *st, const char *dir, const char *name, const char *prefix,
	bool *ret_found, struct err *err) MUST_CHECK;

#endif

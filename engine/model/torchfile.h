/* torchfile.h - in: a .bin, .pt or .pth file of torch.save(); out: its tensors, mapped.
 *
 * Nothing in the file is executed (pickle.h). What torch.save() lays out contiguously is used where
 * it lies; other strides are copied, never more bytes in all than the file has. Files of torch
 * before 1.6, which are no zip archives, are refused. */
#ifndef MODEL_TORCHFILE_H
#define MODEL_TORCHFILE_H

#include "model/safetensors.h"

/* Adds the tensors of the state_dict in path. */
bool torchfile_add(struct safetensors *st, const char *path, const struct st_select *which,
	struct err *err) MUST_CHECK;

/* A state_dict of f32 tensors as torch.load(weights_only=True) reads it: where a format leaves no
 * choice (BGE-M3's sparse_linear.pt). Entries in the given order; data [n] row-major. */
bool torchfile_write(const char *path, const struct st_entry *entries, const float *const *data,
	size_t n, struct err *err) MUST_CHECK;

#endif

/* safetensors.h - in: a weight file; out: tensors by name, mapped, nothing copied.
 *
 * The format: 8 bytes little-endian length of the header, the header (a JSON object of name ->
 * {dtype, shape, data_offsets}), the data. Checked before anything is believed: the header fits the
 * file and 100 MB, every tensor's bytes follow from its shape, the tensors lie one behind the other
 * without holes, and the last ends where the file ends. The same container takes the tensors of
 * other formats (torchfile.h); which files a folder has is known to weights.h.
 *
 * The writer's bytes depend on names, shapes and data alone, so equal models are equal files. */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

/* In the order of the format's own library, which sorts a file by it, last first. */
enum st_dtype {
	ST_BOOL,
	ST_U8,
	ST_I8,
	ST_F8_E5M2,
	ST_F8_E4M3,
	ST_I16,
	ST_U16,
	ST_F16,
	ST_BF16,
	ST_I32,
	ST_U32,
	ST_F32,
	ST_C64,
	ST_F64,
	ST_I64,
	ST_U64,
};
const char *st_dtype_name(enum st_dtype d); /* "F32" */
size_t st_dtype_size(enum st_dtype d); /* bytes of an element */

#define ST_DIMS 8
struct st_tensor {
	const char *name;
	const char *file; /* path, for errors */
	enum st_dtype dtype;
	int64_t shape[ST_DIMS];
	int ndim;
	const void *data; /* mapped; not aligned to more than a byte */
	size_t bytes;
};

struct safetensors {
	struct st_tensor *t;
	size_t n;
	struct fs_map *files;
	size_t n_files;
	struct map by_name;
	struct arena arena;
};

#define SAFETENSORS_INIT                                                                           \
	{                                                                                          \
		.by_name = MAP_INIT                                                                \
	}

/* Which tensors of a file count, and how they are called. */
struct st_select {
	const struct map
		*wanted; /* a sharded model's index: tensor -> number of its file; NULL: all */
	int64_t number; /* of this file */
	const char *prefix; /* put before their names; NULL: none */
};
/* Adds the tensors of one file, e.g. adapter_model.safetensors. */
bool safetensors_add(struct safetensors *st, const char *path, const struct st_select *which,
	struct err *err) MUST_CHECK;
/* The same into an empty container; the caller closes it also after a failure. */
bool safetensors_open(const char *path, struct safetensors *ret, struct err *err) MUST_CHECK;
/* For readers of other formats: takes a file's mapping, and those of its n tensors that count. */
bool safetensors_take(struct safetensors *st, const struct st_tensor *t, size_t n,
	const struct st_select *which, struct err *err) MUST_CHECK;
void safetensors_take_map(struct safetensors *st, const struct fs_map *map);
void safetensors_close(struct safetensors *st);
/* The mapped pages stop counting as this process's memory until they are read again: for when
 * weights were copied. */
void safetensors_rest(const struct safetensors *st);
const struct st_tensor *safetensors_find(const struct safetensors *st, struct text name);
/* Id of all bytes of all files. Reads them: about 0.1 s a gigabyte that is in memory. */
struct hash128 safetensors_hash(const struct safetensors *st, int threads);
/* "[30522,384]", for errors; lives in a. */
const char *shape_text(struct arena *a, const int64_t *shape, int ndim);

/* Writing. put(ctx, i, out) appends the data of entry i, row-major, little-endian, exactly as many
 * bytes as its shape says; entries are asked for in file order, which is not the given one. */
struct st_entry {
	const char *name;
	enum st_dtype dtype;
	int64_t shape[ST_DIMS];
	int ndim;
};
struct st_sink;
void st_sink_add(struct st_sink *out, const void *data, size_t len);
typedef bool (*st_put_fn)(void *ctx, size_t i, struct st_sink *out, struct err *err);
/* With the metadata {"format":"pt"}, without which transformers refuses a file. The file appears
 * only when it is complete. */
bool safetensors_write(const char *path, const struct st_entry *entries, size_t n, st_put_fn put,
	void *ctx, struct err *err) MUST_CHECK;

#endif

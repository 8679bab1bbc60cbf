/* npy.h - matrices as numpy reads them, written row by row. */
#ifndef JOB_NPY_H
#define JOB_NPY_H

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* The header of a [rows, columns] file of float32; the rows follow with fs_out_add(),
 * little-endian, and the caller commits. */
struct fs_out *npy_open(
	const char *path, int64_t rows, int64_t columns, struct err *err) MUST_CHECK;
/* The number of rows, when it is known only now. */
void npy_set_rows(struct fs_out *f, int64_t rows, int64_t columns);
/* [n] int64. */
struct fs_out *npy_open_i64(const char *path, int64_t n, struct err *err) MUST_CHECK;

#endif

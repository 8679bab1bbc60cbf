/* npy.h - a matrix of float32 as numpy reads it, written row by row. */
#ifndef JOB_NPY_H
#define JOB_NPY_H

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* The header of a [rows, columns] file; the rows follow with fs_out_add(), little-endian, and the
 * caller commits. */
struct fs_out *npy_open(
	const char *path, int64_t rows, int64_t columns, struct err *err) MUST_CHECK;

#endif

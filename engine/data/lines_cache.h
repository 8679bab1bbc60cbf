/* lines_cache.h - the offsets of a file's lines, kept between runs. Used by lines.c alone.
 *
 * One file a data file, CACHE_DIR/lines-HASH_OF_PATH.idx: a header of 72 bytes, the offsets, the
 * blank runs, all in the machine's byte order. A header that does not fit the data file exactly
 * means that there is no cache. Deleting it is safe. */
#ifndef DATA_LINES_CACHE_H
#define DATA_LINES_CACHE_H

#include "data/lines.h"

/* Before row `row` (and after all earlier rows) n_before lines of the file were blank. */
struct blank_run {
	uint64_t row, n_before;
};

bool lines_cache_read(
	const char *cache_dir, const char *path, const struct fs_map *file, struct line_index *ret);
void lines_cache_write(const char *cache_dir, const char *path, const struct fs_map *file,
	const struct line_index *x);

#endif

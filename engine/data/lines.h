/* lines.h - in: a mapped file; out: its lines that are not blank, by number or one after the other.
 *
 * Lines end at LF alone (U+0085 and U+2028 are text); a CR before it is no part of the line, nor is
 * a byte order mark at the start of the file. The last line needs no LF. Numbers count from 1 and
 * count blank lines. */
#ifndef DATA_LINES_H
#define DATA_LINES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/text.h"

/* Maps a file of lines. What cannot be one is refused with a sentence that says what to do: a pipe,
 * which cannot be read by position, UTF-16, compressed files, Parquet. */
bool lines_map(const char *path, struct fs_map *ret, struct err *err) MUST_CHECK;

/* One after the other, blank ones included. */
struct line_walk {
	const char *at, *end;
	struct text line; /* without CR LF */
	size_t number;
};
struct line_walk line_walk(const struct fs_map *file);
bool line_next(struct line_walk *w);
bool line_is_blank(struct text line); /* space, tab and CR only: what JSON passes over */
/* Bytes that may be read behind the end of a line of this file, for json_parse(). */
size_t line_padding(const struct fs_map *file, struct text line);
/* Column of the byte at offset in a line: characters, from 1. */
size_t line_column(struct text line, size_t offset);

/* By number: 8 bytes a line, found in one pass at the speed of memchr. */
struct blank_run; /* private: where blank lines were left out */
struct line_index {
	const uint64_t *start; /* [n] offset of each line that is not blank */
	size_t n;
	const struct blank_run *runs;
	size_t n_runs;
	void *owned[2]; /* memory of start and runs when they were found here */
	struct fs_map cache; /* the cache file when they come from there */
};

/* Finds the lines of file. With a cache_dir the result is kept there for files of LINES_CACHE_MIN
 * bytes and more, keyed by path, size, modification time and a hash of samples; a cache that
 * cannot be written is a warning. progress (may be NULL) is set to the bytes passed so far. */
#define LINES_CACHE_MIN ((size_t)4 << 20)
bool line_index_open(const char *path, const struct fs_map *file, const char *cache_dir,
	atomic_size_t *progress, struct line_index *ret, struct err *err) MUST_CHECK;
void line_index_close(struct line_index *x);
struct text line_index_get(const struct line_index *x, const struct fs_map *file, size_t i);
size_t line_index_number(const struct line_index *x, size_t i);

#endif

/* entry.h - one line of a file of texts: {"_id": ..., "title": ..., "text": ...}. Used by beir.c and
 * texts.c. `id` is as good as `_id`, and a whole number as good as a string there. */
#ifndef DATA_ENTRY_H
#define DATA_ENTRY_H

#include "base/err.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/lines.h"
#include "json.h"

struct entry {
	struct text id, title, text; /* TEXT_NONE when absent; text never is */
};

/* Parses the walk's line of the file at path; texts are copied into a. The error is complete with
 * path:line:column. */
bool entry_parse(struct json_parser *p, const char *path, const struct fs_map *file,
	const struct line_walk *w, struct arena *a, struct entry *ret, struct err *err) MUST_CHECK;
/* Title, space, text, without white space around it (Unicode's); in a. */
struct text entry_passage(const struct entry *e, struct arena *a);
/* The error of an entry, in front of its message: path:line:column, column 1. Always false. */
bool entry_error(struct err *err, const char *path, const struct line_walk *w, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif

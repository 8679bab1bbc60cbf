/* zip.h - in: a mapped zip archive whose entries are stored, as torch.save() writes it; out: its
 * entries by name, where they lie in the mapping.
 *
 * Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3 (zip64). Compressed and encrypted entries
 * are refused: torch writes none. */
#ifndef MODEL_ZIP_H
#define MODEL_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

struct zip_entry {
	struct text name;
	const char *data; /* in the mapping */
	size_t len;
};
struct zip {
	struct zip_entry *entry; /* in the order of the directory */
	size_t n;
};

/* path stands in errors; entries live in a, names and data in the mapping. */
bool zip_read(const char *path, struct text bytes, struct arena *a, struct zip *ret,
	struct err *err) MUST_CHECK;
const struct zip_entry *zip_find(const struct zip *z, struct text name);

/* Appends an archive of n stored entries to out, each entry's data beginning at a multiple of 64,
 * which is what torch.load(mmap=True) asks for. No dates: equal entries give equal bytes. */
struct buf;
bool zip_write(
	struct buf *out, const struct zip_entry *entries, size_t n, struct err *err) MUST_CHECK;

#endif

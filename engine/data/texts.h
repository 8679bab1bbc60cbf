/* texts.h - in: a file of texts; out: texts in order. JSONL with `text` (BEIR corpora: title,
 * space, text), or one a line. A file named .jsonl is JSONL; otherwise it is when its first byte
 * that is not blank is `{`. Blank lines of plain text count as empty texts, so that outputs stay
 * aligned with the input. A row that cannot be read is an error here: file:line:column. */
#ifndef DATA_TEXTS_H
#define DATA_TEXTS_H

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

struct texts {
	struct text *t;
	struct text *id; /* `_id` or `id` of each; TEXT_NONE where absent */
	size_t n;
	struct arena arena;
};

bool texts_open(const char *path, struct texts *ret, struct err *err) MUST_CHECK;
void texts_close(struct texts *t);

#endif

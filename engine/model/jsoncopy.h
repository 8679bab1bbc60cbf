/* jsoncopy.h - in: a JSON object as it was read; out: the same text with some members changed. What
 * we do not know in a model's files goes on to the next reader as it came. */
#ifndef MODEL_JSONCOPY_H
#define MODEL_JSONCOPY_H

#include "base/buf.h"
#include "json.h"

/* A member of the result: its value is `text` as JSON stands it; NULL drops the member. */
struct json_change {
	const char *key;
	const char *text;
};

void json_copy(struct buf *out, json v);
/* The object with its members in their order, changed ones in their place, new ones at the end, one
 * a line. */
void json_copy_changed(
	struct buf *out, json object, const struct json_change *changes, size_t n_changes);

#endif

/* raw.h - the members of a JSON value as they stand in the file, byte for byte.
 *
 * For keeping what we do not know when a row is written again, and for saying where in a line a
 * value stands. The text must be JSON that has parsed (json_parse): nothing is checked here. Bytes
 * that are no JSON give nonsense, but nothing outside the text is read.
 *
 *	struct raw_member m;
 *	for (struct raw_iter it = raw_iter(line); raw_next(&it, &m);) use(m.key, m.value);
 *
 * The order is the file's, so it can be walked beside json_each() of the same value. */
#ifndef DATA_RAW_H
#define DATA_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct raw_iter {
	const char *at, *end;
	bool is_object;
};
struct raw_member {
	struct text key; /* with its quotes and escapes; TEXT_NONE in a list */
	struct text value;
};

struct raw_iter raw_iter(struct text value); /* of an object or a list; else there is no member */
bool raw_next(struct raw_iter *it, struct raw_member *ret);
/* Member i of value (an object or a list), TEXT_NONE when there are fewer. */
struct text raw_at(struct text value, size_t i);

#endif

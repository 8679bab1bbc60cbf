/* spec.h - what the readers of tokenizer.json's parts share: the "type" of a part, and Sequences.
 *
 * Errors name the key from the part on ("normalizers[1]: type is ..."); the caller puts the file in
 * front. */
#ifndef TEXT_SPEC_H
#define TEXT_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "json.h"

/* Any list of the file that is longer than this, or nested deeper, is damage. */
#define SPEC_PARTS_MAX 64

bool spec_type(json spec, struct text *ret, struct err *err) MUST_CHECK;
/* "type is X, which this version does not know (it knows ...)". Always false. */
bool spec_unknown(struct text type, const char *known, struct err *err);

struct spec_list {
	const char *members; /* key of a Sequence's list: "normalizers" */
	size_t size; /* of an item */
	bool (*load)(json spec, struct arena *a, void *ret, struct err *err);
	void *items; /* out: n of them, in the arena */
	size_t n;
};
/* A part that is one thing or a Sequence of things (of Sequences ...) as one list; null: empty. */
bool spec_flatten(json spec, struct spec_list *list, struct arena *a, struct err *err) MUST_CHECK;

#endif

/* families.h - what is known of embedding models that say nothing in their folder: the prompts that
 * they were trained with, the token that ends their texts, and how they pool. The knowledge lies in
 * assets/prompts/FAMILY.yaml, which the build carries into the program:
 *
 *	names: [bge-small-en, ...]	parts of a folder's name, case ignored; the longest that fits wins
 *	query: "..."			before a query; {instruction} is where a row's prompt goes
 *	passage: "..."
 *	instruction: "..."		when a row has none
 *	append: "</s>"			the token that ends every text, once, kept by truncation
 *	pooling: last			and
 *	normalize: true			of a folder without modules.json */
#ifndef MODEL_FAMILIES_H
#define MODEL_FAMILIES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "tensor.h"

struct family {
	const char *name; /* NULL: none was found */
	struct text query, passage, instruction;
	struct text append; /* empty: nothing */
	bool has_pooling, normalizes;
	enum tn_pool pooling;
};

/* The family of a folder: by its own name, of a checkpoint folder by its parent's, and by the
 * _name_or_path in its config.json. Strings live in a. */
bool family_of(const char *dir, struct arena *a, struct family *ret, struct err *err) MUST_CHECK;
/* By the family's name; an unknown one is refused with the list of those that there are. */
bool family_named(
	const char *name, struct arena *a, struct family *ret, struct err *err) MUST_CHECK;

/* Made by the build. */
struct family_file {
	const char *name, *text;
};
extern const struct family_file family_files[];
extern const size_t n_family_files;

#endif

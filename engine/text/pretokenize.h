/* pretokenize.h - in: normalised code points; out: the pieces that the model takes one by one.
 *
 * The chain of a tokenizer.json's "pre_tokenizer", flattened. A step cuts every piece of the step
 * before; Metaspace also rewrites the text. Pieces never are empty. */
#ifndef TEXT_PRETOKENIZE_H
#define TEXT_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "json.h"
#include "text/chars.h"
#include "text/uclass.h"

struct piece {
	size_t begin, end; /* of text */
	bool is_front; /* its first character stands for the first of the user's text */
};
struct pieces {
	struct piece *p;
	size_t n, cap;
};
struct pretokenize_io {
	const struct uclass *classes;
	struct chars text, new_text; /* new_text: empty, for a step that rewrites */
	struct pieces list, new_list; /* a step fills new_list */
};
void pieces_add(struct pieces *v, size_t begin, size_t end, bool is_front); /* not when empty */
void pieces_release(struct pieces *v);

enum prepend_scheme { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER };

struct pretokenizer;
struct pretokenizer_type {
	const char *name;
	bool rewrites; /* new_text replaces text */
	bool (*load)(json spec, struct pretokenizer *ret, struct err *err);
	void (*apply)(const struct pretokenizer *p, struct pretokenize_io *io);
};
struct pretokenizer {
	const struct pretokenizer_type *type;
	struct {
		uint32_t replacement;
		enum prepend_scheme prepend;
		bool split;
	} metaspace;
};
struct pretokenizers {
	struct pretokenizer *list;
	size_t n;
};

bool pretokenizers_load(
	json spec, struct arena *a, struct pretokenizers *ret, struct err *err) MUST_CHECK;
/* Cuts the pieces of io->list further and further, in place. */
void pretokenizers_apply(const struct pretokenizers *chain, struct pretokenize_io *io);

extern const struct pretokenizer_type pretokenizer_bert, pretokenizer_whitespace_split,
	pretokenizer_metaspace;

#endif

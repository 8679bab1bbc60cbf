/* pretokenize.h - in: normalised code points; out: the pieces that the model takes one by one.
 *
 * The chain of a tokenizer.json's "pre_tokenizer", flattened. A step cuts every piece of the step
 * before; Metaspace and ByteLevel also rewrite the text. Pieces never are empty. A new kind is one
 * row in the table of pretokenize.c. */
#ifndef TEXT_PRETOKENIZE_H
#define TEXT_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "json.h"
#include "text/chars.h"
#include "text/scan.h"
#include "text/uclass.h"

struct piece {
	size_t begin, end; /* of text */
};
struct pieces {
	struct piece *p;
	size_t n, cap;
};
struct pretokenize_io {
	const struct uclass *classes;
	struct placed text, new_text; /* new_text: empty, for a step that rewrites */
	struct pieces list, new_list; /* a step fills new_list */
	struct placed scratch; /* a piece of ByteLevel's */
	struct buf utf8; /* scratch: a piece for a scanner or a regular expression */
};
void pieces_add(struct pieces *v, size_t begin, size_t end); /* not when empty */
void pretokenize_begin(
	struct pretokenize_io *io, const struct placed *from, size_t begin, size_t end);
void pretokenize_release(struct pretokenize_io *io);

enum prepend_scheme { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER };
/* What becomes of a delimiter. */
enum split_behavior {
	SPLIT_REMOVED,
	SPLIT_ISOLATED,
	SPLIT_WITH_PREVIOUS,
	SPLIT_WITH_NEXT,
	SPLIT_CONTIGUOUS
};

struct pretokenizer;
struct pretokenizer_type {
	const char *name;
	bool rewrites; /* new_text replaces text */
	/* NULL: has no options */
	bool (*load)(json spec, struct arena *a, struct pretokenizer *ret, struct err *err);
	void (*apply)(const struct pretokenizer *p, struct pretokenize_io *io);
	void (*release)(struct pretokenizer *p); /* NULL: everything is in the arena */
};
struct pretokenizer {
	const struct pretokenizer_type *type;
	union {
		struct {
			uint32_t replacement;
			enum prepend_scheme prepend;
			bool split;
		} metaspace;
		struct {
			bool add_prefix_space, use_regex;
		} byte_level;
		struct {
			enum split_behavior behavior;
			bool invert;
			/* Exactly one of these: */
			scan_fn scan; /* a pattern that scan.h knows */
			struct regex *regex;
			struct chars string; /* memory of the arena */
		} split;
		enum split_behavior behavior; /* Punctuation */
		bool individual; /* Digits */
		uint32_t delimiter; /* CharDelimiterSplit */
		size_t length; /* FixedLength */
	} as;
};
struct pretokenizers {
	struct pretokenizer *list;
	size_t n;
};

bool pretokenizers_load(
	json spec, struct arena *a, struct pretokenizers *ret, struct err *err) MUST_CHECK;
void pretokenizers_release(struct pretokenizers *chain);
/* Cuts the pieces of io->list further and further, in place. */
void pretokenizers_apply(const struct pretokenizers *chain, struct pretokenize_io *io);

extern const struct pretokenizer_type pretokenizer_bert, pretokenizer_whitespace_split,
	pretokenizer_whitespace, pretokenizer_metaspace, pretokenizer_byte_level,
	pretokenizer_split, pretokenizer_punctuation, pretokenizer_digits,
	pretokenizer_char_delimiter, pretokenizer_unicode_scripts, pretokenizer_fixed_length;

/* Builds the pieces of one piece from its matches and the gaps between them, which together cover
 * it, as a behaviour wants them. */
struct splitter {
	struct pieces *out;
	enum split_behavior behavior;
	size_t begin, end; /* the piece that may still grow */
	bool is_open, is_match; /* of that piece; of what came last */
};
void splitter_put(struct splitter *s, size_t begin, size_t end, bool is_match);
void splitter_end(struct splitter *s); /* and ready for the next piece */
/* A "behavior" of the file; missing: def. */
bool split_behavior_load(
	json spec, enum split_behavior def, enum split_behavior *ret, struct err *err) MUST_CHECK;

#endif

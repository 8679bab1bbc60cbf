/* shortcut.h - the way that nearly every text takes: chunk by chunk through the cache, without
 * normalising, cutting or segmenting what was seen before.
 *
 * A chunk is a stretch of raw bytes between two places where all steps of the tokenizer begin anew,
 * whatever stands left and right: for BERT's pipeline white space and ASCII punctuation, for
 * Metaspace's pipelines a run of ASCII spaces. Which bytes these are is found out when the tokenizer
 * is opened, by asking its own parts about each; a pipeline without such places has no shortcut.
 * Results are those of the long way: a text where a chunk is not independent (a combining mark
 * behind a space, a chunk that normalises to spaces) goes the long way as a whole. */
#ifndef TEXT_SHORTCUT_H
#define TEXT_SHORTCUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct tokenizer;
struct tokenizer_run;
struct ids;

enum shortcut_kind { SHORTCUT_NONE, SHORTCUT_WORDS, SHORTCUT_METASPACE };
enum byte_kind { BYTE_INSIDE, BYTE_SPACE, BYTE_ALONE };

struct shortcut {
	enum shortcut_kind kind;
	uint8_t bytes[256]; /* enum byte_kind */
	int32_t alone[128]; /* WORDS: the id of an ASCII character that is a word by itself */
	/* METASPACE: */
	uint32_t mark; /* U+2581, as a rule */
	int32_t lone; /* id of the mark as a piece */
	bool collapses; /* a run of spaces is one */
	bool strips_left, strips_right;
	bool has_map; /* the first normaliser is Precompiled */
};

void shortcut_init(struct tokenizer *t); /* when all else is loaded */
/* Appends the ids of t and returns true, or leaves out as it was and returns false. */
bool shortcut_encode(struct tokenizer_run *r, struct text t, struct ids *out);

#endif

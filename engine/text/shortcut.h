/* shortcut.h - the way that nearly every text takes: chunk by chunk through the cache, without
 * normalising, cutting or segmenting what was seen before.
 *
 * A chunk is a stretch of raw bytes between two places where all steps of the tokenizer begin anew,
 * whatever stands left and right. Four families of pipelines have such places:
 *
 *	WORDS      BERT's: white space and ASCII punctuation
 *	METASPACE  Unigram's: runs of ASCII spaces
 *	SCAN       byte-level BPE: where the scanners of scan.h cut; NFC is skipped where it is there
 *	MARKED     BPE on whole texts with a mark for spaces: in front of runs of spaces, unless a token
 *	           could reach across
 *
 * For the first two, which bytes these are is found out when the tokenizer is opened, by asking its
 * own parts about each. A pipeline of another family has no shortcut. Results are those of the long
 * way: a text where a chunk is not independent (a combining mark behind a space, a chunk that normalises
 * to spaces) goes the long way as a whole. */
#ifndef TEXT_SHORTCUT_H
#define TEXT_SHORTCUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "text/scan.h"

struct tokenizer;
struct tokenizer_run;
struct ids;

enum shortcut_kind {
	SHORTCUT_NONE,
	SHORTCUT_WORDS,
	SHORTCUT_METASPACE,
	SHORTCUT_SCAN,
	SHORTCUT_MARKED
};
#define SHORTCUT_SCANS_MAX 5
enum byte_kind { BYTE_INSIDE, BYTE_SPACE, BYTE_ALONE };

struct shortcut {
	enum shortcut_kind kind;
	uint8_t bytes[256]; /* enum byte_kind */
	int32_t alone[128]; /* WORDS: the id of an ASCII character that is a word by itself */
	/* METASPACE: */
	uint32_t mark; /* U+2581, as a rule; MARKED has it, too */
	int32_t lone; /* id of the mark as a piece */
	bool collapses; /* a run of spaces is one */
	bool strips_left, strips_right;
	bool has_map; /* the first normaliser is Precompiled */
	/* SCAN, and below also MARKED: */
	scan_fn scans[SHORTCUT_SCANS_MAX]; /* each cuts the pieces of the one before */
	size_t n_scans;
	bool is_nfc; /* the text has to be, or is made so */
	enum {
		SPACE_NEVER,
		SPACE_UNLESS_THERE,
		SPACE_ALWAYS
	} space; /* in front of a stretch ... */
	bool only_front; /* ... and only when that begins the text */
	/* MARKED: */
	bool no_cut[256]; /* by the byte in front of the spaces */
};

void shortcut_init(struct tokenizer *t); /* when all else is loaded */
bool shortcut_init_scan(struct tokenizer *t); /* false: not of these two families */
bool shortcut_init_marked(struct tokenizer *t);
bool shortcut_encode_scan(struct tokenizer_run *r, struct text t, struct ids *out);
bool shortcut_encode_marked(struct tokenizer_run *r, struct text t, bool is_front, struct ids *out);
/* Appends the ids of t and returns true, or leaves out as it was and returns false. is_front: t begins
 * the user's text. */
bool shortcut_encode(struct tokenizer_run *r, struct text t, bool is_front, struct ids *out);

#endif

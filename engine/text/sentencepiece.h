/* sentencepiece.h - in: a sentencepiece .model file; out: its pieces and settings, or the
 * tokenizer.json that transformers makes of it for a known tokenizer class.
 *
 * The file is a protocol buffer (sentencepiece_model.proto): pieces, a trainer's and a normaliser's
 * settings. How its ids and special tokens are laid out for a model is not in it: that is known by
 * the tokenizer's class (transformers, convert_slow_tokenizer.py), which tokenizer_config.json
 * names. Without a name the class follows from config.json's model_type; a class that is not in
 * the table is refused. */
#ifndef TEXT_SENTENCEPIECE_H
#define TEXT_SENTENCEPIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "json.h"

/* Numbers of the file. */
enum piece_type {
	PIECE_NORMAL = 1,
	PIECE_UNKNOWN = 2,
	PIECE_CONTROL = 3,
	PIECE_USER_DEFINED = 4,
	PIECE_UNUSED = 5,
	PIECE_BYTE = 6,
};
enum sentencepiece_type { SENTENCEPIECE_UNIGRAM = 1, SENTENCEPIECE_BPE = 2 };

struct piece_entry {
	struct text s; /* borrowed from the file */
	float score;
	enum piece_type type;
};
struct sentencepiece {
	struct piece_entry *pieces; /* by id, in the arena */
	size_t n;
	enum sentencepiece_type type;
	struct text unk_piece; /* "<unk>" unless the file says otherwise */
	struct text charsmap; /* precompiled, binary; empty: the normaliser does nothing */
};

/* data is borrowed; everything else lives in the arena. */
bool sentencepiece_read(
	struct text data, struct arena *a, struct sentencepiece *ret, struct err *err) MUST_CHECK;

/* What the classes differ in. */
struct sentencepiece_class {
	const char *name; /* tokenizer_class without "Fast" */
	const char *model_types; /* of config.json, each between spaces */
	/* Appends normalizer, pre_tokenizer and post_processor as members of an object. */
	void (*put_steps)(const struct sentencepiece *sp, json config, struct buf *out);
	/* Changes the pieces, which are in the arena, to what the model's table of embeddings holds. */
	void (*arrange)(struct sentencepiece *sp, json config, struct arena *a);
	const char *const *specials; /* tokens that are found in texts; ends with NULL */
	bool has_byte_fallback;
};
/* config: tokenizer_config.json, or nothing; model_type: of config.json, or TEXT_NONE. */
const struct sentencepiece_class *sentencepiece_class_of(
	json config, struct text model_type, struct err *err) MUST_CHECK;
/* The text of a tokenizer.json, appended. False: the pieces do not suit the class. */
bool sentencepiece_to_json(struct sentencepiece *sp, const struct sentencepiece_class *class,
	json config, struct arena *a, struct buf *out, struct err *err) MUST_CHECK;

/* The merges of a BPE model, as "merges": every way to make a piece of two others, in the order of
 * the pieces' scores. */
void sentencepiece_put_merges(const struct sentencepiece *sp, struct buf *out);

#endif

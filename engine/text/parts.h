/* parts.h - the tokenizer from the inside: what load.c fills and encode.c uses. Private to text/. */
#ifndef TEXT_PARTS_H
#define TEXT_PARTS_H

#include "base/mem.h"
#include "text/added.h"
#include "text/cache.h"
#include "text/normalize.h"
#include "text/post.h"
#include "text/pretokenize.h"
#include "text/segmenter.h"
#include "text/shortcut.h"
#include "text/tokenizer.h"
#include "text/uclass.h"
#include "text/vocab.h"

/* A text passes these from top to bottom. */
struct tokenizer {
	struct uclass classes;
	struct added_set raw; /* added tokens that are looked for before normalising ... */
	struct normalizers normalizers;
	struct added_set normalized; /* ... and after */
	struct pretokenizers pretokenizers;
	struct segmenter *segmenter; /* on vocab */
	struct vocab vocab;
	struct post post;
	struct shortcut shortcut; /* how to do all of it chunk by chunk, when that is the same */
	struct hash128 hash;
	struct arena arena; /* small things that live as long as the tokenizer */
};

struct tokenizer_run {
	const struct tokenizer *t;
	struct text text; /* the one that is being encoded */
	struct chars raw; /* all of it, when added tokens may be in it */
	struct buf spaced; /* it with a space in front, see shortcut_bpe.c */
	struct added_spans raw_spans, spans;
	struct normalize_io normal;
	struct pretokenize_io pre;
	struct segmenter_run *segment;
	struct token_spans pieces; /* of the tokens of a piece, as its code points */
	struct cache cache; /* chunk -> ids, see shortcut.h */
	struct encoded {
		struct ids ids;
		struct places places; /* when they are asked for */
	} a, b; /* of a pair, before they are joined */
};

/* Fill everything but shortcut and hash. The parts of a tokenizer that failed to load are released
 * by tokenizer_close(). */
bool load_tokenizer_json(const char *path, struct tokenizer *t, struct err *err) MUST_CHECK;
/* vocab.txt, with the options of tokenizer_config.json in the same folder when there is one. */
bool load_vocab_txt(
	const char *path, const char *config_path, struct tokenizer *t, struct err *err) MUST_CHECK;
/* A sentencepiece model, with tokenizer_config.json and config.json of the same folder when they are
 * there. */
bool load_sentencepiece(const char *path, const char *config_path, const char *model_path,
	struct tokenizer *t, struct err *err) MUST_CHECK;
/* What a tokenizer.json says, read from its root. */
bool load_tokenizer_root(json root, struct tokenizer *t, struct err *err) MUST_CHECK;
/* Registers an added token under the id that the Hugging Face library gives it. file_id -1: none. */
struct added_spec {
	struct text content;
	int64_t file_id;
	bool single_word, lstrip, rstrip, normalized;
};
bool load_added(struct tokenizer *t, const struct added_spec *spec, struct err *err) MUST_CHECK;
bool load_added_end(struct tokenizer *t, struct err *err) MUST_CHECK; /* all are registered */

/* Appends the ids of a stretch of text without raw added tokens, which stands at byte `at` of the
 * whole; and, unless places is NULL, where they come from. */
void encode_stretch(
	struct tokenizer_run *r, struct text t, size_t at, struct ids *out, struct places *places);
/* From normal.from, normalised, on. */
void encode_normalized(struct tokenizer_run *r, struct ids *out, struct places *places);
/* An added token, which stands for the bytes [begin, end) of the whole text. */
void encode_added(struct tokenizer_run *r, int32_t id, size_t begin, size_t end, struct ids *out,
	struct places *places);

#endif

/* bpe.h - byte pair encoding from the inside: bpe.c reads and encodes, bpe_merge.c merges. Private to
 * text/.
 *
 * A piece begins as one symbol a character; again and again the neighbours whose merge stands first
 * in the file's list become one, of equal ones the leftmost, until no two have a merge (Sennrich et
 * al. 2016, "Neural Machine Translation of Rare Words with Subword Units", section 3.2). */
#ifndef TEXT_BPE_H
#define TEXT_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/segmenter.h"

#define BPE_NO_RANK UINT32_MAX

/* Two neighbours -> what they become. Open addressing, at most half full. */
struct bpe_merge {
	uint64_t pair; /* left id << 32 | right id */
	uint32_t rank; /* place in the list; BPE_NO_RANK: the slot is free */
	int32_t id;
};
struct bpe_merges {
	struct bpe_merge *slots;
	int32_t *ids; /* by rank */
	size_t mask;
	int shift; /* 64 - log2(mask + 1) */
};
bool bpe_merges_init(struct bpe_merges *m, size_t n, struct err *err) MUST_CHECK; /* room for n */
void bpe_merges_release(struct bpe_merges *m);
/* Of a pair that is put twice, the last counts. */
void bpe_merges_put(struct bpe_merges *m, int32_t left, int32_t right, uint32_t rank, int32_t id);

/* The merges of two single bytes: most lookups of a word, without the table of all. */
struct bpe_bytes {
	uint32_t rank; /* BPE_NO_RANK: none */
	int32_t id;
};

struct bpe_symbol {
	int32_t id;
	uint32_t len; /* bytes of the piece; 0: it was merged into the one before */
	uint32_t prev, next; /* BPE_END: none */
	int32_t whole; /* what it and the next would become; TRIE_NO_ID: they have no merge */
};
#define BPE_END UINT32_MAX
struct segmenter_run {
	struct bpe_symbol *symbols;
	size_t n, cap;
	uint64_t *queue; /* rank << 32 | place of the left symbol */
	size_t n_queue, cap_queue;
};
void bpe_add_symbol(struct segmenter_run *r, int32_t id, uint32_t len);
/* Merges the symbols in place. Short words look through the queue, long ones keep it as a heap, so
 * time grows as n log n. */
void bpe_merge_all(const struct bpe_merges *m, struct segmenter_run *r);
/* The symbols of raw bytes, merged; ids and pairs are by byte and by two bytes. */
void bpe_merge_bytes(const struct bpe_merges *m, const int32_t ids[256],
	const struct bpe_bytes *pairs, const char *bytes, size_t n, struct segmenter_run *r);
struct bpe_bytes *bpe_bytes_new(const struct bpe_merges *m, const int32_t ids[256]);

/* Of a byte-level vocabulary, whose alphabet is complete: the ids of raw bytes, n >= 1. */
bool bpe_has_bytes(const struct segmenter *s);
void bpe_encode_bytes(const struct segmenter *s, struct segmenter_run *r, const char *bytes,
	size_t n, struct ids *out);
/* For cutting texts in front of runs of `mark`: sets no_cut[b] for the last byte b of each character
 * behind which some token has the mark, so that the two may merge. False: the mark is no token. */
bool bpe_find_cuts(const struct segmenter *s, uint32_t mark, bool no_cut[256]);

#endif

/* texts.h - in: texts as they come; out: each distinct one once, numbered, with the number of its
 * fold: texts of equal fold numbers are duplicates (utf8_fold). */
#ifndef MINE_TEXTS_H
#define MINE_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#define TEXT_BLANK UINT32_MAX /* stands for every blank text: it has no number and no vector */

struct mine_texts {
	struct text *t; /* [n] in order of first appearance; live in arena */
	uint32_t *fold; /* [n] */
	size_t n, cap;
	struct map by_text, by_fold;
	struct arena arena;
};
#define MINE_TEXTS_INIT                                                                            \
	{                                                                                          \
		.by_text = MAP_INIT, .by_fold = MAP_INIT, .arena = ARENA_INIT                      \
	}
void mine_texts_release(struct mine_texts *x);
/* The number of t, added when it is new; TEXT_BLANK when it is blank. */
uint32_t mine_texts_add(struct mine_texts *x, struct text t);
/* The fold number of t, which need not be among the texts. */
uint32_t mine_texts_fold(struct mine_texts *x, struct text t);

#endif

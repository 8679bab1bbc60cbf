/* views.h - in: texts; out: BGE-M3's three views of each at once: vector, lexical weights, and a
 * vector a token. */
#ifndef MODEL_VIEWS_H
#define MODEL_VIEWS_H

#include "model/encoder.h"

struct text_view {
	int32_t *ids; /* token ids in the order in which they first stand, special ones left out */
	float *weights; /* the largest of each id, above 0 */
	size_t n_ids;
	float *multi; /* [n_multi, model_multi_dim()] */
	size_t n_multi;
};
struct text_views {
	struct text_view *view; /* one a distinct text */
	size_t n;
	size_t *of; /* [items]: which view is whose */
};

/* which: VIEW_... of model.h; dense [n, dim] is filled when VIEW_DENSE is among them. Nothing of
 * this is cached. Release ret also after a failure. */
bool encoder_views(struct encoder *e, enum encode_role role, const struct encode_item *items,
	size_t n, unsigned which, float *dense, struct text_views *ret, struct encode_stats *stats,
	struct err *err) MUST_CHECK;
void text_views_release(struct text_views *v);

#endif

/* heads.h - in: last hidden states of a packed batch; out: a vector a text, or a score. */
#ifndef MODEL_HEADS_H
#define MODEL_HEADS_H

#include "model/config.h"
#include "model/layers.h"
#include "model/model.h"

/* x [T,H] f32 -> [n,H], pooled over the tokens of each text, those of its prompt left out where
 * batch->prompt_tokens says so. */
tensor head_pool(tn_scope *s, tensor x, const struct token_batch *batch, enum tn_pool how);

extern const char head_act_list[]; /* the short names, for errors */
bool head_act_parse(struct text name, enum head_act *ret); /* "tanh", "Tanh", "torch.nn...Tanh" */
tensor head_activate(tn_scope *s, tensor x, enum head_act act);

#endif

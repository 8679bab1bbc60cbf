/* export.h - the parts of a written model; model_write() and model_write_adapter() of model.h put
 * them together. */
#ifndef MODEL_EXPORT_H
#define MODEL_EXPORT_H

#include "base/err.h"
#include "model/model_impl.h"

/* model.safetensors: all weights in f32 under Hugging Face's names, adapters merged. */
bool export_weights(struct model *m, const char *dir, struct err *err) MUST_CHECK;
/* config.json, tokenizer files, and for an embedder the sentence-transformers files. */
bool export_folder(struct model *m, const char *dir, struct err *err) MUST_CHECK;
/* modules.json and the modules' folders. */
bool export_modules(struct model *m, const char *dir, struct err *err) MUST_CHECK;
/* sparse_linear.pt and colbert_linear.pt, when the model has these heads. */
bool export_m3(struct model *m, const char *dir, struct err *err) MUST_CHECK;
/* Modelling code of the base folder, when its class needs some. */
bool export_code(const struct model *m, const char *dir, struct err *err) MUST_CHECK;
/* README.md with the front matter that hubs read. */
bool export_card(const struct model *m, const char *dir, struct err *err) MUST_CHECK;

#endif

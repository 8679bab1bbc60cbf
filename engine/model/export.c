#include "model/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

/* The base as people call it: the folder's name. */
static const char *base_name(const struct model *m)
{
	return fs_basename(m->config.dir);
}

/* Of what is written: adapters are merged. */
static int64_t n_written(const struct model *m)
{
	int64_t n = 0;
	for (size_t i = 0; i < m->params.n; i++)
		n += weight_numel(m->params.w[i]);
	return n;
}

static void put_use(const struct model *m, struct buf *b)
{
	if (m->parts.head) {
		buf_adds(b,
			"```python\nfrom sentence_transformers import CrossEncoder\n\n"
			"model = CrossEncoder(\"this-folder\")\n"
			"scores = model.predict([(\"a query\", \"a passage\")])\n```\n");
		return;
	}
	buf_adds(b,
		"```python\nfrom sentence_transformers import SentenceTransformer\n\n"
		"model = SentenceTransformer(\"this-folder\")\n"
		"queries = model.encode_query([\"a query\"])\n"
		"passages = model.encode_document([\"a passage\"])\n"
		"print(model.similarity(queries, passages))\n```\n");
}

bool export_card(const struct model *m, const char *dir, struct err *err)
{
	const struct model_config *c = &m->config;
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	buf_addf(&b,
		"---\nlibrary_name: sentence-transformers\npipeline_tag: %s\ntags:\n"
		"- sentence-transformers\n- %s\n---\n\n",
		m->parts.head ? "text-ranking" : "sentence-similarity",
		m->parts.head ? "cross-encoder" : "feature-extraction");
	buf_addf(&b, "# %s, trained with vecsmith\n\n", base_name(m));
	buf_addf(&b, "| | |\n|---|---|\n| base model | %s |\n| architecture | %s, %lld layers, ",
		base_name(m), m->parts.head ? c->arch->classifier_class : c->arch->encoder_class,
		(long long)c->n_layers);
	buf_addf(&b,
		"width %lld, %lld heads |\n| parameters | %lld |\n| longest text | %lld tokens |\n",
		(long long)c->hidden, (long long)c->n_heads, (long long)n_written(m),
		(long long)c->max_length);
	if (m->parts.head)
		buf_addf(&b, "| scores a pair | %lld |\n", (long long)c->n_labels);
	else
		buf_addf(&b, "| vector | %lld numbers, %s pooling, %s |\n", (long long)c->dim,
			m->pooling, c->normalizes ? "normalised" : "not normalised");
	const char *note = model_attention_note(c, &a);
	if (note)
		buf_addf(&b, "| attention | %s; %s |\n", model_attention_name(c->attention), note);
	buf_adds(&b, "\n## Use\n\n");
	put_use(m, &b);
	bool ok = fs_write_atomic(fs_join(&a, dir, "README.md"), b.data, b.len, err);
	buf_release(&b);
	arena_release(&a);
	return ok;
}

bool model_write(struct model *m, const char *dir, struct err *err)
{
	return fs_mkdirs(dir, err) && export_weights(m, dir, err) && export_folder(m, dir, err) &&
		export_code(m, dir, err) && export_card(m, dir, err);
}

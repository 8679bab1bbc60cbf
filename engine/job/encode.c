#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parallel.h"
#include "data/texts.h"
#include "job/common.h"
#include "job/encode_out.h"

/* Texts encoded and written at a time: what bounds memory, and within which equal texts are found.
 */
#define BLOCK ((size_t)65536)
#define MULTI_BLOCK ((size_t)512) /* with a vector a token */

struct encode_work {
	const struct opts *o;
	struct encoder *e;
	struct texts texts;
	struct text prompt;
	enum encode_role role; /* decides which length limit applies */
	unsigned views; /* VIEW_... that are written */
	bool normalizes; /* here, on top of what the model does */
	struct encode_stats stats;
	double seconds;
};

static bool choose_prompt(struct encode_work *w, struct err *err)
{
	const struct prompts *p = encoder_prompts(w->e);
	const char *text = opts_str(w->o, "prompt"), *name = opts_str(w->o, "prompt-name");
	w->prompt = TEXT("");
	w->role = ENCODE_PLAIN;
	if (text && name)
		return err_set(err, ERR_USAGE,
			"--prompt and --prompt-name are both given, expected one of them");
	if (text) {
		w->prompt = text_of(text);
		return true;
	}
	if (!name && !p->default_name.s)
		return true;
	if (!name)
		name = p->default_name.s;
	bool is_query = strcmp(name, "query") == 0;
	bool is_passage = strcmp(name, "document") == 0 || strcmp(name, "passage") == 0;
	w->role = is_query ? ENCODE_QUERY : is_passage ? ENCODE_PASSAGE : ENCODE_PLAIN;
	if (prompts_named(p, name, &w->prompt))
		return true;
	if (is_query || is_passage) {
		w->prompt = is_query ? p->query : p->passage;
		return true;
	}
	return err_set(err, ERR_USAGE, "%s defines no prompt named \"%s\"; use --prompt TEXT",
		model_dir(encoder_model(w->e)), name);
}

static void to_unit_length(float *rows, size_t n, size_t dim)
{
	for (size_t i = 0; i < n; i++) {
		double sum = 0.0;
		for (size_t k = 0; k < dim; k++)
			sum += (double)rows[i * dim + k] * (double)rows[i * dim + k];
		double scale = 1.0 / fmax(sqrt(sum), 1e-12);
		for (size_t k = 0; k < dim; k++)
			rows[i * dim + k] = (float)((double)rows[i * dim + k] * scale);
	}
}

static bool encode_block(struct encode_work *w, size_t begin, size_t n, struct encode_item *items,
	float *rows, struct encode_out *out, struct err *err)
{
	struct text_views views = {0};
	bool has_views = (out->which & ~(unsigned)VIEW_DENSE) != 0;
	for (size_t i = 0; i < n; i++)
		items[i] = (struct encode_item){w->prompt, w->texts.t[begin + i]};
	bool ok = has_views
		? encoder_views(w->e, w->role, items, n, out->which, rows, &views, &w->stats, err)
		: encoder_encode(w->e, w->role, items, n, rows, &w->stats, err);
	if (ok && w->normalizes)
		to_unit_length(rows, n, (size_t)encoder_dim(w->e));
	if (ok)
		encode_out_add(out, rows, has_views ? &views : NULL, n);
	else if (begin > 0)
		err_prefix(err, "counted behind text %zu", begin);
	text_views_release(&views);
	return ok;
}

static bool encode_all(struct encode_work *w, struct err *err)
{
	const struct model *m = encoder_model(w->e);
	struct encode_out out = {.which = w->views,
		.n = (int64_t)w->texts.n,
		.dim = encoder_dim(w->e),
		.multi_dim = model_multi_dim(m)};
	size_t block = w->views & VIEW_MULTI ? MULTI_BLOCK : BLOCK;
	size_t most = w->texts.n < block ? w->texts.n : block;
	struct encode_item *items = xcalloc(most + 1, sizeof *items);
	float *rows = try_malloc(most + 1, (size_t)out.dim * sizeof *rows, "vectors", err);
	bool is_open = rows && encode_out_open(&out, opts_str(w->o, "out"), err), ok = is_open;
	for (size_t at = 0; ok && at < w->texts.n; at += most) {
		size_t n = w->texts.n - at < most ? w->texts.n - at : most;
		ok = encode_block(w, at, n, items, rows, &out, err);
	}
	if (ok)
		ok = encode_out_commit(&out, err);
	else if (is_open)
		encode_out_abort(&out);
	free(items);
	free(rows);
	return ok;
}

/* Which views are written: those that --head lists, else all that the model has. */
static bool choose_views(struct encode_work *w, struct err *err)
{
	static const char *const names[] = {"dense", "sparse", "multi"};
	const char *const *heads;
	unsigned has = model_views(encoder_model(w->e));
	size_t n = opts_list(w->o, "head", &heads);
	w->views = n == 0 ? has : 0;
	for (size_t i = 0; i < n; i++) {
		unsigned view = 0;
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			view |= strcmp(heads[i], names[k]) == 0 ? 1u << k : 0;
		if (view == 0)
			return err_set(err, ERR_USAGE,
				"--head is \"%s\", expected dense, sparse or multi", heads[i]);
		if (!(has & view))
			return err_set(err, ERR_USAGE,
				"--head %s, but %s has no such head (%s is not in its folder)",
				heads[i], model_dir(encoder_model(w->e)),
				view == VIEW_SPARSE ? "sparse_linear.pt" : "colbert_linear.pt");
		w->views |= view;
	}
	return true;
}

static void put_heads(struct buf *b, unsigned views)
{
	static const char *const names[] = {"dense", "sparse", "multi"};
	json_put_key(b, "heads");
	buf_addch(b, '[');
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (views & 1u << k) {
			if (b->data[b->len - 1] != '[')
				buf_addch(b, ',');
			json_put_str(b, names[k]);
		}
	buf_addch(b, ']');
}

static void print_json(const struct encode_work *w)
{
	struct buf b = BUF_INIT;
	buf_addch(&b, '{');
	json_put_key(&b, "out");
	json_put_str(&b, opts_str(w->o, "out"));
	json_put_key(&b, "texts");
	json_put_int(&b, (int64_t)w->stats.n_texts);
	json_put_key(&b, "dim");
	json_put_int(&b, encoder_dim(w->e));
	json_put_key(&b, "unique");
	json_put_int(&b, (int64_t)w->stats.n_unique);
	json_put_key(&b, "cached");
	json_put_int(&b, (int64_t)w->stats.n_cached);
	json_put_key(&b, "cut");
	json_put_int(&b, (int64_t)w->stats.n_cut);
	json_put_key(&b, "tokens");
	json_put_int(&b, w->stats.n_tokens);
	json_put_key(&b, "seconds");
	json_put_real(&b, w->seconds);
	json_put_key(&b, "model");
	json_put_str(&b, model_dir(encoder_model(w->e)));
	json_put_key(&b, "pooling");
	json_put_str(&b, model_pooling(encoder_model(w->e)));
	json_put_key(&b, "normalized");
	buf_adds(&b, w->normalizes || model_normalizes(encoder_model(w->e)) ? "true" : "false");
	json_put_key(&b, "prompt");
	json_put_text(&b, w->prompt);
	if (w->prompt.len > 0) {
		json_put_key(&b, "prompts_from");
		json_put_str(
			&b, opts_str(w->o, "prompt") ? "--prompt" : encoder_prompts(w->e)->source);
	}
	put_heads(&b, w->views);
	json_put_key(&b, "computed");
	json_put_str(&b, encoder_describe(w->e));
	buf_adds(&b, "}\n");
	fwrite(b.data, 1, b.len, stdout);
	buf_release(&b);
}

static void print_table(const struct encode_work *w)
{
	static const char *const heads[] = {
		"texts", "dim", "distinct", "cached", "cut", "tokens", "seconds", "out"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	table_cell(t, "%zu", w->stats.n_texts);
	table_cell(t, "%lld", (long long)encoder_dim(w->e));
	table_cell(t, "%zu", w->stats.n_unique);
	table_cell(t, "%zu", w->stats.n_cached);
	table_cell(t, "%zu", w->stats.n_cut);
	table_cell(t, "%lld", (long long)w->stats.n_tokens);
	table_cell(t, "%.2f", w->seconds);
	table_text(t, text_of(opts_str(w->o, "out")));
	table_print(t, stdout);
}

bool encode_run(const struct opts *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct encode_work w = {.o = o};
	struct encoder_options how;
	job_encoder_options(o, &a, &how);
	bool ok = texts_open(opts_str(o, "in"), &w.texts, err);
	if (ok)
		w.e = encoder_open(opts_str(o, "model"), &how, err);
	ok = ok && w.e && choose_prompt(&w, err) && choose_views(&w, err);
	if (ok) {
		w.normalizes = opts_flag(o, "normalize") && !model_normalizes(encoder_model(w.e));
		log_info("encode: %zu texts with %s, %s", w.texts.n, model_dir(encoder_model(w.e)),
			encoder_describe(w.e));
		double start = wall_seconds();
		ok = encode_all(&w, err);
		w.seconds = wall_seconds() - start;
	}
	if (ok && opts_flag(o, "json"))
		print_json(&w);
	else if (ok)
		print_table(&w);
	encoder_close(w.e);
	texts_close(&w.texts);
	arena_release(&a);
	return ok;
}

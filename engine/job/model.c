#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "job/common.h"
#include "model/architectures.h"
#include "model/facts.h"
#include "model/prompts.h"
#include "text/tokenizer.h"

struct about {
	const struct opts *o;
	const char *dir;
	struct model_facts facts;
	struct tokenizer *tokenizer;
	struct prompts prompts;
};

static bool open_about(struct about *x, struct err *err)
{
	if (!model_facts_read(x->dir, opts_str(x->o, "base"), &x->facts, err))
		return false;
	x->tokenizer = tokenizer_open(x->facts.config.tokenizer_dir, err);
	if (!x->tokenizer)
		return false;
	int64_t rows = x->facts.config.n_vocab;
	if (tokenizer_vocab_size(x->tokenizer) > (size_t)rows)
		return err_set(err, ERR_DATA,
			"%s: the tokenizer has %zu ids, config.json's vocab_size is %lld: they are "
			"of different models",
			x->dir, tokenizer_vocab_size(x->tokenizer), (long long)rows);
	return prompts_open(x->facts.config.prompts_dir, NULL, NULL, &x->prompts, err);
}

static int64_t lora_params(const struct about *x)
{
	return opts_int(x->o, "lora-r") * x->facts.lora_side;
}

/* label, then text; both sanitised, because files say them. */
static void line(const char *label, struct text value)
{
	struct buf b = BUF_INIT;
	utf8_sanitize(&b, value);
	printf("%-14s%s\n", label, b.data ? b.data : "");
	buf_release(&b);
}

static void linef(const char *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void linef(const char *label, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list args;
	va_start(args, fmt);
	buf_vaddf(&b, fmt, args);
	va_end(args);
	line(label, buf_text(&b));
	buf_release(&b);
}

static double megabytes(int64_t bytes)
{
	return (double)bytes / 1e6;
}

static void print_prompts(const struct prompts *p)
{
	if (strcmp(p->source, "none") == 0) {
		line("prompts", TEXT("none"));
		return;
	}
	linef("prompts", "from %s", p->source);
	linef("", "query: \"%.*s\"", TEXT_ARG(p->query));
	linef("", "passage: \"%.*s\"", TEXT_ARG(p->passage));
	for (size_t i = 0; i < p->n; i++)
		if (!text_is(p->names[i], "query") && !text_is(p->names[i], "document"))
			linef("", "%s: \"%s\"", p->names[i].s, p->values[i].s);
	if (p->default_name.s)
		linef("", "encode uses \"%s\" unless told otherwise", p->default_name.s);
	if (p->closing.len > 0)
		linef("", "every text ends with %.*s, as its family's recipe has it",
			TEXT_ARG(p->closing));
}

static const char *module_text(const struct module *m, struct arena *a)
{
	static const char *const names[] = {[MODULE_DENSE] = "dense",
		[MODULE_LAYER_NORM] = "layer norm",
		[MODULE_NORMALIZE] = "normalised"};
	if (m->kind != MODULE_DENSE)
		return names[m->kind];
	const char *dot = strrchr(m->act_class, '.');
	return arena_printf(a, "dense %lld to %lld%s (%s)", (long long)m->in, (long long)m->out,
		m->is_residual ? " with residual" : "", dot ? dot + 1 : m->act_class);
}

static void print_vectors(const struct model_facts *f)
{
	const struct model_config *c = &f->config;
	struct arena a = ARENA_INIT;
	const char *chain = "";
	for (size_t i = 0; i < c->n_modules; i++)
		chain = arena_printf(&a, "%s, %s", chain, module_text(&c->modules[i], &a));
	linef("vectors", "%lld numbers, %s pooling%s%s%s%s%s", (long long)c->dim, f->pooling,
		c->pools_prompt ? "" : " without the prompt", chain,
		c->normalizes ? "" : ", not normalised",
		c->has_modules      ? ""
			: c->family ? " (no modules.json: as family "
				    : " (no modules.json: the default)",
		c->has_modules || !c->family ? "" : arena_printf(&a, "%s)", c->family));
	if (f->views & (VIEW_SPARSE | VIEW_MULTI))
		linef("other heads", "%s%s%s", f->views & VIEW_SPARSE ? "lexical weights" : "",
			f->views == (VIEW_DENSE | VIEW_SPARSE | VIEW_MULTI) ? ", " : "",
			f->views & VIEW_MULTI ? arena_printf(&a, "a vector of %lld a token",
							(long long)f->multi_dim)
					      : "");
	if (c->is_causal_lm && !c->has_modules)
		linef("as reranker", "%s (score --family)",
			strcmp(c->arch->causal_class, "Qwen3ForCausalLM") == 0
				? "yes minus no, Qwen3-Reranker's template"
				: "the logit of Yes, FlagEmbedding's prompt");
	arena_release(&a);
}

static void print_lora(const struct about *x)
{
	const struct model_facts *f = &x->facts;
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < f->n_lora_modules; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", f->lora_modules[i]);
	line("LoRA targets", buf_text(&b));
	linef("", "r %lld on all of them trains %.2f M parameters, %.1f %%",
		(long long)opts_int(x->o, "lora-r"), (double)lora_params(x) / 1e6,
		100.0 * (double)lora_params(x) / (double)f->n_params);
	buf_release(&b);
}

static void print_attention(const struct about *x)
{
	const struct model_config *c = &x->facts.config;
	struct arena a = ARENA_INIT;
	const char *note = model_attention_note(c, &a);
	if (c->n_kv_heads != c->n_heads)
		linef("", "%lld key heads", (long long)c->n_kv_heads);
	if (c->arch->causal_class)
		linef("attention", "%s (%s)%s%s", model_attention_name(c->attention),
			c->attention_from, note ? "; " : "", note ? note : "");
	arena_release(&a);
}

static void print_screen(const struct about *x)
{
	const struct model_facts *f = &x->facts;
	const struct model_config *c = &f->config;
	int64_t tokens = opts_int(x->o, "tokens"), r = opts_int(x->o, "lora-r");
	line("model", text_of(x->dir));
	if (c->adapter)
		linef("adapter", "PEFT, merged into %s", c->body_dir);
	linef("architecture", "%s (%s)", f->class_name, c->arch->model_type);
	linef("sizes", "%lld layers, width %lld, %lld heads of %lld, feed-forward %lld",
		(long long)c->n_layers, (long long)c->hidden, (long long)c->n_heads,
		(long long)c->head_dim, (long long)c->ff);
	print_attention(x);
	linef("", "%lld positions, %lld token types, vocabulary %lld", (long long)c->n_positions,
		(long long)c->n_types, (long long)c->n_vocab);
	linef("parameters", "%.1f M, %.1f M of them in tables, %.1f M in linears",
		(double)f->n_params / 1e6, (double)f->n_table / 1e6, (double)f->n_linear / 1e6);
	linef("weights", "%s, %.1f MB in %zu file%s", f->dtype ? f->dtype : "none",
		megabytes(f->file_bytes), f->n_files, f->n_files == 1 ? "" : "s");
	if (c->is_classifier)
		linef("head", "sequence classification, %lld output%s", (long long)c->n_labels,
			c->n_labels == 1 ? "" : "s");
	else
		print_vectors(f);
	linef("max length", "%lld tokens", (long long)c->max_length);
	linef("tokenizer", "%s, %zu ids", tokenizer_kind(x->tokenizer),
		tokenizer_vocab_size(x->tokenizer));
	print_prompts(&x->prompts);
	print_lora(x);
	linef("to encode", "about %.0f MB in float32, %.0f MB in bfloat16, %lld tokens at once",
		megabytes(model_bytes_to_encode(f, false, tokens)),
		megabytes(model_bytes_to_encode(f, true, tokens)), (long long)tokens);
	linef("to train", "about %.0f MB in float32, %.0f MB in bfloat16; LoRA %.0f and %.0f MB",
		megabytes(model_bytes_to_train(f, false, 0, tokens)),
		megabytes(model_bytes_to_train(f, true, 0, tokens)),
		megabytes(model_bytes_to_train(f, false, r, tokens)),
		megabytes(model_bytes_to_train(f, true, r, tokens)));
}

static void put_int(struct buf *b, const char *key, int64_t v)
{
	json_put_key(b, key);
	json_put_int(b, v);
}

static void put_str(struct buf *b, const char *key, const char *v)
{
	json_put_key(b, key);
	json_put_str(b, v);
}

static void put_bool(struct buf *b, const char *key, bool v)
{
	json_put_key(b, key);
	buf_adds(b, v ? "true" : "false");
}

static void put_sizes(struct buf *b, const struct model_facts *f)
{
	const struct model_config *c = &f->config;
	put_str(b, "architecture", f->class_name);
	put_str(b, "model_type", c->arch->model_type);
	put_int(b, "layers", c->n_layers);
	put_int(b, "hidden", c->hidden);
	put_int(b, "heads", c->n_heads);
	put_int(b, "head_dim", c->head_dim);
	put_int(b, "ff", c->ff);
	put_int(b, "positions", c->n_positions);
	put_int(b, "vocab", c->n_vocab);
	put_int(b, "parameters", f->n_params);
	put_str(b, "dtype", f->dtype ? f->dtype : "none");
	put_int(b, "bytes", f->file_bytes);
	put_int(b, "labels", c->is_classifier ? c->n_labels : 0);
	put_int(b, "dim", c->is_classifier ? 0 : c->dim);
	put_str(b, "pooling", f->pooling);
	put_bool(b, "pools_prompt", c->pools_prompt);
	put_bool(b, "normalized", c->normalizes);
	put_int(b, "max_length", c->max_length);
}

static void put_rest(struct buf *b, const struct about *x)
{
	const struct model_facts *f = &x->facts;
	int64_t tokens = opts_int(x->o, "tokens"), r = opts_int(x->o, "lora-r");
	put_str(b, "tokenizer", tokenizer_kind(x->tokenizer));
	json_put_key(b, "prompts");
	buf_addch(b, '{');
	for (size_t i = 0; i < x->prompts.n; i++) {
		json_put_key(b, x->prompts.names[i].s);
		json_put_text(b, x->prompts.values[i]);
	}
	buf_addch(b, '}');
	put_str(b, "prompts_from", x->prompts.source);
	if (x->prompts.family)
		put_str(b, "family", x->prompts.family);
	json_put_key(b, "query_prompt");
	json_put_text(b, x->prompts.query);
	json_put_key(b, "passage_prompt");
	json_put_text(b, x->prompts.passage);
	json_put_key(b, "closing");
	json_put_text(b, x->prompts.closing);
	put_int(b, "modules", (int64_t)f->config.n_modules);
	put_bool(b, "sparse_head", (f->views & VIEW_SPARSE) != 0);
	put_int(b, "multi_dim", f->multi_dim);
	json_put_key(b, "lora_targets");
	for (size_t i = 0; i < f->n_lora_modules; i++) {
		buf_addch(b, i ? ',' : '[');
		json_put_str(b, f->lora_modules[i]);
	}
	buf_addch(b, ']');
	put_int(b, "lora_parameters", lora_params(x));
	put_int(b, "bytes_to_encode_float32", model_bytes_to_encode(f, false, tokens));
	put_int(b, "bytes_to_encode_bfloat16", model_bytes_to_encode(f, true, tokens));
	put_int(b, "bytes_to_train_float32", model_bytes_to_train(f, false, 0, tokens));
	put_int(b, "bytes_to_train_bfloat16", model_bytes_to_train(f, true, 0, tokens));
	put_int(b, "bytes_to_train_lora_float32", model_bytes_to_train(f, false, r, tokens));
	put_int(b, "bytes_to_train_lora_bfloat16", model_bytes_to_train(f, true, r, tokens));
}

static void print_json(const struct about *x)
{
	struct buf b = BUF_INIT;
	buf_addch(&b, '{');
	put_str(&b, "model", x->dir);
	put_sizes(&b, &x->facts);
	put_rest(&b, x);
	buf_adds(&b, "}\n");
	fwrite(b.data, 1, b.len, stdout);
	buf_release(&b);
}

bool model_run(const struct opts *o, struct err *err)
{
	const char *const *dirs;
	struct about x = {.o = o};
	size_t n = opts_list(o, "model", &dirs);
	if (n != 1)
		return err_set(err, ERR_USAGE, "%zu folders are given, expected one", n);
	x.dir = dirs[0];
	bool ok = open_about(&x, err);
	if (ok && opts_flag(o, "json"))
		print_json(&x);
	else if (ok)
		print_screen(&x);
	tokenizer_close(x.tokenizer);
	prompts_close(&x.prompts);
	model_facts_release(&x.facts);
	return ok;
}

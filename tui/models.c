#include "tui/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "tui/jobline.h"

#define MOST 200 /* a folder of thousands is no place for models */

/* A file of a model folder; the root is nothing when it is absent or damaged, which *problem tells. */
static json open_part(const char *dir, const char *name, struct json_file *f, struct model_entry *e)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct err err = ERR_INIT;
	*f = (struct json_file){0};
	if (fs_exists(path) && !json_file_open(path, f, &err))
		snprintf(e->problem, sizeof e->problem, "%.199s", err.text);
	free(path);
	return f->root;
}

static int64_t number(json v, const char *key)
{
	int64_t n = 0;
	return json_int(json_get(v, key), &n) ? n : 0;
}

static void copy_string(json v, const char *key, char *room, size_t size)
{
	const char *s;
	size_t len;
	if (json_string(json_get(v, key), &s, &len))
		snprintf(room, size, "%.*s", (int)(len < size ? len : size - 1), s);
}

static void read_config(const char *dir, struct model_entry *e)
{
	struct json_file f;
	json config = open_part(dir, "config.json", &f, e);
	copy_string(config, "model_type", e->kind, sizeof e->kind);
	e->hidden = number(config, "hidden_size");
	e->layers = number(config, "num_hidden_layers");
	e->heads = number(config, "num_attention_heads");
	e->vocabulary = number(config, "vocab_size");
	e->max_length = number(config, "max_position_embeddings");
	/* RoBERTa's positions begin behind the padding's id. */
	if (strstr(e->kind, "roberta") && e->max_length > 2)
		e->max_length -= 2;
	json_file_close(&f);
}

static void read_sentence_transformers(const char *dir, struct model_entry *e)
{
	static const struct {
		const char *key, *name;
	} poolings[] = {{"pooling_mode_cls_token", "cls"}, {"pooling_mode_mean_tokens", "mean"},
		{"pooling_mode_max_tokens", "max"}, {"pooling_mode_lasttoken", "last"}};
	struct json_file f;
	json v = open_part(dir, "sentence_bert_config.json", &f, e);
	if (number(v, "max_seq_length") > 0)
		e->max_length = number(v, "max_seq_length");
	json_file_close(&f);
	v = open_part(dir, "1_Pooling/config.json", &f, e);
	for (size_t i = 0; i < ARRAY_LEN(poolings); i++) {
		bool is_on = false;
		if (json_bool(json_get(v, poolings[i].key), &is_on) && is_on)
			snprintf(e->pooling, sizeof e->pooling, "%s", poolings[i].name);
	}
	json_file_close(&f);
	v = open_part(dir, "config_sentence_transformers.json", &f, e);
	struct buf prompts = BUF_INIT;
	for (struct json_iter it = json_each(json_get(v, "prompts")); json_next(&it);) {
		const char *s;
		size_t len;
		if (json_string(it.value, &s, &len) && len > 0)
			buf_addf(&prompts, "%s%.*s \"%.*s\"", prompts.len ? "  " : "",
				(int)it.key_len, it.key, (int)len, s);
	}
	snprintf(e->prompts, sizeof e->prompts, "%s", prompts.data ? prompts.data : "");
	buf_release(&prompts);
	json_file_close(&f);
}

static int64_t weight_bytes(const char *dir)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	char **names = NULL;
	size_t n = 0;
	int64_t bytes = 0;
	if (fs_list(dir, &a, &names, &n, &err))
		for (size_t i = 0; i < n; i++) {
			size_t len = strlen(names[i]);
			if (len > 12 && strcmp(names[i] + len - 12, ".safetensors") == 0)
				bytes += fs_size(fs_join(&a, dir, names[i]));
		}
	arena_release(&a);
	return bytes;
}

static bool holds(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	bool found = fs_exists(path);
	free(path);
	return found;
}

/* `model` alone says nothing: its run's name stands before it. */
static void name_entry(struct model_entry *e)
{
	const char *leaf = fs_basename(e->path), *from = leaf;
	if (strcmp(leaf, "model") == 0 && leaf > e->path + 1) {
		from = leaf - 1;
		while (from > e->path && from[-1] != '/')
			from--;
	}
	snprintf(e->name, sizeof e->name, "%s", from);
}

static void add(struct models *m, const char *dir)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->e[i].path, dir) == 0)
			return;
	static const char *const marks[] = {"config.json", "tokenizer.json", "vocab.txt",
		"tokenizer.model", "sentencepiece.bpe.model"};
	bool is_model = false;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		is_model = is_model || holds(dir, marks[i]);
	if (m->n == MOST || !is_model)
		return;
	struct model_entry e = {.path = xstrdup(dir)};
	for (size_t n = strlen(e.path); n > 1 && e.path[n - 1] == '/'; n--)
		e.path[n - 1] = '\0';
	name_entry(&e);
	read_config(dir, &e);
	read_sentence_transformers(dir, &e);
	e.bytes = weight_bytes(dir);
	m->e = xreallocarray(m->e, m->n + 1, sizeof *m->e);
	m->e[m->n++] = e;
}

static void add_folder(struct models *m, const char *dir)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	char **names = NULL;
	size_t n = 0;
	if (fs_is_dir(dir) && fs_list(dir, &a, &names, &n, &err))
		for (size_t i = 0; i < n; i++)
			if (names[i][0] != '.')
				add(m, fs_join(&a, dir, names[i]));
	arena_release(&a);
}

void models_find(struct models *m, const struct session *s)
{
	static const char *const roots[] = {"build/models", "models", "."};
	models_release(m);
	for (size_t i = 0; i < s->n_jobs; i++)
		if (s->jobs[i].status.run[0]) {
			char *path = xasprintf("%s/model", s->jobs[i].status.run);
			add(m, path);
			free(path);
		}
	char *used = jobline_model(s);
	if (used)
		add(m, used);
	free(used);
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		char *path = strcmp(s->dir, ".") == 0 ? xstrdup(roots[i])
						      : xasprintf("%s/%s", s->dir, roots[i]);
		add_folder(m, path);
		free(path);
	}
}

void models_release(struct models *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->e[i].path);
	free(m->e);
	*m = (struct models){0};
}

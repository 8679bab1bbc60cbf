/* models.h - the model folders at hand: what a screen says of each, from its small files alone. */
#ifndef TUI_MODELS_H
#define TUI_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/session.h"

struct model_entry {
	char *path;
	char name[80]; /* the last names of its path */
	char kind
		[40]; /* model_type of config.json: "bert"; "" = no config.json: a tokenizer alone */
	int64_t hidden, layers, heads, vocabulary; /* 0 = not said */
	int64_t max_length; /* tokens: sentence-transformers' limit, else the positions; 0 = not said */
	int64_t bytes; /* of weights */
	char pooling[20]; /* "" = not said */
	char prompts[200]; /* "query: \"query: \"  passage: ..." */
	char problem[200]; /* a file that cannot be read; "" = none */
};

struct models {
	struct model_entry *e; /* trained here first, then by name */
	size_t n;
};

/* Looks into build/models, models and the person's folder, and at the models that jobs here made or
 * used. A folder is one when it holds config.json or a file that a tokenizer is read from. */
void models_find(struct models *m, const struct session *s);
void models_release(struct models *m);

#endif

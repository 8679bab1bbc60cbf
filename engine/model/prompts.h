/* prompts.h - in: a model folder's prompts, a row's instruction, the user's overrides; out: the
 * prefix of a text.
 *
 * Order: the user's override, the row's `prompt`, the model's default, none. A row's prompt is an
 * instruction: it goes into the model's query template where that has a slot ("Instruct:
 * {instruction}\nQuery: "), and is a prefix otherwise. Passages get the passage prompt alone,
 * except in rows of type symmetric_sts and symmetric_clustering, which repeat the query's. */
#ifndef MODEL_PROMPTS_H
#define MODEL_PROMPTS_H

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

struct prompts {
	struct text query, passage; /* the defaults in force; empty = none */
	struct text default_name; /* the folder's default_prompt_name; TEXT_NONE = none */
	struct text *names, *values; /* everything the folder defines */
	size_t n;
	bool query_forced; /* the user's --query-prompt stands above the row's */
	struct arena arena;
};

/* Reads config_sentence_transformers.json of dir (a missing one is fine): query from "query" or
 * "s2p_query", passage from "document", "passage" or "corpus". query, passage: the user's
 * overrides, NULL = none given. */
bool prompts_open(const char *dir, const char *query, const char *passage, struct prompts *ret,
	struct err *err) MUST_CHECK;
void prompts_close(struct prompts *p);
bool prompts_named(
	const struct prompts *p, const char *name, struct text *ret); /* false: no such name */
/* Prefix of a query with the row's instruction (TEXT_NONE: none), built in a. */
struct text prompts_query(const struct prompts *p, struct text instruction, struct arena *a);
/* Prefix of a passage of a row of this type. */
struct text prompts_passage(
	const struct prompts *p, struct text instruction, struct text type, struct arena *a);

#endif

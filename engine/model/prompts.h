/* prompts.h - in: a model folder's prompts, a row's instruction, the user's overrides; out: the
 * prefix of a text.
 *
 * What a folder's own config_sentence_transformers.json says stands, also when it says that there is
 * none; a folder that says nothing gets what is known of its family (families.h).
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
	const char *source; /* "config_sentence_transformers.json", "family bge-en",
	                       "--query-prompt", "none": where the defaults come from */
	const char *family; /* that was found or named; NULL: none */
	struct text closing; /* the token that its recipe ends every text with; empty: none */
	bool query_forced; /* the user's --query-prompt stands above the row's */
	struct arena arena;
};

/* Reads config_sentence_transformers.json of dir (a missing one is fine): query from "query" or
 * "s2p_query", passage from "document", "passage" or "corpus". query, passage: the user's
 * overrides. A family that is named stands above the folder. */
struct prompts_options {
	const char *query, *passage; /* the user's; NULL = none given */
	const char *family; /* "bge-en"; "none" = leave families alone; NULL or "auto" = find it */
};
bool prompts_open_as(const char *dir, const struct prompts_options *opt, struct prompts *ret,
	struct err *err) MUST_CHECK;
/* The same without a family being named. */
bool prompts_open(const char *dir, const char *query, const char *passage, struct prompts *ret,
	struct err *err) MUST_CHECK;
/* Has the tokenizer end every text with the closing token; an error when it does not know it. */
struct tokenizer;
bool prompts_close_texts(const struct prompts *p, struct tokenizer *t, struct err *err) MUST_CHECK;
void prompts_close(struct prompts *p);
bool prompts_named(
	const struct prompts *p, const char *name, struct text *ret); /* false: no such name */
/* Prefix of a query with the row's instruction (TEXT_NONE: none), built in a. */
struct text prompts_query(const struct prompts *p, struct text instruction, struct arena *a);
/* Prefix of a passage of a row of this type. */
struct text prompts_passage(
	const struct prompts *p, struct text instruction, struct text type, struct arena *a);

#endif

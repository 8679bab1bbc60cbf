/* attention.c - which tokens of a decoder see which: what config.json says, what the user says
 * instead, and what a written folder must say so that others do the same. */
#include <string.h>

#include "model/architectures.h"
#include "model/config.h"
#include "model/jsoncopy.h"

const char *model_attention_name(enum model_attention a)
{
	return a == ATTENTION_CAUSAL ? "causal" : "bidirectional";
}

bool model_attention_choose(struct model_config *c, const char *asked, struct err *err)
{
	if (!asked || strcmp(asked, "auto") == 0)
		return true;
	enum model_attention a = ATTENTION_BIDIRECTIONAL;
	if (strcmp(asked, "causal") == 0)
		a = ATTENTION_CAUSAL;
	else if (strcmp(asked, "bidirectional") != 0)
		return err_set(err, ERR_USAGE,
			"attention is \"%s\", expected auto, causal or bidirectional", asked);
	if (a == c->attention)
		return true;
	if (!c->arch->causal_class)
		return err_set(err, ERR_USAGE,
			"%s is an encoder (%s): its attention is bidirectional and cannot be causal",
			c->dir, c->arch->model_type);
	c->attention = a;
	c->attention_from = "--attention";
	return true;
}

/* Does the folder's config.json, or the architecture by itself, make it what it is? */
static bool is_said(const struct model_config *c)
{
	return strcmp(c->attention_from, ATTENTION_ASSUMED) != 0 &&
		strcmp(c->attention_from, "--attention") != 0;
}

size_t model_attention_changes(const struct model_config *c, struct json_change *ret)
{
	const char *key = c->arch->bidirectional_key;
	bool is_causal = c->attention == ATTENTION_CAUSAL;
	if (!c->arch->causal_class || is_said(c))
		return 0;
	if (key) {
		ret[0] = (struct json_change){key, is_causal ? "false" : "true"};
		ret[1] = (struct json_change){"is_causal", NULL};
	} else {
		ret[0] = (struct json_change){"is_causal", is_causal ? "true" : "false"};
		ret[1] = (struct json_change){"use_bidirectional_attention", NULL};
	}
	return 2;
}

const char *model_attention_note(const struct model_config *c, struct arena *a)
{
	if (!c->arch->causal_class || (c->attention == ATTENTION_CAUSAL && is_said(c)))
		return NULL;
	const char *readers = c->arch->bidirectional_key
		? "transformers and sentence-transformers do as it says"
		: "transformers 5 and sentence-transformers on it do as it says, transformers 4 "
		  "stays causal";
	if (is_said(c))
		return arena_printf(a, "config.json says so: %s", readers);
	return arena_printf(a,
		"config.json does not say so, and others compute otherwise; that of a "
		"model written here does: %s",
		readers);
}

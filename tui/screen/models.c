/* The model folders at hand, and a probe: what a model's tokenizer makes of a text as one types it. */
#include <stdlib.h>
#include <string.h>

#include "tui/prompt.h"
#include "tui/screen/models_private.h"

static void *models_new(struct app *a)
{
	(void)a;
	struct models_state *s = xcalloc(1, sizeof *s);
	s->probe = probe_new();
	return s;
}

static void models_free(void *state)
{
	struct models_state *s = state;
	probe_free(s->probe);
	models_release(&s->models);
	free(s->text);
	free(s);
}

/* The cursor stays on its folder, whatever came or went. */
static void models_enter(void *state, struct app *a)
{
	struct models_state *s = state;
	const struct model_entry *e = models_selected(s);
	char *path = e ? xstrdup(e->path) : NULL;
	models_find(&s->models, &a->session);
	for (size_t i = 0; path && i < s->models.n; i++)
		if (strcmp(s->models.e[i].path, path) == 0)
			s->list.cursor = i;
	free(path);
}

const struct model_entry *models_selected(const struct models_state *s)
{
	return s->list.cursor < s->models.n ? &s->models.e[s->list.cursor] : NULL;
}

size_t models_limit(const struct models_state *s)
{
	const struct model_entry *e = models_selected(s);
	return s->max_length ? (size_t)s->max_length : e ? (size_t)e->max_length : 0;
}

/* The selected model's tokenizer, once there is something to probe. */
static void open_selected(struct models_state *s)
{
	const struct model_entry *e = models_selected(s);
	if (e)
		probe_open(s->probe, e->path);
}

static struct effect probe(struct models_state *s, struct text args)
{
	const struct model_entry *e = models_selected(s);
	if (!e)
		return effect_error("there is no model folder here to probe");
	open_selected(s);
	s->scroll = 0;
	if (!args.s)
		return effect_prompt(CMD_PROBE, "text: ", s->text ? text_of(s->text) : TEXT_NONE);
	free(s->text);
	s->text = xstrndup(args.s, args.len);
	return NO_EFFECT;
}

static struct effect set_length(struct models_state *s, struct text args)
{
	if (!args.s)
		return effect_prompt(CMD_LENGTH, "tokens that a text may have: ", TEXT_NONE);
	char *typed = xstrndup(args.s, args.len), *end;
	long n = strtol(typed, &end, 10);
	while (*end == ' ')
		end++;
	bool is_number = *end == '\0' && n >= 0 && n <= 100000000;
	free(typed);
	if (!is_number)
		return effect_error("the length is a number of tokens; nothing: the model's own");
	s->max_length = n;
	return n ? effect_message("texts are cut at %ld tokens here", n)
		 : effect_message("texts are cut where each model says");
}

static struct effect models_update(void *state, struct app *a, const struct input *in)
{
	struct models_state *s = state;
	(void)a;
	if (list_move(&s->list, in, s->models.n)) {
		if (s->text)
			open_selected(s);
		return NO_EFFECT;
	}
	switch ((int)in->command) {
	case CMD_ENTER:
		return probe(s, TEXT_NONE);
	case CMD_PROBE:
		return probe(s, in->args);
	case CMD_LENGTH:
		return set_length(s, in->args);
	case CMD_SCROLL_DOWN:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	default:
		return UNHANDLED;
	}
}

static bool models_work(void *state, struct app *a, int budget_ms)
{
	struct models_state *s = state;
	(void)a;
	return probe_wait(s->probe, budget_ms);
}

const struct screen_ops models_screen = {.id = SCREEN_MODELS,
	.title = "Models",
	.new = models_new,
	.enter = models_enter,
	.update = models_update,
	.work = models_work,
	.view = models_view,
	.header = models_header,
	.free = models_free};

/* All commands with their keys, printed from the table: those of the screen one came from first. */
#include <stdlib.h>
#include <string.h>

#include "tui/app.h"
#include "tui/widget/list.h"

struct help {
	struct list list;
	struct buf text;
	size_t n_lines;
	enum screen_id from;
};

static void *help_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct help));
}

static void help_free(void *state)
{
	struct help *s = state;
	buf_release(&s->text);
	free(s);
}

static void help_enter(void *state, struct app *a)
{
	struct help *s = state;
	s->from = a->depth > 1 ? a->stack[a->depth - 2] : SCREEN_DATA;
	buf_clear(&s->text);
	buf_addf(&s->text, "On the screen %s:\n", app_screens[s->from]->title);
	command_card(&s->text, 1u << s->from, ON_ALL);
	buf_adds(&s->text, "\nEverywhere:\n");
	command_card(&s->text, ON_ALL, 0);
	buf_adds(&s->text,
		"\nDigits before a key repeat it. With the Hangul keyboard on, a key acts as its Latin letter.\n");
	s->n_lines = 0;
	for (const char *p = s->text.data; *p; p++)
		s->n_lines += *p == '\n';
	s->list = (struct list){0};
}

static struct effect help_update(void *state, struct app *a, const struct input *in)
{
	struct help *s = state;
	(void)a;
	/* There is no cursor: moving scrolls. */
	size_t last = s->n_lines > (size_t)s->list.page ? s->n_lines - (size_t)s->list.page : 0;
	struct list l = {.cursor = s->list.top, .top = s->list.top, .page = s->list.page};
	if (in->command == CMD_OPEN || !list_move(&l, in, last + 1))
		return UNHANDLED;
	s->list.top = l.cursor;
	return NO_EFFECT;
}

static void help_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct help *s = state;
	(void)a;
	s->list.page = r.rows;
	const char *line = s->text.data ? s->text.data : "";
	for (size_t i = 0; *line; i++) {
		size_t n = strcspn(line, "\n");
		if (i >= s->list.top && i < s->list.top + (size_t)r.rows)
			grid_text(g, r, (int)(i - s->list.top), 1,
				n && line[n - 1] == ':' ? STYLE_TITLE : STYLE_PLAIN,
				(struct text){line, n});
		line += n + 1;
	}
}

static void help_header(void *state, struct app *a, struct buf *out)
{
	const struct help *s = state;
	session_name(&a->session, out);
	buf_addf(out, "  line %zu of %zu: j k scroll, q goes back", s->list.top + 1, s->n_lines);
}

const struct screen_ops help_screen = {.id = SCREEN_HELP,
	.title = "Help",
	.new = help_new,
	.enter = help_enter,
	.update = help_update,
	.view = help_view,
	.header = help_header,
	.free = help_free};

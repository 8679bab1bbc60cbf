/* The frame around every screen: header, message line, footer, and the command line when it is
 * open. */
#include "tui/app.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tui/key.h"
#include "tui/prompt.h"
#include "tui/widget/wrap.h"

/* Below this every screen gives way to a notice; the frame around it and the keys stay. */
enum { LEAST_ROWS = 16, LEAST_COLS = 60 };

static void draw_header(struct app *a, struct grid *g, const struct screen_ops *ops, void *state)
{
	struct rect line = {0, 0, 1, g->cols};
	grid_fill(g, line, STYLE_TITLE);
	struct buf right = BUF_INIT, left = BUF_INIT;
	session_status(&a->session, &right);
	buf_addf(&left, " %s  ", ops->title);
	if (ops->header)
		ops->header(state, a, &left);
	int width = (int)utf8_width(buf_text(&right)) + 1;
	struct rect room = {0, 0, 1, g->cols - width > 10 ? g->cols - width - 1 : g->cols};
	grid_text(g, room, 0, 0, STYLE_TITLE, buf_text(&left));
	if (room.cols < g->cols)
		grid_text(g, line, 0, g->cols - width,
			a->session.save_failed ? STYLE_BAD : STYLE_TITLE, buf_text(&right));
	buf_release(&left);
	buf_release(&right);
}

struct hint {
	char key[16];
	const char *label;
};

static int width_of(const struct hint *h)
{
	return (int)utf8_width(text_of(h->key)) + (int)strlen(h->label) + 2;
}

static int put_hint(struct grid *g, struct rect line, int col, const struct hint *h, int gap)
{
	if (col + width_of(h) > line.cols)
		return col;
	col += 1 + grid_put(g, line, 0, col + 1, STYLE_KEY, h->key);
	return col + gap + grid_printf(g, line, 0, col, STYLE_DIM, " %s", h->label);
}

/* The commands with a footer number, smallest first. */
static size_t list_hints(const struct app *a, struct hint *out, size_t max)
{
	enum { LAST = 10 };
	size_t n = 0;
	for (int order = 1; order < LAST; order++)
		for (const struct command *c = commands; c->id && n < max; c++) {
			const char *s = c->keys;
			if (c->footer != order || !(c->where & (1u << app_screen(a))))
				continue;
			snprintf(out[n].key, sizeof out[n].key, "%s", key_label(key_parse(&s)));
			out[n++].label = c->label;
		}
	return n;
}

/* As many as fit, closer together where that shows more of them; help and the other screens always. */
static void draw_footer(const struct app *a, struct grid *g, int row)
{
	static const struct hint go = {"g", "go"}, help = {"?", "help"};
	struct hint hints[24];
	size_t n = list_hints(a, hints, ARRAY_LEN(hints));
	int always = width_of(&go) + width_of(&help), width = always, col = 0;
	for (size_t i = 0; i < n; i++)
		width += width_of(&hints[i]) + 1;
	int gap = width + 1 > g->cols ? 0 : 1;
	struct rect line = {row, 0, 1, g->cols}, rest = {row, 0, 1, g->cols - always - gap};
	for (size_t i = 0; i < n; i++)
		col = put_hint(g, rest, col, &hints[i], gap);
	col = put_hint(g, line, col, &go, gap);
	put_hint(g, line, col, &help, gap);
}

static void draw_prompt(struct grid *g, int row)
{
	struct rect line = {row, 0, 1, g->cols};
	grid_fill(g, line, STYLE_PLAIN);
	const char *text = prompt_line();
	size_t cursor = prompt_cursor();
	int label = grid_put(g, line, 0, 0, STYLE_BOLD, prompt_label());
	/* A long line scrolls so that the cursor stays in view. */
	size_t from = 0;
	int room = g->cols - label - 1;
	while (from < cursor && (int)utf8_width((struct text){text + from, cursor - from}) > room) {
		size_t len;
		utf8_decode(text + from, cursor - from, &len);
		from += len;
	}
	int used = grid_put(g, line, 0, label, STYLE_PLAIN, text + from);
	if (prompt_hints()[0])
		grid_printf(g, line, 0, label + used + 1, STYLE_DIM, " %s", prompt_hints());
	g->cursor_row = row;
	g->cursor_col = label + (int)utf8_width((struct text){text + from, cursor - from});
}

/* What may follow the key that was pressed: "d data  r record ...". */
static void draw_chords(const struct app *a, struct grid *g, struct rect line)
{
	int col = 1 + grid_printf(g, line, 0, 1, STYLE_DIM, "%s:", key_label(a->prefix));
	for (const struct command *c = commands; c->id; c++) {
		const char *s = c->keys;
		uint32_t first = key_parse(&s);
		if (first != a->prefix || *s++ != '+' || !(c->where & (1u << app_screen(a))))
			continue;
		struct hint h = {.label = c->name};
		snprintf(h.key, sizeof h.key, "%s", key_label(key_parse(&s)));
		col = put_hint(g, line, col, &h, 0);
	}
}

static void draw_bottom(const struct app *a, struct grid *g)
{
	int row = g->rows - 1;
	draw_footer(a, g, row);
	if (prompt_is_open()) {
		draw_prompt(g, row - 1);
		return;
	}
	struct rect line = {row - 1, 0, 1, g->cols};
	const struct session *ses = &a->session;
	if (a->confirming)
		grid_printf(g, line, 0, 0, STYLE_WARN, "? %s  y/N", a->question);
	else if (a->prefix)
		draw_chords(a, g, line);
	else if (a->message[0])
		grid_printf(g, line, 0, 0, a->is_error ? STYLE_BAD : STYLE_PLAIN, "%s %s",
			a->is_error ? "!" : " ", a->message);
	else if (ses->seek.kind != SEEK_NONE)
		grid_printf(g, line, 0, 0, STYLE_DIM, "  searching: %d %%",
			seek_percent(&ses->seek, ses->rows));
	else if (a->count)
		grid_printf(g, line, 0, 0, STYLE_DIM, "  %lld", (long long)a->count);
}

static void draw_messages(const struct app *a, struct grid *g, struct rect r)
{
	struct rect in = grid_frame(g, r, "messages", true);
	const char *s = a->messages.data ? a->messages.data : "nothing was said yet\n";
	int n = 0;
	for (const char *p = s; *p; p++)
		n += *p == '\n';
	int skip = n > in.rows ? n - in.rows : 0;
	for (int row = -skip; *s; row++) {
		size_t len = strcspn(s, "\n");
		grid_text(g, in, row, 0, STYLE_PLAIN, (struct text){s, len});
		s += len + (s[len] != '\0');
	}
}

void app_draw(struct app *a)
{
	struct grid *g = &a->grid;
	enum { FRAME_ROWS = 3 };
	grid_clear(g);
	if (g->rows <= FRAME_ROWS) {
		grid_printf(g, (struct rect){0, 0, g->rows, g->cols}, 0, 0, STYLE_PLAIN,
			"%dx%d is too small", g->cols, g->rows);
		return;
	}
	const struct screen_ops *ops = app_screens[app_screen(a)];
	void *state = a->state[app_screen(a)];
	draw_header(a, g, ops, state);
	struct rect body = {1, 0, g->rows - FRAME_ROWS, g->cols};
	if (g->rows < LEAST_ROWS || g->cols < LEAST_COLS) {
		char notice[200];
		snprintf(notice, sizeof notice,
			"%dx%d is too small for this screen: it needs %dx%d. Nothing is lost.",
			g->cols, g->rows, LEAST_COLS, LEAST_ROWS);
		wrap_draw(g, body, 0, STYLE_WARN, text_of(notice));
	} else if (a->shows_messages) {
		draw_messages(a, g, body);
	} else {
		ops->view(state, a, g, body);
	}
	draw_bottom(a, g);
}

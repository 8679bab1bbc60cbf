/* The rows: a list, what the cursor is on beside or below it, a filter, a sort order, marks. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app.h"
#include "tui/candidates.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

struct data {
	struct list list;
	char *marks; /* [n_marks] by row number in the files */
	size_t n_marks;
	int64_t range_from; /* -1 = no range begun */
	int scroll; /* of the preview */
	bool is_tail; /* the end is shown although the index is not there yet */
	bool is_zoomed;
	char search[200];
};

static void *data_new(struct app *a)
{
	(void)a;
	struct data *s = xcalloc(1, sizeof *s);
	s->range_from = -1;
	return s;
}

static void data_free(void *state)
{
	struct data *s = state;
	free(s->marks);
	free(s);
}

static void data_enter(void *state, struct app *a)
{
	struct data *s = state;
	s->list.cursor = a->session.row;
}

static bool is_marked(const struct data *s, size_t index)
{
	return index < s->n_marks && s->marks[index];
}

static void set_mark(struct data *s, size_t index, bool on)
{
	if (index >= s->n_marks) {
		size_t n = index + 1024;
		s->marks = xrealloc(s->marks, n);
		memset(s->marks + s->n_marks, 0, n - s->n_marks);
		s->n_marks = n;
	}
	s->marks[index] = on;
}

static size_t count_marks(const struct data *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_marks; i++)
		n += s->marks[i] != 0;
	return n;
}

static struct effect mark(struct data *s, struct session *ses, const struct input *in)
{
	size_t n = rows_shown(ses->rows);
	switch ((int)in->command) {
	case CMD_MARK:
		if (n)
			set_mark(s, rows_at(ses->rows, s->list.cursor)->index,
				!is_marked(s, rows_at(ses->rows, s->list.cursor)->index));
		s->list.cursor += s->list.cursor + 1 < n;
		break;
	case CMD_MARK_RANGE:
		if (s->range_from < 0) {
			s->range_from = (int64_t)s->list.cursor;
			return effect_message("range begins here; v again ends it");
		}
		for (size_t i = 0; i < n; i++) {
			size_t from = (size_t)s->range_from, to = s->list.cursor;
			if (i >= (from < to ? from : to) && i <= (from < to ? to : from))
				set_mark(s, rows_at(ses->rows, i)->index, true);
		}
		s->range_from = -1;
		break;
	case CMD_MARK_ALL:
		for (size_t i = 0; i < n; i++)
			set_mark(s, rows_at(ses->rows, i)->index, true);
		break;
	default:
		if (s->marks)
			memset(s->marks, 0, s->n_marks);
		s->range_from = -1;
		return NO_EFFECT;
	}
	return effect_message("%zu marked", count_marks(s));
}

/* Into the curation queue: the marked rows, else the one at the cursor. */
static struct effect queue(struct data *s, struct session *ses)
{
	size_t total = rows_total(ses->rows), n = 0;
	if (!rows_is_complete(ses->rows))
		return effect_error(
			"%d %% indexed: the queue waits for the rest", rows_percent(ses->rows));
	if (!ses->queue)
		ses->queue = xcalloc(total + 1, 1);
	bool any = count_marks(s) > 0;
	for (size_t i = 0; i < total; i++)
		if (any ? is_marked(s, i)
			: rows_shown(ses->rows) && i == rows_at(ses->rows, s->list.cursor)->index) {
			n += !ses->queue[i];
			ses->queue[i] = 1;
		}
	ses->n_queue += n;
	return effect_message(
		"%zu row%s more in the queue, %zu in all: g c", n, n == 1 ? "" : "s", ses->n_queue);
}

static bool row_holds(const struct row *r, const char *word)
{
	size_t n = strlen(word);
	if (r->is_broken || !n)
		return false;
	if (memmem(r->r.query.s, r->r.query.len, word, n))
		return true;
	for (size_t i = 0; i < r->r.n_pos + r->r.n_neg; i++) {
		const struct candidate *c =
			i < r->r.n_pos ? &r->r.pos[i] : &r->r.neg[i - r->r.n_pos];
		if (memmem(c->text.s, c->text.len, word, n))
			return true;
	}
	return false;
}

static struct effect search(struct data *s, struct session *ses, int step)
{
	size_t n = rows_shown(ses->rows);
	for (size_t i = 1; i <= n; i++) {
		size_t at = step > 0 ? (s->list.cursor + i) % n : (s->list.cursor + n - i % n) % n;
		if (row_holds(rows_at(ses->rows, at), s->search)) {
			s->list.cursor = at;
			return NO_EFFECT;
		}
	}
	return effect_message("\"%s\" is in none of the %zu rows shown", s->search, n);
}

static struct effect open_path(struct app *a, struct text path)
{
	char *p = xasprintf("%.*s", TEXT_ARG(path));
	const char *const paths[] = {p};
	struct err err = ERR_INIT;
	bool ok = session_open_rows(&a->session, paths, 1, &err);
	free(p);
	return ok ? effect_message("%zu rows", rows_total(a->session.rows))
		  : effect_error("%s", err.text);
}

static struct effect set_filter(struct data *s, struct app *a, const struct input *in)
{
	struct err err = ERR_INIT;
	char *args = xasprintf("%.*s", TEXT_ARG(in->args));
	bool is_clear = in->command == CMD_FILTER_CLEAR;
	bool ok = in->command == CMD_SORT
		? rows_sort(a->session.rows, args, &err)
		: rows_filter(a->session.rows, is_clear ? "" : args, &err);
	free(args);
	s->list.cursor = 0;
	return ok ? NO_EFFECT : effect_error("%s", err.text);
}

static struct effect data_update(void *state, struct app *a, const struct input *in)
{
	struct data *s = state;
	struct session *ses = &a->session;
	struct effect e = NO_EFFECT;
	size_t n = rows_shown(ses->rows), before = s->list.cursor;
	s->is_tail = in->command == CMD_BOTTOM && !in->count && !rows_is_complete(ses->rows);
	if (s->is_tail || list_move(&s->list, in, n)) {
		s->scroll = s->list.cursor == before ? s->scroll : 0;
	} else {
		switch ((int)in->command) {
		case CMD_GOTO:
			s->list.cursor = in->args.len
				? (size_t)(atoll(in->args.s) > 0 ? atoll(in->args.s) - 1 : 0)
				: 0;
			break;
		case CMD_SCROLL_DOWN:
			s->scroll++;
			break;
		case CMD_SCROLL_UP:
			s->scroll -= s->scroll > 0;
			break;
		case CMD_ZOOM:
			s->is_zoomed = !s->is_zoomed;
			break;
		case CMD_OPEN:
			e = in->args.len ? open_path(a, in->args) : effect_goto(SCREEN_RECORD);
			break;
		case CMD_MARK:
		case CMD_MARK_RANGE:
		case CMD_MARK_ALL:
		case CMD_MARK_CLEAR:
			e = mark(s, ses, in);
			break;
		case CMD_QUEUE:
			e = queue(s, ses);
			break;
		case CMD_FILTER:
		case CMD_SORT:
			e = in->args.s
				? set_filter(s, a, in)
				: effect_prompt(in->command,
					  in->command == CMD_SORT ? "sort by: " : "filter: ",
					  in->command == CMD_SORT ? rows_sort_text(ses->rows)
								  : rows_filter_text(ses->rows));
			break;
		case CMD_FILTER_CLEAR:
			e = set_filter(s, a, in);
			break;
		case CMD_SEARCH:
			if (!in->args.s)
				return effect_prompt(CMD_SEARCH, "/", s->search);
			snprintf(s->search, sizeof s->search, "%.*s", TEXT_ARG(in->args));
			e = search(s, ses, 1);
			break;
		case CMD_SEARCH_NEXT:
		case CMD_SEARCH_BACK:
			e = search(s, ses, in->command == CMD_SEARCH_NEXT ? 1 : -1);
			break;
		default:
			return UNHANDLED;
		}
	}
	ses->row = s->list.cursor;
	return e;
}

struct columns {
	int number, query, pos, neg, margin, sign;
};

/* What a width leaves room for: from the right, margin and counts give way to the query. */
static struct columns fit(int cols)
{
	struct columns c = {.number = 9, .sign = 2};
	c.margin = cols >= 60 ? 8 : 0;
	c.pos = c.neg = cols >= 46 ? 4 : 0;
	c.query = cols - c.number - c.sign - c.margin - c.pos - c.neg - 2;
	return c;
}

static void draw_row(const struct data *s, struct grid *g, struct rect r, int line,
	const struct row *row, bool is_cursor, bool is_tail)
{
	struct columns c = fit(r.cols);
	enum style style = is_cursor       ? STYLE_CURSOR
		: row->is_broken           ? STYLE_BAD
		: is_marked(s, row->index) ? STYLE_MARK
					   : STYLE_PLAIN;
	struct rect whole = {r.row + line, r.col, 1, r.cols};
	grid_fill(g, whole, style);
	grid_put(g, r, line, 0, style, is_marked(s, row->index) ? "*" : is_cursor ? ">" : " ");
	if (is_tail)
		grid_put(g, r, line, c.number - 2, style, "?");
	else
		grid_printf(g, r, line, 1, style, "%*zu", c.number - 2, row->index + 1);
	int col = c.number + 1;
	if (row->is_broken) {
		grid_put(g, (struct rect){r.row, r.col, r.rows, r.cols - 1}, line, col, style,
			row->why);
		return;
	}
	grid_field(g, r, line, col, c.query, style, false, row->r.query);
	col += c.query + 1;
	double margin = NAN;
	row_value(&row->r, "margin", &margin);
	char text[16];
	if (c.pos) {
		grid_printf(g, r, line, col, style, "%3zu %3zu", row->r.n_pos, row->r.n_neg);
		col += c.pos + c.neg;
	}
	if (c.margin) {
		candidate_number(margin, text);
		grid_printf(g, r, line, col, style, "%7s", text);
		col += c.margin;
	}
	grid_put(g, r, line, col, style, row_disagreement(&row->r) >= 0 ? "F" : " ");
}

static void draw_list(struct data *s, const struct app *a, struct grid *g, struct rect r)
{
	struct rows *rows = a->session.rows;
	struct rect head = panes_top(&r, 1);
	struct columns c = fit(r.cols);
	grid_printf(g, head, 0, 1, STYLE_DIM, "%*s", c.number - 2, "row");
	grid_put(g, head, 0, c.number + 1, STYLE_DIM, "query");
	if (c.pos)
		grid_put(g, head, 0, c.number + c.query + 2, STYLE_DIM,
			c.margin ? "pos neg  margin" : "pos neg");
	if (s->is_tail) {
		size_t n = rows_tail(rows, (size_t)(r.rows > 0 ? r.rows : 0));
		for (size_t i = 0; i < n; i++)
			draw_row(s, g, r, (int)i, rows_tail_at(rows, i), i + 1 == n, true);
		return;
	}
	size_t n = rows_shown(rows), top = list_view(&s->list, n, r.rows);
	if (!n)
		grid_put(g, r, 0, 1, STYLE_DIM,
			rows_total(rows) ? "no row passes the filter (:filter-clear shows all)"
					 : "no rows: :open FILE.jsonl, or a BEIR folder");
	for (int i = 0; i < r.rows && top + (size_t)i < n; i++)
		draw_row(s, g, r, i, rows_at(rows, top + (size_t)i),
			top + (size_t)i == s->list.cursor, false);
}

static void add_candidates(struct buf *out, const char *kind, const struct candidate *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char t[16], sim[16];
		candidate_number(c[i].score, t);
		candidate_number(c[i].sim, sim);
		buf_addf(out, "%s[%zu]%s%s%s%s\n  ", kind, i, t[0] ? " t " : "", t,
			sim[0] ? " s " : "", sim);
		buf_addtext(out, c[i].text);
		buf_addch(out, '\n');
	}
}

static void draw_preview(const struct data *s, struct app *a, struct grid *g, struct rect r)
{
	struct rows *rows = a->session.rows;
	size_t n = rows_shown(rows);
	const struct row *row = n && !s->is_tail
		? rows_at(rows, s->list.cursor < n ? s->list.cursor : n - 1)
		: NULL;
	struct rect in = grid_frame(g, r, row ? "preview (J K scroll)" : "preview", false);
	if (!row)
		return;
	struct buf text = BUF_INIT;
	if (row->is_broken) {
		buf_adds(&text, row->why);
	} else {
		if (row->r.prompt.len)
			buf_addf(&text, "prompt %.*s\n", TEXT_ARG(row->r.prompt));
		buf_addf(&text, "query  %.*s\n", TEXT_ARG(row->r.query));
		add_candidates(&text, "pos", row->r.pos, row->r.n_pos);
		add_candidates(&text, "neg", row->r.neg, row->r.n_neg);
	}
	wrap_draw(g, in, s->scroll, STYLE_PLAIN, buf_text(&text));
	buf_release(&text);
}

static void data_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct data *s = state;
	if (r.cols >= 100 && !s->is_zoomed) {
		struct rect right = panes_right(&r, r.cols * 2 / 5);
		draw_preview(s, a, g, right);
	} else if (r.rows >= 14 && !s->is_zoomed) {
		struct rect low = panes_bottom(&r, 8);
		draw_preview(s, a, g, low);
	}
	draw_list(s, a, g, r);
}

static void data_header(void *state, struct app *a, struct buf *out)
{
	const struct data *s = state;
	struct rows *rows = a->session.rows;
	buf_addf(out, "%s  ", rows_name(rows)[0] ? rows_name(rows) : "nothing open");
	if (rows_is_complete(rows))
		buf_addf(out, "%zu rows", rows_total(rows));
	else
		buf_addf(out, "%d %% indexed", rows_percent(rows));
	if (rows_filter_text(rows)[0])
		buf_addf(out, "  filter: %s (%zu of %zu)", rows_filter_text(rows), rows_shown(rows),
			rows_total(rows));
	if (rows_sort_text(rows)[0])
		buf_addf(out, "  by %s", rows_sort_text(rows));
	if (rows_work_percent(rows) < 100)
		buf_addf(out, "  %d %%", rows_work_percent(rows));
	if (count_marks(s))
		buf_addf(out, "  %zu marked", count_marks(s));
}

const struct screen_ops data_screen = {.id = SCREEN_DATA,
	.title = "Data",
	.new = data_new,
	.enter = data_enter,
	.update = data_update,
	.view = data_view,
	.header = data_header,
	.free = data_free};

/* The rows: a list, what the cursor is on beside or below it, a filter, a sort order, marks. */
#include "tui/screen/data_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	if (s->of != a->session.rows) {
		free(s->marks);
		*s = (struct data){
			.of = a->session.rows, .range_from = -1, .is_zoomed = s->is_zoomed};
	}
	s->list.cursor = a->session.row;
}

bool data_is_marked(const struct data *s, size_t index)
{
	return index < s->n_marks && s->marks[index];
}

static void set_mark(struct data *s, size_t index, bool on)
{
	s->n_marked += on && !data_is_marked(s, index);
	s->n_marked -= !on && data_is_marked(s, index);
	if (index >= s->n_marks) {
		size_t n = index + index / 2 + 1024;
		s->marks = xrealloc(s->marks, n);
		memset(s->marks + s->n_marks, 0, n - s->n_marks);
		s->n_marks = n;
	}
	s->marks[index] = on;
}

static struct effect mark(struct data *s, struct session *ses, const struct input *in)
{
	size_t n = rows_shown(ses->rows);
	switch ((int)in->command) {
	case CMD_MARK:
		if (n)
			set_mark(s, rows_index(ses->rows, s->list.cursor),
				!data_is_marked(s, rows_index(ses->rows, s->list.cursor)));
		s->list.cursor += s->list.cursor + 1 < n;
		break;
	case CMD_MARK_RANGE: {
		size_t from = (size_t)s->range_from, to = s->list.cursor;
		if (s->range_from < 0) {
			s->range_from = (int64_t)s->list.cursor;
			return effect_message("range begins here; v again ends it");
		}
		for (size_t i = from < to ? from : to; i <= (from < to ? to : from) && i < n; i++)
			set_mark(s, rows_index(ses->rows, i), true);
		s->range_from = -1;
		break;
	}
	case CMD_MARK_ALL:
		if (!rows_is_complete(ses->rows))
			return effect_error("%d %% indexed: marking all waits for the rest",
				rows_percent(ses->rows));
		for (size_t i = 0; i < n; i++)
			set_mark(s, rows_index(ses->rows, i), true);
		break;
	default:
		if (s->marks)
			memset(s->marks, 0, s->n_marks);
		s->n_marked = 0;
		s->range_from = -1;
		return NO_EFFECT;
	}
	return effect_message("%zu marked", s->n_marked);
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
	size_t here = rows_shown(ses->rows) ? rows_index(ses->rows, s->list.cursor) : total;
	for (size_t i = 0; i < total; i++)
		if (s->n_marked ? data_is_marked(s, i) : i == here) {
			n += !ses->queue[i];
			ses->queue[i] = 1;
		}
	ses->n_queue += n;
	return effect_message(
		"%zu row%s more in the queue, %zu in all: g c", n, n == 1 ? "" : "s", ses->n_queue);
}

static struct effect search(struct data *s, struct session *ses, int step)
{
	if (!s->search[0])
		return effect_message("nothing was searched for yet: / TEXT");
	seek_text(&ses->seek, ses->rows, s->search, s->list.cursor, step);
	return NO_EFFECT;
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

/* While the index is being made, the file's end is looked at from its end. */
static bool move_in_tail(struct data *s, struct session *ses, const struct input *in)
{
	size_t n = rows_tail(ses->rows, 200);
	if (in->command == CMD_BOTTOM && !in->count) {
		s->is_tail = true;
		s->tail_up = 0;
		return true;
	}
	if (!s->is_tail)
		return false;
	if (in->command == CMD_UP)
		s->tail_up += s->tail_up + 1 < n;
	else if (in->command == CMD_DOWN)
		s->tail_up -= s->tail_up > 0;
	else
		s->is_tail = in->command == CMD_ENTER;
	return s->is_tail;
}

static void leave_tail(struct data *s, struct session *ses)
{
	size_t n = rows_shown(ses->rows);
	if (!s->is_tail || !rows_is_complete(ses->rows))
		return;
	s->is_tail = false;
	s->list.cursor = n > s->tail_up ? n - 1 - s->tail_up : 0;
	ses->row = s->list.cursor;
}

/* Filter, sort and search ask for a line first. */
static struct effect ask(struct data *s, struct session *ses, enum command_id id)
{
	const char *now = id == CMD_SEARCH ? s->search
		: id == CMD_SORT           ? rows_sort_text(ses->rows)
					   : rows_filter_text(ses->rows);
	const char *label = id == CMD_SEARCH ? "/" : id == CMD_SORT ? "sort by: " : "filter: ";
	return effect_prompt(id, label, text_of(now));
}

static struct effect update_rows(struct data *s, struct app *a, const struct input *in)
{
	struct session *ses = &a->session;
	switch ((int)in->command) {
	case CMD_FILTER:
	case CMD_SORT:
		return in->args.s ? set_filter(s, a, in) : ask(s, ses, in->command);
	case CMD_FILTER_CLEAR:
		return set_filter(s, a, in);
	case CMD_SEARCH:
		if (!in->args.s)
			return ask(s, ses, in->command);
		snprintf(s->search, sizeof s->search, "%.*s", TEXT_ARG(in->args));
		return search(s, ses, 1);
	case CMD_SEARCH_NEXT:
	case CMD_SEARCH_BACK:
		return search(s, ses, in->command == CMD_SEARCH_NEXT ? 1 : -1);
	case CMD_MARK:
	case CMD_MARK_RANGE:
	case CMD_MARK_ALL:
	case CMD_MARK_CLEAR:
		return mark(s, ses, in);
	case CMD_QUEUE:
		return queue(s, ses);
	default:
		return UNHANDLED;
	}
}

static struct effect open_row(const struct data *s, const struct app *a)
{
	if (s->is_tail)
		return effect_message(
			"%d %% indexed: a row of the end opens when its number is known",
			rows_percent(a->session.rows));
	return effect_goto(SCREEN_RECORD);
}

static struct effect data_update(void *state, struct app *a, const struct input *in)
{
	struct data *s = state;
	struct session *ses = &a->session;
	struct effect e = NO_EFFECT;
	size_t n = rows_shown(ses->rows), before = s->list.cursor;
	leave_tail(s, ses);
	if (!rows_is_complete(ses->rows) && in->command != CMD_ENTER && move_in_tail(s, ses, in))
		return e;
	if (list_move(&s->list, in, n)) {
		s->scroll = s->list.cursor == before ? s->scroll : 0;
	} else {
		switch ((int)in->command) {
		case CMD_GOTO: {
			long long line = in->args.len ? atoll(in->args.s) : 1;
			s->list.cursor = line > 0 ? (size_t)line - 1 : 0;
			break;
		}
		case CMD_NEXT:
		case CMD_PREVIOUS:
			s->list.cursor += in->command == CMD_NEXT ? s->list.cursor + 1 < n : 0;
			s->list.cursor -= in->command == CMD_PREVIOUS ? s->list.cursor > 0 : 0;
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
		case CMD_ENTER:
			e = open_row(s, a);
			break;
		default:
			e = update_rows(s, a, in);
			break;
		}
	}
	if (s->list.cursor >= n)
		s->list.cursor = n ? n - 1 : 0;
	ses->row = s->list.cursor;
	return e;
}

/* Nothing is worked on here, but the index may have become complete behind the screen. */
static bool data_work(void *state, struct app *a, int budget_ms)
{
	(void)budget_ms;
	leave_tail(state, &a->session);
	return false;
}

const struct screen_ops data_screen = {.id = SCREEN_DATA,
	.title = "Data",
	.new = data_new,
	.enter = data_enter,
	.update = data_update,
	.work = data_work,
	.view = data_view,
	.header = data_header,
	.free = data_free};

#include "tui/command.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "tui/key.h"

#define DECIDE (ON(CURATE) | ON(NEGATIVES) | ON(RECORD))
#define ON_PANES (ON(CURATE) | ON(TRAIN) | ON(EVAL) | ON(NEGATIVES) | ON(RECORD))

/* clang-format off */
const struct command commands[] = {
	{CMD_DOWN, "down", "", "j Down", ON_ALL, 0, "one line down", ""},
	{CMD_UP, "up", "", "k Up", ON_ALL, 0, "one line up", ""},
	{CMD_PAGE_DOWN, "page-down", "", "PgDn Ctrl-F", ON_ALL, 0, "one page down", ""},
	{CMD_PAGE_UP, "page-up", "", "PgUp Ctrl-B", ON_ALL, 0, "one page up", ""},
	{CMD_HALF_DOWN, "half-down", "", "Ctrl-D", ON_ALL, 0, "half a page down", ""},
	{CMD_HALF_UP, "half-up", "", "Ctrl-U", ON_ALL, 0, "half a page up", ""},
	{CMD_TOP, "top", "", "g+g Home", ON_ALL, 0, "to the first line", ""},
	{CMD_BOTTOM, "bottom", "", "G End", ON_ALL, 0, "to the last line; 20G: to line 20", ""},
	{CMD_SCROLL_DOWN, "scroll-down", "", "J", ON_ALL, 0, "scroll the text or log down", ""},
	{CMD_SCROLL_UP, "scroll-up", "", "K", ON_ALL, 0, "scroll the text or log up", ""},
	{CMD_NEXT, "next", "", "]", ON_ROWS, 0, "next row", ""},
	{CMD_PREVIOUS, "previous", "", "[", ON_ROWS, 0, "previous row", ""},
	{CMD_PANE, "pane", "", "Tab", ON_PANES, 0, "to the next pane", ""},
	{CMD_PANE_BACK, "pane-back", "", "S-Tab", ON_PANES, 0, "to the previous pane", ""},
	{CMD_ZOOM, "zoom", "", "z", ON_PANES | ON(DATA), 0, "the focused pane alone, and back", ""},
	{CMD_GOTO, "line", "N", "", ON(DATA), 0, "to line N", ""},

	{CMD_ENTER, "enter", "", "Enter", ON_ALL & ~ON(CURATE), 1, "open what the cursor is on", "open"},
	{CMD_OPEN, "open", "FILE", "", ON_ALL, 0, "the rows of a file or a BEIR folder", ""},
	{CMD_BACK, "back", "", "q", ON_ALL, 9, "to the screen before", "back"},
	{CMD_QUIT, "quit", "", "Q", ON_ALL, 0, "leave; jobs go on, decisions are on disk", ""},
	{CMD_DATA, "data", "", "g+d", ON_ALL, 0, "the rows", ""},
	{CMD_RECORD, "record", "", "g+r", ON_ALL, 0, "one row in full", ""},
	{CMD_NEGATIVES, "negatives", "", "g+n", ON_ALL, 0, "candidates: scores, ranks, labels", ""},
	{CMD_CURATE, "curate", "", "g+c", ON_ALL, 0, "decide, one candidate after the other", ""},
	{CMD_TRAIN, "train", "", "g+t", ON_ALL, 0, "launch and watch a training", ""},
	{CMD_EVAL, "eval", "", "g+e", ON_ALL, 0, "before and after, query by query", ""},
	{CMD_JOBS, "jobs", "", "g+j", ON_ALL, 0, "what runs and ran", ""},
	{CMD_MODELS, "models", "", "g+m", ON_ALL, 0, "model folders, and a probe of tokenizers", ""},
	{CMD_HELP, "help", "", "? F1", ON_ALL, 10, "this list", "help"},

	{CMD_SEARCH, "search", "TEXT", "/", ON(DATA), 5, "to the next row that holds TEXT", "search"},
	{CMD_SEARCH_NEXT, "search-next", "", "n", ON(DATA), 0, "next match", ""},
	{CMD_SEARCH_BACK, "search-back", "", "N", ON(DATA), 0, "previous match", ""},
	{CMD_FILTER, "filter", "EXPR", "f", ON(DATA), 4, "rows that pass: word, -word, margin < 0", "filter"},
	{CMD_FILTER_CLEAR, "filter-clear", "", "", ON(DATA), 0, "show all rows again", ""},
	{CMD_SORT, "sort", "[-]COLUMN", ",", ON(DATA) | ON(NEGATIVES) | ON(EVAL), 6, "sort; a leading - turns it round", "sort"},
	{CMD_MARK, "mark", "", "Space", ON(DATA) | ON(NEGATIVES), 6, "mark and move down", "mark"},
	{CMD_MARK_RANGE, "mark-range", "", "v", ON(DATA) | ON(NEGATIVES), 0, "mark from here to the next v", ""},
	{CMD_MARK_ALL, "mark-all", "", "*", ON(DATA) | ON(NEGATIVES), 0, "mark all that is shown", ""},
	{CMD_MARK_CLEAR, "mark-clear", "", "Esc", ON(DATA) | ON(NEGATIVES), 0, "forget the marks", ""},
	{CMD_QUEUE, "queue", "", "c", ON(DATA) | ON(NEGATIVES), 3, "into the curation queue", "queue"},
	{CMD_ORDER, "order", "disagreement|file", "o", ON(CURATE), 8, "the queue's order", "order"},

	{CMD_KEEP, "keep", "", "a", DECIDE, 1, "a good negative; on to the next", "keep"},
	{CMD_REJECT, "reject", "", "x", DECIDE, 2, "out of the row; next", "reject"},
	{CMD_PROMOTE, "promote", "", "p", DECIDE, 3, "it answers: a positive; next", "promote"},
	{CMD_SKIP, "skip", "", "s", DECIDE, 5, "no opinion; next", "skip"},
	{CMD_EDIT, "edit", "TEXT", "e", DECIDE, 4, "change the text", "edit"},
	{CMD_NOTE, "note", "TEXT", "r", DECIDE, 0, "write down why", ""},
	{CMD_SUGGESTION, "suggestion", "", "w", DECIDE, 6, "take what is suggested; next", "take"},
	{CMD_KEEP_REST, "keep-rest", "", "A", ON(CURATE) | ON(NEGATIVES), 7, "keep the other candidates; next row", "rest"},
	{CMD_PICK, "pick", "N", "1 2 3 4 5 6 7 8 9", ON(CURATE) | ON(NEGATIVES), 0, "to candidate N", ""},
	{CMD_UNDO, "undo", "", "u", ON_ROWS, 7, "take the last decision back", "undo"},
	{CMD_REDO, "redo", "", "Ctrl-R", ON_ROWS, 0, "decide again what was undone", ""},
	{CMD_BLIND, "blind", "", "b", ON(CURATE) | ON(NEGATIVES), 0, "hide scores and labels", ""},
	{CMD_EXPORT, "export", "[FILE]", "", ON_ALL, 0, "the rows with all decisions, as a job", ""},

	{CMD_MINE, "mine", "[OPTIONS]", "", ON_ALL, 0, "mine negatives for these rows: a job", ""},
	{CMD_SCORE, "score", "[OPTIONS]", "", ON_ALL, 0, "a judge's scores for them, as a job", ""},
	{CMD_RESULT, "result", "", "O", ON_ALL, 0, "open what the last finished job wrote", ""},
	{CMD_LAUNCH, "launch", "", "L", ON(TRAIN), 2, "start what the form says", "launch"},
	{CMD_SET, "set", "NAME VALUE", "", ON(TRAIN), 0, "change a field of the form", ""},
	{CMD_STOP, "stop", "[NAME]", "X", ON(TRAIN) | ON(JOBS), 7, "stop the job; it saves first", "stop"},
	{CMD_ATTACH, "attach", "[NAME]", "", ON_ALL, 0, "watch a run", ""},
	{CMD_FOLLOW, "follow", "", "F", ON(TRAIN) | ON(JOBS), 6, "back to the log's end", "follow"},
	{CMD_SMOOTH_MORE, "smoother", "", ")", ON(TRAIN), 0, "smooth the loss more", ""},
	{CMD_SMOOTH_LESS, "rawer", "", "(", ON(TRAIN), 0, "smooth the loss less", ""},
	{CMD_LOG_SCALE, "log-scale", "", "Y", ON(TRAIN), 0, "logarithmic loss, and back", ""},
	{CMD_EVALUATE, "evaluate", "[OPTIONS]", "R", ON(EVAL), 2, "evaluate a model, as a job", "evaluate"},
	{CMD_BASELINE, "baseline", "[NAME]", "B", ON(EVAL), 3, "what the others are compared with", "baseline"},

	{CMD_PROBE, "probe", "[TEXT]", "i", ON(MODELS), 2, "tokens of a text, as you type it", "probe"},
	{CMD_LENGTH, "length", "[N]", "L", ON(MODELS), 3, "cut at N tokens; nothing: at the model's", "length"},

	{CMD_COMMAND_LINE, "command", "", ":", ON_ALL, 8, "type a command; Tab completes", "command"},
	{CMD_MESSAGES, "messages", "", "", ON_ALL, 0, "what was said before", ""},
	{CMD_REDRAW, "redraw", "", "Ctrl-L", ON_ALL, 0, "draw everything anew", ""},
	{CMD_SUSPEND, "suspend", "", "Ctrl-Z", ON_ALL, 0, "to the shell; fg comes back", ""},
	{CMD_CANCEL, "cancel", "", "Ctrl-C", ON_ALL, 0, "stop what goes on here; twice leaves", ""},
	{CMD_SCREENSHOT, "save-screen", "FILE", "", ON_ALL, 0, "write the screen as text", ""},
	{CMD_RESIZE, "resize", "COLSxROWS", "", ON_ALL, 0, "another size, in a script", ""},
	{CMD_NONE, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
/* clang-format on */

/* Does the binding `keys` ("g+d G") hold prefix and key? *ret_begins: a chord that begins with key.
 * */
static bool binds(const char *keys, uint32_t prefix, uint32_t key, bool *ret_begins)
{
	for (const char *s = keys; *s;) {
		uint32_t first = key_parse(&s), second = 0;
		if (*s == '+' && s[1] && s[1] != ' ') {
			s++;
			second = key_parse(&s);
		}
		if (second && !prefix && first == key)
			*ret_begins = true;
		if (second ? first == prefix && second == key : !prefix && first == key)
			return true;
		while (*s == ' ')
			s++;
	}
	return false;
}

const struct command *command_for_key(
	enum screen_id screen, uint32_t prefix, uint32_t key, bool *ret_is_prefix)
{
	*ret_is_prefix = false;
	for (const struct command *c = commands; c->id; c++)
		if ((c->where & (1u << screen)) && binds(c->keys, prefix, key, ret_is_prefix))
			return c;
	return NULL;
}

const struct command *command_for_name(struct text name, struct buf *ret_hint)
{
	const struct command *found = NULL;
	size_t n = 0;
	for (const struct command *c = commands; c->id; c++) {
		if (text_is(name, c->name))
			return c;
		if (name.len && strncmp(c->name, name.s, name.len) == 0) {
			found = c;
			buf_addf(ret_hint, "%s%s", n++ ? ", " : "", c->name);
		}
	}
	if (n == 1) {
		buf_clear(ret_hint);
		return found;
	}
	return NULL;
}

void command_card(struct buf *out, unsigned where, unsigned but_not)
{
	for (const struct command *c = commands; c->id; c++) {
		bool is_listed =
			but_not ? (c->where & where) && c->where != but_not : c->where == where;
		if (!is_listed)
			continue;
		struct buf keys = BUF_INIT, name = BUF_INIT;
		for (const char *s = c->keys; *s; s++)
			if (*s != '+')
				buf_addch(&keys, *s);
		buf_addf(&name, ":%s%s%s", c->name, c->args[0] ? " " : "", c->args);
		const char *s = keys.data ? keys.data : "";
		bool is_digits = strcmp(s, "1 2 3 4 5 6 7 8 9") == 0;
		buf_addf(out, "%-12s %-25s %s\n", is_digits ? "1-9" : s, name.data, c->help);
		buf_release(&keys);
		buf_release(&name);
	}
}

#include "tui/term.h"

#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "base/utf8.h"
#include "tui/key.h"

static struct {
	bool is_open, has_colour;
	SCREEN *screen;
	attr_t attr[STYLE_COUNT];
	short pair[STYLE_COUNT];
	struct termios found; /* the terminal's modes before us */
	struct sigaction before[5]; /* ORDER fatal */
} term;

/* What undoes curses when there is no time for curses: cursor on, attributes off, scroll region and
 * keypad reset, main screen. */
static const char reset[] = "\033[?25h\033[0m\033[r\033[?1l\033>\033[?1049l";

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* Everything in here may be called from a signal handler. */
static void on_fatal(int sig)
{
	ssize_t n = write(STDOUT_FILENO, reset, sizeof reset - 1);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &term.found);
	static const char hint[] =
		"\r\nvecsmith died; every decision is on disk and jobs go on. If the terminal is odd: stty sane\r\n";
	n = write(STDERR_FILENO, hint, sizeof hint - 1);
	(void)n;
	/* whoever handled it before has the last word: the trace, then the signal's own end */
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		if (fatal[i] == sig)
			sigaction(sig, &term.before[i], NULL);
	raise(sig);
}

/* On a stack of its own: one of the ends is a full stack. */
static void guard_ends(void)
{
	static char stack[64 << 10];
	const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
	sigaltstack(&own, NULL);
	struct sigaction act = {
		.sa_handler = on_fatal, .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK)};
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		sigaction(fatal[i], &act, &term.before[i]);
}

static void set_styles(bool use_colour)
{
	static const struct {
		attr_t attr;
		short fg;
	} looks[STYLE_COUNT] = {
		[STYLE_PLAIN] = {A_NORMAL, -1},
		[STYLE_DIM] = {A_DIM, -1},
		[STYLE_BOLD] = {A_BOLD, -1},
		[STYLE_TITLE] = {A_BOLD, COLOR_CYAN},
		[STYLE_FRAME] = {A_DIM, -1},
		[STYLE_CURSOR] = {A_REVERSE, -1},
		[STYLE_MARK] = {A_BOLD, COLOR_YELLOW},
		[STYLE_GOOD] = {A_NORMAL, COLOR_GREEN},
		[STYLE_BAD] = {A_BOLD, COLOR_RED},
		[STYLE_WARN] = {A_NORMAL, COLOR_YELLOW},
		[STYLE_KEY] = {A_BOLD, -1},
		[STYLE_MATCH] = {A_UNDERLINE, COLOR_MAGENTA},
	};
	const char *no_colour = getenv("NO_COLOR");
	term.has_colour = use_colour && !(no_colour && *no_colour) && has_colors();
	if (term.has_colour) {
		start_color();
		use_default_colors();
	}
	for (short s = 0; s < STYLE_COUNT; s++) {
		term.attr[s] = looks[s].attr;
		term.pair[s] = 0;
		if (term.has_colour && looks[s].fg >= 0) {
			init_pair((short)(s + 1), looks[s].fg, -1);
			term.pair[s] = (short)(s + 1);
		}
	}
}

bool term_open(bool use_colour, struct err *err)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(err, ERR_USAGE,
			"the workbench needs a terminal; commands do not: vecsmith --help");
	tcgetattr(STDIN_FILENO, &term.found);
	set_escdelay(25);
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen)
		return err_set(err, ERR_FAILED,
			"the terminal \"%s\" is not known here; try TERM=xterm or TERM=vt100",
			getenv("TERM") ? getenv("TERM") : "");
	term.is_open = true;
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	intrflush(stdscr, FALSE);
	typeahead(-1); /* waiting keys were taken before: a picture is never left half drawn */
	set_styles(use_colour);
	guard_ends();
	atexit(term_close);
	return true;
}

void term_close(void)
{
	if (!term.is_open)
		return;
	term.is_open = false;
	endwin();
}

void term_size(int *ret_rows, int *ret_cols)
{
	getmaxyx(stdscr, *ret_rows, *ret_cols);
}

bool term_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

uint32_t term_key(void)
{
	static const struct {
		wint_t curses;
		uint32_t key;
	} special[] = {{KEY_UP, KEY_CODE_UP}, {KEY_DOWN, KEY_CODE_DOWN}, {KEY_LEFT, KEY_CODE_LEFT},
		{KEY_RIGHT, KEY_CODE_RIGHT}, {KEY_HOME, KEY_CODE_HOME}, {KEY_END, KEY_CODE_END},
		{KEY_PPAGE, KEY_CODE_PGUP}, {KEY_NPAGE, KEY_CODE_PGDN}, {KEY_DC, KEY_CODE_DELETE},
		{KEY_BTAB, KEY_CODE_SHIFT_TAB}, {KEY_F(1), KEY_CODE_F1},
		{KEY_BACKSPACE, KEY_CODE_BACKSPACE}, {KEY_ENTER, KEY_CODE_ENTER},
		{KEY_RESIZE, TERM_RESIZED}};
	wint_t c;
	int got = get_wch(&c);
	if (got == KEY_CODE_YES) {
		for (size_t i = 0; i < ARRAY_LEN(special); i++)
			if (special[i].curses == c)
				return special[i].key;
		return TERM_NO_KEY;
	}
	if (got == ERR)
		return TERM_NO_KEY;
	return c == 8 ? KEY_CODE_BACKSPACE : c == 10 ? KEY_CODE_ENTER : (uint32_t)c;
}

/* The C library and utf8proc may disagree about a character. What the terminal would draw wider than its cells, or not at all, becomes a
 * question mark. */
static void present_cell(const struct cell *c, int width, int row, int col)
{
	wchar_t w[CCHARW_MAX + 1] = {0};
	size_t n = 0;
	for (size_t i = 0, len, total = strlen(c->text); i < total && n < CCHARW_MAX; i += len)
		w[n++] = (wchar_t)utf8_decode(c->text + i, total - i, &len);
	int drawn = wcwidth(w[0]);
	if (drawn < 1 || drawn > width) {
		w[0] = L'?';
		w[1] = L'\0';
	}
	cchar_t out;
	if (setcchar(&out, w, term.attr[c->style], term.pair[c->style], NULL) == OK)
		mvadd_wch(row, col, &out);
}

static void present_row(const struct grid *g, int row)
{
	for (int col = 0; col < g->cols; col++) {
		const struct cell *c = grid_at(g, row, col);
		bool is_wide = col + 1 < g->cols && grid_at(g, row, col + 1)->text[0] == '\0';
		if (c->text[0] != '\0')
			present_cell(c, is_wide ? 2 : 1, row, col);
	}
}

void term_present(const struct grid *g)
{
	erase();
	for (int row = 0; row < g->rows; row++)
		present_row(g, row);
	if (g->cursor_row >= 0) {
		curs_set(1);
		move(g->cursor_row, g->cursor_col);
	} else {
		curs_set(0);
	}
	refresh();
}

void term_redraw(void)
{
	clearok(stdscr, TRUE);
}

void term_suspend(void)
{
	endwin();
	raise(SIGTSTP);
	refresh();
	term_redraw();
}

int term_fd(void)
{
	return STDIN_FILENO;
}

#include "tui/prompt.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "tui/key.h"

static struct {
	enum prompt_state state;
	bool is_open, is_ready, is_kept;
	enum prompt_history history, current; /* current: whose lines readline holds */
	HISTORY_STATE *states[PROMPT_HISTORIES]; /* of those that readline does not hold */
	char label[200];
	char *line;
	struct buf hints;
	prompt_complete_fn complete;
	void *ctx;
	unsigned char queue[16];
	size_t n_queue, at_queue;
} prompt;

static int next_byte(FILE *stream)
{
	(void)stream;
	return prompt.at_queue < prompt.n_queue ? prompt.queue[prompt.at_queue++] : EOF;
}

static void no_redisplay(void) {}

enum { MOST_LINES = 500 };

static char *history_path(enum prompt_history h, bool makes_folder)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	bool has_state = state && state[0] == '/';
	if (!has_state && !(home && *home))
		return NULL;
	char *dir = has_state ? xasprintf("%s/vecsmith", state)
			      : xasprintf("%s/.local/state/vecsmith", home);
	struct err ignored = ERR_INIT;
	bool ok = !makes_folder || fs_mkdirs(dir, &ignored);
	char *path =
		ok ? xasprintf("%s/%s", dir, h == PROMPT_COMMANDS ? "commands" : "searches") : NULL;
	free(dir);
	return path;
}

static void save_history(enum prompt_history h)
{
	char *path = history_path(h, true);
	if (path)
		write_history(path);
	free(path);
}

/* readline knows one history: the others wait in states[]. */
static void switch_history(enum prompt_history h)
{
	if (h == prompt.current)
		return;
	prompt.states[prompt.current] = history_get_history_state();
	HISTORY_STATE empty = {.entries = NULL};
	HISTORY_STATE *next = prompt.states[h];
	history_set_history_state(next ? next : &empty);
	free(next);
	prompt.states[h] = NULL;
	prompt.current = h;
	stifle_history(MOST_LINES);
}

static void on_line(char *line)
{
	free(prompt.line);
	prompt.line = line ? line : xstrdup("");
	prompt.state = PROMPT_DONE;
	if (prompt.history != PROMPT_FORGETS && prompt.line[0]) {
		HIST_ENTRY *last =
			history_length ? history_get(history_base + history_length - 1) : NULL;
		if (!last || strcmp(last->line, prompt.line) != 0)
			add_history(prompt.line);
		if (prompt.is_kept)
			save_history(prompt.history);
	}
	rl_callback_handler_remove();
}

/* The common beginning of all candidates goes into the line; several are shown as hints. */
static int on_tab(int count, int key)
{
	(void)count;
	(void)key;
	buf_clear(&prompt.hints);
	if (!prompt.complete)
		return 0;
	int start = rl_point;
	while (start > 0 && rl_line_buffer[start - 1] != ' ')
		start--;
	char *before = xstrndup(rl_line_buffer, (size_t)start);
	char *word = xstrndup(rl_line_buffer + start, (size_t)(rl_point - start));
	struct buf found = BUF_INIT;
	prompt.complete(prompt.ctx, before, word, &found);
	size_t n = 0, common = 0;
	const char *first = found.data ? found.data : "";
	for (const char *s = first; *s; s = strchr(s, '\n') + 1) {
		size_t len = strcspn(s, "\n");
		if (n++ == 0)
			common = len;
		for (size_t i = 0; i < common; i++)
			if (s[i] != first[i])
				common = i;
		buf_addf(&prompt.hints, "%.*s  ", (int)len, s);
	}
	if (n && common >= strlen(word)) {
		rl_delete_text(start, rl_point);
		rl_point = start;
		bool is_folder = common && first[common - 1] == '/';
		char *insert =
			xasprintf("%.*s%s", (int)common, first, n == 1 && !is_folder ? " " : "");
		rl_insert_text(insert);
		free(insert);
	}
	if (n <= 1)
		buf_clear(&prompt.hints);
	buf_release(&found);
	free(before);
	free(word);
	return 0;
}

static void set_up_readline(void)
{
	prompt.is_ready = true;
	rl_readline_name = "vecsmith";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_getc_function = next_byte;
	rl_redisplay_function = no_redisplay;
	rl_prep_term_function = NULL;
	rl_deprep_term_function = NULL;
	/* readline looks whether more input waits in its stream and would then ask us for it: a pipe in which nothing ever comes keeps it
	 * from seeing what waits at the terminal. */
	int nothing[2];
	if (pipe2(nothing, O_CLOEXEC) == 0)
		rl_instream = fdopen(nothing[0], "r");
	/* readline writes nothing through redisplay, but the bell and a few others would reach
	 * this. */
	rl_outstream = fopen("/dev/null", "w");
}

void prompt_begin(const char *label, struct text initial, enum prompt_history history,
	prompt_complete_fn complete, void *ctx)
{
	if (!prompt.is_ready)
		set_up_readline();
	prompt.state = PROMPT_OPEN;
	prompt.is_open = true;
	prompt.history = history;
	switch_history(history);
	using_history();
	prompt.complete = complete;
	prompt.ctx = ctx;
	snprintf(prompt.label, sizeof prompt.label, "%s", label);
	buf_clear(&prompt.hints);
	rl_callback_handler_install("", on_line);
	rl_bind_key('\t', on_tab);
	if (initial.len) {
		/* readline's lines end at a NUL */
		char *text = xstrndup(initial.s, initial.len);
		rl_insert_text(text);
		free(text);
	}
}

static size_t bytes_of(uint32_t key, unsigned char out[16])
{
	static const struct {
		uint32_t key;
		const char *bytes;
	} special[] = {{KEY_CODE_UP, "\020"}, {KEY_CODE_DOWN, "\016"}, {KEY_CODE_LEFT, "\002"},
		{KEY_CODE_RIGHT, "\006"}, {KEY_CODE_HOME, "\001"}, {KEY_CODE_END, "\005"},
		{KEY_CODE_DELETE, "\004"}, {KEY_CODE_BACKSPACE, "\177"}, {KEY_CODE_ENTER, "\r"}};
	for (size_t i = 0; i < sizeof special / sizeof *special; i++)
		if (special[i].key == key) {
			out[0] = (unsigned char)special[i].bytes[0];
			return 1;
		}
	char utf8[4];
	size_t n = key < KEY_CODE_FIRST ? utf8_encode(key, utf8) : 0;
	memcpy(out, utf8, n);
	return n;
}

enum prompt_state prompt_key(uint32_t key)
{
	/* Delete on an empty line would end readline (Ctrl-D); Esc and Ctrl-C leave the prompt. */
	if (key == KEY_CODE_ESC || key == 3 || (key == KEY_CODE_BACKSPACE && rl_end == 0)) {
		/* out of whatever it is in the middle of, a search in the history above all */
		rl_callback_sigcleanup();
		rl_free_line_state();
		rl_callback_handler_remove();
		prompt.is_open = false;
		return prompt.state = PROMPT_CANCELLED;
	}
	if ((key == KEY_CODE_DELETE || key == 4) && rl_point == rl_end)
		return prompt.state;
	if (key != KEY_CODE_TAB)
		buf_clear(&prompt.hints);
	prompt.n_queue = bytes_of(key, prompt.queue);
	prompt.at_queue = 0;
	while (prompt.at_queue < prompt.n_queue && prompt.state == PROMPT_OPEN)
		rl_callback_read_char();
	if (prompt.state == PROMPT_DONE)
		prompt.is_open = false;
	return prompt.state;
}

bool prompt_is_open(void)
{
	return prompt.is_open;
}

const char *prompt_label(void)
{
	return prompt.label;
}

const char *prompt_line(void)
{
	return prompt.is_open ? rl_line_buffer : prompt.line ? prompt.line : "";
}

size_t prompt_cursor(void)
{
	return (size_t)rl_point;
}

const char *prompt_hints(void)
{
	return prompt.hints.data ? prompt.hints.data : "";
}

void prompt_history_keep(void)
{
	prompt.is_kept = true;
	for (enum prompt_history h = PROMPT_COMMANDS; h < PROMPT_HISTORIES; h++) {
		char *path = history_path(h, false);
		switch_history(h);
		if (path)
			read_history(path);
		free(path);
	}
}

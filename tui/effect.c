#include "tui/screen.h"

#include <stdarg.h>
#include <stdio.h>

#define FILL(e)                                                                                    \
	va_list args;                                                                              \
	va_start(args, fmt);                                                                       \
	int n_filled = vsnprintf((e).text, sizeof(e).text, fmt, args);                             \
	va_end(args);                                                                              \
	bool is_whole = n_filled >= 0 && (size_t)n_filled < sizeof(e).text

struct effect effect_message(const char *fmt, ...)
{
	struct effect e = {.kind = EFFECT_MESSAGE};
	FILL(e);
	(void)is_whole;
	return e;
}

struct effect effect_error(const char *fmt, ...)
{
	struct effect e = {.kind = EFFECT_ERROR};
	FILL(e);
	(void)is_whole;
	return e;
}

struct effect effect_start(const char *fmt, ...)
{
	struct effect e = {.kind = EFFECT_START_JOB};
	FILL(e);
	return is_whole
		? e
		: effect_error("the command line has %d bytes, more than %zu: start it in a shell",
			  n_filled, sizeof e.text);
}

struct effect effect_confirm(enum command_id command, const char *fmt, ...)
{
	struct effect e = {.kind = EFFECT_CONFIRM, .command = command};
	FILL(e);
	(void)is_whole;
	return e;
}

struct effect effect_goto(enum screen_id screen)
{
	return (struct effect){.kind = EFFECT_GOTO, .screen = screen};
}

struct effect effect_prompt(enum command_id command, const char *prompt, struct text initial)
{
	struct effect e = {.kind = EFFECT_PROMPT, .command = command, .initial = initial};
	snprintf(e.text, sizeof e.text, "%s", prompt);
	return e;
}

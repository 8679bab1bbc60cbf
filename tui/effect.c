#include "tui/screen.h"

#include <stdarg.h>
#include <stdio.h>

#define FILL(e)                                                                                    \
	va_list args;                                                                              \
	va_start(args, fmt);                                                                       \
	vsnprintf((e).text, sizeof(e).text, fmt, args);                                            \
	va_end(args)

struct effect effect_message(const char *fmt, ...)
{
	struct effect e = {.kind = EFFECT_MESSAGE};
	FILL(e);
	return e;
}

struct effect effect_error(const char *fmt, ...)
{
	struct effect e = {.kind = EFFECT_ERROR};
	FILL(e);
	return e;
}

struct effect effect_start(const char *fmt, ...)
{
	struct effect e = {.kind = EFFECT_START_JOB};
	FILL(e);
	return e;
}

struct effect effect_goto(enum screen_id screen)
{
	return (struct effect){.kind = EFFECT_GOTO, .screen = screen};
}

struct effect effect_prompt(enum command_id command, const char *prompt, const char *initial)
{
	struct effect e = {.kind = EFFECT_PROMPT, .command = command};
	snprintf(e.text, sizeof e.text, "%s", prompt);
	snprintf(e.initial, sizeof e.initial, "%s", initial ? initial : "");
	return e;
}

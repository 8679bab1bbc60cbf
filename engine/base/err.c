#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence stays on one line whatever a file name or a library's message brings along. */
static void one_line(char *s)
{
	for (; *s; s++)
		if (*s == '\n' || *s == '\r')
			*s = ' ';
}

static void set(struct err *err, enum err_code code, const char *fmt, va_list args)
{
	err->code = code;
	vsnprintf(err->text, sizeof err->text, fmt, args);
	one_line(err->text);
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	if (err && err->code == ERR_NONE) {
		va_list args;
		va_start(args, fmt);
		set(err, code, fmt, args);
		va_end(args);
	}
	return false;
}

bool err_errno(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	if (err && err->code == ERR_NONE) {
		va_list args;
		va_start(args, fmt);
		set(err, ERR_FAILED, fmt, args);
		va_end(args);
		size_t len = strlen(err->text);
		snprintf(err->text + len, sizeof err->text - len, ": %s", strerror(saved));
	}
	return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
	if (err && err->code != ERR_NONE) {
		char old[sizeof err->text];
		memcpy(old, err->text, sizeof old);
		va_list args;
		va_start(args, fmt);
		set(err, err->code, fmt, args);
		va_end(args);
		size_t len = strlen(err->text);
		snprintf(err->text + len, sizeof err->text - len, ": %s", old);
	}
	return false;
}

void err_clear(struct err *err)
{
	err->code = ERR_NONE;
	err->text[0] = '\0';
}

/* err.h - what went wrong, as a code and one sentence.
 *
 * A function that can fail is `bool f(..., struct err *err)`: false means that *err is set, true
 * leaves it alone, so calls chain with &&. The first failure wins: err_set() on an error that is
 * already set keeps the old text, and err_prefix() puts the place in front on the way up. Nothing
 * in
 * engine/ prints or exits; the one place that does is job/main.c.
 *
 *	if (!config_read(dir, &cfg, err))
 *		return err_prefix(err, "%s", dir);
 *
 * A sentence says what happened, where, the value seen, what was expected and what to do next. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* The code decides the exit status (job_exit_code()): FAILED 1, USAGE 2, DATA 3, STOPPED 130 or
 * 143. */
enum err_code {
	ERR_NONE = 0,
	ERR_FAILED, /* the world did not play along: files, memory, a library  */
	ERR_USAGE, /* the command line or a configuration file is wrong       */
	ERR_DATA, /* the user's data or model cannot be read as what it is   */
	ERR_STOPPED, /* a signal asked us to end, and the work done so far is safe */
};

struct err {
	enum err_code code;
	char text[1000]; /* one sentence, no line break, UTF-8, always terminated */
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		ERR_NONE, ""                                                                       \
	}

/* Sets *err unless it holds an earlier failure. Always false, so `return err_set(...)` reads well.
 * err may be NULL: the caller does not want to know. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* As err_set() with ERR_FAILED, and ": " + strerror(errno) behind the sentence. */
bool err_errno(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "place: " in front of a failure: err_prefix(err, "%s:%zu", path, line). Always false. */
bool err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_clear(struct err *err);

#define MUST_CHECK __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif

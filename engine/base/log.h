/* log.h - progress and log lines, the only thing in engine/ with process-wide state.
 *
 * Lines go to a sink; until one is set they are dropped. job/main.c sets stderr, a run adds its
 * log.txt. Text is passed through utf8_sanitize() before it reaches a terminal. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_to(FILE *sink, enum log_level level); /* stderr, as a rule; NULL silences */
void log_also(FILE *file); /* a second sink, all levels; NULL ends it */
bool log_level_parse(const char *name, enum log_level *ret);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A bar on a terminal, a plain line every few seconds otherwise, nothing below LOG_LEVEL_INFO.
 * what: "encode", "mine"; total 0 = unknown. Call as often as you like: it rate-limits itself. */
void log_progress(const char *what, int64_t done, int64_t total);
void log_progress_end(void);
/* The same without showing anything: for a job that says how far it is in lines of its own. */
void log_count(int64_t done, int64_t total);
/* Hears of every log_progress and log_count, however quiet the log is; NULL ends it. */
void log_watch(void (*fn)(int64_t done, int64_t total));

#endif

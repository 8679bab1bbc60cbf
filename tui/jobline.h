/* jobline.h - command lines of jobs: what the person typed, made whole by what is opened here. */
#ifndef TUI_JOBLINE_H
#define TUI_JOBLINE_H

#include "tui/session.h"

enum { JOBLINE_MAX_WORDS = 200 };

/* Splits at blanks, as a shell would: '...' and "..." hold blanks, \ takes the next character as it is. The words point into line, which
 * is changed. */
bool jobline_split(char *line, char **words, size_t *ret_n, struct err *err) MUST_CHECK;
/* Appends the word, quoted where jobline_split and a shell need it. */
void jobline_quote(struct buf *out, struct text word);
/* The value of --name (or --name=value), the last one; NULL when there is none. Borrowed from words. */
const char *jobline_value(char *const *words, size_t n, const char *name);

/* "mine OPTIONS" with what OPTIONS leave out: the opened files as --in (--data for train and eval), a fresh --out beside which nothing is
 * overwritten, and the model that jobs here use. False: the line cannot be split, or nothing is open. */
bool jobline_complete(const struct session *s, const char *command, struct text options,
	struct buf *out, struct err *err) MUST_CHECK;
/* A path in the person's folder that does not exist yet: NAME.SUFFIX.jsonl, NAME.SUFFIX-2.jsonl ... The caller frees it. */
char *jobline_fresh_file(const struct session *s, const char *suffix);
/* runs/NAME-1, -2 ... likewise, for a training. */
char *jobline_fresh_run(const struct session *s);
/* $VECSMITH_MODEL, else the model of the newest mining, training or evaluation, in this order; NULL: none known. The caller frees it. */
char *jobline_model(const struct session *s);

#endif

/* screen.h - what a screen is: private state and five functions. update() changes state and returns
 * an effect, view() draws cells and
 * changes nothing; neither does I/O of unknown length. No screen includes another. */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "base/err.h"
#include "tui/command.h"
#include "tui/grid.h"

struct app;

struct input {
	enum command_id command;
	int64_t count; /* digits typed before the key; 0 = none */
	struct text args; /* what followed the name on the command line */
};

enum effect_kind {
	EFFECT_NONE,
	EFFECT_UNHANDLED, /* the app may know what to do */
	EFFECT_GOTO, /* another screen: .screen */
	EFFECT_BACK,
	EFFECT_QUIT,
	EFFECT_PROMPT, /* ask for a line: .text = the prompt, .initial; the answer comes as .command with args */
	EFFECT_CONFIRM, /* ask .text, one key: y runs .command with args "y", anything else does nothing */
	EFFECT_MESSAGE, /* .text on the message line */
	EFFECT_ERROR, /* the same, as an error, and kept */
	EFFECT_START_JOB, /* .text = the command line, starting with the command's name */
};
struct effect {
	enum effect_kind kind;
	enum screen_id screen;
	enum command_id command;
	char text[4000];
	struct text
		initial; /* what stands in the prompt at first; borrowed until the effect is applied */
};

#define NO_EFFECT ((struct effect){.kind = EFFECT_NONE})
#define UNHANDLED ((struct effect){.kind = EFFECT_UNHANDLED})
struct effect effect_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct effect effect_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct effect effect_goto(enum screen_id screen);
struct effect effect_prompt(enum command_id command, const char *prompt, struct text initial);
struct effect effect_confirm(enum command_id command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A command line that does not fit is an error, never a shorter one. */
struct effect effect_start(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct screen_ops {
	enum screen_id id;
	const char *title; /* first word of the header */
	void *(*new)(struct app *a);
	void (*enter)(void *s,
		struct app *a); /* becomes visible: look at what changed elsewhere; may be NULL */
	struct effect (*update)(void *s, struct app *a, const struct input *in);
	void (*tick)(void *s,
		struct app *a); /* once a second or when a job wrote something; may be NULL */
	/* A slice of long work, at most so many milliseconds; true while there is more. May be NULL. */
	bool (*work)(void *s, struct app *a, int budget_ms);
	/* r leaves out the header, the message line and the footer. */
	void (*view)(void *s, struct app *a, struct grid *g, struct rect r);
	/* The rest of the header line, behind the title: data set, filter, run. */
	void (*header)(void *s, struct app *a, struct buf *out);
	void (*free)(void *s);
};

extern const struct screen_ops data_screen, record_screen, negatives_screen, curate_screen,
	train_screen, eval_screen, jobs_screen, models_screen, help_screen;

#endif

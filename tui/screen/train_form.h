/* train_form.h - the launch form: the options of `train`, those that matter most first, judged by the command's own parser. */
#ifndef TUI_SCREEN_TRAIN_FORM_H
#define TUI_SCREEN_TRAIN_FORM_H

#include "job/jobs.h"
#include "tui/app.h"
#include "tui/widget/list.h"

enum { FORM_FIELDS = 96 };

struct train_form {
	struct list list;
	const struct option *fields[FORM_FIELDS];
	char *values[FORM_FIELDS]; /* NULL = the default */
	size_t n_fields;
	char typed[1000]; /* what a prompt begins with */
};

void train_form_init(struct train_form *f);
void train_form_release(struct train_form *f);
/* What is opened, a run that does not exist yet and the model at hand, where the person typed nothing. */
void train_form_prefill(struct train_form *f, const struct session *s);
/* Flags turn round at once; other fields ask for their value. */
struct effect train_form_edit(struct train_form *f);
/* "NAME VALUE" */
struct effect train_form_set(struct train_form *f, struct text args);
/* The job, or what is wrong with the form. */
struct effect train_form_launch(struct train_form *f, const struct session *s);
void train_form_draw(struct train_form *f, struct grid *g, struct rect r);

#endif

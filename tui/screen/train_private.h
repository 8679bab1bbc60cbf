/* train_private.h - shared by train.c (what keys do) and train_view.c (the run as it goes). */
#ifndef TUI_SCREEN_TRAIN_PRIVATE_H
#define TUI_SCREEN_TRAIN_PRIVATE_H

#include "tui/metrics_tail.h"
#include "tui/screen/train_form.h"

enum train_zoom { ZOOM_ALL, ZOOM_LOSS, ZOOM_EVAL, ZOOM_LOG, ZOOMS };

struct train {
	struct train_form form;
	bool shows_form;
	bool is_launching; /* a job was asked for: watch it as soon as it is there */
	char watching[200]; /* the job's name; "" = none */
	struct metrics_tail metrics;
	double smoothing;
	bool is_log;
	enum train_zoom zoom;
	int scroll; /* lines of the log above its end */
};

void train_view(void *state, struct app *a, struct grid *g, struct rect r);
void train_header(void *state, struct app *a, struct buf *out);

#endif

/* schedule.h - in: a step; out: its learning rate. The formulas of transformers'
 * get_{linear,cosine,constant}_schedule_with_warmup: the rate rises from 0 over the warm-up steps,
 * so the first step of a run with warm-up changes nothing. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum schedule_kind { SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_CONSTANT };

struct schedule {
	enum schedule_kind kind;
	double lr; /* the highest rate */
	int64_t warmup, total; /* optimiser steps */
};

/* "linear", "cosine" or "constant"; false: none of them. */
bool schedule_parse(const char *name, enum schedule_kind *ret);
/* Steps of a warm-up over the share `ratio` of `total`, rounded up. */
int64_t schedule_warmup(double ratio, int64_t total);
/* The rate of the step that follows `done` finished ones. */
double schedule_lr(const struct schedule *s, int64_t done);

#endif

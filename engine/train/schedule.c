#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"

bool schedule_parse(const char *name, enum schedule_kind *ret)
{
	static const char *const names[] = {
		[SCHEDULE_LINEAR] = "linear",
		[SCHEDULE_COSINE] = "cosine",
		[SCHEDULE_CONSTANT] = "constant",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum schedule_kind)i;
			return true;
		}
	}
	return false;
}

int64_t schedule_warmup(double ratio, int64_t total)
{
	return (int64_t)ceil(ratio * (double)total);
}

static double at_least_one(int64_t n)
{
	return n > 1 ? (double)n : 1.0;
}

double schedule_lr(const struct schedule *s, int64_t done)
{
	if (done < s->warmup)
		return s->lr * ((double)done / at_least_one(s->warmup));
	double span = at_least_one(s->total - s->warmup);
	double factor = 1.0;
	switch (s->kind) {
	case SCHEDULE_LINEAR:
		factor = (double)(s->total - done) / span;
		break;
	case SCHEDULE_COSINE:
		factor = 0.5 * (1.0 + cos(M_PI * (double)(done - s->warmup) / span));
		break;
	case SCHEDULE_CONSTANT:
		break;
	}
	return s->lr * fmax(factor, 0.0);
}

/* chart.h - one or several curves in cells. Every column shows the least, the greatest and the last of its points, so a spike survives
 * however many points there are; a point that is no number leaves a gap and is counted. */
#ifndef TUI_WIDGET_CHART_H
#define TUI_WIDGET_CHART_H

#include <stddef.h>

#include "tui/grid.h"

struct series {
	const double *x, *y; /* [n], x ascending */
	size_t n;
	char mark; /* what the curve is drawn with */
	enum style style;
};
struct chart {
	const struct series *series;
	size_t n_series;
	bool is_log; /* y on a logarithmic scale; values <= 0 are left out */
	double base; /* a horizontal line, such as the metric before training; NAN = none */
	const char *unit; /* of x: "step" */
};

/* Returns how many points were no numbers. */
size_t chart_draw(struct grid *g, struct rect r, const struct chart *c);
/* Exponential moving average without the bias to its first value (Kingma, Ba 2015, section 3): weight in [0, 1). Gaps stay gaps. */
void chart_smooth(const double *y, size_t n, double weight, double *ret);

#endif

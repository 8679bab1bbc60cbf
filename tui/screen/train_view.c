/* A run as it goes: loss and evaluation as curves, the last figures, the end of the log. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/log_tail.h"
#include "tui/screen/train_private.h"
#include "tui/widget/chart.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

static double last(const struct curve *c)
{
	return c->n ? c->v[c->n - 1] : NAN;
}

static void draw_loss(const struct train *s, struct grid *g, struct rect r)
{
	const struct metrics_tail *m = &s->metrics;
	const struct curve *loss = &m->step[METRIC_LOSS];
	double *smooth = xcalloc(loss->n + 1, sizeof *smooth);
	chart_smooth(loss->v, loss->n, s->smoothing, smooth);
	struct series series[] = {{m->step[METRIC_STEP].v, loss->v, loss->n, '.', STYLE_DIM},
		{m->step[METRIC_STEP].v, smooth, loss->n, '*', STYLE_BOLD}};
	struct chart chart = {series, 2, s->is_log, NAN, "step"};
	char title[120];
	double now = loss->n ? smooth[loss->n - 1] : NAN;
	int n = snprintf(title, sizeof title, "loss  . raw  * smoothed %.3g%s", s->smoothing,
		s->is_log ? "  log" : "");
	if (isfinite(now))
		snprintf(title + n, sizeof title - (size_t)n, "  %.4f", now);
	struct rect in = grid_frame(g, r, title, s->zoom == ZOOM_LOSS);
	size_t gaps = chart_draw(g, in, &chart);
	if (gaps)
		grid_printf(g, in, 0, 10, STYLE_BAD, "%zu steps without a finite loss", gaps);
	free(smooth);
}

static void draw_eval(const struct train *s, struct grid *g, struct rect r)
{
	const struct metrics_tail *m = &s->metrics;
	bool has_base = m->eval_step.n && m->eval_step.v[0] == 0;
	char title[160];
	int n = snprintf(title, sizeof title, "eval %s", m->eval_name);
	if (m->eval_value.n)
		n += snprintf(title + n, sizeof title - (size_t)n, "  %.4f", last(&m->eval_value));
	if (has_base)
		snprintf(title + n, sizeof title - (size_t)n, "  - before training %.4f",
			m->eval_value.v[0]);
	struct series series = {m->eval_step.v, m->eval_value.v, m->eval_value.n, 'o', STYLE_GOOD};
	struct chart chart = {&series, 1, false, has_base ? m->eval_value.v[0] : NAN, "step"};
	struct rect in = grid_frame(g, r, title, s->zoom == ZOOM_EVAL);
	if (m->eval_value.n)
		chart_draw(g, in, &chart);
	else
		wrap_draw(g, in, 0, STYLE_DIM,
			text_of("none: the form's eval-data and eval-steps ask for it"));
}

/* One line: the figures of the last step, as many as fit; at 80 columns all of them do. */
static void draw_numbers(const struct train *s, struct grid *g, struct rect r)
{
	static const struct {
		enum metric_column column;
		const char *format;
	} figures[] = {{METRIC_LR, "lr %.3g"}, {METRIC_GRAD_NORM, "grad norm %.3g"},
		{METRIC_POS_SIM, "pos %.3f"}, {METRIC_NEG_SIM, "neg %.3f"},
		{METRIC_FIRST, "first %.3f"}, {METRIC_TOKENS_PER_S, "%.0f tokens/s"}};
	if (!s->metrics.step[METRIC_STEP].n) {
		grid_put(g, r, 0, 1, STYLE_DIM,
			"waiting for the first step: the model and the rows are being read");
		return;
	}
	int col = 1;
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		double v = last(&s->metrics.step[figures[i].column]);
		char text[64];
		int n = snprintf(text, sizeof text, figures[i].format, v);
		if (isnan(v) || col + n > r.cols)
			continue;
		col += grid_put(g, r, 0, col, STYLE_PLAIN, text) + 2;
	}
}

static void draw_log(
	const struct train *s, const struct job_entry *j, struct grid *g, struct rect r)
{
	char title[60];
	snprintf(title, sizeof title, s->scroll ? "log  %d lines above its end, F follows" : "log",
		s->scroll);
	log_tail_draw(g, grid_frame(g, r, title, s->zoom == ZOOM_LOG), j->folder, s->scroll);
}

static void draw_monitor(
	const struct train *s, const struct job_entry *j, struct grid *g, struct rect r)
{
	/* where panes would be too low to read, one at a time: z goes round */
	enum train_zoom zoom = s->zoom == ZOOM_ALL && r.rows < 16 ? ZOOM_LOSS : s->zoom;
	struct rect numbers = panes_bottom(&r, 1);
	draw_numbers(s, g, numbers);
	if (zoom == ZOOM_LOSS)
		draw_loss(s, g, r);
	else if (zoom == ZOOM_EVAL)
		draw_eval(s, g, r);
	else if (zoom == ZOOM_LOG)
		draw_log(s, j, g, r);
	if (zoom != ZOOM_ALL)
		return;
	struct rect log = panes_bottom(&r, r.rows / 4);
	if (r.cols >= 100)
		draw_eval(s, g, panes_right(&r, r.cols / 2));
	else if (s->metrics.eval_value.n)
		draw_eval(s, g, panes_bottom(&r, r.rows / 2));
	draw_loss(s, g, r);
	draw_log(s, j, g, log);
}

void train_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct train *s = state;
	const struct job_entry *j = session_job(&a->session, s->watching);
	if (s->shows_form || !j)
		train_form_draw(&s->form, g, r);
	else
		draw_monitor(s, j, g, r);
}

static void put_time(struct buf *out, double seconds)
{
	long s = (long)seconds;
	if (s >= 3600)
		buf_addf(out, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
	else
		buf_addf(out, "%ld:%02ld", s / 60, s % 60);
}

/* From the seconds that the steps themselves took: the start is no measure of the rest. */
static double seconds_left(const struct train *s, const struct job_status *st)
{
	const struct curve *took = &s->metrics.step[METRIC_SECONDS];
	double sum = 0;
	size_t n = 0;
	for (size_t i = took->n > 50 ? took->n - 50 : 0; i < took->n; i++)
		if (isfinite(took->v[i])) {
			sum += took->v[i];
			n++;
		}
	return n ? sum / (double)n * (double)(st->total - st->done) : NAN;
}

void train_header(void *state, struct app *a, struct buf *out)
{
	const struct train *s = state;
	const struct job_entry *j = session_job(&a->session, s->watching);
	if (s->shows_form || !j) {
		session_name(&a->session, out);
		buf_adds(out, "  new run: Enter changes a field, L launches");
		return;
	}
	const struct job_status *st = &j->status;
	buf_addf(out, "%s  %s", j->name, job_state_name(st->state));
	if (st->total > 0) {
		double left = seconds_left(s, st), epoch = last(&s->metrics.step[METRIC_EPOCH]);
		buf_addf(out, "  step %lld/%lld %lld%%", (long long)st->done, (long long)st->total,
			(long long)(100 * st->done / st->total));
		if (isfinite(epoch))
			buf_addf(out, "  epoch %.2f", epoch);
		if (st->state == JOB_RUNNING && isfinite(left)) {
			buf_adds(out, "  left ");
			put_time(out, left);
		}
	}
	if (st->state == JOB_STALE)
		buf_addf(out, "  quiet for %lld s", (long long)st->quiet_s);
	if (st->error[0])
		buf_addf(out, "  %s", st->error);
}

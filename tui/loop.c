#include "tui/loop.h"

#include <poll.h>

#include "base/parallel.h"
#include "base/signals.h"
#include "tui/prompt.h"
#include "tui/term.h"

/* Every waiting key is taken before anything is drawn: the screen never runs after the person. */
static bool take_keys(struct app *a)
{
	bool any = false;
	for (uint32_t key; (key = term_key()) != TERM_NO_KEY;) {
		any = true;
		if (key == TERM_RESIZED) {
			int rows, cols;
			term_size(&rows, &cols);
			app_resize(a, rows, cols);
		} else {
			app_key(a, key);
		}
		if (a->must_suspend) {
			a->must_suspend = false;
			term_suspend();
		}
	}
	return any;
}

static void show(struct app *a)
{
	if (a->must_redraw)
		term_redraw();
	a->must_redraw = false;
	app_draw(a);
	term_present(&a->grid);
}

/* Until the clock's next second; a moment while a thread works; at once while there is work here. */
static int wait_ms(const struct app *a, bool has_work)
{
	enum { MOMENT_MS = 20 };
	double now = wall_seconds();
	if (has_work)
		return app_is_waiting(a) ? MOMENT_MS : 0;
	return (int)((1.0 - (now - (double)(int64_t)now)) * 1000) + 1;
}

static void run(struct app *a)
{
	double shown = 0;
	int64_t second = (int64_t)wall_seconds();
	bool has_work = app_work(a), dirty = true;
	while (!a->must_quit && !stop_requested()) {
		double now = wall_seconds();
		/* While work goes on, ten pictures a second are enough; a key is always shown at once. */
		if (dirty && (!has_work || now - shown >= 0.1)) {
			show(a);
			shown = now;
			dirty = false;
		}
		struct pollfd in = {.fd = term_fd(), .events = POLLIN};
		/* a signal wakes us too: another size is a key */
		if (poll(&in, 1, wait_ms(a, has_work)) != 0 && take_keys(a)) {
			show(a);
			shown = wall_seconds();
			dirty = false;
			has_work = true; /* the key may have asked for some */
		}
		if (in.revents & (POLLHUP | POLLERR))
			return;
		if (has_work) {
			has_work = app_work(a);
			dirty = true;
		}
		if ((int64_t)wall_seconds() != second) {
			second = (int64_t)wall_seconds();
			dirty = app_tick(a) || dirty;
			has_work = app_work(a) || has_work;
		}
	}
}

bool loop_run(const struct app_options *opt, struct err *err)
{
	if (!term_open(true, err))
		return false;
	struct app_options sized = *opt;
	term_size(&sized.rows, &sized.cols);
	sized.is_ascii = !term_is_utf8();
	struct app *a = app_new(&sized, err);
	if (a) {
		prompt_history_keep();
		run(a);
	}
	term_close();
	app_free(a);
	return a != NULL;
}

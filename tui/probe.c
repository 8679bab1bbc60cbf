#include "tui/probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

/* What the thread works on; it is the thread's until is_done is seen. */
struct opening {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
	char *dir;
	struct tokenizer *tokenizer; /* NULL: err tells why */
	struct err err;
};

struct probe {
	char *dir; /* of what is held */
	struct tokenizer *tokenizer;
	struct tokenizer_run *run;
	char error[1000];
	struct opening *opening; /* NULL: none */
	char *wanted; /* asked for while another one was on its way */
	struct probed last;
	struct ids ids;
	struct token_spans spans;
	size_t last_max;
};

struct probe *probe_new(void)
{
	return xcalloc(1, sizeof(struct probe));
}

static void *open_it(void *ctx)
{
	struct opening *o = ctx;
	struct tokenizer *t = tokenizer_open(o->dir, &o->err);
	pthread_mutex_lock(&o->lock);
	o->tokenizer = t;
	o->is_done = true;
	pthread_cond_signal(&o->done);
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

static void forget(struct probe *p)
{
	tokenizer_run_free(p->run);
	tokenizer_close(p->tokenizer);
	free(p->dir);
	free((char *)(uintptr_t)p->last.text.s);
	p->run = NULL;
	p->tokenizer = NULL;
	p->dir = NULL;
	p->last = (struct probed){0};
	p->error[0] = '\0';
}

/* The thread's result becomes what is held. */
static void take(struct probe *p)
{
	struct opening *o = p->opening;
	pthread_join(o->thread, NULL);
	p->opening = NULL;
	forget(p);
	p->dir = o->dir;
	p->tokenizer = o->tokenizer;
	if (p->tokenizer)
		p->run = tokenizer_run_new(p->tokenizer);
	else
		snprintf(p->error, sizeof p->error, "%s", o->err.text);
	pthread_cond_destroy(&o->done);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static void start(struct probe *p, const char *dir)
{
	struct opening *o = xcalloc(1, sizeof *o);
	o->err = (struct err)ERR_INIT;
	o->dir = xstrdup(dir);
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->done, NULL);
	if (pthread_create(&o->thread, NULL, open_it, o) == 0) {
		p->opening = o;
		return;
	}
	forget(p);
	p->dir = o->dir;
	snprintf(p->error, sizeof p->error, "%s: no thread can be started to open it", dir);
	pthread_cond_destroy(&o->done);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void probe_open(struct probe *p, const char *dir)
{
	if (p->opening) {
		free(p->wanted);
		p->wanted = strcmp(p->opening->dir, dir) == 0 ? NULL : xstrdup(dir);
	} else if (!p->dir || strcmp(p->dir, dir) != 0) {
		start(p, dir);
	}
}

bool probe_wait(struct probe *p, int ms)
{
	struct opening *o = p->opening;
	if (!o)
		return false;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&o->lock);
	while (!o->is_done && pthread_cond_timedwait(&o->done, &o->lock, &until) != ETIMEDOUT)
		;
	bool is_done = o->is_done;
	pthread_mutex_unlock(&o->lock);
	if (!is_done)
		return true;
	take(p);
	if (p->wanted) {
		start(p, p->wanted);
		free(p->wanted);
		p->wanted = NULL;
	}
	return p->opening != NULL;
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	if (p->opening)
		take(p);
	forget(p);
	free(p->wanted);
	ids_release(&p->ids);
	token_spans_release(&p->spans);
	free(p);
}

enum probe_state probe_state(const struct probe *p)
{
	if (p->opening)
		return PROBE_OPENING;
	return p->tokenizer ? PROBE_READY : p->dir ? PROBE_FAILED : PROBE_NONE;
}

const char *probe_error(const struct probe *p)
{
	return p->error;
}

const struct tokenizer *probe_tokenizer(const struct probe *p)
{
	return p->tokenizer;
}

const struct probed *probe_text(struct probe *p, struct text t, size_t max_length)
{
	struct probed *r = &p->last;
	if (r->text.s && text_equal(r->text, t) && p->last_max == max_length)
		return r;
	static const struct token_limits bare = {.no_special = true};
	struct ids whole = IDS_INIT;
	free((char *)(uintptr_t)r->text.s);
	*r = (struct probed){.text = {xstrndup(t.s ? t.s : "", t.len), t.len}};
	p->last_max = max_length;
	p->ids.n = p->spans.n = 0;
	tokenizer_encode_spans(p->run, t, &bare, &p->ids, &p->spans);
	r->n_special =
		tokenizer_join(p->tokenizer, &(struct ids){0}, &(struct token_limits){0}, &whole);
	ids_release(&whole);
	r->ids = p->ids.id;
	r->spans = p->spans.s;
	r->n = p->ids.n;
	size_t room = max_length > r->n_special ? max_length - r->n_special : 0;
	r->n_kept = max_length && room < r->n ? room : r->n;
	for (size_t i = 0; i < r->n; i++)
		r->n_unknown += r->ids[i] == tokenizer_unk(p->tokenizer);
	return r;
}

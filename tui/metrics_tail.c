#include "tui/metrics_tail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "json.h"

const char *const metric_names[METRIC_COLUMNS] = {"step", "epoch", "loss", "lr", "grad_norm",
	"pos_sim", "neg_sim", "first", "tokens_per_s", "seconds"};

enum { MOST_AT_ONCE = 1 << 20 }; /* bytes a call: a frame must not wait for a long file */

void metrics_tail_open(struct metrics_tail *m, const char *path)
{
	*m = (struct metrics_tail){.path = xstrdup(path)};
}

void metrics_tail_close(struct metrics_tail *m)
{
	for (int i = 0; i < METRIC_COLUMNS; i++)
		free(m->step[i].v);
	free(m->eval_step.v);
	free(m->eval_value.v);
	free(m->path);
	*m = (struct metrics_tail){0};
}

bool metrics_tail_has_more(const struct metrics_tail *m)
{
	return m->has_more;
}

static void add(struct curve *c, double v)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->v = xreallocarray(c->v, c->cap, sizeof *c->v);
	}
	c->v[c->n++] = v;
}

static double number(json o, const char *key)
{
	double v = NAN;
	json_real(json_get(o, key), &v);
	return v;
}

static void add_eval(struct metrics_tail *m, json line, json eval)
{
	double v = number(eval, "ndcg@10");
	snprintf(m->eval_name, sizeof m->eval_name, "ndcg@10");
	for (struct json_iter it = json_each(eval); isnan(v) && json_next(&it);) {
		json_real(it.value, &v);
		snprintf(m->eval_name, sizeof m->eval_name, "%.*s", (int)it.key_len, it.key);
	}
	add(&m->eval_step, number(line, "step"));
	add(&m->eval_value, v);
}

static void take_line(struct metrics_tail *m, struct json_parser *p, struct text line)
{
	json root;
	if (!json_parse(p, line.s, line.len, 0, &root, NULL) || !json_is(root, JSON_OBJECT)) {
		m->n_bad++;
		return;
	}
	json eval = json_get(root, "eval");
	if (json_is(eval, JSON_OBJECT)) {
		add_eval(m, root, eval);
		return;
	}
	for (int i = 0; i < METRIC_COLUMNS; i++)
		add(&m->step[i], number(root, metric_names[i]));
}

bool metrics_tail_read(struct metrics_tail *m)
{
	m->has_more = false;
	FILE *f = m->path ? fopen(m->path, "rb") : NULL;
	if (!f)
		return false;
	fseek(f, 0, SEEK_END);
	/* A resumed run has cut the file: begin again. */
	if (ftell(f) < m->offset) {
		char *path = xstrdup(m->path);
		metrics_tail_close(m);
		metrics_tail_open(m, path);
		free(path);
	}
	char *data = xmalloc(MOST_AT_ONCE);
	fseek(f, m->offset, SEEK_SET);
	size_t n = fread(data, 1, MOST_AT_ONCE, f);
	fclose(f);
	struct json_parser *p = json_parser_new();
	size_t at = 0;
	for (const char *feed; (feed = memchr(data + at, '\n', n - at));
		at = (size_t)(feed - data) + 1)
		take_line(m, p, (struct text){data + at, (size_t)(feed - data) - at});
	json_parser_free(p);
	free(data);
	m->offset += (long)at;
	m->has_more = n == MOST_AT_ONCE && at > 0;
	return at > 0;
}

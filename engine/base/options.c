#include "base/options_private.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct option common_options[] = {
	{.name = "device",
		.type = OPT_STRING,
		.def = "auto",
		.arg = "D",
		.help = "auto, cpu or cuda:N; auto takes a GPU when there is one"},
	{.name = "dtype",
		.type = OPT_STRING,
		.def = "auto",
		.range = "auto|float32|bfloat16|float16",
		.arg = "T",
		.help = "what to compute in; auto: bfloat16 on a GPU or a CPU with AMX, else float32"},
	{.name = "threads",
		.type = OPT_INT,
		.range = "1..1024",
		.arg = "N",
		.help = "CPU threads (default: the CPUs this process may use)"},
	{.name = "seed",
		.type = OPT_INT,
		.def = "42",
		.range = "0..",
		.arg = "N",
		.help = "of everything drawn by chance"},
	{.name = "no-cache", .type = OPT_FLAG, .help = "neither read nor write caches"},
	{.name = "workspace",
		.type = OPT_STRING,
		.arg = "DIR",
		.help = "the .vecsmith folder's place (default: $VECSMITH_WORKSPACE, else here)"},
	{.name = "config",
		.type = OPT_STRING,
		.arg = "FILE",
		.help = "options from a YAML file; the command line wins"},
	{.name = "json", .type = OPT_FLAG, .help = "the result as one JSON object"},
	{.name = "log-level",
		.type = OPT_STRING,
		.def = "info",
		.range = "error|warn|info|debug",
		.arg = "L",
		.help = "how much is told on stderr"},
	{.name = "help", .type = OPT_FLAG, .help = "this text"},
	{.name = NULL},
};

struct value *opts_find(const struct opts *o, const char *name, size_t len)
{
	for (size_t i = 0; i < o->n; i++)
		if (strlen(o->values[i].opt->name) == len &&
			strncmp(o->values[i].opt->name, name, len) == 0)
			return &o->values[i];
	return NULL;
}

struct value *opts_must_find(const struct opts *o, const char *name)
{
	struct value *v = opts_find(o, name, strlen(name));
	assert(v && "the option table lacks this name");
	return v;
}

/* "LOW..HIGH" with either end empty. */
static bool in_range(const struct option *opt, double x, struct err *err)
{
	const char *dots = opt->range ? strstr(opt->range, "..") : NULL;
	if (!dots)
		return true;
	double low = dots == opt->range ? -INFINITY : strtod(opt->range, NULL);
	double high = dots[2] ? strtod(dots + 2, NULL) : INFINITY;
	if (x >= low && x <= high)
		return true;
	return err_set(err, ERR_USAGE, "--%s is %g, expected %s", opt->name, x, opt->range);
}

static bool is_choice(const struct option *opt, const char *s)
{
	size_t len = strlen(s);
	for (const char *p = opt->range; p;) {
		size_t n = strcspn(p, "|");
		if (n == len && strncmp(p, s, n) == 0)
			return true;
		p = p[n] ? p + n + 1 : NULL;
	}
	return false;
}

static void add_item(struct opts *o, struct value *v, struct text item)
{
	if (v->n_items == v->cap_items) {
		size_t cap = v->cap_items ? v->cap_items * 2 : 8;
		const char **grown = arena_alloc(&o->a, cap * sizeof *grown);
		if (v->n_items)
			memcpy(grown, v->items, v->n_items * sizeof *grown);
		v->items = grown;
		v->cap_items = cap;
	}
	v->items[v->n_items++] = arena_text(&o->a, item).s;
}

static void add_items(struct opts *o, struct value *v, const char *s)
{
	for (;;) {
		size_t n = v->opt->type == OPT_LIST ? strcspn(s, ",") : strlen(s);
		if (n)
			add_item(o, v, (struct text){s, n});
		if (!s[n])
			return;
		s += n + 1;
	}
}

static bool set_flag(struct value *v, const char *s, struct err *err)
{
	bool yes = strcmp(s, "true") == 0 || strcmp(s, "yes") == 0 || strcmp(s, "on") == 0 ||
		strcmp(s, "1") == 0;
	bool no = strcmp(s, "false") == 0 || strcmp(s, "no") == 0 || strcmp(s, "off") == 0 ||
		strcmp(s, "0") == 0;
	if (!yes && !no)
		return err_set(
			err, ERR_USAGE, "--%s is \"%s\", expected true or false", v->opt->name, s);
	v->i = yes;
	return true;
}

bool opts_set_value(struct opts *o, struct value *v, const char *s, struct err *err)
{
	const struct option *opt = v->opt;
	char *end = NULL;
	bool ok = true;
	errno = 0;
	switch (opt->type) {
	case OPT_FLAG:
		ok = set_flag(v, s, err);
		break;
	case OPT_INT:
		v->i = strtoll(s, &end, 10);
		if (end == s || *end || errno)
			return err_set(err, ERR_USAGE, "--%s is \"%s\", expected a whole number",
				opt->name, s);
		ok = in_range(opt, (double)v->i, err);
		break;
	case OPT_REAL:
		v->x = strtod(s, &end);
		if (end == s || *end || !isfinite(v->x))
			return err_set(
				err, ERR_USAGE, "--%s is \"%s\", expected a number", opt->name, s);
		ok = in_range(opt, v->x, err);
		break;
	case OPT_STRING:
		if (opt->range && !is_choice(opt, s))
			return err_set(err, ERR_USAGE, "--%s is \"%s\", expected one of %s",
				opt->name, s, opt->range);
		v->s = arena_strdup(&o->a, s);
		break;
	case OPT_LIST:
	case OPT_PATHS:
		add_items(o, v, s);
		break;
	}
	v->is_set = ok;
	return ok;
}

void opts_free(struct opts *o)
{
	if (!o)
		return;
	arena_release(&o->a);
	free(o->values);
	free(o);
}

const struct job *opts_job(const struct opts *o)
{
	return o->job;
}

bool opts_help_asked(const struct opts *o)
{
	return opts_flag(o, "help");
}

bool opts_knows(const struct opts *o, const char *name)
{
	return opts_find(o, name, strlen(name)) != NULL;
}

bool opts_given(const struct opts *o, const char *name)
{
	return opts_must_find(o, name)->is_given;
}

bool opts_has(const struct opts *o, const char *name)
{
	return opts_must_find(o, name)->is_set;
}

bool opts_flag(const struct opts *o, const char *name)
{
	const struct value *v = opts_must_find(o, name);
	assert(v->opt->type == OPT_FLAG);
	return v->i != 0;
}

int64_t opts_int(const struct opts *o, const char *name)
{
	const struct value *v = opts_must_find(o, name);
	assert(v->opt->type == OPT_INT);
	return v->i;
}

double opts_real(const struct opts *o, const char *name)
{
	const struct value *v = opts_must_find(o, name);
	assert(v->opt->type == OPT_REAL);
	return v->x;
}

const char *opts_str(const struct opts *o, const char *name)
{
	const struct value *v = opts_must_find(o, name);
	assert(v->opt->type == OPT_STRING);
	return v->s;
}

size_t opts_list(const struct opts *o, const char *name, const char *const **ret)
{
	const struct value *v = opts_must_find(o, name);
	assert(v->opt->type == OPT_LIST || v->opt->type == OPT_PATHS);
	*ret = v->items;
	return v->n_items;
}

bool opts_set(struct opts *o, const char *name, const char *value, struct err *err)
{
	struct value *v = opts_must_find(o, name);
	v->n_items = 0;
	v->is_given = true;
	return opts_set_value(o, v, value, err);
}

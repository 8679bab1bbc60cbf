#include "base/options.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/yaml.h"

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

struct value {
	const struct option *opt;
	bool is_given,
		is_set; /* given: typed or in the file; set: has a value, be it the default */
	int64_t i;
	double x;
	const char *s;
	const char **items;
	size_t n_items, cap_items;
};

struct opts {
	const struct job *job;
	struct arena a;
	struct value *values;
	size_t n;
};

static struct value *find_len(const struct opts *o, const char *name, size_t len)
{
	for (size_t i = 0; i < o->n; i++)
		if (strlen(o->values[i].opt->name) == len &&
			strncmp(o->values[i].opt->name, name, len) == 0)
			return &o->values[i];
	return NULL;
}

static struct value *must_find(const struct opts *o, const char *name)
{
	struct value *v = find_len(o, name, strlen(name));
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

/* Takes s as if it had been typed behind --name. */
static bool set_value(struct opts *o, struct value *v, const char *s, struct err *err)
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

/* The nearest name by edit distance: most wrong options are typing errors. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[64];
	if (nb >= ARRAY_LEN(row))
		return 99;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[nb];
}

static bool unknown(const struct opts *o, const char *name, size_t len, struct err *err)
{
	const char *best = NULL;
	size_t least = 4;
	for (size_t i = 0; i < o->n; i++) {
		const char *known = o->values[i].opt->name;
		size_t d = distance(name, len, known, strlen(known));
		if (d < least) {
			least = d;
			best = known;
		}
	}
	return err_set(err, ERR_USAGE,
		"%s has no option --%.*s%s%s%s (vecsmith %s --help lists them)", o->job->name,
		(int)len, name, best ? "; did you mean --" : "", best ? best : "", best ? "?" : "",
		o->job->name);
}

/* One word of the command line that begins with `--`; *at is moved over the words taken. */
static bool take_option(struct opts *o, int argc, char *const *argv, int *at, struct err *err)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	struct value *v = find_len(o, name, len);
	bool is_no = !v && len > 3 && strncmp(name, "no-", 3) == 0;
	if (is_no) {
		v = find_len(o, name + 3, len - 3);
		if (v && v->opt->type != OPT_FLAG)
			v = NULL;
	}
	if (!v)
		return unknown(o, name, len, err);
	bool is_list = v->opt->type == OPT_LIST || v->opt->type == OPT_PATHS;
	if (!v->is_given && is_list)
		v->n_items = 0; /* what the default or the file said */
	v->is_given = true;
	if (name[len] == '=')
		return set_value(o, v, name + len + 1, err);
	if (v->opt->type == OPT_FLAG)
		return set_value(o, v, is_no ? "false" : "true", err);
	if (*at + 1 >= argc)
		return err_set(err, ERR_USAGE, "--%s needs a value: --%s %s", v->opt->name,
			v->opt->name, v->opt->arg ? v->opt->arg : "X");
	bool ok = set_value(o, v, argv[++*at], err);
	while (ok && v->opt->type == OPT_PATHS && *at + 1 < argc &&
		strncmp(argv[*at + 1], "--", 2) != 0)
		ok = set_value(o, v, argv[++*at], err);
	return ok;
}

static bool take_words(struct opts *o, int argc, char *const *argv, struct err *err)
{
	struct value *rest = NULL;
	for (size_t i = 0; i < o->n; i++)
		if (o->values[i].opt->is_positional)
			rest = &o->values[i];
	for (int at = 1; at < argc; at++) {
		if (strncmp(argv[at], "--", 2) == 0 && argv[at][2]) {
			if (!take_option(o, argc, argv, &at, err))
				return false;
		} else if (strcmp(argv[at], "-h") == 0) {
			must_find(o, "help")->i = 1;
		} else if (rest) {
			rest->is_given = true;
			if (!set_value(o, rest, argv[at], err))
				return false;
		} else {
			return err_set(err, ERR_USAGE,
				"%s takes no word \"%s\" (vecsmith %s --help)", o->job->name,
				argv[at], o->job->name);
		}
	}
	return true;
}

static bool set_from_yaml(struct opts *o, const char *path, const struct yaml *n, struct err *err)
{
	char name[128];
	snprintf(name, sizeof name, "%s", n->key);
	for (char *c = name; *c; c++)
		*c = *c == '_' ? '-' : *c;
	struct value *v = find_len(o, name, strlen(name));
	if (!v)
		return unknown(o, name, strlen(name), err) ||
			err_prefix(err, "%s:%d:%d", path, n->line, n->column);
	if (v->is_given)
		return true; /* the command line wins */
	v->n_items = 0;
	bool ok = true;
	if (n->kind == YAML_TEXT)
		ok = set_value(o, v, n->scalar, err);
	else if (n->kind == YAML_LIST && (v->opt->type == OPT_LIST || v->opt->type == OPT_PATHS))
		for (const struct yaml *c = n->child; c && ok; c = c->next)
			ok = c->kind == YAML_TEXT && set_value(o, v, c->scalar, err);
	else
		ok = false;
	if (!ok)
		err_set(err, ERR_USAGE, "%s: expected a plain value", n->key);
	v->is_given = true;
	return ok || err_prefix(err, "%s:%d:%d", path, n->line, n->column);
}

static bool read_config(struct opts *o, const char *path, struct err *err)
{
	struct buf text = BUF_INIT;
	struct yaml *root = NULL;
	bool ok = fs_read(path, &text, (size_t)16 << 20, err) &&
		yaml_parse(buf_text(&text), path, &o->a, &root, err);
	if (ok && root->kind != YAML_MAP)
		ok = err_set(err, ERR_USAGE, "%s:%d:%d: expected `name: value` lines", path,
			root->line, root->column);
	for (const struct yaml *n = ok ? root->child : NULL; n && ok; n = n->next)
		ok = set_from_yaml(o, path, n, err);
	buf_release(&text);
	return ok;
}

static void add_table(struct opts *o, const struct option *table)
{
	for (; table->name; table++) {
		assert(!find_len(o, table->name, strlen(table->name)) &&
			"this option stands twice");
		o->values = xreallocarray(o->values, o->n + 1, sizeof *o->values);
		o->values[o->n++] = (struct value){.opt = table};
	}
}

static bool set_defaults(struct opts *o, struct err *err)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->values[i].opt->def &&
			!set_value(o, &o->values[i], o->values[i].opt->def, err))
			return false;
	return true;
}

static bool check_required(const struct opts *o, struct err *err)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct option *opt = o->values[i].opt;
		if (opt->is_required && !o->values[i].is_set)
			return err_set(err, ERR_USAGE, "%s needs --%s %s: %s (vecsmith %s --help)",
				o->job->name, opt->name, opt->arg ? opt->arg : "", opt->help,
				o->job->name);
	}
	return true;
}

struct opts *opts_parse(const struct job *job, int argc, char *const *argv, struct err *err)
{
	struct opts *o = xcalloc(1, sizeof *o);
	o->job = job;
	add_table(o, job->options);
	add_table(o, common_options);
	bool ok = set_defaults(o, err) && take_words(o, argc, argv, err);
	if (ok && !opts_help_asked(o)) {
		const char *config = opts_str(o, "config");
		ok = (!config || read_config(o, config, err)) && check_required(o, err);
	}
	if (!ok) {
		opts_free(o);
		return NULL;
	}
	return o;
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

bool opts_given(const struct opts *o, const char *name)
{
	return must_find(o, name)->is_given;
}

bool opts_has(const struct opts *o, const char *name)
{
	return must_find(o, name)->is_set;
}

bool opts_flag(const struct opts *o, const char *name)
{
	const struct value *v = must_find(o, name);
	assert(v->opt->type == OPT_FLAG);
	return v->i != 0;
}

int64_t opts_int(const struct opts *o, const char *name)
{
	const struct value *v = must_find(o, name);
	assert(v->opt->type == OPT_INT);
	return v->i;
}

double opts_real(const struct opts *o, const char *name)
{
	const struct value *v = must_find(o, name);
	assert(v->opt->type == OPT_REAL);
	return v->x;
}

const char *opts_str(const struct opts *o, const char *name)
{
	const struct value *v = must_find(o, name);
	assert(v->opt->type == OPT_STRING);
	return v->s;
}

size_t opts_list(const struct opts *o, const char *name, const char *const **ret)
{
	const struct value *v = must_find(o, name);
	assert(v->opt->type == OPT_LIST || v->opt->type == OPT_PATHS);
	*ret = v->items;
	return v->n_items;
}

bool opts_set(struct opts *o, const char *name, const char *value, struct err *err)
{
	struct value *v = must_find(o, name);
	v->n_items = 0;
	v->is_given = true;
	return set_value(o, v, value, err);
}

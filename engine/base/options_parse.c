/* From a command line and a YAML file to the values of options.h. */
#include "base/options_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/yaml.h"

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
	struct value *v = opts_find(o, name, len);
	bool is_no = !v && len > 3 && strncmp(name, "no-", 3) == 0;
	if (is_no) {
		v = opts_find(o, name + 3, len - 3);
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
		return opts_set_value(o, v, name + len + 1, err);
	if (v->opt->type == OPT_FLAG)
		return opts_set_value(o, v, is_no ? "false" : "true", err);
	bool is_last = *at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0;
	if (v->opt->may_stand_alone && is_last)
		return opts_set_value(o, v, "", err);
	if (*at + 1 >= argc)
		return err_set(err, ERR_USAGE, "--%s needs a value: --%s %s", v->opt->name,
			v->opt->name, v->opt->arg ? v->opt->arg : "X");
	bool ok = opts_set_value(o, v, argv[++*at], err);
	while (ok && v->opt->type == OPT_PATHS && *at + 1 < argc &&
		strncmp(argv[*at + 1], "--", 2) != 0)
		ok = opts_set_value(o, v, argv[++*at], err);
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
			opts_must_find(o, "help")->i = 1;
		} else if (rest) {
			rest->is_given = true;
			if (!opts_set_value(o, rest, argv[at], err))
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
	struct value *v = opts_find(o, name, strlen(name));
	if (!v)
		return unknown(o, name, strlen(name), err) ||
			err_prefix(err, "%s:%d:%d", path, n->line, n->column);
	if (v->is_given)
		return true; /* the command line wins */
	v->n_items = 0;
	bool ok = true;
	if (n->kind == YAML_TEXT)
		ok = opts_set_value(o, v, n->scalar, err);
	else if (n->kind == YAML_LIST && (v->opt->type == OPT_LIST || v->opt->type == OPT_PATHS))
		for (const struct yaml *c = n->child; c && ok; c = c->next)
			ok = c->kind == YAML_TEXT && opts_set_value(o, v, c->scalar, err);
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
		assert(!opts_find(o, table->name, strlen(table->name)) &&
			"this option stands twice");
		o->values = xreallocarray(o->values, o->n + 1, sizeof *o->values);
		o->values[o->n++] = (struct value){.opt = table};
	}
}

static bool set_defaults(struct opts *o, struct err *err)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->values[i].opt->def &&
			!opts_set_value(o, &o->values[i], o->values[i].opt->def, err))
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

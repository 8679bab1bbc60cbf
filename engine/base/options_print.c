/* What the option table says in words: --help and the manifest's object. */
#include "base/options.h"

#include <string.h>

#include "base/utf8.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 96 };

/* Breaks s at spaces so that no line passes HELP_WIDTH; the cursor stands at HELP_COLUMN. */
static void put_wrapped(struct buf *out, const char *s)
{
	size_t column = HELP_COLUMN;
	while (*s) {
		size_t word = strcspn(s, " ");
		size_t width = utf8_width((struct text){s, word});
		if (column + width > HELP_WIDTH && column > HELP_COLUMN) {
			buf_addf(out, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		}
		buf_add(out, s, word);
		column += width;
		s += word;
		if (*s == ' ') {
			buf_addch(out, ' ');
			column++;
			s++;
		}
	}
	buf_addch(out, '\n');
}

static void put_option(struct buf *out, const struct option *opt)
{
	struct buf left = BUF_INIT;
	buf_addf(&left, "  --%s%s%s%s", opt->name, opt->arg ? " " : "", opt->arg ? opt->arg : "",
		opt->type == OPT_PATHS ? " ..." : "");
	buf_addtext(out, buf_text(&left));
	if (left.len + 2 > HELP_COLUMN)
		buf_addf(out, "\n%*s", HELP_COLUMN, "");
	else
		buf_addf(out, "%*s", (int)(HELP_COLUMN - left.len), "");
	buf_release(&left);
	struct buf text = BUF_INIT;
	buf_adds(&text, opt->help ? opt->help : "");
	if (opt->range && opt->type == OPT_STRING)
		buf_addf(&text, " (%s)", opt->range);
	else if (opt->range)
		buf_addf(&text, " (%s)", opt->range);
	if (opt->def)
		buf_addf(&text, " [%s]", opt->def);
	if (opt->is_required)
		buf_adds(&text, " (required)");
	put_wrapped(out, text.data ? text.data : "");
	buf_release(&text);
}

void opts_help(const struct job *job, struct buf *out)
{
	const char *word = "";
	for (const struct option *opt = job->options; opt->name; opt++)
		if (opt->is_positional)
			word = opt->arg ? opt->arg : opt->name;
	buf_addf(out, "vecsmith %s%s%s%s [options]\n%s\n", job->name, *word ? " " : "", word,
		*word ? " ..." : "", job->summary);
	if (job->options->name)
		buf_adds(out, "\nOptions:\n");
	for (const struct option *opt = job->options; opt->name; opt++)
		put_option(out, opt);
	buf_adds(out, "\nEverywhere:\n");
	for (const struct option *opt = common_options; opt->name; opt++)
		put_option(out, opt);
	if (job->examples && job->examples[0])
		buf_addf(out, "\nExamples:\n%s", job->examples);
}

static void put_value(struct buf *out, const struct opts *o, const struct option *opt)
{
	if (!opts_has(o, opt->name) && opt->type != OPT_FLAG) {
		buf_adds(out, "null");
		return;
	}
	switch (opt->type) {
	case OPT_FLAG:
		buf_adds(out, opts_flag(o, opt->name) ? "true" : "false");
		break;
	case OPT_INT:
		json_put_int(out, opts_int(o, opt->name));
		break;
	case OPT_REAL:
		json_put_real(out, opts_real(o, opt->name));
		break;
	case OPT_STRING:
		json_put_str(out, opts_str(o, opt->name));
		break;
	case OPT_LIST:
	case OPT_PATHS: {
		const char *const *items;
		size_t n = opts_list(o, opt->name, &items);
		buf_addch(out, '[');
		for (size_t i = 0; i < n; i++) {
			if (i)
				buf_addch(out, ',');
			json_put_str(out, items[i]);
		}
		buf_addch(out, ']');
		break;
	}
	}
}

void opts_json(const struct opts *o, struct buf *out)
{
	const struct option *tables[] = {opts_job(o)->options, common_options};
	buf_addch(out, '{');
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct option *opt = tables[t]; opt->name; opt++) {
			if (strcmp(opt->name, "help") == 0)
				continue;
			json_put_key(out, opt->name);
			put_value(out, o, opt);
		}
	buf_addch(out, '}');
}

#include "tui/screen/train_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "tui/jobline.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

/* What nearly everybody sets comes first; the rest follows in the table's order. */
static const char *const first_fields[] = {"model", "data", "out", "epochs", "lora", "lr",
	"batch-size", "group-size", "max-length", "temperature", "loss", "eval-data", "eval-split",
	"eval-steps", "save-steps", "lora-r", "lora-alpha", "lora-dropout", "lora-targets",
	"max-steps", "scheduler", "warmup-ratio", "weight-decay", "fill-negatives", "teacher",
	"teacher-temperature", "kd-alpha", "mrl-dims", "query-max-length", "passage-max-length"};

static size_t find(const struct train_form *f, const char *name)
{
	for (size_t i = 0; i < f->n_fields; i++)
		if (strcmp(f->fields[i]->name, name) == 0)
			return i;
	return FORM_FIELDS;
}

static void add_fields(struct train_form *f, const struct option *table, const char *only)
{
	for (const struct option *o = table; o->name && f->n_fields < FORM_FIELDS; o++) {
		bool is_wanted =
			only ? strcmp(o->name, only) == 0 : find(f, o->name) == FORM_FIELDS;
		if (is_wanted)
			f->fields[f->n_fields++] = o;
	}
}

void train_form_init(struct train_form *f)
{
	static const char *const common[] = {"device", "dtype", "threads", "seed", "config"};
	*f = (struct train_form){.n_fields = 0};
	for (size_t i = 0; i < ARRAY_LEN(first_fields); i++)
		add_fields(f, train_job.options, first_fields[i]);
	add_fields(f, train_job.options, NULL);
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		add_fields(f, common_options, common[i]);
}

void train_form_release(struct train_form *f)
{
	for (size_t i = 0; i < f->n_fields; i++)
		free(f->values[i]);
}

static void set_value(struct train_form *f, const char *name, const char *value)
{
	size_t i = find(f, name);
	if (i == FORM_FIELDS)
		return;
	char *copy = value && *value ? xstrdup(value) : NULL;
	free(f->values[i]);
	f->values[i] = copy;
}

static void prefill(struct train_form *f, const char *name, char *value)
{
	size_t i = find(f, name);
	if (i != FORM_FIELDS && !f->values[i])
		set_value(f, name, value);
	free(value);
}

void train_form_prefill(struct train_form *f, const struct session *s)
{
	size_t n, out = find(f, "out");
	const char *const *paths = rows_paths(s->rows, &n);
	struct buf data = BUF_INIT;
	for (size_t i = 0; i < n; i++)
		buf_addf(&data, "%s%s", i ? " " : "", paths[i]);
	prefill(f, "model", jobline_model(s));
	prefill(f, "data", xstrdup(data.data ? data.data : ""));
	/* the run that was launched last exists now: the next one gets a name of its own */
	if (out != FORM_FIELDS && f->values[out] && fs_exists(f->values[out]))
		set_value(f, "out", NULL);
	prefill(f, "out", jobline_fresh_run(s));
	buf_release(&data);
}

static bool is_set(const char *value)
{
	return value && strcmp(value, "true") == 0;
}

/* "train --model m --lr 1e-4 ...": what the form says, as it would be typed. Several paths stand behind one --data. */
static void command_line(const struct train_form *f, struct buf *out)
{
	buf_adds(out, "train");
	for (size_t i = 0; i < f->n_fields; i++) {
		const struct option *o = f->fields[i];
		const char *value = f->values[i];
		if (!value)
			continue;
		if (o->type == OPT_FLAG) {
			buf_addf(out, " --%s%s", is_set(value) ? "" : "no-", o->name);
			continue;
		}
		buf_addf(out, " --%s ", o->name);
		if (o->type == OPT_PATHS && !fs_exists(value))
			buf_adds(out, value);
		else
			jobline_quote(out, text_of(value));
	}
}

/* The parser of the command itself judges the form. */
static bool is_valid(const struct train_form *f, struct err *err)
{
	struct buf line = BUF_INIT;
	char *words[JOBLINE_MAX_WORDS];
	size_t n = 0;
	command_line(f, &line);
	bool ok = jobline_split(line.data, words, &n, err);
	struct opts *o = ok ? opts_parse(&train_job, (int)n, words, err) : NULL;
	ok = o != NULL;
	opts_free(o);
	buf_release(&line);
	return ok;
}

/* Which field a sentence is about: the option that it names first. */
static size_t blamed(const struct train_form *f, const char *sentence)
{
	const char *s = strstr(sentence, "--");
	size_t n = s ? strspn(s + 2, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
	for (size_t i = 0; s && i < f->n_fields; i++)
		if (strlen(f->fields[i]->name) == n && strncmp(f->fields[i]->name, s + 2, n) == 0)
			return i;
	return FORM_FIELDS;
}

struct effect train_form_launch(struct train_form *f, const struct session *s)
{
	struct err err = ERR_INIT;
	train_form_prefill(f, s);
	if (!is_valid(f, &err)) {
		size_t at = blamed(f, err.text);
		f->list.cursor = at < f->n_fields ? at : f->list.cursor;
		return effect_error("%s", err.text);
	}
	struct buf line = BUF_INIT;
	command_line(f, &line);
	struct effect e = effect_start("%s", line.data);
	buf_release(&line);
	return e;
}

struct effect train_form_edit(struct train_form *f)
{
	const struct option *o = f->fields[f->list.cursor];
	const char *now = f->values[f->list.cursor];
	if (o->type == OPT_FLAG) {
		set_value(f, o->name, is_set(now) ? NULL : "true");
		return NO_EFFECT;
	}
	snprintf(f->typed, sizeof f->typed, "%s %s", o->name, now ? now : o->def ? o->def : "");
	return effect_prompt(CMD_SET, "set ", text_of(f->typed));
}

struct effect train_form_set(struct train_form *f, struct text args)
{
	char *line = xasprintf("%.*s", TEXT_ARG(args));
	size_t n = strcspn(line, " =");
	char *value = line + n + strspn(line + n, " =");
	for (size_t len = strlen(value); len && value[len - 1] == ' '; len--)
		value[len - 1] = '\0';
	line[n] = '\0';
	struct effect e = NO_EFFECT;
	size_t i = find(f, line);
	if (i == FORM_FIELDS) {
		e = effect_error("train has no option \"%s\" (Tab completes)", line);
	} else {
		bool is_default = f->fields[i]->def && strcmp(f->fields[i]->def, value) == 0;
		set_value(f, line, is_default ? NULL : value);
		f->list.cursor = i;
		struct err err = ERR_INIT;
		if (!is_valid(f, &err) && !strstr(err.text, " needs --"))
			e = effect_error("%s", err.text);
	}
	free(line);
	return e;
}

static void draw_field(const struct train_form *f, size_t k, const char *wrong, struct grid *g,
	struct rect r, int line)
{
	enum { VALUE = 24 };
	const struct option *o = f->fields[k];
	const char *value = f->values[k];
	enum style style = k == f->list.cursor ? STYLE_CURSOR : STYLE_PLAIN;
	enum style soft = style == STYLE_CURSOR ? style : STYLE_DIM;
	grid_fill(g, (struct rect){r.row + line, r.col, 1, r.cols}, style);
	grid_printf(g, r, line, 1, style, "%-22s", o->name);
	const char *shown = value     ? value
		: o->def              ? o->def
		: o->is_required      ? "(needed)"
		: o->type == OPT_FLAG ? "no"
				      : "-";
	int col = VALUE;
	col += grid_put(g, r, line, col, wrong ? STYLE_BAD : value ? style : soft, shown);
	if (wrong)
		grid_printf(g, r, line, col, STYLE_BAD, "  ! %s", wrong);
}

/* Below the fields: what the one at the cursor means, and the command line that the form makes. */
static void draw_foot(
	const struct train_form *f, const char *wrong, struct grid *g, struct rect foot)
{
	const struct option *o = f->fields[f->list.cursor];
	grid_printf(g, foot, 0, 0, STYLE_DIM, "%s%s%s%s", o->help ? o->help : "",
		o->range ? " (" : "", o->range ? o->range : "", o->range ? ")" : "");
	panes_top(&foot, 1);
	struct buf line = BUF_INIT;
	buf_adds(&line, "$ vecsmith ");
	command_line(f, &line);
	struct rect below = panes_bottom(&foot, !*wrong ? 0 : foot.rows >= 4 ? 2 : 1);
	wrap_draw(g, foot, 0, STYLE_BOLD, buf_text(&line));
	if (*wrong)
		wrap_draw(g, below, 0, STYLE_BAD, text_of(wrong));
	buf_release(&line);
}

void train_form_draw(struct train_form *f, struct grid *g, struct rect r)
{
	struct err err = ERR_INIT;
	const char *wrong = is_valid(f, &err) ? "" : err.text;
	size_t at = blamed(f, wrong);
	struct rect foot = panes_bottom(&r, r.rows >= 12 ? 6 : 3);
	foot.col++;
	foot.cols -= foot.cols > 2 ? 2 : 0;
	size_t top = list_view(&f->list, f->n_fields, r.rows);
	for (int i = 0; i < r.rows && top + (size_t)i < f->n_fields; i++)
		draw_field(f, top + (size_t)i, top + (size_t)i == at ? wrong : NULL, g, r, i);
	/* a sentence that stands at its field is not said twice */
	bool is_in_view = at >= top && at < top + (size_t)(r.rows > 0 ? r.rows : 0);
	draw_foot(f, is_in_view ? "" : wrong, g, foot);
}

/* What Tab offers: commands, their options and choices, columns, and file names. */
#include "tui/app_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "job/jobs.h"

static void offer(struct buf *out, const char *candidate, const char *word)
{
	if (strncmp(candidate, word, strlen(word)) == 0)
		buf_addf(out, "%s\n", candidate);
}

static void offer_files(const char *word, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	size_t dir_len = (size_t)(fs_basename(word) - word), n = 0;
	const char *dir = dir_len ? arena_printf(&a, "%.*s", (int)dir_len, word) : ".";
	char **names = NULL;
	if (fs_list(dir, &a, &names, &n, &err))
		for (size_t i = 0; i < n; i++) {
			const char *base = word + dir_len;
			if (strncmp(names[i], base, strlen(base)) != 0 ||
				(names[i][0] == '.' && base[0] != '.') || strchr(names[i], '\n'))
				continue;
			const char *slash = fs_is_dir(fs_join(&a, dir, names[i])) ? "/" : "";
			buf_addf(out, "%.*s%s%s\n", (int)dir_len, word, names[i], slash);
		}
	arena_release(&a);
}

/* "auto|cpu|cuda" behind the option that `line` ends with; false: not an option with choices. */
static bool offer_choices(
	const struct option *options, const char *line, const char *word, struct buf *out)
{
	for (const struct option *o = options; o->name; o++) {
		size_t n = strlen(o->name), len = strlen(line);
		if (!o->range || !strchr(o->range, '|') || len < n + 3 ||
			strncmp(line + len - n - 1, o->name, n) != 0 ||
			strncmp(line + len - n - 3, "--", 2) != 0)
			continue;
		for (const char *s = o->range; *s;) {
			size_t k = strcspn(s, "|");
			if (strncmp(s, word, strlen(word)) == 0 && strlen(word) <= k)
				buf_addf(out, "%.*s\n", (int)k, s);
			s += k + (s[k] == '|');
		}
		return true;
	}
	return false;
}

static void offer_options(
	const struct job *job, const char *line, const char *word, struct buf *out)
{
	const struct option *tables[] = {job->options, common_options};
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		if (offer_choices(tables[t], line, word, out))
			return;
	if (word[0] != '-') {
		offer_files(word, out);
		return;
	}
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct option *o = tables[t]; o->name; o++) {
			char *name = xasprintf("--%s", o->name);
			offer(out, name, word);
			free(name);
		}
}

/* "lr 1e-4": a field of the form, then its value. */
static void offer_field(const char *line, const char *word, struct buf *out)
{
	line += strspn(line, " ");
	if (!*line) {
		for (const struct option *o = train_job.options; o->name; o++)
			offer(out, o->name, word);
		return;
	}
	char *as_option = xasprintf("--%.*s ", (int)strcspn(line, " "), line);
	if (!offer_choices(train_job.options, as_option, word, out) &&
		!offer_choices(common_options, as_option, word, out))
		offer_files(word, out);
	free(as_option);
}

/* The name of what is being typed: the first word, or the command whose answer the prompt takes. */
static const struct command *command_of(const struct app *a, const char *line)
{
	if (a->asking == CMD_COMMAND_LINE) {
		struct buf hint = BUF_INIT;
		line += strspn(line, " :");
		const struct command *c =
			command_for_name((struct text){line, strcspn(line, " ")}, &hint);
		buf_release(&hint);
		return c;
	}
	for (const struct command *c = commands; c->id; c++)
		if (c->id == a->asking)
			return c;
	return NULL;
}

static void offer_commands(const struct app *a, const char *word, struct buf *out)
{
	for (const struct command *c = commands; c->id; c++)
		if (c->where & (1u << app_screen(a)))
			offer(out, c->name, word);
}

void app_complete(void *ctx, const char *line, const char *word, struct buf *out)
{
	const struct app *a = ctx;
	if (a->asking == CMD_COMMAND_LINE && line[strspn(line, " :")] == '\0') {
		offer_commands(a, word, out);
		return;
	}
	const struct command *c = command_of(a, line);
	switch (c ? (int)c->id : CMD_NONE) {
	case CMD_MINE:
		offer_options(&mine_job, line, word, out);
		break;
	case CMD_SCORE:
		offer_options(&score_job, line, word, out);
		break;
	case CMD_EVALUATE:
		offer_options(&eval_job, line, word, out);
		break;
	case CMD_SET:
		offer_field(a->asking == CMD_SET ? line : line + strcspn(line, " "), word, out);
		break;
	case CMD_SORT:
	case CMD_FILTER:
		for (size_t i = 0; row_columns[i]; i++)
			offer(out, row_columns[i], word);
		break;
	case CMD_ORDER:
		offer(out, "disagreement", word);
		offer(out, "file", word);
		break;
	case CMD_ATTACH:
	case CMD_STOP:
	case CMD_BASELINE:
		for (size_t i = 0; i < a->session.n_jobs; i++)
			offer(out, a->session.jobs[i].name, word);
		break;
	case CMD_OPEN:
	case CMD_EXPORT:
	case CMD_SCREENSHOT:
		offer_files(word, out);
		break;
	default:
		break;
	}
}

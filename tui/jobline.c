#include "tui/jobline.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

/* One word from *in on, unquoted in place to *out, which is ended. False: a quotation mark stays open. */
static bool take_word(char **in, char *out)
{
	char quote = '\0', *s = *in;
	for (; *s && (quote || *s != ' '); s++) {
		if (quote ? *s == quote : *s == '\'' || *s == '"')
			quote = quote ? '\0' : *s;
		else if (*s == '\\' && quote != '\'' && s[1])
			*out++ = *++s;
		else
			*out++ = *s;
	}
	*in = *s ? s + 1 : s;
	*out = '\0';
	return !quote;
}

bool jobline_split(char *line, char **words, size_t *ret_n, struct err *err)
{
	size_t n = 0;
	for (char *in = line; *in;) {
		while (*in == ' ')
			in++;
		if (!*in)
			break;
		if (n == JOBLINE_MAX_WORDS)
			return err_set(err, ERR_USAGE, "more than %d words", JOBLINE_MAX_WORDS);
		words[n++] = in;
		if (!take_word(&in, in))
			return err_set(err, ERR_USAGE, "a quotation mark is not closed");
	}
	*ret_n = n;
	return true;
}

void jobline_quote(struct buf *out, struct text word)
{
	bool is_plain = word.len > 0;
	for (size_t i = 0; i < word.len; i++)
		is_plain = is_plain && word.s[i] && !strchr(" \t\n\"'\\$*?;&|<>()`#~!", word.s[i]);
	if (is_plain) {
		buf_addtext(out, word);
		return;
	}
	buf_addch(out, '\'');
	for (size_t i = 0; i < word.len; i++)
		if (word.s[i] == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addch(out, word.s[i]);
	buf_addch(out, '\'');
}

const char *jobline_value(char *const *words, size_t n, const char *name)
{
	const char *found = NULL;
	size_t len = strlen(name);
	for (size_t i = 0; i < n; i++) {
		if (strncmp(words[i], "--", 2) != 0 || strncmp(words[i] + 2, name, len) != 0)
			continue;
		const char *rest = words[i] + 2 + len;
		if (*rest == '=')
			found = rest + 1;
		else if (!*rest && i + 1 < n)
			found = words[i + 1];
	}
	return found;
}

/* What the job was given as --model; NULL: nothing. The caller frees it. */
static char *model_of(const struct job_entry *j)
{
	char *line = xstrdup(j->status.command), *words[JOBLINE_MAX_WORDS];
	size_t n = 0;
	struct err ignored = ERR_INIT;
	const char *model =
		jobline_split(line, words, &n, &ignored) ? jobline_value(words, n, "model") : NULL;
	char *copy = model ? xstrdup(model) : NULL;
	free(line);
	return copy;
}

char *jobline_model(const struct session *s)
{
	/* an evaluation may be about what was trained here, which nobody trains on by default; score's model is a judge */
	static const char *const kinds[] = {"mine", "train", "eval"};
	const char *given = getenv("VECSMITH_MODEL");
	char *model = given && *given ? xstrdup(given) : NULL;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < s->n_jobs && !model; i++)
			if (strncmp(s->jobs[i].status.command, kinds[k], strlen(kinds[k])) == 0)
				model = model_of(&s->jobs[i]);
	return model;
}

/* The data set's name without what a format or an earlier step put behind it. */
static char *stem(const struct session *s, const char *suffix)
{
	static const char *const formats[] = {".gz", ".zst", ".jsonl", ".json"};
	char *name = xstrdup(rows_name(s->rows)[0] ? rows_name(s->rows) : "rows");
	for (size_t i = 0; i <= ARRAY_LEN(formats); i++) {
		char *own = i < ARRAY_LEN(formats) ? NULL : xasprintf(".%s", suffix);
		const char *end = own ? own : formats[i];
		size_t n = strlen(name), len = strlen(end);
		if (n > len && strcmp(name + n - len, end) == 0)
			name[n - len] = '\0';
		free(own);
	}
	return name;
}

/* DIR/ in front of a name; nothing when the person works here. */
static char *prefix_of(const struct session *s)
{
	return strcmp(s->dir, ".") == 0 ? xstrdup("") : xasprintf("%s/", s->dir);
}

char *jobline_fresh_file(const struct session *s, const char *suffix)
{
	char *name = stem(s, suffix), *dir = prefix_of(s), *path = NULL;
	for (int i = 1; !path; i++) {
		path = i == 1 ? xasprintf("%s%s.%s.jsonl", dir, name, suffix)
			      : xasprintf("%s%s.%s-%d.jsonl", dir, name, suffix, i);
		if (fs_exists(path)) {
			free(path);
			path = NULL;
		}
	}
	free(name);
	free(dir);
	return path;
}

char *jobline_fresh_run(const struct session *s)
{
	char *name = stem(s, "mined"), *dir = prefix_of(s), *path = NULL;
	for (int i = 1; !path; i++) {
		path = xasprintf("%sruns/%s-%d", dir, name, i);
		if (fs_exists(path)) {
			free(path);
			path = NULL;
		}
	}
	free(name);
	free(dir);
	return path;
}

static void add_option(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, " --%s ", name);
	jobline_quote(out, text_of(value));
}

bool jobline_complete(const struct session *s, const char *command, struct text options,
	struct buf *out, struct err *err)
{
	static const struct {
		const char *command, *data, *suffix;
	} kinds[] = {{"mine", "in", "mined"}, {"score", "in", "scored"},
		{"export", "in", "curated"}, {"eval", NULL, NULL}};
	char *copy = xasprintf("%.*s", TEXT_ARG(options)), *words[JOBLINE_MAX_WORDS];
	size_t n = 0, n_paths;
	const char *const *paths = rows_paths(s->rows, &n_paths);
	bool ok = jobline_split(copy, words, &n, err);
	buf_addf(out, "%s", command);
	for (size_t k = 0; ok && k < ARRAY_LEN(kinds); k++) {
		if (strcmp(kinds[k].command, command) != 0)
			continue;
		if (kinds[k].data && !jobline_value(words, n, kinds[k].data)) {
			ok = n_paths > 0 ||
				err_set(err, ERR_USAGE, "nothing is open: :open FILE.jsonl first");
			buf_addf(out, ok ? " --%s" : "", kinds[k].data);
			for (size_t i = 0; i < n_paths; i++) {
				buf_addch(out, ' ');
				jobline_quote(out, text_of(paths[i]));
			}
		}
		if (kinds[k].suffix && !jobline_value(words, n, "out")) {
			char *path = jobline_fresh_file(s, kinds[k].suffix);
			add_option(out, "out", path);
			free(path);
		}
	}
	bool has_model = strcmp(command, "mine") == 0 || strcmp(command, "eval") == 0;
	char *model = has_model && !jobline_value(words, n, "model") ? jobline_model(s) : NULL;
	if (model)
		add_option(out, "model", model);
	free(model);
	free(copy);
	if (options.len)
		buf_addf(out, " %.*s", TEXT_ARG(options));
	return ok;
}

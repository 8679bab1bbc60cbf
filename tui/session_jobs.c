#include "tui/session_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"

enum { MAX_WORDS = 200 };

static char *runs_dir(const struct session *s)
{
	return xasprintf("%s/runs", workspace_dir(s->workspace));
}

void session_free_jobs(struct session *s)
{
	for (size_t i = 0; i < s->n_jobs; i++)
		free(s->jobs[i].folder);
	free(s->jobs);
	s->jobs = NULL;
	s->n_jobs = 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct job_entry *x = a, *y = b;
	if (x->status.started_ms != y->status.started_ms)
		return x->status.started_ms > y->status.started_ms ? -1 : 1;
	return -strcmp(x->name, y->name);
}

static bool is_over(enum job_state state)
{
	return state != JOB_RUNNING && state != JOB_QUEUED && state != JOB_STALE;
}

/* A job that was over stays over: only the others are read again. */
static const struct job_entry *find_over(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->n_jobs; i++)
		if (strcmp(s->jobs[i].name, name) == 0 && is_over(s->jobs[i].status.state))
			return &s->jobs[i];
	return NULL;
}

bool session_read_jobs(struct session *s)
{
	struct arena a = ARENA_INIT;
	struct err ignored = ERR_INIT;
	char *dir = runs_dir(s), **names = NULL;
	size_t n = 0, n_jobs = 0;
	if (!fs_exists(dir) || !fs_list(dir, &a, &names, &n, &ignored))
		n = 0;
	struct job_entry *jobs = xcalloc(n + 1, sizeof *jobs);
	bool changed = false;
	for (size_t i = 0; i < n; i++) {
		struct job_entry *e = &jobs[n_jobs];
		const struct job_entry *over = find_over(s, names[i]);
		e->folder = xasprintf("%s/%s", dir, names[i]);
		snprintf(e->name, sizeof e->name, "%s", names[i]);
		err_clear(&ignored);
		if (over)
			e->status = over->status;
		else if (!job_record_read(e->folder, &e->status, &ignored)) {
			free(e->folder);
			continue;
		}
		changed = changed || !over;
		n_jobs++;
	}
	qsort(jobs, n_jobs, sizeof *jobs, newest_first);
	changed = changed || n_jobs != s->n_jobs;
	session_free_jobs(s);
	s->jobs = jobs;
	s->n_jobs = n_jobs;
	free(dir);
	arena_release(&a);
	return changed;
}

/* Splits at blanks; '...' and "..." hold blanks. The words point into line, which is changed. */
static bool split_words(char *line, char **words, size_t *ret_n, struct err *err)
{
	size_t n = 0;
	for (char *in = line; *in;) {
		while (*in == ' ')
			in++;
		if (!*in)
			break;
		if (n == MAX_WORDS)
			return err_set(err, ERR_USAGE, "more than %d words", MAX_WORDS);
		char *out = in, quote = '\0';
		words[n++] = out;
		for (; *in && (quote || *in != ' '); in++) {
			if (quote ? *in == quote : *in == '\'' || *in == '"')
				quote = quote ? '\0' : *in;
			else
				*out++ = *in;
		}
		if (quote)
			return err_set(err, ERR_USAGE, "a quotation mark is not closed");
		if (*in)
			in++;
		*out = '\0';
	}
	*ret_n = n;
	return n > 0 || err_set(err, ERR_USAGE, "no command");
}

static bool write_job_json(const char *folder, char *const *words, size_t n, struct err *err)
{
	struct buf b = BUF_INIT;
	buf_adds(&b, "{\"format\":1,\"command\":[");
	const char *run = "";
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i ? "," : "");
		json_put_str(&b, words[i]);
		if (i && strcmp(words[0], "train") == 0 && strcmp(words[i - 1], "--out") == 0)
			run = words[i];
	}
	buf_addf(&b, "],\"started_ms\":%lld", (long long)time(NULL) * 1000);
	json_put_key(&b, "run");
	json_put_str(&b, run);
	buf_adds(&b, "}\n");
	char *path = xasprintf("%s/job.json", folder);
	bool ok = fs_write_atomic(path, b.data, b.len, err);
	free(path);
	buf_release(&b);
	return ok;
}

/* In the child: a session of its own, nice, quiet. Only calls that are safe after fork. */
static void become_job(char *folder_env, char *out, char *log, char **argv)
{
	setsid();
	setpriority(PRIO_PROCESS, 0, 10);
	int in = open("/dev/null", O_RDONLY);
	int o = open(out, O_WRONLY | O_CREAT | O_APPEND, 0666),
	    l = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (in < 0 || o < 0 || l < 0)
		_exit(127);
	dup2(in, STDIN_FILENO);
	dup2(o, STDOUT_FILENO);
	dup2(l, STDERR_FILENO);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	static const int signals[] = {
		SIGINT, SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGTSTP};
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		signal(signals[i], SIG_DFL);
	putenv(folder_env);
	execv("/proc/self/exe", argv);
	_exit(127);
}

/* Forks twice, so that the job is nobody's child here and leaves no zombie. */
static bool spawn(const char *folder, char **words, size_t n, struct err *err)
{
	char *argv[MAX_WORDS + 2] = {(char[]){"vecsmith"}};
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = words[i];
	char absolute[4096];
	if (!realpath(folder, absolute))
		return err_errno(err, "%s", folder);
	char *env = xasprintf("VECSMITH_JOB=%s", absolute), *out = xasprintf("%s/out.txt", folder),
	     *log = xasprintf("%s/log.txt", folder);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0)
			become_job(env, out, log, argv);
		_exit(0);
	}
	bool ok = child > 0 || err_errno(err, "cannot start the job");
	if (ok)
		waitpid(child, NULL, 0);
	free(env);
	free(out);
	free(log);
	return ok;
}

/* runs/mine-1, mine-2 ...: the first that is free. mkdir decides, so two workbenches never share one. */
static char *new_folder(const struct session *s, const char *command, struct err *err)
{
	char *dir = runs_dir(s), *folder = NULL;
	bool ok = fs_mkdirs(dir, err);
	for (int i = 1; ok && !folder && i < 100000; i++) {
		char *path = xasprintf("%s/%s-%d", dir, command, i);
		if (fs_exists(path))
			free(path);
		else if ((ok = fs_mkdirs(path, err)))
			folder = path;
		else
			free(path);
	}
	free(dir);
	return folder;
}

bool session_start_job(struct session *s, const char *line, struct err *err)
{
	char *copy = xstrdup(line), *words[MAX_WORDS];
	size_t n = 0;
	bool ok = split_words(copy, words, &n, err);
	char *folder = ok ? new_folder(s, words[0], err) : NULL;
	ok = folder && write_job_json(folder, words, n, err) && spawn(folder, words, n, err);
	free(folder);
	free(copy);
	session_read_jobs(s);
	return ok;
}

bool session_stop_job(struct session *s, size_t i, struct err *err)
{
	const struct job_status *j = &s->jobs[i].status;
	if (j->state != JOB_RUNNING && j->state != JOB_STALE)
		return err_set(err, ERR_USAGE, "%s does not run", s->jobs[i].name);
	return kill((pid_t)j->pid, SIGTERM) == 0 ||
		err_errno(err, "cannot stop %s", s->jobs[i].name);
}

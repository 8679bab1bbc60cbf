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
#include "tui/jobline.h"

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

const struct job_entry *session_job(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->n_jobs; i++)
		if (strcmp(s->jobs[i].name, name) == 0)
			return &s->jobs[i];
	return NULL;
}

/* A job that was under way at the last look and is over now. */
static void note_end(struct session *s, const struct job_entry *e)
{
	const struct job_entry *before = session_job(s, e->name);
	if (before && !is_over(before->status.state) && is_over(e->status.state))
		snprintf(s->ended, sizeof s->ended, "%s", e->name);
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
		note_end(s, e);
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

/* A path as it will still be right when somebody else reads it from elsewhere. */
static void put_path(struct buf *b, const char *key, const char *path)
{
	char here[4096] = "";
	bool is_relative = path && *path && *path != '/';
	if (is_relative && !getcwd(here, sizeof here))
		is_relative = false;
	char *full = is_relative ? xasprintf("%s/%s", here, path) : xstrdup(path ? path : "");
	json_put_key(b, key);
	json_put_str(b, full);
	free(full);
}

static bool write_job_json(const char *folder, char *const *words, size_t n, struct err *err)
{
	struct buf b = BUF_INIT;
	buf_adds(&b, "{\"format\":1,\"command\":[");
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i ? "," : "");
		json_put_str(&b, words[i]);
	}
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	buf_addf(&b, "],\"started_ms\":%lld", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	const char *out = jobline_value(words, n, "out");
	bool is_train = strcmp(words[0], "train") == 0;
	put_path(&b, "run", is_train ? out : "");
	put_path(&b, "out", is_train ? "" : out);
	buf_adds(&b, "}\n");
	char *path = xasprintf("%s/job.json", folder);
	bool ok = fs_write_atomic(path, b.data, b.len, err);
	free(path);
	buf_release(&b);
	return ok;
}

/* Linux weighs sessions against each other before it looks at nice, so the session has to be nice as well. */
static void be_a_nice_session(void)
{
	int fd = open("/proc/self/autogroup", O_WRONLY);
	ssize_t n = fd >= 0 ? write(fd, "10", 2) : 0;
	(void)n;
	if (fd >= 0)
		close(fd);
}

/* In the child: a session of its own, nice, quiet. Only calls that are safe after fork. */
static void become_job(
	const char *program, char **env, const char *out, const char *log, char **argv)
{
	setsid();
	setpriority(PRIO_PROCESS, 0, 10);
	be_a_nice_session();
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
	execve(program, argv, env);
	_exit(127);
}

/* Of WORKSPACE/.vecsmith/runs/NAME the first part. */
static int workspace_length(const char *folder)
{
	size_t n = strlen(folder);
	for (int i = 0; i < 3; i++)
		while (n > 1 && folder[--n] != '/')
			;
	return (int)n;
}

/* Our environment, with the job's own two entries instead of what these names said before. */
static char **job_environment(const char *folder, struct arena *a)
{
	static const char *const own[] = {"VECSMITH_JOB=", "VECSMITH_WORKSPACE="};
	size_t n = 0, n_out = 0;
	while (environ[n])
		n++;
	char **env = arena_calloc(a, n + 3, sizeof *env);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], own[0], strlen(own[0])) != 0 &&
			strncmp(environ[i], own[1], strlen(own[1])) != 0)
			env[n_out++] = environ[i];
	env[n_out++] = arena_printf(a, "%s%s", own[0], folder);
	env[n_out] = arena_printf(a, "%s%.*s", own[1], workspace_length(folder), folder);
	return env;
}

/* Forks twice, so that the job is nobody's child here and leaves no zombie. */
static bool spawn(const char *program, const char *folder, char **words, size_t n, struct err *err)
{
	char *argv[JOBLINE_MAX_WORDS + 2] = {(char[]){"vecsmith"}};
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = words[i];
	char absolute[4096];
	if (!realpath(folder, absolute))
		return err_errno(err, "%s", folder);
	struct arena a = ARENA_INIT;
	char **env = job_environment(absolute, &a);
	char *out = xasprintf("%s/out.txt", folder), *log = xasprintf("%s/log.txt", folder);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0)
			become_job(program, env, out, log, argv);
		_exit(0);
	}
	bool ok = child > 0 || err_errno(err, "cannot start the job");
	if (ok)
		waitpid(child, NULL, 0);
	arena_release(&a);
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
	char *copy = xstrdup(line), *words[JOBLINE_MAX_WORDS];
	size_t n = 0;
	bool ok = jobline_split(copy, words, &n, err) &&
		(n > 0 || err_set(err, ERR_USAGE, "no command"));
	char *folder = ok ? new_folder(s, words[0], err) : NULL;
	ok = folder && write_job_json(folder, words, n, err) &&
		spawn(s->program, folder, words, n, err);
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

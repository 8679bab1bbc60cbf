/* vecsmith: the front door and the workbench. A command is handed to vecsmith-job, which holds the
 * engine; help and version are answered here, without loading it; a file or folder opens the
 * workbench. */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/signals.h"
#include "base/utf8.h"
#include "job/jobs.h"
#include "tui/loop.h"
#include "tui/script.h"

static void print_version(void)
{
	puts("vecsmith " VECSMITH_VERSION "\n"
	     "Sources: Apache-2.0. This program links readline, so a distributed binary of it is\n"
	     "GPL-3.0-or-later; vecsmith-job does not. vecsmith-job uses libtorch (BSD-3-Clause, with\n"
	     "Intel MKL inside) and faiss (MIT) as installed on this machine; no package of ours\n"
	     "contains them. assets/licenses/ lists everything linked.");
}

static void print_usage(void)
{
	puts("vecsmith: from a file of pairs to a better embedding model\n\n"
	     "usage: vecsmith [--workspace DIR] [FILE|DIR ...]   the workbench\n"
	     "       vecsmith COMMAND [options]                  one step of the work\n"
	     "       vecsmith COMMAND --help\n\nCommands, in the order of the data:");
	for (size_t i = 0; all_jobs[i]; i++)
		printf("  %-10s %s\n", all_jobs[i]->name, all_jobs[i]->summary);
	puts("\nThe workbench also takes:\n"
	     "  --script FILE   keys and commands from a file instead of a terminal; screens as text\n"
	     "  --size CxR      of the screen in a script [80x24]\n"
	     "  --keys          the key card\n"
	     "  --version       what this is and what it links\n\nA first tour: README.md, or assets/start.");
}

/* The engine stands beside us: bin/../libexec when installed, libexec/ in the build tree. */
static char *find_engine(struct arena *a)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return NULL;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	static const char *const places[] = {
		"libexec/vecsmith/vecsmith-job", "../libexec/vecsmith/vecsmith-job"};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *path = fs_join(a, self, places[i]);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

static int print_job_help(const struct job *job)
{
	struct buf help = BUF_INIT;
	opts_help(job, &help);
	fputs(help.data, stdout);
	buf_release(&help);
	return 0;
}

static int hand_over(char **argv)
{
	struct arena a = ARENA_INIT;
	char *engine = find_engine(&a);
	if (!engine) {
		fputs("vecsmith: libexec/vecsmith/vecsmith-job is not where it was installed; build or "
		      "install again\n",
			stderr);
		return 1;
	}
	/* OpenMP's threads spin by default and starve each other on shared machines. libgomp reads
	 * this before main(). */
	setenv("OMP_WAIT_POLICY", "passive", 0);
	argv[0] = engine;
	execv(engine, argv);
	fprintf(stderr, "vecsmith: cannot start %s: %s\n", engine, strerror(errno));
	arena_release(&a);
	return 1;
}

static int run_command(const struct job *job, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return print_job_help(job);
	return hand_over(argv);
}

static int print_keys(void)
{
	struct buf card = BUF_INIT;
	command_card(&card, ON_ALL, 0);
	buf_adds(&card, "\n");
	command_card(&card, ON_ALL, ON_ALL);
	fputs(card.data, stdout);
	buf_release(&card);
	return 0;
}

static int fail(const struct err *err)
{
	struct buf clean = BUF_INIT;
	utf8_sanitize(&clean, text_of(err->text));
	fprintf(stderr, "vecsmith: %s\n", clean.data ? clean.data : "");
	buf_release(&clean);
	return err->code == ERR_USAGE ? 2 : err->code == ERR_DATA ? 3 : 1;
}

struct words {
	struct app_options app;
	const char *script;
	const char **paths;
};

static bool read_words(int argc, char **argv, struct words *w, struct err *err)
{
	w->app = (struct app_options){.rows = 24, .cols = 80};
	w->app.workspace = getenv("VECSMITH_WORKSPACE");
	w->paths = xcalloc((size_t)argc, sizeof *w->paths);
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		bool takes_value = true;
		if (strncmp(argv[i], "--", 2) != 0) {
			w->paths[w->app.n_paths++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--workspace") == 0)
			w->app.workspace = value;
		else if (strcmp(argv[i], "--script") == 0)
			w->script = value;
		else if (strcmp(argv[i], "--size") == 0)
			takes_value =
				value && sscanf(value, "%dx%d", &w->app.cols, &w->app.rows) == 2;
		else
			takes_value = false;
		if (!takes_value || !value)
			return err_set(err, ERR_USAGE,
				"\"%s\" is no option of the workbench, or lacks its value (vecsmith --help)",
				argv[i]);
		i++;
	}
	w->app.paths = w->paths;
	w->app.is_script = w->script != NULL;
	return true;
}

static int run_workbench(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct words w = {0};
	signals_install();
	bool ok = read_words(argc, argv, &w, &err);
	if (ok && argc == 1 && !isatty(STDIN_FILENO)) {
		print_usage();
		free(w.paths);
		return 2;
	}
	if (ok && w.script) {
		const char *codeset = setlocale(LC_CTYPE, NULL);
		w.app.is_ascii =
			codeset && (strcmp(codeset, "C") == 0 || strcmp(codeset, "POSIX") == 0);
		ok = script_run(w.script, &w.app, &err);
	} else if (ok) {
		ok = loop_run(&w.app, &err);
	}
	free(w.paths);
	int sig = stop_requested();
	return !ok ? fail(&err) : sig ? 128 + sig : 0;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	const char *first = argc > 1 ? argv[1] : "";
	if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 ||
		strcmp(first, "help") == 0) {
		print_usage();
		return 0;
	}
	if (strcmp(first, "--version") == 0) {
		print_version();
		return 0;
	}
	if (strcmp(first, "--keys") == 0)
		return print_keys();
	const struct job *job = argc > 1 ? job_find(first) : NULL;
	if (job)
		return run_command(job, argc, argv);
	if (first[0] && first[0] != '-' && !fs_exists(first)) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_USAGE,
			"%s is neither a command nor a file; `vecsmith --help` lists the commands",
			first);
		return fail(&err);
	}
	return run_workbench(argc, argv);
}

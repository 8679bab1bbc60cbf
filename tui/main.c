/* vecsmith: the front door. A command is handed to vecsmith-job, which holds the engine; help and version are answered
 * here, without loading it. */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/utf8.h"
#include "job/jobs.h"

static void print_version(void)
{
	puts("vecsmith " VECSMITH_VERSION "\n"
	     "Sources: Apache-2.0. vecsmith-job links libtorch (BSD-3-Clause, with Intel MKL inside) and faiss (MIT) as\n"
	     "installed on this machine; no package of ours contains them. assets/licenses/ lists everything linked.");
}

static void print_usage(void)
{
	puts("vecsmith: from a file of pairs to a better embedding model\n\n"
	     "usage: vecsmith COMMAND [options]\n"
	     "       vecsmith COMMAND --help\n\nCommands, in the order of the data:");
	for (size_t i = 0; all_jobs[i]; i++)
		printf("  %-10s %s\n", all_jobs[i]->name, all_jobs[i]->summary);
	puts("\n  --version  what this is and what it links\n\nA first tour: README.md, or assets/start.");
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
		fputs("vecsmith: libexec/vecsmith/vecsmith-job is not where it was installed; build or install again\n",
			stderr);
		return 1;
	}
	/* OpenMP's threads spin by default and starve each other on shared machines. libgomp reads this before main(). */
	setenv("OMP_WAIT_POLICY", "passive", 0);
	argv[0] = engine;
	execv(engine, argv);
	fprintf(stderr, "vecsmith: cannot start %s: %s\n", engine, strerror(errno));
	arena_release(&a);
	return 1;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		print_usage();
		return argc < 2 ? 2 : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		print_version();
		return 0;
	}
	const struct job *job = job_find(argv[1]);
	if (!job) {
		struct buf clean = BUF_INIT;
		utf8_sanitize(&clean, text_of(argv[1]));
		fprintf(stderr, "vecsmith: %s is no command; `vecsmith --help` lists them\n",
			clean.data ? clean.data : "");
		buf_release(&clean);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return print_job_help(job);
	return hand_over(argv);
}

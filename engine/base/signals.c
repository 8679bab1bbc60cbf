#include "base/signals.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HAS_SANITIZER = 1 };
#else
enum { HAS_SANITIZER = 0 };
#endif

static volatile sig_atomic_t asked;
static char crash_file[4096];

static void on_stop(int sig)
{
	if (asked == SIGINT && sig == SIGINT)
		_exit(130); /* twice: the person means it */
	asked = sig;
}

static void put(int fd, const char *s)
{
	ssize_t n = write(fd, s, strlen(s));
	(void)n; /* nothing left to do about it here */
}

static void report(int fd, int sig)
{
	void *frames[64];
	put(fd, "vecsmith died: ");
	put(fd, sigdescr_np(sig) ? sigdescr_np(sig) : "unknown signal");
	put(fd, ". Finished work is on disk; the places below help to find the fault:\n");
	backtrace_symbols_fd(frames, backtrace(frames, 64), fd);
}

static void on_crash(int sig)
{
	report(STDERR_FILENO, sig);
	int fd = crash_file[0] ? open(crash_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
			       : -1;
	if (fd >= 0) {
		report(fd, sig);
		close(fd);
	}
	/* SA_RESETHAND has put the default action back: the parent sees the true cause. */
	raise(sig);
}

void signals_install(void)
{
	struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* Sanitizers bring crash reports of their own, which say more. */
	if (HAS_SANITIZER)
		return;
	/* The first call of backtrace loads a library, which a handler must not. */
	void *frames[1];
	backtrace(frames, 1);
	struct sigaction crash = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		sigaction(fatal[i], &crash, NULL);
}

int stop_requested(void)
{
	return asked;
}

void signals_crash_file(const char *path)
{
	snprintf(crash_file, sizeof crash_file, "%s", path ? path : "");
}

bool stop_check(struct err *err)
{
	if (!asked)
		return true;
	return err_set(err, ERR_STOPPED, "%s after a clean stop",
		asked == SIGINT ? "interrupted" : "terminated");
}

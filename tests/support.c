#include "support.h"

#include <math.h>
#include <unistd.h>

#include "base/fs.h"

const char *test_file(const char *relative)
{
	static char ring[8][4096];
	static unsigned at;
	char *path = ring[at++ % ARRAY_LEN(ring)];
	snprintf(path, sizeof ring[0], "%s/%s", SOURCE_DIR, relative);
	return path;
}

static const char *if_there(const char *path)
{
	return fs_exists(path) ? path : NULL;
}

const char *test_shared(const char *relative)
{
	char path[1024];
	snprintf(path, sizeof path, "../shared/data/%s", relative);
	return if_there(test_file(path));
}

const char *test_model(const char *name)
{
	char path[1024];
	snprintf(path, sizeof path, "build/models/%s", name);
	return if_there(test_file(path));
}

static char scratch[] = "/tmp/vecsmith-test-XXXXXX";

static void remove_scratch(void)
{
	struct err err = ERR_INIT;
	if (!fs_remove_tree(scratch, &err))
		fprintf(stderr, "%s\n", err.text);
}

const char *test_scratch(void)
{
	static bool is_made;
	if (!is_made) {
		is_made = true;
		if (!mkdtemp(scratch))
			fail_msg("mkdtemp failed");
		atexit(remove_scratch);
	}
	return scratch;
}

void assert_close(const float *a, const float *b, size_t n, double tolerance)
{
	double worst = 0.0;
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		double d = fabs((double)a[i] - (double)b[i]);
		if (!(d <= worst)) {
			worst = d;
			at = i;
		}
	}
	if (!(worst <= tolerance))
		fail_msg("largest difference %g at %zu (%g, %g), allowed %g", worst, at,
			(double)a[at], (double)b[at], tolerance);
}

void test_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		fail_msg("cannot write %s", path);
}

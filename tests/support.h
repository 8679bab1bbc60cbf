/* support.h - what every test needs: cmocka with its includes, the project's and the shared files,
 * a scratch folder. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

#define TEST_SKIPPED 77 /* exit status that ctest reports as skipped */

/* SOURCE_DIR/relative; the string lives in a static ring of 8. */
const char *test_file(const char *relative);
/* ../shared/data/relative, or NULL (a clone without it): the test says so and skip()s. */
const char *test_shared(const char *relative);
/* build/models/NAME, or NULL when it was not fetched. */
const char *test_model(const char *name);
/* A fresh empty folder, removed at exit. */
const char *test_scratch(void);
/* Fails with the error's text unless ok. */
#define assert_ok(ok, err)                                                                         \
	do {                                                                                       \
		if (!(ok))                                                                         \
			fail_msg("%s", (err)->text);                                               \
	} while (0)
/* |a - b| <= tolerance for n floats; prints the largest difference and its place. */
void assert_close(const float *a, const float *b, size_t n, double tolerance);
void test_write(const char *path, const char *text);

#endif

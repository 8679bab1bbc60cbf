/* fuzz.h - what the targets share. A target is a file with LLVMFuzzerTestOneInput(); libFuzzer runs it
 * where clang is at hand, driver.c where not. A finding is a crash, a sanitiser's report, or
 * fuzz_require(). */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "text/tokenizer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_require(ok, what)                                                                     \
	do {                                                                                       \
		if (!(ok)) {                                                                       \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, what);                  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A folder of this process in memory, where there is some; removed at exit. */
const char *fuzz_folder(void);
/* The folder holds nothing but this file now. */
void fuzz_put(const char *name, const void *data, size_t size);
/* tokenizer_open() of the file that was put, tokenizer.json or tokenizer.model, with tables of characters that
 * are made once: making them takes longer than all the rest. NULL: refused, with a sentence. */
struct tokenizer *fuzz_open(void);
void fuzz_close(struct tokenizer *t);
/* Every way to encode the text gives the same, and places that lie in the text. */
void fuzz_encode(struct tokenizer_run *r, const struct tokenizer *t, struct text text);

#endif

/* probe.h - a tokenizer that is opened behind the screen, and what it makes of a line of text.
 *
 * Opening takes up to a third of a second: a thread does it, so that no key waits. One tokenizer is
 * held, the one asked for last. */
#ifndef TUI_PROBE_H
#define TUI_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "text/tokenizer.h"

struct probe;
struct probe *probe_new(void);
void probe_free(struct probe *p); /* waits for what is being opened */

/* Asks for the tokenizer of a folder; nothing to do when it is there or on its way. */
void probe_open(struct probe *p, const char *dir);
/* Waits for it, at most so many milliseconds; true while it is still on its way. */
bool probe_wait(struct probe *p, int ms);

enum probe_state { PROBE_NONE, PROBE_OPENING, PROBE_READY, PROBE_FAILED };
enum probe_state probe_state(const struct probe *p);
const char *probe_error(const struct probe *p); /* of PROBE_FAILED */
const struct tokenizer *probe_tokenizer(const struct probe *p); /* of PROBE_READY */

/* The tokens of a text without special ones, and where a limit cuts them. */
struct probed {
	struct text text; /* its own copy */
	const int32_t *ids; /* [n] */
	const struct token_span *spans; /* [n] */
	size_t n, n_special; /* special: those that the template adds */
	size_t n_kept; /* of n, when max_length is 0 all */
	size_t n_unknown;
};
/* Of PROBE_READY. Borrowed until the next call; the same text and limit cost nothing again. */
const struct probed *probe_text(struct probe *p, struct text t, size_t max_length);

#endif

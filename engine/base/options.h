/* options.h - one table says everything about a command's options: it makes the command line, the
 * YAML keys of --config, the launch form, --help, and the manifest.
 *
 *	static const struct option options[] = {
 *		{"in", OPT_PATHS, NULL, NULL, "DATA", "rows to read"},
 *		{"negatives", OPT_INT, "7", "1..1000", "N", "negatives a row"},
 *		{NULL}
 *	};
 *	const struct job mine_job = {"mine", "rows -> rows with negatives", options, examples};
 *
 * A name is `--negatives 5` or `--negatives=5` on the command line, `negatives: 5` in YAML (where
 * `_` and `-` mean the same). The command line wins over the file, the file over the default. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum opt_type {
	OPT_FLAG, /* bool; `--x`, `--no-x`, `x: true`                                   */
	OPT_INT, /* int64; range "LOW..HIGH", either end may be empty                  */
	OPT_REAL, /* double; range likewise                                             */
	OPT_STRING, /* any text; range, when given, lists the choices: "auto|cpu|cuda"    */
	OPT_LIST, /* strings: separated by commas, repeated, or a YAML list             */
	OPT_PATHS, /* as OPT_LIST, but several words may follow: `--data a.jsonl b.jsonl`; commas
	              stay */
};

struct option {
	const char *name;
	enum opt_type type;
	const char *def; /* as it would be typed; NULL = not set */
	const char *range; /* NULL = anything of the type */
	const char *arg; /* what help calls the value: FILE, N, X; NULL for a flag */
	const char *help; /* one sentence, lower case, no full stop; units stand here */
	bool is_positional; /* words without -- go here (one such option a command, OPT_PATHS or
	                       OPT_LIST) */
	bool is_required;
	bool may_stand_alone; /* an OPT_STRING whose value may be left out; then it is "" */
};

struct job {
	const char *name, *summary; /* summary: "rows -> rows with negatives" */
	const struct option
		*options; /* ends with a NULL name; the common ones need not be repeated */
	const char *examples; /* lines of a shell, shown by --help */
};

/* The options that every command has: device, dtype, threads, seed, no-cache, workspace, config,
 * json, log-level, help. */
extern const struct option common_options[];

struct opts; /* the parsed values of one command line */
/* argv[0] is the command's name. Prints nothing. `--help` gives true with opts_help_asked(). */
struct opts *opts_parse(
	const struct job *job, int argc, char *const *argv, struct err *err) MUST_CHECK;
void opts_free(struct opts *o);
const struct job *opts_job(const struct opts *o);
bool opts_help_asked(const struct opts *o);
void opts_help(const struct job *job, struct buf *out); /* the text of --help */

/* Reading a value by name; asking for a name or a type that the table lacks is a programmer's error
 * (assert). Strings live as long as o; an unset string is NULL, an unset number 0: ask opts_given.
 */
bool opts_knows(const struct opts *o, const char *name); /* the table has this name */
bool opts_given(const struct opts *o, const char *name); /* typed or in the file, not by default */
bool opts_has(const struct opts *o, const char *name); /* given or by default */
bool opts_flag(const struct opts *o, const char *name);
int64_t opts_int(const struct opts *o, const char *name);
double opts_real(const struct opts *o, const char *name);
const char *opts_str(const struct opts *o, const char *name);
size_t opts_list(const struct opts *o, const char *name, const char *const **ret);
/* Replaces a value as if typed; for jobs that start other jobs. */
bool opts_set(struct opts *o, const char *name, const char *value, struct err *err) MUST_CHECK;
/* All values as one JSON object, sorted as in the table: what a manifest holds. */
void opts_json(const struct opts *o, struct buf *out);

#endif

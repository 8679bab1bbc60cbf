/* inspect.h - in: a data set; out: what is in it, and what is wrong with it.
 *
 * One pass over all rows on several threads; the report is the same for any number of them. Rows
 * that cannot be read are `broken`, each with its place and reason. A finding is something that can
 * be read but will hurt somewhere: how many rows, the first places, and what to do about it.
 *
 * Texts are equal when their bytes are (compared by 64-bit hashes).
 *
 *	struct inspect_report r;
 *	if (inspect(d, &(struct inspect_options){.threads = 2}, &r, &err)) ...
 *	inspect_release(&r); */
#ifndef CURATE_INSPECT_H
#define CURATE_INSPECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "text/tokenizer.h"

struct inspect_options {
	int threads;
	const struct tokenizer *tokenizer; /* counts tokens; NULL: characters alone */
	/* A text of more tokens is long; 0 = 512. Without a tokenizer a token is taken as 4 bytes,
	 * about what multilingual vocabularies need for English and Korean alike. */
	size_t max_length;
	size_t n_examples; /* places that a finding keeps, the first ones; 0 = 5 */
};

/* ORDER findings: the table in findings.c. */
enum finding_kind {
	FINDING_BROKEN,
	FINDING_POS_STRING,
	FINDING_NEG_STRING,
	FINDING_EMPTY_POS,
	FINDING_EMPTY_NEG,
	FINDING_EMPTY_QUERY,
	FINDING_EMPTY_TEXT,
	FINDING_MISALIGNED_SCORES,
	FINDING_REPLACED_SURROGATES,
	FINDING_NOT_NFC,
	FINDING_BROKEN_HANGUL, /* only with a tokenizer */
	FINDING_LONG_TEXT,
	FINDING_POSITIVE_IN_NEGATIVES,
	FINDING_QUERY_IN_POSITIVES,
	FINDING_QUERY_IN_NEGATIVES,
	FINDING_REPEATED_TEXT,
	FINDING_NEGATIVE_ABOVE_POSITIVE,
	FINDING_DUPLICATE_ROW,
	FINDING_DUPLICATE_QUERY,
	FINDING_SHARED_POSITIVE,
	FINDING_LEAKED_QUERY,
	FINDING_LEAKED_POSITIVE,
	FINDING_MISSING_QRELS,
	N_FINDINGS
};
const char *finding_name(enum finding_kind k); /* for scripts: "empty_neg" */
const char *finding_what(enum finding_kind k); /* for people: "no negatives" */
const char *finding_advice(enum finding_kind k);

#define NO_ROW SIZE_MAX
struct example {
	size_t row;
	size_t other; /* the row that it equals: of the other file, or an earlier one; else NO_ROW */
};
struct finding {
	enum finding_kind kind;
	size_t count; /* rows (of file_a when there are two files; judgements for missing ones) */
	struct example *examples; /* the first ones, in the order of the rows */
	size_t n_examples;
	size_t file_a, file_b; /* a leak: rows of file_a that also stand in file_b */
};

struct lengths {
	size_t n, min, p50, p90, p99, max; /* exact: the smallest length that at least this share
					      of the texts does not exceed */
	double mean;
};
enum inspect_part { PART_QUERY, PART_POS, PART_NEG, N_PARTS };

struct inspect_file {
	size_t n_rows, n_broken, n_queries; /* queries: distinct ones */
};
struct inspect_broken {
	size_t row;
	const char *why; /* file:line:column: reason */
};
struct inspect_field {
	const char *name; /* as the file spells it, escapes and all */
	size_t n; /* rows that have it */
	const char *type; /* "a string", "a list" ...: the commonest there */
};

struct inspect_report {
	size_t n_rows; /* broken ones included */
	size_t n_queries; /* distinct */
	struct inspect_file *files; /* as dataset_files() */
	size_t n_files;
	struct inspect_broken *broken; /* all of them, in order */
	size_t n_broken;
	struct inspect_field *fields; /* most frequent first */
	size_t n_fields;
	struct lengths chars[N_PARTS], tokens[N_PARTS]; /* tokens only with a tokenizer */
	struct lengths per_row[N_PARTS]; /* how many positives and negatives a row has */
	struct finding *findings; /* those that occur, in the order of the enum */
	size_t n_findings;
	struct arena arena; /* owns it all */
};

bool inspect(const struct dataset *d, const struct inspect_options *opt, struct inspect_report *ret,
	struct err *err) MUST_CHECK;
void inspect_release(struct inspect_report *r);

#endif

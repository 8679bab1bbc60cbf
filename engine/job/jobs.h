/* jobs.h - the commands. A command is two files: NAME_options.c holds its `struct job` (option
 * table, examples; linked into both programs) and NAME.c its run function (linked into vecsmith-job
 * alone). all_options.c lists them all. */
#ifndef JOB_JOBS_H
#define JOB_JOBS_H

#include "base/options.h"

extern const struct job *const all_jobs[]; /* in the order of the data; ends with NULL */
const struct job *job_find(const char *name); /* NULL: no such command */

extern const struct job inspect_job, tokenize_job, encode_job, search_job, mine_job, score_job,
	export_job, train_job, eval_job, compare_job, metrics_job, model_job, doctor_job;

/* Options that several commands share: put them into a table as they stand. */
#define OPTION_IN_ROWS                                                                             \
	{                                                                                          \
		.name = "in", .type = OPT_PATHS, .arg = "DATA", .is_required = true,               \
		.help = "rows: JSONL files, or BEIR folders (see --split)"                         \
	}
#define OPTION_SPLIT(standard)                                                                     \
	{                                                                                          \
		.name = "split", .type = OPT_STRING, .def = standard, .arg = "NAME",               \
		.help = "which qrels/NAME.tsv of a BEIR folder"                                    \
	}
#define OPTION_OUT                                                                                 \
	{                                                                                          \
		.name = "out", .type = OPT_STRING, .arg = "FILE", .is_required = true,             \
		.help = "where the result goes; it appears only when it is complete"               \
	}
#define OPTION_STRICT                                                                              \
	{                                                                                          \
		.name = "strict", .type = OPT_FLAG, .help = "a broken row ends the command"        \
	}
/* How texts become vectors: read back by job_encoder_options(). */
#define OPTIONS_ENCODER                                                                                              \
	{.name = "model",                                                                                            \
		.type = OPT_STRING,                                                                                  \
		.arg = "DIR",                                                                                        \
		.is_required = true,                                                                                 \
		.help = "Hugging Face folder of the embedding model"},                                               \
		{.name = "pooling",                                                                                  \
			.type = OPT_STRING,                                                                          \
			.range = "cls|mean|max|last|mean_sqrt_len|weighted",                                         \
			.arg = "P",                                                                                  \
			.help = "overrides the folder's pooling"},                                                   \
		{.name = "attention",                                                                                \
			.type = OPT_STRING,                                                                          \
			.def = "auto",                                                                               \
			.range = "auto|causal|bidirectional",                                                        \
			.help = "of a decoder: auto does as the folder says"},                                       \
		{.name = "base",                                                                                     \
			.type = OPT_STRING,                                                                          \
			.arg = "DIR",                                                                                \
			.help = "of an adapter folder: where its base lies (default: as adapter_config.json says)"}, \
		{.name = "prompts",                                                                                  \
			.type = OPT_STRING,                                                                          \
			.def = "auto",                                                                               \
			.arg = "FAMILY",                                                                             \
			.help = "whose prompts and closing token: none, or a family such as e5-mistral, "            \
				"above the folder's own (auto: the folder's, else its family's by its name)"},       \
		{.name = "max-length",                                                                               \
			.type = OPT_INT,                                                                             \
			.range = "2..",                                                                              \
			.arg = "N",                                                                                  \
			.help = "tokens a text, prompt and special tokens counted (default: the folder's)"},         \
		{.name = "query-max-length",                                                                         \
			.type = OPT_INT,                                                                             \
			.range = "2..",                                                                              \
			.arg = "N",                                                                                  \
			.help = "the same for queries alone"},                                                       \
		{.name = "passage-max-length",                                                                       \
			.type = OPT_INT,                                                                             \
			.range = "2..",                                                                              \
			.arg = "N",                                                                                  \
			.help = "the same for passages alone"},                                                      \
		{.name = "no-truncation",                                                                            \
			.type = OPT_FLAG,                                                                            \
			.help = "a text that is too long is an error instead of being cut"},                         \
	{                                                                                                            \
		.name = "batch-tokens", .type = OPT_INT, .range = "16..", .arg = "N",                                \
		.help = "tokens packed into one batch"                                                               \
	}
#define OPTIONS_PROMPTS                                                                            \
	{.name = "query-prompt",                                                                   \
		.type = OPT_STRING,                                                                \
		.arg = "TEXT",                                                                     \
		.help = "put before every query (default: the folder's)"},                         \
	{                                                                                          \
		.name = "passage-prompt", .type = OPT_STRING, .arg = "TEXT",                       \
		.help = "put before every passage (default: the folder's)"                         \
	}

#endif

#include "job/jobs.h"

static const struct option options[] = {
	OPTION_IN_ROWS,
	OPTION_SPLIT("train"),
	OPTION_OUT,
	{.name = "decisions", .type = OPT_FLAG, .help = "apply what was decided in the workbench"},
	OPTION_STRICT,
	{.name = NULL},
};

const struct job export_job = {"export", "rows -> the same rows with every decision applied",
	options,
	"  vecsmith export --in train.mined.jsonl --out train.curated.jsonl --decisions\n"
	"  vecsmith export --in DIR --split train --out rows.jsonl\n"};

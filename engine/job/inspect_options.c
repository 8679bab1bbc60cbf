#include "job/jobs.h"

static const struct option options[] = {
	{.name = "data",
		.type = OPT_PATHS,
		.arg = "DATA",
		.is_positional = true,
		.is_required = true,
		.help = "rows: JSONL files, or BEIR folders (see --split); several are compared"},
	OPTION_SPLIT("train"),
	OPTION_STRICT,
	{.name = "index-only",
		.type = OPT_FLAG,
		.help = "find the rows without reading them, as the workbench does on opening"},
	{.name = "model",
		.type = OPT_STRING,
		.arg = "DIR",
		.help = "count tokens with this model's tokenizer as well, and the rows whose decomposed "
			"Hangul it reads as other tokens"},
	{.name = "max-length",
		.type = OPT_INT,
		.range = "2..",
		.arg = "N",
		.help = "a text of more tokens is long (default: the model's limit, else 512); "
			"without --model 4 bytes are taken for a token"},
	{.name = "examples",
		.type = OPT_INT,
		.def = "5",
		.range = "1..1000",
		.arg = "N",
		.help = "places named for each finding"},
	{.name = NULL},
};

const struct job inspect_job = {"inspect",
	"what is in rows and what is wrong with them: counts, lengths, duplicates, leaks, broken rows",
	options,
	"  vecsmith inspect train.jsonl\n"
	"  vecsmith inspect train.jsonl eval/ --split test    # does the test set leak into training?\n"
	"  vecsmith inspect train.jsonl --model build/models/me5-small --max-length 256\n"
	"  vecsmith inspect train.jsonl --strict --json > report.json\n"};

#include "job/jobs.h"

static const struct option options[] = {
	OPTIONS_ENCODER,
	OPTIONS_PROMPTS,
	{.name = "data",
		.type = OPT_PATHS,
		.arg = "D",
		.is_required = true,
		.help = "BEIR folders, or STS files: TSV or JSONL with sentence1, sentence2, score"},
	OPTION_SPLIT("test"),
	{.name = "k",
		.type = OPT_LIST,
		.arg = "LIST",
		.help = "cut-offs (default: 1,3,5,10,20,50,100,1000)"},
	{.name = "top",
		.type = OPT_INT,
		.def = "1000",
		.range = "1..",
		.arg = "N",
		.help = "passages ranked a query"},
	{.name = "run",
		.type = OPT_STRING,
		.arg = "FILE",
		.help = "writes the rankings in TREC's format; with several sets FILE is a folder of "
			"SET.run"},
	{.name = "out",
		.type = OPT_STRING,
		.arg = "FILE.json",
		.help = "writes what --json prints, for compare"},
	{.name = NULL},
};

const struct job eval_job = {"eval", "a model on test sets -> figures a set and a query", options,
	"vecsmith eval --model build/models/me5-small --data DIR --split test\n"
	"vecsmith eval --model M --data ko en sts.tsv --out after.json\n"
	"vecsmith eval --model M --data DIR --run test.run --json\n"};

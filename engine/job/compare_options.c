#include "job/jobs.h"

static const struct option options[] = {
	{.name = "reports",
		.type = OPT_PATHS,
		.arg = "A B",
		.is_positional = true,
		.is_required = true,
		.help = "before and after: JSON files of eval --out, folders of them, or run directories"},
	{.name = "metrics",
		.type = OPT_LIST,
		.arg = "LIST",
		.help = "figures of the table (default: the main ones; --json has all)"},
	{.name = "by",
		.type = OPT_STRING,
		.def = "ndcg@10",
		.arg = "METRIC",
		.help = "which figure says who lost most"},
	{.name = "worst",
		.type = OPT_INT,
		.def = "10",
		.range = "0..",
		.arg = "N",
		.help = "so many of the queries that lost most"},
	{.name = NULL},
};

const struct job compare_job = {"compare",
	"two evaluations -> differences with intervals, won and lost queries", options,
	"vecsmith compare before.json after.json\n"
	"vecsmith compare before.json runs/first --metrics ndcg@10,recall@100 --worst 20\n"};

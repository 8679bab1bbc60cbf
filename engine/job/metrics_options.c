#include "job/jobs.h"

static const struct option options[] = {
	{.name = "qrels",
		.type = OPT_STRING,
		.arg = "F",
		.is_required = true,
		.help = "judgements: TREC's four columns, or a BEIR qrels/SPLIT.tsv"},
	{.name = "run",
		.type = OPT_STRING,
		.arg = "F",
		.is_required = true,
		.help = "a ranking in TREC's six columns"},
	{.name = "k",
		.type = OPT_LIST,
		.arg = "LIST",
		.help = "cut-offs (default: 1,3,5,10,20,50,100,1000)"},
	{.name = "complete",
		.type = OPT_FLAG,
		.help = "a judged query without a ranking counts as 0 (trec_eval -c)"},
	{.name = "level",
		.type = OPT_INT,
		.def = "1",
		.range = "1..",
		.arg = "N",
		.help = "the least grade that is relevant, for all figures but ndcg (trec_eval -l)"},
	{.name = "max-docs",
		.type = OPT_INT,
		.range = "1..",
		.arg = "N",
		.help = "look at so many documents a query (trec_eval -M)"},
	{.name = NULL},
};

const struct job metrics_job = {"metrics", "qrels and a run file -> trec_eval's figures", options,
	"vecsmith metrics --qrels DIR/qrels/test.tsv --run test.run\n"
	"vecsmith metrics --qrels qrels.txt --run bm25.run --complete --json\n"};

#include "job/jobs.h"

static const struct option options[] = {
	OPTION_IN_ROWS,
	OPTION_SPLIT("train"),
	OPTION_OUT,
	OPTIONS_ENCODER,
	OPTIONS_PROMPTS,
	{.name = "raw",
		.type = OPT_FLAG,
		.help = "a reranker's scores as they leave its head, the default"},
	{.name = "sigmoid", .type = OPT_FLAG, .help = "a reranker's scores between 0 and 1"},
	{.name = "name",
		.type = OPT_STRING,
		.arg = "TEACHER",
		.help = "under which name `scores` keeps them (default: the model folder's)"},
	{.name = "label",
		.type = OPT_INT,
		.def = "0",
		.range = "0..",
		.arg = "N",
		.help = "output of a reranker's head that has several"},
	{.name = "family",
		.type = OPT_STRING,
		.def = "auto",
		.range = "auto|yes|yes-no",
		.help = "how a causal language model is asked: by FlagEmbedding's A: B: prompt, or "
			"Qwen3-Reranker's template (auto: Qwen3 the latter, others the former)"},
	{.name = "instruction",
		.type = OPT_STRING,
		.arg = "TEXT",
		.help = "what such a model is asked, in place of the family's own words"},
	{.name = "layers",
		.type = OPT_INT,
		.range = "1..",
		.arg = "N",
		.help = "only the first N layers of such a model run: a layerwise cut-off"},
	OPTION_STRICT,
	{.name = NULL},
};

const struct job score_job = {"score",
	"rows -> rows with a judge's opinion (reranker: scores; embedder: sims)", options,
	"vecsmith score --model RERANKER --in mined.jsonl --out scored.jsonl --name bge-m3\n"
	"vecsmith score --model RERANKER --in mined.jsonl --out scored.jsonl --query-max-length 384 "
	"--max-length 512\n"
	"vecsmith score --model build/models/me5-small --in rows.jsonl --out rows-with-sims.jsonl\n"};

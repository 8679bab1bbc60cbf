#include "job/jobs.h"

static const struct option options[] = {
	{.name = "model",
		.type = OPT_STRING,
		.arg = "DIR",
		.is_required = true,
		.help = "folder with tokenizer.json, or with vocab.txt"},
	{.name = "in",
		.type = OPT_STRING,
		.arg = "FILE",
		.is_required = true,
		.help = "texts: JSONL with `text`, or one a line"},
	{.name = "out",
		.type = OPT_STRING,
		.arg = "FILE",
		.help = "where the ids go; without it to stdout"},
	{.name = "prompt", .type = OPT_STRING, .arg = "TEXT", .help = "put before every text"},
	{.name = "prompt-name",
		.type = OPT_STRING,
		.arg = "NAME",
		.help = "the folder's prompt of this name, put before every text: query, document, "
			"..."},
	{.name = "max-length",
		.type = OPT_INT,
		.range = "1..",
		.arg = "N",
		.help = "tokens a text, prompt and special tokens counted; longer ones are cut "
			"(default: none is)"},
	{.name = "no-special",
		.type = OPT_FLAG,
		.help = "leave out the special tokens that the model's template adds"},
	{.name = "bench",
		.type = OPT_FLAG,
		.help = "encode all texts, write no ids, and say how fast it was"},
	{.name = NULL},
};

const struct job tokenize_job = {"tokenize",
	"texts -> one {\"ids\":[...]} a line, blank texts included", options,
	"  vecsmith tokenize --model build/models/me5-small --in corpus.jsonl --out ids.jsonl\n"
	"  printf '%s\\n' 'hello world' > t.txt; vecsmith tokenize --model build/models/minilm-en "
	"--in t.txt\n"
	"  vecsmith tokenize --model build/models/me5-small --in queries.jsonl --prompt-name query "
	"--max-length 512\n"
	"  vecsmith tokenize --model build/models/me5-small --in corpus.jsonl --bench "
	"--threads 1\n"};

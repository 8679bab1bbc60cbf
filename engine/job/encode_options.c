#include "job/jobs.h"

static const struct option options[] = {
	OPTIONS_ENCODER,
	{.name = "in",
		.type = OPT_STRING,
		.arg = "FILE",
		.is_required = true,
		.help = "texts: JSONL with `text`, or one a line"},
	OPTION_OUT,
	{.name = "prompt", .type = OPT_STRING, .arg = "TEXT", .help = "put before every text"},
	{.name = "prompt-name",
		.type = OPT_STRING,
		.arg = "NAME",
		.help = "put the folder's prompt of this name before every text: query, document ..."},
	{.name = "head",
		.type = OPT_LIST,
		.arg = "LIST",
		.help = "which of a BGE-M3 folder's heads: dense (OUT), sparse (OUT's name with "
			".sparse.jsonl), multi (.multi.npy, .multi.offsets.npy); default: all that are "
			"there"},
	{.name = "normalize",
		.type = OPT_FLAG,
		.help = "scale vectors to length 1 even when the folder does not ask for it"},
	{.name = NULL},
};

const struct job encode_job = {
	"encode",
	"texts -> vectors, [N, d] float32 in a .npy file",
	options,
	"vecsmith encode --model build/models/minilm-en --in texts.txt --out vectors.npy\n"
	"vecsmith encode --model build/models/me5-small --in corpus.jsonl --prompt-name document "
	"--out corpus.npy --json\n",
};

#include "job/jobs.h"

static const struct option options[] = {
	{.name = "model",
		.type = OPT_LIST,
		.arg = "DIR",
		.is_positional = true,
		.is_required = true,
		.help = "Hugging Face folder of a model"},
	{.name = "base",
		.type = OPT_STRING,
		.arg = "DIR",
		.help = "of an adapter folder: where its base lies (default: as adapter_config.json says)"},
	{.name = "lora-r",
		.type = OPT_INT,
		.def = "16",
		.range = "1..65536",
		.arg = "N",
		.help = "rank for which LoRA's size is told"},
	{.name = "tokens",
		.type = OPT_INT,
		.def = "2048",
		.range = "1..",
		.arg = "N",
		.help = "tokens at once for which the memory is told"},
	{.name = NULL},
};

const struct job model_job = {
	"model",
	"a model folder -> what it is: sizes, pooling, prompts, tokenizer, memory",
	options,
	"vecsmith model build/models/me5-small\n"
	"vecsmith model build/models/minilm-en --json\n",
};

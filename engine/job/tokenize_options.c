#include "job/jobs.h"

static const struct option options[] = {
	{.name = "model",
		.type = OPT_STRING,
		.arg = "DIR",
		.is_required = true,
		.help = "folder with tokenizer.json, vocab.txt, or a sentencepiece .model"},
	{.name = "in",
		.type = OPT_STRING,
		.arg = "FILE",
		.is_required = true,
		.help = "texts: JSONL with `text`, or one a line"},
	{.name = "pair",
		.type = OPT_STRING,
		.arg = "FILE",
		.help = "the second texts of pairs, as many as --in has; lines then have `types` "
			"too"},
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
		.help = "tokens a text or pair, prompt and special tokens counted; longer ones are "
			"cut (default: none is)"},
	{.name = "truncation",
		.type = OPT_STRING,
		.def = "longest_first",
		.range = "longest_first|only_first|only_second",
		.arg = "HOW",
		.help = "which text of a pair gives way"},
	{.name = "truncation-side",
		.type = OPT_STRING,
		.def = "right",
		.range = "right|left",
		.arg = "SIDE",
		.help = "which end of it goes"},
	{.name = "stride",
		.type = OPT_INT,
		.range = "0..",
		.arg = "N",
		.help = "nothing is cut: a long text becomes `parts` of --max-length tokens that "
			"share N with their neighbours"},
	{.name = "no-special",
		.type = OPT_FLAG,
		.help = "leave out the special tokens that the model's template adds"},
	{.name = "offsets",
		.type = OPT_FLAG,
		.help = "with the place [begin,end) of each token, in characters (code points) of "
			"its text, prompt included; special tokens have [0,0]"},
	{.name = "tokens", .type = OPT_FLAG, .help = "with each token as the vocabulary spells it"},
	{.name = "bench",
		.type = OPT_FLAG,
		.help = "encode all texts with one thread, then with all, write no ids, and say how "
			"fast it was"},
	{.name = "compare",
		.type = OPT_STRING,
		.arg = "DIR",
		.help = "write no ids, but how this other model's tokenizer differs: tokens a Korean "
			"and an English character, unknown ones, texts cut elsewhere"},
	{.name = NULL},
};

const struct job tokenize_job = {"tokenize",
	"texts -> one {\"ids\":[...]} a line, blank texts included", options,
	"  vecsmith tokenize --model build/models/me5-small --in corpus.jsonl --out ids.jsonl\n"
	"  printf '%s\\n' 'hello world' > t.txt; vecsmith tokenize --model build/models/minilm-en "
	"--in t.txt --tokens --offsets\n"
	"  vecsmith tokenize --model build/models/me5-small --in queries.jsonl --prompt-name query "
	"--max-length 512\n"
	"  vecsmith tokenize --model build/models/me5-small --in queries.txt --pair passages.txt "
	"--max-length 256 --truncation only_second\n"
	"  vecsmith tokenize --model build/models/me5-small --in long.jsonl --max-length 512 "
	"--stride 64\n"
	"  vecsmith tokenize --model build/models/me5-small --in corpus.jsonl --bench --json\n"
	"  vecsmith tokenize --model build/models/me5-small --in corpus.jsonl --compare "
	"build/models/minilm-en\n"};

/* Any bytes as a sentencepiece model. The first byte chooses the class. */
#include "fuzz.h"

static const char *const configs[] = {
	"{\"tokenizer_class\":\"XLMRobertaTokenizer\"}",
	"{\"tokenizer_class\":\"LlamaTokenizer\",\"add_eos_token\":true}",
	"{\"tokenizer_class\":\"LlamaTokenizer\",\"legacy\":false,\"added_tokens_decoder\":"
	"{\"700\":{\"content\":\"<pad>\"}}}",
	"{\"tokenizer_class\":\"GemmaTokenizer\"}",
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_to(NULL, LOG_LEVEL_ERROR);
	return 0;
}

static void write_config(const char *text)
{
	char path[300];
	snprintf(path, sizeof path, "%s/tokenizer_config.json", fuzz_folder());
	FILE *f = fopen(path, "w");
	fuzz_require(f && fputs(text, f) >= 0 && fclose(f) == 0, "cannot write the configuration");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static size_t written = SIZE_MAX;
	if (size == 0)
		return 0;
	size_t class = data[0] % (sizeof configs / sizeof *configs);
	if (class != written)
		write_config(configs[class]);
	written = class;
	fuzz_put("tokenizer.model", data + 1, size - 1);
	struct tokenizer *t = fuzz_open();
	if (!t)
		return 0;
	struct tokenizer_run *r = tokenizer_run_new(t);
	fuzz_encode(r, t, TEXT("The ferry  leaves \ubc30\ub294 <tool><s>\n\t\u2581\xff 42"));
	tokenizer_run_free(r);
	fuzz_close(t);
	return 0;
}

/* Any bytes as a tokenizer.json: refused with a sentence, or a tokenizer that encodes. */
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_to(NULL, LOG_LEVEL_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_put("tokenizer.json", data, size);
	struct tokenizer *t = fuzz_open();
	if (!t)
		return 0;
	struct tokenizer_run *r = tokenizer_run_new(t);
	fuzz_encode(r, t,
		TEXT("The f\u00e9rry's \uff21 42 \r\n  \ubc30\ub294 \u1107\u1162 [CLS]<m> \xff"));
	tokenizer_run_free(r);
	fuzz_close(t);
	return 0;
}

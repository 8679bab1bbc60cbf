#include "model/architectures.h"

#include "base/mem.h"
#include "model/decoder.h"

static const struct architecture *const table[] = {
	&bert_architecture,
	&roberta_architecture,
	&xlm_roberta_architecture,
	&camembert_architecture,
	&electra_architecture,
	&mpnet_architecture,
	&distilbert_architecture,
	&qwen2_architecture,
	&qwen3_architecture,
	&llama_architecture,
	&mistral_architecture,
	&gemma_architecture,
	&gemma2_architecture,
	&gemma3_text_architecture,
	&minicpm_architecture,
	&modernbert_architecture,
	&new_architecture,
	&gte_architecture,
};

const struct architecture *architecture_find(struct text model_type)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (text_is(model_type, table[i]->model_type))
			return table[i];
	return NULL;
}

const char *architecture_list(struct arena *a)
{
	const char *list = table[0]->model_type;
	for (size_t i = 1; i < ARRAY_LEN(table); i++)
		list = arena_printf(a, "%s, %s", list, table[i]->model_type);
	return list;
}

#include <string.h>

#include "job/training.h"
#include "json.h"

/* Options that change where or how a run is watched and kept, but not what it learns. Paths of data
 * and model are here because their content is compared instead. */
static const char *const harmless[] = {"model", "data", "split", "out", "resume", "dry-run",
	"strict", "batch-tokens", "eval-data", "eval-split", "eval-steps", "save-steps",
	"save-minutes", "keep-checkpoints", "dump-gradients", "device", "dtype", "threads",
	"no-cache", "workspace", "config", "json", "log-level"};

static bool is_harmless(struct text key)
{
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (text_is(key, harmless[i]))
			return true;
	return false;
}

static void put_value(struct buf *b, json v)
{
	const char *s;
	size_t len;
	double x;
	bool flag;
	if (json_string(v, &s, &len))
		buf_add(b, s, len);
	else if (json_real(v, &x))
		json_put_real(b, x);
	else if (json_bool(v, &flag))
		buf_adds(b, flag ? "yes" : "no");
	else if (json_is(v, JSON_NULL))
		buf_adds(b, "(not given)");
	for (struct json_iter it = json_each(v); json_next(&it);) {
		if (b->len > 0)
			buf_addch(b, ',');
		put_value(b, it.value);
	}
}

static void add(struct training *t, const char *key, const char *value)
{
	t->identity[t->n_identity++] =
		(struct identity){arena_strdup(&t->arena, key), arena_strdup(&t->arena, value)};
}

void training_identify(struct training *t)
{
	char hex[HASH_HEX];
	struct buf all = BUF_INIT, value = BUF_INIT;
	struct json_parser *p = json_parser_new();
	json root = {0};
	opts_json(t->o, &all);
	bool ok = json_parse(p, all.data, all.len, 0, &root, NULL);
	t->identity =
		arena_alloc(&t->arena, (8 + (ok ? json_count(root) : 0)) * sizeof *t->identity);
	hash_hex(t->rows.content, hex);
	add(t, "data", hex);
	hash_hex(t->model_hash, hex);
	add(t, "model", hex);
	buf_addf(&value, "%lld", (long long)t->opt.total_steps);
	add(t, "steps", value.data);
	add(t, "dtype", model_dtype(t->model) == MODEL_F32 ? "float32" : "bfloat16");
	for (struct json_iter it = json_each(root); ok && json_next(&it);) {
		struct text key = {it.key, it.key_len};
		if (is_harmless(key))
			continue;
		buf_clear(&value);
		buf_addtext(&value, key);
		char *name = arena_strdup(&t->arena, value.data);
		buf_clear(&value);
		put_value(&value, it.value);
		add(t, arena_printf(&t->arena, "--%s", name), value.data ? value.data : "");
	}
	json_parser_free(p);
	buf_release(&all);
	buf_release(&value);
}

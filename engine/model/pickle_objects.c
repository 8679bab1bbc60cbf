/* pickle_objects.c - the names that a pickle of weights may use, and what they make. */
#include "model/pickle_private.h"

/* Names that weights consist of. */
static const struct {
	const char *module, *name;
	enum value_kind kind;
	enum st_dtype dtype;
} names[] = {
	{"collections", "OrderedDict", ORDERED_DICT, ST_F32},
	{"torch._utils", "_rebuild_tensor_v2", REBUILD_TENSOR, ST_F32},
	{"torch._utils", "_rebuild_parameter", REBUILD_PARAMETER, ST_F32},
	{"torch", "FloatStorage", STORAGE_TYPE, ST_F32},
	{"torch", "DoubleStorage", STORAGE_TYPE, ST_F64},
	{"torch", "HalfStorage", STORAGE_TYPE, ST_F16},
	{"torch", "BFloat16Storage", STORAGE_TYPE, ST_BF16},
	{"torch", "LongStorage", STORAGE_TYPE, ST_I64},
	{"torch", "IntStorage", STORAGE_TYPE, ST_I32},
	{"torch", "ShortStorage", STORAGE_TYPE, ST_I16},
	{"torch", "CharStorage", STORAGE_TYPE, ST_I8},
	{"torch", "ByteStorage", STORAGE_TYPE, ST_U8},
	{"torch", "BoolStorage", STORAGE_TYPE, ST_BOOL},
};

bool object_name(struct machine *m, struct text module, struct text name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_is(module, names[i].module) && text_is(name, names[i].name)) {
			struct value *v = value_new(m, names[i].kind);
			v->dtype = names[i].dtype;
			return value_push(m, v);
		}
	return err_set(m->err, ERR_DATA,
		"%s: data.pkl asks for %.*s.%.*s, which no weights need: it may be code; nothing "
		"of it was run",
		m->path, (int)(module.len < 100 ? module.len : 100), module.s,
		(int)(name.len < 100 ? name.len : 100), name.s);
}

/* ('storage', type, key, location, numel) */
bool object_persistent(struct machine *m)
{
	struct value *id = value_pop(m);
	if (!id)
		return false;
	bool ok = id->kind == SEQUENCE && id->n == 5 && id->item[0]->kind == STRING &&
		text_is(id->item[0]->text, "storage") && id->item[1]->kind == STORAGE_TYPE &&
		id->item[2]->kind == STRING && id->item[4]->kind == NUMBER &&
		id->item[4]->number >= 0;
	if (!ok)
		return pickle_fail(m, "a persistent id is no storage");
	struct value *v = value_new(m, STORAGE);
	v->dtype = id->item[1]->dtype;
	v->text = id->item[2]->text;
	v->number = id->item[4]->number;
	return value_push(m, v);
}

static bool sizes(const struct value *v, int64_t ret[ST_DIMS])
{
	if (v->kind != SEQUENCE || v->n > ST_DIMS)
		return false;
	for (size_t i = 0; i < v->n; i++) {
		if (v->item[i]->kind != NUMBER || v->item[i]->number < 0)
			return false;
		ret[i] = v->item[i]->number;
	}
	return true;
}

/* (storage, offset, size, stride, ...) */
static bool rebuild_tensor(struct machine *m, const struct value *args)
{
	struct pickle_tensor *t = arena_calloc(m->a, 1, sizeof *t);
	if (args->n < 4 || args->item[0]->kind != STORAGE || args->item[1]->kind != NUMBER ||
		args->item[1]->number < 0 || !sizes(args->item[2], t->shape) ||
		!sizes(args->item[3], t->stride) || args->item[2]->n != args->item[3]->n)
		return pickle_fail(
			m, "a tensor is not described by storage, offset, size and stride");
	t->key = args->item[0]->text;
	t->dtype = args->item[0]->dtype;
	t->storage_n = args->item[0]->number;
	t->offset = args->item[1]->number;
	t->ndim = (int)args->item[2]->n;
	for (int d = 0; d < t->ndim; d++)
		if (t->shape[d] <= 1) /* never stepped */
			t->stride[d] = 0;
	struct value *v = value_new(m, TENSOR);
	v->tensor = t;
	return value_push(m, v);
}

bool object_call(struct machine *m)
{
	struct value *args = value_pop(m), *what = args ? value_pop(m) : NULL;
	if (!what)
		return false;
	if (args->kind != SEQUENCE)
		return pickle_fail(m, "a call has no tuple of arguments");
	switch (what->kind) {
	case ORDERED_DICT:
		if (args->n > 0)
			return pickle_fail(m, "an OrderedDict is made of something");
		return value_push(m, value_new(m, DICTIONARY));
	case REBUILD_TENSOR:
		return rebuild_tensor(m, args);
	case REBUILD_PARAMETER:
		if (args->n < 1 || args->item[0]->kind != TENSOR)
			return pickle_fail(m, "a parameter is made of no tensor");
		return value_push(m, args->item[0]);
	default:
		return pickle_fail(m, "something is called that is no function");
	}
}

/* Attributes of a state_dict (its _metadata) say nothing that weights need. */
bool object_build(struct machine *m)
{
	struct value *state = value_pop(m), *of = state ? value_top(m) : NULL;
	if (!of)
		return false;
	return of->kind == DICTIONARY ||
		pickle_fail(m, "attributes are set on what is no dictionary");
}

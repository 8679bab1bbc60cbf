/* pickle_private.h - the machine of pickle.c and pickle_objects.c: a stack of values, marks in it,
 * and a memo, all in one arena. */
#ifndef MODEL_PICKLE_PRIVATE_H
#define MODEL_PICKLE_PRIVATE_H

#include "model/pickle.h"

enum value_kind {
	NOTHING, /* None, numbers with a fraction, and objects that say nothing of tensors */
	NUMBER,
	STRING,
	SEQUENCE, /* a tuple or a list */
	DICTIONARY,
	ORDERED_DICT, /* the names below, as GLOBAL gives them */
	REBUILD_TENSOR,
	REBUILD_PARAMETER,
	STORAGE_TYPE,
	STORAGE,
	TENSOR,
};

struct value {
	enum value_kind kind;
	int64_t number;
	struct text text; /* STRING; STORAGE: its key */
	enum st_dtype dtype; /* STORAGE_TYPE, STORAGE */
	struct value **item; /* SEQUENCE; DICTIONARY: keys and values in turn */
	size_t n, cap;
	const struct pickle_tensor *tensor;
};

struct machine {
	const char *path;
	struct text in;
	size_t at;
	struct arena *a;
	struct value **stack, **memo;
	size_t n, cap, n_memo, cap_memo;
	size_t *mark; /* heights of the stack */
	size_t n_marks, cap_marks;
	struct err *err;
};

/* "data.pkl, byte N: what"; always false. */
bool pickle_fail(struct machine *m, const char *what);
struct value *value_new(struct machine *m, enum value_kind kind);
bool value_push(struct machine *m, struct value *v);
/* The top value; NULL and an error when there is none above the last mark. */
struct value *value_pop(struct machine *m);
struct value *value_top(struct machine *m);

/* What the opcodes do that name, call, or set attributes. */
bool object_name(struct machine *m, struct text module, struct text name);
bool object_persistent(struct machine *m);
bool object_call(struct machine *m);
bool object_build(struct machine *m);

#endif

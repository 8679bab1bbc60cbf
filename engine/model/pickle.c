#include <string.h>

#include "model/pickle_private.h"

bool pickle_fail(struct machine *m, const char *what)
{
	return err_set(m->err, ERR_DATA, "%s: data.pkl, byte %zu: %s; these are no weights",
		m->path, m->at, what);
}

/* Grows an array of the arena to hold one element more. */
static void *grown(struct machine *m, void *old, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return old;
	size_t more = *cap ? 2 * *cap : 16;
	char *p = arena_calloc(m->a, more, size);
	if (n > 0)
		memcpy(p, old, n * size);
	*cap = more;
	return p;
}

struct value *value_new(struct machine *m, enum value_kind kind)
{
	struct value *v = arena_calloc(m->a, 1, sizeof *v);
	v->kind = kind;
	return v;
}

bool value_push(struct machine *m, struct value *v)
{
	m->stack = grown(m, m->stack, m->n, &m->cap, sizeof(struct value *));
	m->stack[m->n++] = v;
	return true;
}

/* What lies above the last mark. */
static size_t floor_of(const struct machine *m)
{
	return m->n_marks ? m->mark[m->n_marks - 1] : 0;
}

struct value *value_pop(struct machine *m)
{
	if (m->n == floor_of(m)) {
		pickle_fail(m, "an opcode finds no value");
		return NULL;
	}
	return m->stack[--m->n];
}

struct value *value_top(struct machine *m)
{
	struct value *v = value_pop(m);
	m->n += v != NULL;
	return v;
}

static bool bytes(struct machine *m, size_t n, const char **ret)
{
	if (n > m->in.len - m->at)
		return pickle_fail(m, "it ends in the middle of an opcode");
	*ret = m->in.s + m->at;
	m->at += n;
	return true;
}

/* A little-endian number of n bytes, unsigned. */
static bool unsigned_arg(struct machine *m, size_t n, uint64_t *ret)
{
	const char *p = NULL;
	if (!bytes(m, n, &p))
		return false;
	*ret = 0;
	for (size_t i = n; i > 0; i--)
		*ret = *ret << 8 | (unsigned char)p[i - 1];
	return true;
}

static bool push_number(struct machine *m, int64_t number)
{
	struct value *v = value_new(m, NUMBER);
	v->number = number;
	return value_push(m, v);
}

static bool push_unsigned(struct machine *m, size_t n)
{
	uint64_t v;
	return unsigned_arg(m, n, &v) && push_number(m, n == 4 ? (int32_t)v : (int64_t)v);
}

/* LONG1: a length, then two's complement. */
static bool push_long(struct machine *m)
{
	uint64_t n, v;
	if (!unsigned_arg(m, 1, &n))
		return false;
	if (n > 8)
		return pickle_fail(m, "a number has more than 64 bits");
	if (!unsigned_arg(m, n, &v))
		return false;
	if (n > 0 && n < 8 && (v >> (8 * n - 1) & 1))
		v |= UINT64_MAX << (8 * n);
	return push_number(m, (int64_t)v);
}

static bool push_text(struct machine *m, size_t width)
{
	uint64_t n;
	struct value *v = value_new(m, STRING);
	if (!unsigned_arg(m, width, &n) || !bytes(m, n, &v->text.s))
		return false;
	v->text.len = n;
	return value_push(m, v);
}

static bool line(struct machine *m, struct text *ret)
{
	const char *s = m->in.s + m->at, *end = memchr(s, '\n', m->in.len - m->at);
	if (!end)
		return pickle_fail(m, "a name is not ended");
	*ret = (struct text){s, (size_t)(end - s)};
	m->at += ret->len + 1;
	return true;
}

static bool global(struct machine *m)
{
	struct text module, name;
	return line(m, &module) && line(m, &name) && object_name(m, module, name);
}

static bool stack_global(struct machine *m)
{
	struct value *name = value_pop(m), *module = name ? value_pop(m) : NULL;
	if (!module)
		return false;
	if (name->kind != STRING || module->kind != STRING)
		return pickle_fail(m, "a name is no string");
	return object_name(m, module->text, name->text);
}

/* The top n values as one tuple. */
static bool tuple(struct machine *m, size_t n)
{
	struct value *v = value_new(m, SEQUENCE);
	if (m->n - floor_of(m) < n)
		return pickle_fail(m, "a tuple finds too few values");
	v->item = arena_calloc(m->a, n + 1, sizeof *v->item);
	if (n > 0)
		memcpy(v->item, m->stack + m->n - n, n * sizeof *v->item);
	v->n = v->cap = n;
	m->n -= n;
	return value_push(m, v);
}

static bool set_mark(struct machine *m)
{
	m->mark = grown(m, m->mark, m->n_marks, &m->cap_marks, sizeof *m->mark);
	m->mark[m->n_marks++] = m->n;
	return true;
}

/* How many values stand above the last mark, which goes. */
static bool take_mark(struct machine *m, size_t *ret)
{
	if (m->n_marks == 0)
		return pickle_fail(m, "a mark is missing");
	*ret = m->n - m->mark[--m->n_marks];
	return true;
}

/* The top n values go into the collection below them. */
static bool fill(struct machine *m, size_t n, enum value_kind kind)
{
	if (m->n - floor_of(m) < n + 1)
		return pickle_fail(m, "a collection is missing");
	struct value *to = m->stack[m->n - n - 1];
	if (to->kind != kind || (kind == DICTIONARY && n % 2 != 0))
		return pickle_fail(m, "values are put into what is no collection of them");
	for (size_t i = 0; i < n; i++) {
		to->item = grown(m, to->item, to->n, &to->cap, sizeof(struct value *));
		to->item[to->n++] = m->stack[m->n - n + i];
	}
	m->n -= n;
	return true;
}

static bool fill_marked(struct machine *m, enum value_kind kind)
{
	size_t n = 0;
	return take_mark(m, &n) && fill(m, n, kind);
}

static bool remember(struct machine *m, uint64_t place)
{
	struct value *v = value_top(m);
	if (!v)
		return false;
	if (place > m->n_memo)
		return pickle_fail(m, "memos are not numbered one after the other");
	if (place == m->n_memo) {
		m->memo = grown(m, m->memo, m->n_memo, &m->cap_memo, sizeof(struct value *));
		m->n_memo++;
	}
	m->memo[place] = v;
	return true;
}

static bool remember_at(struct machine *m, size_t width)
{
	uint64_t place;
	return unsigned_arg(m, width, &place) && remember(m, place);
}

static bool recall(struct machine *m, size_t width)
{
	uint64_t place;
	if (!unsigned_arg(m, width, &place))
		return false;
	if (place >= m->n_memo)
		return pickle_fail(m, "a memo is asked for that was never made");
	return value_push(m, m->memo[place]);
}

static bool skip(struct machine *m, size_t n)
{
	const char *unused;
	return bytes(m, n, &unused);
}

static bool real(struct machine *m)
{
	return skip(m, 8) && value_push(m, value_new(m, NOTHING));
}

static bool marked_tuple(struct machine *m)
{
	size_t n = 0;
	return take_mark(m, &n) && tuple(m, n);
}

/* Opcodes that make values. */
static bool step_value(struct machine *m, unsigned char op)
{
	switch (op) {
	case 'N':
		return value_push(m, value_new(m, NOTHING));
	case 0x88: /* True */
	case 0x89: /* False */
		return push_number(m, op == 0x88);
	case 'K':
		return push_unsigned(m, 1);
	case 'M':
		return push_unsigned(m, 2);
	case 'J':
		return push_unsigned(m, 4);
	case 0x8a:
		return push_long(m);
	case 'G':
		return real(m);
	case 'X':
		return push_text(m, 4);
	case 0x8c:
		return push_text(m, 1);
	case 'c':
		return global(m);
	case 0x93:
		return stack_global(m);
	case 'Q':
		return object_persistent(m);
	case 'R':
		return object_call(m);
	case 'b':
		return object_build(m);
	default:
		return err_set(m->err, ERR_DATA,
			"%s: data.pkl, byte %zu: opcode 0x%02x, which no weights need; nothing was "
			"run",
			m->path, m->at - 1, op);
	}
}

/* Opcodes that collect values and remember them. */
static bool step(struct machine *m, unsigned char op)
{
	switch (op) {
	case 0x80: /* protocol */
		return skip(m, 1);
	case 0x95: /* frame */
		return skip(m, 8);
	case '(':
		return set_mark(m);
	case ')':
		return tuple(m, 0);
	case 't':
		return marked_tuple(m);
	case 0x85:
	case 0x86:
	case 0x87:
		return tuple(m, (size_t)(op - 0x84));
	case ']':
		return value_push(m, value_new(m, SEQUENCE));
	case '}':
		return value_push(m, value_new(m, DICTIONARY));
	case 's':
		return fill(m, 2, DICTIONARY);
	case 'u':
		return fill_marked(m, DICTIONARY);
	case 'a':
		return fill(m, 1, SEQUENCE);
	case 'e':
		return fill_marked(m, SEQUENCE);
	case 'q':
		return remember_at(m, 1);
	case 'r':
		return remember_at(m, 4);
	case 0x94:
		return remember(m, m->n_memo);
	case 'h':
		return recall(m, 1);
	case 'j':
		return recall(m, 4);
	default:
		return step_value(m, op);
	}
}

static bool run(struct machine *m)
{
	for (;;) {
		const char *op = NULL;
		if (!bytes(m, 1, &op))
			return false;
		if (*op == '.')
			return true;
		if (!step(m, (unsigned char)*op))
			return false;
	}
}

/* "weight", or "encoder.weight" of a dictionary within one. */
static bool collect(struct machine *m, struct pickle_tensor **ret, size_t *ret_n)
{
	struct value *root = value_pop(m);
	if (!root)
		return false;
	if (root->kind != DICTIONARY)
		return pickle_fail(m, "it holds no dictionary of tensors");
	*ret = arena_calloc(m->a, root->n / 2 + 1, sizeof **ret);
	*ret_n = 0;
	for (size_t i = 0; i + 1 < root->n; i += 2) {
		const struct value *key = root->item[i], *v = root->item[i + 1];
		if (v->kind != TENSOR)
			continue;
		if (key->kind != STRING || memchr(key->text.s, '\0', key->text.len))
			return pickle_fail(m, "a tensor's name is no string");
		struct pickle_tensor *t = &(*ret)[(*ret_n)++];
		*t = *v->tensor;
		t->name = key->text;
	}
	return *ret_n > 0 || pickle_fail(m, "its dictionary holds no tensor by name");
}

bool pickle_read(const char *path, struct text in, struct arena *a, struct pickle_tensor **ret,
	size_t *ret_n, struct err *err)
{
	struct machine m = {.path = path, .in = in, .a = a, .err = err};
	return run(&m) && collect(&m, ret, ret_n);
}

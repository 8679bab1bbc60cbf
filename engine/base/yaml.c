#include "base/yaml.h"

#include <string.h>

#include <yaml.h>

enum { MAX_DEPTH = 64 };

struct reader {
	yaml_parser_t parser;
	const char *name;
	struct arena *a;
	struct err *err;
	int depth;
};

static bool fail(struct reader *r, yaml_mark_t at, const char *what)
{
	return err_set(
		r->err, ERR_USAGE, "%s:%zu:%zu: %s", r->name, at.line + 1, at.column + 1, what);
}

static bool next(struct reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return true;
	return fail(r, r->parser.problem_mark, r->parser.problem ? r->parser.problem : "not YAML");
}

static struct yaml *node_new(struct reader *r, enum yaml_kind kind, yaml_mark_t at)
{
	struct yaml *n = arena_calloc(r->a, 1, sizeof *n);
	n->kind = kind;
	n->line = (int)at.line + 1;
	n->column = (int)at.column + 1;
	return n;
}

static const char *copy_scalar(struct reader *r, const yaml_event_t *e)
{
	return arena_text(
		r->a, (struct text){(const char *)e->data.scalar.value, e->data.scalar.length})
		.s;
}

static bool read_node(struct reader *r, yaml_event_t *first, struct yaml **ret);

static bool read_children(struct reader *r, struct yaml *parent)
{
	struct yaml **tail = &parent->child;
	for (;;) {
		yaml_event_t e;
		if (!next(r, &e))
			return false;
		bool is_end = e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT;
		const char *key = NULL;
		bool ok = true;
		yaml_mark_t at = e.start_mark;
		if (!is_end && parent->kind == YAML_MAP) {
			ok = e.type == YAML_SCALAR_EVENT || fail(r, at, "a key must be plain text");
			key = ok ? copy_scalar(r, &e) : NULL;
			ok = ok && (!yaml_get(parent, key) || fail(r, at, "this key stands twice"));
			yaml_event_delete(&e);
			if (!ok || !next(r, &e))
				return false;
		}
		if (!is_end)
			ok = read_node(r, &e, tail);
		yaml_event_delete(&e);
		if (is_end || !ok)
			return ok;
		(*tail)->key = key;
		tail = &(*tail)->next;
	}
}

static bool read_node(struct reader *r, yaml_event_t *first, struct yaml **ret)
{
	bool has_anchor = (first->type == YAML_SCALAR_EVENT && first->data.scalar.anchor) ||
		(first->type == YAML_SEQUENCE_START_EVENT && first->data.sequence_start.anchor) ||
		(first->type == YAML_MAPPING_START_EVENT && first->data.mapping_start.anchor);
	if (first->type == YAML_ALIAS_EVENT || has_anchor)
		return fail(r, first->start_mark,
			"anchors and aliases are not supported: write the value out");
	if (++r->depth > MAX_DEPTH)
		return fail(r, first->start_mark, "nested too deeply");
	bool ok = true;
	if (first->type == YAML_SCALAR_EVENT) {
		*ret = node_new(r, YAML_TEXT, first->start_mark);
		(*ret)->scalar = copy_scalar(r, first);
	} else {
		bool is_map = first->type == YAML_MAPPING_START_EVENT;
		*ret = node_new(r, is_map ? YAML_MAP : YAML_LIST, first->start_mark);
		ok = read_children(r, *ret);
	}
	r->depth--;
	return ok;
}

static bool read_document(struct reader *r, struct yaml **ret)
{
	*ret = NULL;
	for (;;) {
		yaml_event_t e;
		if (!next(r, &e))
			return false;
		yaml_event_type_t type = e.type;
		bool is_node = type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
			type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT;
		bool ok = true;
		if (is_node && *ret)
			ok = fail(r, e.start_mark, "expected a single document");
		else if (is_node)
			ok = read_node(r, &e, ret);
		yaml_event_delete(&e);
		if (!ok || type == YAML_STREAM_END_EVENT)
			return ok;
	}
}

bool yaml_parse(
	struct text doc, const char *name, struct arena *a, struct yaml **ret, struct err *err)
{
	struct reader r = {.name = name, .a = a, .err = err};
	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, ERR_FAILED, "%s: out of memory", name);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)doc.s, doc.len);
	struct yaml *root = NULL;
	bool ok = read_document(&r, &root);
	yaml_parser_delete(&r.parser);
	if (ok)
		*ret = root
			? root
			: node_new(&r, YAML_MAP, (yaml_mark_t){0, 0, 0}); /* empty file: no keys */
	return ok;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
	for (const struct yaml *n = map->child; n; n = n->next)
		if (n->key && strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

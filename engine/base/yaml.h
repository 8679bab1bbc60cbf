/* yaml.h - the flat YAML that our configuration and recipes use, read through libyaml.
 *
 * A document becomes a tree of nodes that remember their line, so that an error can name it.
 * Anchors, tags and merges are refused with a sentence: a configuration should be readable at a
 * glance. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	int line, column; /* from 1 */
	const char *scalar; /* scalars: the text; NUL-terminated */
	const char *key; /* members of a map: the key */
	struct yaml *child, *next;
};

/* The root node; it and its strings live in a. name stands in errors ("run.yaml:3:7: ..."). */
bool yaml_parse(struct text doc, const char *name, struct arena *a, struct yaml **ret,
	struct err *err) MUST_CHECK;
const struct yaml *yaml_get(const struct yaml *map, const char *key); /* NULL when absent */

#endif

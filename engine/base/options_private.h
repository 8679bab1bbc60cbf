/* options_private.h - what the files of options.h share. */
#ifndef BASE_OPTIONS_PRIVATE_H
#define BASE_OPTIONS_PRIVATE_H

#include "base/options.h"

struct value {
	const struct option *opt;
	bool is_given,
		is_set; /* given: typed or in the file; set: has a value, be it the default */
	int64_t i;
	double x;
	const char *s;
	const char **items;
	size_t n_items, cap_items;
};

struct opts {
	const struct job *job;
	struct arena a;
	struct value *values;
	size_t n;
};

struct value *opts_find(
	const struct opts *o, const char *name, size_t len); /* NULL: no such name */
struct value *opts_must_find(const struct opts *o, const char *name);
/* Takes s as if it had been typed behind --name. */
bool opts_set_value(struct opts *o, struct value *v, const char *s, struct err *err) MUST_CHECK;

#endif

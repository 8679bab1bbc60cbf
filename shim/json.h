/* json.h - JSON reading for C, over simdjson's DOM.
 *
 * A parser owns one document at a time; parsing the next one ends the values and texts of the last.
 * Values are small and copied freely. Strings are UTF-8 with a length: NUL inside is legal.
 *
 *	struct json_parser *p = json_parser_new();
 *	json root;
 *	if (json_parse(p, line, len, &root, &why)) { json q = json_get(root, "query"); ... }
 *
 * A lone surrogate escape (\ud800 without its half), which JSON allows and UTF-8 cannot hold,
 * becomes U+FFFD, and json_parser_replaced() counts it. An integer beyond 64 bits is read as a
 * double. Nesting deeper than 1024 is refused.
 * Threads: one parser, one thread. */
#ifndef SHIM_JSON_H
#define SHIM_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum json_type {
	JSON_MISSING,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

typedef struct {
	const void *doc;
	size_t at;
} json;

struct json_why {
	size_t offset; /* byte of the text where it stopped making sense; best effort */
	char reason[160]; /* "a string is not closed", "unexpected end" ... */
};

struct json_parser;
struct json_parser *json_parser_new(void); /* never NULL */
void json_parser_free(struct json_parser *p);
/* The text need not outlive the call. `padding` bytes behind text+len may be read (pass what is
 * known to be mapped; with less than 64 the text is copied first). False: *why tells (may be NULL).
 */
bool json_parse(struct json_parser *p, const char *text, size_t len, size_t padding, json *ret,
	struct json_why *why);
size_t json_parser_replaced(const struct json_parser *p); /* lone surrogates of the last document */

enum json_type json_type(json v);
const char *json_type_name(enum json_type t); /* "a string", "a list", "nothing" */
json json_get(json object, const char *key); /* JSON_MISSING when absent or no object */
bool json_is(json v, enum json_type t);
/* Each getter is false, with *ret untouched, when the value is not of the type. */
bool json_string(json v, const char **ret_s, size_t *ret_len); /* borrowed from the parser */
bool json_real(json v, double *ret); /* any number */
bool json_int(json v, int64_t *ret); /* a number without fraction that fits */
bool json_bool(json v, bool *ret);
size_t json_count(json v); /* elements or members; 0 for the rest */

/* Walks an array or an object in file order:
 *	for (struct json_iter it = json_each(v); json_next(&it);) use(it.key, it.key_len, it.value);
*/
struct json_iter {
	const char *key; /* NULL in an array */
	size_t key_len;
	json value;
	const void *doc; /* private from here */
	size_t at, end;
	int is_object;
};
struct json_iter json_each(json v);
bool json_next(struct json_iter *it);

#ifdef __cplusplus
}
#endif
#endif

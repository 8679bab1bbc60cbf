/* jsonfile.h - a whole JSON file, read and parsed, with errors that name file, line and key. */
#ifndef BASE_JSONFILE_H
#define BASE_JSONFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "json.h"

struct json_file {
	struct json_parser *parser;
	char *path;
	json root;
};

/* Reads and parses; at most 1 GiB. Close it also after a failure. */
bool json_file_open(const char *path, struct json_file *ret, struct err *err) MUST_CHECK;
void json_file_close(struct json_file *f); /* values and texts of it die here */

/* Members of an object by key, with a default for a missing or null one. A wrong type is an error
 * that names the key and what stands there: "config.json: hidden_size is \"x\", expected a number".
 */
bool json_want_int(
	json obj, const char *key, int64_t def, int64_t *ret, struct err *err) MUST_CHECK;
bool json_want_real(json obj, const char *key, double def, double *ret, struct err *err) MUST_CHECK;
bool json_want_bool(json obj, const char *key, bool def, bool *ret, struct err *err) MUST_CHECK;
bool json_want_text(
	json obj, const char *key, struct text def, struct text *ret, struct err *err) MUST_CHECK;

#endif

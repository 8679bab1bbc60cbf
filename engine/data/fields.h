/* fields.h - the fields of a row that this folder knows, for its reader and its writer. */
#ifndef DATA_FIELDS_H
#define DATA_FIELDS_H

#include "base/text.h"

/* ORDER fields: the names in record.c. A row that comes from no file is written in this order. */
enum field {
	FIELD_ID,
	FIELD_QUERY,
	FIELD_POS,
	FIELD_NEG,
	FIELD_POS_SCORES,
	FIELD_NEG_SCORES,
	FIELD_POS_SIMS,
	FIELD_NEG_SIMS,
	FIELD_NEG_RANKS,
	FIELD_NEG_FROM,
	FIELD_SCORES,
	FIELD_PROMPT,
	FIELD_TYPE,
	FIELD_CATEGORY,
	N_FIELDS /* also: a name we do not know */
};

const char *field_name(enum field f);
enum field field_find(struct text name);

#endif

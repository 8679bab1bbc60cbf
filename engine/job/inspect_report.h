/* inspect_report.h - the result of `inspect` on stdout: for people, or as one JSON object. */
#ifndef JOB_INSPECT_REPORT_H
#define JOB_INSPECT_REPORT_H

#include "curate/inspect.h"

/* r NULL: the rows were found but not read (--index-only). */
void inspect_print(const struct dataset *d, const struct inspect_report *r);
/* Keys: rows, queries, broken (numbers; null when not read), files, fields, lengths, broken_rows,
 * findings. Places are FILE:LINE. */
void inspect_print_json(const struct dataset *d, const struct inspect_report *r);

#endif

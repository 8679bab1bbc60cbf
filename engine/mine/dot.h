/* dot.h - private to mine/: search_dot() as a function pointer, for inner loops. */
#ifndef MINE_DOT_H
#define MINE_DOT_H

#include <stddef.h>

typedef float (*dot_fn)(const float *a, const float *b, size_t dim);
dot_fn dot_best(void); /* the fastest that this CPU runs; all give equal bits */

#endif

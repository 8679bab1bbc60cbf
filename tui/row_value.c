/* The columns of a row, for filters, sorting and the list. */
#include "tui/rows.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

const char *const row_columns[] = {"pos_t", "pos_s", "neg_t", "neg_s", "margin", "margin_t",
	"n_pos", "n_neg", "len_q", "len_p", NULL};

static double edge(const struct candidate *c, size_t n, bool is_sim, bool is_highest)
{
	double best = NAN;
	for (size_t i = 0; i < n; i++) {
		double v = is_sim ? c[i].sim : c[i].score;
		if (!isnan(v) && (isnan(best) || (is_highest ? v > best : v < best)))
			best = v;
	}
	return best;
}

static double longest(const struct record *r)
{
	size_t most = 0;
	for (size_t i = 0; i < r->n_pos + r->n_neg; i++) {
		size_t n = utf8_count(i < r->n_pos ? r->pos[i].text : r->neg[i - r->n_pos].text);
		most = n > most ? n : most;
	}
	return (double)most;
}

bool row_value(const struct record *r, const char *column, double *ret)
{
	double pos_t = edge(r->pos, r->n_pos, false, false),
	       pos_s = edge(r->pos, r->n_pos, true, false);
	double neg_t = edge(r->neg, r->n_neg, false, true),
	       neg_s = edge(r->neg, r->n_neg, true, true);
	const struct {
		const char *name;
		double value;
	} columns[] = {{"pos_t", pos_t}, {"pos_s", pos_s}, {"neg_t", neg_t}, {"neg_s", neg_s},
		{"margin", pos_s - neg_s}, {"margin_t", pos_t - neg_t}, {"n_pos", (double)r->n_pos},
		{"n_neg", (double)r->n_neg}};
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		if (strcmp(columns[i].name, column) == 0) {
			*ret = columns[i].value;
			return true;
		}
	/* counting characters costs more: only when asked for */
	if (strcmp(column, "len_q") == 0)
		*ret = (double)utf8_count(r->query);
	else if (strcmp(column, "len_p") == 0)
		*ret = longest(r);
	else
		return false;
	return true;
}

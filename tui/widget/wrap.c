#include "tui/widget/wrap.h"

#include <string.h>

#include "base/utf8.h"

/* Bytes of the first line of t at this width, without the blank it was broken at; *ret_next = where the next begins. */
static size_t first_line(struct text t, size_t columns, size_t *ret_next)
{
	const char *feed = memchr(t.s, '\n', t.len);
	struct text paragraph = {t.s, feed ? (size_t)(feed - t.s) : t.len};
	size_t fits = utf8_cut(paragraph, columns);
	if (fits == paragraph.len) {
		*ret_next = fits + (feed ? 1 : 0);
		return fits;
	}
	if (fits == 0) /* not even one cluster: take it, the grid will clip it */
		fits = utf8_cut(paragraph, columns + 2);
	if (fits == 0)
		utf8_decode(paragraph.s, paragraph.len, &fits);
	size_t cut = fits;
	while (cut > 0 && paragraph.s[cut] != ' ')
		cut--;
	if (cut == 0) {
		*ret_next = fits;
		return fits;
	}
	*ret_next = cut + 1;
	return cut;
}

int wrap_draw(struct grid *g, struct rect r, int skip, enum style style, struct text t)
{
	int line = 0;
	size_t columns = r.cols > 0 ? (size_t)r.cols : 1;
	for (size_t at = 0; at < t.len; line++) {
		size_t next, len = first_line((struct text){t.s + at, t.len - at}, columns, &next);
		if (line >= skip && line - skip < r.rows)
			grid_text(g, r, line - skip, 0, style, (struct text){t.s + at, len});
		at += next;
	}
	return line ? line : 1;
}

void wrap_pane(struct grid *g, struct rect r, int *scroll, enum style style, struct text t)
{
	struct rect none = r;
	none.rows = 0;
	int last = wrap_draw(g, none, 0, style, t) - r.rows;
	*scroll = *scroll > last ? last : *scroll;
	*scroll = *scroll < 0 ? 0 : *scroll;
	wrap_draw(g, r, *scroll, style, t);
}

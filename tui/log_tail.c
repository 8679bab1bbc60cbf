#include "tui/log_tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/widget/wrap.h"

enum { TAIL = 64 << 10 };

void log_tail_draw(struct grid *g, struct rect r, const char *folder, int back)
{
	char *path = xasprintf("%s/log.txt", folder);
	FILE *f = fopen(path, "rb");
	free(path);
	if (!f) {
		grid_put(g, r, 0, 0, STYLE_DIM, "no log yet");
		return;
	}
	fseek(f, 0, SEEK_END);
	long size = ftell(f), from = size > TAIL ? size - TAIL : 0;
	fseek(f, from, SEEK_SET);
	char *data = xmalloc(TAIL);
	size_t n = fread(data, 1, TAIL, f);
	fclose(f);
	struct rect none = {r.row, r.col, 0, r.cols};
	size_t end = n;
	for (int row = r.rows + back; end > 0 && row > 0;) {
		size_t stop = data[end - 1] == '\n' ? end - 1 : end, start = stop;
		while (start > 0 && data[start - 1] != '\n')
			start--;
		const char *bar = memrchr(data + start, '\r', stop - start);
		size_t show = bar ? (size_t)(bar - data) + 1 : start;
		struct text line = {data + show, stop - show};
		row -= wrap_draw(g, none, 0, STYLE_PLAIN, line);
		int skip = row < 0 ? -row : 0, top = row < 0 ? 0 : row;
		if (top < r.rows)
			wrap_draw(g, (struct rect){r.row + top, r.col, r.rows - top, r.cols}, skip,
				STYLE_PLAIN, line);
		end = start;
	}
	free(data);
}

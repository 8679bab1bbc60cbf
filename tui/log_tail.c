#include "tui/log_tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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
	size_t end = n;
	for (int row = r.rows - 1 + back; end > 0 && row >= 0; row--) {
		size_t stop = data[end - 1] == '\n' ? end - 1 : end, start = stop;
		while (start > 0 && data[start - 1] != '\n')
			start--;
		const char *bar = memrchr(data + start, '\r', stop - start);
		size_t show = bar ? (size_t)(bar - data) + 1 : start;
		if (row < r.rows)
			grid_text(
				g, r, row, 0, STYLE_PLAIN, (struct text){data + show, stop - show});
		end = start;
	}
	free(data);
}

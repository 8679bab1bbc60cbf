#include "tui/widget/list.h"

static size_t up(size_t from, size_t by)
{
	return from > by ? from - by : 0;
}

bool list_move(struct list *l, const struct input *in, size_t n)
{
	size_t by = in->count > 0 ? (size_t)in->count : 1, page = l->page > 1 ? (size_t)l->page : 1;
	size_t last = n ? n - 1 : 0;
	switch ((int)in->command) {
	case CMD_DOWN:
		l->cursor += by;
		break;
	case CMD_UP:
		l->cursor = up(l->cursor, by);
		break;
	case CMD_PAGE_DOWN:
		l->cursor += page;
		l->top += page;
		break;
	case CMD_PAGE_UP:
		l->cursor = up(l->cursor, page);
		l->top = up(l->top, page);
		break;
	case CMD_HALF_DOWN:
		l->cursor += page / 2 + 1;
		break;
	case CMD_HALF_UP:
		l->cursor = up(l->cursor, page / 2 + 1);
		break;
	case CMD_TOP:
		l->cursor = in->count > 0 ? (size_t)in->count - 1 : 0;
		break;
	case CMD_BOTTOM:
		l->cursor = in->count > 0 ? (size_t)in->count - 1 : last;
		break;
	default:
		return false;
	}
	l->cursor = l->cursor > last ? last : l->cursor;
	return true;
}

size_t list_view(struct list *l, size_t n, int rows)
{
	size_t page = rows > 0 ? (size_t)rows : 1;
	l->page = (int)page;
	if (l->cursor >= n)
		l->cursor = n ? n - 1 : 0;
	if (l->top > l->cursor)
		l->top = l->cursor;
	if (l->cursor >= l->top + page)
		l->top = l->cursor - page + 1;
	/* The last page is full where there are rows enough. */
	if (l->top + page > n)
		l->top = n > page ? n - page : 0;
	return l->top;
}

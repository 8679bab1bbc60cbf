/* grid.h - the screen as cells in memory. Everything is drawn here; term.c alone carries it to
 * curses, and a script dumps
 * it as text. A cell holds one grapheme cluster; the second cell of a wide one is a continuation.
 *
 * Text passes utf8_sanitize() on its way in, is composed (NFC) for display, cut by columns, and
 * never splits a wide
 * character: where half of one would fit, a space stands. */
#ifndef TUI_GRID_H
#define TUI_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* What a cell means; term.c decides how it looks (16 colours, mono, light or dark). Never the only
 * carrier of meaning. */
enum style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_TITLE, /* header and frame titles */
	STYLE_FRAME,
	STYLE_CURSOR, /* the line under the cursor */
	STYLE_MARK, /* a marked line */
	STYLE_GOOD,
	STYLE_BAD,
	STYLE_WARN,
	STYLE_KEY, /* a key in the footer */
	STYLE_MATCH, /* what a search found */
	STYLE_COUNT
};

enum { CELL_BYTES = 23 };
struct cell {
	char text
		[CELL_BYTES]; /* UTF-8 of the cluster, terminated; "" = continuation of a wide one */
	uint8_t style;
};

struct rect {
	int row, col, rows, cols;
};

struct grid {
	int rows, cols;
	struct cell *cells; /* [rows * cols] */
	int cursor_row, cursor_col; /* where the terminal's cursor stands; row -1 = hidden */
	bool is_ascii; /* the terminal cannot show more: others become '?' */
};

void grid_init(struct grid *g, int rows, int cols, bool is_ascii);
void grid_resize(struct grid *g, int rows, int cols);
void grid_release(struct grid *g);
void grid_clear(struct grid *g);
const struct cell *grid_at(const struct grid *g, int row, int col);

/* Draws t at (row, col) of r, clipped to r; returns the columns used. Rows outside r draw nothing.
 * */
int grid_text(struct grid *g, struct rect r, int row, int col, enum style style, struct text t);
int grid_put(struct grid *g, struct rect r, int row, int col, enum style style, const char *s);
int grid_printf(struct grid *g, struct rect r, int row, int col, enum style style, const char *fmt,
	...) __attribute__((format(printf, 6, 7)));
/* Exactly `width` columns: padded with spaces, to the right when is_right. */
void grid_field(struct grid *g, struct rect r, int row, int col, int width, enum style style,
	bool is_right, struct text t);
void grid_fill(struct grid *g, struct rect r, enum style style); /* spaces */
void grid_style(struct grid *g, struct rect r, enum style style); /* restyles what stands there */
/* Restyles every place where a line of r shows the word; letters of either case, no match across lines. */
void grid_match(struct grid *g, struct rect r, const char *word);
/* A frame with a title in its upper edge; returns the inside. */
struct rect grid_frame(struct grid *g, struct rect r, const char *title, bool has_focus);

/* The grid as lines of text, trailing spaces cut, each ended by a line feed. */
void grid_dump(const struct grid *g, struct buf *out);

#endif

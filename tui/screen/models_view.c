/* How the models and the probe look. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tui/prompt.h"
#include "tui/screen/models_private.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

/* 1234567 bytes as people say it. */
static void put_size(char *room, size_t size, int64_t bytes)
{
	if (bytes == 0)
		snprintf(room, size, "-");
	else
		snprintf(room, size, bytes < 10000000 ? "%.1f MB" : "%.0f MB", (double)bytes / 1e6);
}

static void put_number(char *room, size_t size, int64_t n)
{
	if (n)
		snprintf(room, size, "%lld", (long long)n);
	else
		snprintf(room, size, "-");
}

static void draw_entry(
	const struct model_entry *e, enum style style, struct grid *g, struct rect r, int line)
{
	char hidden[24], layers[24], length[24], size[24];
	put_number(hidden, sizeof hidden, e->hidden);
	put_number(layers, sizeof layers, e->layers);
	put_number(length, sizeof length, e->max_length);
	put_size(size, sizeof size, e->bytes);
	grid_fill(g, (struct rect){r.row + line, r.col, 1, r.cols}, style);
	int name = r.cols - 54 > 12 ? r.cols - 54 : 12;
	grid_field(g, r, line, 1, name, style, false, text_of(e->name));
	grid_printf(g, r, line, name + 2, style, "%-12.12s %6s %6s %9s %9s %s",
		e->kind[0] ? e->kind : "tokenizer", layers, hidden, length, size, e->pooling);
}

static void draw_list(struct models_state *s, struct grid *g, struct rect r)
{
	int name = r.cols - 54 > 12 ? r.cols - 54 : 12;
	struct rect head = panes_top(&r, 1);
	grid_printf(g, head, 0, 1, STYLE_DIM, "%-*s %-12s %6s %6s %9s %9s %s", name, "folder",
		"kind", "layers", "width", "tokens", "weights", "pools");
	size_t top = list_view(&s->list, s->models.n, r.rows);
	for (int i = 0; i < r.rows && top + (size_t)i < s->models.n; i++) {
		size_t k = top + (size_t)i;
		draw_entry(
			&s->models.e[k], k == s->list.cursor ? STYLE_CURSOR : STYLE_PLAIN, g, r, i);
	}
}

static void draw_facts(const struct models_state *s, struct grid *g, struct rect r)
{
	const struct model_entry *e = models_selected(s);
	const struct tokenizer *t = probe_tokenizer(s->probe);
	if (!e)
		return;
	if (e->problem[0]) {
		wrap_draw(g, r, 0, STYLE_BAD, text_of(e->problem));
		return;
	}
	int col = grid_printf(g, r, 0, 1, STYLE_DIM, "%s", e->path);
	if (e->vocabulary)
		col += grid_printf(g, r, 0, col + 1, STYLE_DIM, "  %lld rows in the table",
			(long long)e->vocabulary);
	if (t && probe_state(s->probe) == PROBE_READY)
		grid_printf(g, r, 0, col + 1, STYLE_DIM, "  %s, %zu ids", tokenizer_kind(t),
			tokenizer_vocab_size(t));
	grid_printf(g, r, 1, 1, STYLE_DIM, "prompts: %s", e->prompts[0] ? e->prompts : "none");
}

/* Pieces side by side, from line to line; what is above `skip` or below the pane is not drawn. */
struct flow {
	struct grid *g;
	struct rect r;
	int line, col, skip;
};

static void flow_break(struct flow *f)
{
	f->line++;
	f->col = 0;
}

static void flow_put(struct flow *f, enum style style, struct text t)
{
	while (t.len > 0) {
		if (f->col >= f->r.cols)
			flow_break(f);
		size_t fits = utf8_cut(t, (size_t)(f->r.cols - f->col));
		if (fits == 0 && f->col == 0)
			return; /* a pane narrower than one character */
		if (fits == 0) {
			flow_break(f);
			continue;
		}
		struct text part = {t.s, fits};
		int line = f->line - f->skip;
		f->col += line >= 0 && line < f->r.rows
			? grid_text(f->g, f->r, line, f->col, style, part)
			: (int)utf8_width(part);
		t.s += fits;
		t.len -= fits;
	}
}

/* A token as it stands in the text; parts of one character, and what stands for nothing in it, as the
 * vocabulary spells them. */
static struct text shown_token(
	const struct probed *p, const struct tokenizer *t, size_t i, bool *ret_is_part)
{
	struct token_span s = p->spans[i];
	*ret_is_part = s.begin == s.end ||
		(i > 0 && s.begin == p->spans[i - 1].begin && s.end == p->spans[i - 1].end);
	if (*ret_is_part)
		return tokenizer_token(t, p->ids[i]);
	return (struct text){p->text.s + s.begin, s.end - s.begin};
}

/* What lies between two tokens in the text: spaces that no token holds. */
static void flow_gap(struct flow *f, const struct probed *p, size_t i)
{
	size_t from = i > 0 ? p->spans[i - 1].end : 0, to = p->spans[i].begin;
	if (from >= to || to > p->text.len)
		return;
	struct buf clean = BUF_INIT;
	utf8_sanitize(&clean, (struct text){p->text.s + from, to - from});
	flow_put(f, STYLE_DIM, buf_text(&clean));
	buf_release(&clean);
}

static void flow_tokens(struct flow *f, const struct probed *p, const struct tokenizer *t)
{
	for (size_t i = 0; i < p->n; i++) {
		bool is_part, is_cut = i >= p->n_kept;
		struct text shown = shown_token(p, t, i, &is_part);
		enum style style = p->ids[i] == tokenizer_unk(t) ? STYLE_BAD
			: is_part                                ? STYLE_WARN
								 : STYLE_PLAIN;
		flow_gap(f, p, i);
		if (i == p->n_kept)
			flow_put(f, STYLE_BAD, text_of(" <cut here> "));
		else if (i > 0)
			flow_put(f, STYLE_FRAME, text_of("|"));
		struct buf clean = BUF_INIT;
		utf8_sanitize(&clean, shown);
		flow_put(f, is_cut ? STYLE_DIM : style, buf_text(&clean));
		buf_release(&clean);
	}
}

/* Ids with their spellings, as the model knows them. */
static void flow_ids(struct flow *f, const struct probed *p, const struct tokenizer *t)
{
	for (size_t i = 0; i < p->n; i++) {
		struct buf item = BUF_INIT;
		utf8_sanitize(&item, tokenizer_token(t, p->ids[i]));
		buf_addf(&item, " %d", p->ids[i]);
		if (f->col > 0 && f->col + 2 + (int)utf8_width(buf_text(&item)) > f->r.cols)
			flow_break(f);
		else if (f->col > 0)
			flow_put(f, STYLE_DIM, text_of("  "));
		flow_put(f, i < p->n_kept ? STYLE_PLAIN : STYLE_DIM, buf_text(&item));
		buf_release(&item);
	}
}

static void draw_tokens(struct models_state *s, struct grid *g, struct rect r, struct text text)
{
	size_t limit = models_limit(s);
	const struct tokenizer *t = probe_tokenizer(s->probe);
	const struct probed *p = probe_text(s->probe, text, limit);
	struct rect sum = panes_top(&r, 1);
	size_t n = p->n + p->n_special;
	int col = grid_printf(g, sum, 0, 0, STYLE_BOLD, "%zu tokens", n);
	col += grid_printf(g, sum, 0, col, STYLE_PLAIN, ", %zu special, %zu unknown", p->n_special,
		p->n_unknown);
	if (p->n)
		col += grid_printf(g, sum, 0, col, STYLE_PLAIN, ", %.2f characters a token",
			(double)utf8_count(text) / (double)p->n);
	if (p->n_kept < p->n)
		grid_printf(g, sum, 0, col, STYLE_BAD, ", %zu cut at %zu", p->n - p->n_kept, limit);
	else if (limit)
		grid_printf(g, sum, 0, col, STYLE_DIM, ", of %zu", limit);
	struct flow f = {.g = g, .r = r, .skip = s->scroll};
	flow_tokens(&f, p, t);
	f.line += 2;
	f.col = 0;
	flow_ids(&f, p, t);
	int last = f.line + 1 - r.rows;
	if (s->scroll > (last > 0 ? last : 0))
		s->scroll = last > 0 ? last : 0;
}

/* What is typed right now, else what was typed last. */
static struct text probed_text(const struct models_state *s, const struct app *a)
{
	if (prompt_is_open() && a->asking == CMD_PROBE)
		return text_of(prompt_line());
	return text_of(s->text);
}

static void draw_probe(struct models_state *s, struct app *a, struct grid *g, struct rect r)
{
	struct rect in = grid_frame(g, r, "tokens of a text", prompt_is_open());
	struct text text = probed_text(s, a);
	switch (probe_state(s->probe)) {
	case PROBE_NONE:
		wrap_draw(g, in, 0, STYLE_DIM,
			text_of("Enter takes a text and shows, as you type, where this model's tokenizer cuts it."));
		break;
	case PROBE_OPENING:
		grid_put(g, in, 0, 0, STYLE_DIM, "opening the tokenizer ...");
		break;
	case PROBE_FAILED:
		wrap_draw(g, in, 0, STYLE_BAD, text_of(probe_error(s->probe)));
		break;
	case PROBE_READY:
		if (text.len)
			draw_tokens(s, g, in, text);
		else
			grid_put(g, in, 0, 0, STYLE_DIM, "type a text");
		break;
	}
}

void models_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct models_state *s = state;
	if (!s->models.n) {
		wrap_draw(g, (struct rect){r.row + 1, r.col + 1, r.rows - 1, r.cols - 2}, 0,
			STYLE_DIM,
			text_of("No model folder here: build/models, models and this folder were looked into. assets/start fetches two; a training here makes one more."));
		return;
	}
	int list_rows = (int)s->models.n + 1 < r.rows / 3 ? (int)s->models.n + 1 : r.rows / 3;
	struct rect list = panes_top(&r, list_rows > 3 ? list_rows : 3);
	struct rect facts = panes_top(&r, 2);
	draw_list(s, g, list);
	draw_facts(s, g, facts);
	draw_probe(s, a, g, r);
}

void models_header(void *state, struct app *a, struct buf *out)
{
	struct models_state *s = state;
	const struct model_entry *e = models_selected(s);
	if (e)
		buf_addf(out, "%s  %zu of %zu", e->name, s->list.cursor + 1, s->models.n);
	else
		session_name(&a->session, out);
}

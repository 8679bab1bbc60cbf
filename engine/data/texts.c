#include "data/texts.h"

#include <stdlib.h>

#include "data/entry.h"

static bool is_jsonl(const char *path, const struct fs_map *file)
{
	size_t len = strlen(path);
	if (len >= 6 && strcmp(path + len - 6, ".jsonl") == 0)
		return true;
	for (struct line_walk w = line_walk(file); line_next(&w);)
		if (!line_is_blank(w.line))
			return w.line.s[strspn(w.line.s, " \t\r")] == '{';
	return false;
}

struct growing {
	struct text *text, *id;
	size_t n, cap;
};

static void add(struct growing *g, struct text text, struct text id)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 1024;
		g->text = xreallocarray(g->text, g->cap, sizeof *g->text);
		g->id = xreallocarray(g->id, g->cap, sizeof *g->id);
	}
	g->text[g->n] = text;
	g->id[g->n++] = id;
}

static bool read_jsonl(const char *path, const struct fs_map *file, struct growing *g,
	struct arena *a, struct err *err)
{
	struct json_parser *p = json_parser_new();
	bool ok = true;
	for (struct line_walk w = line_walk(file); ok && line_next(&w);) {
		struct entry e;
		if (line_is_blank(w.line))
			continue;
		ok = entry_parse(p, path, file, &w, a, &e, err);
		if (ok)
			add(g, e.title.s ? entry_passage(&e, a) : e.text, e.id);
	}
	json_parser_free(p);
	return ok;
}

bool texts_open(const char *path, struct texts *ret, struct err *err)
{
	struct fs_map file;
	if (!lines_map(path, &file, err))
		return false;
	struct growing g = {NULL, NULL, 0, 0};
	struct texts t = {.arena = ARENA_INIT};
	bool ok = true;
	if (is_jsonl(path, &file))
		ok = read_jsonl(path, &file, &g, &t.arena, err);
	else
		for (struct line_walk w = line_walk(&file); line_next(&w);)
			add(&g, arena_text(&t.arena, w.line), TEXT_NONE);
	fs_unmap(&file);
	t.t = arena_alloc(&t.arena, g.n * sizeof *t.t);
	t.id = arena_alloc(&t.arena, g.n * sizeof *t.id);
	if (g.n > 0) {
		memcpy(t.t, g.text, g.n * sizeof *t.t);
		memcpy(t.id, g.id, g.n * sizeof *t.id);
	}
	t.n = g.n;
	free(g.text);
	free(g.id);
	if (ok)
		*ret = t;
	else
		arena_release(&t.arena);
	return ok;
}

void texts_close(struct texts *t)
{
	arena_release(&t->arena);
	*t = (struct texts){.arena = ARENA_INIT};
}

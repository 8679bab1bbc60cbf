/* What the rows of the decision table mean: which are in force, what undo takes back, what redo
 * brings again. */
#include "store/workspace_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		"none", "keep", "reject", "promote", "skip", "edit", "note"}; /* ORDER verdicts */
	return (size_t)v < ARRAY_LEN(names) ? names[v] : "unknown";
}

/* Edits and notes stand beside a verdict, not in its place. */
enum kind { KIND_VERDICT, KIND_EDIT, KIND_NOTE };

static enum kind kind_of(enum verdict v)
{
	return v == VERDICT_EDIT ? KIND_EDIT : v == VERDICT_NOTE ? KIND_NOTE : KIND_VERDICT;
}

struct key {
	struct hash128 row, item;
	int64_t kind;
};

static void set_in_force(struct workspace *w, const struct decision *d, int64_t entry)
{
	struct key k = {d->row, d->item, kind_of(d->verdict)};
	map_put(&w->in_force, (struct text){(const char *)&k, sizeof k}, entry);
}

static const struct decision *find(
	const struct workspace *w, struct hash128 row, struct hash128 item, enum kind kind)
{
	struct key k = {row, item, kind};
	int64_t entry = 0;
	map_get(&w->in_force, (struct text){(const char *)&k, sizeof k}, &entry);
	return entry ? &w->entries[entry - 1].d : NULL;
}

const struct decision *workspace_verdict(
	const struct workspace *w, struct hash128 row, struct hash128 item)
{
	return find(w, row, item, KIND_VERDICT);
}

const struct decision *workspace_edit(
	const struct workspace *w, struct hash128 row, struct hash128 item)
{
	return find(w, row, item, KIND_EDIT);
}

const struct decision *workspace_note(
	const struct workspace *w, struct hash128 row, struct hash128 item)
{
	return find(w, row, item, KIND_NOTE);
}

size_t workspace_count(const struct workspace *w)
{
	return w->n_entries;
}

const struct decision *workspace_at(const struct workspace *w, size_t i, bool *ret_is_active)
{
	*ret_is_active = w->entries[i].is_active;
	return &w->entries[i].d;
}

static void push(size_t **stack, size_t *n, size_t *cap, size_t value)
{
	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		*stack = xreallocarray(*stack, *cap, sizeof **stack);
	}
	(*stack)[(*n)++] = value;
}

static size_t add_group(struct workspace *w, int64_t id)
{
	if (w->n_groups == w->cap_groups) {
		w->cap_groups = w->cap_groups ? w->cap_groups * 2 : 64;
		w->groups = xreallocarray(w->groups, w->cap_groups, sizeof *w->groups);
	}
	w->groups[w->n_groups] = (struct group){id, w->n_entries, 0};
	return w->n_groups++;
}

static void add_entry(struct workspace *w, const struct decision *d)
{
	if (w->n_entries == w->cap_entries) {
		w->cap_entries = w->cap_entries ? w->cap_entries * 2 : 256;
		w->entries = xreallocarray(w->entries, w->cap_entries, sizeof *w->entries);
	}
	struct entry *e = &w->entries[w->n_entries++];
	*e = (struct entry){*d, true};
	e->d.text = arena_text(&w->texts, d->text);
	e->d.reason = arena_text(&w->texts, d->reason);
	e->d.user = arena_text(&w->texts, d->user);
	set_in_force(w, d, (int64_t)w->n_entries);
}

/* After a group was taken back, what stood before it about the same texts is in force again: the
 * newest active entry. */
static void fold_again(struct workspace *w, const struct group *g)
{
	for (size_t i = g->first; i < g->first + g->n; i++) {
		const struct decision *d = &w->entries[i].d;
		size_t at = w->n_entries;
		while (at > 0) {
			const struct entry *e = &w->entries[at - 1];
			if (e->is_active && kind_of(e->d.verdict) == kind_of(d->verdict) &&
				memcmp(&e->d.row, &d->row, sizeof d->row) == 0 &&
				memcmp(&e->d.item, &d->item, sizeof d->item) == 0)
				break;
			at--;
		}
		set_in_force(w, d, (int64_t)at);
	}
}

static void set_active(struct workspace *w, size_t group, bool is_active)
{
	const struct group *g = &w->groups[group];
	for (size_t i = g->first; i < g->first + g->n; i++)
		w->entries[i].is_active = is_active;
	fold_again(w, g);
}

static void fold_undo(struct workspace *w)
{
	size_t group = w->undo[--w->n_undo];
	set_active(w, group, false);
	push(&w->redo, &w->n_redo, &w->cap_redo, group);
}

static void fold_redo(struct workspace *w)
{
	size_t group = w->redo[--w->n_redo];
	set_active(w, group, true);
	push(&w->undo, &w->n_undo, &w->cap_undo, group);
}

static struct text column_text(sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_blob(s, column);
	return (struct text){p, p ? (size_t)sqlite3_column_bytes(s, column) : 0};
}

static struct hash128 column_hash(sqlite3_stmt *s, int column)
{
	struct hash128 h = {0, 0};
	struct text t = column_text(s, column);
	if (t.len == sizeof h)
		memcpy(&h, t.s, sizeof h);
	return h;
}

static void load_row(struct workspace *w, sqlite3_stmt *s)
{
	int64_t group = sqlite3_column_int64(s, 0);
	int verdict = sqlite3_column_int(s, 6);
	if (verdict == ROW_UNDO && w->n_undo) {
		fold_undo(w);
	} else if (verdict == ROW_REDO && w->n_redo) {
		fold_redo(w);
	} else if (verdict >= VERDICT_KEEP && verdict <= VERDICT_NOTE) {
		if (!w->n_groups || w->groups[w->n_groups - 1].id != group) {
			push(&w->undo, &w->n_undo, &w->cap_undo, add_group(w, group));
			w->n_redo = 0;
		}
		struct decision d = {column_hash(s, 4), column_hash(s, 5), (enum verdict)verdict,
			column_text(s, 7), column_text(s, 8), column_text(s, 3),
			sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2), group};
		add_entry(w, &d);
		w->groups[w->n_groups - 1].n++;
	}
}

bool decisions_load(struct workspace *w, struct err *err)
{
	sqlite3_stmt *s = NULL;
	static const char sql[] =
		"SELECT grp, at_ms, took_ms, user, row, item, verdict, text, reason FROM decision ORDER BY id";
	if (sqlite3_prepare_v2(w->db, sql, -1, &s, NULL) != SQLITE_OK)
		return workspace_sql_failed(w, "be read", err);
	int got;
	while ((got = sqlite3_step(s)) == SQLITE_ROW)
		load_row(w, s);
	sqlite3_finalize(s);
	if (got != SQLITE_DONE)
		return workspace_sql_failed(w, "be read", err);
	static const char insert[] =
		"INSERT INTO decision (grp, target, at_ms, took_ms, user, row, item, verdict, text, reason) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	return w->is_read_only ||
		sqlite3_prepare_v2(w->db, insert, -1, &w->insert, NULL) == SQLITE_OK ||
		workspace_sql_failed(w, "be written", err);
}

void decisions_release(struct workspace *w)
{
	arena_release(&w->texts);
	map_release(&w->in_force);
	free(w->entries);
	free(w->groups);
	free(w->undo);
	free(w->redo);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void bind_text(sqlite3_stmt *s, int at, struct text t)
{
	sqlite3_bind_text(s, at, t.s ? t.s : "", (int)t.len, SQLITE_STATIC);
}

static bool insert(
	struct workspace *w, const struct decision *d, int verdict, int64_t target, struct err *err)
{
	sqlite3_stmt *s = w->insert;
	sqlite3_bind_int64(s, 1, d->group);
	sqlite3_bind_int64(s, 2, target);
	sqlite3_bind_int64(s, 3, d->at_ms);
	sqlite3_bind_int64(s, 4, d->took_ms);
	bind_text(s, 5, d->user);
	sqlite3_bind_blob(s, 6, &d->row, sizeof d->row, SQLITE_STATIC);
	sqlite3_bind_blob(s, 7, &d->item, sizeof d->item, SQLITE_STATIC);
	sqlite3_bind_int(s, 8, verdict);
	bind_text(s, 9, d->text);
	bind_text(s, 10, d->reason);
	bool ok = sqlite3_step(s) == SQLITE_DONE;
	if (!ok)
		workspace_sql_failed(w, "take the decision", err);
	sqlite3_reset(s);
	return ok;
}

static bool may_write(const struct workspace *w, struct err *err)
{
	return !w->is_read_only || err_set(err, ERR_FAILED, "nothing was decided: %s", w->notice);
}

static bool transact(struct workspace *w, const struct decision *d, size_t n, int verdict,
	int64_t target, struct err *err)
{
	bool ok = sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ||
		workspace_sql_failed(w, "take the decision", err);
	for (size_t i = 0; ok && i < n; i++)
		ok = insert(w, &d[i], verdict ? verdict : (int)d[i].verdict, target, err);
	if (ok && sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		ok = workspace_sql_failed(w, "take the decision", err);
	if (!ok)
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	return ok;
}

bool workspace_decide(struct workspace *w, const struct decision *d, size_t n, struct err *err)
{
	if (!may_write(w, err))
		return false;
	int64_t group = (w->n_groups ? w->groups[w->n_groups - 1].id : 0) + 1, at = now_ms();
	struct decision *full = xmalloc(n * sizeof *full);
	for (size_t i = 0; i < n; i++) {
		full[i] = d[i];
		full[i].group = group;
		full[i].at_ms = at;
		full[i].user = text_of(w->user);
	}
	bool ok = transact(w, full, n, 0, 0, err);
	if (ok && n) {
		size_t g = add_group(w, group);
		for (size_t i = 0; i < n; i++)
			add_entry(w, &full[i]);
		w->groups[g].n = n;
		push(&w->undo, &w->n_undo, &w->cap_undo, g);
		w->n_redo = 0;
	}
	free(full);
	return ok;
}

static bool step_back(struct workspace *w, int verdict, size_t *stack, size_t n_stack,
	const struct decision **ret, size_t *ret_n, struct err *err)
{
	*ret_n = 0;
	if (!may_write(w, err))
		return false;
	if (!n_stack)
		return true;
	const struct group *g = &w->groups[stack[n_stack - 1]];
	struct decision d = {.group = w->groups[w->n_groups - 1].id,
		.at_ms = now_ms(),
		.user = text_of(w->user)};
	if (!transact(w, &d, 1, verdict, g->id, err))
		return false;
	size_t first = g->first, n = g->n;
	if (verdict == ROW_UNDO)
		fold_undo(w);
	else
		fold_redo(w);
	*ret = &w->entries[first].d;
	*ret_n = n;
	return true;
}

bool workspace_undo(
	struct workspace *w, const struct decision **ret, size_t *ret_n, struct err *err)
{
	return step_back(w, ROW_UNDO, w->undo, w->n_undo, ret, ret_n, err);
}

bool workspace_redo(
	struct workspace *w, const struct decision **ret, size_t *ret_n, struct err *err)
{
	return step_back(w, ROW_REDO, w->redo, w->n_redo, ret, ret_n, err);
}

void workspace_tally(const struct workspace *w, size_t ret[VERDICT_NOTE + 1])
{
	memset(ret, 0, (VERDICT_NOTE + 1) * sizeof *ret);
	for (size_t i = 0; i < w->in_force.cap; i++) {
		const struct map_slot *s = &w->in_force.slots[i];
		if (s->key && s->value)
			ret[w->entries[s->value - 1].d.verdict]++;
	}
}

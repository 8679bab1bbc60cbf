#include "tui/decide.h"

#include <stdio.h>
#include <string.h>

static enum verdict verdict_of(enum command_id c)
{
	switch ((int)c) {
	case CMD_KEEP:
		return VERDICT_KEEP;
	case CMD_REJECT:
		return VERDICT_REJECT;
	case CMD_PROMOTE:
		return VERDICT_PROMOTE;
	case CMD_SKIP:
		return VERDICT_SKIP;
	case CMD_EDIT:
		return VERDICT_EDIT;
	case CMD_NOTE:
		return VERDICT_NOTE;
	default:
		return VERDICT_NONE;
	}
}

static struct effect save(struct app *a, const struct decision *d, size_t n, bool *ret_decided)
{
	struct err err = ERR_INIT;
	*ret_decided = session_decide(&a->session, d, n, &err);
	if (!*ret_decided)
		return effect_error("NOT SAVED: %s", err.text);
	return n > 1 ? effect_message("%s: %zu candidates; u takes all of them back",
			       verdict_name(d[0].verdict), n)
		     : NO_EFFECT;
}

/* Edit and note ask for a line first; its answer comes back as the same command with args. */
static struct effect decide_text(
	struct app *a, const struct row *r, const struct shown *c, const struct input *in)
{
	bool is_edit = in->command == CMD_EDIT;
	if (!in->args.s) {
		struct text now = session_text(&a->session, r, c->c->text);
		return effect_prompt(
			in->command, is_edit ? "text: " : "note: ", is_edit ? now : TEXT_NONE);
	}
	if (!in->args.len)
		return effect_message("nothing typed, nothing changed");
	struct decision d = decision_about(r, c->c->text, is_edit ? VERDICT_EDIT : VERDICT_NOTE);
	d.text = in->args;
	bool saved;
	struct effect e = save(a, &d, 1, &saved);
	return saved ? effect_message("%s; u takes it back",
			       is_edit ? "text changed: it has no score until it is scored again"
				       : "noted")
		     : e;
}

struct effect decide(struct app *a, const struct row *r, const struct shown *c, size_t n,
	const struct input *in, bool *ret_decided)
{
	*ret_decided = false;
	enum verdict v = verdict_of(in->command);
	bool is_suggestion = in->command == CMD_SUGGESTION;
	if (v == VERDICT_NONE && !is_suggestion)
		return UNHANDLED;
	if (!r || r->is_broken || !n)
		return effect_message("there is nothing to decide here");
	if (v == VERDICT_EDIT || v == VERDICT_NOTE)
		return decide_text(a, r, &c[0], in);
	struct decision d[SHOWN_MAX];
	size_t n_d = 0;
	for (size_t i = 0; i < n; i++) {
		enum verdict it = is_suggestion ? c[i].suggestion : v;
		if (it == VERDICT_NONE)
			continue;
		if (it == VERDICT_PROMOTE && c[i].is_pos)
			return effect_message("it is a positive already");
		d[n_d] = decision_about(r, c[i].c->text, it);
		if (is_suggestion)
			d[n_d].reason = text_of(c[i].reason);
		n_d++;
	}
	if (!n_d)
		return effect_message("no suggestion: neither teacher nor student has scored it");
	return save(a, d, n_d, ret_decided);
}

struct effect decide_rest(
	struct app *a, const struct row *r, const struct shown *c, size_t n, bool *ret_decided)
{
	struct decision d[SHOWN_MAX];
	size_t n_d = 0;
	*ret_decided = false;
	if (!r || r->is_broken || !n)
		return effect_message("there is nothing to decide here");
	for (size_t i = 0; i < n; i++)
		if (!c[i].is_pos && c[i].verdict == VERDICT_NONE)
			d[n_d++] = decision_about(r, c[i].c->text, VERDICT_KEEP);
	if (!n_d) {
		*ret_decided = true;
		return effect_message("all of this row was decided");
	}
	return save(a, d, n_d, ret_decided);
}

struct effect decide_undo(struct app *a, const struct input *in, const struct decision **ret)
{
	*ret = NULL;
	if (in->command != CMD_UNDO && in->command != CMD_REDO)
		return UNHANDLED;
	bool is_undo = in->command == CMD_UNDO;
	struct err err = ERR_INIT;
	const struct decision *d = NULL;
	size_t n = 0;
	bool ok = is_undo ? workspace_undo(a->session.workspace, &d, &n, &err)
			  : workspace_redo(a->session.workspace, &d, &n, &err);
	if (!ok)
		return effect_error("%s", err.text);
	if (!n)
		return effect_message(is_undo ? "nothing to undo" : "nothing to redo");
	*ret = d;
	char text[60];
	snprintf(text, sizeof text, "%.*s", TEXT_ARG(d->text));
	const char *what = is_undo ? "undone" : "decided again";
	if (n > 1)
		return effect_message("%s: %s, %zu candidates", what, verdict_name(d->verdict), n);
	return effect_message("%s: %s%s%s%s", what, verdict_name(d->verdict), text[0] ? " \"" : "",
		text, text[0] ? "\"" : "");
}

#include "model/prompts.h"

#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "model/families.h"
#include "text/tokenizer.h"

#define SLOT "{instruction}"

bool prompts_named(const struct prompts *p, const char *name, struct text *ret)
{
	for (size_t i = 0; i < p->n; i++)
		if (text_is(p->names[i], name)) {
			*ret = p->values[i];
			return true;
		}
	return false;
}

static struct text first_of(const struct prompts *p, const char *const *names, size_t n)
{
	struct text found = TEXT("");
	for (size_t i = 0; i < n; i++)
		if (prompts_named(p, names[i], &found))
			return found;
	return found;
}

static bool read_prompts(json root, const char *path, struct prompts *p, struct err *err)
{
	json all = json_get(root, "prompts");
	struct text name;
	if (!json_want_text(root, "default_prompt_name", TEXT_NONE, &name, err))
		return err_prefix(err, "%s", path);
	if (!json_is(all, JSON_MISSING) && !json_is(all, JSON_NULL) && !json_is(all, JSON_OBJECT))
		return err_set(err, ERR_DATA, "%s: prompts is %s, expected an object of name: text",
			path, json_type_name(json_type(all)));
	p->names = arena_calloc(&p->arena, json_count(all), sizeof *p->names);
	p->values = arena_calloc(&p->arena, json_count(all), sizeof *p->values);
	for (struct json_iter it = json_each(all); json_next(&it);) {
		struct text value = TEXT_NONE;
		if (json_is(it.value, JSON_NULL))
			continue;
		if (!json_string(it.value, &value.s, &value.len))
			return err_set(err, ERR_DATA, "%s: prompts: %.*s is %s, expected a text",
				path, (int)it.key_len, it.key, json_type_name(json_type(it.value)));
		p->names[p->n] = arena_text(&p->arena, (struct text){it.key, it.key_len});
		p->values[p->n++] = arena_text(&p->arena, value);
	}
	p->default_name = name.s ? arena_text(&p->arena, name) : TEXT_NONE;
	struct text unused;
	if (name.s && !prompts_named(p, p->default_name.s, &unused))
		return err_set(err, ERR_DATA,
			"%s: default_prompt_name is \"%s\", but prompts has no such name", path,
			p->default_name.s);
	return true;
}

static const char *find(struct text in, size_t from, const char *what)
{
	size_t n = strlen(what);
	return in.len >= from + n ? memmem(in.s + from, in.len - from, what, n) : NULL;
}

/* Where an instruction belongs in a query template: {instruction}, or what stands between the
 * words that the instruction-tuned families share. False: nowhere. */
static bool find_slot(struct text template, size_t *ret_at, size_t *ret_end)
{
	static const char *const frames[][2] = {{"Instruct: ", " \n Query:"},
		{"Instruct: ", "\nQuery:"}, {"<instruct>", "\n<query>"}, {"task: ", " | query:"}};
	const char *slot = find(template, 0, SLOT);
	if (slot) {
		*ret_at = (size_t)(slot - template.s);
		*ret_end = *ret_at + strlen(SLOT);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		const char *open = find(template, 0, frames[i][0]);
		size_t at = open ? (size_t)(open - template.s) + strlen(frames[i][0]) : 0;
		const char *close = open ? find(template, at, frames[i][1]) : NULL;
		if (close) {
			*ret_at = at;
			*ret_end = (size_t)(close - template.s);
			return true;
		}
	}
	return false;
}

/* What stands before {query}: a prefix needs no slot for the text itself. */
static struct text without_query(struct text template)
{
	const char *query = find(template, 0, "{query}");
	return query ? (struct text){template.s, (size_t)(query - template.s)} : template;
}

/* The template with the instruction in its slot, or the instruction itself when there is none. */
static struct text filled(struct text template, struct text instruction, struct arena *a)
{
	size_t at, end;
	template = without_query(template);
	if (!find_slot(template, &at, &end))
		return arena_text(a, instruction);
	size_t after = template.len - end, len = at + instruction.len + after;
	char *s = arena_alloc(a, len + 1);
	memcpy(s, template.s, at);
	memcpy(s + at, instruction.s, instruction.len);
	memcpy(s + at + instruction.len, template.s + end, after);
	s[len] = '\0';
	return (struct text){s, len};
}

static const char *const query_names[] = {"query", "s2p_query"};
static const char *const passage_names[] = {"document", "passage", "corpus"};

static bool read_folder(const char *dir, struct prompts *p, bool *ret_says, struct err *err)
{
	const char *path = fs_join(&p->arena, dir, "config_sentence_transformers.json");
	struct json_file f;
	*ret_says = false;
	if (!fs_exists(path))
		return true;
	bool ok = json_file_open(path, &f, err) && read_prompts(f.root, path, p, err);
	json_file_close(&f);
	*ret_says = p->n > 0;
	return ok;
}

/* The template with the family's own instruction in its slot. */
static struct text of_family(const struct family *f, struct arena *a)
{
	return f->instruction.len > 0 ? filled(f->query, f->instruction, a) : f->query;
}

static bool find_family(
	const char *dir, const char *asked, struct prompts *p, struct family *ret, struct err *err)
{
	*ret = (struct family){0};
	if (asked && strcmp(asked, "none") == 0)
		return true;
	if (asked && strcmp(asked, "auto") != 0)
		return family_named(asked, &p->arena, ret, err);
	return family_of(dir, &p->arena, ret, err);
}

static bool settle(
	const char *dir, const struct prompts_options *opt, struct prompts *p, struct err *err)
{
	struct family f;
	bool says,
		is_named = opt->family && strcmp(opt->family, "auto") != 0 &&
		strcmp(opt->family, "none") != 0;
	if (!read_folder(dir, p, &says, err) || !find_family(dir, opt->family, p, &f, err))
		return false;
	p->family = f.name;
	p->closing = f.append;
	if (says && !is_named) {
		p->query = first_of(p, query_names, ARRAY_LEN(query_names));
		p->passage = first_of(p, passage_names, ARRAY_LEN(passage_names));
		p->source = "config_sentence_transformers.json";
	} else if (f.name) {
		p->query = of_family(&f, &p->arena);
		p->passage = f.passage;
		p->source = arena_printf(&p->arena, "family %s", f.name);
	} else {
		p->query = p->passage = TEXT("");
		p->source = "none";
	}
	if (opt->query)
		p->query = arena_text(&p->arena, text_of(opt->query));
	if (opt->passage)
		p->passage = arena_text(&p->arena, text_of(opt->passage));
	p->query_forced = opt->query != NULL;
	if (opt->query || opt->passage)
		p->source = opt->query && opt->passage ? "--query-prompt and --passage-prompt"
			: opt->query ? arena_printf(&p->arena, "--query-prompt; %s", p->source)
				     : arena_printf(&p->arena, "--passage-prompt; %s", p->source);
	return true;
}

bool prompts_open_as(
	const char *dir, const struct prompts_options *opt, struct prompts *ret, struct err *err)
{
	struct prompts p = {.arena = ARENA_INIT};
	if (!settle(dir, opt, &p, err)) {
		prompts_close(&p);
		return false;
	}
	*ret = p;
	return true;
}

bool prompts_open(const char *dir, const char *query, const char *passage, struct prompts *ret,
	struct err *err)
{
	return prompts_open_as(
		dir, &(struct prompts_options){.query = query, .passage = passage}, ret, err);
}

bool prompts_close_texts(const struct prompts *p, struct tokenizer *t, struct err *err)
{
	int32_t id;
	if (p->closing.len == 0)
		return true;
	if (!tokenizer_id(t, p->closing, &id))
		return err_set(err, ERR_DATA,
			"the recipe of family %s ends every text with %.*s, a token that the "
			"tokenizer does not know; --prompts none leaves families alone",
			p->family, TEXT_ARG(p->closing));
	tokenizer_close_with(t, id);
	return true;
}

void prompts_close(struct prompts *p)
{
	arena_release(&p->arena);
	*p = (struct prompts){.arena = ARENA_INIT};
}

/* A template as it serves rows without an instruction: with an open slot it says nothing. */
static struct text plain(struct text template)
{
	return find(template, 0, SLOT) ? TEXT("") : without_query(template);
}

struct text prompts_query(const struct prompts *p, struct text instruction, struct arena *a)
{
	if (p->query_forced || instruction.len == 0)
		return plain(p->query);
	return filled(p->query, instruction, a);
}

struct text prompts_passage(
	const struct prompts *p, struct text instruction, struct text type, struct arena *a)
{
	if (text_is(type, "symmetric_sts") || text_is(type, "symmetric_clustering"))
		return prompts_query(p, instruction, a);
	return p->passage;
}

#include "model/families.h"

#include <ctype.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/yaml.h"
#include "model/config.h"

static struct text scalar(const struct yaml *root, const char *key)
{
	const struct yaml *v = yaml_get(root, key);
	return v && v->kind == YAML_TEXT ? text_of(v->scalar) : TEXT("");
}

static bool parse(
	const struct family_file *file, struct arena *a, struct yaml **ret, struct err *err)
{
	const char *name = arena_printf(a, "assets/prompts/%s.yaml", file->name);
	return yaml_parse(text_of(file->text), name, a, ret, err);
}

static void fill(struct family *f, const struct family_file *file, const struct yaml *root)
{
	struct text pooling = scalar(root, "pooling");
	*f = (struct family){
		.name = file->name,
		.query = scalar(root, "query"),
		.passage = scalar(root, "passage"),
		.instruction = scalar(root, "instruction"),
		.append = scalar(root, "append"),
		.normalizes = text_is(scalar(root, "normalize"), "true"),
	};
	f->has_pooling = pooling.len > 0 && pooling_parse(pooling.s, &f->pooling);
}

/* Length of the longest of the family's names that stands in `name`; 0: none does. */
static size_t best_match(const struct yaml *root, const char *name)
{
	const struct yaml *names = yaml_get(root, "names");
	size_t best = 0;
	for (const struct yaml *v = names ? names->child : NULL; v; v = v->next) {
		size_t len = strlen(v->scalar);
		if (len > best && strcasestr(name, v->scalar))
			best = len;
	}
	return best;
}

/* The family whose name fits `name` best, if one fits better than `*best`. */
static bool improve(
	const char *name, struct arena *a, struct family *ret, size_t *best, struct err *err)
{
	for (size_t i = 0; i < n_family_files; i++) {
		struct yaml *root;
		if (!parse(&family_files[i], a, &root, err))
			return false;
		size_t match = best_match(root, name);
		if (match > *best) {
			*best = match;
			fill(ret, &family_files[i], root);
		}
	}
	return true;
}

/* "runs/bge-m3/" -> "bge-m3"; of ".../checkpoint-100" and ".../model" the parent's name too. */
static const char *called(const char *dir, struct arena *a)
{
	size_t len = strlen(dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	const char *path = arena_text(a, (struct text){dir, len}).s, *leaf = fs_basename(path);
	if (strncmp(leaf, "checkpoint-", 11) != 0 && strcmp(leaf, "model") != 0)
		return leaf;
	while (leaf > path && leaf[-1] == '/')
		leaf--;
	return fs_basename(arena_text(a, (struct text){path, (size_t)(leaf - path)}).s);
}

/* What config.json says that it was made of; "" when it says nothing. */
static bool base_name(const char *dir, struct arena *a, const char **ret, struct err *err)
{
	const char *path = fs_join(a, dir, "config.json");
	struct json_file f;
	struct text name = TEXT("");
	*ret = "";
	if (!fs_exists(path))
		return true;
	bool ok = json_file_open(path, &f, err);
	if (ok) {
		json v = json_get(f.root, "_name_or_path");
		json_string(v, &name.s, &name.len);
		*ret = fs_basename(arena_text(a, name).s);
	}
	json_file_close(&f);
	return ok;
}

bool family_of(const char *dir, struct arena *a, struct family *ret, struct err *err)
{
	size_t best = 0;
	const char *base;
	*ret = (struct family){0};
	if (!improve(called(dir, a), a, ret, &best, err))
		return false;
	if (best > 0)
		return true;
	return base_name(dir, a, &base, err) && improve(base, a, ret, &best, err);
}

bool family_named(const char *name, struct arena *a, struct family *ret, struct err *err)
{
	const char *list = "";
	for (size_t i = 0; i < n_family_files; i++) {
		struct yaml *root;
		if (strcmp(family_files[i].name, name) == 0) {
			if (!parse(&family_files[i], a, &root, err))
				return false;
			fill(ret, &family_files[i], root);
			return true;
		}
		list = arena_printf(a, "%s%s%s", list, i ? ", " : "", family_files[i].name);
	}
	return err_set(err, ERR_USAGE, "--prompts is \"%s\", expected auto, none or one of %s",
		name, list);
}

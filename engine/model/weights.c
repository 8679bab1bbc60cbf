#include "model/weights.h"

#include <string.h>

#include "base/jsonfile.h"
#include "json.h"
#include "model/torchfile.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);
	return n >= k && strcmp(s + n - k, end) == 0;
}

static bool add_file(
	struct safetensors *st, const char *path, const struct st_select *which, struct err *err)
{
	return ends_with(path, ".safetensors") ? safetensors_add(st, path, which, err)
					       : torchfile_add(st, path, which, err);
}

/* weight_map as tensor -> number of its file, and the files' names in order of appearance. */
static bool read_map(struct safetensors *st, const char *path, json weights, struct map *wanted,
	const char **names, size_t *ret_n, struct err *err)
{
	struct map numbers = MAP_INIT;
	bool ok = true;
	size_t n = 0;
	for (struct json_iter it = json_each(weights); ok && json_next(&it);) {
		struct text file = TEXT_NONE, name = {it.key, it.key_len};
		if (!json_string(it.value, &file.s, &file.len) || file.len == 0 ||
			memchr(file.s, '/', file.len) || memchr(file.s, '\0', file.len)) {
			ok = err_set(err, ERR_DATA,
				"%s: weight_map: %.*s: expected the name of a file in the "
				"folder",
				path, TEXT_ARG(name));
			break;
		}
		int64_t number = map_intern(&numbers, file, (int64_t)n);
		if (number == (int64_t)n)
			names[n++] = arena_text(&st->arena, file).s;
		map_put(wanted, name, number);
	}
	map_release(&numbers);
	*ret_n = n;
	return ok;
}

static bool read_index(struct safetensors *st, const char *path, struct map *wanted,
	const char ***ret_names, size_t *ret_n, struct err *err)
{
	struct json_file f;
	bool ok = json_file_open(path, &f, err);
	json weights = ok ? json_get(f.root, "weight_map") : (json){0};
	if (ok && (!json_is(weights, JSON_OBJECT) || json_count(weights) == 0))
		ok = err_set(err, ERR_DATA, "%s: weight_map is no object of tensor: file", path);
	if (ok) {
		*ret_names = arena_calloc(&st->arena, json_count(weights), sizeof **ret_names);
		ok = read_map(st, path, weights, wanted, *ret_names, ret_n, err);
	}
	json_file_close(&f);
	return ok;
}

static bool open_shards(struct safetensors *st, const char *dir, const char *index, struct err *err)
{
	struct map wanted = MAP_INIT;
	const char **names = NULL;
	size_t n = 0;
	bool ok = read_index(st, index, &wanted, &names, &n, err);
	for (size_t i = 0; ok && i < n; i++)
		ok = add_file(st, fs_join(&st->arena, dir, names[i]),
			&(struct st_select){.wanted = &wanted, .number = (int64_t)i}, err);
	if (ok && st->n != map_size(&wanted))
		ok = err_set(err, ERR_DATA,
			"%s: weight_map names %zu tensors, the files hold %zu of them", index,
			map_size(&wanted), st->n);
	map_release(&wanted);
	return ok;
}

bool weights_open_dir(const char *dir, struct safetensors *ret, struct err *err)
{
	static const char *const names[] = {"model.safetensors", "model.safetensors.index.json",
		"pytorch_model.bin", "pytorch_model.bin.index.json"};
	*ret = (struct safetensors)SAFETENSORS_INIT;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *path = fs_join(&ret->arena, dir, names[i]);
		if (!fs_exists(path))
			continue;
		return ends_with(path, ".json") ? open_shards(ret, dir, path, err)
						: add_file(ret, path, &(struct st_select){0}, err);
	}
	return err_set(err, ERR_DATA,
		"%s holds neither model.safetensors nor pytorch_model.bin nor an index of either",
		dir);
}

bool weights_add_part(struct safetensors *st, const char *dir, const char *name, const char *prefix,
	bool *ret_found, struct err *err)
{
	static const char *const ends[] = {".safetensors", ".bin", ".pt"};
	*ret_found = false;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const char *path =
			fs_join(&st->arena, dir, arena_printf(&st->arena, "%s%s", name, ends[i]));
		if (!fs_exists(path))
			continue;
		*ret_found = true;
		return add_file(st, path, &(struct st_select){.prefix = prefix}, err);
	}
	return true;
}

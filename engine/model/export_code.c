/* export_code.c - modelling code that the base folder brings for classes that transformers does not
 * have: copied as it is, never read. */
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "model/export.h"

/* "modeling_x.XModel" names the file modeling_x.py of the folder; "owner/name--modeling.XModel" one
 * that lies elsewhere. */
static bool copy_code(const struct model *m, json entry, const char *dir, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct text name = TEXT_NONE;
	const char *dot;
	bool ok = true;
	if (json_string(entry, &name.s, &name.len) && !memchr(name.s, '/', name.len) &&
		(dot = memchr(name.s, '.', name.len))) {
		const char *file = arena_printf(&a, "%.*s.py", (int)(dot - name.s), name.s);
		const char *from = fs_join(&a, m->config.body_dir, file);
		struct fs_map map;
		if (fs_exists(from) && (ok = fs_map(from, &map, err))) {
			ok = fs_write_atomic(fs_join(&a, dir, file), map.data, map.len, err);
			fs_unmap(&map);
		}
	}
	arena_release(&a);
	return ok;
}

bool export_code(const struct model *m, const char *dir, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct json_file f = {0};
	const char *path = fs_join(&a, m->config.body_dir, "config.json");
	bool ok = !m->config.arch->brings_code;
	if (!ok) {
		ok = json_file_open(path, &f, err);
		json map = ok ? json_get(f.root, "auto_map") : (json){0};
		for (struct json_iter it = json_each(map); ok && json_next(&it);)
			ok = copy_code(m, it.value, dir, err);
		json_file_close(&f);
	}
	arena_release(&a);
	return ok;
}

#include "tui/evals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"

const char *const eval_metrics[4] = {"ndcg@10", "recall@100", "mrr@10", "map"};

enum { MOST_QUERY_BYTES = 32 << 20 };

static double number(json o, const char *key)
{
	double v = NAN;
	json_real(json_get(o, key), &v);
	return v;
}

static void read_queries(struct eval_result *r, json per_query)
{
	size_t n = json_count(per_query);
	r->queries = arena_calloc(&r->arena, n + 1, sizeof *r->queries);
	for (struct json_iter it = json_each(per_query); json_next(&it);) {
		struct text id = arena_text(&r->arena, (struct text){it.key, it.key_len});
		double v = number(it.value, eval_metrics[0]), mrr = number(it.value, "mrr@10");
		int rank = mrr > 0 ? (int)(1 / mrr + 0.5) : 0;
		map_put(&r->by_id, id, (int64_t)r->n_queries);
		r->queries[r->n_queries++] = (struct eval_query){id, v, rank};
	}
}

/* {"_id":..., "text":...} a line; queries that were not judged are passed over. */
static void read_texts(struct eval_result *r)
{
	struct buf file = BUF_INIT;
	struct err ignored = ERR_INIT;
	char *path = xasprintf("%s/queries.jsonl", r->data);
	r->texts = arena_calloc(&r->arena, r->n_queries + 1, sizeof *r->texts);
	if (r->data[0] && fs_exists(path) && fs_read(path, &file, MOST_QUERY_BYTES, &ignored)) {
		struct json_parser *p = json_parser_new();
		for (const char *s = file.data; *s;) {
			size_t n = strcspn(s, "\n"), id_len = 0, len = 0;
			json line;
			const char *id = NULL, *text = NULL;
			int64_t at;
			if (json_parse(p, s, n, 0, &line, NULL) &&
				json_string(json_get(line, "_id"), &id, &id_len) &&
				json_string(json_get(line, "text"), &text, &len) &&
				map_get(&r->by_id, (struct text){id, id_len}, &at))
				r->texts[at] = arena_text(&r->arena, (struct text){text, len});
			s += n + (s[n] == '\n');
		}
		json_parser_free(p);
	}
	buf_release(&file);
	free(path);
}

static void add(struct evals *e, const struct job_entry *j, json root, json set)
{
	struct eval_result *r = xcalloc(1, sizeof *r);
	const char *s = "";
	size_t len = 0;
	snprintf(r->name, sizeof r->name, "%s", j->name);
	json_string(json_get(set, "set"), &s, &len);
	snprintf(r->set, sizeof r->set, "%.*s", (int)len, s);
	json_string(json_get(root, "model"), &s, &len);
	snprintf(r->model, sizeof r->model, "%.*s", (int)len, s);
	s = "";
	len = 0;
	for (int i = 0; i < 4; i++)
		r->metrics[i] = number(json_get(set, "metrics"), eval_metrics[i]);
	s = "";
	len = 0;
	json_string(json_get(set, "data"), &s, &len);
	snprintf(r->data, sizeof r->data, "%.*s", (int)len, s);
	read_queries(r, json_get(set, "per_query"));
	read_texts(r);
	e->results = xreallocarray(e->results, e->n + 1, sizeof *e->results);
	memmove(e->results + 1, e->results, e->n * sizeof *e->results);
	e->results[0] = r;
	e->n++;
}

/* One object a set, or one object with several under `sets`. */
static void read_job(struct evals *e, const struct job_entry *j)
{
	struct json_file f = {0};
	struct err ignored = ERR_INIT;
	char *path = xasprintf("%s/out.txt", j->folder);
	if (fs_exists(path) && json_file_open(path, &f, &ignored)) {
		json sets = json_get(f.root, "sets");
		if (json_is(sets, JSON_ARRAY))
			for (struct json_iter it = json_each(sets); json_next(&it);)
				add(e, j, f.root, it.value);
		else
			add(e, j, f.root, f.root);
	}
	json_file_close(&f);
	free(path);
}

void evals_read(struct evals *e, const struct session *s)
{
	for (size_t i = s->n_jobs; i > 0; i--) {
		const struct job_entry *j = &s->jobs[i - 1];
		if (strncmp(j->name, "eval", 4) == 0 && j->status.state == JOB_DONE &&
			map_put(&e->seen, text_of(j->name), 1))
			read_job(e, j);
	}
}

void evals_release(struct evals *e)
{
	for (size_t i = 0; i < e->n; i++) {
		map_release(&e->results[i]->by_id);
		arena_release(&e->results[i]->arena);
		free(e->results[i]);
	}
	free(e->results);
	map_release(&e->seen);
	*e = (struct evals){0};
}

const struct eval_query *eval_query(const struct eval_result *r, struct text query)
{
	int64_t i;
	return map_get(&r->by_id, query, &i) ? &r->queries[i] : NULL;
}

struct text eval_query_text(const struct eval_result *r, struct text query)
{
	int64_t i;
	return r && map_get(&r->by_id, query, &i) ? r->texts[i] : TEXT_NONE;
}

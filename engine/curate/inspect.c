#include "curate/inspect.h"

#include <stdlib.h>

#include "curate/compare.h"
#include "curate/pass.h"

static void add_finding(struct inspect_report *r, struct finding f)
{
	r->findings[r->n_findings++] = f;
}

/* The findings of one kind, out of the chunks in their order. */
static void sum_kind(const struct pass *p, enum finding_kind k, struct inspect_report *r)
{
	struct finding f = {.kind = k};
	for (size_t i = 0; i < p->n_chunks; i++)
		f.count += p->chunks[i].count[k];
	if (f.count == 0)
		return;
	f.examples = arena_alloc(&r->arena, p->n_examples * sizeof *f.examples);
	for (size_t i = 0; i < p->n_chunks && f.n_examples < p->n_examples; i++) {
		const struct chunk *c = &p->chunks[i];
		for (size_t e = 0; e < c->count[k] && f.n_examples < p->n_examples; e++)
			f.examples[f.n_examples++] = (struct example){c->first[k][e], NO_ROW};
	}
	add_finding(r, f);
}

/* Events are sorted by kind and files: each run of equal ones is a finding. */
static void sum_events(const struct pass *p, const struct events *v, struct inspect_report *r)
{
	for (size_t i = 0, end; i < v->n; i = end) {
		const struct event *first = &v->e[i];
		end = i + 1;
		while (end < v->n && v->e[end].kind == first->kind &&
			v->e[end].file_a == first->file_a && v->e[end].file_b == first->file_b)
			end++;
		struct finding f = {.kind = first->kind,
			.count = end - i,
			.n_examples = end - i < p->n_examples ? end - i : p->n_examples,
			.file_a = first->file_a,
			.file_b = first->file_b};
		f.examples = arena_alloc(&r->arena, f.n_examples * sizeof *f.examples);
		for (size_t e = 0; e < f.n_examples; e++)
			f.examples[e] = v->e[i + e].at;
		add_finding(r, f);
	}
}

static void sum_missing(const struct dataset *d, struct inspect_report *r)
{
	for (size_t i = 0; i < r->n_files; i++) {
		struct dataset_file f;
		dataset_file(d, i, &f);
		if (f.n_missing > 0)
			add_finding(r,
				(struct finding){.kind = FINDING_MISSING_QRELS,
					.count = f.n_missing,
					.file_a = i,
					.file_b = i});
	}
}

static size_t distinct_leaks(const struct events *v)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		n += i == 0 || v->e[i].kind != v->e[i - 1].kind ||
			v->e[i].file_a != v->e[i - 1].file_a ||
			v->e[i].file_b != v->e[i - 1].file_b;
	return n;
}

static void sum_findings(const struct pass *p, const struct events *v, struct inspect_report *r)
{
	size_t most = N_FINDINGS + distinct_leaks(v) + r->n_files;
	r->findings = arena_calloc(&r->arena, most, sizeof *r->findings);
	for (enum finding_kind k = 0; k < N_FINDINGS; k++)
		sum_kind(p, k, r);
	sum_events(p, v, r);
	sum_missing(p->d, r);
}

static void sum_broken(const struct pass *p, struct inspect_report *r)
{
	for (size_t i = 0; i < p->n_chunks; i++)
		r->n_broken += p->chunks[i].n_broken;
	r->broken = arena_calloc(&r->arena, r->n_broken, sizeof *r->broken);
	size_t n = 0;
	for (size_t i = 0; i < p->n_chunks; i++)
		for (size_t k = 0; k < p->chunks[i].n_broken; k++) {
			r->broken[n] = p->chunks[i].broken[k];
			r->broken[n].why = arena_strdup(&r->arena, r->broken[n].why);
			n++;
		}
	for (size_t i = 0, k = 0; i < r->n_files; i++) {
		struct dataset_file f;
		dataset_file(p->d, i, &f);
		r->files[i].n_rows = f.n_rows;
		for (; k < n && r->broken[k].row < f.first + f.n_rows; k++)
			r->files[i].n_broken++;
	}
}

static void sum_lengths(const struct pass *p, struct inspect_report *r)
{
	for (size_t part = 0; part < N_PARTS; part++) {
		struct histogram chars = HISTOGRAM_INIT, tokens = HISTOGRAM_INIT;
		struct histogram per_row = HISTOGRAM_INIT;
		for (int i = 0; i < p->n_workers; i++) {
			histogram_merge(&chars, &p->workers[i].chars_of[part]);
			histogram_merge(&tokens, &p->workers[i].tokens_of[part]);
			histogram_merge(&per_row, &p->workers[i].per_row[part]);
		}
		histogram_lengths(&chars, &r->chars[part]);
		histogram_lengths(&tokens, &r->tokens[part]);
		histogram_lengths(&per_row, &r->per_row[part]);
		histogram_release(&chars);
		histogram_release(&tokens);
		histogram_release(&per_row);
	}
}

static int by_frequency(const void *a, const void *b)
{
	const struct inspect_field *x = a, *y = b;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void sum_fields(const struct pass *p, struct inspect_report *r)
{
	struct map index = MAP_INIT;
	size_t most = 0, n = 0;
	for (int i = 0; i < p->n_workers; i++)
		most += p->workers[i].n_fields;
	struct field_count *all = xcalloc(most + 1, sizeof *all);
	for (int i = 0; i < p->n_workers; i++)
		for (size_t k = 0; k < p->workers[i].n_fields; k++) {
			const struct field_count *f = &p->workers[i].fields[k];
			size_t at = (size_t)map_intern(&index, text_of(f->name), (int64_t)n);
			n += at == n;
			all[at].name = f->name;
			for (size_t t = 0; t < N_JSON_TYPES; t++)
				all[at].by_type[t] += f->by_type[t];
		}
	r->fields = arena_calloc(&r->arena, n, sizeof *r->fields);
	r->n_fields = n;
	for (size_t i = 0; i < n; i++) {
		size_t commonest = 0;
		for (size_t t = 0; t < N_JSON_TYPES; t++) {
			r->fields[i].n += all[i].by_type[t];
			if (all[i].by_type[t] > all[i].by_type[commonest])
				commonest = t;
		}
		r->fields[i].name = arena_strdup(&r->arena, all[i].name);
		r->fields[i].type = json_type_name((enum json_type)commonest);
	}
	qsort(r->fields, n, sizeof *r->fields, by_frequency);
	free(all);
	map_release(&index);
}

bool inspect(const struct dataset *d, const struct inspect_options *opt, struct inspect_report *ret,
	struct err *err)
{
	struct pass p;
	struct events events = {NULL, 0, 0};
	struct inspect_report r = {.n_rows = dataset_rows(d), .n_files = dataset_files(d)};
	r.files = arena_calloc(&r.arena, r.n_files, sizeof *r.files);
	bool ok =
		pass_run(d, opt, &p, err) && compare_rows(&p, r.files, &r.n_queries, &events, err);
	if (ok) {
		sum_broken(&p, &r);
		sum_lengths(&p, &r);
		sum_fields(&p, &r);
		sum_findings(&p, &events, &r);
		*ret = r;
	} else {
		arena_release(&r.arena);
	}
	free(events.e);
	pass_release(&p);
	return ok;
}

void inspect_release(struct inspect_report *r)
{
	arena_release(&r->arena);
	*r = (struct inspect_report){.arena = ARENA_INIT};
}

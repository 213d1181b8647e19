/*
 * mapped_residue.c -- what the objects of a record do not say, kept beside them; and the account.
 */
#include <stdlib.h>

#include "formats/mapped_read.h"

/* Add a field to the residue, up to the limit. */
void
map_fields_add(struct map_fields *f, struct arena *mem, const char *path, json *value)
{
	if (f->n == MAPPED_FIELDS_MAX) {
		f->overflow = true;
		return;
	}
	json_put(mem, f->o, path, value);
	f->n++;
}

/* Are they the same value, or both absent? */
static bool
same_cell(const json *a, const json *b)
{
	return a == NULL || b == NULL ? a == b : json_equal(a, b);
}

/* Which cells cannot be had back from the objects? Rows of a group stay together. */
static void
compare_rows(struct map_current *c)
{
	for (size_t i = 0; i < c->def->nrows; i++) {
		const struct map_row *row = &c->def->rows[i];
		bool differs = row->target == T_X || c->left[i] ||
		    !same_cell(c->cells[i], c->back[i]);

		if (row->is_const || !differs)
			continue;
		for (size_t k = 0; k < c->def->nrows; k++)
			if (map_group(c->def, &c->def->rows[k]) == map_group(c->def, row))
				c->keep[k] = true;
	}
}

/* A row that looks into the parent record: the parent keeps that field. */
bool
map_row_is_upward(const struct map_row *row)
{
	return row->source.up > 0 ||
	    (row->source.steps != NULL && row->source.steps[0].kind == STEP_PARENT);
}

/* Show one row to the checker. */
static void
watch_field(struct map_current *c, size_t i)
{
	const struct mapped_watch *w = c->rd->watch;

	if (w != NULL)
		w->field(w->ctx, c->rec, &c->def->rows[i], c->cells[i],
		    c->rec->off[i] ? "not asked: its condition is not met" :
		    c->left[i] || c->def->rows[i].target == T_X ? "residue only" :
		    map_row_is_upward(&c->def->rows[i]) ? "a field of the record above" :
		    c->cells[i] == NULL ? "" : c->back[i] == NULL ? "no place in the object: residue" :
		    c->keep[i] ? "exact text in the residue" : "");
}

/* The cell of a row into the residue; if there is none, the fact that there was none. */
static void
keep_row(struct map_current *c, const struct map_row *row, const json *cell, struct map_fields *fields)
{
	struct arena *mem = c->rd->r.scratch;
	struct slice path = row->target == T_X ? row->x_name : row->source.text;

	if (cell != NULL) {
		map_fields_add(fields, mem, arena_str(mem, path), json_copy(mem, cell));
	} else if (row->target != T_X && !c->rec->off[row - c->def->rows]) {
		if (c->absent == NULL)
			c->absent = json_list(mem);
		json_push(c->absent, json_string(mem, path));
	}
}

/* Turn the objects back into cells and keep what is not restored. */
int
map_keep_residue(struct map_current *c, struct map_made *made, struct map_fields *fields, struct err *e)
{
	struct mapped_reader *r = &c->rd->r;
	struct map_graph g = { .mem = r->scratch, .scratch = r->scratch };
	struct map_atom *atoms;
	struct facts f;
	bool exact;
	size_t n;

	for (size_t i = 0; i < made->n; i++)
		map_graph_add(&g, made->v[i]);
	map_graph_settle(&g);
	n = map_facts(&g, r->map, made->v[0], &f, &atoms, &exact);
	if (n > 0)
		map_atom_facts(c->def, &atoms[0], r->scratch, &f);
	map_rows_back(r->map, c->def, &f, r->scratch, c->back);
	compare_rows(c);
	for (size_t i = 0; i < c->def->nrows; i++)
		if (c->keep[i] && !c->def->rows[i].is_const && !map_row_is_upward(&c->def->rows[i]))
			keep_row(c, &c->def->rows[i], c->cells[i], fields);
	c->kept = n = fields->n;
	r->input->rest(r, c->rec, fields);
	if (fields->overflow)
		return err_set(e, ERR_LIMIT, "more than %d fields beside the mapped ones",
		    MAPPED_FIELDS_MAX);
	if (c->rd->watch != NULL) {
		for (size_t i = 0; i < c->def->nrows; i++)
			watch_field(c, i);
		for (const json *v = json_first(fields->o); v != NULL; v = json_next(v))
			if (n == 0)
				c->rd->watch->left(c->rd->watch->ctx, c->rec, json_name(v),
				    v);
			else
				n--;
	}
	return 0;
}

/* STIX knows no null and no empty lists or objects. */
static bool
fits_stix(const json *v)
{
	if (json_is_null(v))
		return false;
	if (!json_is_object(v) && !json_is_list(v))
		return true;
	for (const json *k = json_first(v); k != NULL; k = json_next(k))
		if (!fits_stix(k))
			return false;
	return json_first(v) != NULL;
}

/* Order of names. */
static int
by_name(const void *a, const void *b)
{
	return strcmp(json_name(*(json *const *)a), json_name(*(json *const *)b));
}

/* Members in the order of their names: the order of a record's fields is not part of what it says. */
static json *
sorted(struct arena *mem, json *o)
{
	size_t n = json_count(o), i = 0;
	json **v = arena_alloc(mem, (n + 1) * sizeof(*v)), *out = json_object(mem);

	for (json *m = json_first(o); m != NULL; m = json_next(m))
		v[i++] = m;
	if (n > 1)
		qsort(v, n, sizeof(*v), by_name);
	for (i = 0; i < n; i++) {
		json_detach(o, v[i]);
		json_put(mem, out, json_name(v[i]), v[i]);
	}
	return out;
}

/* The fields as they are, and as JSON text under `json` where STIX could not hold them. */
static void
put_fields(struct map_current *c, json *ext, json *fields)
{
	struct arena *mem = c->rd->r.mem;
	json *plain = json_object(mem), *odd = json_object(mem);

	fields = sorted(c->rd->r.scratch, fields);
	for (json *v = json_first(fields); v != NULL; v = json_next(v)) {
		struct strbuf b = STRBUF_INIT;

		if (fits_stix(v)) {
			json_put(mem, plain, json_name(v), json_copy(mem, v));
			continue;
		}
		json_print(&b, v);
		json_put_str(mem, odd, json_name(v), strbuf_slice(&b));
		strbuf_fini(&b);
	}
	if (json_first(plain) != NULL)
		json_put(mem, ext, "fields", plain);
	if (json_first(odd) != NULL)
		json_put(mem, ext, "json", odd);
}

/* Put the residue into the object. */
void
map_put_extension(struct map_current *c, json *tree, json *fields)
{
	struct arena *mem = c->rd->r.mem;
	const struct mapping *m = c->rd->r.map;
	json *all = json_put(mem, tree, "extensions", json_object(mem));
	json *ext = json_put(mem, all, MAPPED_EXTENSION, json_object(mem));
	json *key = json_list(mem);

	json_put_str(mem, ext, "extension_type", SLICE_LIT("property-extension"));
	json_put_str(mem, ext, "mapping", m->name);
	json_put_int(mem, ext, "version", m->version);
	for (size_t i = 0; i < c->keys.n; i++)
		json_push(key, json_string(mem, c->keys.v[i]));
	if (c->keys.n > 0)
		json_put(mem, ext, "key", key);
	put_fields(c, ext, fields);
	if (c->absent != NULL)
		json_put(mem, ext, "absent", json_copy(mem, c->absent));
}

/* ---- the account ------------------------------------------------------------------------------ */

/* Entries for every leaf of a value. */
void
map_account_value(struct loss *l, enum loss_kind kind, const char *note, const char *path,
    const json *v, struct arena *mem)
{
	size_t i = 0;

	if (l == NULL || v == NULL)
		return;
	if (!json_is_object(v) && !json_is_list(v)) {
		loss_add(l, kind, path, note);
		return;
	}
	for (const json *k = json_first(v); k != NULL; k = json_next(k), i++)
		map_account_value(l, kind, note, json_name(k) != NULL ?
		    arena_fmt(mem, "%s/%s", path, json_name(k)) :
		    arena_fmt(mem, "%s/%zu", path, i), k, mem);
}

/* The path of a field in the input. */
static const char *
path_in(const struct map_current *c, struct slice field)
{
	return arena_fmt(c->rd->r.scratch, "%s%s%.*s", c->rec->path,
	    slice_starts(field, "/") ? "" : "/", SLICE_ARG(field));
}

/* Every leaf of the record into the account. The first c->kept of `fields` are rows told before. */
void
map_account_record(struct map_current *c, const json *fields, const char *refused)
{
	struct mapped_reader *r = &c->rd->r;
	struct loss *l = r->job->loss;
	enum loss_kind other = refused != NULL || r->map->no_residue ? LOSS_DROPPED : LOSS_MOVED;
	const char *why = refused != NULL ? refused :
	    r->map->no_residue ? "not mapped" : "kept in the extension";
	size_t kept = c->kept;

	for (size_t i = 0; l != NULL && i < c->def->nrows; i++) {
		const struct map_row *row = &c->def->rows[i];
		bool said = refused == NULL && c->back[i] != NULL && !c->left[i];

		if (!row->is_const && !map_row_is_upward(row))
			map_account_value(l, said ? LOSS_KEPT : other, said ? NULL : why,
			    path_in(c, row->source.text), c->cells[i], r->scratch);
	}
	for (const json *v = l == NULL ? NULL : json_first(fields); v != NULL; v = json_next(v))
		if (kept > 0)
			kept--;
		else
			map_account_value(l, other, why, path_in(c, slice_of(json_name(v))), v,
			    r->scratch);
}

/* Say of every leaf of a record and its children that it was dropped. */
void
map_account_dropped(struct map_reading *rd, struct mapped_record *rec, const char *why)
{
	struct map_current c = { .rd = rd, .rec = rec, .def = rec->def };
	struct map_fields fields = { .o = json_object(rd->r.scratch) };
	struct mapped_record *kids;

	if (rd->r.job->loss == NULL)
		return;
	if (rec->cells == NULL && rec->xml == NULL && !json_is_object(rec->node)) {
		loss_add(rd->r.job->loss, LOSS_DROPPED, rec->path, why);
		return;
	}
	map_current_init(&c);
	map_read_cells(&c);
	rd->r.input->rest(&rd->r, rec, &fields);
	map_account_record(&c, fields.o, why);
	for (size_t d = 0; rd->r.input->children != NULL && d < rec->def->nchildren; d++) {
		size_t n = rd->r.input->children(&rd->r, rec, &rec->def->children[d], &kids);

		for (size_t i = 0; i < n; i++)
			map_account_dropped(rd, &kids[i], why);
	}
}

/* Take back what the account said of a record's children before the record was refused. */
void
map_account_rewind(struct loss *now, const struct loss *then)
{
	if (now == NULL)
		return;
	now->n = then->n;
	memcpy(now->count, then->count, sizeof(now->count));
}

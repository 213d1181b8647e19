/*
 * mapped_read.c -- an in-house input becomes an advisory, record by record.
 *
 * A record is read into cells, cells into facts, facts into objects. Then the objects are turned back
 * into cells: what differs from the source, and what no row maps, goes to the residue extension of
 * the record's object. So whatever a mapping does, the way back restores the record.
 *
 * A record that cannot be read is refused alone (a verdict with place and reason); its children go
 * with it. A child that cannot be read is refused without its parent.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/mapped_read.h"
#include "formats/xml.h"
#include "gateway/base/digest.h"

enum { OBJECTS_DEFAULT = 100000, BYTES_DEFAULT = 64 << 20, SCRATCH_BYTES = 1 << 20 };

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

/* ---- verdicts and the account ----------------------------------------------------------------- */

/* Return the stable word of a refusal. */
static const char *
verdict_code(enum err_code code)
{
	switch (code) {
	case ERR_MISSING:	return "MISSING_FIELD";
	case ERR_VALUE:		return "BAD_VALUE";
	case ERR_ENCODING:	return "BAD_ENCODING";
	case ERR_LIMIT:		return "TOO_LARGE";
	case ERR_DUPLICATE:	return "DUPLICATE_KEY";
	default:		return "BAD_RECORD";
	}
}

/* Entries for every leaf of a value. */
static void
account_value(struct loss *l, enum loss_kind kind, const char *note, const char *path,
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
		account_value(l, kind, note, json_name(k) != NULL ?
		    arena_fmt(mem, "%s/%s", path, json_name(k)) :
		    arena_fmt(mem, "%s/%zu", path, i), k, mem);
}

/* Refuse a record: a verdict with its place and text. */
void
map_read_refuse(struct map_reading *rd, const struct mapped_record *rec, struct slice text, struct slice id,
    const struct err *e)
{
	struct verdict *v = advisory_verdict(rd->adv, rd->r.mem, VERDICT_REFUSED,
	    verdict_code(e->code));

	v->err = *e;
	if (v->err.at.line == 0)
		v->err.at = rec->err.at;
	err_input(&v->err, rd->r.job->input);
	err_path(&v->err, "%s", rec->path);
	v->id = id;
	v->index = rec->index;
	v->text = arena_slice(rd->r.mem, text);
	if (rd->watch != NULL)
		rd->watch->record(rd->watch->ctx, rec, &v->err);
}

/* A remark on the input as a whole. */
void
map_read_warn(struct map_reading *rd, const char *code, const char *fmt, ...)
{
	struct verdict *v = advisory_verdict(rd->adv, rd->r.mem, VERDICT_WARNED, code);
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&v->err, ERR_VALUE, "%s", text);
	err_input(&v->err, rd->r.job->input);
}

/* The text of a record for quarantine. */
static struct slice
record_text(struct map_reading *rd, const struct mapped_record *rec)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s = rec->text;

	if (s.n == 0 && rec->node != NULL) {
		json_print(&b, rec->node);
		s = arena_slice(rd->r.mem, strbuf_slice(&b));
	} else if (s.n == 0 && rec->xml != NULL) {
		xml_print(&b, rec->xml, 0);
		s = arena_slice(rd->r.mem, strbuf_slice(&b));
	}
	strbuf_fini(&b);
	return s;
}

/* ---- one record: cells and facts -------------------------------------------------------------- */

struct current {
	struct map_reading		*rd;
	struct mapped_record	*rec;
	const struct map_record	*def;
	json			**cells;	/* of the rows, as they came */
	json			**back;		/* as the objects give them */
	bool			*keep;		/* rows whose cells go to the residue */
	bool			*left;		/* a value of the row stays in the residue */
	struct facts		 facts;
	struct texts		 keys;
	size_t			 kept;		/* residue entries that came from rows */
	json			*absent;	/* rows that had nothing where the way back has something */
};

/* Make room for the rows. */
static void
current_init(struct current *c)
{
	size_t n = c->def->nrows + 1;

	c->cells = arena_alloc(c->rd->r.scratch, n * sizeof(*c->cells));
	c->back = arena_alloc(c->rd->r.scratch, n * sizeof(*c->back));
	c->keep = arena_alloc(c->rd->r.scratch, n);
	c->left = arena_alloc(c->rd->r.scratch, n);
}

/* Return another cell of the record, for templates and conditions. */
static json *
other_cell(void *ctx, const struct map_path *path)
{
	struct current *c = ctx;

	return c->rd->r.input->cell(&c->rd->r, c->rec, path, false);
}

/* Does the record meet the conditions of its mapping? */
static bool
is_wanted(struct current *c)
{
	for (size_t i = 0; i < c->def->nwhens; i++) {
		const struct map_when *w = &c->def->whens[i];
		struct texts t = { 0 };
		bool in = false;

		if (!map_cell_texts(other_cell(c, &w->path), c->rd->r.scratch, &t))
			return false;
		for (size_t k = 0; k < t.n; k++)
			for (size_t j = 0; j < w->nwords; j++)
				in |= slice_eq(t.v[k], w->words[j]);
		if ((w->test == WHEN_IN && !in) || (w->test == WHEN_NOT_IN && in) ||
		    (w->test == WHEN_PRESENT && t.n == 0) || (w->test == WHEN_ABSENT && t.n > 0))
			return false;
	}
	return true;
}

/* Take the cells of all rows. */
static void
read_cells(struct current *c)
{
	struct mapped_reader *r = &c->rd->r;

	for (size_t i = 0; i < c->def->nrows; i++) {
		const struct map_row *row = &c->def->rows[i];

		if (!row->is_const)
			c->cells[i] = r->input->cell(r, c->rec, &row->source, true);
	}
}

/* Turn all cells into facts. */
static int
read_rows(struct current *c, struct err *e)
{
	const struct mapped_reader *r = &c->rd->r;

	read_cells(c);
	for (size_t i = 0; i < c->def->nrows; i++)
		if (map_row_forth(&c->def->rows[i], c->cells[i], other_cell, c, r->scratch, &c->facts,
		    &c->left[i], e) < 0)
			return -1;
	return 0;
}

/* Key texts: the parent's, if a child has keys at all, then its own. */
static int
read_keys(struct current *c, const struct texts *parent, struct err *e)
{
	bool any = c->def->nkeys == 0;

	for (size_t i = 0; parent != NULL && c->def->nkeys > 0 && i < parent->n; i++)
		texts_add(&c->keys, c->rd->r.scratch, parent->v[i]);
	for (size_t i = 0; i < c->def->nkeys; i++) {
		struct texts t = { 0 };

		if (!map_cell_texts(other_cell(c, &c->def->keys[i]), c->rd->r.scratch, &t))
			return err_set(e, ERR_VALUE, "the key is no plain value");
		texts_add(&c->keys, c->rd->r.scratch, t.n > 0 ? slice_trim(t.v[0]) : SLICE_EMPTY);
		any |= t.n > 0 && slice_trim(t.v[0]).n > 0;
	}
	return any ? 0 : err_set(e, ERR_MISSING, "the key of the record is empty");
}

/* ---- residue ---------------------------------------------------------------------------------- */

/* Are they the same value, or both absent? */
static bool
same_cell(const json *a, const json *b)
{
	return a == NULL || b == NULL ? a == b : json_equal(a, b);
}

/* Which cells cannot be had back from the objects? Rows of a group stay together. */
static void
compare_rows(struct current *c)
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
static bool
is_upward(const struct map_row *row)
{
	return row->source.up > 0 ||
	    (row->source.steps != NULL && row->source.steps[0].kind == STEP_PARENT);
}

/* Show one row to the checker. */
static void
watch_field(struct current *c, size_t i)
{
	const struct mapped_watch *w = c->rd->watch;

	if (w != NULL)
		w->field(w->ctx, &c->def->rows[i], c->cells[i],
		    c->left[i] || c->def->rows[i].target == T_X ? "residue only" :
		    c->cells[i] == NULL ? "" : c->back[i] == NULL ? "no place in the object: residue" :
		    c->keep[i] ? "exact text in the residue" : "");
}

/* The cell of a row into the residue; if there is none, the fact that there was none. */
static void
keep_row(struct current *c, const struct map_row *row, const json *cell, struct map_fields *fields)
{
	struct arena *mem = c->rd->r.scratch;
	struct slice path = row->target == T_X ? row->x_name : row->source.text;

	if (cell != NULL) {
		map_fields_add(fields, mem, arena_str(mem, path), json_copy(mem, cell));
	} else if (row->target != T_X) {
		if (c->absent == NULL)
			c->absent = json_list(mem);
		json_push(c->absent, json_string(mem, path));
	}
}

/* Turn the objects back into cells and keep what is not restored. */
static int
keep_residue(struct current *c, struct map_made *made, struct map_fields *fields, struct err *e)
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
		if (c->keep[i] && !c->def->rows[i].is_const && !is_upward(&c->def->rows[i]))
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
				c->rd->watch->left(c->rd->watch->ctx, json_name(v), v);
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
put_fields(struct current *c, json *ext, json *fields)
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
static void
put_extension(struct current *c, json *tree, json *fields)
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

/* The path of a field in the input. */
static const char *
path_in(const struct current *c, struct slice field)
{
	return arena_fmt(c->rd->r.scratch, "%s%s%.*s", c->rec->path,
	    slice_starts(field, "/") ? "" : "/", SLICE_ARG(field));
}

/* Every leaf of the record into the account. The first c->kept of `fields` are rows told before. */
static void
account_record(struct current *c, const json *fields, const char *refused)
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

		if (!row->is_const && !is_upward(row))
			account_value(l, said ? LOSS_KEPT : other, said ? NULL : why,
			    path_in(c, row->source.text), c->cells[i], r->scratch);
	}
	for (const json *v = l == NULL ? NULL : json_first(fields); v != NULL; v = json_next(v))
		if (kept > 0)
			kept--;
		else
			account_value(l, other, why, path_in(c, slice_of(json_name(v))), v,
			    r->scratch);
}

/* ---- one record: objects ---------------------------------------------------------------------- */

/* Add a unit in front of its children, which were read before it: the units from `at` on. */
static struct map_unit *
unit_add(struct map_reading *rd, const struct mapped_record *rec, size_t at)
{
	struct map_unit *u;

	rd->units = arena_grow(rd->r.mem, rd->units, rd->n, &rd->cap, sizeof(*rd->units));
	u = &rd->units[at];
	memmove(u + 1, u, (rd->n++ - at) * sizeof(*u));
	memset(u, 0, sizeof(*u));
	u->at = rec->err.at;
	u->text = rec->text;
	u->path = arena_str(rd->r.mem, slice_of(rec->path));
	u->index = rec->index;
	u->child = rec->parent != NULL;
	return u;
}

static int	one_record(struct map_reading *rd, struct mapped_record *rec,
		    const struct map_made *parent, const struct texts *parent_keys,
		    const struct facts *inherited);

/* Read the children; refs gets the ids of those that could be read. */
static int
read_children(struct current *c, const struct map_made *made, struct texts *refs, struct err *e)
{
	struct map_reading *rd = c->rd;
	size_t most = rd->r.job->limits.objects == 0 ? OBJECTS_DEFAULT : rd->r.job->limits.objects;

	for (size_t d = 0; d < c->def->nchildren; d++) {
		struct mapped_record *kids;
		size_t n = rd->r.input->children(&rd->r, c->rec, &c->def->children[d], &kids);

		if ((rd->records += n) > most)
			return err_set(e, ERR_LIMIT, "more than %zu records", most);
		for (size_t i = 0; i < n; i++)
			if (one_record(rd, &kids[i], made, &c->keys, &c->facts) > 0)
				texts_add(refs, rd->r.scratch,
				    json_member(rd->units[rd->n - 1].made.v[0], "id"));
	}
	return 0;
}

/* Label and language are the parent's unless a child has its own. */
static void
inherit(struct current *c, const struct facts *parent)
{
	static const enum map_target which[] = { T_TLP, T_LANG };

	for (size_t i = 0; parent != NULL && i < 2; i++)
		if (c->facts.t[which[i]].n == 0)
			c->facts.t[which[i]] = parent->t[which[i]];
}

/* From cells to objects: *made and the ids of children. */
static int
make_objects(struct current *c, const struct map_made *parent, const struct texts *parent_keys,
    const struct facts *inherited, struct map_made *made, struct err *e)
{
	struct map_build b = { .map = c->rd->r.map, .def = c->def, .mem = c->rd->r.mem,
	    .scratch = c->rd->r.scratch, .received = c->rd->r.job->received,
	    .facts = &c->facts, .parent = parent };
	struct texts refs = { 0 };

	if (read_rows(c, e) < 0 || read_keys(c, parent_keys, e) < 0)
		return -1;
	inherit(c, inherited);
	map_defaults(c->rd->r.map, c->rd->r.scratch, &c->facts);
	b.keys = c->keys.v;
	b.nkeys = c->keys.n;
	if (map_build_begin(&b, made, e) < 0)
		return -1;
	if (c->rd->r.input->children != NULL && read_children(c, made, &refs, e) < 0)
		return -1;
	b.refs = refs.v;
	b.nrefs = refs.n;
	return map_build(&b, made, e);
}

/* A local time without a zone is taken as UTC: say so, once. */
static void
warn_zone(struct map_reading *rd, const struct mapped_record *rec)
{
	for (size_t i = 0; !rd->warned_zone && i < rec->def->nrows; i++) {
		const struct map_time *t = &rec->def->rows[i].time;

		if (t->form != TIME_FORMAT || t->zone != NULL ||
		    memmem(t->format.p, t->format.n, "%z", 2) != NULL)
			continue;
		rd->warned_zone = true;
		map_read_warn(rd, "NO_ZONE", "%.*s has no time zone, nor has the mapping: "
		    "read as UTC",
		    SLICE_ARG(rec->def->rows[i].source.text));
	}
}

/* Say of every leaf of a record and its children that it was dropped. */
static void
account_dropped(struct map_reading *rd, struct mapped_record *rec, const char *why)
{
	struct current c = { .rd = rd, .rec = rec, .def = rec->def };
	struct map_fields fields = { .o = json_object(rd->r.scratch) };
	struct mapped_record *kids;

	if (rd->r.job->loss == NULL)
		return;
	if (rec->cells == NULL && rec->xml == NULL && !json_is_object(rec->node)) {
		loss_add(rd->r.job->loss, LOSS_DROPPED, rec->path, why);
		return;
	}
	current_init(&c);
	read_cells(&c);
	rd->r.input->rest(&rd->r, rec, &fields);
	account_record(&c, fields.o, why);
	for (size_t d = 0; rd->r.input->children != NULL && d < rec->def->nchildren; d++) {
		size_t n = rd->r.input->children(&rd->r, rec, &rec->def->children[d], &kids);

		for (size_t i = 0; i < n; i++)
			account_dropped(rd, &kids[i], why);
	}
}

/* Take back what the account said of a record's children before the record was refused. */
static void
account_rewind(struct loss *now, const struct loss *then)
{
	if (now == NULL)
		return;
	now->n = then->n;
	memcpy(now->count, then->count, sizeof(now->count));
}

/* One record and its children; 1 = it is the last unit, 0 = skipped or refused. */
static int
one_record(struct map_reading *rd, struct mapped_record *rec, const struct map_made *parent,
    const struct texts *parent_keys, const struct facts *inherited)
{
	struct current c = { .rd = rd, .rec = rec, .def = rec->def };
	struct map_fields fields = { .o = json_object(rd->r.scratch) };
	struct loss *loss = rd->r.job->loss, then = { 0 };
	struct map_made made = { 0 };
	struct err e = rec->err;
	size_t units = rd->n;
	struct map_unit *u;

	current_init(&c);
	if (loss != NULL)
		then = *loss;
	if (e.code == ERR_NONE && rd->watch != NULL)
		rd->watch->record(rd->watch->ctx, rec, NULL);
	if (e.code == ERR_NONE && !is_wanted(&c)) {
		rd->skipped++;
		account_dropped(rd, rec, "not wanted by the mapping");
		return 0;
	}
	if (e.code != ERR_NONE || make_objects(&c, parent, parent_keys, inherited, &made, &e) < 0 ||
	    keep_residue(&c, &made, &fields, &e) < 0) {
		rd->n = units;		/* the children go with it */
		map_read_refuse(rd, rec, record_text(rd, rec), SLICE_EMPTY, &e);
		account_rewind(loss, &then);
		account_dropped(rd, rec, "the record was refused");
		return 0;
	}
	warn_zone(rd, rec);
	account_record(&c, fields.o, NULL);
	if (!rd->r.map->no_residue)
		put_extension(&c, made.v[0], fields.o);
	u = unit_add(rd, rec, units);
	u->made = made;
	for (size_t i = 0; i < c.facts.t[T_REPORT].n; i++)
		texts_add(&u->groups, rd->r.mem,
		    arena_slice(rd->r.mem, c.facts.t[T_REPORT].v[i]));
	return 1;
}

/* ---- the whole input --------------------------------------------------------------------------- */

static const struct mapped_input *const inputs[] = {
	[MAP_CSV] = &mapped_csv_in, [MAP_JSON] = &mapped_json_in, [MAP_JSONL] = &mapped_jsonl_in,
	[MAP_XML] = &mapped_xml_in
};

/* Read record after record; -1 when the input cannot go on. */
static int
read_records(struct map_reading *rd, struct err *e)
{
	const struct read_job *job = rd->r.job;
	size_t most = job->limits.objects == 0 ? OBJECTS_DEFAULT : job->limits.objects;
	int more;

	for (size_t i = 0;; i++) {
		struct mapped_record rec = { .def = &rd->r.map->record, .index = i };

		if (arena_bytes(rd->r.scratch) > SCRATCH_BYTES) {
			arena_free(rd->r.scratch);
			rd->r.scratch = arena_new();
		}

		if ((more = rd->r.input->next(&rd->r, &rec, e)) <= 0)
			return more;
		if (rd->records++ >= most)
			return err_at(e, ERR_LIMIT, rec.err.at, "more than %zu records", most);
		one_record(rd, &rec, NULL, NULL, NULL);
	}
}

/* "bundle--UUID" by mapping and content: the same input gives the same bundle. */
static struct slice
bundle_id(const struct map_reading *rd)
{
	char hash[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];
	uint8_t digest[SHA256_LEN];

	format_digest(rd->r.job, digest);
	hex_text(digest, SHA256_LEN, hash);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(rd->r.mem, "inhouse|%.*s|bundle|%s",
	    SLICE_ARG(rd->r.map->name), hash)), uuid);
	return slice_of(arena_fmt(rd->r.mem, "bundle--%s", uuid));
}

/* All records are read: tell of what lies around them, and make the advisory. */
static int
finish(struct map_reading *rd, struct err *e)
{
	struct map_fields outside = { .o = json_object(rd->r.scratch) };

	if (rd->r.input->outside != NULL && rd->r.job->loss != NULL)
		rd->r.input->outside(&rd->r, &outside);
	for (const json *v = json_first(outside.o); v != NULL; v = json_next(v))
		account_value(rd->r.job->loss, LOSS_DROPPED, "outside of the records", json_name(v),
		    v, rd->r.scratch);
	map_finish_duplicates(rd);
	if (rd->skipped > 0)
		map_read_warn(rd, "SKIPPED", "%zu records do not meet the conditions of the mapping",
		    rd->skipped);
	if (map_finish(rd, e) < 0)
		return -1;
	advisory_settle(rd->adv, rd->r.mem);
	return 0;
}

/* Read a whole input. */
int
mapped_read(const struct read_job *job, struct arena *mem, struct advisory *adv,
    const struct mapped_watch *watch, struct err *e)
{
	struct map_reading rd = { .adv = adv, .watch = watch,
	    .r = { .map = job->mapping, .job = job, .mem = mem } };
	int rc = -1;

	if (job->mapping == NULL)
		return err_set(e, ERR_CONFIG, "an in-house format needs a mapping");
	if (job->in.n > (job->limits.bytes == 0 ? BYTES_DEFAULT : job->limits.bytes))
		return err_set(e, ERR_LIMIT, "the input is larger than its limit");
	rd.r.input = inputs[job->mapping->format];
	rd.r.scratch = arena_new();
	adv->id = bundle_id(&rd);
	if (rd.r.input->open(&rd.r, e) < 0 || read_records(&rd, e) < 0)
		err_input(e, job->input);
	else
		rc = finish(&rd, e);
	arena_free(rd.r.scratch);
	return rc;
}

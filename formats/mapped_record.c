/*
 * mapped_record.c -- one record: cells become facts, facts become objects.
 *
 * Then the objects are turned back into cells: what differs from the source, and what no row maps, goes to
 * the residue extension of the record's object (mapped_residue.c). So whatever a mapping does, the way back
 * restores the record.
 *
 * A record that cannot be read is refused alone (a verdict with place and reason); its children go
 * with it. A child that cannot be read is refused without its parent.
 */
#include "formats/mapped_read.h"
#include "formats/xml.h"

enum { OBJECTS_DEFAULT = 100000 };

/* How many records an input may have. */
size_t
map_most_records(const struct read_job *job)
{
	return job->limits.objects == 0 ? OBJECTS_DEFAULT : job->limits.objects;
}

/* ---- cells and facts -------------------------------------------------------------------------- */

/* Make room for the rows. */
void
map_current_init(struct map_current *c)
{
	size_t n = c->def->nrows + 1;

	c->cells = arena_alloc(c->rd->r.scratch, n * sizeof(*c->cells));
	c->back = arena_alloc(c->rd->r.scratch, n * sizeof(*c->back));
	c->keep = arena_alloc(c->rd->r.scratch, n);
	c->left = arena_alloc(c->rd->r.scratch, n);
	c->rec->off = arena_alloc(c->rd->r.scratch, n);
}

/* Return another cell of the record, for templates and conditions. */
static json *
other_cell(void *ctx, const struct map_path *path)
{
	struct map_current *c = ctx;

	return c->rd->r.input->cell(&c->rd->r, c->rec, path, false);
}

/* Does the record meet the conditions of its mapping? */
static bool
is_wanted(struct map_current *c)
{
	for (size_t i = 0; i < c->def->nwhens; i++)
		if (!map_when_holds(&c->def->whens[i], other_cell, c, c->rd->r.scratch))
			return false;
	return true;
}

/* Take the cells of all rows that have a say. */
void
map_read_cells(struct map_current *c)
{
	struct mapped_reader *r = &c->rd->r;

	for (size_t i = 0; i < c->def->nrows; i++) {
		const struct map_row *row = &c->def->rows[i];

		c->rec->off[i] = !map_row_applies(row, other_cell, c, r->scratch);
		if (!row->is_const && !c->rec->off[i])
			c->cells[i] = r->input->cell(r, c->rec, &row->source, true);
	}
}

/* Turn all cells into facts. */
static int
read_rows(struct map_current *c, struct err *e)
{
	const struct mapped_reader *r = &c->rd->r;

	map_read_cells(c);
	for (size_t i = 0; i < c->def->nrows; i++)
		if (map_row_forth(&c->def->rows[i], c->cells[i], other_cell, c, r->scratch, &c->facts,
		    &c->left[i], e) < 0)
			return -1;
	return 0;
}

/* Key texts: the parent's, if a child has keys at all, then its own. */
static int
read_keys(struct map_current *c, const struct texts *parent, struct err *e)
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

/* ---- objects ---------------------------------------------------------------------- */

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

/* Read the children; refs gets the ids of those that could be read. */
static int
read_children(struct map_current *c, const struct map_made *made, struct texts *refs, struct err *e)
{
	struct map_reading *rd = c->rd;
	size_t most = rd->r.job->limits.objects == 0 ? OBJECTS_DEFAULT : rd->r.job->limits.objects;

	for (size_t d = 0; d < c->def->nchildren; d++) {
		struct mapped_record *kids;
		size_t n = rd->r.input->children(&rd->r, c->rec, &c->def->children[d], &kids);

		if ((rd->records += n) > most)
			return err_set(e, ERR_LIMIT, "more than %zu records", most);
		for (size_t i = 0; i < n; i++) {
			size_t at = rd->n;

			if (map_read_record(rd, &kids[i], made, &c->keys, &c->facts) > 0)
				texts_add(refs, rd->r.scratch,
				    json_member(rd->units[at].made.v[0], "id"));
		}
	}
	return 0;
}

/* Label and language are the parent's unless a child has its own. */
static void
inherit(struct map_current *c, const struct facts *parent)
{
	static const enum map_target which[] = { T_TLP, T_LANG };

	for (size_t i = 0; parent != NULL && i < 2; i++)
		if (c->facts.t[which[i]].n == 0)
			c->facts.t[which[i]] = parent->t[which[i]];
}

/* From cells to objects: *made and the ids of children. */
static int
make_objects(struct map_current *c, const struct map_made *parent, const struct texts *parent_keys,
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

/* One record and its children; 1 = it is the last unit, 0 = skipped or refused. */
int
map_read_record(struct map_reading *rd, struct mapped_record *rec, const struct map_made *parent,
    const struct texts *parent_keys, const struct facts *inherited)
{
	struct map_current c = { .rd = rd, .rec = rec, .def = rec->def };
	struct map_fields fields = { .o = json_object(rd->r.scratch) };
	struct loss *loss = rd->r.job->loss, then = { 0 };
	struct map_made made = { 0 };
	struct err e = rec->err;
	size_t units = rd->n;
	struct map_unit *u;

	map_current_init(&c);
	if (loss != NULL)
		then = *loss;
	if (rd->watch != NULL)
		rd->watch->begin(rd->watch->ctx, rec);
	if (e.code == ERR_NONE && !is_wanted(&c)) {
		rd->skipped++;
		if (rd->watch != NULL)
			rd->watch->end(rd->watch->ctx, rec, RECORD_SKIPPED, NULL);
		map_account_dropped(rd, rec, "not wanted by the mapping");
		return 0;
	}
	if (e.code != ERR_NONE || make_objects(&c, parent, parent_keys, inherited, &made, &e) < 0 ||
	    map_keep_residue(&c, &made, &fields, &e) < 0) {
		rd->n = units;		/* the children go with it */
		map_read_refuse(rd, rec, record_text(rd, rec), SLICE_EMPTY, &e);
		map_account_rewind(loss, &then);
		map_account_dropped(rd, rec, "the record was refused");
		return 0;
	}
	if (rd->watch != NULL)
		rd->watch->end(rd->watch->ctx, rec, RECORD_MADE, NULL);
	warn_zone(rd, rec);
	map_account_record(&c, fields.o, NULL);
	if (!rd->r.map->no_residue)
		map_put_extension(&c, made.v[0], fields.o);
	u = unit_add(rd, rec, units);
	u->made = made;
	for (size_t i = 0; i < c.facts.t[T_REPORT].n; i++)
		texts_add(&u->groups, rd->r.mem,
		    arena_slice(rd->r.mem, c.facts.t[T_REPORT].v[i]));
	return 1;
}

/*
 * mapped_write.c -- STIX objects become in-house records.
 *
 * Objects of the mapping's type are the records; what their cells hold: mapped_cells.c.
 */
#include "formats/mapped_write.h"
#include "formats/shipped.h"

enum { SCRATCH_BYTES = 1 << 20, CHILDREN_MAX = 100000 };

static void	write_children(struct map_writing *wr, const struct map_record *def, json *tree,
		    const struct facts *facts, struct mapped_row_out *out);

/* Count what a refused or skipped object loses: all leaves that nobody saw are dropped anyway. */
static void
refused(struct map_writing *wr, const json *tree, const struct err *e)
{
	struct slice id = json_member(tree, "id");

	loss_addf(wr->w.job->loss, LOSS_GENERATED, arena_fmt(wr->w.mem, "no record: %s", e->reason),
	    "%.*s", SLICE_ARG(id));
}

/* ---- labels ----------------------------------------------------------------------------------- */

/* The label that the record must carry, TLP_UNSET if none needs saying. */
static enum tlp
needed_label(const struct map_writing *wr, const struct object *o)
{
	enum tlp unsaid = tlp_parse(fact_one(&wr->w.map->defaults, T_TLP)), said = object_level(o);

	if (said != TLP_UNSET)
		return said;
	/* A reader would take the mapping's default: it must not be laxer than no label at all. */
	return unsaid == TLP_CLEAR || unsaid == TLP_GREEN ? TLP_AMBER : TLP_UNSET;
}

static bool
can_say_label(const struct map_writing *wr, const struct map_record *def, enum tlp tlp, bool *any)
{
	for (size_t i = 0; i < def->nrows; i++)
		if (def->rows[i].target == T_TLP) {
			*any = true;
			if (map_row_says(&def->rows[i], slice_of(tlp_label(tlp) + 4),
			    wr->g.scratch))
				return true;
		}
	return false;
}

/* Put into the facts the object's label, or the next stronger that the format has a word for. A format
 * without labels says nothing; -1 if a reader would take the record for laxer than the object is. */
static int
settle_label(struct map_writing *wr, const struct map_record *def, const struct object *o,
    const struct facts *parent, struct facts *f, struct err *e)
{
	enum tlp need = needed_label(wr, o), unsaid = tlp_parse(fact_one(parent != NULL ? parent :
	    &wr->w.map->defaults, T_TLP));
	bool any = false;

	f->t[T_TLP] = (struct texts){ 0 };
	if (need == TLP_UNSET)
		return 0;
	for (enum tlp t = need; t < TLP_LEVELS; t++) {
		if (!can_say_label(wr, def, t, &any))
			continue;
		if (t != need)
			loss_addf(wr->w.job->loss, LOSS_GENERATED, "a stronger label",
			    "%.*s/object_marking_refs", SLICE_ARG(o->id));
		texts_add(&f->t[T_TLP], wr->g.scratch, slice_of(tlp_label(t) + 4));
		return 0;
	}
	texts_add(&f->t[T_TLP], wr->g.scratch, slice_of(tlp_label(need) + 4));
	if (unsaid >= need || (!any && unsaid == TLP_UNSET))
		return 0;
	return err_set(e, ERR_POLICY, "the format cannot say %s", tlp_label(need));
}

/* One record from an object (and one of its values, if it has several). */
static int
write_record(struct map_writing *wr, const struct map_record *def, json *tree,
    const struct facts *facts, const struct facts *parent, bool residue,
    struct mapped_row_out *out)
{
	json *ext = residue ? map_residue(wr->w.map, tree) : NULL;
	struct map_source s = { .wr = wr, .def = def, .tree = tree, .facts = facts, .parent = parent,
	    .fields = map_residue_fields(wr, ext), .absent = json_get(ext, "absent"),
	    .key = json_get(ext, "key") };
	struct err e = ERR_INIT;

	s.cells = arena_alloc(wr->w.mem, (def->nrows + 1) * sizeof(*s.cells));
	map_rows_back(wr->w.map, def, facts, wr->w.mem, s.cells);
	map_choose_cells(&s);
	if (map_assemble(&s, out, &e) < 0) {
		refused(wr, tree, &e);
		return -1;
	}
	write_children(wr, def, tree, facts, out);
	return 0;
}

/* All records of one object: one, or one for each value when the rows hold a single value. */
static void
write_object(struct map_writing *wr, const struct map_record *def, size_t index,
    const struct facts *parent, struct mapped_row_out **v, size_t *n, size_t *cap)
{
	json *tree = wr->g.v[index];
	struct map_atom *atoms;
	struct facts facts;
	struct err e = ERR_INIT;
	bool exact, by_value = false;
	size_t natoms = map_facts(&wr->g, wr->w.map, tree, &facts, &atoms, &exact), records = 1;

	if (settle_label(wr, def, &wr->w.job->adv->objects[index], parent, &facts, &e) < 0) {
		refused(wr, tree, &e);
		return;
	}
	for (size_t i = 0; i < def->nrows; i++)
		by_value |= def->rows[i].target == T_VALUE;
	if (by_value && natoms > 1)
		records = natoms;
	if (!exact && def->object == OBJ_INDICATOR && facts.t[T_PATTERN].n > 0 &&
	    !wr->wanted[T_PATTERN])
		loss_addf(wr->w.job->loss, LOSS_GENERATED, "values only: the pattern says more",
		    "%.*s/pattern", SLICE_ARG(json_member(tree, "id")));
	for (size_t i = 0; i < records; i++) {
		struct mapped_row_out out = { 0 };

		if (natoms > 0)
			map_atom_facts(def, &atoms[i], wr->w.mem, &facts);
		if (write_record(wr, def, tree, &facts, parent, records == 1, &out) < 0)
			continue;
		*v = arena_grow(wr->w.mem, *v, *n, cap, sizeof(**v));
		(*v)[(*n)++] = out;
	}
}

static bool
is_child_relation(const json *rel)
{
	return slice_is(json_member(rel, "relationship_type"), "related-to");
}

/* Is the object of the record's type? */
static bool
is_of(const struct map_record *def, const json *tree)
{
	return slice_is(json_member(tree, "type"), map_object_type[def->object]);
}

/* Write an object below its parent, if it is of a kind that stands there; false if it is not. */
static bool
write_child(struct map_writing *wr, const struct map_record *def, struct slice id,
    const struct facts *facts, struct mapped_row_out *out)
{
	long i = idmap_find(&wr->g.ids, id);

	if (i == IDMAP_NONE || !is_of(def, wr->g.v[i]) || wr->children == CHILDREN_MAX)
		return false;
	wr->children++;
	write_object(wr, def, (size_t)i, facts, &out->children, &out->nchildren, &out->children_cap);
	return true;
}

/* What the mapping writes below a record: members of a report, else what the object is related to. */
static void
write_children(struct map_writing *wr, const struct map_record *def, json *tree,
    const struct facts *facts, struct mapped_row_out *out)
{
	struct slice id = json_member(tree, "id");

	for (size_t d = 0; d < def->nchildren; d++) {
		const struct map_record *kind = &def->children[d];
		size_t iter = 0;
		json *rel;

		for (const json *r = def->object != OBJ_REPORT ? NULL :
		    json_first(json_get(tree, "object_refs")); r != NULL; r = json_next(r))
			if (write_child(wr, kind, json_slice(r), facts, out))
				map_graph_saw(&wr->g, T_NONE, r);
		while (def->object != OBJ_REPORT && (rel = map_graph_rel(&wr->g, id, &iter)) != NULL) {
			if (!is_child_relation(rel) ||
			    !write_child(wr, kind, json_member(rel, "target_ref"), facts, out))
				continue;
			map_graph_saw(&wr->g, T_NONE, json_get(rel, "relationship_type"));
			map_graph_saw(&wr->g, T_NONE, json_get(rel, "source_ref"));
			map_graph_saw(&wr->g, T_NONE, json_get(rel, "target_ref"));
		}
	}
}

/* ---- the account ------------------------------------------------------------------------------ */

/* Say of every leaf whether a record holds it. */
static void
account_leaves(struct map_writing *wr, const json *v, const char *path, bool all, bool sco)
{
	size_t i = 0;

	if (!json_is_object(v) && !json_is_list(v)) {
		loss_add(wr->w.job->loss, all || map_graph_was_seen(&wr->g, v) ? LOSS_KEPT :
		    LOSS_DROPPED, path, NULL);
		return;
	}
	for (const json *k = json_first(v); k != NULL; k = json_next(k), i++) {
		const char *name = json_name(k);
		bool implied = name != NULL && (strcmp(name, "type") == 0 ||
		    strcmp(name, "spec_version") == 0 || (sco && strcmp(name, "id") == 0));

		account_leaves(wr, k, name != NULL ? arena_fmt(wr->w.mem, "%s/%s", path, name) :
		    arena_fmt(wr->w.mem, "%s/%zu", path, i), all || implied, false);
	}
}

/* Every leaf of every object: in a record, or not. What came through this mapping comes back through
 * it whole; what the reader adds again (definitions, the producer, ids of observables) is not lost. */
static void
account(struct map_writing *wr)
{
	const char *ours = extension_definition_id(EXTENSION_INHOUSE);

	if (wr->w.job->loss == NULL)
		return;
	map_graph_settle_seen(&wr->g);
	for (size_t i = 0; i < wr->g.n; i++) {
		const json *o = wr->g.v[i];
		struct slice id = json_member(o, "id");
		bool all = map_residue(wr->w.map, o) != NULL || slice_is(id, ours) ||
		    slice_eq(id, map_producer_id(wr->w.map, wr->w.mem)) ||
		    (wr->wanted[T_TLP] && tlp_of_marking_id(id) != TLP_UNSET);

		account_leaves(wr, o, arena_str(wr->w.mem, id), all,
		    object_class_of(json_member(o, "type")) == OBJECT_SCO);
	}
}

/* ---- the whole advisory ----------------------------------------------------------------------- */

static const struct mapped_output *const outputs[] = {
	[MAP_CSV] = &mapped_csv_out, [MAP_JSON] = &mapped_json_out,
	[MAP_JSONL] = &mapped_jsonl_out, [MAP_XML] = &mapped_xml_out
};

/* Which targets have a row; the pattern group goes by the pattern. */
static void
find_wanted(struct map_writing *wr, const struct map_record *def)
{
	for (size_t i = 0; i < def->nrows; i++) {
		enum map_target t = def->rows[i].target;

		wr->wanted[t] = true;
		if (map_targets[t].flags & TARGET_PATTERN)
			wr->wanted[T_PATTERN] = wr->wanted[T_PATTERN_TYPE] =
			    wr->wanted[T_VALUE] = true;
	}
	for (int t = 0; t < TARGETS; t++)
		wr->wanted[t] |= wr->w.map->defaults.t[t].n > 0;
	for (size_t i = 0; i < def->nchildren; i++)
		find_wanted(wr, &def->children[i]);
	wr->wanted[T_NONE] = true;
}

/* Whoever has this id is written below another record, if it is of one of the kinds below `def`. */
static void
done_below(struct map_writing *wr, const struct map_record *def, struct slice id)
{
	long k = idmap_find(&wr->g.ids, id);

	for (size_t d = 0; k != IDMAP_NONE && d < def->nchildren; d++)
		wr->done[k] |= is_of(&def->children[d], wr->g.v[k]);
}

/* Leave out what is written below a record of `def`, and below those. */
static void
find_below(struct map_writing *wr, const struct map_record *def)
{
	for (size_t i = 0; def->nchildren > 0 && i < wr->g.n; i++) {
		json *o = wr->g.v[i], *rel;
		size_t iter = 0;

		if (!is_of(def, o))
			continue;
		for (const json *r = def->object != OBJ_REPORT ? NULL :
		    json_first(json_get(o, "object_refs")); r != NULL; r = json_next(r))
			done_below(wr, def, json_slice(r));
		while (def->object != OBJ_REPORT &&
		    (rel = map_graph_rel(&wr->g, json_member(o, "id"), &iter)) != NULL)
			if (is_child_relation(rel))
				done_below(wr, def, json_member(rel, "target_ref"));
	}
	for (size_t d = 0; d < def->nchildren; d++)
		find_below(wr, &def->children[d]);
}

/* Leave out older versions, revoked objects, and members that their report writes. */
static void
find_done(struct map_writing *wr)
{
	const struct advisory *adv = wr->w.job->adv;
	const struct map_record *def = &wr->w.map->record;
	const struct idmap *ids = &wr->g.ids;

	for (size_t i = 0; i < adv->n; i++)
		wr->done[i] = (adv->objects[i].flags & OBJECT_REVOKED) != 0;
	for (size_t i = 0, best = 0; i < ids->n; i++) {
		if (i == 0 || !slice_eq(ids->v[i].id, ids->v[best].id)) {
			best = i;
			continue;
		}
		if (slice_cmp(adv->objects[ids->v[i].value].version_key,
		    adv->objects[ids->v[best].value].version_key) > 0) {
			wr->done[ids->v[best].value] = true;
			best = i;
		} else {
			wr->done[ids->v[i].value] = true;
		}
	}
	find_below(wr, def);
}

/* Write all records; one that cannot be said is left out and told. */
static int
put_rows(struct map_writing *wr, struct err *e)
{
	const struct mapped_output *out = outputs[wr->w.map->format];

	if (out->open(&wr->w, wr->rows, wr->n, e) < 0)
		return -1;
	for (size_t i = 0; i < wr->n; i++) {
		struct err row = ERR_INIT;

		if (out->put(&wr->w, &wr->rows[i], &row) < 0)
			loss_addf(wr->w.job->loss, LOSS_GENERATED, arena_fmt(wr->w.mem,
			    "no record: %s", row.reason), "record[%zu]", i + 1);
	}
	out->close(&wr->w);
	return 0;
}

/* Write a whole advisory. */
int
mapped_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct map_writing wr = { .w = { .map = job->mapping, .job = job, .mem = mem, .out = out },
	    .g = { .mem = mem } };
	int rc;

	if (job->mapping == NULL)
		return err_set(e, ERR_CONFIG, "an in-house format needs a mapping");
	wr.g.scratch = arena_new();
	find_wanted(&wr, &job->mapping->record);
	if (job->loss != NULL)
		wr.g.wanted = wr.wanted;
	for (size_t i = 0; i < job->adv->n; i++)
		map_graph_add(&wr.g, job->adv->objects[i].tree);
	map_graph_settle(&wr.g);
	wr.done = arena_alloc(mem, job->adv->n + 1);
	find_done(&wr);
	for (size_t i = 0; i < job->adv->n; i++) {
		if (wr.done[i] || !is_of(&job->mapping->record, wr.g.v[i]))
			continue;
		if (arena_bytes(wr.g.scratch) > SCRATCH_BYTES) {
			arena_free(wr.g.scratch);
			wr.g.scratch = arena_new();
		}
		write_object(&wr, &job->mapping->record, i, NULL, &wr.rows, &wr.n, &wr.cap);
	}
	if ((rc = put_rows(&wr, e)) == 0)
		account(&wr);
	arena_free(wr.g.scratch);
	return rc;
}

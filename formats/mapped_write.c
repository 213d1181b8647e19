/*
 * mapped_write.c -- STIX objects become in-house records.
 *
 * Objects of the mapping's type are the records. Facts go backwards through the rows; a field that
 * the residue of the object still holds as it was is taken from there, unless the object was changed
 * since: then the rows' group (mapped_row.c) is written from the object.
 */
#include "formats/mapped_impl.h"
#include "formats/shipped.h"
#include "gateway/base/clock.h"

enum { SCRATCH_BYTES = 1 << 20 };

struct writing {
	struct mapped_writer	 w;
	struct map_graph	 g;
	bool			*done;		/* by object: written as somebody's child, or not at all */
	bool			 wanted[TARGETS];
	struct mapped_row_out	*rows;
	size_t			 n, cap;
};

/* ---- one record ------------------------------------------------------------------------------- */

/* What a record is made from. */
struct source {
	struct writing		*wr;
	const struct map_record	*def;
	json			*tree;
	const struct facts	*facts, *parent; /* parent: of a child record, or NULL */
	json			*fields, *absent; /* of its residue, or NULL */
	json			*key;		/* of its residue, or NULL */
	json			**cells;	/* of the rows, in the end */
};

/* Return what the residue holds for a path, for templates. */
static json *
residue_cell(void *ctx, const struct map_path *path)
{
	struct source *s = ctx;

	return json_get(s->fields, arena_str(s->wr->w.mem, path->text));
}

/* Return what the residue holds for a row, or NULL. */
static json *
residue_of_row(const struct source *s, const struct map_row *row)
{
	return row->is_const || s->fields == NULL ? NULL :
	    json_get(s->fields, arena_str(s->wr->w.mem,
	    row->target == T_X ? row->x_name : row->source.text));
}

/* Does the residue know what stood in a row's field, or that nothing did? */
static bool
residue_knows(const struct source *s, const struct map_row *row)
{
	if (residue_of_row(s, row) != NULL)
		return true;
	for (const json *v = row->is_const ? NULL : json_first(s->absent); v != NULL;
	    v = json_next(v))
		if (slice_eq(json_slice(v), row->source.text))
			return true;
	return false;
}

/* Are they the same texts in the same order? */
static bool
same_texts(const struct texts *a, const struct texts *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!slice_eq(a->v[i], b->v[i]))
			return false;
	return true;
}

/* What the reader puts where a record says nothing about a target; n 0: nothing. */
static struct slice
implied(const struct source *s, enum map_target t)
{
	switch (t) {
	case T_VALID_FROM:
	case T_FIRST_OBSERVED:
	case T_PUBLISHED:
	case T_MODIFIED:	return json_member(s->tree, "created");
	case T_CREATED:
	case T_ID:		return fact_one(s->facts, t);	/* nobody changes these */
	case T_LAST_OBSERVED:	return json_member(s->tree, "first_observed");
	case T_NUMBER_OBSERVED:	return SLICE_LIT("1");
	case T_CREATOR_NAME:
		if (fact_one(s->facts, T_CREATOR_EMAIL).n > 0 || s->parent == NULL)
			return fact_one(s->facts, T_CREATOR_EMAIL);
		return fact_one(s->parent, t);
	case T_TLP:
	case T_LANG:
	case T_CREATOR_EMAIL:
	case T_CREATOR_PHONE:
		return s->parent == NULL ? SLICE_EMPTY : fact_one(s->parent, t);
	default:		return SLICE_EMPTY;
	}
}

/* The object says of a target only what the reader put there by itself. */
static bool
is_implied(const struct source *s, enum map_target t)
{
	struct slice have = fact_one(s->facts, t), want = implied(s, t), a, b;

	if (t == T_NAME || t == T_MALWARE || t == T_THREAT_ACTOR || t == T_VULNERABILITY)
		return slice_eq(have, json_member(s->tree, "name"));
	if (t == T_VALID_FROM && s->wr->w.map->valid_from_now)
		return true;
	if (map_targets[t].norm == NORM_TIME && stamp_key(s->wr->w.mem, have, &a) &&
	    stamp_key(s->wr->w.mem, want, &b))
		return a.n <= b.n ? memcmp(a.p, b.p, a.n) == 0 : memcmp(a.p, b.p, b.n) == 0;
	return s->facts->t[t].n == 1 && want.n > 0 && slice_eq(have, want);
}

/* Would the residue of a group still give the object's facts? */
static bool
residue_holds(struct source *s, int group, enum map_target target)
{
	struct arena *mem = s->wr->w.mem;
	struct slice pattern;
	struct facts f;
	bool left;

	memset(&f, 0, sizeof(f));
	for (size_t i = 0; i < s->def->nrows; i++) {
		const struct map_row *row = &s->def->rows[i];

		if (map_group(s->def, row) == group && map_row_forth(row, residue_of_row(s, row),
		    residue_cell, s, mem, &f, &left, NULL) < 0)
			return false;
	}
	map_defaults(s->wr->w.map, mem, &f);
	if (group == T_TYPE)
		return map_pattern_build(&f, mem, &pattern, NULL) == 0 &&
		    slice_is(pattern, json_str(json_get(s->tree, "pattern")));
	/* A fact that the object has no place for cannot have been changed. */
	if (s->facts->t[target].n > 0 && f.t[target].n == 0)
		return is_implied(s, target);
	return s->facts->t[target].n == 0 || same_texts(&f.t[target], &s->facts->t[target]);
}

/* For each group: the residue, or what the facts say. */
static void
choose_cells(struct source *s)
{
	for (size_t i = 0; i < s->def->nrows; i++) {
		const struct map_row *row = &s->def->rows[i];
		int group = map_group(s->def, row);
		bool any = false, first = true, holds;

		for (size_t k = 0; k < s->def->nrows; k++) {
			if (map_group(s->def, &s->def->rows[k]) != group)
				continue;
			first &= k >= i;
			any |= residue_knows(s, &s->def->rows[k]);
		}
		if (!any || !first)
			continue;
		holds = row->target == T_X || residue_holds(s, group, row->target);
		for (size_t k = i; holds && k < s->def->nrows; k++)
			if (map_group(s->def, &s->def->rows[k]) == group)
				s->cells[k] = residue_of_row(s, &s->def->rows[k]);
	}
}

/* Is there a cell at this path already? */
static bool
has_cell(const struct mapped_row_out *out, struct slice path)
{
	for (size_t i = 0; i < out->n; i++)
		if (slice_eq(out->v[i].path, path))
			return true;
	return false;
}

/* Add a cell, unless the path has one. */
static void
add_cell(struct source *s, struct mapped_row_out *out, struct slice path,
    const struct map_path *row, json *value)
{
	if (value == NULL || has_cell(out, path))
		return;
	out->v = arena_grow(s->wr->w.mem, out->v, out->n, &out->cap, sizeof(*out->v));
	out->v[out->n++] = (struct mapped_cell){ path, row, value };
}

/* The key of the record: as it came, else the object's id. */
static void
add_keys(struct source *s, struct mapped_row_out *out)
{
	size_t n = s->def->nkeys, have = json_count(s->key);

	for (size_t i = 0; i < n; i++) {
		const struct map_path *p = &s->def->keys[i];
		json *v = have >= n ? json_at(s->key, have - n + i) : NULL;

		if (v == NULL && n == 1)
			v = json_get(s->tree, "id");
		if (p->up == 0 && json_slice(v).n > 0)
			add_cell(s, out, p->text, p, v);
	}
}

/* Does a row speak for this field? */
static bool
is_row_field(const struct map_record *def, struct slice name)
{
	for (size_t i = 0; i < def->nrows; i++)
		if (slice_eq(def->rows[i].source.text, name) ||
		    (def->rows[i].target == T_X && slice_eq(def->rows[i].x_name, name)))
			return true;
	return false;
}

/* Assemble the cells of a record. -1 if a required one is missing. */
static int
assemble(struct source *s, struct mapped_row_out *out, struct err *e)
{
	size_t count = 0;

	out->def = s->def;
	for (size_t i = 0; i < s->def->nrows; i++) {
		const struct map_row *row = &s->def->rows[i];
		bool upward = row->source.up > 0 || (row->source.steps != NULL &&
		    row->source.steps[0].kind == STEP_PARENT);

		if (row->is_const || upward)
			continue;
		add_cell(s, out, row->source.text, &row->source, s->cells[i]);
		if (row->required && !has_cell(out, row->source.text))
			return err_set(e, ERR_MISSING, "%.*s: required, and the object does not say "
			    "it", SLICE_ARG(row->source.text));
	}
	for (json *v = json_first(s->fields); v != NULL && count < MAPPED_FIELDS_MAX;
	    v = json_next(v), count++) {
		struct slice name = slice_of(json_name(v));

		if (!is_row_field(s->def, name))
			add_cell(s, out, name, NULL, v);
	}
	add_keys(s, out);
	return 0;
}

static void	write_children(struct writing *wr, const struct map_record *def, json *tree,
		    const struct facts *facts, struct mapped_row_out *out);

/* Count what a refused or skipped object loses: all leaves that nobody saw are dropped anyway. */
static void
refused(struct writing *wr, const json *tree, const struct err *e)
{
	struct slice id = json_member(tree, "id");

	loss_addf(wr->w.job->loss, LOSS_GENERATED, arena_fmt(wr->w.mem, "no record: %s", e->reason),
	    "%.*s", SLICE_ARG(id));
}

/* The fields of a residue; those that stand as JSON text are parsed. */
static json *
residue_fields(struct writing *wr, json *ext)
{
	json *fields = json_get(ext, "fields"), *odd = json_get(ext, "json");
	struct json_limits lim = { .depth = MAPPED_DEPTH_MAX };
	struct json_doc doc;

	if (odd == NULL)
		return fields;
	fields = fields == NULL ? json_object(wr->w.mem) : json_copy(wr->w.mem, fields);
	for (json *v = json_first(odd); v != NULL; v = json_next(v))
		if (json_parse(json_slice(v), &lim, wr->w.mem, &doc, NULL) == 0)
			json_put(wr->w.mem, fields, json_name(v), doc.root);
	return fields;
}

/* ---- labels ----------------------------------------------------------------------------------- */

/* The label that the record must carry, TLP_UNSET if none needs saying. */
static enum tlp
needed_label(const struct writing *wr, const struct object *o)
{
	enum tlp unsaid = tlp_parse(fact_one(&wr->w.map->defaults, T_TLP));

	if (o->label == LABEL_UNREADABLE)
		return TLP_RED;
	if (o->tlp != TLP_UNSET)
		return o->tlp;
	/* A reader would take the mapping's default: it must not be laxer than no label at all. */
	return unsaid == TLP_CLEAR || unsaid == TLP_GREEN ? TLP_AMBER : TLP_UNSET;
}

static bool
can_say_label(const struct writing *wr, const struct map_record *def, enum tlp tlp, bool *any)
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
settle_label(struct writing *wr, const struct map_record *def, const struct object *o,
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
write_record(struct writing *wr, const struct map_record *def, json *tree,
    const struct facts *facts, const struct facts *parent, bool residue,
    struct mapped_row_out *out)
{
	json *ext = residue ? map_residue(wr->w.map, tree) : NULL;
	struct source s = { .wr = wr, .def = def, .tree = tree, .facts = facts, .parent = parent,
	    .fields = residue_fields(wr, ext), .absent = json_get(ext, "absent"),
	    .key = json_get(ext, "key") };
	struct err e = ERR_INIT;

	s.cells = arena_alloc(wr->w.mem, (def->nrows + 1) * sizeof(*s.cells));
	map_rows_back(wr->w.map, def, facts, wr->w.mem, s.cells);
	choose_cells(&s);
	if (assemble(&s, out, &e) < 0) {
		refused(wr, tree, &e);
		return -1;
	}
	write_children(wr, def, tree, facts, out);
	return 0;
}

/* All records of one object: one, or one for each value when the rows hold a single value. */
static void
write_object(struct writing *wr, const struct map_record *def, size_t index,
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

/* Is the object of the record's type? */
static bool
is_of(const struct map_record *def, const json *tree)
{
	return slice_is(json_member(tree, "type"), map_object_type[def->object]);
}

/* The members of a report that the mapping writes as children. */
static void
write_children(struct writing *wr, const struct map_record *def, json *tree,
    const struct facts *facts, struct mapped_row_out *out)
{
	size_t count = 0;

	for (size_t d = 0; d < def->nchildren; d++)
		for (const json *r = json_first(json_get(tree, "object_refs"));
		    r != NULL && count < MAPPED_TEXTS_MAX; r = json_next(r), count++) {
			long i = idmap_find(&wr->g.ids, json_slice(r));

			if (i == IDMAP_NONE || !is_of(&def->children[d], wr->g.v[i]))
				continue;
			map_graph_saw(&wr->g, T_NONE, r);
			write_object(wr, &def->children[d], (size_t)i, facts, &out->children,
			    &out->nchildren, &out->children_cap);
		}
}

/* ---- the account ------------------------------------------------------------------------------ */

/* Say of every leaf whether a record holds it. */
static void
account_leaves(struct writing *wr, const json *v, const char *path, bool all, bool sco)
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
account(struct writing *wr)
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
find_wanted(struct writing *wr, const struct map_record *def)
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

/* Leave out older versions, revoked objects, and members that their report writes. */
static void
find_done(struct writing *wr)
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
	for (size_t i = 0; def->nchildren > 0 && i < adv->n; i++)
		for (const json *r = is_of(def, wr->g.v[i]) ?
		    json_first(json_get(wr->g.v[i], "object_refs")) : NULL; r != NULL;
		    r = json_next(r)) {
			long k = idmap_find(ids, json_slice(r));

			for (size_t d = 0; k != IDMAP_NONE && d < def->nchildren; d++)
				wr->done[k] |= is_of(&def->children[d], wr->g.v[k]);
		}
}

/* Write all records; one that cannot be said is left out and told. */
static int
put_rows(struct writing *wr, struct err *e)
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
	struct writing wr = { .w = { .map = job->mapping, .job = job, .mem = mem, .out = out },
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

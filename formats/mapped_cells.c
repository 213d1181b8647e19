/*
 * mapped_cells.c -- the cells of a record that is written: from the residue, or from what the object says.
 *
 * A field that the residue of the object still holds as it was is taken from there, unless the object was
 * changed since: then the rows' group (map_group) is written from the object.
 */
#include "formats/mapped_write.h"
#include "gateway/base/clock.h"

/* What the record will hold at a path, for templates and conditions: of the residue, else of a row. */
static json *
source_cell(void *ctx, const struct map_path *path)
{
	struct map_source *s = ctx;
	json *v = s->fields == NULL ? NULL : json_get(s->fields, arena_str(s->wr->w.mem, path->text));

	for (size_t i = 0; v == NULL && i < s->def->nrows; i++)
		if (!s->def->rows[i].is_const && slice_eq(s->def->rows[i].source.text, path->text))
			v = s->cells[i];
	return v;
}

/* Return what the residue holds for a row, or NULL. */
static json *
residue_of_row(const struct map_source *s, const struct map_row *row)
{
	return row->is_const || s->fields == NULL ? NULL :
	    json_get(s->fields, arena_str(s->wr->w.mem,
	    row->target == T_X ? row->x_name : row->source.text));
}

/* Does the residue know what stood in a row's field, or that nothing did? */
static bool
residue_knows(const struct map_source *s, const struct map_row *row)
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
implied(const struct map_source *s, enum map_target t)
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
is_implied(const struct map_source *s, enum map_target t)
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
residue_holds(struct map_source *s, int group, enum map_target target)
{
	struct arena *mem = s->wr->w.mem;
	struct slice pattern;
	struct facts f;
	bool left;

	memset(&f, 0, sizeof(f));
	for (size_t i = 0; i < s->def->nrows; i++) {
		const struct map_row *row = &s->def->rows[i];

		if (map_group(s->def, row) == group && map_row_forth(row, residue_of_row(s, row),
		    source_cell, s, mem, &f, &left, NULL) < 0)
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
void
map_choose_cells(struct map_source *s)
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
				s->cells[k] = map_row_applies(&s->def->rows[k], source_cell, s,
				    s->wr->w.mem) ? residue_of_row(s, &s->def->rows[k]) : NULL;
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
add_cell(struct map_source *s, struct mapped_row_out *out, struct slice path,
    const struct map_path *row, json *value)
{
	if (value == NULL || has_cell(out, path))
		return;
	out->v = arena_grow(s->wr->w.mem, out->v, out->n, &out->cap, sizeof(*out->v));
	out->v[out->n++] = (struct mapped_cell){ path, row, value };
}

/* The key of the record: as it came, else the object's id. */
static void
add_keys(struct map_source *s, struct mapped_row_out *out)
{
	size_t n = s->def->nkeys, have = json_count(s->key);

	for (size_t i = 0; i < n; i++) {
		const struct map_path *p = &s->def->keys[i];
		json *v = have >= n ? json_at(s->key, have - n + i) : NULL;

		if (v == NULL && n == 1) {
			v = json_get(s->tree, "id");
			map_graph_saw(&s->wr->g, T_NONE, v);
		}
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

/* A cell that is to be written, for conditions: of `out`, else as above. */
struct chosen {
	struct map_source			*s;
	const struct mapped_row_out	*out;
};

static json *
chosen_cell(void *ctx, const struct map_path *path)
{
	struct chosen *c = ctx;

	for (size_t i = 0; i < c->out->n; i++)
		if (slice_eq(c->out->v[i].path, path->text))
			return c->out->v[i].value;
	return source_cell(c->s, path);
}

/* A row of this path before row `end` has a cell. */
static bool
row_says(const struct map_source *s, struct slice path, size_t end)
{
	for (size_t i = 0; i < end; i++)
		if (!s->def->rows[i].is_const && s->cells[i] != NULL &&
		    slice_eq(s->def->rows[i].source.text, path))
			return true;
	return false;
}

/* See to it that rows with a condition are written only where a reader will find it met: the field it asks
 * for gets the first of its words, unless somebody says it already. */
static void
settle_conditions(struct map_source *s, struct mapped_row_out *out)
{
	struct chosen c = { s, out };

	for (size_t i = 0; i < s->def->nrows; i++) {
		const struct map_row *row = &s->def->rows[i];
		const struct map_when *w = &row->only;

		if (!row->conditional || row->is_const || s->cells[i] == NULL ||
		    map_when_holds(w, chosen_cell, &c, s->wr->w.mem))
			continue;
		if (w->test == WHEN_IN && w->path.up == 0 && !has_cell(out, w->path.text) &&
		    !row_says(s, w->path.text, s->def->nrows) && !row_says(s, row->source.text, i)) {
			add_cell(s, out, w->path.text, &w->path,
			    json_string(s->wr->w.mem, w->words[0]));
			continue;
		}
		s->cells[i] = NULL;
		loss_addf(s->wr->w.job->loss, LOSS_GENERATED, "left out: its condition is not met",
		    "%.*s/%.*s", SLICE_ARG(json_member(s->tree, "id")), SLICE_ARG(row->source.text));
	}
}

/* Assemble the cells of a record. -1 if a required one is missing. */
int
map_assemble(struct map_source *s, struct mapped_row_out *out, struct err *e)
{
	size_t count = 0;

	out->def = s->def;
	settle_conditions(s, out);
	for (size_t i = 0; i < s->def->nrows; i++) {
		const struct map_row *row = &s->def->rows[i];
		bool upward = row->source.up > 0 || (row->source.steps != NULL &&
		    row->source.steps[0].kind == STEP_PARENT);

		if (row->is_const || upward)
			continue;
		add_cell(s, out, row->source.text, &row->source, s->cells[i]);
		if (row->required && !row->conditional && !has_cell(out, row->source.text))
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

/* The fields of a residue; those that stand as JSON text are parsed. */
json *
map_residue_fields(struct map_writing *wr, json *ext)
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

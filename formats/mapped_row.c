/*
 * mapped_row.c -- one row of a mapping, in both directions.
 *
 * Forwards:  texts of the cell -> transforms -> split -> table -> date -> template -> canonical text.
 * Backwards: the same steps from the right to the left. What cannot be undone (trim, case) is left
 *            as it is; the reader compares the result with the source and keeps the difference.
 */
#include "formats/mapped_impl.h"

#define SHOWN(s) (int)((s).n < 60 ? (s).n : 60), (s).p

/* ---- cells ------------------------------------------------------------------------------------ */

/* Add the text of a scalar; false for objects, lists and strings that hold U+0000. */
static bool
add_scalar(const json *v, struct arena *mem, struct texts *out)
{
	struct slice s;

	if (json_is_null(v))
		return true;
	if (json_is_string(v)) {
		if (json_str(v) == NULL)
			return false;
		s = json_slice(v);
	} else if (json_is_number(v)) {
		s = json_number_text(mem, v);
	} else if (json_is_bool(v)) {
		s = json_bool(v) ? SLICE_LIT("true") : SLICE_LIT("false");
	} else {
		return false;
	}
	if (s.n > 0)
		texts_add(out, mem, s);
	return true;
}

/* Collect the texts of a cell; false if it is no plain value. */
bool
map_cell_texts(const json *cell, struct arena *mem, struct texts *out)
{
	if (cell == NULL)
		return true;
	if (!json_is_list(cell))
		return add_scalar(cell, mem, out);
	for (const json *v = json_first(cell); v != NULL; v = json_next(v))
		if (out->n >= MAPPED_TEXTS_MAX || !add_scalar(v, mem, out))
			return false;
	return true;
}

/* ---- forwards --------------------------------------------------------------------------------- */

/* Look a value up; 1 = *s is its translation, 0 = it stays in the residue only, -1 = refused. */
static int
table_forth(const struct map_row *row, struct slice *s, struct err *e)
{
	for (size_t i = 0; i < row->npairs; i++)
		if (slice_eq(row->pairs[i].from, *s)) {
			*s = row->pairs[i].to;
			return 1;
		}
	if (row->npairs == 0 || row->unknown == UNKNOWN_PASS)
		return 1;
	if (row->unknown == UNKNOWN_RESIDUE)
		return 0;
	return err_set(e, ERR_VALUE, "%.*s: \"%.*s\" is not in the table",
	    SLICE_ARG(row->source.text), SHOWN(*s));
}

/* Fill in the template. */
static int
template_forth(const struct map_row *row, map_cell_fn other, void *ctx, struct arena *mem,
    struct slice *s)
{
	struct strbuf b = STRBUF_INIT;

	if (row->nparts == 0)
		return 0;
	for (size_t i = 0; i < row->nparts; i++) {
		const struct map_part *p = &row->parts[i];
		struct texts t = { 0 };

		if (p->kind == PART_TEXT)
			strbuf_addsl(&b, p->text);
		else if (p->kind == PART_VALUE)
			strbuf_addsl(&b, *s);
		else if (other != NULL && map_cell_texts(other(ctx, &p->path), mem, &t) && t.n > 0)
			strbuf_addsl(&b, t.v[0]);
	}
	*s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return 0;
}

/* One text, after splitting, becomes a fact. 1 = done or empty, 0 = left to the residue. */
static int
piece_forth(const struct map_row *row, struct slice s, map_cell_fn other, void *ctx,
    struct arena *mem, struct facts *f, struct err *e)
{
	struct texts *t = &f->t[row->target];
	int rc;

	if (slice_trim(s).n == 0)
		return 1;
	if ((rc = table_forth(row, &s, e)) <= 0)
		return rc;
	if (row->time.form != TIME_NONE && !map_time_read(&row->time, slice_trim(s), mem, &s))
		return err_set(e, ERR_VALUE, "%.*s: \"%.*s\" is not a date of the mapping's form",
		    SLICE_ARG(row->source.text), SHOWN(s));
	template_forth(row, other, ctx, mem, &s);
	if (map_normalise(row->target, s, mem, &s, e) < 0)
		return -1;
	if (s.n == 0)
		return 1;
	if (t->n >= MAPPED_TEXTS_MAX)
		return err_set(e, ERR_LIMIT, "%.*s: more than %d values",
		    SLICE_ARG(row->source.text), MAPPED_TEXTS_MAX);
	if (t->n == 0 || (map_targets[row->target].flags & TARGET_LIST))
		texts_add(t, mem, s);
	return 1;
}

/* One text of the cell: transforms, then split, then piece by piece. */
static int
text_forth(const struct map_row *row, struct slice s, map_cell_fn other, void *ctx,
    struct arena *mem, struct facts *f, bool *left, struct err *e)
{
	struct slice rest;
	int rc;

	for (size_t i = 0; i < row->ntransforms; i++)
		if (!row->transforms[i]->forth(mem, s, &s))
			return err_set(e, ERR_VALUE, "%.*s: not legal %s",
			    SLICE_ARG(row->source.text), row->transforms[i]->name);
	for (rest = s; rest.n > 0;) {
		const char *sep = row->split.n == 0 ? NULL :
		    memmem(rest.p, rest.n, row->split.p, row->split.n);
		struct slice piece = rest;

		if (sep != NULL) {
			piece.n = (size_t)(sep - rest.p);
			rest = (struct slice){ sep + row->split.n,
			    rest.n - piece.n - row->split.n };
		} else {
			rest = SLICE_EMPTY;
		}
		if ((rc = piece_forth(row, piece, other, ctx, mem, f, e)) < 0)
			return -1;
		*left |= rc == 0;
	}
	return 0;
}

/* Turn a cell into facts of the row's target. */
int
map_row_forth(const struct map_row *row, const json *cell, map_cell_fn other, void *ctx,
    struct arena *mem, struct facts *f, bool *left, struct err *e)
{
	struct texts texts = { 0 };
	size_t before = f->t[row->target].n;
	bool present;

	*left = false;
	if (row->is_const)
		texts_add(&texts, mem, row->constant);
	else if (!map_cell_texts(cell, mem, &texts))
		return err_set(e, ERR_VALUE, "%.*s: not a plain value",
		    SLICE_ARG(row->source.text));
	present = row->target == T_X && texts.n > 0;
	for (size_t i = 0; row->target != T_X && i < texts.n; i++)
		if (text_forth(row, texts.v[i], other, ctx, mem, f, left, e) < 0)
			return -1;
	present |= f->t[row->target].n > 0;
	if (f->t[row->target].n == before && !present && row->has_default) {
		struct slice s;

		if (map_normalise(row->target, row->fallback, mem, &s, e) < 0)
			return -1;
		texts_add(&f->t[row->target], mem, s);
		present = true;
	}
	if (row->required && !present)
		return err_set(e, ERR_MISSING, "%.*s: a value is required",
		    SLICE_ARG(row->source.text));
	return 0;
}

/* Fill in what no field said. */
void
map_defaults(const struct mapping *m, struct arena *mem, struct facts *f)
{
	for (int t = 0; t < TARGETS; t++)
		for (size_t i = 0; f->t[t].n <= i && i < m->defaults.t[t].n; i++)
			texts_add(&f->t[t], mem, m->defaults.t[t].v[i]);
}

/* ---- backwards -------------------------------------------------------------------------------- */

/* Return the group of a row. */
int
map_group(const struct map_record *def, const struct map_row *row)
{
	if (row->target == T_X)
		return TARGETS + (int)(row - def->rows);
	if (def->object == OBJ_INDICATOR && (map_targets[row->target].flags & TARGET_PATTERN))
		return T_TYPE;
	return (int)row->target;
}

/* Undo the template; false if the text does not have its form. */
static bool
template_back(const struct map_row *row, struct slice *s)
{
	size_t value = row->nparts;

	for (size_t i = 0; i < row->nparts; i++) {
		if (row->parts[i].kind == PART_PATH)
			return false;
		if (row->parts[i].kind == PART_VALUE) {
			if (value < row->nparts)
				return false;
			value = i;
		}
	}
	if (value == row->nparts)
		return false;
	for (size_t i = 0; i < value; i++) {
		struct slice p = row->parts[i].text;

		if (s->n < p.n || memcmp(s->p, p.p, p.n) != 0)
			return false;
		*s = (struct slice){ s->p + p.n, s->n - p.n };
	}
	for (size_t i = row->nparts; i-- > value + 1;) {
		struct slice p = row->parts[i].text;

		if (s->n < p.n || memcmp(s->p + s->n - p.n, p.p, p.n) != 0)
			return false;
		s->n -= p.n;
	}
	return true;
}

/* Undo the table; false if no entry leads to the value and other values may not pass. */
static bool
table_back(const struct map_row *row, struct arena *mem, struct slice *s)
{
	struct slice to;

	for (size_t i = 0; i < row->npairs; i++)
		if (map_normalise(row->target, row->pairs[i].to, mem, &to, NULL) == 0 &&
		    slice_eq(to, *s)) {
			*s = row->pairs[i].from;
			return true;
		}
	for (size_t i = 0; row->target == T_TYPE && i < row->npairs; i++)
		if (map_kind_covers(row->pairs[i].to, *s)) {
			*s = row->pairs[i].from;
			return true;
		}
	return row->npairs == 0 || row->unknown == UNKNOWN_PASS;
}

/* One fact of this row as a text of its cell. */
static bool
piece_back(const struct map_row *row, struct slice s, struct arena *mem, struct slice *out)
{
	if (row->nparts > 0 && !template_back(row, &s))
		return false;
	if (row->time.form != TIME_NONE && !map_time_write(&row->time, s, mem, &s))
		return false;
	if (!table_back(row, mem, &s))
		return false;
	*out = s;
	return true;
}

/* Can the row say this fact? A constant says one. */
bool
map_row_says(const struct map_row *row, struct slice fact, struct arena *mem)
{
	struct slice s;

	if (row->is_const)
		return map_normalise(row->target, row->constant, mem, &s, NULL) == 0 &&
		    slice_eq(s, fact);
	return piece_back(row, fact, mem, &s);
}

/* Undo what can be undone, last first. */
static struct slice
transforms_back(const struct map_row *row, struct slice s, struct arena *mem)
{
	for (size_t i = row->ntransforms; i-- > 0;)
		if (row->transforms[i]->back != NULL)
			row->transforms[i]->back(mem, s, &s);
	return s;
}

/* A number as JSON writes it. */
static bool
is_json_number(struct slice s)
{
	size_t i = 0, point = 0;

	if (s.n == 0 || s.n > 15 || (s.p[0] == '0' && s.n > 1 && s.p[1] != '.'))
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] == '.' && i > 0 && point == 0 && i + 1 < s.n)
			point = i;
		else if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

/* Return a text as the leaf that the format would hold. */
static json *
leaf_back(const struct mapping *m, const struct map_row *row, struct slice s, struct arena *mem)
{
	bool numeric = (map_targets[row->target].flags & TARGET_NUMBER) ||
	    row->time.form == TIME_EPOCH || row->time.form == TIME_EPOCH_MS;
	unsigned long long v;

	s = transforms_back(row, s, mem);
	if ((m->format != MAP_JSON && m->format != MAP_JSONL) || !numeric || !is_json_number(s))
		return json_string(mem, s);
	return slice_u64(s, &v) ? json_integer(mem, (int64_t)v) : json_raw(mem, s);
}

/* The cell of a row, given the texts that are its share. */
static json *
cell_back(const struct mapping *m, const struct map_row *row, const struct texts *t,
    struct arena *mem)
{
	bool csv = m->format == MAP_CSV, array = (map_targets[row->target].flags & TARGET_ARRAY);
	json *out;

	if (t->n == 0)
		return NULL;
	if (row->split.n > 0) {
		struct strbuf b = STRBUF_INIT;

		for (size_t i = 0; i < t->n; i++) {
			if (i > 0)
				strbuf_addsl(&b, row->split);
			strbuf_addsl(&b, t->v[i]);
		}
		out = leaf_back(m, row, arena_slice(mem, strbuf_slice(&b)), mem);
		strbuf_fini(&b);
		return out;
	}
	if (t->n == 1 && (csv || m->format == MAP_XML || !array))
		return leaf_back(m, row, t->v[0], mem);
	out = json_list(mem);
	for (size_t i = 0; i < t->n; i++)
		json_push(out, leaf_back(m, row, t->v[i], mem));
	return out;
}

/* A row that its parent's record writes, or that has no source. */
static bool
is_foreign(const struct map_row *row)
{
	if (row->is_const || row->source.up > 0)
		return true;
	return row->source.n > 0 && row->source.steps != NULL &&
	    row->source.steps[0].kind == STEP_PARENT;
}

/* Give the facts of one target to its rows: constants first, then templates, then the first plain
 * row. */
static void
share_target(const struct map_record *def, enum map_target target, const struct texts *facts,
    struct arena *mem, struct texts *shares)
{
	bool *taken = arena_alloc(mem, facts->n + 1);
	struct slice s;

	for (int pass = 0; pass < 3; pass++)
		for (size_t r = 0; r < def->nrows; r++) {
			const struct map_row *row = &def->rows[r];
			int kind = row->is_const ? 0 : row->nparts > 0 ? 1 : 2;

			if (row->target != target || kind != pass)
				continue;
			for (size_t i = 0; i < facts->n; i++) {
				if (taken[i])
					continue;
				if (row->is_const) {
					taken[i] = map_normalise(target, row->constant, mem, &s,
					    NULL) == 0 && slice_eq(s, facts->v[i]);
				} else if (!is_foreign(row) &&
				    piece_back(row, facts->v[i], mem, &s)) {
					texts_add(&shares[r], mem, s);
					taken[i] = true;
				}
			}
		}
}

/* Turn facts into one cell a row. */
void
map_rows_back(const struct mapping *m, const struct map_record *def, const struct facts *f,
    struct arena *mem, json **cells)
{
	struct texts *shares = arena_alloc(mem, (def->nrows + 1) * sizeof(*shares));

	for (size_t r = 0; r < def->nrows; r++) {
		enum map_target t = def->rows[r].target;
		bool first = true;

		for (size_t i = 0; i < r; i++)
			first &= def->rows[i].target != t;
		if (first && t != T_X)
			share_target(def, t, &f->t[t], mem, shares);
	}
	for (size_t r = 0; r < def->nrows; r++)
		cells[r] = cell_back(m, &def->rows[r], &shares[r], mem);
}

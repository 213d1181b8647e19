/*
 * mapped_row.c -- one row of a mapping, forwards (mapped_back.c: backwards).
 *
 * Texts of the cell -> join -> transforms -> split -> regex -> table -> number -> date -> template ->
 * canonical text.
 */
#include "formats/mapped_impl.h"
#include "formats/mapped_regex.h"

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

/* ---- conditions ------------------------------------------------------------------------------- */

/* Does a field meet the condition? */
bool
map_when_holds(const struct map_when *w, map_cell_fn other, void *ctx, struct arena *mem)
{
	struct texts t = { 0 };
	bool in = false;

	if (!map_cell_texts(other(ctx, &w->path), mem, &t))
		return false;
	for (size_t k = 0; k < t.n; k++)
		for (size_t j = 0; j < w->nwords; j++)
			in |= slice_eq(t.v[k], w->words[j]);
	switch (w->test) {
	case WHEN_IN:		return in;
	case WHEN_NOT_IN:	return !in;
	case WHEN_PRESENT:	return t.n > 0;
	default:		return t.n == 0;
	}
}

/* True unless the row has a condition that is not met. */
bool
map_row_applies(const struct map_row *row, map_cell_fn other, void *ctx, struct arena *mem)
{
	return !row->conditional || (other != NULL && map_when_holds(&row->only, other, ctx, mem));
}

/* ---- forwards --------------------------------------------------------------------------------- */

/* Look a value up; 2 = *s is its translation, 1 = it passes, 0 = it stays in the residue only, -1 =
 * refused. */
static int
table_forth(const struct map_row *row, struct slice *s, struct err *e)
{
	for (size_t i = 0; i < row->npairs; i++)
		if (slice_eq(row->pairs[i].from, *s)) {
			*s = row->pairs[i].to;
			return 2;
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
	if (row->regex != NULL && !map_regex_find(row->regex, s, mem, &s))
		return 0;
	if ((rc = table_forth(row, &s, e)) <= 0)
		return rc;
	if (rc == 1 && row->number.used && !map_number_read(&row->number, slice_trim(s), mem, &s))
		return err_set(e, ERR_VALUE, "%.*s: \"%.*s\" is no number of the mapping's form",
		    SLICE_ARG(row->source.text), SHOWN(s));
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

/* All texts of a cell as one. */
static void
join_texts(const struct map_row *row, struct arena *mem, struct texts *t)
{
	struct strbuf b = STRBUF_INIT;

	if (row->join.n == 0 || t->n < 2)
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			strbuf_addsl(&b, row->join);
		strbuf_addsl(&b, t->v[i]);
	}
	t->v[0] = arena_slice(mem, strbuf_slice(&b));
	t->n = 1;
	strbuf_fini(&b);
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
	if (!map_row_applies(row, other, ctx, mem))
		return 0;
	if (row->is_const)
		texts_add(&texts, mem, row->constant);
	else if (!map_cell_texts(cell, mem, &texts))
		return err_set(e, ERR_VALUE, "%.*s: not a plain value",
		    SLICE_ARG(row->source.text));
	join_texts(row, mem, &texts);
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

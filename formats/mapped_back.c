/*
 * mapped_back.c -- the rows of a mapping, backwards: from the facts of an object to the cells of a record.
 *
 * The steps of mapped_row.c from the right to the left. What cannot be undone (trim, case, regex) is
 * left as it is; the reader compares the result with the source and keeps the difference.
 */
#include "formats/mapped_impl.h"

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

/* Undo the table, and the number, which is for values that are not in the table; false if no entry leads to
 * the value and other values may not pass. */
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
	return (row->npairs == 0 || row->unknown == UNKNOWN_PASS) &&
	    (!row->number.used || map_number_write(&row->number, *s, mem, s));
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
	    row->number.used || row->time.form == TIME_EPOCH || row->time.form == TIME_EPOCH_MS;
	unsigned long long v;

	s = transforms_back(row, s, mem);
	if ((m->format != MAP_JSON && m->format != MAP_JSONL) || !numeric || !is_json_number(s))
		return json_string(mem, s);
	return slice_u64(s, &v) ? json_integer(mem, (int64_t)v) : json_raw(mem, s);
}

/* The texts that `join` made one of. */
static json *
unjoined(const struct mapping *m, const struct map_row *row, struct slice s, struct arena *mem)
{
	json *out = json_list(mem);
	const char *sep;

	while ((sep = memmem(s.p, s.n, row->join.p, row->join.n)) != NULL) {
		json_push(out, leaf_back(m, row, slice_from(s.p, (size_t)(sep - s.p)), mem));
		s = slice_from(sep + row->join.n, s.n - (size_t)(sep - s.p) - row->join.n);
	}
	json_push(out, leaf_back(m, row, s, mem));
	return out;
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
	if (row->join.n > 0 && !csv && t->n == 1)
		return unjoined(m, row, t->v[0], mem);
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

/*
 * mapped_csv.c -- records as lines of separated fields (RFC 4180), in and out.
 *
 * Tolerated: a BOM, LF or CRLF, comment lines and blank lines between records. A record that breaks
 * the rules is refused alone: the reader goes on with the line after the one it began on.
 */
#include "formats/mapped_read.h"

enum { RECORD_BYTES = 8 << 20 };

struct csv_in {
	struct slice	 in;
	size_t		 at;		/* offset */
	uint32_t	 line;
	struct slice	*names;		/* columns of the file */
	size_t		 n;
	size_t		*where;		/* mapping column -> position + 1 */
	bool		*taken;		/* of the record at hand */
	struct slice	*cells;		/* while a record is cut; n 0 and p NULL past the end */
	size_t		 count;
};

/* ---- cutting records -------------------------------------------------------------------------- */

/* Return where the reader stands. */
static struct pos
place(const struct csv_in *in, uint32_t line, size_t line_start)
{
	return (struct pos){ line, (uint32_t)(in->at - line_start) + 1, in->at };
}

/* Go behind the next line break. */
static void
skip_line(struct csv_in *in)
{
	const char *nl = memchr(in->in.p + in->at, '\n', in->in.n - in->at);

	in->at = nl == NULL ? in->in.n : (size_t)(nl - in->in.p) + 1;
	in->line++;
}

/* At the end of a line or of the input? Steps over the line break. */
static bool
end_of_line(struct csv_in *in)
{
	if (in->at == in->in.n)
		return true;
	if (in->in.p[in->at] == '\r' && in->at + 1 < in->in.n && in->in.p[in->at + 1] == '\n')
		in->at++;
	if (in->in.p[in->at] != '\n')
		return false;
	in->at++;
	in->line++;
	return true;
}

/* A quoted cell; leaves `at` behind the closing quote. */
static int
cut_quoted(struct csv_in *in, char quote, size_t limit, struct strbuf *out, struct err *e)
{
	struct pos at = { in->line, 0, in->at };

	for (in->at++;; in->at++) {
		const char *q;
		size_t n;

		if (in->at >= in->in.n || in->at >= limit)
			return err_at(e, in->at >= in->in.n ? ERR_SYNTAX : ERR_LIMIT, at,
			    in->at >= in->in.n ? "a quoted field does not end" :
			    "a record is larger than its limit");
		q = memchr(in->in.p + in->at, quote, in->in.n - in->at);
		n = q == NULL ? in->in.n - in->at : (size_t)(q - in->in.p) - in->at;
		for (size_t i = 0; i < n; i++)
			in->line += in->in.p[in->at + i] == '\n';
		strbuf_add(out, in->in.p + in->at, n);
		in->at += n;
		if (q == NULL)
			continue;
		if (in->at + 1 >= in->in.n || in->in.p[in->at + 1] != quote) {
			in->at++;
			return 0;
		}
		strbuf_addc(out, quote);
		in->at++;
	}
}

/* A cell without quotes; leaves `at` behind it. */
static void
cut_plain(struct csv_in *in, char delimiter, struct strbuf *out)
{
	size_t start = in->at, end;

	while (in->at < in->in.n && in->in.p[in->at] != delimiter && in->in.p[in->at] != '\n')
		in->at++;
	end = in->at;
	if (end > start && in->in.p[end - 1] == '\r' && in->at < in->in.n &&
	    in->in.p[in->at] == '\n')
		in->at = --end;
	strbuf_add(out, in->in.p + start, end - start);
}

/* Cut one record into in->cells, at most `max`; `at` ends behind its line break. */
static int
cut_record(struct mapped_reader *r, struct csv_in *in, size_t max, struct err *e)
{
	const struct mapping *m = r->map;
	size_t limit = r->job->limits.object_bytes, start = in->at;
	struct strbuf raw = STRBUF_INIT, text = STRBUF_INIT;
	int rc = 0;

	limit = start + (limit == 0 ? RECORD_BYTES : limit);
	for (in->count = 0; rc == 0;) {
		strbuf_reset(&raw);
		strbuf_reset(&text);
		if (in->at < in->in.n && in->in.p[in->at] == m->quote)
			rc = cut_quoted(in, m->quote, limit, &raw, e);
		else
			cut_plain(in, m->delimiter, &raw);
		if (rc == 0 && in->at > limit)
			rc = err_at(e, ERR_LIMIT, place(in, in->line, start),
			    "a record is larger than its limit");
		if (rc == 0 && (memchr(raw.p, '\0', raw.n) != NULL ||
		    !map_decode(m->encoding, strbuf_slice(&raw), &text)))
			rc = err_at(e, ERR_ENCODING, place(in, in->line, start),
			    "field %zu is not legal in the encoding of the mapping", in->count + 1);
		if (rc < 0)
			break;
		if (in->count < max)
			in->cells[in->count] = arena_slice(r->scratch, strbuf_slice(&text));
		in->count++;
		if (end_of_line(in))
			break;
		if (in->in.p[in->at] != m->delimiter)
			rc = err_at(e, ERR_SYNTAX, place(in, in->line, start),
			    "text behind the closing quote of field %zu", in->count);
		else
			in->at++;
	}
	strbuf_fini(&raw);
	strbuf_fini(&text);
	return rc;
}

/* Skip comments and blank lines; false at the end of the input. */
static bool
find_record(const struct mapping *m, struct csv_in *in)
{
	while (in->at < in->in.n) {
		const char *p = in->in.p + in->at;
		size_t n = in->in.n - in->at;

		if (m->comment.n > 0 && n >= m->comment.n &&
		    memcmp(p, m->comment.p, m->comment.n) == 0)
			skip_line(in);
		else if (p[0] == '\n' || (p[0] == '\r' && n > 1 && p[1] == '\n'))
			skip_line(in);
		else
			return true;
	}
	return false;
}

/* ---- the header ------------------------------------------------------------------------------- */

/* Learn the names of the columns. */
static int
read_header(struct mapped_reader *r, struct csv_in *in, struct err *e)
{
	if (!r->map->header) {
		in->names = r->map->layout;
		in->n = r->map->nlayout;
		return 0;
	}
	if (!find_record(r->map, in))
		return err_set(e, ERR_MISSING, "there is no header line");
	if (cut_record(r, in, MAPPED_COLUMNS_MAX, e) < 0)
		return -1;
	if (in->count > MAPPED_COLUMNS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d columns", MAPPED_COLUMNS_MAX);
	in->n = in->count;
	in->names = arena_alloc(r->mem, in->n * sizeof(*in->names));
	for (size_t i = 0; i < in->n; i++) {
		in->names[i] = arena_slice(r->mem, slice_trim(in->cells[i]));
		for (size_t k = 0; k < i; k++)
			if (slice_eq(in->names[k], in->names[i]))
				return err_at(e, ERR_DUPLICATE, (struct pos){ in->line - 1, 1, 0 },
				    "two columns are called \"%.*s\"",
				    (int)(in->names[i].n < 80 ? in->names[i].n : 80),
				    in->names[i].p);
	}
	return 0;
}

/* Every column that the mapping names must be there. */
static int
find_columns(struct mapped_reader *r, struct csv_in *in, struct err *e)
{
	const struct mapping *m = r->map;

	in->where = arena_alloc(r->mem, (m->ncolumns + 1) * sizeof(*in->where));
	for (size_t c = 0; c < m->ncolumns; c++) {
		for (size_t i = 0; i < in->n && in->where[c] == 0; i++)
			if (slice_eq(in->names[i], m->columns[c]))
				in->where[c] = i + 1;
		if (in->where[c] == 0)
			return err_set(e, ERR_MISSING, "there is no column \"%.*s\"",
			    SLICE_ARG(m->columns[c]));
	}
	return 0;
}

/* Step over what stands before the records. */
static int
csv_open(struct mapped_reader *r, struct err *e)
{
	struct csv_in *in = arena_alloc(r->mem, sizeof(*in));

	r->state = in;
	in->in = r->job->in;
	if (r->map->encoding == ENC_UTF16 && !map_utf16_read(r->job->in, r->mem, &in->in))
		return err_set(e, ERR_ENCODING, "this is not UTF-16");
	in->line = 1;
	in->cells = arena_alloc(r->mem, (MAPPED_COLUMNS_MAX + 1) * sizeof(*in->cells));
	if (slice_starts(in->in, "\xef\xbb\xbf"))
		in->at = 3;
	for (size_t i = 0; i < r->map->skip && in->at < in->in.n; i++)
		skip_line(in);
	if (read_header(r, in, e) < 0 || find_columns(r, in, e) < 0)
		return -1;
	in->taken = arena_alloc(r->mem, in->n + 1);
	return 0;
}

/* Cut the next record; its err is set if it cannot be used. */
static int
csv_next(struct mapped_reader *r, struct mapped_record *rec, struct err *e)
{
	struct csv_in *in = r->state;
	size_t start;
	uint32_t line;

	(void)e;
	if (!find_record(r->map, in))
		return 0;
	start = in->at;
	line = in->line;
	memset(in->taken, 0, in->n);
	if (cut_record(r, in, MAPPED_COLUMNS_MAX, &rec->err) < 0) {
		in->at = start;		/* do not let one open quote eat the rest of the file */
		in->line = line;
		skip_line(in);
		if (r->job->piece != NULL)
			map_piece_broken(r->job->piece, rec->index, &rec->err);
	} else if (in->count != in->n) {
		err_set(&rec->err, ERR_SYNTAX, "%zu fields where the header has %zu", in->count,
		    in->n);
	} else {
		rec->cells = arena_alloc(r->scratch, in->n * sizeof(*rec->cells));
		memcpy(rec->cells, in->cells, in->n * sizeof(*rec->cells));
	}
	rec->text = (struct slice){ in->in.p + start, in->at - start };
	rec->err.at = (struct pos){ line, 1, start };
	rec->path = arena_fmt(r->scratch, "row[%zu]", rec->index + 1);
	return 1;
}

/* Return the cell of a column, NULL if it is empty. */
static json *
csv_cell(struct mapped_reader *r, struct mapped_record *rec, const struct map_path *p, bool take)
{
	struct csv_in *in = r->state;
	size_t i = in->where[p->column] - 1;

	if (take)
		in->taken[i] = true;
	return rec->cells[i].n == 0 ? NULL : json_string(r->scratch, rec->cells[i]);
}

/* Collect the cells that no row has taken. */
static void
csv_rest(struct mapped_reader *r, struct mapped_record *rec, struct map_fields *fields)
{
	struct csv_in *in = r->state;

	for (size_t i = 0; i < in->n; i++)
		if (!in->taken[i] && rec->cells[i].n > 0)
			map_fields_add(fields, r->scratch, arena_str(r->scratch, in->names[i]),
			    json_string(r->scratch, rec->cells[i]));
}

const struct mapped_input mapped_csv_in = {
	csv_open, csv_next, csv_cell, csv_rest, NULL, NULL
};

/* ---- writing ---------------------------------------------------------------------------------- */

struct csv_out {
	struct slice	*names;
	size_t		 n, cap;
	size_t		 start;		/* in the output */
};

/* Add a column unless it is there; false if there are too many. */
static bool
add_column(struct mapped_writer *w, struct csv_out *o, struct slice name)
{
	for (size_t i = 0; i < o->n; i++)
		if (slice_eq(o->names[i], name))
			return true;
	if (o->n == MAPPED_COLUMNS_MAX)
		return false;
	o->names = arena_grow(w->mem, o->names, o->n, &o->cap, sizeof(*o->names));
	o->names[o->n++] = name;
	return true;
}

/* Would the cell be misread without quotes? */
static bool
needs_quotes(const struct mapping *m, struct slice s, bool first)
{
	if (s.n == 0)
		return false;
	if (first && m->comment.n > 0 && s.n >= m->comment.n &&
	    memcmp(s.p, m->comment.p, m->comment.n) == 0)
		return true;
	if (s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == m->delimiter || s.p[i] == m->quote || s.p[i] == '\n' ||
		    s.p[i] == '\r')
			return true;
	return false;
}

/* One line; -1 if a text cannot be written in the encoding. */
static int
put_line(struct mapped_writer *w, const struct slice *cells, size_t n, struct err *e)
{
	const struct mapping *m = w->map;
	size_t before = w->out->n;

	for (size_t i = 0; i < n; i++) {
		bool quotes = needs_quotes(m, cells[i], i == 0) || (n == 1 && cells[i].n == 0);
		struct slice rest = cells[i];

		if (i > 0)
			strbuf_addc(w->out, m->delimiter);
		if (quotes)
			strbuf_addc(w->out, m->quote);
		while (rest.n > 0) {
			const char *q = quotes ? memchr(rest.p, m->quote, rest.n) : NULL;
			size_t k = q == NULL ? rest.n : (size_t)(q - rest.p) + 1;

			if (!map_encode(m->encoding, (struct slice){ rest.p, k }, w->out)) {
				strbuf_setlen(w->out, before);
				return err_set(e, ERR_ENCODING,
				    "field %zu cannot be written in the mapping's encoding", i + 1);
			}
			if (q != NULL)
				strbuf_addc(w->out, m->quote);
			rest = (struct slice){ rest.p + k, rest.n - k };
		}
		if (quotes)
			strbuf_addc(w->out, m->quote);
	}
	strbuf_addc(w->out, '\n');
	return 0;
}

/* Settle the columns and write the header. */
static int
csv_out_open(struct mapped_writer *w, const struct mapped_row_out *rows, size_t n, struct err *e)
{
	struct csv_out *o = arena_alloc(w->mem, sizeof(*o));
	bool ok = true;

	w->state = o;
	o->start = w->out->n;
	for (size_t i = 0; i < w->map->nlayout; i++)
		ok &= add_column(w, o, w->map->layout[i]);
	for (size_t i = 0; w->map->header && i < w->map->ncolumns; i++)
		ok &= add_column(w, o, w->map->columns[i]);
	for (size_t i = 0; w->map->header && i < n; i++)
		for (size_t k = 0; k < rows[i].n; k++)
			ok &= add_column(w, o, rows[i].v[k].path);
	if (!ok)
		return err_set(e, ERR_LIMIT, "more than %d columns", MAPPED_COLUMNS_MAX);
	return w->map->header ? put_line(w, o->names, o->n, e) : 0;
}

/* Write one record. */
static int
csv_put(struct mapped_writer *w, const struct mapped_row_out *row, struct err *e)
{
	struct csv_out *o = w->state;
	struct slice *cells = arena_alloc(w->mem, (o->n + 1) * sizeof(*cells));

	for (size_t k = 0; k < row->n; k++) {
		struct texts t = { 0 };
		size_t i = 0;

		while (i < o->n && !slice_eq(o->names[i], row->v[k].path))
			i++;
		if (!map_cell_texts(row->v[k].value, w->mem, &t))
			return err_set(e, ERR_VALUE, "a value of \"%.*s\" is no plain text",
			    (int)(row->v[k].path.n < 80 ? row->v[k].path.n : 80),
			    row->v[k].path.p);
		if (i < o->n && t.n > 0)
			cells[i] = t.v[0];
		else if (t.n > 0)
			loss_addf(w->job->loss, LOSS_DROPPED, "no such column", "%.*s",
			    SLICE_ARG(row->v[k].path));
		if (t.n > 1)
			loss_addf(w->job->loss, LOSS_DROPPED, "a field holds one value", "%.*s",
			    SLICE_ARG(row->v[k].path));
	}
	return put_line(w, cells, o->n, e);
}

/* What was written as UTF-8 goes out in sixteen bits. */
static void
csv_close(struct mapped_writer *w)
{
	struct csv_out *o = w->state;

	if (w->map->encoding == ENC_UTF16)
		map_utf16_write(w->out, o->start);
}

const struct mapped_output mapped_csv_out = { csv_out_open, csv_put, csv_close };

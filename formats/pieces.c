/* pieces.c -- what all formats share that are read in pieces or written object by object (format.h). */
#include "formats/format.h"

#include <stdio.h>

#include "gateway/base/arena.h"

int
format_stream_all(const struct format_stream *s, const struct write_job *job, struct strbuf *out,
    struct err *e)
{
	const struct advisory *adv = job->adv;
	struct writing *w = s->begin(job, e);
	int rc;

	if (w == NULL)
		return -1;
	for (size_t i = 0; s->look != NULL && i < adv->n; i++)
		s->look(w, &adv->objects[i]);
	rc = s->head(w, out, e);
	for (size_t i = 0; rc == 0 && i < adv->n; i++)
		rc = s->put(w, &adv->objects[i], out, e);
	if (rc == 0)
		rc = s->tail(w, out, e);
	s->end(w);
	return rc;
}

/* Where what was put in front of a piece ends: line and column there, counted in the piece. */
static struct pos
end_of_front(const struct read_piece *piece)
{
	return pos_of(piece->text.p, piece->text.n, piece->skip);
}

/* From a place in the piece to one in the whole. What stands in front keeps its place: it is the beginning
 * of the whole. */
static void
move_place(const struct read_piece *piece, struct pos *at)
{
	struct pos front = { 1, 1, 0 };

	if (piece->skip > 0)
		front = end_of_front(piece);
	if (at->line == 0 || at->line < front.line ||
	    (at->line == front.line && at->column < front.column))
		return;
	if (at->line == front.line)
		at->column += piece->at.column - front.column;
	at->line += piece->at.line - front.line;
	if (piece->skip == 0 || at->offset >= piece->skip)
		at->offset += piece->at.offset - piece->skip;
}

/* The first step of a path: is it an element of the piece, which, and what follows? */
static bool
is_inside(const struct read_piece *piece, struct slice path, size_t *ordinal, struct slice *rest)
{
	size_t n = strlen(piece->element);
	unsigned long long number;
	struct slice digits;

	if (!slice_starts(path, piece->element) || path.n <= n || path.p[n] != '[')
		return false;
	*rest = slice_from(path.p + n + 1, path.n - n - 1);
	digits = slice_cut(rest, ']');
	if (!slice_u64(digits, &number))
		return false;
	*ordinal = (size_t)number;
	return true;
}

bool
format_piece_path(const struct read_piece *piece, struct arena *mem, const char **path)
{
	struct slice rest;
	size_t ordinal;

	if (piece->element == NULL)
		return true;
	if (!is_inside(piece, slice_of(*path), &ordinal, &rest))
		return piece->index == 0;
	if (piece->index > 0)
		*path = arena_fmt(mem, "%s[%zu]%.*s", piece->element, piece->index + ordinal,
		    SLICE_ARG(rest));
	return true;
}

bool
format_piece_verdict(const struct read_piece *piece, struct arena *mem, struct verdict *v)
{
	const char *path = arena_str(mem, slice_of(v->err.path));

	if (!format_piece_path(piece, mem, &path))
		return false;
	snprintf(v->err.path, sizeof(v->err.path), "%s", path);
	move_place(piece, &v->err.at);
	v->index += piece->index;
	return true;
}

/* Small facts of other modules: text by space and name. */
#include "gateway/store_sqlite.h"

int
sq_note_set(struct store *s, const char *space, const char *name, const char *text, struct err *e)
{
	int rc = text == NULL ? sq_run(sq_of(s), SQ_NOTE_DEL, e, "ss", space, name) :
	    sq_run(sq_of(s), SQ_NOTE_SET, e, "sss", space, name, text);

	return rc < 0 ? -1 : 0;
}

int
sq_notes(struct store *s, const char *space, const char *name, struct arena *mem,
    struct store_note **v, size_t *n, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = name == NULL ? sq_bind(q, SQ_NOTE_EACH, e, "s", space) :
	    sq_bind(q, SQ_NOTE_GET, e, "ss", space, name);
	size_t cap = 0;
	int rc = -1;

	*n = 0;
	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		*v = arena_grow(mem, *v, *n, &cap, sizeof(**v));
		(*v)[(*n)++] = (struct store_note){ arena_str(mem, sq_col(st, 0)),
		    arena_str(mem, sq_col(st, 1)) };
	}
	return rc;
}

/* csaf_place.c -- where in the text of a document does a path lead? (csaf_read.h) */
#include "formats/csaf_read.h"
#include "gateway/base/json_walk.h"

/* One step down: a member by name, or an element by number. */
struct step {
	struct slice	 name;		/* empty: an element */
	size_t		 index, at;
	struct slice	 found;		/* p NULL: not yet */
};

/* json_walk_fn: stops at the child that is looked for. */
static bool
on_child(void *ctx, struct slice name, struct slice value)
{
	struct step *s = ctx;

	if (s->name.n > 0 ? name.p == NULL || !slice_eq(name, s->name) : s->at++ != s->index)
		return true;
	s->found = value;
	return false;
}

/* Go down one step; false if there is no such child. */
static bool
go_down(struct slice *value, struct step s)
{
	json_walk(*value, 0, on_child, &s);
	if (s.found.p != NULL)
		*value = s.found;
	return s.found.p != NULL;
}

/* See csaf_read.h. */
struct pos
csaf_place(struct slice text, struct slice path)
{
	struct slice value = slice_trim(text);
	bool found = true;

	while (path.n > 0 && found) {
		struct slice step = slice_cut(&path, '.'), name = slice_cut(&step, '[');
		unsigned long long i;

		found = go_down(&value, (struct step){ .name = name });
		while (found && step.n > 0) {
			found = slice_u64(slice_cut(&step, ']'), &i) &&
			    go_down(&value, (struct step){ .name = SLICE_EMPTY, .index = (size_t)i });
			slice_cut(&step, '[');
		}
	}
	return pos_of(text.p, text.n, (size_t)(value.p - text.p));
}

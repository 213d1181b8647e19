/*
 * Every object is looked through for names of supporting ones that are not there; each of those is asked
 * of the store, and looked through itself: an identity is marked, too.
 */
#include "gateway/companions.h"

#include "formats/idmap.h"
#include "formats/refs.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/gateway.h"
#include "gateway/release.h"

enum { COMPANIONS_MAX = 1000 };		/* looked for */

struct finding {
	struct gateway		*g;
	const struct delivery	*d;
	struct trust		*t;		/* held */
	struct arena		*mem;
	struct companions	 out;
	size_t			 cap;
	struct idmap		 here;		/* ids of the delivery, sorted */
	struct slice		*wanted;	/* supporting ids that are not there, in the order found */
	size_t			 nwanted, wanted_cap, asked;
	bool			 asking, waiting;
	struct err		 failure;
	companions_cb		*cb;
	void			*arg;
};

static bool
is_wanted(const struct finding *f, struct slice id)
{
	for (size_t i = 0; i < f->nwanted; i++)
		if (slice_eq(f->wanted[i], id))
			return true;
	return false;
}

static bool
note(void *ctx, const char *member, struct slice id)
{
	struct finding *f = ctx;
	const char *end = memmem(id.p, id.n, "--", 2);

	(void)member;
	if (end == NULL || !refs_is_supporting(slice_from(id.p, (size_t)(end - id.p))) ||
	     idmap_find(&f->here, id) != IDMAP_NONE || is_wanted(f, id) ||
	    f->nwanted == COMPANIONS_MAX)
		return true;
	f->wanted = arena_grow(f->mem, f->wanted, f->nwanted, &f->wanted_cap, sizeof(*f->wanted));
	f->wanted[f->nwanted++] = arena_slice(f->mem, id);
	return true;
}

static void
look_through(struct finding *f, struct slice text)
{
	struct arena *scratch = arena_new();
	struct json_doc doc;

	if (json_parse(text, NULL, scratch, &doc, NULL) == 0)
		refs_each(doc.root, note, f);
	arena_free(scratch);
}

static void
finish(struct finding *f)
{
	struct trust *t = f->t;

	if (f->failure.code == ERR_NONE)
		f->cb(f->arg, &f->out, NULL);
	else
		f->cb(f->arg, NULL, &f->failure);
	trust_free(t);
}

static void	ask_on(struct finding *f);

static void
on_object(void *arg, const struct store_object *o, const struct err *e)
{
	struct finding *f = arg;

	f->waiting = false;
	if (e != NULL) {
		f->failure = *e;
		f->nwanted = f->asked;		/* no more */
	} else if (o != NULL && release_lets(f->t, f->d->peer, &o->row, clock_wall_us())) {
		f->out.texts = arena_grow(f->mem, f->out.texts, f->out.n, &f->cap, sizeof(*f->out.texts));
		f->out.texts[f->out.n++] = arena_slice(f->mem, o->row.bytes);
		look_through(f, o->row.bytes);
	}
	if (!f->asking)
		ask_on(f);
}

/* Answers that come at once come in a loop, not in a recursion. */
static void
ask_on(struct finding *f)
{
	f->asking = true;
	while (!f->waiting && f->asked < f->nwanted) {
		f->waiting = true;
		store_object(f->g->store, f->wanted[f->asked++], on_object, f);
	}
	f->asking = false;
	if (!f->waiting)
		finish(f);
}

void
companions_find(struct gateway *g, const struct delivery *d, struct arena *mem, companions_cb *cb,
    void *arg)
{
	struct finding *f = arena_alloc(mem, sizeof(*f));

	*f = (struct finding){ .g = g, .d = d, .t = trust_hold(g->trust), .mem = mem, .cb = cb, .arg = arg,
	    .failure = ERR_INIT };
	for (size_t i = 0; i < d->n; i++) {
		const struct store_row *row = &d->items[i].row;

		idmap_add(&f->here, mem, row->id, i);
		if (row->facts.tlp_by_default && row->facts.tlp > f->out.unmarked &&
		    !refs_is_supporting(row->type))
			f->out.unmarked = row->facts.tlp;
	}
	idmap_sort(&f->here);
	for (size_t i = 0; i < d->n; i++)
		look_through(f, d->items[i].row.bytes);
	ask_on(f);
}

/* Statuses of the memory backend. */
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/store_mem.h"

static struct mem_status *
find(const struct mem *m, const char *id)
{
	for (size_t i = 0; i < m->nstatuses; i++)
		if (strcmp(m->statuses[i].st.id, id) == 0)
			return &m->statuses[i];
	return NULL;
}

int
mem_status_check(const struct mem *m, const struct store_status *st, struct err *e)
{
	const struct mem_status *have;

	if (st->step != STATUS_PART && st->step != STATUS_LAST)
		return 0;
	have = find(m, st->id);
	if (have == NULL)
		return store_status_follows(st, false, 0, 0, e);
	return store_status_follows(st, have->st.pending, have->st.total,
	    have->st.succeeded + have->st.failed, e);
}

static struct mem_status *
make(struct mem *m, const struct store_status *st)
{
	struct mem_status *to;

	m->statuses = arena_grow(m->arena, m->statuses, m->nstatuses, &m->statuses_cap,
	    sizeof(*m->statuses));
	to = &m->statuses[m->nstatuses++];
	*to = (struct mem_status){ .mem = arena_new(), .st = { .requested_us = st->requested_us,
	    .pending = true } };
	memcpy(to->st.id, st->id, sizeof(to->st.id));
	to->st.user = arena_str(to->mem, slice_of(st->user));
	return to;
}

static void
add_entries(struct mem_status *to, const struct store_status *st)
{
	for (size_t i = 0; i < st->n; i++) {
		struct store_status_entry x = st->entries[i];

		x.id = arena_slice(to->mem, x.id);
		x.version = arena_slice(to->mem, x.version);
		x.message = x.message == NULL ? NULL : arena_str(to->mem, slice_of(x.message));
		x.put = -1;
		to->st.entries = arena_grow(to->mem, to->st.entries, to->st.n, &to->cap, sizeof(x));
		to->st.entries[to->st.n++] = x;
	}
	to->st.succeeded += st->succeeded;
	to->st.failed += st->failed;
}

static void
open_errand(struct mem_status *to, const struct store_status *st)
{
	struct store_errand *x = arena_alloc(to->mem, sizeof(*x));

	*x = *st->errand;
	x->source = arena_str(to->mem, slice_of(x->source));
	x->collection = arena_str(to->mem, slice_of(x->collection));
	x->request = arena_str(to->mem, slice_of(x->request));
	to->st.errand = x;
}

void
mem_status_add(struct mem *m, const struct store_status *st)
{
	bool new = st->step == STATUS_WHOLE || st->step == STATUS_OPEN;
	struct mem_status *to;

	if (st->step == STATUS_DRAFT)
		return;
	to = new ? make(m, st) : find(m, st->id);
	add_entries(to, st);
	if (new)
		to->st.total = st->total;
	if (st->step == STATUS_OPEN)
		open_errand(to, st);
	if (st->step == STATUS_OPEN || st->step == STATUS_PART)
		return;
	to->st.pending = false;
	to->st.failed = to->st.total - to->st.succeeded;
	to->rest = st->rest == NULL ? NULL : arena_str(to->mem, slice_of(st->rest));
	to->done_us = clock_wall_us();
}

int
mem_status_get(struct store *s, const char *id, struct arena *mem, struct store_status *out,
    bool *found, struct err *e)
{
	const struct mem_status *have = find(mem_of(s), id);

	(void)e;
	if (have == NULL)
		return 0;
	*found = true;
	*out = have->st;
	out->errand = NULL;
	if (out->pending) {
		out->entries = NULL;
		out->n = 0;
	} else {
		store_status_add_rest(out, have->rest, mem);
	}
	return 0;
}

int
mem_pending(struct store *s, struct arena *mem, struct store_status **v, size_t *n, struct err *e)
{
	const struct mem *m = mem_of(s);
	size_t cap = 0;

	(void)e;
	for (size_t i = 0; i < m->nstatuses; i++) {
		if (!m->statuses[i].st.pending)
			continue;
		*v = arena_grow(mem, *v, *n, &cap, sizeof(**v));
		(*v)[*n] = m->statuses[i].st;
		(*v)[*n].entries = NULL;
		(*v)[(*n)++].n = 0;
	}
	return 0;
}

int
mem_status_expire(struct store *s, int64_t before_us, size_t *n, struct err *e)
{
	struct mem *m = mem_of(s);
	size_t kept = 0;

	(void)e;
	for (size_t i = 0; i < m->nstatuses; i++) {
		if (m->statuses[i].st.pending || m->statuses[i].done_us >= before_us)
			m->statuses[kept++] = m->statuses[i];
		else
			arena_free(m->statuses[i].mem);
	}
	*n = m->nstatuses - kept;
	m->nstatuses = kept;
	return 0;
}

void
mem_statuses_free(struct mem *m)
{
	for (size_t i = 0; i < m->nstatuses; i++)
		arena_free(m->statuses[i].mem);
}

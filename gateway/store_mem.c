#include "gateway/store_mem.h"

#include "gateway/base/clock.h"

const char *
mem_str(struct mem *m, const char *s)
{
	return s == NULL ? "" : arena_str(m->arena, slice_of(s));
}

static struct mem_source *
source_of(const struct mem *m, int64_t vid, const char *name)
{
	for (size_t i = 0; i < m->nsources; i++)
		if (m->sources[i].vid == vid && strcmp(m->sources[i].name, name) == 0)
			return &m->sources[i];
	return NULL;
}

bool
mem_is_source(const struct mem *m, int64_t vid, const char *name)
{
	return source_of(m, vid, name) != NULL;
}

bool
mem_linked(const struct mem_version *a, const struct mem_version *b)
{
	return a->obj != b->obj && a->row.fp.n > 0 && slice_eq(a->row.fp, b->row.fp);
}

bool
mem_covers(const struct mem_version *have, const struct mem_version *want)
{
	const struct copy_facts h = { have->row.facts.tlp, have->row.facts.pap,
	    have->row.facts.flags, have->valid_until };
	const struct copy_facts w = { want->row.facts.tlp, want->row.facts.pap,
	    want->row.facts.flags, want->valid_until };

	return mem_linked(have, want) && store_covers(&h, &w);
}

/* ---- one transaction ---- */

struct mem_putting {
	struct mem		*m;
	struct store_txn	*t;
	uint64_t		 message;
};

static void
add_source(struct mem_putting *w, int64_t vid)
{
	const struct store_source *src = &w->t->source;
	struct mem *m = w->m;

	m->sources = arena_grow(m->arena, m->sources, m->nsources, &m->sources_cap,
	    sizeof(*m->sources));
	m->sources[m->nsources++] = (struct mem_source){
		.vid = vid, .name = mem_str(m, src->name), .advisory = mem_str(m, src->advisory),
		.hops = mem_str(m, src->hops), .origin = src->origin,
		.audience = arena_slice(m->arena, slice_of(src->audience)),
		.first_us = src->received_us, .last_us = src->received_us, .count = 1,
	};
}

/* A copy of an object with its facts; the fields of struct object that nobody asks are left. */
static int64_t
add_version(struct mem_putting *w, const struct store_put *p, int64_t obj, int64_t date_us)
{
	struct mem *m = w->m;
	const struct object *o = p->object;
	struct mem_version *v;
	struct store_row *r;

	m->versions = arena_grow(m->arena, m->versions, m->nversions, &m->versions_cap,
	    sizeof(*m->versions));
	v = &m->versions[m->nversions++];
	*v = (struct mem_version){ .obj = obj != 0 ? obj : (int64_t)m->nversions,
	    .first_us = date_us, .shown = arena_slice(m->arena, o->version),
	    .valid_until = arena_slice(m->arena, o->valid_until_key),
	    .warnings = mem_str(m, p->warnings),
	    .supporters = arena_slice(m->arena, p->supporters) };
	memcpy(v->content, p->content, sizeof(v->content));
	r = &v->row;
	r->vid = (int64_t)m->nversions;
	r->id = arena_slice(m->arena, o->id);
	r->type = arena_slice(m->arena, o->type);
	r->spec_version = arena_slice(m->arena, o->spec_version);
	r->version = store_shown(v->shown, date_us, m->arena);
	r->version_key = arena_slice(m->arena, o->version_key);
	r->bytes = arena_slice(m->arena, o->bytes);
	r->fp = o->has_fp ? arena_slice(m->arena, slice_from(o->fp, FINGERPRINT_LEN)) :
	    SLICE_EMPTY;
	r->facts = (struct policy_facts){ .tlp = p->tlp, .tlp_by_default = p->tlp_by_default,
	    .pap = p->pap, .embargo_desk = p->embargo_desk.n == 0 ? SLICE_EMPTY :
	    arena_slice(m->arena, p->embargo_desk),
	    .origin = w->t->source.origin, .kind = r->type, .sectors = o->sectors,
	    .phase = o->phase, .flags = o->flags,
	    .created_by = arena_slice(m->arena, o->created_by),
	    .audience = w->t->source.origin == ORIGIN_OWN ? SLICE_EMPTY :
	    arena_slice(m->arena, slice_of(w->t->source.audience)) };
	return r->vid;
}

static void
queue_for_peers(struct mem_putting *w, struct store_put *p, int64_t vid, bool new_id)
{
	struct mem *m = w->m;
	const struct store_source *src = &w->t->source;
	int64_t now_us = clock_wall_us();

	for (size_t i = 0; i < p->npeers; i++) {
		bool covered = new_id && mem_peer_covered(m, mem_version(m, vid), p->peers[i]);

		if (strcmp(p->peers[i], src->name) == 0)
			continue;
		m->deliveries = arena_grow(m->arena, m->deliveries, m->ndeliveries,
		    &m->deliveries_cap, sizeof(*m->deliveries));
		m->deliveries[m->ndeliveries++] = (struct mem_delivery){
			.peer = mem_str(m, p->peers[i]), .vid = vid, .message = w->message,
			.advisory = mem_str(m, src->advisory), .hops = mem_str(m, src->hops),
			.source = mem_str(m, src->name), .request = mem_str(m, src->request),
			.reason = "", .lane = p->lane,
			.state = covered ? MEM_COVERED : MEM_QUEUED, .due_us = now_us,
			.queued_us = now_us, .at_us = now_us,
		};
		p->queued += !covered;
	}
}

static int64_t
put_new(struct mem_putting *w, size_t i, int64_t obj)
{
	struct mem *m = w->m;
	struct store_put *p = &w->t->puts[i];
	int64_t date_us = store_next_date(&m->store), vid = add_version(w, p, obj, date_us);

	p->outcome = STORE_NEW;
	p->shown_us = date_us;
	for (size_t k = 0; k < m->nversions; k++)
		p->linked = p->linked || mem_linked(&m->versions[k], mem_version(m, vid));
	m->sightings += p->linked;
	add_source(w, vid);
	for (size_t k = 0; k < p->ncollections; k++)
		mem_join_one(m, p->collections[k], vid, &date_us);
	queue_for_peers(w, p, vid, obj == 0);
	return vid;
}

static void
put_known(struct mem_putting *w, size_t i, struct mem_version *v)
{
	struct mem *m = w->m;
	struct store_put *p = &w->t->puts[i];
	const struct store_source *src = &w->t->source;
	struct mem_source *known = source_of(m, v->row.vid, src->name);
	struct mem_delivery *d = mem_delivery_of(m, src->name, v->row.vid);
	struct slice audience = arena_slice(m->arena, slice_of(src->audience));
	int64_t date_us = 0, shown = v->first_us;

	p->outcome = STORE_KNOWN;
	m->sightings++;
	store_merge_origin(&v->row.facts.origin, &v->row.facts.audience, src->origin, audience);
	store_merge_label(&v->row.facts.tlp, &v->row.facts.tlp_by_default, p);
	if (known == NULL) {
		add_source(w, v->row.vid);
	} else {
		store_merge_origin(&known->origin, &known->audience, src->origin, audience);
		known->count++;
		if (src->received_us > known->last_us)
			known->last_us = src->received_us;
	}
	if (d != NULL && d->state != MEM_SENT && d->state != MEM_DENIED)
		d->state = MEM_GONE;
	for (size_t k = 0; k < p->ncollections; k++)
		mem_join_one(m, p->collections[k], v->row.vid, &date_us);
	if (p->ncollections > 0)
		mem_is_member(m, p->collections[0], v->row.vid, &shown);
	p->shown_us = shown;
}

/* Return the version of the put, 0 for a conflict. */
static int64_t
put(struct mem_putting *w, size_t i)
{
	struct mem *m = w->m;
	struct store_put *p = &w->t->puts[i];
	struct mem_version *found = NULL;
	struct store_quarantine row;
	int64_t obj = 0;

	p->linked = false;
	p->queued = 0;
	for (size_t k = 0; k < m->nversions && found == NULL; k++) {
		struct mem_version *v = &m->versions[k];

		if (!slice_eq(v->row.id, p->object->id))
			continue;
		obj = v->obj;
		if (slice_eq(v->row.version_key, p->object->version_key))
			found = v;
	}
	if (found == NULL)
		return put_new(w, i, obj);
	if (memcmp(found->content, p->content, sizeof(found->content)) == 0 ||
	    store_same_content(p, found->row.bytes)) {
		put_known(w, i, found);
		return found->row.vid;
	}
	p->outcome = STORE_CONFLICT;
	p->shown_us = found->first_us;
	row = store_conflict_row(w->t, p);
	mem_quarantine_add(m, &row);
	return 0;
}

static int
check(const struct mem *m, const struct store_put *p, struct err *e)
{
	return mem_check(m, p->collections, p->ncollections, e) < 0 ||
	    mem_check(m, p->views, p->nviews, e) < 0 ||
	    mem_check(m, p->follow, p->nfollow, e) < 0 ||
	    mem_check(m, p->distinct, p->ndistinct, e) < 0 ? -1 : 0;
}

int
mem_put_txn(struct store *s, struct store_txn *t, struct arena *mem, struct err *e)
{
	struct mem *m = mem_of(s);
	struct mem_putting w = { .m = m, .t = t, .message = ++m->messages };
	int64_t *vids;

	for (size_t i = 0; i < t->nputs; i++)
		if (check(m, &t->puts[i], e) < 0)
			return -1;
	if (t->status != NULL && mem_status_check(m, t->status, e) < 0)
		return -1;
	vids = arena_alloc(mem, (t->nputs + 1) * sizeof(*vids));
	for (size_t i = 0; i < t->nputs; i++)
		vids[i] = put(&w, i);
	mem_put_views(m, t, vids);
	for (size_t i = 0; i < t->nquarantine; i++)
		mem_quarantine_add(m, &t->quarantine[i]);
	store_fill_status(t, mem);
	if (t->status != NULL)
		mem_status_add(m, t->status);
	for (size_t i = 0; i < t->naudit; i++)
		mem_add_audit(s, &t->audit[i],
		    t->audit[i].counts ? store_count_members(t, mem) : "", e);
	return 0;
}

/* Deliveries of the memory backend. */
#include "gateway/base/clock.h"
#include "gateway/store_mem.h"

const char *
mem_state_word(enum mem_state state)
{
	static const char *const words[] = { "queued", "queued", "held", "sent", "denied", "dead",
	    "covered", "" };

	return words[state];
}

struct mem_delivery *
mem_delivery_of(struct mem *m, const char *peer, int64_t vid)
{
	for (size_t i = 0; i < m->ndeliveries; i++) {
		struct mem_delivery *d = &m->deliveries[i];

		if (d->vid == vid && d->state != MEM_GONE && strcmp(d->peer, peer) == 0)
			return d;
	}
	return NULL;
}

bool
mem_peer_covered(struct mem *m, const struct mem_version *v, const char *peer)
{
	for (size_t i = 0; i < m->nversions; i++) {
		const struct mem_version *have = &m->versions[i];
		const struct mem_delivery *d;

		if (!mem_covers(have, v))
			continue;
		if (mem_is_source(m, have->row.vid, peer))
			return true;
		d = mem_delivery_of(m, peer, have->row.vid);
		if (d != NULL && (d->state == MEM_QUEUED || d->state == MEM_WAITS ||
		    d->state == MEM_SENT))
			return true;
	}
	return false;
}

/* May it go out now? */
static bool
is_free(const struct mem_delivery *d, const char *peer, int64_t now_us)
{
	return d->state == MEM_QUEUED && d->leased_until_us <= now_us &&
	    strcmp(d->peer, peer) == 0;
}

static void
promote(struct mem *m, const char *peer, int64_t now_us)
{
	for (size_t i = 0; i < m->ndeliveries; i++) {
		struct mem_delivery *d = &m->deliveries[i];

		if ((d->state == MEM_WAITS || d->state == MEM_HELD) && d->due_us <= now_us &&
		    strcmp(d->peer, peer) == 0) {
			d->state = MEM_QUEUED;
			d->due_us = now_us;
		}
	}
}

/* The next free delivery in order of lane and number behind (lane, at); NULL at the end. */
static struct mem_delivery *
next_free(struct mem *m, const char *peer, int64_t now_us, int *lane, size_t *at)
{
	for (; *lane <= 1; (*lane)++, *at = 0)
		for (; *at < m->ndeliveries; (*at)++)
			if (m->deliveries[*at].lane == *lane &&
			    is_free(&m->deliveries[*at], peer, now_us))
				return &m->deliveries[(*at)++];
	return NULL;
}

int
mem_outbox_lease(struct store *s, const struct ask *a, struct arena *mem,
    struct outbox_item **items, size_t *n, struct err *e)
{
	struct mem *m = mem_of(s);
	struct mem_delivery *d;
	size_t at = 0, cap = 0, bytes = 0;
	uint64_t message = 0;
	int lane = 0;

	(void)e;
	*n = 0;
	promote(m, a->name, a->now_us);
	while ((*n == 0 || *n < a->max_rows) &&
	    (d = next_free(m, a->name, a->now_us, &lane, &at)) != NULL) {
		const struct store_row *row = &mem_version(m, d->vid)->row;

		bytes += row->bytes.n;
		if (*n > 0 && (d->message != message ||
		    (a->max_bytes > 0 && bytes > a->max_bytes)))
			break;
		message = d->message;
		d->leased_until_us = a->now_us + a->lease_us;
		d->owner = store_owner(a->owner);
		*items = arena_grow(mem, *items, *n, &cap, sizeof(**items));
		(*items)[(*n)++] = (struct outbox_item){ .oid = d - m->deliveries + 1,
		    .row = *row, .advisory = d->advisory, .hops = d->hops, .source = d->source,
		    .request = d->request, .attempts = d->attempts, .queued_us = d->queued_us };
	}
	return 0;
}

void
mem_lease_end_all(struct store *s, const char *owner)
{
	struct mem *m = mem_of(s);

	for (size_t i = 0; i < m->ndeliveries; i++)
		if (owner == NULL || m->deliveries[i].owner == store_owner(owner))
			m->deliveries[i].leased_until_us = 0;
}

int64_t
mem_outbox_due_us(struct store *s, const char *peer)
{
	struct mem *m = mem_of(s);
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < m->ndeliveries; i++) {
		const struct mem_delivery *d = &m->deliveries[i];
		int64_t at = d->state == MEM_QUEUED ? d->leased_until_us : d->due_us;

		if (d->state <= MEM_HELD && at < due && strcmp(d->peer, peer) == 0)
			due = at;
	}
	return due;
}

/* What this delivery covered is queued if nothing else covers it. */
static void
uncover(struct mem *m, const struct mem_delivery *done, int64_t now_us)
{
	for (size_t i = 0; i < m->ndeliveries; i++) {
		struct mem_delivery *d = &m->deliveries[i];
		const struct mem_version *v = mem_version(m, d->vid);

		if (d->state != MEM_COVERED || strcmp(d->peer, done->peer) != 0 ||
		    !mem_linked(v, mem_version(m, done->vid)) ||
		    mem_peer_covered(m, v, d->peer))
			continue;
		d->state = MEM_QUEUED;
		d->due_us = now_us;
	}
}

static void
update_one(struct mem *m, const struct outbox_update *u, int64_t now_us)
{
	static const enum mem_state after[] = {
		[OUTBOX_SENT] = MEM_SENT, [OUTBOX_RETRY] = MEM_WAITS, [OUTBOX_DENIED] = MEM_DENIED,
		[OUTBOX_HELD] = MEM_HELD, [OUTBOX_DEAD] = MEM_DEAD,
	};
	struct mem_delivery *d;

	if (u->oid < 1 || (size_t)u->oid > m->ndeliveries)
		return;
	d = &m->deliveries[u->oid - 1];
	d->leased_until_us = 0;
	if (d->state == MEM_SENT || d->state == MEM_COVERED || d->state == MEM_GONE)
		return;
	d->state = after[u->result];
	d->attempts += u->result != OUTBOX_HELD && u->result != OUTBOX_DENIED;
	d->due_us = u->due_us;
	d->at_us = now_us;
	d->reason = mem_str(m, u->reason);
	if (d->state == MEM_HELD || d->state == MEM_DENIED || d->state == MEM_DEAD)
		uncover(m, d, now_us);
}

int
mem_outbox_update(struct store *s, const struct outbox_update *u, size_t n, struct arena *mem,
    struct err *e)
{
	(void)mem;
	(void)e;
	for (size_t i = 0; i < n; i++)
		update_one(mem_of(s), &u[i], clock_wall_us());
	return 0;
}

int
mem_outbox_requeue(struct store *s, const char *peer, bool denied, size_t *n, struct err *e)
{
	struct mem *m = mem_of(s);

	(void)e;
	*n = 0;
	for (size_t i = 0; i < m->ndeliveries; i++) {
		struct mem_delivery *d = &m->deliveries[i];

		if ((d->state != MEM_WAITS && d->state != MEM_HELD && d->state != MEM_DEAD &&
		    !(denied && d->state == MEM_DENIED)) ||
		    (peer != NULL && strcmp(d->peer, peer) != 0))
			continue;
		d->state = MEM_QUEUED;
		d->attempts = 0;
		d->due_us = d->queued_us = clock_wall_us();
		d->reason = "";
		(*n)++;
	}
	return 0;
}

int
mem_outbox_counts(struct store *s, const char *peer, struct outbox_counts *out, struct err *e)
{
	struct mem *m = mem_of(s);

	(void)e;
	for (size_t i = 0; i < m->ndeliveries; i++) {
		const struct mem_delivery *d = &m->deliveries[i];

		if (peer != NULL && strcmp(d->peer, peer) != 0)
			continue;
		out->queued += d->state == MEM_QUEUED || d->state == MEM_WAITS;
		out->held += d->state == MEM_HELD;
		out->dead += d->state == MEM_DEAD;
		out->sent += d->state == MEM_SENT;
		out->denied += d->state == MEM_DENIED;
		if (d->state <= MEM_HELD && (out->oldest_us == 0 || d->queued_us < out->oldest_us))
			out->oldest_us = d->queued_us;
	}
	return 0;
}

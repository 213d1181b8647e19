/*
 * store_mem.h -- the memory backend among its own files: plain arrays and plain loops.
 *
 *	store_mem.c         put, members, pages, objects
 *	store_mem_join.c    what joins which collection, and removal
 *	store_mem_outbox.c  deliveries
 *	store_mem_desk.c    collections, quarantine, audit, figures, open and close
 *	store_mem_status.c  statuses, complete and pending
 *	store_mem_note.c    small facts of other modules
 *
 * Owns:    everything, in one arena that grows until the store is closed; notes, which change often, on
 *          the heap.
 * Called:  for `store memory`, and in tests as the judge of the SQLite backend: what that one does with
 *          classes and ranges, this one does by looking at everything.
 * Never:   fails half-way: a job is checked before it changes anything.
 */
#ifndef GATEWAY_STORE_MEM_H
#define GATEWAY_STORE_MEM_H

#include "gateway/store_impl.h"

struct mem_version {
	int64_t			obj;		/* vid of the first version of this id */
	struct store_row	row;		/* with bytes; vid is the place in the array + 1 */
	struct slice		shown;		/* empty: the date */
	struct slice		valid_until;
	uint8_t			content[32];
	const char		*warnings;
	int64_t			first_us;
	struct slice		supporters;
};

/* A supporting object that a view waits for. */
struct mem_wanted {
	struct slice	id;
	int64_t		cid;
};

struct mem_member {
	int64_t		cid, vid, date_us;
};

struct mem_source {
	int64_t		vid;
	const char	*name, *advisory, *hops;
	enum origin	origin;
	struct slice	audience;
	int64_t		first_us, last_us;
	uint32_t	count;
};

enum mem_state { MEM_QUEUED, MEM_WAITS, MEM_HELD, MEM_SENT, MEM_DENIED, MEM_DEAD, MEM_COVERED,
	MEM_GONE };

struct mem_delivery {
	const char	*peer;
	int64_t		vid;
	uint64_t	message;
	const char	*advisory, *hops, *source, *request, *reason;
	int		lane;
	enum mem_state	state;
	uint32_t	attempts;
	int64_t		due_us, queued_us, at_us, leased_until_us;
	uint64_t	owner;		/* of the lease */
};

struct mem_collection {
	const char	*name;
	char		uuid[37];
	uint8_t		digest[32];
};

struct mem_note {
	char		*space, *name, *text;
};

struct mem_status {
	struct store_status	 st;
	struct arena		*mem;		/* of its own: parts come, and it is forgotten one day */
	size_t			 cap;
	int64_t			 done_us;
	const char		*rest;
};

struct mem {
	struct store		 store;		/* first */
	struct arena		*arena;
	struct mem_version	*versions;
	struct mem_member	*members;
	struct mem_source	*sources;
	struct mem_delivery	*deliveries;
	struct mem_collection	*collections;
	struct quarantine_row	*quarantine;	/* qid 0: dropped */
	struct mem_status	*statuses;
	struct slice		*audit;
	struct mem_wanted	*wanted;
	size_t			 nwanted, wanted_cap;
	struct mem_note		*notes;		/* by space, then name */
	size_t			 nnotes, notes_cap;
	size_t			 nversions, nmembers, nsources, ndeliveries, ncollections;
	size_t			 nquarantine, nstatuses, naudit;
	size_t			 versions_cap, members_cap, sources_cap, deliveries_cap;
	size_t			 collections_cap, quarantine_cap, statuses_cap, audit_cap;
	uint64_t		 messages, sightings;
	int64_t			 last_qid;
};

static inline struct mem *
mem_of(struct store *s)
{
	return (struct mem *)s;
}

static inline struct mem_version *
mem_version(struct mem *m, int64_t vid)
{
	return &m->versions[vid - 1];
}

const char *mem_str(struct mem *m, const char *s);	/* NULL reads "" */
bool	mem_is_source(const struct mem *m, int64_t vid, const char *name);
bool	mem_linked(const struct mem_version *a, const struct mem_version *b);
bool	mem_covers(const struct mem_version *have, const struct mem_version *want);

/* store_mem.c */
int	mem_put_txn(struct store *s, struct store_txn *t, struct arena *mem, struct err *e);
int	mem_removable(struct store *s, const struct page_query *q, struct arena *mem,
	    int64_t **vids, size_t *n, struct err *e);
int	mem_take_out(struct store *s, int64_t cid, const int64_t *vids, size_t n, struct arena *mem,
	    size_t *gone, struct err *e);
int	mem_join(struct store *s, int64_t cid, bool distinct, struct slice supporters,
	    const int64_t *join, size_t njoin,
	    const int64_t *leave, size_t nleave, struct arena *mem, struct err *e);
/* store_mem_join.c */
int	mem_check(const struct mem *m, const int64_t *cids, size_t n, struct err *e);
bool	mem_is_member(const struct mem *m, int64_t cid, int64_t vid, int64_t *date_us);
/* The date is taken where none is given yet, and shared by all that is joined with it. */
void	mem_join_one(struct mem *m, int64_t cid, int64_t vid, int64_t *date_us);
/* Views, for all puts of a transaction; vids parallel to them, 0: a conflict. */
void	mem_put_views(struct mem *m, const struct store_txn *t, const int64_t *vids);
/* store_mem_page.c */
/* Versions of one id in a collection. */
struct version_choice *mem_group(struct mem *m, int64_t cid, int64_t obj, struct arena *mem,
	    size_t *n);
int	mem_page(struct store *s, struct page_walk *w, struct err *e);
int	mem_object(struct store *s, struct slice id, struct arena *mem, struct store_object *out,
	    bool *found, struct err *e);
int	mem_scan(struct store *s, int64_t after_vid, size_t max, struct arena *mem,
	    struct store_page *out, struct err *e);
/* store_mem_outbox.c */
struct mem_delivery *mem_delivery_of(struct mem *m, const char *peer, int64_t vid);
bool	mem_peer_covered(struct mem *m, const struct mem_version *v, const char *peer);
const char *mem_state_word(enum mem_state state);
int	mem_outbox_update(struct store *s, const struct outbox_update *u, size_t n,
	    struct arena *mem, struct err *e);
int	mem_outbox_requeue(struct store *s, const char *peer, bool denied, size_t *n,
	    struct err *e);
int	mem_outbox_lease(struct store *s, const struct ask *a, struct arena *mem,
	    struct outbox_item **items, size_t *n, struct err *e);
void	mem_lease_end_all(struct store *s, const char *owner);
int64_t	mem_outbox_due_us(struct store *s, const char *peer);
int	mem_outbox_counts(struct store *s, const char *peer, struct outbox_counts *out,
	    struct err *e);
/* store_mem_desk.c */
void	mem_quarantine_add(struct mem *m, const struct store_quarantine *x);
int	mem_add_audit(struct store *s, const struct store_audit *a, const char *extra,
	    struct err *e);
/* store_mem_status.c */
int	mem_status_check(const struct mem *m, const struct store_status *st, struct err *e);
void	mem_status_add(struct mem *m, const struct store_status *st);
int	mem_status_get(struct store *s, const char *id, struct arena *mem, struct store_status *out,
	    bool *found, struct err *e);
int	mem_status_expire(struct store *s, int64_t before_us, size_t *n, struct err *e);
int	mem_pending(struct store *s, struct arena *mem, struct store_status **v, size_t *n,
	    struct err *e);
void	mem_statuses_free(struct mem *m);
/* store_mem_note.c */
int	mem_note_set(struct store *s, const char *space, const char *name, const char *text,
	    struct err *e);
int	mem_notes(struct store *s, const char *space, const char *name, struct arena *mem,
	    struct store_note **v, size_t *n, struct err *e);
void	mem_notes_free(struct mem *m);

#endif

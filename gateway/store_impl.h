/*
 * store_impl.h -- what store.c shares with the places where writes go, and with the backends.
 *
 *	store.c        the contract: a write becomes a struct job, a read goes to the backend
 *	store_road     where jobs go: into the queue of this process (store_queue.c), or to the storekeeper
 *	               (store_remote.c)
 *	store_jobs.c   a job at work on a backend
 *	store_queue.c  groups: many jobs, one transaction, one sync
 *	store_walk.c   pages in turns of the loop
 *	store_rules.c  rules that every backend obeys alike: dates, covering, choice of versions, audit
 *
 * Owns:    the queue of writes, the last date given, the head of the audit chain.
 * Called:  by the files above and the backends only.
 * Never:   knows how a backend keeps things. A backend is synchronous: it runs one job at a time inside
 *          a transaction that the queue begins, commits or rolls back.
 */
#ifndef GATEWAY_STORE_IMPL_H
#define GATEWAY_STORE_IMPL_H

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/store_ask.h"

/* A question on its way to be done, and whom to tell. It lives in its own arena. */
struct job {
	struct ask	 ask;
	/* one of these, or none */
	store_done_cb	*done;
	store_count_cb	*counted;
	outbox_lease_cb	*leased;
	void		*arg;
	struct arena	*mem;		/* of the job: freed after it was told */
	struct arena	*scratch;	/* of one run: a run may have to be repeated */
	struct job	*next;
	bool		 failed;
	struct err	 err;
	/* on the road to the storekeeper */
	uint64_t	 id;
	size_t		 bytes;
	unsigned	 tries;
	int64_t		 until_us;	/* monotonic: fails unless it was sent by then */
};

/* Where jobs go. */
struct store_road {
	/* Do it; the job is told and freed, now or later. */
	void	(*submit)(struct store *s, struct job *j);
	/* Wait until `j` is told (*answered), for at most the road's own patience: for the few
	 * synchronous calls. */
	void	(*wait)(struct store *s, struct job *j, const bool *answered);
	/* What the road knows of the figures. */
	void	(*figures)(struct store *s, struct store_figures *out);
	void	(*close)(struct store *s);
};

/* A page being made. A reader who may have little of a large collection would keep everybody waiting: after
 * `vain_max` rows looked at in vain a backend may stop with `unfinished`, and is called again later. */
struct page_walk {
	struct page_query	 q;
	struct arena		*mem;
	int64_t			 from_us;	/* rows behind this date */
	struct store_row	*rows;
	size_t			 cap, bytes;
	size_t			 vain, vain_max;	/* 0: no limit */
	struct store_page	 page;
	bool			 unfinished;
	/* store.c's */
	struct store		*store;
	struct event		*timer;
	store_page_cb		*cb;
	void			*arg;
	struct page_walk	*next;
};

/* What lies in a space of notes. */
struct store_note {
	const char	*name, *text;
};

/* A backend. Functions that may fail return -1 with *e: ERR_STORE means that the store itself is in
 * trouble (the whole group fails), any other code that this one job cannot be done. */
struct store_ops {
	bool	 failed_leaves_no_trace;	/* a job that fails needs no rollback */
	void	(*close)(struct store *s);
	/* a group: what `rollback` undoes includes s->last_us and the audit head */
	int	(*begin)(struct store *s, struct err *e);
	int	(*commit)(struct store *s, struct err *e);
	void	(*rollback)(struct store *s);
	/* writes, inside a group */
	int	(*put_txn)(struct store *s, struct store_txn *t, struct arena *mem, struct err *e);
	int	(*add_audit)(struct store *s, const struct store_audit *a, const char *extra,
		    struct err *e);
	/* versions of one object; *gone counts those that were members */
	int	(*take_out)(struct store *s, int64_t cid, const int64_t *vids, size_t n,
		    struct arena *mem, size_t *gone, struct err *e);
	int	(*join)(struct store *s, int64_t cid, bool distinct, struct slice supporters,
		    const int64_t *join,
		    size_t njoin, const int64_t *leave, size_t nleave, struct arena *mem, struct err *e);
	int	(*outbox_update)(struct store *s, const struct outbox_update *u, size_t n,
		    struct arena *mem, struct err *e);
	int	(*outbox_requeue)(struct store *s, const char *peer, bool denied, size_t *n,
		    struct err *e);
	int	(*quarantine_set)(struct store *s, int64_t qid, const char *state, struct err *e);
	int	(*quarantine_trim)(struct store *s, size_t max_rows, uint64_t max_bytes, size_t *n,
		    struct err *e);
	int	(*status_expire)(struct store *s, int64_t before_us, size_t *n, struct err *e);
	/* text NULL: forget */
	int	(*note_set)(struct store *s, const char *space, const char *name, const char *text,
		    struct err *e);
	/* at once, between groups */
	int64_t	(*collection_add)(struct store *s, const char *name, const char *uuid,
		    struct err *e);
	int	(*view_set_digest)(struct store *s, int64_t cid, const uint8_t digest[32],
		    struct err *e);
	int	(*outbox_lease)(struct store *s, const struct ask *a, struct arena *mem,
		    struct outbox_item **items, size_t *n, struct err *e);
	/* leases: known where they are given, and (as far as they are its own) in a worker */
	void	(*lease_note)(struct store *s, const char *peer, int64_t oid, int64_t until_us);
	void	(*lease_end)(struct store *s, int64_t oid);
	void	(*lease_end_all)(struct store *s, const char *owner);	/* NULL: of everybody */
	/* reads */
	int64_t	(*collection_find)(struct store *s, const char *name, char *uuid_out,
		    struct err *e);	/* 0: unknown */
	int	(*view_digest)(struct store *s, int64_t cid, uint8_t out[32], struct err *e);
	int	(*removable)(struct store *s, const struct page_query *q, struct arena *mem,
		    int64_t **vids, size_t *n, struct err *e);
	int	(*page)(struct store *s, struct page_walk *w, struct err *e);
	bool	(*epoch)(struct store *s, struct store_epoch *out);	/* NULL: cannot tell */
	int	(*object)(struct store *s, struct slice id, struct arena *mem,
		    struct store_object *out, bool *found, struct err *e);
	int	(*scan)(struct store *s, int64_t after_vid, size_t max, struct arena *mem,
		    struct store_page *out, struct err *e);
	int64_t	(*outbox_due_us)(struct store *s, const char *peer);
	int	(*outbox_counts)(struct store *s, const char *peer, struct outbox_counts *out,
		    struct err *e);
	/* qid 0: a list after `after_qid`; else that row, with bytes */
	int	(*quarantine_rows)(struct store *s, int64_t qid, int64_t after_qid, size_t max,
		    bool all_states, struct arena *mem, struct quarantine_row **rows, size_t *n,
		    struct err *e);
	int	(*status_get)(struct store *s, const char *id, struct arena *mem,
		    struct store_status *out, bool *found, struct err *e);
	int	(*pending)(struct store *s, struct arena *mem, struct store_status **v, size_t *n,
		    struct err *e);	/* in any order */
	int	(*audit_each)(struct store *s, uint64_t after_seq, store_audit_fn *fn, void *ctx,
		    struct err *e);
	/* name NULL: all of the space, by name; else that one, if there is one */
	int	(*notes)(struct store *s, const char *space, const char *name, struct arena *mem,
		    struct store_note **v, size_t *n, struct err *e);
	int	(*figures)(struct store *s, struct store_figures *out, struct err *e);
};

/* The head of every backend's struct. */
struct store {
	const struct store_ops	*ops;
	const struct store_road	*road;
	void			*remote;	/* store_remote.c's */
	char			 id[37];	/* UUID of this store */
	/* the queue */
	struct event_base	*base;
	struct event		*timer;
	size_t			 group_max;
	struct job		*head, **tail;
	size_t			 queued;
	struct page_walk	*walks;		/* that wait for their next turn */
	bool			 urgent;	/* something in the queue does not wait for company */
	struct store_figures	 done;		/* commits, syncs, their sizes and times */
	struct stats		*stats;		/* or NULL */
	/* trouble: a group that was not kept, a page of the file that cannot be read */
	uint64_t		 failures, damages;
	char			 trouble[STORE_TROUBLE];	/* empty while writing works */
	/* dates and audit; kept durable by the backend */
	int64_t			 last_us;	/* last date given */
	bool			 dated;		/* this group has started its millisecond */
	uint8_t			 audit_key[32];
	struct hmac		*audit_hmac;	/* made of it at the first record */
	uint64_t		 audit_seq;
	char			 audit_prev[AUDIT_MAC_TEXT + 1];
};

/* store_jobs.c */
struct job *job_new(enum ask_kind kind);
/* Tell whoever asked, and free the job. */
void	 job_end(struct job *j, const struct err *e);
/* True if it is done at once and in no group. */
bool	 job_is_immediate(const struct job *j);
/* Do it; a job of a group inside of one. */
int	 job_run(struct store *s, struct job *j, struct err *e);

/* store_queue.c: the road of a store that is its own keeper */
extern const struct store_road store_road_local;
int	 queue_init(struct store *s, const struct store_conf *conf, struct err *e);
void	 queue_fini(struct store *s);
/* Commit everything that waits, now. */
void	 queue_flush(struct store *s);

/* store_walk.c: pages in turns */
void	 walk_page(struct store *s, const struct page_query *q, store_page_cb *cb, void *arg);
/* Tell those who still wait that the store is closing. */
void	 walk_cancel_all(struct store *s);
/* Rows of that date, and all later ones, lie behind what is asked for. */
bool	 walk_is_past(const struct page_walk *w, int64_t date_us);
/* Take one admitted row (to be copied by `keep`), or find that the page is full. */
bool	 walk_is_full(const struct page_walk *w, const struct store_row *row);
/* A place for a row that is to be kept. */
struct store_row *walk_add(struct page_walk *w, const struct store_row *row);
/* True if the row was handed over and is not to be kept. */
bool	 walk_give(struct page_walk *w, const struct store_row *row);

/* store_rules.c */
/* The next date: the first of a group lies on a fresh millisecond. */
int64_t	 store_next_date(struct store *s);
/* Seal the next record of the chain into *line and move the head on. */
void	 store_seal(struct store *s, struct strbuf *line, const char *members, const char *extra);

/* Do these bytes, stored under the id and version of `p`, say what `p` says? */
bool	 store_same_content(const struct store_put *p, struct slice have);

/* The effective label of a version that is put again, strictest first: what one source says by default
 * can be stricter than what another did. */
void	 store_merge_label(enum tlp *tlp, bool *by_default, const struct store_put *again);

/* What covering looks at. */
struct copy_facts {
	enum tlp	tlp;
	enum pap	pap;
	uint32_t	flags;
	struct slice	valid_until;	/* instant key; empty = no end */
};
/* True if `have` says as much as `want`, to nobody fewer (rulings 1); same fingerprint given. */
bool	 store_covers(const struct copy_facts *have, const struct copy_facts *want);

/* Who holds a lease, as a number. */
uint64_t store_owner(const char *owner);

/* Versions of one id in one collection. */
struct version_choice {
	int64_t		vid, date_us;
	struct slice	spec, version_key;
	int		class;		/* SQLite backend: how it stands, see there */
	int64_t		over_us;
	bool		left;		/* passes added_after and specification version */
	bool		chosen;
};
/* For qsort: struct version_choice by date. */
int	 store_by_date(const void *a, const void *b);
/* Mark what the query chooses among all n versions (taxii.md 9 steps 1 and 2). */
void	 store_choose(const struct page_query *q, struct version_choice *v, size_t n);
/* The same for a removal: no keyword means all, of every specification version. Counts the chosen. */
size_t	 store_choose_removed(const struct page_query *q, struct version_choice *v, size_t n);
/* True if match[version] alone could mean this version. */
bool	 store_keyword_hits(const struct page_query *q, struct slice version_key);
bool	 store_query_is_last(const struct page_query *q);
bool	 slice_in(struct slice s, const struct slice *v, size_t n);

/* The strictest of what two sources say (rulings 24). */
void	 store_merge_origin(enum origin *origin, struct slice *audience, enum origin other,
	    struct slice other_audience);

/* Complete a status from the outcomes: versions, conflicts are failures; counts them. */
void	 store_fill_status(struct store_txn *t, struct arena *mem);
void	 store_count_status(struct store_status *st);	/* from its entries */
/* May this step follow on a pending status that has so many entries? ERR_CONFLICT if not. */
int	 store_status_follows(const struct store_status *st, bool pending, uint64_t total,
	    uint64_t done, struct err *e);
/* Append entries for what a complete status speaks of only as a whole. */
void	 store_status_add_rest(struct store_status *st, const char *rest, struct arena *mem);
/* ",\"new\":1,..." of this transaction. */
const char *store_count_members(const struct store_txn *t, struct arena *mem);
/* How a conflict lies in quarantine. */
struct store_quarantine store_conflict_row(const struct store_txn *t, const struct store_put *p);
/* The shown version: as written, else the date. */
struct slice store_shown(struct slice version, int64_t date_us, struct arena *mem);

struct store *store_sqlite_open(const struct store_conf *conf, struct err *e);
/* Only to read, beside the process that writes. */
struct store *store_sqlite_open_reader(const char *path, struct event_base *base, struct err *e);
struct store *store_mem_open(const struct store_conf *conf, struct err *e);

#endif

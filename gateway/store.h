/*
 * store.h -- what is remembered: the contract of every backend (SQLite, memory; PostgreSQL later).
 *
 *	object_version --< member >-- collection	a page is a range of member by date_added
 *	      |   \--< source			who gave it to us, when, how often (sightings)
 *	      |    \--< outbox			who shall get it, leased, retried
 *	      |     \--< ledger			what each peer has (got from us or gave us)
 *	   content (verbatim bytes, once by hash)
 *	quarantine   status   audit (hash chain)
 *
 * Owns:    durability. `done` of a commit is called after the sync, never before.
 * Called:  by intake, outbox, catalog, audit, admin.
 * Never:   decides about trust, talks, or invents a time but date_added.
 *
 * A store is its own keeper (store_open) or asks one in another process (store_remote.h); the rest of the
 * contract is the same.
 *
 * Asynchronous from the first line: every function that takes a callback may call it before it
 * returns, or later from the event loop; callers must be ready for both. Reads see committed data.
 * Commits that arrive in one turn of the loop are one transaction and one sync (group commit); a
 * failing member of a group does not take the others with it.
 *
 * date_added (TAXII 2.1 section 3.3; rulings 14): strictly increasing per collection in
 * microseconds; each commit starts on a fresh millisecond above the last one given anywhere in the
 * store; never changed for unchanged content.
 */
#ifndef GATEWAY_STORE_H
#define GATEWAY_STORE_H

#include <sys/types.h>

#include "gateway/policy.h"

struct store;
struct event_base;

struct store_conf {
	const char	*path;		/* of the database file; NULL: memory backend */
	struct slice	 audit_key;	/* 32 bytes: keys the chain of audit records */
	struct event_base *base;	/* NULL: every commit is synced before store_commit returns */
	size_t		 group_max;	/* transactions in one group; 0 = 256 */
	bool		 group_reads;	/* the files may be read by the group of this process */
	bool		 writes_only;	/* others serve pages: a cache of 16 MiB instead of 64 will do */
};

/* Open or create; migrates. A second opener of the same file is refused before it touches anything
 * (ERR_BUSY). */
struct store	*store_open(const struct store_conf *conf, struct err *e);
/* Commits what is queued, then closes. */
void		 store_close(struct store *s);		/* NULL is fine */
/* A UUID made when the store was created: two nodes with separate stores have different ones. */
const char	*store_id(const struct store *s);

typedef void store_done_cb(void *arg, const struct err *e);	/* e NULL: durable */

/* ---- collections ------------------------------------------------------------------------- */

/* The number of a collection by name, created with this UUID (or a fresh UUIDv4 if NULL) when new.
 * The UUID of a known name never changes; *uuid_out (37 bytes) tells it. Synchronous: called at start
 * and reload only. -1 and *e on trouble. */
int64_t	store_collection(struct store *s, const char *name, const char *uuid, char *uuid_out,
	    struct err *e);
/* The digest of a view's definition as last filled; 32 bytes; zeros when never. */
int	store_view_digest(struct store *s, int64_t cid, uint8_t out[32], struct err *e);
int	store_view_set_digest(struct store *s, int64_t cid, const uint8_t digest[32], struct err *e);

/* ---- writing ----------------------------------------------------------------------------- */

enum store_outcome { STORE_NEW, STORE_KNOWN, STORE_CONFLICT };

/* One (id, version) to be kept. */
struct store_put {
	const struct object	*object;	/* header and verbatim bytes */
	uint8_t			 content[32];	/* SHA-256 of the bytes */
	enum tlp		 tlp;		/* effective label (policy_facts) */
	bool			 tlp_by_default;
	enum pap		 pap;
	struct slice		 embargo_desk;	/* the community that an embargo leaves out; or empty */
	const int64_t		*collections;	/* it joins them (when not yet a member), in this order */
	size_t			 ncollections;
	/* Views are joined after that, supporting objects (formats/refs.h) of the transaction first: what
	 * a view shows names none that the store has and that is not in the view before it. */
	const int64_t		*views;
	size_t			 nviews;
	struct slice		 supporters;	/* ids of those that it names, blanks between; or empty */
	const int64_t		*follow;	/* a supporting object joins, of these views, those where
						 * another version of it is */
	size_t			 nfollow;
	const int64_t		*distinct;	/* views that show one row a fingerprint group: joined
						 * only if no linked member covers this one */
	size_t			 ndistinct;
	const char *const	*peers;		/* who wants it, if new and not covered */
	size_t			 npeers;
	int			 lane;		/* 0 fast, 1 normal */
	const char		*warnings;	/* "CODE path: reason" a line, or NULL: kept */
	/* filled in by the store before `done` */
	enum store_outcome	 outcome;
	bool			 linked;	/* another id of this fingerprint was known: a sighting */
	size_t			 queued;	/* outbox rows made */
	int64_t			 shown_us;	/* date_added: the version of what has none */
};
/* *Covered* (rulings 1): a copy with the same fingerprint and another id, under labels (TLP, PAP, embargo)
 * at least as free, equally revoked, equally an exercise or not, and valid at least as long, says as much.
 * A peer whose ledger has a covering copy is not sent this one, unless that copy comes to nothing on its
 * way (denied, held, dead). A new version of the same id is never covered. */

struct store_source {
	const char	*name;		/* peer, consumer, or "spool:NAME" */
	enum origin	 origin;
	const char	*advisory;	/* advisory id */
	const char	*request;	/* id of the request that brought it, for logs; NULL: none */
	const char	*hops;		/* node names, comma separated, oldest first; "" */
	const char	*audience;	/* peer names that the source signed, comma separated; "" */
	int64_t		 received_us;
};

struct store_quarantine {
	const char	*source;
	const char	*input;		/* file name or "POST body" */
	const char	*format;
	const char	*code;		/* stable word */
	const char	*path;
	uint32_t	 line;
	uint32_t	 column;
	uint64_t	 offset;
	const char	*reason;
	struct slice	 object_id;	/* may be empty */
	struct slice	 bytes;		/* what was refused, whole */
	const char	*collection;	/* where it was meant to go, for retry; or "" */
};

/* One entry of a TAXII status resource (TAXII 2.1 section 4.3.1). */
struct store_status_entry {
	struct slice	 id;
	struct slice	 version;	/* empty: filled with the shown version (date_added) of the put */
	bool		 failed;	/* refused before the store */
	const char	*message;	/* why; NULL on success */
	ssize_t		 put;		/* index into puts, or -1; a STORE_CONFLICT there is a failure */
};
/* What is needed to go on with an envelope that was answered before it was taken in (gateway/pending.h). */
struct store_errand {
	const char	*source;	/* peer or consumer that sent it */
	const char	*collection;
	const char	*request;	/* id of the request that brought it */
	bool		 strict;
	uint64_t	 bytes;
	uint8_t		 sha256[32];
};
enum store_status_step {
	STATUS_WHOLE,		/* written at once, and complete */
	STATUS_DRAFT,		/* filled in, but not kept: one part of a message, the rest comes */
	STATUS_OPEN,		/* pending: nothing of `total` is done yet; has an errand */
	STATUS_PART,		/* of a pending one: the entries behind the first `from` */
	STATUS_LAST		/* the same, and it is complete: what was not spoken of has failed */
};
struct store_status {
	char		 id[37];
	const char	*user;
	int64_t		 requested_us;
	struct store_status_entry *entries;	/* read: of a complete one all `total`; pending: none */
	size_t		 n;
	enum store_status_step step;
	/* PART and LAST: a status that has not exactly so many entries, or is complete, or gone, fails the
	 * whole transaction with ERR_CONFLICT: somebody else has gone on with it. */
	uint64_t	 from;
	const char	*rest;		/* LAST: why the others failed; NULL: there should be none */
	const struct store_errand *errand;	/* OPEN; read by store_pending_each */
	/* Read, and of a WHOLE one once it is committed; the rest of `total` is pending. */
	uint64_t	 total, succeeded, failed;	/* OPEN: `total` is written */
	bool		 pending;
};

/* A record for the audit chain: members of a JSON object without braces ("\"ev\":\"x\",..."), the
 * store adds seq, t, prev, mac. With `counts`, also new, known, conflict of this transaction. */
struct store_audit {
	const char	*members;
	bool		 counts;
};

struct store_txn {
	struct store_source	 source;	/* of all puts */
	struct store_put	*puts;
	size_t			 nputs;
	struct store_quarantine	*quarantine;
	size_t			 nquarantine;
	struct store_status	*status;	/* NULL: none */
	struct store_audit	*audit;
	size_t			 naudit;
};

/* All or nothing. The txn and all it points to must live until `done`. */
void	store_commit(struct store *s, struct store_txn *txn, store_done_cb *done, void *arg);
/* Only an audit record; `members` is copied. Such a commit may wait up to 50 ms for company (100 ms by way
 * of a storekeeper), so that reading pages does not cost a sync each. */
void	store_audit_add(struct store *s, const char *members, store_done_cb *done, void *arg);

/* ---- pages (TAXII 2.1 section 5; reference/taxii.md 9) -------------------------------------- */

struct store_row {
	int64_t		vid;
	struct slice	id, type, spec_version;
	struct slice	version;	/* shown: modified, else created, else date_added (TAXII form) */
	struct slice	version_key;
	int64_t		date_added_us;	/* in the collection asked; 0 in other reads */
	struct slice	bytes;		/* empty unless asked for */
	struct policy_facts facts;	/* effective label, strictest origin; audience only if all foreign
					 * sources signed the same one */
	struct slice	fp;		/* 32 bytes or empty */
};

/* True if this reader may have the row; called for candidates in order, before the limit counts. */
typedef bool	store_admit_fn(void *ctx, const struct store_row *row);

struct page_query {
	int64_t		cid;
	int64_t		added_after_us;	/* -1: absent */
	int64_t		position_us;	/* from `next`; -1: absent */
	int64_t		until_us;	/* the last date that counts; 0: no end */
	uint32_t	limit;
	size_t		max_bytes;	/* of all bytes in the page (at least one object passes); 0: none */
	bool		want_bytes;
	/* ORed within, ANDed between; n 0 = absent */
	const struct slice *ids, *types, *spec_versions;
	size_t		nids, ntypes, nspec_versions;
	bool		first, last, all;	/* match[version] keywords; none and no keys = last */
	const struct slice *version_keys;	/* instant keys */
	size_t		nversion_keys;
	store_admit_fn	*admit;		/* NULL: all */
	void		*admit_ctx;
	/* Set: each row of the page is handed over while it lies in the store's own memory, valid
	 * during the call, and none is kept: `rows` of the page is NULL. */
	void		(*take)(void *ctx, const struct store_row *row);
	void		*take_ctx;	/* lives until the callback */
};

struct store_page {
	const struct store_row *rows;	/* valid only during the callback; NULL with `take` */
	size_t		 n;
	int64_t		 first_us, last_us;	/* date_added of the first and the last row */
	bool		 more;
	bool		 any_version;	/* ids given: some version of one of them is in the collection */
	bool		 any_match;	/* ... and match[version] alone selected something */
};
/* The lists of the query must live until store_page returns, admit_ctx until the callback: a reader who may
 * have little of much is served in several turns of the loop. */
typedef void store_page_cb(void *arg, const struct store_page *page, const struct err *e);
void	store_page(struct store *s, const struct page_query *q, store_page_cb *cb, void *arg);

/* When anything that a page could show was last changed, by whichever process. Two equal epochs of
 * one store: between them every query gave, and gives, the same rows. Cheap: no system call unless
 * something was committed since it was last asked. false: this store cannot tell, or not now. */
struct store_epoch {
	int64_t	last_us;	/* the last date given; never goes back */
	int64_t	members;	/* falls only when something is taken out: no date is given then */
	int64_t	sightings;	/* grows when a known version is put again */
	int64_t	turns;		/* grows when anything changes for what was in a collection before: a
				 * newer version came, it was taken out, its label or source is stricter */
};
bool	store_epoch(struct store *s, struct store_epoch *out);
static inline bool
store_epoch_eq(const struct store_epoch *a, const struct store_epoch *b)
{
	return a->last_us == b->last_us && a->members == b->members &&
	    a->sightings == b->sightings && a->turns == b->turns;
}

/* Take versions of an object out of one collection (q->ids[0], version keywords, spec versions), those
 * that are there now and that q->admit lets pass; counts them. q->admit_ctx must live until the callback.
 * The audit record is added in the same transaction. */
typedef void store_count_cb(void *arg, size_t n, const struct err *e);
void	store_remove(struct store *s, const struct page_query *q, const char *audit_members,
	    store_count_cb *cb, void *arg);

/* ---- single objects ------------------------------------------------------------------------ */

struct store_sighting {		/* one source of an object version or of a linked copy */
	struct slice	id;	/* of the copy */
	const char	*source;
	enum origin	origin;
	const char	*advisory, *hops;
	int64_t		first_us, last_us;
	uint32_t	count;
};
struct store_object {
	struct store_row row;		/* with bytes */
	const char	*warnings;	/* "" if none */
	const struct store_sighting *sightings;	/* of this version and of linked copies */
	size_t		nsightings;
	struct {	/* state: queued sent denied held dead gave covered */
		const char *peer, *state, *reason;
		int64_t	at_us;
	}		*delivery;
	size_t		ndelivery;
};
/* The greatest version of an id; o NULL if unknown. Valid during the callback. */
typedef void store_object_cb(void *arg, const struct store_object *o, const struct err *e);
void	store_object(struct store *s, struct slice id, store_object_cb *cb, void *arg);
/* Versions in order of vid from `after_vid` (exclusive), for filling views: at most `max` rows,
 * with bytes. Uses store_page_cb; page->more tells whether there are others. */
void	store_scan(struct store *s, int64_t after_vid, size_t max, store_page_cb *cb, void *arg);
/* Put known versions into a view with new dates (where not members yet), `leave` takes them out. With a
 * date before theirs join the supporting objects that they name (ids, one blank between, "" for none), or
 * later, when they come. */
void	store_join(struct store *s, int64_t cid, const char *supporters, const int64_t *join,
	    size_t njoin, const int64_t *leave, size_t nleave, store_done_cb *done, void *arg);
/* The same for a view that shows one row a fingerprint group: what a member covers does not join. */
void	store_join_distinct(struct store *s, int64_t cid, const char *supporters,
	    const int64_t *join, size_t njoin, const int64_t *leave, size_t nleave,
	    store_done_cb *done, void *arg);

/* ---- outbox -------------------------------------------------------------------------------- */

struct outbox_item {
	int64_t		oid;
	struct store_row row;		/* with bytes */
	const char	*advisory, *hops, *source, *request;
	uint32_t	attempts;	/* before this one */
	int64_t		queued_us;
};
/* Items of ONE advisory for `peer` that are due at now_us (state queued or held-and-due, or leased
 * with an expired lease), fast lane first, oldest first; marked leased until now_us + lease_us by
 * `owner`. n 0: nothing due. Valid during the callback. */
typedef void outbox_lease_cb(void *arg, const struct outbox_item *items, size_t n,
    const struct err *e);
void	store_outbox_lease(struct store *s, const char *peer, const char *owner, int64_t now_us,
	    int64_t lease_us, size_t max_items, size_t max_bytes, outbox_lease_cb *cb, void *arg);

enum outbox_result { OUTBOX_SENT, OUTBOX_RETRY, OUTBOX_DENIED, OUTBOX_HELD, OUTBOX_DEAD };
struct outbox_update {
	int64_t			oid;
	enum outbox_result	result;
	int64_t			due_us;		/* RETRY, HELD: look again then */
	const char		*reason;	/* NULL on SENT */
};
/* Sent rows enter the peer's ledger; denied and dead ones leave it. Audit in the same transaction. */
void	store_outbox_update(struct store *s, const struct outbox_update *u, size_t n,
	    const struct store_audit *audit, size_t naudit, store_done_cb *done, void *arg);
/* End all leases of an owner who is gone; NULL: of everybody. */
void	store_outbox_release(struct store *s, const char *owner);
/* When the next item for `peer` is due: 0 at once, INT64_MAX if none is waiting. Synchronous, cheap. In a
 * worker it knows of no leases but the worker's own: each peer has one worker. */
int64_t	store_outbox_due_us(struct store *s, const char *peer);
/* All waiting, held and dead rows of a peer (NULL: of all), on demand the denied ones too, become due
 * now; *cb counts. */
void	store_outbox_requeue(struct store *s, const char *peer, bool denied, store_count_cb *cb,
	    void *arg);

struct outbox_counts { uint64_t queued, held, dead, sent, denied; int64_t oldest_us; };
int	store_outbox_counts(struct store *s, const char *peer, struct outbox_counts *out,
	    struct err *e);

/* ---- quarantine, status, audit, figures ------------------------------------------------------ */

struct quarantine_row {
	int64_t		qid;
	int64_t		at_us;
	const char	*state;		/* "held" "retried" "dropped" */
	struct store_quarantine q;	/* bytes only from store_quarantine_get */
};
typedef void store_quarantine_cb(void *arg, const struct quarantine_row *rows, size_t n,
    const struct err *e);
void	store_quarantine_list(struct store *s, int64_t after_qid, size_t max, bool all_states,
	    store_quarantine_cb *cb, void *arg);
void	store_quarantine_get(struct store *s, int64_t qid, store_quarantine_cb *cb, void *arg);
void	store_quarantine_set(struct store *s, int64_t qid, const char *state, store_done_cb *done,
	    void *arg);
/* Keep at most max_rows / max_bytes, dropping the oldest; counts what went. */
void	store_quarantine_trim(struct store *s, size_t max_rows, uint64_t max_bytes,
	    store_count_cb *cb, void *arg);

typedef void store_status_cb(void *arg, const struct store_status *st, const struct err *e);
void	store_status_get(struct store *s, const char *id, store_status_cb *cb, void *arg);
/* All pending statuses, oldest first; ends early when fn returns false. Synchronous. -1 and *e on
 * trouble. */
typedef bool	store_pending_fn(void *ctx, const struct store_status *st);
int	store_pending_each(struct store *s, store_pending_fn *fn, void *ctx, struct err *e);
/* Forget statuses that were complete before then. */
void	store_status_expire(struct store *s, int64_t before_us, store_count_cb *cb, void *arg);

/* Records in order from `after_seq` (exclusive): the whole line as exported. Stops when fn returns
 * false. Synchronous; for commands. */
typedef bool	store_audit_fn(void *ctx, uint64_t seq, struct slice line);
int	store_audit_each(struct store *s, uint64_t after_seq, store_audit_fn *fn, void *ctx,
	    struct err *e);

/* The same straight from a database file, read-only, while a node may be using it. */
int	store_audit_each_file(const char *path, store_audit_fn *fn, void *ctx, struct err *e);

/* ---- notes ----------------------------------------------------------------------------------- */

/* Small durable facts of other modules (cursor of a pull, bookmark of a consumer, ...): text by space and
 * name, at most a MiB. text NULL: forget. Copied at once. */
void	store_note_set(struct store *s, const char *space, const char *name, const char *text,
	    store_done_cb *done, void *arg);
/* Synchronous, cheap, in workers and keeper; the committed text in `mem`, NULL if there is none (or the
 * store cannot tell: *e set). */
const char *store_note_get(struct store *s, const char *space, const char *name, struct arena *mem,
	    struct err *e);
/* All notes of a space, in order of their names; ends early when fn returns false. -1 and *e on trouble. */
typedef bool	store_note_fn(void *ctx, const char *name, const char *text);
int	store_note_each(struct store *s, const char *space, store_note_fn *fn, void *ctx,
	    struct err *e);

const char *store_library(void);	/* version of SQLite */

enum { STORE_TROUBLE = 160 };
struct store_figures {
	uint64_t	objects, versions, members, sources, sightings, quarantined, audit_records;
	uint64_t	commits, syncs, commit_us_total, commit_us_max;
	int64_t		date_ahead_us;	/* how far date_added runs ahead of the clock */
	uint64_t	failures;	/* groups that could not be kept, since start */
	uint64_t	damages;	/* times that damage was met in the file, since start */
	uint64_t	quarantined_bytes;
	char		trouble[STORE_TROUBLE];	/* why nothing is written now; empty: it works */
	uint64_t	waiting;	/* transactions asked and not committed yet */
	uint64_t	group_max;	/* transactions in the largest group since start */
	uint64_t	pending, pending_bytes;	/* envelopes that are being worked off */
};
int	store_figures(struct store *s, struct store_figures *out, struct err *e);
/* Times that this process, by reading or writing, met damage in the file. */
uint64_t store_damages(const struct store *s);
/* Where sizes and times of transactions are counted; NULL: nowhere. */
struct stats;
void	store_count_in(struct store *s, struct stats *stats);

#endif

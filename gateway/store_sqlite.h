/*
 * store_sqlite.h -- the SQLite backend among its own files (store_sqlite*.c): the doormen of SQLite.
 *
 *	store_sqlite_open.c       lock, open, pragmas, migrate, close
 *	store_sqlite_reader.c     the same for a process that only reads
 *	store_sqlite.c            groups, parties, what is kept in memory between groups
 *	store_sqlite_sql.c        the schema as steps, every statement as a row of a table
 *	store_sqlite_vfs.c        a commit is one write into the log
 *	store_sqlite_stmt.c       bind, step, read rows, tell errors
 *	store_sqlite_head.c       the facts of a version as one blob
 *	store_sqlite_put.c        (id, version) in: new, known or conflict; sources
 *	store_sqlite_copies.c     linked copies, covering
 *	store_sqlite_member.c     memberships and their class
 *	store_sqlite_page.c       pages: ranges of member by date
 *	store_sqlite_epoch.c      has anything changed, without a system call
 *	store_sqlite_object.c     single objects, scans
 *	store_sqlite_outbox.c     deliveries: lease, book, count
 *	store_sqlite_quarantine.c what was refused
 *	store_sqlite_desk.c       collections, audit, figures
 *	store_sqlite_status.c     statuses, complete and pending
 *	store_sqlite_note.c       small facts of other modules
 *	store_sqlite_check.c      is the whole file as it should be?
 *	store_sqlite_backup.c     one state of it in another file
 *
 * Owns:    the database handle, its statements, and the few counts that are kept in memory and written
 *          with each group.
 * Called:  by itself; store.c knows only store_sqlite_open.
 * Never:   runs SQL made of anything but the constant texts of store_sqlite_sql.c.
 */
#ifndef GATEWAY_STORE_SQLITE_H
#define GATEWAY_STORE_SQLITE_H

#include <sqlite3.h>

#include "gateway/base/strbuf.h"
#include "gateway/store_impl.h"

/* Every statement has a name here and a text in store_sqlite_sql.c. */
#define SQ_STATEMENTS(X)							\
	X(BEGIN) X(READ) X(COMMIT) X(ROLLBACK)						\
	X(STATE_GET) X(STATE_EPOCH) X(STATE_ADD) X(STATE_SET) X(PARTY_ALL) X(PARTY_ADD) X(PARTY_SET)	\
	X(COLLECTION_BY_NAME) X(COLLECTION_BY_UUID) X(COLLECTION_ADD)		\
	X(DIGEST_GET) X(DIGEST_SET)			\
	X(OBJECT_BY_KEY) X(OBJECT_ADD) X(VERSION_FIND)		\
	X(VERSION_KNOWN) X(VERSION_ADD)					\
	X(VERSION_ROW) X(VERSION_WHOLE) X(VERSION_HEAD) X(VERSION_LAST) X(VERSION_SCAN)		\
	X(VERSION_TURN) X(VERSION_COPIES) X(TOPS)				\
	X(MESSAGE_ADD) X(SOURCE_GET) X(SOURCE_ADD) X(SOURCE_SET)	\
	X(SOURCE_AGAIN)								\
	X(SOURCE_SIGHTINGS)							\
	X(MEMBER_ADD) X(MEMBER_MOVE) X(MEMBER_DEL) X(MEMBER_DATE)		\
	X(MEMBER_LIVE) X(MEMBER_GROUP) X(MEMBER_IN)				\
	X(DELIVERY_ADD) X(DELIVERY_OF) X(DELIVERY_LIST) X(DELIVERY_GET)		\
	X(DELIVERY_SET) X(DELIVERY_DEL) X(DELIVERY_READY) X(DELIVERY_LATER)	\
	X(DELIVERY_DUE_READY) X(DELIVERY_DUE_LATER) X(DELIVERY_QUEUE)		\
	X(DELIVERY_OLDEST_READY) X(DELIVERY_OLDEST_LATER)			\
	X(DELIVERY_FREE_WAITS) X(DELIVERY_FREE_HELD) X(DELIVERY_FREE_DEAD)	\
	X(DELIVERY_FREE_DENIED)							\
	X(QUARANTINE_ADD) X(QUARANTINE_LIST) X(QUARANTINE_GET)			\
	X(QUARANTINE_SET) X(QUARANTINE_SIZES) X(QUARANTINE_DEL)			\
	X(QUARANTINE_COUNT)							\
	X(STATUS_ADD) X(STATUS_GET) X(STATUS_COUNT) X(STATUS_DONE) X(STATUS_EXPIRE)	\
	X(PART_ADD) X(PART_EACH) X(PART_EXPIRE)					\
	X(PENDING_ADD) X(PENDING_DEL) X(PENDING_EACH) X(PENDING_SUM)		\
	X(AUDIT_ADD) X(AUDIT_LAST) X(AUDIT_EACH)				\
	X(SUPPORT_SET) X(SUPPORT_GET) X(WANTED_ADD) X(WANTED_GET) X(WANTED_DEL)	\
	X(NOTE_SET) X(NOTE_DEL) X(NOTE_GET) X(NOTE_EACH)

#define SQ_ENUM(name)	SQ_##name,
enum sq_id { SQ_STATEMENTS(SQ_ENUM) SQ_COUNT };
#undef SQ_ENUM
extern const char *const sq_text[SQ_COUNT];

/* Schema versions: step i brings user_version from i to i + 1. */
extern const char *const sq_steps[];
extern const size_t sq_nsteps;

/* Ranges of member, of which a page needs several at once. */
enum sq_range {
	RANGE_ALL, RANGE_ALL_HEAD, RANGE_KIND, RANGE_KIND_HEAD, RANGE_SLIM, RANGE_SLIM_HEAD, RANGES
};
extern const char *const sq_range_text[RANGES];
enum { RANGE_CURSORS = 64 };

/* Columns of every statement that reads a version (the ROW macro in store_sqlite_sql.c). */
enum {
	COL_DATE, COL_OVER, COL_VID, COL_OBJ, COL_VKEY, COL_HEAD, COL_BYTES
};

/* Columns of RANGE_SLIM: what a row needs that is shown without a question to its group. */
enum { SLIM_DATE, SLIM_HEAD, SLIM_BYTES };

/* How a membership stands among the versions of its id in its collection; part of the key, so that the
 * common page is one range. See store_sqlite_member.c. */
enum member_class { CLASS_LAST, CLASS_PAST, CLASS_LATE, CLASS_MIXED, CLASSES };

enum delivery_state {
	DELIVERY_QUEUED,	/* ready: due now */
	DELIVERY_WAITS,		/* retried, due later */
	DELIVERY_HELD,
	DELIVERY_SENT,
	DELIVERY_DENIED,
	DELIVERY_DEAD,
	DELIVERY_COVERED,	/* the peer has, or is about to get, a copy that says as much */
	DELIVERY_STATES
};
const char *delivery_word(enum delivery_state state);

/* A leased delivery. Leases need no disk: one process owns the store, and when it dies they are void. */
struct lease {
	int64_t		oid, until_us;
	uint64_t	owner;
};

/* Who gives or gets: a name, its number, and how its deliveries stand. */
struct party {
	int64_t		pno;
	char		*name;
	int64_t		count[DELIVERY_STATES];
	bool		dirty;
	struct lease	*leases;	/* sorted by oid */
	size_t		nleases, leases_cap;
};

enum { WAL_HEAD = 48 };		/* bytes of one copy of the head of SQLite's wal-index */

enum sq_counter { N_OBJECTS, N_VERSIONS, N_MEMBERS, N_SOURCES, N_SIGHTINGS, N_TURNS, SQ_COUNTERS };

struct sq {
	struct store	 store;		/* first */
	sqlite3		*db;
	sqlite3_stmt	*stmt[SQ_COUNT];
	sqlite3_stmt	*range[RANGES][RANGE_CURSORS];
	int		 lock_fd;	/* -1: a reader */
	const char	*broken;	/* why nothing more is written until a restart; NULL: it is */
	uint8_t		 key[16];	/* of the hash behind object numbers */
	struct strbuf	 scratch;
	int64_t		 next_vid, max_cid;
	int64_t		 count[SQ_COUNTERS];
	bool		 dirty;		/* state row */
	struct party	**parties;	/* sorted by name */
	size_t		 nparties, parties_cap;
	int		 log_pages;	/* in the write-ahead log */
	size_t		 support_left, wanted_left;	/* of this transaction (store_sqlite_support.c) */
	/* store_sqlite_epoch.c's */
	const volatile void *wal_head;	/* in memory that all processes of the database share */
	uint8_t		 wal_seen[WAL_HEAD];
	bool		 epoch_known;
	struct store_epoch epoch;
	uint8_t		 loaded[WAL_HEAD];	/* a reader: when what is kept in memory was read */
};

static inline struct sq *
sq_of(struct store *s)
{
	return (struct sq *)s;
}

/* ---- store_sqlite_stmt.c ---- */

/* Bind by a string of kinds: i int64_t, z the same but NULL when 0, t struct slice as text, s C string
 * (NULL stays NULL), b struct slice as blob (NULL when empty). The values must live until the
 * statement is reset. NULL and *e on trouble. */
sqlite3_stmt *sq_bind(struct sq *q, enum sq_id id, struct err *e, const char *kinds, ...);
/* Bind and run a statement without result; rows changed or -1. */
int	sq_run(struct sq *q, enum sq_id id, struct err *e, const char *kinds, ...);
/* Next row: 1, 0 at the end (the statement is reset), -1 on trouble (reset as well). */
int	sq_step(struct sq *q, sqlite3_stmt *st, struct err *e);
void	sq_reset(sqlite3_stmt *st);
sqlite3_stmt *sq_prepare(struct sq *q, const char *text, struct err *e);
/* Write nothing more until a restart. The first reason counts. */
void	sq_stop(struct sq *q, const char *why);
/* Damage was met: count it and raise the alarm. */
void	sq_damage(struct sq *q, const char *what, const char *why);
/* Translate the state of the handle into *e; always -1. A failed sync ends all writing, and so does damage
 * in the way of a write. */
int	sq_fail(struct sq *q, struct err *e, const char *what);
/* Columns: valid until the next step. */
struct slice sq_col(sqlite3_stmt *st, int col);
/* The same in an arena. */
struct slice sq_copy(sqlite3_stmt *st, int col, struct arena *mem);

/* ---- store_sqlite_head.c ---- */
/* What is known about a version besides its bytes. */
struct head {
	struct slice	id, type, spec, shown, created_by, audience, valid_until, fp, desk;
	enum tlp	tlp;
	enum pap	pap;
	bool		by_default;
	enum phase	phase;
	enum origin	origin;
	uint32_t	flags, sectors;
	int64_t		first_us;	/* when it came */
};
struct slice sq_head_write(const struct head *h, struct arena *mem);
/* The texts point into the blob. */
void	sq_head_read(struct slice blob, struct head *h);
/* A row of a statement that begins with the COL_ columns: valid until its next step, without the shown
 * version where that is a date. */
void	sq_row_here(sqlite3_stmt *st, struct store_row *row);
/* The same of a statement with the SLIM_ columns: no vid, no version key. */
void	sq_row_slim(sqlite3_stmt *st, struct store_row *row);
/* That row, copied and whole: for a page, whose rows have a date. */
void	sq_row_keep(sqlite3_stmt *st, const struct store_row *here, struct arena *mem,
	    struct store_row *row);
/* The same from the columns. */
void	sq_row(sqlite3_stmt *st, struct arena *mem, struct store_row *row);

/* ---- store_sqlite_open.c ---- */
/* Limits and switches against damaged or hostile files. */
int	sq_defend(struct sq *q, struct err *e);
/* Run a constant pragma; its single answer as an integer, or -1. */
int64_t	sq_pragma(struct sq *q, const char *text, struct err *e);
/* 0 if it is new; -1 and *e if it is not ours. */
int64_t	sq_schema_version(struct sq *q, const char *path, struct err *e);
void	sq_close(struct store *s);

/* ---- store_sqlite_epoch.c ---- */
/* True if anything was committed since `seen` was filled; fills it. */
bool	sq_changed(struct sq *q, uint8_t seen[WAL_HEAD]);

/* ---- store_sqlite.c ---- */
/* What is kept in memory, as the file has it. */
int	sq_load(struct sq *q, struct err *e);
void	sq_party_free(struct party *p);
int64_t	sq_hash(struct sq *q, struct slice s);	/* keyed, 63 bits */
uint32_t sq_kind(struct slice type);		/* short hash of a type name */
/* The party of a name, made when new and `make`. NULL and *e on trouble, NULL if unknown. */
struct party *sq_party(struct sq *q, const char *name, bool make, struct err *e);
struct party *sq_party_by_no(struct sq *q, int64_t pno);
/* Begin and end a transaction outside of a group. */
int	sq_begin(struct sq *q, struct err *e);
int	sq_commit(struct sq *q, struct err *e);
void	sq_rollback(struct sq *q);

/* ---- store_sqlite_audit.c ---- */
/* Open a file for reading beside a node that may be writing it. NULL and *e on trouble. */
sqlite3	*sq_open_quietly(const char *path, struct err *e);

/* ---- store_sqlite_put.c ---- */
/* The object number of an id: 1 and *obj; 0 if unknown, and *key is free for it; -1 on trouble. */
int	sq_object(struct sq *q, struct slice id, int64_t *obj, int64_t *key, struct err *e);

/* ---- store_sqlite_copies.c ---- */
/* A version as covering sees it, and the versions of other ids with the same fingerprint. */
struct copy {
	int64_t		 vid, obj;
	struct slice	 id, fp;
	struct copy_facts facts;
};
struct copies {
	struct copy	 of;
	struct copy	*v;		/* the group, oldest first, at most COPIES_MAX; versions of
					 * of.obj stand in it too and are no copies of it */
	size_t		 n, cap;
};
enum { COPIES_MAX = 256 };
int64_t	sq_fp_key(struct slice fp);
/* Find the group of c->of; in mem. */
int	sq_copies(struct sq *q, struct copies *c, struct arena *mem, struct err *e);
/* Is there any copy of c->of in its group? */
bool	sq_is_linked(const struct copies *c);
/* The same for a stored version; c->n 0 if it has no fingerprint. */
int	sq_copies_of(struct sq *q, int64_t vid, struct copies *c, struct arena *mem, struct err *e);
/* 1 if the peer has, or is about to get, a copy that says as much; 0; -1 on trouble. */
int	sq_peer_covered(struct sq *q, const struct copies *c, int64_t pno, struct err *e);
/* 1 if a copy that says as much is a member. */
int	sq_view_covered(struct sq *q, const struct copies *c, int64_t cid, struct err *e);
/* A delivery of this version came to nothing: queue the copies that it covered. */
int	sq_uncover(struct sq *q, struct party *peer, int64_t vid, int64_t now_us, struct arena *mem,
	    struct err *e);

/* ---- store_sqlite_member.c ---- */
struct member {
	int64_t		 cid, vid, obj;
	uint32_t	 kind;
	struct slice	 spec, version_key;
	int64_t		 date_us;
};
/* Add what is no member yet. `alone`: no other version of the id is known anywhere. */
int	sq_join(struct sq *q, const struct member *m, bool alone, struct err *e);
/* The date of a version in a collection, 0 if it is no member, -1 on trouble. */
int64_t	sq_member_date(struct sq *q, int64_t cid, int64_t obj, int64_t vid, struct err *e);
/* All members of an id in a collection. */
int	sq_member_group(struct sq *q, int64_t cid, int64_t obj, struct arena *mem,
	    struct version_choice **v, size_t *n, struct err *e);
/* 1 if some version of an id is in the collection. */
/* 1 if each of these versions has the class that it ought to have. */
int	sq_group_is_ranked(struct sq *q, int64_t cid, int64_t obj, struct arena *mem, struct err *e);
int	sq_is_in(struct sq *q, int64_t cid, int64_t obj, struct err *e);

/* ---- store_sqlite_support.c ---- */
enum { SUPPORT_DEPTH = 3 };
/* A transaction begins: it has so much patience with who names a great many. */
void	sq_support_begin(struct sq *q);
/* What is in a view names these ids: bring in those supporting objects that the store has and the view has
 * not, and remember the others until they come. */
int	sq_support(struct sq *q, int64_t cid, struct slice ids, int depth, struct arena *mem,
	    struct err *e);
/* A supporting object has come, or a version of it: bring it where it is wanted, or where another version
 * of it is. */
int	sq_support_came(struct sq *q, const struct member *m, const struct store_put *p, bool new_id,
	    struct arena *mem, struct err *e);

/* ---- the rest of struct store_ops ---- */
int	sq_put_txn(struct store *s, struct store_txn *t, struct arena *mem, struct err *e);
int	sq_join_views(struct store *s, int64_t cid, bool distinct, struct slice supporters,
	    const int64_t *join, size_t njoin,
	    const int64_t *leave, size_t nleave, struct arena *mem, struct err *e);
int	sq_removable(struct store *s, const struct page_query *pq, struct arena *mem,
	    int64_t **vids, size_t *n, struct err *e);
int	sq_take_out(struct store *s, int64_t cid, const int64_t *vids, size_t n, struct arena *mem,
	    size_t *gone, struct err *e);
int	sq_page(struct store *s, struct page_walk *walk, struct err *e);
bool	sq_epoch(struct store *s, struct store_epoch *out);
int	sq_object_get(struct store *s, struct slice id, struct arena *mem, struct store_object *out,
	    bool *found, struct err *e);
int	sq_scan(struct store *s, int64_t after_vid, size_t max, struct arena *mem,
	    struct store_page *out, struct err *e);
int	sq_outbox_update(struct store *s, const struct outbox_update *u, size_t n, struct arena *mem,
	    struct err *e);
int	sq_outbox_requeue(struct store *s, const char *peer, bool denied, size_t *n,
	    struct err *e);
int	sq_outbox_lease(struct store *s, const struct ask *a, struct arena *mem,
	    struct outbox_item **items, size_t *n, struct err *e);
void	sq_lease_note(struct store *s, const char *peer, int64_t oid, int64_t until_us);
void	sq_lease_end(struct store *s, int64_t oid);
void	sq_lease_end_all(struct store *s, const char *owner);
int64_t	sq_outbox_due_us(struct store *s, const char *peer);
int	sq_outbox_counts(struct store *s, const char *peer, struct outbox_counts *out,
	    struct err *e);
/* The peer's delivery of a version: 1 and its number and state, 0 if there is none. */
int	sq_delivery_of(struct sq *q, int64_t pno, int64_t vid, int64_t *oid,
	    enum delivery_state *state, struct err *e);
/* Queue a delivery that was covered. */
int	sq_deliver_after_all(struct sq *q, struct party *peer, int64_t oid, int64_t now_us,
	    struct err *e);
/* A delivery for a new version; state is DELIVERY_QUEUED or DELIVERY_COVERED. */
int	sq_deliver(struct sq *q, struct party *peer, int64_t vid, int64_t mid, int lane,
	    enum delivery_state state, int64_t now_us, struct err *e);
/* The peer gave us this version itself: it need not be sent there. */
int	sq_peer_gave(struct sq *q, struct party *peer, int64_t vid, struct err *e);
int64_t	sq_collection_find(struct store *s, const char *name, char *uuid_out, struct err *e);
int64_t	sq_collection_add(struct store *s, const char *name, const char *uuid, struct err *e);
int	sq_view_digest(struct store *s, int64_t cid, uint8_t out[32], struct err *e);
int	sq_view_set_digest(struct store *s, int64_t cid, const uint8_t digest[32], struct err *e);
int	sq_quarantine_add(struct sq *q, const struct store_quarantine *x, int64_t now_us,
	    struct err *e);
int	sq_quarantine_set(struct store *s, int64_t qid, const char *state, struct err *e);
int	sq_quarantine_trim(struct store *s, size_t max_rows, uint64_t max_bytes, size_t *n,
	    struct err *e);
int	sq_quarantine_rows(struct store *s, int64_t qid, int64_t after_qid, size_t max,
	    bool all_states, struct arena *mem, struct quarantine_row **rows, size_t *n,
	    struct err *e);
/* Before anything of a transaction is done: may its status be written? */
int	sq_status_check(struct sq *q, const struct store_status *st, struct err *e);
int	sq_status_add(struct sq *q, const struct store_status *st, int64_t now_us, struct err *e);
int	sq_pending(struct store *s, struct arena *mem, struct store_status **v, size_t *n,
	    struct err *e);
int	sq_status_get(struct store *s, const char *id, struct arena *mem, struct store_status *out,
	    bool *found, struct err *e);
int	sq_status_expire(struct store *s, int64_t before_us, size_t *n, struct err *e);
int	sq_add_audit(struct store *s, const struct store_audit *a, const char *extra, struct err *e);
int	sq_audit_each(struct store *s, uint64_t after_seq, store_audit_fn *fn, void *ctx,
	    struct err *e);
int	sq_note_set(struct store *s, const char *space, const char *name, const char *text,
	    struct err *e);
int	sq_notes(struct store *s, const char *space, const char *name, struct arena *mem,
	    struct store_note **v, size_t *n, struct err *e);
int	sq_figures(struct store *s, struct store_figures *out, struct err *e);

#endif

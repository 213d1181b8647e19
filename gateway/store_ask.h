/*
 * store_ask.h -- what a store is asked to do, as data: run here, or sent to the storekeeper.
 *
 *	ASKS     worker -> storekeeper   (u64 id, u8 kind, text body) ...
 *	ANSWERS  storekeeper -> worker   figures, (u64 id, u8 error, text body or reason) ...
 *	QUEUED   storekeeper -> workers  names of peers
 *	HELLO    storekeeper -> worker   the store's UUID: the file that the worker reads must be the same
 *
 * Owns:    struct ask, and its form on the wire: one table of members a kind for the question and one
 *          for the answer.
 * Called:  by store.c (makes them), store_jobs.c (runs them), store_remote.c and storekeeper.c (send
 *          them).
 * Never:   trusts what it reads: ask_read checks all that can be checked without the store.
 */
#ifndef GATEWAY_STORE_ASK_H
#define GATEWAY_STORE_ASK_H

#include "gateway/base/wire_fields.h"
#include "gateway/store.h"

enum ask_kind {
	ASK_COMMIT, ASK_AUDIT, ASK_REMOVE, ASK_JOIN, ASK_UPDATE, ASK_REQUEUE, ASK_QUARANTINE_SET,
	ASK_QUARANTINE_TRIM, ASK_STATUS_EXPIRE,
	/* done at once, in no group */
	ASK_LEASE, ASK_COLLECTION, ASK_DIGEST,
	/* in a group again: the numbers of the others stay what they are */
	ASK_NOTE,
	ASK_KINDS
};

/* Each kind uses some of these: see the tables in store_ask.c. */
struct ask {
	enum ask_kind		 kind;
	struct store_txn	*txn;
	int64_t			 cid, qid;
	bool			 distinct, denied;
	const int64_t		*join, *leave;
	size_t			 njoin, nleave;
	const struct outbox_update *updates;
	size_t			 nupdates;
	const struct store_audit *audit;
	size_t			 naudit;
	const char		*name;		/* of a peer, a collection, a quarantine state, a note */
	const char		*space, *text;	/* of a note; text NULL: forget it. Ids of a join */
	const char		*owner;		/* of a lease: the storekeeper's word for the client */
	const char		*uuid;
	uint8_t			 digest[32];
	int64_t			 now_us, lease_us;
	uint64_t		 max_rows, max_bytes;
	/* the answer; that of a commit stands in its txn */
	uint64_t		 count;
	char			 uuid_out[37];
	struct outbox_item	*items;
	size_t			 nitems;
};

enum ask_frame { FRAME_HELLO = 1, FRAME_ASKS, FRAME_ANSWERS, FRAME_QUEUED };
enum { ASK_NAME_MAX = 4096, ASK_NOTE_MAX = 1 << 20, ASK_FRAME_MAX = 256 << 20 };

/* Append question or answer. -1 and *e (ERR_LIMIT) if something is beyond the limits of a message;
 * nothing is appended then. */
int	ask_put(struct strbuf *b, uint64_t id, const struct ask *a, struct err *e);
int	ask_put_answer(struct strbuf *b, uint64_t id, const struct ask *a, const struct err *e);

/* The head of the next question or answer of a frame, and its body. False at the end (wire_done tells
 * whether it was one). */
bool	ask_next(struct wire *w, uint64_t *id, enum ask_kind *kind, struct slice *body);
bool	ask_next_answer(struct wire *w, uint64_t *id, enum err_code *code, struct slice *body);

/* Read a question into a zeroed ask; NULL, or which rule it breaks. Texts point into `body`. */
const char *ask_read(struct ask *a, enum ask_kind kind, struct slice body, struct arena *mem);
/* Read the answer to `a`; false if it is none. */
bool	ask_read_answer(struct ask *a, struct slice body, struct arena *mem);

/* What the storekeeper knows and the file does not. */
void	ask_put_figures(struct strbuf *b, const struct store_figures *f);
void	ask_read_figures(struct wire *w, struct store_figures *f);

#endif

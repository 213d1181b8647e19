/*
 * store_remote.h -- the store as a worker sees it: it reads the file itself, and asks the storekeeper
 * to write.
 *
 *	worker                                   storekeeper
 *	store_commit ---- WRITES ------------->  decode, check, store_commit on the local store
 *	  done       <--- ANSWERS -------------  after the sync
 *	on_queued    <--- QUEUED --------------  something waits for these peers, whoever put it there
 *	store_page, store_object ... : SQLite, read-only, from the file
 *
 * Owns:    the read-only connection, the channel, every write that has not been answered.
 * Called:  by the worker's start (procs); everybody else sees a struct store (store.h).
 * Never:   writes, creates, recovers or checkpoints the file, and keeps no read transaction open beyond
 *          the turn of the loop that began it.
 *
 * When the channel breaks every question under way is answered ERR_BUSY: what was asked may have been
 * done or not, and asking again is harmless, since a known object is a known object. New writes wait for
 * the next channel, for at most wait_us and no more than max_waiting, then they fail ERR_BUSY as well.
 * Audit records (store_audit_add) wait for as long as it takes. Reads go on.
 *
 * The file may belong to another user: read permission for the database, its -wal and its -shm is
 * enough, and even where there is more it is not used (the -shm is mapped read-only).
 */
#ifndef GATEWAY_STORE_REMOTE_H
#define GATEWAY_STORE_REMOTE_H

#include "gateway/store.h"

struct store_remote_conf {
	const char	*path;		/* of the database file, which the storekeeper has made */
	struct event_base *base;
	size_t		 max_waiting;	/* writes not answered yet; 0 = 16,384 */
	int64_t		 wait_us;	/* how long a write waits for a channel; 0 = 5 s */
	/* Something was queued for a peer, by whichever process; NULL: perhaps for all. For outbox_wake. */
	void		(*on_queued)(void *arg, const char *peer);
	/* The channel is there, or gone: then ask the master for another. */
	void		(*on_state)(void *arg, bool connected);
	void		*arg;
};

/* NULL and *e if the file cannot be read (it must be there: the storekeeper starts first). */
struct store	*store_remote_open(const struct store_remote_conf *conf, struct err *e);
/* The channel to a storekeeper: the first, and each later one when the storekeeper was started anew.
 * Takes over `fd`; an older channel is closed first. -1 and *e if `s` is no remote store; then fd is
 * closed as well. */
int		 store_remote_channel(struct store *s, int fd, struct err *e);
/* True if a storekeeper is there; false for a store that is its own keeper. */
bool		 store_remote_is_connected(const struct store *s);
/* Writes whose callback has not been called yet. */
size_t		 store_remote_waiting(const struct store *s);

#endif

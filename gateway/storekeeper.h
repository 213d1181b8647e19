/*
 * storekeeper.h -- the process that owns the store: writes for all workers, in common groups.
 *
 *	worker 1 --WRITES--> +-------------+
 *	worker 2 --WRITES--> | storekeeper | --> struct store (store_sqlite): one group, one sync
 *	   ...   <-ANSWERS-- +-------------+
 *	  all    <-QUEUED---
 *
 * Owns:    the channels of the workers, the leases they hold, what they have asked and not been told yet.
 * Called:  by the storekeeper's process (procs) at start; then by its messages.
 * Never:   believes a worker: every message is taken apart as if a stranger had sent it, and a client that
 *          breaks a rule is logged and disconnected. It parses no foreign format and opens no other file.
 *
 * A client's leases end when its channel does.
 */
#ifndef GATEWAY_STOREKEEPER_H
#define GATEWAY_STOREKEEPER_H

#include "gateway/store.h"

struct storekeeper;

/* `local` stays the caller's: close it after storekeeper_free. */
struct storekeeper *storekeeper_new(struct event_base *base, struct store *local);
/* Disconnects all; what they asked and is not committed yet is committed, and answered to nobody. */
void		 storekeeper_free(struct storekeeper *k);		/* NULL is fine */
/* Serve one more worker over `fd`, which is taken over. `name` is copied: "worker 1". */
void		 storekeeper_add_client(struct storekeeper *k, int fd, const char *name);
size_t		 storekeeper_clients(const struct storekeeper *k);
/* Commit what has been asked so far, answer it, then call cb (at once or from the loop). Clients stay
 * connected. */
void		 storekeeper_drain(struct storekeeper *k, void (*cb)(void *arg), void *arg);

#endif

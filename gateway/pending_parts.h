/*
 * pending_parts.h -- between the files of pending.h.
 *
 *	pending.c	envelopes that are durable: finding them, working them off
 *	pending_take.c	envelopes on their way there: counted, kept, opened
 *
 * Owns:    struct pending.
 * Called:  by those two.
 * Never:   by anybody else.
 */
#ifndef GATEWAY_PENDING_PARTS_H
#define GATEWAY_PENDING_PARTS_H

#include "gateway/base/arena.h"
#include "gateway/pending.h"

struct event;
struct taking;

/* One envelope that is durable, as its row in the store has it. */
struct errand {
	struct pending		*p;
	struct arena		*mem;		/* this struct lies in it */
	char			 id[37];
	const char		*user, *source, *collections[2], *request;
	bool			 strict;
	uint64_t		 bytes, total, from;
	int64_t			 requested_us;
	uint8_t			 sha256[32];
	unsigned		 tries;		/* since it moved */
	unsigned		 parts;		/* begun in this turn */
	struct errand		*next;
	/* while it is worked off */
	struct intake_errand	 job;
	int			 fd;
	void			*map;
	struct store_status	 last;		/* its end, where nothing more of it can be taken */
	struct store_txn	 txn;
	struct store_audit	 audit;
};

struct pending {
	struct gateway		*g;
	int			 folder;
	struct errand		*first, **tail;	/* in the order of their requests; the first is in work */
	bool			 working;
	struct taking		*takings;
	struct event		*again;		/* timer: try the first once more */
	void			(*drained)(void *arg);
	void			*drained_arg;
};

/* ---- pending.c ---- */

/* An envelope has just become durable. */
void	pending_add(struct pending *p, const struct store_status *st);
void	pending_remove_file(const struct pending *p, const char *id);

/* ---- pending_take.c ---- */

/* True if an envelope of that name is on its way. */
bool	pending_is_taken(const struct pending *p, const char *id);
void	pending_drop_takings(struct pending *p);

#endif

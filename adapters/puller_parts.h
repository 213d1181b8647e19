/*
 * puller_parts.h -- one pull, shared by the puller's own files.
 *
 *	puller.c	the states: when to ask, what to do with an answer
 *	puller_book.c	what is written down: the mark, the audit record, figures, what people are shown
 *
 * Owns:    struct pull.
 * Called:  by those two.
 * Never:   by anybody else.
 */
#ifndef ADAPTERS_PULLER_PARTS_H
#define ADAPTERS_PULLER_PARTS_H

#include "adapters/pull_walk.h"
#include "adapters/puller.h"
#include "adapters/taxii_client.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"

enum pull_state {
	PULL_IDLE, PULL_WAITING, PULL_FINDING, PULL_ASKING, PULL_TAKING, PULL_BOOKING, PULL_PAUSED,
	PULL_STATES
};

/* What is told of a pull; lives over a reload. */
struct pull_info {
	uint64_t	 runs;
	uint32_t	 failures;		/* in a row */
	int64_t		 since_us;		/* when it began to be tried, or last went well */
	int64_t		 last_ok_us, next_us;	/* wall clock; 0: none */
	char		 cause[32];		/* of the last failure; "" after a success */
	char		 error[512];
	/* of the run in hand, or the last one */
	uint64_t	 pages, objects, fresh, known, refused, bytes;
	int64_t		 began_us, took_us;
	bool		 future;
};

struct pull {
	struct pullers		*all;
	struct config		*config;	/* held: conf lies in it */
	const struct pull_conf	*conf;
	struct pull		*next;
	enum pull_state		 state;
	bool			 dead;		/* of an old configuration: goes when nothing is in hand */
	bool			 holding;	/* intake or the store will call back */
	bool			 parked;	/* a long pause: its turn is somebody else's */
	struct event		*timer;
	uint64_t		 turn;		/* since when it waits for one */
	struct taxii_client	*client;
	struct pull_walk	 walk;
	uint32_t		 limit;		/* objects to ask for: halved where a page was too large */
	unsigned		 tries;		/* of the same question */
	bool			 found;		/* the way was found in this run */
	/* the page in hand */
	struct taxii_page	 page;		/* body and next are ours */
	struct strbuf		 body;
	char			*next_token;
	enum pull_stop		 after;		/* its mark is stored: what comes then */
	uint8_t			 digest[SHA256_LEN];
	uint8_t			 bad[SHA256_LEN];	/* of the last page that could not be read */
	char			 request[96];
	char			 of[17];	/* what the mark is a mark of */
	struct pull_info	 info;
};

struct pullers {
	struct gateway	*g;
	struct pull	*v;
	size_t		 running;
	uint64_t	 turns;
	bool		 draining;
	void		(*drained)(void *arg);
	void		*drained_arg;
};

/* ---- puller_book.c ---- */

/* What the mark belongs to: another server, collection or filter begins anew. */
void	pull_identity(const struct pull *p, const char *url, const char *collection, char out[17]);
/* The mark that is stored for this identity; -1: none. */
int64_t	pull_mark_read(const struct pull *p);
/* Store it; `done` as store_note_set. */
void	pull_mark_write(struct pull *p, void (*done)(void *arg, const struct err *e));
/* A run has ended, well (cause NULL) or not: log, figures, audit. */
void	pull_book_run(struct pull *p, const char *cause, const char *words);

#endif

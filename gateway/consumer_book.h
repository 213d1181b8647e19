/*
 * consumer_book.h -- what is known of one consumer, and what it comes to.
 *
 *	book of worker 0 --\
 *	book of worker 1 ---+--> book_merge --> book_judge --> "looping: asked the same 3 times ..."
 *	book of worker n --/
 *
 * Owns:    struct book: counts, the last polls, how far it came; its text form (a note in the store); the
 *          verdict about it.
 * Called:  by consumer_books.c (keeps the books of a process), admin_consumer.c, figures_look.c.
 * Never:   looks at a clock or a store; holds content: no ids, no values, no queries; but what a
 *          refusal said in words.
 */
#ifndef GATEWAY_CONSUMER_BOOK_H
#define GATEWAY_CONSUMER_BOOK_H

#include "gateway/catalog.h"

struct strbuf;

enum {
	BOOK_POLLS = 16, BOOK_VISITS = 8, BOOK_TRACKS = 8, BOOK_TYPES = 24,
	BOOK_AGENT = 121, BOOK_REMOTE = 64, BOOK_VERSION = 12, BOOK_NAME = 129, BOOK_ERROR = 161,
	BOOK_SAME = 3,			/* so often in a row is a loop */
	BOOK_LATE = 3,			/* so many times its own rhythm is too late */
	BOOK_PAUSE_US = 5000000		/* what follows a request sooner than this belongs to it */
};

/* One question for a list of objects, as far as it tells how the client moves. */
struct book_poll {
	int64_t		at_us;
	int64_t		ask, answer;	/* hashes of question and of the ids shown; answer 0: nothing */
	int64_t		after_us;	/* from where it asked; -1: from the start */
	int64_t		last_us;	/* the last row shown; 0: none */
	int64_t		n;
	int64_t		more, walk;	/* more follows; it continued an earlier answer (next) */
};

/* How far it came with one set of filters in one collection. */
struct book_track {
	int64_t		key;		/* hash of collection and filters; 0: free */
	char		collection[BOOK_NAME];
	int64_t		at_us;
	int64_t		last_us;	/* the last row shown */
	int64_t		judged_us;	/* what was withheld up to here is counted */
	int64_t		more, filtered;		/* it asked for some types or ids only */
};

struct book_type {
	char		word[SEEN_WORD];
	int64_t		n;
};

struct book {
	char		name[BOOK_NAME];
	int64_t		first_us, last_us;	/* contact */
	char		remote[BOOK_REMOTE], agent[BOOK_AGENT], version[BOOK_VERSION];
	int64_t		requests, pages, objects, bytes;
	int64_t		files;			/* flat files fetched, or found unchanged */
	int64_t		messages;		/* taken from it */
	int64_t		repeats, repeated_objects;	/* same question, same answer */
	int64_t		slowed;			/* answered 429 for that */
	int64_t		page_us;		/* the last page that arrived */
	int64_t		errors, error_us, error_status;
	char		error[BOOK_ERROR];
	int64_t		logins_failed, login_us;
	char		login_remote[BOOK_REMOTE];
	struct book_type types[BOOK_TYPES];
	size_t		ntypes;
	int64_t		withheld[POLICY_REASONS];
	struct book_track tracks[BOOK_TRACKS];
	struct book_poll polls[BOOK_POLLS];	/* oldest first */
	size_t		npolls;
	int64_t		visits[BOOK_VISITS];	/* when it came after a pause; oldest first */
	size_t		nvisits;
};

/* A request of a consumer that has been answered. */
struct book_page {
	int64_t		ask, track;		/* hashes */
	const char	*collection;
	int64_t		after_us;
	bool		walk;			/* it continued by `next` */
	bool		poll;			/* a list, not one object */
	bool		filtered;		/* of some types or ids only */
	bool		again;			/* a page that was kept: nothing is withheld anew */
	const struct page_seen *seen;
};
struct book_call {
	int64_t		at_us;
	const char	*remote, *version;
	struct slice	agent;
	int		status;
	uint64_t	bytes;
	const char	*why;			/* of an error, or NULL */
	bool		slowed;
	bool		file;			/* a flat file, or 304 for one */
	bool		message;		/* it sent something that was taken */
	const struct book_page *page;		/* that reached the client; NULL: none did */
};

/* Enter it. A page that repeats an earlier one is told as such. */
void	book_note(struct book *b, const struct book_call *c, bool repeats);
void	book_note_login(struct book *b, int64_t at_us, const char *remote);
/* NULL if there is none of that key. */
const struct book_track *book_track(const struct book *b, int64_t key);
/* Take over how far another worker has come with it. */
void	book_merge_tracks(struct book *b, const struct book *from);
/* Add what another process knows of the same consumer. */
void	book_merge(struct book *b, const struct book *from);

/* One line of text without line end, and back: false if it is none. */
void	book_write(struct strbuf *out, const struct book *b);
bool	book_read(struct book *b, const char *name, const char *text);

enum book_state {
	BOOK_NEVER,		/* no request under this name has reached this node */
	BOOK_SILENT,		/* nothing for more than a week, or for a day if it came but once */
	BOOK_STUCK,		/* nothing for more than three times its own rhythm */
	BOOK_FAILING,		/* its last request, or its last login, was refused */
	BOOK_LOOPING,		/* it got the same for the same question three times in a row, or more */
	BOOK_BEHIND,		/* more follows what it has fetched */
	BOOK_HEALTHY,		/* it has fetched all that was there */
	BOOK_STATES
};
struct book_verdict {
	enum book_state	state;
	int64_t		rhythm_us;	/* between visits; 0: not known */
	char		words[256];
};
/* `waiting`: objects that it has not fetched yet; -1: not counted. */
void	book_judge(const struct book *b, int64_t now_us, int64_t waiting, struct book_verdict *v);
const char *book_state_word(enum book_state s);
/* A client that keeps milliseconds, or seconds, of the last date gets what lies behind them again at every
 * poll. That is a waste and no loop. */
bool	book_is_cut(const struct book_poll *p);
/* Is the last poll of these the n-th in a row that asked the same and got the same, without moving? */
size_t	book_run(const struct book_poll *v, size_t n);

#endif

/*
 * translate.h -- the worker's end of its translator: jobs out, answers in, none of them believed.
 *
 * Owns:    the queue of jobs (bounded), the channel to the translator, a deadline for the job in hand,
 *          the memory of which messages have killed a translator.
 * Called:  by intake (read), by taxii_auth (password checks), by whoever sets up.
 * Never:   parses what a stranger sent, and never lets an answer through that translate_wire.c has not held
 *          against the bytes it speaks of.
 *
 * A translator that dies, breaks a rule, lies or does not answer in time is replaced; the job it had in
 * hand is tried again on the next one. A message that did so three times is answered with
 * TRANSLATOR_CRASHED or TRANSLATOR_TIMEOUT, and for an hour at once.
 *
 * What a worker still parses itself: HTTP heads; the configuration; small JSON of its own kind, through
 * json.c with tight limits: x_tocsin members (the translator cuts them out), answers of peers to our own
 * POSTs, what TAXII servers say of themselves, commands on the control socket, the envelope of a message
 * as the translator tells it (intake_book.c); the outermost members of
 * a pulled page, by json_walk, which builds nothing (more, next, how many objects); and, in release.c and
 * where a known version comes in other bytes (store_rules.c), objects as they are stored, which
 * translate_wire.c held against their header before.
 */
#ifndef GATEWAY_TRANSLATE_H
#define GATEWAY_TRANSLATE_H

#include "formats/format.h"
#include "gateway/base/digest.h"

struct event_base;
struct config;
struct stats;
struct translate;

struct translate_conf {
	struct event_base	*base;		/* NULL: jobs run in this process, at once */
	struct config		*config;	/* mappings and limits; held. translate_reload swaps it */
	struct stats		*stats;		/* NULL: nothing is counted */
	/* Asks the master to kill the translator behind channel number `generation` (1 = the first that
	 * translate_channel brought) if it still lives, and to bring a new one. The channel is closed
	 * already. Also called when the translator closed it: then there may be nothing to kill. */
	void			(*replace)(void *arg, unsigned generation, const char *why);
	void			*arg;
};

/* NULL and *e if a mapping does not load (base NULL only). With a base jobs wait for a channel. */
struct translate *translate_new(const struct translate_conf *conf, struct err *e);
/* Jobs that are not answered yet are dropped without a word. NULL is fine. */
void		 translate_free(struct translate *t);
/* A new translator's channel (consumed). The one before finishes what it has in hand, and is closed. */
void		 translate_channel(struct translate *t, int fd);
/* 0, or -1 and *e and nothing has changed. */
int		 translate_reload(struct translate *t, struct config *config, struct err *e);
/* Jobs waiting or in hand. */
size_t		 translate_in_work(const struct translate *t);

/* Does a large message wait because another one is open? Who has that one may drop it, and begin again. */
bool		 translate_is_occupied(const struct translate *t);

/* ---- reading ---- */

struct translate_read {
	struct slice		 in;		/* the caller's until the last callback */
	int			 fd;		/* > 0: a read-only file with the same bytes */
	const uint8_t		*sha256;	/* of `in` */
	const char		*format;	/* NULL: sniff */
	const char		*mapping;	/* format mapped: path of the file, as configured */
	const char		*input;		/* for messages */
	const char		*request;	/* id for the log; NULL: none */
	const char		*received;	/* RFC 3339 UTC */
	struct format_limits	 limits;
	bool			 strict, envelope, bundle, iodef_amber_strict;
	const char		*misp_groups;	/* as in struct read_job; NULL: none */
	bool			 relay;		/* cut out x_tocsin (with `envelope`) */
	bool			 account;	/* tell what became of the leaves, in numbers */
	bool			 count;		/* tell `total` alone: how many elements it has, if nothing
						 * is wrong with it as a whole */
	uint64_t		 from;		/* elements that were taken before: tell the others */
};

struct translate_job;

struct translate_part {
	const struct err *error;	/* nothing could be read; no objects then */
	bool		 retryable;	/* it is ours: no translator, queue full */
	const char	*code;		/* of the error, for quarantine: "TRANSLATOR_CRASHED", "syntax" */
	const char	*format;	/* name of the format found; NULL if none was */
	bool		 first, last;
	struct translate_job *job;	/* for translate_more and translate_drop, unless it is the last */
	struct advisory	*adv;		/* this part's objects, without trees but with their remarks,
					 * and its refusals; the id of the whole; in a first part the
					 * envelope, as text that is not believed */
	size_t		 nagain;	/* the last so many objects are supporting ones of other parts: they
					 * come again because objects of this part name them */
	struct relay_member relay;	/* in the first part, if asked for: not believed yet */
	uint64_t	 loss[LOSS_KINDS];	/* of the whole message, if `account` was asked */
	size_t		 total;		/* objects of the whole message, from `from` on */
};

/* `mem` holds what the part points to (and slices into `in`); the caller keeps it until he is done with the
 * part. Called once a part; nothing follows after `last` or an error. */
typedef void	 translate_read_cb(void *arg, const struct translate_part *part);
/* Called back possibly at once. */
void		 translate_read(struct translate *t, const struct translate_read *r, struct arena *mem,
		    translate_read_cb *cb, void *arg);
/* The next part, into another arena. */
void		 translate_more(struct translate_job *j, struct arena *mem);
/* No more of it is wanted, and the callback does not come. */
void		 translate_drop(struct translate_job *j);

/* ---- writing, and small questions ---- */

struct translate_write {
	const char		*format;	/* any that convert can write: "misp", "txt:ip" */
	const struct slice	*objects;	/* texts of STIX objects; needed during the call only */
	size_t			 n;
	const char		*received;	/* RFC 3339 UTC */
	const char		*csirt, *csirt_contact;	/* as in struct write_job; NULL: none */
	size_t			 most;		/* bytes that may come out: more is an error */
	/* Objects that carry no TLP label get this one before they are written; supporting ones (refs.h)
	 * and TLP_UNSET: none. */
	enum tlp		 unmarked;
	bool			 no_residue, pretty;
	/* An object that cannot be read costs only itself: the writer finds it among the refusals. */
	bool			 lenient;
	bool			 report;	/* the account with every leaf, not only in numbers */
	const char		*request;	/* id for the log; NULL: none */
};

struct translated {
	const struct err *error;	/* it cannot be written; nothing else is set then */
	bool		 retryable;	/* it is ours: no translator, queue full */
	const char	*code;		/* of the error */
	struct slice	 text;		/* valid during the callback, like all here */
	uint64_t	 loss[LOSS_KINDS];	/* what became of the leaves of the objects */
	struct slice	 report;	/* as loss_print prints it, if asked for */
};

typedef void	 translate_text_cb(void *arg, const struct translated *text);
/* Write objects in a format. Called back possibly at once. */
void		 translate_write(struct translate *t, const struct translate_write *q,
		    translate_text_cb *cb, void *arg);
/* What a small message of somebody says: the answer of a row of translator_questions (translator.h), by its
 * name. `in` is needed during the call only; `question` must be a constant. */
void		 translate_ask(struct translate *t, const char *question, struct slice in,
		    const char *request, translate_text_cb *cb, void *arg);

/* ---- passwords ---- */

/* scrypt (RFC 7914) of a password by a recipe (password_recipe, digest.h). The translator never sees what
 * it should come to: the caller compares. NULL key: no translator, or too many questions at once. */
typedef void	 translate_hash_cb(void *arg, const struct password_key *key);
void		 translate_hash(struct translate *t, struct slice password, const char *recipe,
		    translate_hash_cb *cb, void *arg);

#endif

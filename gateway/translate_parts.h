/*
 * translate_parts.h -- what the files behind translate.h share: a job, and what each kind of job does.
 *
 *	translate.c		queue, channel, deadlines, whose turn it is
 *	translate_read.c	messages in, objects out, part by part
 *	translate_text.c	objects in, a text in some format out; questions about small messages
 *	translate_hash.c	passwords
 *
 * Owns:    struct translate_job.
 * Called:  by those files only.
 * Never:   seen by anyone else.
 */
#ifndef GATEWAY_TRANSLATE_PARTS_H
#define GATEWAY_TRANSLATE_PARTS_H

#include "gateway/base/strbuf.h"
#include "gateway/translate.h"
#include "gateway/translate_wire.h"

enum { TRANSLATE_STRIKES = 3 };

enum job_state { JOB_QUEUED, JOB_HAND, JOB_PAUSED };
enum job_list { LIST_READS, LIST_TEXTS, LIST_HASHES, LISTS };

/* What a kind of job does at each station. */
struct job_kind {
	enum job_list	 list;
	const char	*timed;			/* the word for its times */
	bool		 secret;		/* its frames are wiped */
	/* Write the question; returns its type. `fd`: the input goes with it. */
	uint16_t	(*question)(const struct translate_job *j, int fd, struct strbuf *b);
	/* Take an answer into the job, and book it; NULL, or what is wrong with it. */
	const char	*(*decode)(struct translate_job *j, uint16_t type, struct slice body);
	/* Hand out what decode took; the job is gone afterwards unless more can be asked for. */
	void		 (*tell)(struct translate_job *j);
	/* It comes to nothing. The same. */
	void		 (*give_up)(struct translate_job *j, const char *code, const struct err *e,
			    bool retryable);
};

struct translate_job {
	struct translate	*t;
	uint64_t		 id;
	const struct job_kind	*kind;
	enum job_state		 state;
	struct translate_job	*next, **prev;	/* of all of a list, in the order of their questions */
	/* reading */
	struct translate_read	 r;
	struct arena		*mem;
	translate_read_cb	*cb;
	struct translate_part	 part;		/* that was decoded, and not handed out yet */
	bool			 open;		/* the translator has its message */
	bool			 begun;		/* a part was handed out */
	uint64_t		 delivered, total;
	/* writing and asking */
	struct strbuf		 asked;		/* the question, ready to be sent */
	uint16_t		 asked_type;
	translate_text_cb	*told;
	struct translated	 text;
	struct err		 error;
	/* hashing */
	char			*password;
	size_t			 password_n;
	char			 recipe[PASSWORD_RECIPE];
	translate_hash_cb	*hashed;
	struct password_key	 key;
	/* all */
	void			*arg;
	size_t			 bytes;		/* of what the translator must look through */
	int64_t			 since_us;	/* queued, or sent */
	unsigned		 strikes;
	bool			 late;		/* the last strike was one of time */
	bool			 dropped;
};

struct jobs {
	struct translate_job	*first, **last;
	size_t			 n;
};

struct translate {
	struct translate_conf	 conf;
	struct config		*config;	/* held */
	struct translator	*own;		/* inline */
	struct ipc		*channel;
	bool			 ready;		/* it has said so */
	unsigned		 generation;
	struct jobs		 lists[LISTS];
	struct translate_job	*hand;
	enum job_list		 turn;		/* the list that may go next */
	struct event		*timer;
	struct struck		*struck;	/* messages that killed translators */
	uint64_t		 last_id;
};

/* A job at the end of its list. */
struct translate_job *translate_job_new(struct translate *t, const struct job_kind *kind, void *arg);
void	translate_job_free(struct translate_job *j);
/* Behind all others of its list. */
void	translate_job_queue(struct translate_job *j);
/* Give the translator its next job, or do this one here (inline). */
void	translate_job_ask(struct translate_job *j);
void	translate_pump(struct translate *t);
/* End a job for a reason of ours; code NULL: the word of the error. */
void	translate_give_up(struct translate_job *j, const char *code, enum err_code error, bool retryable,
	    const char *why);
/* The translator has died of it, or been late, as often as it may. */
void	translate_refuse_struck(struct translate_job *j);

/* Reads: the first that may go now. Of large ones only that which the translator has begun. */
struct translate_job *translate_next_read(const struct translate *t);
/* A message that killed translators before is not tried for an hour. */
bool	translate_is_struck(struct translate_job *j);

#endif

/*
 * translate.h -- the worker's end of its translator: jobs out, answers in, none of them believed.
 *
 * Owns:    the queue of jobs (bounded), the channel to the translator, a deadline for the job in hand,
 *          the memory of which messages have killed a translator.
 * Called:  by intake (read), by taxii_auth (password checks), by whoever sets up.
 * Never:   parses what a stranger sent, and never lets an answer through that translate_wire.c and
 *          translate_check.c have not held against the bytes it speaks of.
 *
 * A translator that dies, breaks a rule, lies or does not answer in time is replaced; the job it had in
 * hand is tried again on the next one. A message that did so three times is answered with
 * TRANSLATOR_CRASHED or TRANSLATOR_TIMEOUT, and for an hour at once.
 *
 * What a worker still parses itself: HTTP heads; the configuration; small JSON of its own kind, through
 * json.c with tight limits: x_tocsin members (the translator cuts them out), answers of peers to our own
 * POSTs, commands on the control socket; and, in release.c, objects as they lie in the store, which
 * were held against their header by translate_check.c before they came there.
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
	const struct config	*config;	/* mappings and limits; translate_reload swaps it */
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
int		 translate_reload(struct translate *t, const struct config *config, struct err *e);
/* Jobs waiting or in hand. */
size_t		 translate_in_work(const struct translate *t);

/* Read: adv is empty and e set when nothing could be read. Everything lives in `mem`, which the
 * caller keeps until after the callback. format NULL = sniff. */
typedef void translate_read_cb(void *arg, struct advisory *adv, const struct format_ops *format,
	    const struct err *e);
void	translate_read(struct translate *t, const char *format, const struct read_job *job,
	    struct arena *mem, translate_read_cb *cb, void *arg);

#endif

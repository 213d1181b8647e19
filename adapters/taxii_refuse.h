/*
 * taxii_refuse.h -- what a status, or no answer at all, means to the person who runs this node.
 *
 * Owns:    the words and the step for every way in which a request to a TAXII server can fail.
 * Called:  by taxii_client.c.
 * Never:   decides whether to try again.
 */
#ifndef ADAPTERS_TAXII_REFUSE_H
#define ADAPTERS_TAXII_REFUSE_H

#include "adapters/http_client.h"
#include "adapters/taxii_client.h"

struct arena;

/* There was no answer, or one that is no success. `step` is what was asked for, `name` the peer, for the
 * commands that mend it; `version` what we spoke. */
void	taxii_refuse_reply(struct taxii_failure *f, const struct http_reply *r, enum taxii_step step,
	    const char *name, enum taxii_version version, struct arena *mem);
/* The answer came and is of no use. */
void	taxii_refuse_words(struct taxii_failure *f, enum taxii_step step, int http, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

#endif

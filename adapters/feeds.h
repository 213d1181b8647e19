/*
 * feeds.h -- flat feeds over HTTP: GET /feeds/NAME.ENDING, for tools that do not speak TAXII.
 *
 *	?since=T      what has changed since a cursor (X-Tocsin-Since of an answer) or a time: jsonl, csv
 *	?kind=K       the list of one kind: NAME.txt?kind=ipv4 is NAME.ipv4.txt
 *
 * Owns:    the family FAMILY_FEED of taxii_routes.h: conditional requests, gzip, deltas, plain errors.
 * Called:  by taxii_server.c, once it is settled who asks, that he may read the collection, and the rate.
 * Never:   says how much policy keeps from a reader: that would tell that it is there.
 */
#ifndef ADAPTERS_FEEDS_H
#define ADAPTERS_FEEDS_H

#include "adapters/http1.h"
#include "gateway/base/slice.h"

struct collection_conf;
struct config;
struct peer;
struct strbuf;
struct taxii_request;
struct taxii_route;

bool	feeds_are_served(const struct config *conf, const struct peer *p);
bool	feeds_accept(const struct http1_head *h, const struct taxii_route *r);
const char *feeds_error(struct strbuf *out, int status, const char *title, const char *detail,
	    const char *request_id);
/* Is this the name of one of ours? */
bool	feeds_know(const struct config *conf, struct slice name);
const struct collection_conf *feeds_resolve(struct taxii_request *rq, struct slice name);
void	feeds_get_file(struct taxii_request *rq);

/* What was sent of a feed: one audit record each (rulings 29). */
struct feeds_sent {
	const char	*feed, *output;
	struct slice	 how;		/* "whole", "changes", a file of it */
	uint64_t	 records;
	const char	*tag;
};
void	feeds_audit(const struct taxii_request *rq, const struct feeds_sent *sent);

#endif

/*
 * feeds_misp.h -- a collection as a MISP feed: GET /feeds/NAME/misp/manifest.json, UUID.json, hashes.csv.
 *
 * Owns:    conditional requests, refusals and audit records of these files.
 * Called:  by taxii_routes.c, once it is settled who asks, that he may read the collection, and the rate.
 * Never:   shows what policy keeps from this reader: gateway/feed_misp.h asks it for every object.
 */
#ifndef ADAPTERS_FEEDS_MISP_H
#define ADAPTERS_FEEDS_MISP_H

#include "gateway/base/slice.h"

struct config;
struct feed_conf;
struct taxii_request;

/* The feed of that name, if it is served as one for MISP; else NULL. */
const struct feed_conf	*feeds_misp_find(const struct config *conf, struct slice name);
void			 feeds_misp_get(struct taxii_request *rq);

#endif

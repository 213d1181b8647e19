/*
 * taxii20_read.h -- the endpoints of TAXII 2.0, rows of the family FAMILY_TAXII20 in taxii_routes.c.
 *
 *	taxii20_read.c   discovery, API root, collections, one object
 *	taxii20_list.c   objects and manifest (taxii20_manifest.h) by ranges
 *
 * What comes in, and its status, is read and kept as in 2.1 (taxii_post.c, taxii_read.c).
 *
 * Owns:    nothing: requests are taxii_request.h's.
 * Called:  by taxii_server.c, when everything that the head can say is in order.
 * Never:   shows what is not STIX 2.0 (rulings 16), unless the collection says so (taxii20_serve.h).
 */
#ifndef ADAPTERS_TAXII20_READ_H
#define ADAPTERS_TAXII20_READ_H

#include "adapters/taxii_request.h"

void	taxii20_get_root(struct taxii_request *rq);
void	taxii20_get_collections(struct taxii_request *rq);
void	taxii20_get_collection(struct taxii_request *rq);
void	taxii20_get_object(struct taxii_request *rq);
void	taxii20_get_objects(struct taxii_request *rq);
void	taxii20_get_manifest(struct taxii_request *rq);

/* Filters of 2.0 into rq->q, which then chooses STIX 2.0 alone; false: refused with 400. */
bool	taxii20_read_query(struct taxii_request *rq, unsigned knows);
/* The id of a bundle is made of this: collection and what the page showed. */
void	taxii20_digest(const struct taxii_request *rq, const struct page_seen *seen, uint8_t out[32]);
/* In which words of TLP this reader wants markings. */
enum tlp_vocab taxii20_tlp_vocab(const struct taxii_request *rq);
/* Does this reader want an empty list where there is nothing? */
bool	taxii20_empty_list(const struct taxii_request *rq);

#endif

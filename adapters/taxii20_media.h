/*
 * taxii20_media.h -- the media types of TAXII 2.0, as they are asked for, sent and posted.
 *
 * Owns:    reading Accept and Content-Type for the two types of 2.0 (reference/taxii.md 16).
 * Called:  by the table of routes (taxii_routes.c), taxii20_read.c, taxii20_write.c.
 * Never:   looks at anything but those header values.
 */
#ifndef ADAPTERS_TAXII20_MEDIA_H
#define ADAPTERS_TAXII20_MEDIA_H

#include "adapters/http1.h"

/* With the blank, as the standard prints them and clients compare them. */
extern const char taxii20_media_type[];	/* "application/vnd.oasis.taxii+json; version=2.0" */
extern const char taxii20_stix_type[];	/* "application/vnd.oasis.stix+json; version=2.0" */

/* May we answer in TAXII 2.0, and how much is that wanted (taxii_media.h)? With `objects`, in STIX 2.0:
 * who takes TAXII 2.0 alone gets it as well. No Accept, and wildcards, mean yes; a version may be left
 * out. */
unsigned taxii20_accepts(const struct http1_head *h, bool objects);
/* Is this body a STIX 2.0 bundle by its Content-Type, and not coded? */
bool	taxii20_content_fits(const struct http1_head *h);

#endif

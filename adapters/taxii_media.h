/*
 * taxii_media.h -- which representation is asked for, and which is sent (reference/taxii.md 4).
 *
 * Owns:    reading Accept and Content-Type the way real clients write them.
 * Called:  by taxii_server.c.
 * Never:   looks at anything but those header values.
 */
#ifndef ADAPTERS_TAXII_MEDIA_H
#define ADAPTERS_TAXII_MEDIA_H

#include "adapters/http1.h"

/* What every answer has, letter by letter. */
extern const char taxii_media_type[];	/* "application/taxii+json;version=2.1" */

/* For any types (a list that NULL ends) of one version, which may be left out: how much is one of them
 * wanted, by weight, and by name rather than by a wildcard? 0: it is not accepted. Is the body one of
 * them, and not coded? */
unsigned media_score(const struct http1_head *h, const char *const *wanted, const char *version);
bool	media_content_fits(const struct http1_head *h, const char *const *wanted, const char *version);

/* May we answer in TAXII 2.1, and how much is that wanted? All Accept lines count; none means yes. */
unsigned taxii_accepts(const struct http1_head *h);
/* Is this body a TAXII 2.1 envelope by its Content-Type, and not coded? */
bool	taxii_content_fits(const struct http1_head *h);

#endif

/*
 * taxii_ask.h -- how a question to a TAXII server is written down, in 2.1 and in 2.0.
 *
 * Owns:    media types, paths, query parameters and ranges of the two versions.
 * Called:  by taxii_client.c.
 * Never:   sends anything, or lets a character of a name or token stand in a target as it is.
 */
#ifndef ADAPTERS_TAXII_ASK_H
#define ADAPTERS_TAXII_ASK_H

#include "adapters/http_server.h"	/* struct http_header */
#include "adapters/taxii_client.h"

struct strbuf;

enum taxii_kind {
	ASK_DISCOVERY, ASK_ROOT, ASK_COLLECTIONS, ASK_COLLECTION, ASK_PAGE, ASK_POST, ASK_STATUS,
	ASK_KINDS
};

struct taxii_question {
	enum taxii_kind		 kind;
	enum taxii_version	 version;
	const char		*discovery;	/* path that the administrator wrote; "": the usual one */
	const char		*root;
	const char		*collection;	/* id: page, post */
	const char		*what;		/* id: collection, status */
	const struct taxii_ask	*page;
};

enum { TAXII_ASK_HEADERS = 3, TAXII_RANGE_TEXT = 64 };

/* Where discovery lies unless somebody knows better. */
const char	*taxii_ask_discovery(enum taxii_version version);
void		 taxii_ask_target(struct strbuf *out, const struct taxii_question *q);
/* Accept, Content-Type, Range: those that it needs; how many. */
size_t		 taxii_ask_headers(const struct taxii_question *q, char range[TAXII_RANGE_TEXT],
		    struct http_header out[TAXII_ASK_HEADERS]);
/* What stands before the objects of a post. */
void		 taxii_ask_open_body(enum taxii_version version, struct strbuf *out);

#endif

/*
 * taxii_url.h -- what people write down as the address of a TAXII server.
 *
 *	https://h/  https://h/taxii2/			the server: discovery finds the root
 *	https://h/api/					an API root
 *	https://h/api/collections/			the same
 *	https://h/api/collections/ID/[objects/...]	the same, and a collection of it
 *
 * Owns:    taking such an address apart; saying which roots that discovery names are on this server.
 * Called:  by taxii_client.c; `tocsin check` through it.
 * Never:   asks anybody. Never lets a root lead to another host: our login goes where the administrator
 *          said, and nowhere else.
 */
#ifndef ADAPTERS_TAXII_URL_H
#define ADAPTERS_TAXII_URL_H

#include "adapters/url.h"

enum { TAXII_COLLECTION_BYTES = 256 };

struct taxii_url {
	struct url	server;		/* host and port; path as written */
	char		root[512];	/* path of the API root, with its slash; "" = ask discovery */
	char		discovery[512];	/* path of discovery, as written; "" = the usual ones */
	bool		is_20;		/* the address is one of 2.0 (/taxii/) */
	char		collection[TAXII_COLLECTION_BYTES];	/* "" = none in the address */
};

/* ERR_VALUE with the reason if it is no such address. */
int	taxii_url_parse(const char *text, struct taxii_url *out, struct err *e);
/* The path of an API root that discovery lists: a path, or a URL of the same host and port. Ends with a
 * slash. False if it leads elsewhere, or nowhere. */
bool	taxii_url_root(const struct taxii_url *u, struct slice listed, char *out, size_t cap);

#endif

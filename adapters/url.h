/*
 * url.h -- the parts of an https URL that an administrator wrote.
 *
 * Owns:    splitting; nothing else.
 * Called:  by peer_link.c, `tocsin check`.
 * Never:   takes user names, queries or fragments: such a URL is refused.
 */
#ifndef ADAPTERS_URL_H
#define ADAPTERS_URL_H

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct url {
	char		host[256];	/* name or address, no brackets */
	uint16_t	port;		/* 443 unless said */
	char		path[512];	/* begins and ends with '/' */
};

/* "https://host[:port]/path[/]". ERR_VALUE with the reason otherwise. */
int	url_parse(const char *text, struct url *out, struct err *e);

#endif

/*
 * taxii_server.h -- TAXII 2.1 over http_server: routes, order of decisions, requests under way.
 *
 * Owns:    the road of one request: who (401), what (404), how (405/501), in which form (406), may they
 *          (403/404), how often (429), and then the endpoint (reference/taxii.md 5 and 6).
 * Called:  by serve.c, which gives its handler to an http_server.
 * Never:   reads a body before all that can be said without it has been said; tells apart a collection
 *          that is hidden from one that does not exist.
 */
#ifndef ADAPTERS_TAXII_SERVER_H
#define ADAPTERS_TAXII_SERVER_H

#include "adapters/http_server.h"

struct gateway;
struct taxii_server;

struct taxii_server	*taxii_server_new(struct gateway *g);
/* Only after the http_server is gone. */
void			 taxii_server_free(struct taxii_server *s);
const struct http_handler *taxii_server_handler(struct taxii_server *s);

#endif

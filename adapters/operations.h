/*
 * operations.h -- /metrics, /healthz and /readyz on a listener of their own, loopback only.
 *
 * Owns:    those three answers. The figures are those of all processes (figures.h).
 * Called:  by serve.c, in the one process that has this listener.
 * Never:   shows content, names of objects or secrets; answers on an open address.
 */
#ifndef ADAPTERS_OPERATIONS_H
#define ADAPTERS_OPERATIONS_H

#include "adapters/http_server.h"

struct gateway;
struct operations;

struct operations *operations_new(struct gateway *g);	/* g->figures is set by the first request */
void		 operations_free(struct operations *o);
const struct http_handler *operations_handler(struct operations *o);

#endif

/*
 * admin.h -- the control socket: what `tocsin status`, `peer`, `explain`, `quarantine`, ... ask a
 * running node.
 *
 *	request   {"cmd":"explain","object":"indicator--...","peer":"cert-b"} LF
 *	answer    {"ok":true,...} LF, then the socket is closed;  {"ok":false,"error":"..."} if not
 *
 * Owns:    the socket (mode 0600), the table of commands, their answers as JSON.
 * Called:  by serve.c; the other end is cmd_control.c.
 * Never:   changes trust (that is the file's job) and never answers anyone but the node's own user and
 *          root.
 */
#ifndef GATEWAY_ADMIN_H
#define GATEWAY_ADMIN_H

#include <stdbool.h>

#include "gateway/base/err.h"

struct gateway;
struct admin;

/* What serve.c lends: reload, and figures that only adapters know. */
struct admin_hooks {
	void	*ctx;
	/* All or nothing; false and every complaint as text (lines) in `why`, which has `cap` bytes. */
	bool	(*reload)(void *ctx, char *why, size_t cap);
	/* Addresses that are being served, comma separated. */
	void	(*listening)(void *ctx, char *text, size_t cap);
};

struct admin	*admin_new(struct gateway *g, const char *path, const struct admin_hooks *hooks,
		    struct err *e);
void		 admin_free(struct admin *a);		/* removes the socket */

#endif

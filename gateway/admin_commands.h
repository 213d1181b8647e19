/*
 * admin_commands.h -- the verbs of the control socket.
 *
 * Owns:    the table; one function a verb, each answers exactly once.
 * Called:  by admin.c.
 * Never:   talks to a socket itself.
 *
 * To add a verb: a function and a row here, a row in cmd_control.c.
 */
#ifndef GATEWAY_ADMIN_COMMANDS_H
#define GATEWAY_ADMIN_COMMANDS_H

#include "gateway/admin.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

struct client;

struct admin_call {
	struct gateway			*g;
	const struct admin_hooks	*hooks;
	struct arena			*mem;		/* freed by the answer */
	const json			*args;
	struct client			*client;	/* NULL: gone meanwhile */
};

struct admin_command {
	const char	*name;
	void		(*run)(struct admin_call *call);
};
extern const struct admin_command admin_commands[];	/* ends with a NULL name */

/* The answer: members of a JSON object without braces. The call is gone afterwards. */
void	admin_reply(struct admin_call *call, struct slice members);
void	admin_refuse(struct admin_call *call, const char *why);

#endif

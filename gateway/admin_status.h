/*
 * admin_status.h -- the verbs of the control socket that look: status, peers, consumers.
 *
 * Owns:    the form of those answers. Members are only ever added: programs read them.
 * Called:  through the table of admin_commands.c.
 * Never:   answers before the figures of all processes are there, or a second has passed.
 */
#ifndef GATEWAY_ADMIN_STATUS_H
#define GATEWAY_ADMIN_STATUS_H

struct admin_call;

void	admin_status(struct admin_call *call);
void	admin_peers(struct admin_call *call);
void	admin_peer(struct admin_call *call);
void	admin_consumers(struct admin_call *call);

#endif

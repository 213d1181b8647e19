/*
 * admin_consumer.h -- what the control socket says of consumers, and does for them.
 *
 * Owns:    the answers to `consumer-status` and its kin; how many objects wait for a consumer.
 * Called:  by admin_commands.c.
 * Never:   shows anything of the objects themselves.
 */
#ifndef GATEWAY_ADMIN_CONSUMER_H
#define GATEWAY_ADMIN_CONSUMER_H

#include "gateway/admin_commands.h"

/* All consumers, or with {"consumer":NAME} one in full. */
void	admin_consumer_status(struct admin_call *call);
/* {"consumer":NAME}: a token with which `tocsin consumer test` asks in its place. */
void	admin_consumer_token(struct admin_call *call);
/* Names of all collections and the UUIDs that the store gave them. */
void	admin_collections(struct admin_call *call);
/* {"consumer":NAME,"from":"start"|TIME[,"collection":NAME]}: it is served from there.
 * (admin_consumer_reset.c) */
void	admin_consumer_reset(struct admin_call *call);

#endif

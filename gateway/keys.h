/*
 * keys.h -- the node's own secrets, read once.
 *
 * Owns:    signing key (Ed25519), audit key, dedup key: files of hex digits, mode 0600.
 * Called:  by main.c, which hands parts to store, dedup, relay.
 * Never:   writes after `tocsin init` made them.
 */
#ifndef GATEWAY_KEYS_H
#define GATEWAY_KEYS_H

#include "gateway/base/digest.h"

struct keys {
	uint8_t	sign[ED25519_KEY_LEN], sign_public[ED25519_KEY_LEN];
	uint8_t	audit[32];	/* of the process that writes the store alone */
	uint8_t	common[32];	/* follows from it: `next` tokens, names of objects in audit records */
	uint8_t	dedup[32];
	uint8_t	ticket[32];		/* derived: seals TLS session tickets (tls.h) */
};

/* Read one key file: 64 hex digits and a line end. Refuses files that others can read. */
int	key_read(const char *path, uint8_t out[32], struct err *e);
int	key_write(const char *path, const uint8_t key[32], struct err *e);
/* common, from the audit key: where that is at hand. */
void	keys_derive_common(struct keys *k);
/* What follows from common: tickets. */
void	keys_derive(struct keys *k);
void	keys_wipe(struct keys *k);

#endif

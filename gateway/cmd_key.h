/*
 * cmd_key.h -- the public halves of a node's keys, as administrators exchange them.
 *
 * Owns:    their text form.
 * Called:  by cmd_key.c's own verbs and by cmd_init.c.
 * Never:   shows a private half.
 */
#ifndef GATEWAY_CMD_KEY_H
#define GATEWAY_CMD_KEY_H

#include "gateway/base/err.h"

struct strbuf;

/* Append "ed25519:BASE64" of the private key in a file. */
int	key_public_text(const char *path, struct strbuf *out, struct err *e);

#endif

/*
 * cmd_ids.h -- which versions of objects came by already, by 128 bits of a hash each.
 *
 * Owns:    a table of 16 bytes an id, at most three quarters full.
 * Called:  by cmd_document_read.c, for inputs whose pieces give the same object again.
 * Never:   holds an id.
 */
#ifndef GATEWAY_CMD_IDS_H
#define GATEWAY_CMD_IDS_H

#include "gateway/base/slice.h"

struct ids;

struct ids	*ids_new(void);
void		 ids_free(struct ids *s);	/* NULL is fine */
/* True if this version was there already. */
bool		 ids_add(struct ids *s, struct slice id, struct slice version);

#endif

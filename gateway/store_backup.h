/*
 * store_backup.h -- a whole copy of a store's file, while the node goes on.
 *
 * Owns:    one state of the store in a file of its own: synced, looked through, then under its name.
 * Called:  by `tocsin backup`.
 * Never:   writes to the store, replaces a file that is there, or leaves half a copy under the name.
 */
#ifndef GATEWAY_STORE_BACKUP_H
#define GATEWAY_STORE_BACKUP_H

#include "gateway/base/err.h"

/* -1 and *e if anything fails, ERR_CONFLICT if `to` is there already; then nothing is left. The node's log
 * grows while the copy is made. */
int	store_backup(const char *path, const char *to, struct err *e);

#endif

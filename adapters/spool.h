/*
 * spool.h -- folders that people and scripts drop files into.
 *
 *	PATH/incoming/	files to be taken; names that begin with '.' or end in ".tmp"/".part" are left alone
 *	PATH/done/	taken in, durable
 *	PATH/rejected/	not readable as a whole; NAME.reason beside it says where and why
 *
 * Owns:    looking into incoming/, one file at a time per folder, the moves.
 * Called:  by serve.c (start, reload, drain).
 * Never:   moves a file before intake has acknowledged it: after a crash it is taken again, and the
 *          store knows it. A file that cannot be read or moved right now stays where it is.
 *
 * A file must keep its size and time for one look before it is taken, so that a slow copy is not read
 * half; renaming a finished file into incoming/ is taken at the next look as well.
 */
#ifndef ADAPTERS_SPOOL_H
#define ADAPTERS_SPOOL_H

#include "gateway/base/err.h"

struct gateway;
struct spools;

/* Makes the folders. NULL and *e if one cannot be made. */
struct spools	*spools_new(struct gateway *g, struct err *e);
void		 spools_free(struct spools *s);
/* The spools of the new configuration. */
int		 spools_reload(struct spools *s, struct err *e);
/* How many files were in each incoming/ at the last look. */
struct stats;
void		 spools_figures(const struct spools *s, struct stats *figures);
/* No new files; cb when the one in hand is finished. */
void		 spools_drain(struct spools *s, void (*cb)(void *arg), void *arg);

#endif

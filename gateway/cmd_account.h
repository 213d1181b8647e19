/*
 * cmd_account.h -- what a conversion made of every leaf, in two legs.
 *
 *	input --reading--> STIX --writing--> output
 *
 * Owns:    the entries of both legs, on the disk as they come, and their counts.
 * Called:  by cmd_document*.c (adds), cmd_convert.c (prints).
 * Never:   holds more in memory than one piece of an input says.
 */
#ifndef GATEWAY_CMD_ACCOUNT_H
#define GATEWAY_CMD_ACCOUNT_H

#include <stdio.h>

#include "formats/format.h"

enum leg { LEG_READING, LEG_WRITING, LEGS };

struct account;
struct account	*account_new(void);
void		 account_free(struct account *a);	/* NULL is fine */
/* Where readers and writers put entries for now. NULL `a` gives NULL. */
struct loss	*account_loss(struct account *a);
/* Put by what it holds. `piece`: what its paths are of (NULL: of the whole). */
void		 account_take(struct account *a, enum leg leg, const struct read_piece *piece);
/* How far a leg has come, and back to there. */
struct account_mark {
	uint64_t	size;
	size_t		count[LOSS_KINDS];
};
struct account_mark account_mark(const struct account *a, enum leg leg);
void		 account_cut(struct account *a, enum leg leg, const struct account_mark *to);
size_t		 account_count(const struct account *a, enum leg leg, enum loss_kind kind);
/* "reading: kept 12, approximated 0, ..." */
void		 account_print_counts(const struct account *a, FILE *out);
/* All of it: a line each, or JSON if the name ends in .json. */
int		 account_write(struct account *a, const char *path, struct err *e);

#endif

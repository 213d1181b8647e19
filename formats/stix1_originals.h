/*
 * stix1_originals.h -- the way back of STIX objects that travelled whole in a STIX 1.x package.
 *
 *	take -> intact? emit : derive what the package says -> merge -> mint, emit
 *
 * Owns:    originals (stix1.h) between reading a document and minting its objects.
 * Called:  by stix1_read.c only.
 * Never:   believes an original over a label of the package that is stricter, or over an element that was
 *          changed.
 */
#ifndef FORMATS_STIX1_ORIGINALS_H
#define FORMATS_STIX1_ORIGINALS_H

#include "formats/stix1_read.h"

/* Find them, and take them out of the tree. After s1_find_markings. */
void	s1_originals_take(struct s1 *s);
/* A part that is no residue: it stays in the tree for the account only. */
void	s1_originals_put_by(struct s1 *s, struct xml_node *n);
/* Put them back into the tree for the account, or take them out again. */
void	s1_originals_show(struct s1 *s, bool shown);
/* Each original and what was derived: one of the two goes, or both become one. */
void	s1_originals_merge(struct s1 *s);
/* Those that are taken, into the advisory. */
int	s1_originals_emit(struct s1 *s, struct err *e);

#endif

/*
 * stix20_split.h -- large documents of STIX 2.0, item by item.
 *
 * Owns:    what an item must know of the others: definitions, the name of the whole, who comes last.
 * Called:  by stix20_read.c, which reads the items.
 * Never:   judges an object.
 */
#ifndef FORMATS_STIX20_SPLIT_H
#define FORMATS_STIX20_SPLIT_H

#include "formats/format.h"

extern const struct format_split stix20_split;

/* Read the item job->piece. *rest: something of it needs the extension-definition of residue, which `rest`
 * NULL adds where the whole has it. */
int		 stix20_read_piece(const struct read_job *job, struct arena *mem, struct advisory *adv,
		    bool *rest, struct err *e);
/* The tree (of 2.1) of a definition, or NULL. */
json		*stix20_whole_definition(const struct whole *w, struct slice id);
/* The id of the whole; the bundle itself, if its members are for this piece to account for (else NULL); how
 * much was remarked before. */
struct slice	 stix20_piece_begin(const struct read_piece *piece, const json **root, size_t *remarks);
/* True if the extension-definition is for this piece to add. */
bool		 stix20_piece_end(const struct read_piece *piece, size_t remarks);

#endif

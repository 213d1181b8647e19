/*
 * iodef2_restore.h -- the originals found in an IODEF document.
 *
 * Owns:    struct ir_originals.
 * Called:  by iodef2_restore.c, which finds and emits them, and iodef2_merge.c, which puts edits in.
 * Never:   trusts them: they are as good as their sender, and never laxer than the element around.
 */
#ifndef FORMATS_IODEF2_RESTORE_H
#define FORMATS_IODEF2_RESTORE_H

#include "formats/iodef2_read.h"

/* The elements that were made of an original. */
struct ir_cover {
	struct xml_node	**v;
	size_t		 n, cap;
	bool		 intact;
};

struct ir_original {
	struct xml_node	*data;		/* the AdditionalData it travelled in */
	struct object	 o;
	struct ir_cover	 cover;
	struct ir_label	 native;	/* what holds for the AdditionalData */
	size_t		 order;		/* in the bundle, from 1; 0 = not named there */
	bool		 ignored;	/* a double */
	bool		 raised;	/* the element's label took the place of its own */
	bool		 changed;	/* its tree is no longer what its bytes say */
};

struct ir_originals {
	struct ir		*r;
	struct ir_original	*v;
	size_t			 n, cap;
	struct idmap		 by_id;
	struct slice		 bundle_id;
	struct slice		 csirt;		/* the name that the writer gave itself; empty if unsaid */
	bool			 exact;		/* untouched: nothing but originals comes out */
};

void	ir_originals_read(struct ir *r, struct ir_originals *os);
/* The originals that count, *n of them, in bundle order; those that the bundle does not name behind. */
struct ir_original **ir_in_order(struct ir_originals *os, size_t *n);
/* Make a changed object a new version: at GenerationTime, else at the time of arrival, else a little
 * later than before. */
void	ir_bump(struct ir *r, struct ir_original *o, struct slice generated);
/* Put edits into the originals; what was derived natively and is explained by originals is taken out
 * of r->incidents, so that only new objects are left there. */
void	ir_merge(struct ir_originals *os);

#endif

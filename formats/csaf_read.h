/*
 * csaf_read.h -- STIX originals that travelled through CSAF (csaf.h, 2).
 *
 * Owns:    taking them out of the notes of a document, and bringing them back.
 * Called:  by csaf_read.c.
 * Never:   believes them more than what came in beside them: they are checked like any object, and the
 *          label of the document wins over a weaker one inside.
 */
#ifndef FORMATS_CSAF_READ_H
#define FORMATS_CSAF_READ_H

#include "formats/csaf.h"

struct csaf_original {
	struct object	 o;
	size_t		 note;		/* index in document.notes */
	bool		 twin;		/* says what one before says */
	bool		 ignored;	/* contradicts one before, or a native change took it away */
	bool		 changed;	/* the tree is no longer what bytes say */
	bool		 raised;	/* it has the label of the document now */
};

/* What was found in the notes of one document. */
struct csaf_originals {
	struct csaf_original	*v;
	size_t			 n, cap;
	size_t			 notes;		/* of ours, in the document */
	size_t			 note_bytes;	/* of their texts */
	struct idmap		 by_id;
	struct slice		 bundle_id, csirt, hash;
	size_t			 count;		/* that the bundle note tells */
	json			*rest;		/* the root without these notes */
	bool			 merged;	/* they are the document: its own report is theirs */
};

/* True for a note of ours. */
bool	csaf_is_ours(const json *note);

typedef void	csaf_warn_fn(void *ctx, const char *code, const char *path, const char *reason);

/* Take the notes of ours out: os->rest is root, or a copy without them. */
void	csaf_originals_take(struct csaf_originals *os, struct arena *mem, json *root, csaf_warn_fn *warn,
	    void *ctx);
/* The document is exactly what was written of these originals, and one of them explains its label. */
bool	csaf_originals_fit(struct csaf_originals *os, struct arena *mem);
/* What is told twice is told once: where the originals are no exact copy of a bundle. */
void	csaf_originals_drop_twins(struct csaf_originals *os);
/* Compare the three sides and change the originals (csaf_merge.c); what is new natively stays in
 * r. */
void	csaf_originals_merge(struct csaf_originals *os, struct csaf_reading *r, csaf_warn_fn *warn,
	    void *ctx);
/* Raise the originals to the label of the document where it is not explained by one of them. */
void	csaf_originals_raise(struct csaf_originals *os, struct csaf_reading *r, csaf_warn_fn *warn,
	    void *ctx);
/* Give a changed object a later version than it had. */
void	csaf_bump(struct arena *mem, json *tree, struct slice modified);
/* Add them to the advisory. */
int	csaf_originals_emit(struct csaf_originals *os, struct csaf_reading *r, struct advisory *adv,
	    csaf_warn_fn *warn, void *ctx, struct err *e);

/* The place of "a.b[2].c" in a JSON text; of the innermost that is there when it is missing. */
struct pos	csaf_place(struct slice text, struct slice path);

#endif

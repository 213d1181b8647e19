/*
 * taxii20_manifest.h -- a page of a TAXII 2.0 manifest: an entry an object, with all versions asked for.
 *
 * Owns:    the objects of the page in their order, and the versions that are found of them afterwards.
 * Called:  by taxii20_list.c.
 * Never:   asks the store.
 */
#ifndef ADAPTERS_TAXII20_MANIFEST_H
#define ADAPTERS_TAXII20_MANIFEST_H

#include "gateway/store.h"

struct strbuf;

/* One version of an object. */
struct taxii20_version {
	struct slice	id, shown, key;
	int64_t		date_us;
	struct slice	served;		/* its id for clients of 2.0; empty: the same */
};

struct taxii20_versions {
	struct taxii20_version *v;
	size_t		 n, cap;
};

/* All zero: empty. Everything lies in the arena that is given. */
struct taxii20_manifest {
	struct taxii20_versions objects;	/* each by the version that gives its place and its date */
	struct taxii20_versions all;		/* empty: that version is all there is to say */
};

void	taxii20_manifest_add(struct taxii20_versions *vs, struct arena *mem, const struct store_row *row);
/* The entries, without the end of the list. */
void	taxii20_manifest_write(struct taxii20_manifest *m, struct arena *mem, struct strbuf *out);

#endif

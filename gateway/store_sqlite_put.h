/*
 * store_sqlite_put.h -- a transaction of puts under way, for the two files that do it.
 *
 *	store_sqlite_put.c	 each put: known, new or in conflict; sources, copies, who shall get it; and
 *				 the collections where it was put
 *	store_sqlite_put_join.c	 then the views: supporting objects first
 *
 * Owns:    struct putting and struct one, which live as long as the transaction.
 * Called:  by nobody else.
 * Never:   outlives the commit.
 */
#ifndef GATEWAY_STORE_SQLITE_PUT_H
#define GATEWAY_STORE_SQLITE_PUT_H

#include "gateway/store_sqlite.h"

/* One transaction at work. */
struct putting {
	struct sq		*q;
	struct store_txn	*t;
	struct arena		*mem;
	struct party		*source;
	int64_t			 mid;		/* of its message; 0 until something needs it */
	int64_t			 now_us;
	struct copies		*groups;	/* hash table by fingerprint: groups met already */
	size_t			 ngroups;	/* its size, a power of two */
};

/* One put at work. */
struct one {
	struct store_put	*p;
	int64_t			 vid, obj, key, date_us;
	struct slice		 spec;		/* as stored */
	bool			 new_id;	/* no version of the id was known */
	bool			 supports;	/* may have been brought into a view by what names it */
	bool			 looked;	/* copies are filled */
	int64_t			 shown_us;	/* date in the first collection */
	struct copies		 copies;
};

/* The copies of o->copies.of, as this put sees them. */
int	sq_put_copies(struct putting *w, struct one *o, struct err *e);
/* Join the collections where it was put. */
int	sq_put_kept(struct putting *w, struct one *o, bool new_version, struct err *e);
/* Views, for all puts of the transaction. */
int	sq_put_views(struct putting *w, struct one *all, struct err *e);

#endif

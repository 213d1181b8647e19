/*
 * store_check.h -- is the file of a store whole, and if not, what is lost?
 *
 * Owns:    looking at every page, every object's bytes against their hash, the tables against each other,
 *          dates, classes, counts, and the chain of audit records.
 * Called:  by `tocsin check --store`; the node may be running: it reads one state of the file, and the log
 *          grows until it has finished.
 * Never:   writes or mends. What is damaged is named, so that a backup or a partner can bring it back.
 */
#ifndef GATEWAY_STORE_CHECK_H
#define GATEWAY_STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

/* One thing that is not as it should be. */
struct store_finding {
	const char	*part;		/* page object membership source delivery count date audit */
	struct slice	 id;		/* of the object; empty if that is not known (any more) */
	const char	*collections;	/* that list it: "advisories, indicators"; or "" */
	const char	*text;		/* what is wrong */
};
typedef void store_finding_cb(void *ctx, const struct store_finding *f);

struct store_check {
	struct slice	 audit_key;	/* 32 bytes */
	bool		 quick;		/* pages and counts only: neither bytes nor indexes nor audit */
	store_finding_cb *found;	/* called for the first STORE_FINDINGS */
	void		*ctx;
	/* what was looked at; 0 where it could not be */
	uint64_t	 pages, objects, versions, members, audit_records;
	uint64_t	 findings;
};
enum { STORE_FINDINGS = 1000 };

/* 0 when it was looked through, whatever was found; -1 and *e if the file cannot be looked at. */
int	store_check_file(const char *path, struct store_check *c, struct err *e);

#endif

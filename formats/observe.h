/*
 * observe.h -- what a pattern looks for, as facts about observables; and the way back.
 *
 *	[a:b = 1 OR a:b = 2] OR [a:b IN (2, 3)]		a:b is 1, 2 or 3
 *	[(a:b = 1 AND (a:c = 2)) AND a:b = 1]		all of: a:b is 1; a:c is 2
 *	[a:b = 1] AND [a:c = 2]				all of, apart: a:b is 1; a:c is 2
 *	[a:b != 1 AND a:b NOT IN (2, 3)]		a:b is not 1, 2 or 3
 *	[ipv4-addr:value ISSUBSET '192.0.2.0/24']	ipv4-addr:value is 192.0.2.0/24
 *
 * Owns:    one shape for all spellings of a meaning, what is in it that no list of observables can say,
 *          and the pattern of a shape. pattern_canonical of that is the canonical form of the pattern.
 * Called:  by the formats that say patterns in words of their own: flat, cybox, iodef2, misp, mapped.
 * Never:   knows their words, changes a value, or evaluates anything. What came first stays first.
 */
#ifndef FORMATS_OBSERVE_H
#define FORMATS_OBSERVE_H

#include "formats/pattern.h"

enum sought_kind {
	SOUGHT_FACT,
	SOUGHT_ALL, SOUGHT_ANY,	/* kids: 2 or more, none of the same kind, no two alike */
	SOUGHT_IN_TURN		/* FOLLOWEDBY */
};

/* What there is in it, here or below. */
enum {
	SOUGHT_CHOICE	= 1 << 0,	/* SOUGHT_ANY, or a fact of several values */
	SOUGHT_DENIED	= 1 << 1,	/* something must not be */
	SOUGHT_COMPARED	= 1 << 2,	/* otherwise than by equality */
	SOUGHT_NOTHING	= 1 << 3,	/* IN (): nothing is that */
	SOUGHT_APART	= 1 << 4,	/* all of several observations: each may be another event */
	SOUGHT_ORDERED	= 1 << 5,	/* FOLLOWEDBY, WITHIN, REPEATS */
	SOUGHT_WHEN	= 1 << 6	/* START, STOP */
};

struct sought {
	enum sought_kind	 kind;
	unsigned		 has;
	/* More than IN, OR and parentheses is not as it was written: the name of a hash, a LIKE, NOT =,
	 * [a] OR [b]. */
	bool			 respelled;
	/* Kids are observations, not parts of one. A tree that is not apart is one observation. */
	bool			 apart;
	struct sought		**kids;
	size_t			 nkids;
	/* Of observations. One kid that is apart: qualifiers on both sides of a parenthesis. */
	struct pat_qualifier	*quals;
	size_t			 nquals;

	/* SOUGHT_FACT: one of the values, or (denied) none of them, is there. */
	struct slice		 object;
	struct slice		 path;		/* "file:hashes.'SHA-256'", STIX hash names */
	struct slice		 loose;		/* the same with every index as [*] */
	const struct pat_step	*steps;
	size_t			 nsteps;
	/* PAT_EQ: equal, or within that network. PAT_NE ("some value differs"): only where the path
	 * has [*]. PAT_IN: never. Others: one value; EXISTS none. */
	enum pat_op		 op;
	bool			 denied;
	struct pat_literal	*values;
	size_t			 nvalues;
};

/* Always succeeds; what cannot be said with observables is in `has`. Borrows from the pattern. */
struct sought	*observe_reduce(const struct pat_node *p, struct arena *mem);
/* The whole pattern again. */
struct pat_node	*observe_expand(const struct sought *s, struct arena *mem);
/* What stands between brackets, without them. */
struct pat_node	*observe_comparison(const struct sought *s, struct arena *mem);

/* The path is that of an address, and the value a network in which addresses are. */
bool		 observe_is_network(const struct sought *fact, struct slice value);
/* "ipv4-addr:value", without "ipv4-addr:". */
struct slice	 observe_property(const struct sought *fact);
/* The name of the hash ("SHA-256") that the fact is about; empty if it is about none. */
struct slice	 observe_hash(const struct sought *fact);
/* One value at least, equal to it, not denied. */
bool		 observe_is_plain(const struct sought *fact);
/* The alternatives of s: what it has kids for, or s alone. */
const struct sought *const *observe_ways(const struct sought *const *s, size_t *n);
/* The facts that must hold together: of one observation, without a choice between several; else NULL. */
const struct sought *const *observe_facts(const struct sought *const *s, size_t *n);

#endif

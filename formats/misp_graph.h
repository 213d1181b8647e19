/*
 * misp_graph.h -- an observable with those that it refers to, by the paths of patterns.
 *
 *	"email-message:from_ref.value" = a@b	-->	email-message --from_ref--> email-addr
 *
 * Owns:    making observables from paths and values, and saying paths and values of observables.
 * Called:  by the MISP reader (sets, then takes the trees) and writer (walks).
 * Never:   knows attributes or objects of MISP.
 */
#ifndef FORMATS_MISP_GRAPH_H
#define FORMATS_MISP_GRAPH_H

#include "formats/misp.h"

struct misp_graph;

struct misp_graph	*misp_graph_new(struct arena *mem, const char *root);
/* Put a canonical value in; false if the path is full, or does not start at the root's type. */
bool misp_graph_set(struct misp_graph *g, const struct misp_path *p, struct slice value);
/* The type of the root, "ip-addr" resolved by what was set. */
struct slice	 misp_graph_root(const struct misp_graph *g);
/* Complete trees with ids, what is referred to first; the root is the last. `seed` makes the id of an
 * observable that has no deterministic one. *n trees; NULL if one is nothing the standard allows. */
json		**misp_graph_trees(struct misp_graph *g, struct slice seed, size_t *n);

/* One value of an observable or a pattern. */
struct misp_fact {
	struct slice	 path;		/* "file:hashes.'SHA-256'" */
	struct slice	 value;
	const json	*leaf;		/* where it stands; NULL in a pattern */
	const json	*owner;		/* the observable that has it */
	bool		 used;
};
struct misp_facts {
	struct misp_fact	*v;
	size_t			 n, cap;
	bool			 all;	/* nothing else is said: every value is among them */
};
void		 misp_facts_add(struct misp_facts *f, struct arena *mem, struct misp_fact fact);
/* Every value of an observable and of what it refers to; `find` gives the tree of an id. */
void		 misp_facts_of_sco(struct misp_facts *f, struct arena *mem, const json *root,
		    object_find_fn find, void *ctx);
/* Every value of a pattern that is one bracket of equality tests joined by AND; `all` tells. With OR over
 * one path, or IN: *alternatives is true, and any of them will do. */
struct pat_node;
void misp_facts_of_pattern(
    struct misp_facts *f, struct arena *mem, const struct pat_node *p, bool *alternatives);

#endif

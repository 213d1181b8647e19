/*
 * ledger.h -- what a reader or writer did with each node of a JSON tree, and what follows from it.
 *
 * Owns:    marks on nodes; the account made of them; the rest of a tree that goes into an extension, and
 *          its way back.
 * Called:  by formats whose text is JSON (XML trees carry marks of their own, xml.h).
 * Never:   changes the tree that it keeps marks of.
 *
 * A mark speaks for the node and for everything below it that has no mark of its own. A leaf is a
 * scalar, or an empty list or object.
 */
#ifndef FORMATS_LEDGER_H
#define FORMATS_LEDGER_H

#include "formats/loss.h"
#include "gateway/base/json.h"

struct ledger;

struct ledger	*ledger_new(struct arena *mem);
/* The last mark of a node counts. NULL nodes are fine. `note` (NULL: none) must outlive the ledger. */
void		 ledger_mark(struct ledger *l, const json *node, enum loss_kind kind, const char *note);
/* Mark the member of that name, if there is one, and return it: a reader says "kept" where it looks. */
json		*ledger_take(struct ledger *l, const json *o, const char *name, enum loss_kind kind);
/* Record every leaf below `top`, as PREFIX/name[2]/name; `otherwise` where nothing is marked. An empty
 * prefix is left out. */
void		 ledger_account(const struct ledger *l, struct loss *loss, const json *top,
		    const char *prefix, enum loss_kind otherwise, const char *note);
/* A copy of what the target does not say exactly: leaves that are approximated, moved or not marked at all;
 * dropped ones are not in it. NULL if nothing is left. An object holds the members of which something is
 * left. A list in which something is left has all its places, null where nothing is. */
json		*ledger_rest(const struct ledger *l, struct arena *mem, const json *top);
/* Put a rest back under a tree that was made anew: members that it lacks are added; of those it has,
 * objects and lists of equal length are gone into, and scalars are replaced if the rest is `exact` (nobody
 * has edited what the tree was made of). Lists of other lengths stay as the tree has them. */
void		 ledger_restore(struct arena *mem, json *into, const json *rest, bool exact);

#endif

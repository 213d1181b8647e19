/*
 * stix21_lean.h -- a large STIX document, taken apart into its objects without a tree of the whole.
 *
 * Owns:    finding the objects of a bundle or envelope in its text (a tree of 100 MB of JSON takes 600 MB).
 * Called:  by stix21.c, for jobs that say `lean`, by stix21_split.c and stix20_split.c.
 * Never:   judges: whatever is odd about a document is left to the usual way, so that both say the same.
 */
#ifndef FORMATS_STIX21_LEAN_H
#define FORMATS_STIX21_LEAN_H

#include "formats/format.h"
#include "gateway/base/json_walk.h"

/* Fill *doc: items with text and offset, and trees of marking-definitions alone; root with all members but
 * `objects`. False if it is no such document, or not beyond doubt a good one. */
bool	stix21_lean_find(const struct read_job *job, struct arena *mem, struct json_doc *doc);
/* The root with all members but `objects`, and the text of that list; NULL if it is no such document, or
 * not beyond doubt a good one as far as its root goes. */
json	*stix21_lean_open(const struct read_job *job, struct arena *mem, struct slice *objects);
/* The list of a document that is a container (*root as above) or just a list (NULL; not in strict mode). */
bool	stix21_lean_list(const struct read_job *job, struct arena *mem, json **root, struct slice *objects);
/* Every item of that list. */
bool	stix21_lean_each(const struct read_job *job, struct slice objects, json_walk_fn *fn, void *arg);
/* Does the text of an item say that it is a marking-definition, or may it? */
bool	stix21_lean_is_definition(struct slice item);
/* Parse one item into `mem`; NULL if the usual parser would refuse the document for it. */
json	*stix21_lean_tree(const struct read_job *job, struct slice text, struct arena *mem);
/* Move the header out of the arena that its object was parsed in; of the tree only those members stay that
 * advisory_settle looks at. `before`: the object before it (NULL: none), with which it may share texts. */
void	stix21_lean_keep(struct object *o, const struct object *before, struct arena *mem);

#endif

/*
 * xml_walk.h -- walking an XML tree leaf by leaf, with the path of each: accounts and residue.
 *
 * Owns:    ordinals of children among equal names in time linear in the document, path texts, the
 *          account of a tree's leaves from their marks, and the hash that says whether an object is
 *          still what was derived.
 * Called:  by readers of XML formats that keep residue (stix1_keep.c, iodef2_keep.c).
 * Never:   changes more of a tree than its marks.
 */
#ifndef FORMATS_XML_WALK_H
#define FORMATS_XML_WALK_H

#include "formats/loss.h"
#include "formats/xml.h"
#include "gateway/base/json.h"

/* Ordinals of children among equal names, asked for in document order. A few names are counted as they
 * come; a parent with many children has all of them sorted once, so that no input makes this slow. */
enum { XML_NAMES_MAX = 16 };
struct xml_names {
	struct slice	name[XML_NAMES_MAX];
	size_t		count[XML_NAMES_MAX];
	size_t		n;
	size_t		*all;		/* ordinals of all children, NULL while counting */
	size_t		next;		/* index of the next child in `all` */
};
#define XML_NAMES_INIT	{ .n = 0, .all = NULL }
/* The ordinal of the next child element n, from 1. */
size_t	xml_next_ordinal(struct arena *mem, struct xml_names *t, const struct xml_node *n);

/* Append "/Name[3]" or "/@p:name" (no slash at the start). */
void	xml_add_step(struct strbuf *path, const struct xml_node *n, size_t ordinal);
void	xml_add_attr_step(struct strbuf *path, const struct xml_attr *a);

/* Mark an element and its own text; or all of it, with attributes and below. NULL is fine. */
void	xml_mark_own(struct xml_node *n, enum xml_mark mark);
void	xml_mark_all(struct xml_node *n, enum xml_mark mark);
/* True if any part of n has a mark. */
bool	xml_was_touched(const struct xml_node *n);

/* Enter every leaf of `root` by its mark: an attribute, a run of text, or an element with nothing in it.
 * XML_UNSEEN and XML_MOVED are moved. Paths are below `root`, behind `prefix` ("" or "Path[1]").
 * xsi:schemaLocation is dropped: never followed. NULL `l`: nothing is done. */
struct xml_account {
	const char	*moved, *approximated, *dropped;	/* notes */
};
void	xml_account(struct loss *l, struct arena *mem, const struct xml_node *root,
	    const char *prefix, const struct xml_account *notes);

/* JSON text with what XML cannot hold as \uXXXX: the same value; `text` itself if it has nothing of
 * that. */
struct slice	xml_safe_json(struct arena *mem, struct slice text);

/* SHA-256, in hex, over the canonical JSON of the object without extensions[extension] (and without
 * `extensions` if nothing else is there), and without object_refs for a report. */
void	residue_object_hash(const json *object, const char *extension, char out[65]);

#endif

/*
 * iodef_carry.h -- a document of one dialect of IODEF in another, without loss.
 *
 * A *part* is an element that both dialects have, and that has AdditionalData in both. Each part is
 * translated for itself, with the parts inside left out (IODEF1_PART marks their places). Then it
 * is translated back; where that does not give what it was, the part as it was goes along whole, as
 * the text of an AdditionalData with a name of the way (text: readers that check schemas must not
 * see half a part). On the way back such a part counts only if, translated natively, it is exactly
 * what stands beside it: an edit of the native elements wins, and nobody can say one thing natively
 * and another one in the carried part. The AdditionalData bears a restriction if something in it is
 * stricter than the part; if somebody made that stricter, the whole part becomes as strict.
 *
 * Owns:    the walk over parts. What is native is the dialect's to say.
 * Called:  by iodef1_ways.c and iodef_json*.c.
 * Never:   makes a label weaker.
 */
#ifndef FORMATS_IODEF_CARRY_H
#define FORMATS_IODEF_CARRY_H

#include "formats/iodef2.h"

#define IODEF1_NS_PART		"urn:tocsin:iodef1"
#define IODEF1_PART		"part"

/* A part, and the parents below which it is one. */
struct iodef_part {
	const char	*name, *parents;
};
extern const struct iodef_part iodef1_parts[];		/* ends with name NULL */

/* One element natively, with what is below it. */
typedef struct xml_node *iodef_native_fn(struct arena *mem, const struct xml_node *n);

struct iodef_way {
	const struct iodef_model	*from, *to;
	iodef_native_fn			*forth, *back;
	const char			*takes;	/* name of AdditionalData to look for; NULL: none */
	const char			*adds;	/* name of those to make; NULL: none */
	const struct iodef_part		*parts;
};

/* The whole document. `made_of` of the result: elements point to the element of the input,
 * attributes and texts to its mark (enum xml_mark *). What is marked XML_DROPPED is left out. */
struct xml_node	*iodef_carry(const struct iodef_way *way, struct arena *mem, const struct xml_node *doc);
/* Insert a child where the schema wants it, also between the places of parts. */
void		 iodef1_insert(const struct iodef_model *m, struct xml_node *parent,
		    struct xml_node *child);
/* The marks of what iodef_carry made go to what it was made of. */
void		 iodef_take_marks(const struct xml_node *n);

#endif

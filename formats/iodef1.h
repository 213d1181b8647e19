/*
 * iodef1.h -- IODEF v1 (RFC 5070) as a dialect of v2: a tree of either version for each tree of the other.
 *
 *	natively	element by element, what both versions can say		(iodef1_up.c, iodef1_down.c)
 *	carried		what only one of them can say travels in the other	(iodef1_carry.c)
 *
 * A *part* is an element that both versions have, and that has AdditionalData in both: the document, an
 * Incident, Contact, Method, EventData, System, RecordData or HistoryItem. Each part is translated for
 * itself, with the parts inside left out (IODEF1_PART marks their places). Then it is translated back;
 * where that does not give what it was, the part as it was goes along whole:
 *
 *	v1 in v2	<AdditionalData name="iodef-v1" dtype="xml"> the part as v1
 *	v2 in v1	<AdditionalData meaning="[iodef-v2]" dtype="xml"> the part as v2
 *
 * On the way back such a part counts only if, translated natively, it is exactly what stands beside it: an
 * edit of the native elements wins, and nobody can say one thing natively and another one in the carried
 * part. The element bears a restriction if something in it is stricter than the part.
 *
 * AdditionalData of v1 has no name, and the words of its restriction are fewer: both stand in brackets before
 * its meaning, "[stix-object =amber] original object ...". A word there counts only if it is written as the
 * word beside it in v1. "@document": the element belongs to the IODEF-Document, which has none in v1; it
 * stands in the first Incident.
 *
 * Restrictions in v1: CLEAR `public`, RED `private`, `default` as it is, all others `need-to-know`, which reads
 * as AMBER+STRICT: never weaker.
 *
 * Owns:    the two directions, and format_iodef1.
 * Called:  by formats/iodef1*.c and rid*.c.
 * Never:   makes objects: iodef2_read_tree and iodef2_write_tree do.
 */
#ifndef FORMATS_IODEF1_H
#define FORMATS_IODEF1_H

#include "formats/iodef2.h"

#define IODEF1_NS_PART		"urn:tocsin:iodef1"
#define IODEF1_PART		"part"
#define IODEF1_CARRIED_V1	"iodef-v1"
#define IODEF1_CARRIED_V2	"iodef-v2"

/* Whole documents. `made_of` of the result: elements point to the element of the input, attributes and
 * texts to its mark (enum xml_mark *). What is marked XML_DROPPED is left out. */
struct xml_node	*iodef1_up(struct arena *mem, const struct xml_node *v1);
struct xml_node	*iodef1_down(struct arena *mem, const struct xml_node *v2);

/* One element with what is below it, natively; NULL if the other version has no such thing. */
struct xml_node	*iodef1_native_up(struct arena *mem, const struct xml_node *v1);
struct xml_node	*iodef1_native_down(struct arena *mem, const struct xml_node *v2);

/* Insert a child where the schema wants it, also between the places of parts. */
void			 iodef1_insert(const struct iodef_model *m, struct xml_node *parent,
			    struct xml_node *child);

/* "[NAME =WORD @document] MEANING" of an AdditionalData in v1. */
struct iodef1_meaning {
	struct slice	name, word, rest;
	bool		document;
};
struct iodef1_meaning	iodef1_meaning_read(struct slice s);
const char		*iodef1_restriction_word(enum tlp t);

/* What a word of v1 says about an Impact in v2: the element, its type and ext-type (NULL: none). */
struct iodef1_impact {
	const char	*element, *type, *ext;
};
struct iodef1_impact	iodef1_impact_up(struct slice type, struct slice ext);
/* Attributes of software in v1, in the order they are told; ends with NULL. */
extern const char *const iodef1_software[];

/* Read a tree of v1: what format_iodef1 does after it has parsed. `job->in` is only hashed. */
int	iodef1_read_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
	    struct advisory *adv, struct err *e);

#endif

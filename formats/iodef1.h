/*
 * iodef1.h -- IODEF v1 (RFC 5070) as a dialect of v2: a tree of either version for each tree of the
 * other.
 *
 *	natively	element by element, what both can say	(iodef1_up.c, iodef1_down.c)
 *	carried		what only one of them can say		(iodef1_ways.c, iodef_carry.h)
 *
 *	v1 in v2	<AdditionalData name="iodef-v1" dtype="xml"> the part as text of v1
 *	v2 in v1	<AdditionalData meaning="[iodef-v2]" dtype="xml"> the part as text of v2
 *
 * AdditionalData of v1 has no name, and the words of its restriction are fewer: both stand in
 * brackets before its meaning, "[stix-object =amber] original object ...". A word there counts only
 * if it is written as the word beside it in v1. "@document": the element belongs to the
 * IODEF-Document, which has none in v1; it stands in the first Incident.
 *
 * Restrictions in v1: CLEAR `public`, RED `private`, `default` as it is, all others `need-to-know`,
 * which reads as AMBER+STRICT: never weaker.
 *
 * Owns:    the two directions, and format_iodef1.
 * Called:  by formats/iodef1*.c and rid*.c.
 * Never:   makes objects: iodef2_read_tree and iodef2_write_tree do.
 */
#ifndef FORMATS_IODEF1_H
#define FORMATS_IODEF1_H

#include "formats/iodef2.h"
#include "formats/iodef_carry.h"

#define IODEF1_CARRIED_V1	"iodef-v1"
#define IODEF1_CARRIED_V2	"iodef-v2"

/* Whole documents, as iodef_carry. */
struct xml_node	*iodef1_up(struct arena *mem, const struct xml_node *v1);
struct xml_node	*iodef1_down(struct arena *mem, const struct xml_node *v2);

/* One element with what is below it, natively; NULL if the other version has no such thing. */
struct xml_node	*iodef1_native_up(struct arena *mem, const struct xml_node *v1);
struct xml_node	*iodef1_native_down(struct arena *mem, const struct xml_node *v2);

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

/* Read a tree of v1: what format_iodef1 does after it has parsed. `job->in` is only hashed; `path`
 * is where the document stands in the input, "" if it is all of that. */
int	iodef1_read_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
	    const char *path, struct advisory *adv, struct err *e);

#endif

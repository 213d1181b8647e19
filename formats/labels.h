/*
 * labels.h -- what do the markings of an object say?
 *
 * Owns:    reading marking-definitions (TLP 1.0 and 2.0, PAP, statements, ACS/AIS), the markings and the
 *          tags of one object into levels, a case and flags.
 * Called:  by object_fill and object_skim; stix21_check.c for the level of a definition.
 * Never:   decides what an absent or unreadable label means (rulings 10: policy does).
 *
 * The nine fixed ids are read by id alone: a definition in the message that says otherwise is a
 * forgery and changes nothing. Any other id must be resolved in the same message.
 *
 * A granular marking on an object without a label of its own gives a *floor*: `label` stays
 * LABEL_ABSENT (or OTHER) and `tlp` is the granular level, so policy takes the stricter of its
 * `unmarked` rule and `tlp`.
 */
#ifndef FORMATS_LABELS_H
#define FORMATS_LABELS_H

#include "formats/object.h"

struct labels {
	enum tlp	tlp;		/* strictest of object and granular markings */
	enum label_case	label;
	enum pap	pap;		/* strictest of its own markings and tags */
	uint32_t	flags;		/* OBJECT_GRANULAR, _CLASSIFIED, _EXERCISE, _EMBARGO */
	struct slice	desk;		/* behind the first tag `embargo:` */
};

/* The members of an object that speak of handling; NULL where it has none. */
struct labels_members {
	const json	*refs;		/* object_marking_refs */
	const json	*granular;	/* granular_markings */
	const json	*tags;		/* labels */
};

/* Read them. `definition`: the object, if it is a marking-definition itself. */
void	labels_read_members(const struct labels_members *m, const json *definition, object_find_fn find,
	    void *ctx, struct labels *out);
/* Read object_marking_refs, granular_markings and the label tags of `tree`. OBJECT_CLASSIFIED is told
 * of marking-definitions only: their text is searched once, and advisory_settle hands the flag on to
 * what they mark. */
void	labels_read(const json *tree, object_find_fn find, void *ctx, struct labels *out);
/* What a tag says: LABEL_TLP (*level set), LABEL_UNREADABLE for an unknown word of TLP, LABEL_ABSENT for
 * all others. */
enum label_case	labels_of_tag(struct slice tag, enum tlp *level);
/* One tag of `labels`, and one fixed marking; false if the id is not one of ours. For object_skim. */
void	labels_add_tag(struct labels *l, struct slice tag);
bool	labels_add_fixed(struct labels *l, struct slice id);
/* The stronger of two cases: what cannot be read outweighs what can, and that outweighs nothing. */
enum label_case	labels_stronger(enum label_case a, enum label_case b);
/* What one definition says: LABEL_TLP (*level set), LABEL_OTHER or LABEL_UNREADABLE. */
enum label_case	labels_of_definition(const json *def, enum tlp *level);

#endif

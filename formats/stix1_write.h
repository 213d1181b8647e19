/*
 * stix1_write.h -- the inside of the STIX 1.2 writer: one pass from objects to a package.
 *
 *	_plan.c		which object becomes which element, which wrapper holds a relationship
 *	_label.c	the word of 1.x that is not weaker, and its Handling
 *	_parts.c	what many elements have alike
 *	_object.c _indicator.c _observable.c	an element each
 *	_home.c		what came from STIX 1.x as it was
 *	_original.c	objects that travel whole
 *
 * Owns:    struct sw, the state of one document being written.
 * Called:  by formats/stix1_write*.c only.
 * Never:   puts what an object says below an element whose label is weaker than the object's.
 */
#ifndef FORMATS_STIX1_WRITE_H
#define FORMATS_STIX1_WRITE_H

#include "formats/cybox.h"
#include "formats/idmap.h"
#include "formats/stix1_read.h"

/* Somebody's relationship or sighting, told inside of the element that it belongs to. */
struct sw_edge {
	struct sw_item		*by;		/* the relationship or sighting */
	const struct sw_row	*row;		/* its wrapper; NULL: a sighting, a note */
	struct slice		 other;		/* id at the other end */
	struct sw_edge		*next;
};

struct sw_item {
	const struct object	*o;
	json			*tree;
	enum s1_kind		 kind;		/* S1_KINDS: no element of its own */
	bool			 out;		/* it has an element of its own here */
	bool			 home;		/* it stands in the document that it came from */
	bool			 told;		/* something of it is said */
	enum tlp		 word;		/* label of its element; TLP_UNSET: none */
	struct sw_edge		*edges, **last;
	struct slice		 qname;		/* its id in that document; empty: one of ours */
	struct xml_node		*node;		/* its element there, as it was */
	const json		*residue;	/* of an object that was edited */
	struct xml_node		*element;	/* its own, written here */
	struct sw_item		*in;		/* whose element tells of it */
	char			*hash;		/* of `element`, once asked for */
	bool			 carried;	/* it travels whole */
};

/* What must be known of everything that stands in one element: at least so strict, where unmarked objects
 * count as CLEAR, GREEN, AMBER. */
struct sw_need {
	enum tlp	at[3];
};

struct sw {
	const struct write_job	*job;
	struct arena		*mem;
	struct ledger		*ledger;
	struct sw_item		*items;
	size_t			 n;
	struct idmap		 ids;		/* -> items[] */
	size_t			*newest;	/* where an id begins in `ids`: its newest version */
	struct xml_node		*root;
	struct xml_node		*handling;	/* of the package; made when needed */
	enum tlp		 word;		/* of the element being written */
	bool			 added;		/* something was written */
	const char		*ids_uri;	/* what the prefix of our ids is bound to */
};

#define SW_PREFIX "tocsin"

/* A wrapper between two kinds of elements. */
struct sw_row {
	enum s1_kind	 kind, other;
	const char	*list, *wrapper, *inner;
	const char	*verbs;		/* what it says; the first is what a reader takes it for; "": any */
	bool		 back;		/* it stands in the target */
};

/* Elements of kinds. */
struct sw_kind {
	const char	*list, *name;		/* in a package */
	const char	*prefix;		/* of its children */
	const char	*type;			/* xsi:type, NULL: none */
	const char	*source;		/* the child that says who made it and when */
	const char	*order;			/* of its children */
};
extern const struct sw_kind sw_kinds[S1_KINDS];

/* stix1_write_plan.c */
void		 sw_plan(struct sw *w);
struct sw_item	*sw_find(struct sw *w, struct slice id);
struct sw_item	*sw_find_version(struct sw *w, struct slice id, struct slice version_key);
enum s1_kind	 sw_kind_of(struct slice type_or_id);
bool		 sw_verb_is_read(const struct sw_row *row, struct slice source, struct slice verb,
		    struct slice target);

/* stix1_write_label.c */
void		 sw_need(struct sw_need *need, const struct object *o);
enum tlp	 sw_word(const struct sw_need *need);
bool		 sw_covers(enum tlp word, const struct object *o);
bool		 sw_is_as_strict(const struct object *o, const struct sw_need *need);
/* A Handling of these children's owner; `path` is where it leads from its Controlled_Structure. */
void		 sw_handling(struct sw *w, struct sw_item *item, struct xml_node *parent,
		    const char *prefix, const char *up);
/* The same for an Observable, which has no place of its own for it: in the header of the package. */
void		 sw_handling_of(struct sw *w, struct sw_item *item, struct slice element_id);
/* The same for anything of that name and id, with a level alone. */
void		 sw_handling_level(struct sw *w, const char *name, struct slice element_id, enum tlp word);

/* stix1_write_parts.c */
struct xml_node	*sw_el(struct sw *w, struct xml_node *parent, const char *prefix, const char *name);
struct xml_node	*sw_leaf(struct sw *w, struct xml_node *parent, const char *prefix, const char *name,
		    struct slice text);
const char	*sw_uri(const char *prefix);
/* Declare at the root what is declared below, unless it means something else there. */
void		 sw_hoist(struct sw *w, struct xml_node *n);
void		 sw_sort(struct xml_node *n, const char *order);
struct slice	 sw_name(struct sw *w, const char *kind, struct slice id);
struct slice	 sw_id(struct sw *w, struct slice id);
void		 sw_type(struct sw *w, struct xml_node *n, const char *type);
/* The string member of that name, kept with that. */
struct slice	 sw_take(struct sw *w, const json *tree, const char *name);
void		 sw_put(struct sw *w, struct sw_item *item, struct xml_node *n, const char *prefix,
		    const char *name, const char *member);
void		 sw_statement(struct sw *w, struct xml_node *n, const char *prefix, const char *name,
		    struct slice value, const char *vocabulary);
void		 sw_words(struct sw *w, const json *list, struct xml_node *n, const char *prefix,
		    const char *name, enum stix1_vocab vocab, bool statement);
void		 sw_confidence(struct sw *w, const json *tree, struct xml_node *n, const char *prefix);
void		 sw_phases(struct sw *w, struct sw_item *item, struct xml_node *n, const char *prefix);
bool		 sw_identity(struct sw *w, struct xml_node *parent, const char *prefix, const char *name,
		    struct slice id, enum tlp word);
void		 sw_source(struct sw *w, struct sw_item *item, struct xml_node *n, const char *prefix,
		    const char *name);
/* Members that every element of ours says: id, modified, markings. */
void		 sw_common_members(struct sw *w, struct sw_item *item);

/* stix1_write_object.c, _indicator.c, _observable.c */
struct xml_node	*sw_element(struct sw *w, struct sw_item *item);
void		 sw_edges(struct sw *w, struct sw_item *item, struct xml_node *n);
void		 sw_indicator(struct sw *w, struct sw_item *item, struct xml_node *n);
struct xml_node	*sw_observable(struct sw *w, struct sw_item *item);
struct cybox_write sw_cybox(struct sw *w);

/* stix1_write_original.c: when all else is written. */
void		 sw_originals(struct sw *w);

/* stix1_write_home.c */
bool		 sw_go_home(struct sw *w);
void		 sw_add_moved(struct sw *w, struct sw_item *item, struct xml_node *n);
/* A list of the package, made if need be. */
struct xml_node	*sw_list(struct sw *w, struct xml_node *root, enum s1_kind kind);

#endif

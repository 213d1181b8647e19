/*
 * stix1_read.h -- the inside of the STIX 1.x reader: one pass from a document to objects.
 *
 *	units     which elements become objects of their own, who refers to whom     (stix1_units.c)
 *	marking   what each Handling covers; labels                                  (stix1_marking.c)
 *	derive    each unit becomes objects, elements get marks                      (stix1_read_*.c)
 *	relate    wrappers between units become relationships                        (stix1_relate.c)
 *	residue   the XML stays with the object it belongs to; the account           (stix1_keep.c)
 *
 * Owns:    struct s1, the state of one document being read; units, and objects being made.
 * Called:  by formats/stix1_*.c only.
 * Never:   mints before the whole document was derived.
 */
#ifndef FORMATS_STIX1_READ_H
#define FORMATS_STIX1_READ_H

#include "formats/cybox.h"
#include "formats/idmap.h"
#include "formats/pattern.h"
#include "formats/stix1.h"
#include "formats/sdo_list.h"
#include "formats/xml_walk.h"

/* What holds for an element or object. */
struct s1_label {
	enum tlp	 tlp;		/* TLP_UNSET: none */
	enum tlp	 floor;		/* what a part of it says, where that is laxer than no label */
	enum label_case	 label;
	struct s1_said	*said;		/* statements */
};

struct s1_said {
	struct s1_obj	*definition;
	struct s1_said	*next;
};

/* An object on its way. */
struct s1_obj {
	json		*tree;
	struct slice	 id, modified;
	struct s1_label	 label;
	struct xml_node	*from;		/* the first element it came from */
	struct s1_unit	*unit;		/* that it was made for */
	bool		 dead;		/* not minted after all */
	struct slice	 became;	/* id of the original that stands for it */
	bool		 sco, relationship, definition;
	bool		 holds;		/* the XML of an element of its own */
	json		*residue;	/* R, once it has one */
	bool		 hashed;
	char		 hash[65];	/* S */
};

/* What an element became: objects, one of which may hold its XML. */
struct s1_tag {
	struct s1_obj	*ob;
	bool		 unit;
	struct s1_tag	*next;
};

struct s1_cover {			/* a Marking that covers the element and all below it */
	const struct s1_marking	*m;
	struct s1_cover		*next;
};

enum s1_kind {
	S1_PACKAGE, S1_REPORT, S1_INDICATOR, S1_TTP, S1_TARGET, S1_INCIDENT, S1_COA, S1_CAMPAIGN, S1_ACTOR,
	S1_OBSERVABLE, S1_KINDS
};

struct s1_objs {
	struct s1_obj	**v;
	size_t		 n, cap;
};

/* An element that becomes objects of its own. */
struct s1_unit {
	enum s1_kind	 kind;
	struct xml_node	*node;
	struct s1_unit	*up;		/* the unit around it; NULL for the document's root */
	struct slice	 id;		/* as written, else made of its place; never empty */
	bool		 named;		/* it was written */
	struct slice	 ns;		/* URI of the id's prefix, else of the unit around it */
	struct slice	 created, modified;
	struct s1_obj	*creator;	/* NULL: nobody is named */
	struct s1_objs	 faces;		/* what a reference to it means */
	size_t		 made;		/* objects named after its id so far */
	size_t		 nunnamed;	/* units in it without an id so far */
	bool		 refused;
	bool		 replaced;	/* by originals, whole */
};

enum s1_pattern_kind { S1_PAT_NONE, S1_PAT_STIX, S1_PAT_BUSY };
struct s1_pattern {			/* of an Indicator element */
	enum s1_pattern_kind	 kind;
	struct pat_node		*node;
	struct s1_label		 label;	/* of all that went in */
	size_t			 tests;
	bool			 exact;
};

/* xml_node.user */
struct s1_note {
	struct s1_tag		*tags;
	struct s1_cover		*covers;
	size_t			 ncovers;
	struct s1_unit		*unit;
	struct s1_pattern	*pattern;
	struct s1_label		*within;	/* the strictest in it, once asked for */
	bool			 detects;	/* an Observable that an Indicator refers to */
	bool			 wanted;	/* one that something else refers to */
	char			*hash;		/* stix1_element_hash, once asked for */
	struct s1_label		*own;		/* the strictest of what is its own, for originals */
};

struct s1_chain {			/* a phase of a kill chain that the document defines */
	struct slice	 chain, phase;
};

struct s1_original {			/* an object that came whole (stix1_originals.h) */
	struct object	 o;
	struct xml_node	*from;
	struct s1_label	 here;
	size_t		 index, place;
	struct slice	 in, hash;	/* the element that tells of it, and what that was */
	bool		 ignored, taken;
};

struct s1_part {			/* of the tree, put by */
	struct xml_node	*node, *parent;
};

struct s1_originals {
	struct s1_original *v;
	size_t		 n, cap;
	struct idmap	 ids;		/* -> v */
	struct s1_part	*parts;
	size_t		 nparts, parts_cap;
	struct slice	 bundle_id;
	bool		 complete;	/* all that were sent are here */
	bool		 intact;	/* and the package is what was written */
};

struct s1 {
	const struct read_job	*job;
	struct arena		*mem;
	struct advisory		*adv;
	struct xml_node		*doc;
	const char		*path;		/* where it stands in what it came in; "": it is all */
	uint64_t		 seed;		/* from the digest of the input */
	struct slice		 digest;	/* in hex */
	struct idmap		 ids;		/* id -> nodes[] */
	struct xml_node		**nodes;
	size_t			 nnodes, nodes_cap;
	struct idmap		 phases;	/* phase_id -> chains[] */
	struct s1_chain		*chains;
	size_t			 nchains, chains_cap;
	struct s1_unit		**units;	/* in document order */
	size_t			 nunits, units_cap;
	struct s1_objs		 objs;		/* in the order made */
	size_t			*slots, nslots;	/* index of objs by id and version: numbers from 1 */
	struct s1_unit		*unit;		/* being read */
	struct s1_label		*seeing;	/* collects the labels of what references lead to */
	struct cybox_objects	 observables;
	size_t			 warnings;
	size_t			 tests;		/* of patterns, made so far: references multiply them */
	size_t			 cybox_steps;	/* of cybox, so far: so do they there */
	size_t			 steps;		/* of XPath evaluation, made so far */
	size_t			 nstatements;
	const struct s1_marking	*too_many;	/* stands for more than can be followed */
	size_t			 pairs;		/* looked at for relationships */
	struct s1_originals	 originals;
	bool			 untimed;	/* a time was needed and nobody gave one */
};

/* stix1_base.c: notes, marks, texts, times, ids, objects */
struct s1_note	*s1_note(struct s1 *s, struct xml_node *n);	/* made if need be */
void		 s1_warn(struct s1 *s, const struct xml_node *n, const char *code, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));
void		 s1_refuse(struct s1 *s, struct xml_node *n, const char *code, const struct err *e);
/* Text of the element, marked kept; trimmed, or collapsed to one line. NULL gives the empty slice. */
struct slice	 s1_text(struct s1 *s, struct xml_node *n);
struct slice	 s1_line(struct s1 *s, struct xml_node *n);
/* A word of a vocabulary: the same, and its xsi:type is kept. */
struct slice	 s1_word(struct s1 *s, struct xml_node *n);
/* The Value of a Statement element (Intended_Effect, Confidence, ...), or its own text. */
struct slice	 s1_statement(struct s1 *s, struct xml_node *n);
struct slice	 s1_attr(struct xml_node *n, const char *name);		/* marked kept, trimmed */
void		 s1_keep_type(struct xml_node *n);			/* xsi:type was understood */
/* All elements of that name below n, blank lines between them; empty if there are none. */
struct slice	 s1_texts(struct s1 *s, struct xml_node *n, const char *name);
/* A time element or attribute as UTC text; empty if absent or no date. */
struct slice	 s1_time(struct s1 *s, struct xml_node *n);
struct slice	 s1_time_attr(struct s1 *s, struct xml_node *n, const char *name);
struct slice	 s1_time_utc(struct s1 *s, struct slice written);	/* millisecond precision at least */
bool		 s1_before(struct s1 *s, struct slice a, struct slice b);

/* UUIDv5 in the gateway namespace over "stix1|field|field..." with `|` and `\` escaped. */
struct slice	 s1_uuid(struct s1 *s, const struct slice *fields, size_t n);
#define S1_UUID(s, ...)								\
	s1_uuid((s), (const struct slice[]){ __VA_ARGS__ },			\
	    sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))
struct slice	 s1_id(struct s1 *s, const char *type, struct slice uuid);
/* The UUID that ends an id ("example:ttp-UUID"), in lower case; else one made of all of it. */
struct slice	 s1_uuid_of(struct s1 *s, struct slice id);

/* A new object of a unit with the common properties; the first has the UUID of the unit's id, others one
 * of their own. `from` (NULL: the unit's element) becomes its place, and it one of the unit's faces. NULL:
 * there is one of that id and version already, or too many objects. */
struct s1_obj	*s1_new(struct s1 *s, struct s1_unit *u, const char *type, struct xml_node *from);
/* The same with a UUID of the caller's; it is no face of the unit. */
struct s1_obj	*s1_part(struct s1 *s, struct s1_unit *u, const char *type, struct slice uuid,
		    struct xml_node *from);
/* An object that several places may name alike (an identity): `tree` is whole. The one of that id
 * and version made before, if any, with the laxer label if it says the same. */
struct s1_obj	*s1_shared(struct s1 *s, struct s1_unit *u, json *tree, struct s1_label label,
		    struct xml_node *from);
/* An observable of that whole tree: what is said twice is said by the laxer mention. */
struct s1_obj	*s1_sco(struct s1 *s, struct s1_unit *u, json *tree, struct s1_label label,
		    struct xml_node *from);
/* Common properties of a unit's objects, for s1_shared. */
json		*s1_tree(struct s1 *s, struct s1_unit *u, const char *type, struct slice uuid);
struct s1_obj	*s1_relate(struct s1 *s, struct s1_unit *u, struct s1_obj *from, const char *type,
		    struct s1_obj *to, struct xml_node *wrapper);
struct s1_obj	*s1_find(struct s1 *s, struct slice id, struct slice modified);
void		 s1_add(struct s1 *s, struct s1_obj *ob);
void		 s1_tag(struct s1 *s, struct s1_obj *ob, struct xml_node *n);
void		 s1_hold(struct s1 *s, struct s1_obj *ob, struct xml_node *n);	/* it holds the XML of n */
void		 s1_face(struct s1 *s, struct s1_unit *u, struct s1_obj *ob);
bool		 s1_is_full(const struct s1 *s);
/* Names of something: the first is its name, the others are aliases. */
void		 s1_names(struct s1 *s, json *tree, struct xml_node *n);
/* Append a paragraph to `description`. */
void		 s1_describe(struct s1 *s, json *tree, struct slice text);
/* name from Title, description from Descriptions (else Short_Descriptions), confidence, kill chain phases
 * and references, as far as n has them. */
void		 s1_common(struct s1 *s, json *tree, struct xml_node *n);
void		 s1_confidence(struct s1 *s, json *tree, struct xml_node *n);	/* n = the Confidence */
void		 s1_phases(struct s1 *s, json *tree, struct xml_node *n);	/* n has the list */
/* Words of elements `name` below n into the list `property` (mapped), coarse ones into labels too. */
void		 s1_words(struct s1 *s, json *tree, struct xml_node *n, const char *name,
		    enum stix1_vocab vocab, const char *property, const char *otherwise);
/* The same as labels only. */
void		 s1_labels(struct s1 *s, json *tree, struct xml_node *n, const char *name);

/* stix1_units.c */
void		 s1_find_units(struct s1 *s);
/* The element with that id, NULL if there is none. */
struct xml_node	*s1_by_id(const struct s1 *s, struct slice id);
/* A reference: an idref and nothing inside. */
bool		 s1_is_reference(const struct xml_node *n);
struct s1_unit	*s1_unit_of(const struct xml_node *n);	/* made of exactly this element, else NULL */
/* The unit that a reference or an element in place means; NULL if it names nothing here. */
struct s1_unit	*s1_resolve(struct s1 *s, struct xml_node *n);
bool		 s1_has_header(const struct xml_node *package);

/* stix1_marking.c */
void		 s1_find_markings(struct s1 *s);
struct s1_label	 s1_label_here(const struct s1 *s, const struct xml_node *n);
/* The strictest that holds anywhere in n; units inside are not looked at if `own`. */
struct s1_label	 s1_label_within(const struct s1 *s, const struct xml_node *n, bool own);
void		 s1_label_faces(struct s1 *s, struct s1_unit *u);	/* when it has been read */
struct s1_label	 s1_strictest(const struct s1 *s, struct s1_label a, struct s1_label b);
bool		 s1_stricter(struct s1_label a, struct s1_label b);
/* An object is at least as strict as everything in the XML that it holds. */
void		 s1_raise_holders(struct s1 *s, struct s1_obj *bearer);
void		 s1_write_label(struct s1 *s, struct s1_obj *ob);
/* ais-consent labels of the Markings that cover n. */
void		 s1_consent(struct s1 *s, json *tree, const struct xml_node *n);

/* stix1_xpath.c: the nodes that a Controlled_Structure covers, each with all below it. -1: not understood,
 * or it names nothing. */
int		 s1_xpath(struct s1 *s, struct xml_node *at, struct slice path,
		    void (*cover)(void *arg, struct xml_node *n), void *arg);

/* stix1_read_party.c */
/* The identity of an Identity element, NULL if it says nothing. */
struct s1_obj	*s1_identity(struct s1 *s, struct s1_unit *u, struct xml_node *n, struct slice fallback);
bool		 s1_fill_identity(struct s1 *s, json *tree, struct xml_node *n, struct slice fallback);
bool		 s1_is_someone(const struct xml_node *n);
/* Identity of an Information_Source, Producer, Reporter or Source. */
struct s1_obj	*s1_source(struct s1 *s, struct s1_unit *u, struct xml_node *n);
void		 s1_read_times(struct s1 *s);	/* of all units */
void		 s1_read_source(struct s1 *s, struct s1_unit *u);	/* its creator */
void		 s1_source_references(struct s1 *s, json *tree, struct xml_node *n);

/* A text as one line, cut at a word to the length of a name. */
struct slice	 s1_short(struct s1 *s, struct slice text);

/* stix1_read_*.c: one unit into objects */
void		 s1_read_package(struct s1 *s, struct s1_unit *u);
void		 s1_read_report(struct s1 *s, struct s1_unit *u);
void		 s1_read_indicator(struct s1 *s, struct s1_unit *u);
void		 s1_read_ttp(struct s1 *s, struct s1_unit *u);
void		 s1_read_target(struct s1 *s, struct s1_unit *u);
void		 s1_read_coa(struct s1 *s, struct s1_unit *u);
void		 s1_read_incident(struct s1 *s, struct s1_unit *u);
void		 s1_read_campaign(struct s1 *s, struct s1_unit *u);
void		 s1_read_actor(struct s1 *s, struct s1_unit *u);
void		 s1_read_observable(struct s1 *s, struct s1_unit *u);
void		 s1_fill_reports(struct s1 *s);
void		 s1_sightings(struct s1 *s, struct s1_unit *u, struct s1_obj *indicator);
void		 s1_relate_sightings(struct s1 *s, struct s1_unit *u);
/* The pattern of an Indicator element, worked out once. */
struct s1_pattern *s1_pattern(struct s1 *s, struct xml_node *indicator, unsigned depth);
struct cybox_read  s1_cybox(struct s1 *s);

/* stix1_check.c: is it what the standard says? Warnings; in strict mode units that are not are refused. */
int		 s1_check(struct s1 *s, struct err *e);

/* stix1_relate.c */
void		 s1_relate_units(struct s1 *s);

/* stix1_keep.c */
/* The object that carries what is around all others; NULL: nothing was made. */
struct s1_obj	*s1_bearer(const struct s1 *s);
void		 s1_keep(struct s1 *s);
void		 s1_account(struct s1 *s);

#endif

/*
 * cybox.h -- CybOX 2.0.1 and 2.1 observables, as STIX 1.x carries them, in STIX 2.1 words; and back.
 *
 * Owns:    which element of which object means which property (cybox_table.c), conditions, lists of
 *          values, references between objects, and the order of the elements when writing.
 * Called:  by the STIX 1.x reader and writer (stix1*.c). Nobody else knows CybOX.
 * Never:   looks for an idref itself (the caller's `find` does), decides what becomes of what it did not
 *          take over, or refuses: what cannot be said is told and left unmarked.
 *
 * Elements are known by their local names and the types named in xsi:type, whatever the namespaces:
 * MITRE's, OASIS's, any "-N" behind them.
 *
 * Marks: everything taken over is XML_KEPT (element, attributes and text looked at), or XML_APPROXIMATED
 * when the meaning survived and the wording did not. What is still XML_UNSEEN afterwards was not taken
 * over: the caller keeps it as residue (XML_MOVED) or drops it. Titles, descriptions, ids and sources of
 * an Observable are the caller's and stay untouched. A mark once XML_KEPT stays.
 */
#ifndef FORMATS_CYBOX_H
#define FORMATS_CYBOX_H

#include "formats/ledger.h"
#include "formats/pattern.h"
#include "formats/xml.h"
#include "gateway/base/json.h"

/* What there is to say about an element that was not taken over, or not as it stands. */
enum cybox_word {
	CYBOX_OBJECT,		/* no object type we know */
	CYBOX_PROPERTY,		/* an element of a known object that STIX 2.1 has no property for */
	CYBOX_CONDITION,	/* a condition that a pattern cannot say (Bitwise*, FitsPattern XPath) */
	CYBOX_VALUE,		/* no value of its kind ("abc" for a size) */
	CYBOX_REFERENCE,	/* an idref that names nothing */
	CYBOX_LOOP,		/* references go in a circle, or too deep */
	CYBOX_NEGATE,		/* the opposite of this cannot be said */
	CYBOX_EVENT,		/* Event, Domain_Specific_Object_Properties, ...: no object */
	CYBOX_EMPTY,		/* an Observable that says nothing */
	CYBOX_LIMIT		/* too much of it (tests of a pattern, objects) */
};
/* "CYBOX_OBJECT", ...: stable. */
const char	*cybox_word_text(enum cybox_word w);

struct cybox_read {
	struct arena	*mem;
	/* The Observable or Object with that id (a QName as written; trimmed), NULL if there is none.
	 * NULL as a function: no idref is followed. */
	struct xml_node	*(*find)(void *arg, struct slice idref);
	/* Told once a place where something was left out; `what` is a few words. NULL: nobody listens. */
	void		(*told)(void *arg, enum cybox_word w, const struct xml_node *at,
			    const char *what);
	void		*arg;		/* of both */
	/* What has been looked at so far, shared by all calls for one message so that references cannot
	 * multiply the work; starts at 0. NULL: every call counts for itself. */
	size_t		*steps;
};

/* How a pattern compares with the Observable it was made of. */
enum cybox_extent {
	CYBOX_NOTHING,		/* nothing of it can be said: no pattern */
	CYBOX_EXACT,
	CYBOX_WIDER,		/* a condition was left out: it may match what the source did not mean */
	CYBOX_NARROWER,		/* an alternative was left out */
	CYBOX_UNLIKE		/* both */
};

/* An Observable (or an Object) as a pattern. *out is a whole pattern (its root is an observation
 * expression), or NULL with CYBOX_NOTHING. A property without @condition means Equals here. */
enum cybox_extent cybox_read_pattern(const struct cybox_read *job, struct xml_node *observable,
		    struct pat_node **out);
/* Extents of parts -> extent of the whole. */
enum cybox_extent cybox_join_extent(enum cybox_extent a, enum cybox_extent b);
/* The text of a pattern, in the arena. */
struct slice	cybox_pattern_text(struct arena *mem, const struct pat_node *p);
/* Does it say a condition (@condition, @pattern_type) anywhere below? References are not followed. */
bool		cybox_has_condition(const struct xml_node *observable);

/* One observable object of STIX 2.1. */
struct cybox_object {
	json			*tree;		/* type, spec_version, id, ...: the whole object */
	struct slice		 id;
	const struct xml_node	*from;		/* the Object or Properties it was made of */
	bool			 root;		/* an Observable is about it; else only referred to */
	bool			 shared;	/* more than one Object says it; `from` is the first */
};

/* A Related_Object that became no property of either: the caller may make a relationship of it. */
struct cybox_link {
	struct slice		 from, to;	/* ids */
	struct slice		 relationship;	/* "Connected_To" as written */
	const struct xml_node	*at;		/* the Related_Object */
};

/* Objects of one message or one observed-data; zeroed at the start, grows with every call. No id is there
 * twice: what is said twice is said once. */
struct cybox_objects {
	struct cybox_object	*v;
	size_t			 n, cap;
	struct cybox_link	*links;
	size_t			 nlinks, links_cap;
	void			*seen;		/* private */
};

/* Add the objects of an Observable (with composition, related objects and all it refers to), or of an
 * Object; objects in properties stand before those that refer to them. Ids are deterministic (sco.h); those
 * of objects without id contributing properties, and of processes, are the UUIDv5 of "stix1|sco|", the id
 * of the Object they stand in, "|" and the canonical JSON. Returns the number of root objects (0: nothing
 * can be said); *roots, if wanted, has their ids, each once. */
size_t		 cybox_read_objects(const struct cybox_read *job, struct xml_node *observable,
		    struct cybox_objects *out, const struct slice **roots);

/* ---- writing ------------------------------------------------------------------------------------ */

struct cybox_write {
	struct arena	*mem;
	/* The QName of an element: kind "Observable", "Object" or a part of it; `key` is the id of a STIX
	 * object, or made from the key of a pattern with a number behind it. The same every time. */
	struct slice	 (*name)(void *arg, const char *kind, struct slice key);
	/* The observable object of that id; NULL: not here. */
	const json	*(*find)(void *arg, struct slice id);
	void		*arg;		/* of both */
};

/* A pattern as an Observable. NULL where CybOX has no form (qualifiers, FOLLOWEDBY, EXISTS, a type or path
 * of its own ...): the pattern then travels as text. *ext says how the Observable compares with the
 * pattern: CYBOX_EXACT, CYBOX_WIDER, or CYBOX_UNLIKE (a literal is spelled as it should be: 25 for '25').
 * `key` makes the ids: the indicator's id. */
struct xml_node	*cybox_write_pattern(const struct cybox_write *job, const struct pat_node *p,
		    struct slice key, enum cybox_extent *ext);

/* An observable object as an Observable with an Object; NULL if CybOX cannot say anything of it. Members
 * that it does say are marked in the ledger (LOSS_KEPT); NULL: no account. Objects it refers to are written
 * in place where CybOX does so (addresses of a connection), else referred to by the name of their Object:
 * those the caller has to write too. */
struct xml_node	*cybox_write_object(const struct cybox_write *job, const json *sco,
		    struct ledger *ledger);

#endif

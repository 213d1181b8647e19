/*
 * iodef2.h -- what the reader and the writer of IODEF v2 (RFC 7970) have in common.
 *
 * Owns:    namespaces, class and enumeration tables (iodef2_schema.c), restriction words, hash
 *          names, and the two kinds of residue described below.
 * Called:  by formats/iodef2*.c only; the rest of the program sees `format_iodef2` (format.h).
 * Never:   invents: what IODEF does not say is not in the STIX, what STIX cannot say is residue.
 *
 * 1. IODEF-born: how the original document survives as STIX.
 *
 * Objects carry extensions.IODEF2_EXT = {"extension_type": "property-extension", "iodef": R}.
 *
 *	R on the report of an Incident (exactly one report an Incident, in document order)
 *	  version    "2.00"
 *	  element    "Incident"
 *	  xml        the Incident as exact XML with its namespace declarations, *without* the parts that
 *	             live elsewhere; each of those left a `<cut xmlns="urn:tocsin:iodef" ref="X"/>`
 *	             in its place, X = id of the object that holds the part. An element that is
 *	             stricter than its owner and has no object of its own (an Assessment) became a
 *	             note with abstract "iodef-part:Assessment" that holds it
 *	  objects    [{"path": "Contact[1]", "id": "identity--...", "sha256": S}]: elements inside `xml`
 *	             that became an object which does not hold its own XML. Path: below the element of
 *	             this residue, counted in `xml` as it stands, cuts not counted as the element
 *	             they replace
 *	  moved      ["Timezone[1]", "Contact[1]/Email[1]/@type", ...]: parts of `xml` with no STIX
 *	             counterpart at all, paths as above; a listed element includes what is below it
 *	  sha256     S of the report itself
 *	  document   first report of a document only: {"version": as written, "attributes": {name:
 *	             value; "xml:lang" with its prefix}, "children": [XML of each AdditionalData]}
 *	  incident   {"id": "incident--...", "sha256": S}: the incident object beside the report, if any
 *
 *	R on an object that holds its own part (always: indicator = Indicator, observed-data = EventData,
 *	course-of-action = Expectation, note = HistoryItem; others when their restriction is stricter
 *	than their owner's): the same `version`, `element`, `xml`, `objects`, `moved`, `sha256`,
 *	and `in` = id of the object whose xml has the cut. An object that fills several places has the
 *	first in R and the others, same members, in the list R.more.
 *
 *	S = iodef2_object_hash(): SHA-256 over the canonical JSON of the object without this extension
 *	(and without object_refs for a report). It answers "is the object still what we derived?".
 *
 * Way back: take the report's xml. Put each object's xml in the place of its cut. An object that is
 * no longer there: its cut or its element goes. An object whose S no longer fits: write it natively
 * and copy the `moved` nodes of its xml into the result, in schema order. New objects of the report:
 * append natively. Whoever derives a view of an object (prunes, redacts) must drop this extension.
 *
 * 2. STIX-born: how original STIX objects survive in IODEF (mapping.md 1.5, 1.7).
 *
 * AdditionalData name="stix-object" or "stix-objects", meaning "original object; sha256=H[; path=P]".
 * An element that the writer had to make without an object of its own (default Incident, Contact
 * from the configuration) holds AdditionalData name="stix-generated" dtype="boolean" with "true": the
 * reader makes no object of that element, only of what is in it. When the H of an Incident's own
 * residue fits, everything native in it is explained by residue: originals are restored, nothing else
 * is made.
 */
#ifndef FORMATS_IODEF2_H
#define FORMATS_IODEF2_H

#include "formats/format.h"
#include "formats/xml.h"

#define IODEF1_NS	"urn:ietf:params:xml:ns:iodef-1.0"
#define IODEF2_NS	"urn:ietf:params:xml:ns:iodef-2.0"
#define IODEF2_NS_ENUM	"urn:ietf:params:xml:ns:iodef-enum-1.0"
#define IODEF2_NS_SCI	"urn:ietf:params:xml:ns:iodef-sci-1.0"
#define IODEF2_NS_DS	"http://www.w3.org/2000/09/xmldsig#"
#define IODEF2_NS_CUT	"urn:tocsin:iodef"
#define IODEF2_EXT	"extension-definition--751c8c48-cad3-4162-ab5e-affd5ad74701"

/* One class of RFC 7970 section 3: attributes and children in the order of the schema. Simple text
 * elements have a row too, with no children. */
struct iodef2_child {
	const char	*name;
	unsigned	 min, max;	/* max 0 = unbounded */
	const char	*ns;		/* NULL: IODEF2_NS */
};

enum iodef2_content {
	IODEF2_ELEMENTS, IODEF2_TEXT, IODEF2_ML_TEXT, IODEF2_TIME, IODEF2_INTEGER, IODEF2_REAL,
	IODEF2_PORTLIST, IODEF2_EXTENSION	/* mixed content of any kind */
};

struct iodef2_class {
	const char			*name;
	enum iodef2_content		 content;
	const char			*attrs;	/* blank-separated; "!" after a name = required */
	const struct iodef2_child	*children;	/* ends with name NULL; NULL = none */
	bool				 choice;	/* exactly one child (Observable) */
};

/* Words of attribute `attr` of class `name` (NULL: of any), blanks between. */
struct iodef_enum {
	const char	*name, *attr, *words;
};

/* A version of IODEF as tables: v2 is iodef2_schema.c, v1 iodef1_schema.c. */
struct iodef_model {
	const char			*ns;
	const struct iodef2_class	*classes;
	size_t				 nclasses;
	const struct iodef_enum		*enums;
	size_t				 nenums;
	unsigned			 number;	/* of the version, from 0 */
};
enum { IODEF_MODELS = 2 };
extern const struct iodef_model iodef2_model, iodef1_model;

/* The functions below for any version. */
const struct iodef2_class *iodef_class(const struct iodef_model *m, struct slice name);
const char *iodef_words(const struct iodef_model *m, struct slice name, struct slice attr);
bool	iodef_enum_has(const struct iodef_model *m, struct slice name, struct slice attr,
	    struct slice value);
size_t	iodef_order(const struct iodef_model *m, struct slice parent, const struct xml_node *child);
size_t	iodef_order_in(const struct iodef_model *m, const struct iodef2_class *parent,
	    const struct xml_node *child);

/* The class of an element in the IODEF namespace, by local name; NULL if unknown. */
const struct iodef2_class *iodef2_class(struct slice name);
bool	iodef2_attr_known(const struct iodef2_class *c, struct slice attr);
/* Is `value` a word of the enumeration for attribute `attr` of class `name`? True for attributes that
 * are no enumeration. */
bool	iodef2_enum_has(struct slice name, struct slice attr, struct slice value);
/* Position of a child name in its parent's class, SIZE_MAX if it has none there. */
size_t	iodef2_order(struct slice parent, const struct xml_node *child);
/* Insert `child` behind the last child that the schema puts before it or beside it. */
void	iodef2_insert(struct xml_node *parent, struct xml_node *child);

/* Restriction words (rulings 8). LABEL_IODEF_ABSENT is the caller's to say. `default` gives
 * TLP_UNSET and LABEL_ABSENT; an unknown word TLP_RED and LABEL_UNREADABLE. */
enum tlp	iodef2_restriction_read(struct slice word, struct slice ext, bool amber_strict,
		    enum label_case *label);
const char	*iodef2_restriction_word(enum tlp t);	/* "default" for TLP_UNSET */
/* Is a stricter than b? No label counts between GREEN and AMBER. */
bool		 iodef2_is_stricter(enum tlp a, enum tlp b);

/* Hash algorithms: STIX name, DigestMethod URI, digest length in bytes. */
struct iodef2_digest {
	const char	*stix, *uri;
	size_t		 n;
};
const struct iodef2_digest *iodef2_digest_by_uri(struct slice uri);
const struct iodef2_digest *iodef2_digest_by_stix(struct slice name);

/* ip-protocol numbers and STIX names ("tcp"); NULL / -1 if not in the table. */
const char	*iodef2_protocol_name(unsigned long number);
int		 iodef2_protocol_number(struct slice name);

/* Residue. */
json	*iodef2_residue(const json *object);		/* R of an object, NULL if it has none */
void	 iodef2_object_hash(const json *object, char out[65]);	/* S */
bool	 iodef2_is_stix_data(const struct xml_node *n);	/* AdditionalData stix-object(s) */
/* H over the canonical forms of `n` elements, one after the other. */
void	 iodef2_native_hash(const struct xml_node *const *v, size_t n, char out[65]);

/* A document that is no text of IODEF v2, but a tree made of something else (iodef1, iodef-json, rid):
 * every node of the tree says with `made_of` what that was. NULL members are not asked. */
struct iodef2_origin {
	/* Where it stands in the input: e->at and e->path. `made_of` is that of the nearest element. */
	void	(*place)(const struct iodef2_origin *o, struct arena *mem, const void *made_of,
		    struct err *e);
	/* Its text, for quarantine. */
	void	(*print)(const struct iodef2_origin *o, const void *made_of, struct strbuf *out);
	/* The marks in the tree are final: account for every leaf of the input. */
	void	(*account)(const struct iodef2_origin *o, const struct read_job *job,
		    struct arena *mem, struct xml_node *doc);
	bool	checked;	/* against its own model: another look would only repeat the remarks */
};

/* Read a tree: job->in is only hashed. `doc` is taken apart. `origin` NULL: the tree is the input. */
int	iodef2_read_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
	    const struct iodef2_origin *origin, struct advisory *adv, struct err *e);
/* Somebody who asks what a reader would make of a tree. */
struct iodef2_question {
	void		(*each)(void *arg, const json *object);	/* told of every object */
	/* S of the object of that id, if it is known; NULL: hash what was made. */
	const char	*(*hash)(void *arg, struct slice id);
	void		*arg;
};
/* Answer: as iodef2_read_tree, but no object is made, and no account. -1: it could not be read. */
int	iodef2_derive(const struct read_job *job, struct arena *mem, struct xml_node *doc,
	    const struct iodef2_question *q);
/* What iodef2_write prints, as a tree. */
int	iodef2_write_tree(const struct write_job *job, struct arena *mem, struct xml_node **doc,
	    struct err *e);
/* Check every Incident of a tree against a model; what is refused has a verdict and XML_DROPPED. Place
 * and text of the verdicts are those of the tree. */
void	iodef_check_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
	    const struct iodef_model *model, struct advisory *adv);
/* One remark on a place of the input. */
void	iodef_remark(const struct read_job *job, struct arena *mem, struct advisory *adv,
	    const struct xml_node *n, const char *code, const char *reason);
/* One account entry for every leaf below n by its mark; `path` is the prefix ("" for a whole document). */
void	iodef_account_tree(const struct read_job *job, struct arena *mem, const struct xml_node *n,
	    const char *path);

/* The members of format_iodef2. */
int	iodef2_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e);
int	iodef2_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e);

#endif

/*
 * stix1.h -- what the reader and the writer of STIX 1.x XML (1.0.1, 1.1.1, 1.2, 1.2.1) have in common.
 *
 * Owns:    namespaces, how elements are known, words of both versions (stix1_words.c), the layout of the
 *          residue described below.
 * Called:  by formats/stix1*.c only; the rest of the program sees `format_stix1` (format.h).
 * Never:   looks below a cybox:Observable (cybox.h does), or goes by a prefix: names are known by their
 *          local name in a namespace of a family, types by the URI that their prefix is bound to.
 *
 * Residue: how the original document survives as STIX 2.1.
 *
 * Objects carry extensions[extension_definition_id(EXTENSION_STIX1)] = {"extension_type":
 * "property-extension", "stix1": R}.
 *
 *	R on an object that holds the XML of an element: of each Indicator, TTP, Exploit_Target, Incident,
 *	Course_Of_Action, Campaign, Threat_Actor, Report and Observable the first object made of it; of a
 *	package with a header the report
 *	  element    "Indicator", "STIX_Package", ...: its local name
 *	  xml        the element as exact XML with the namespaces it needs, *without* the parts that live
 *	             elsewhere; each of those left a `<cut xmlns="urn:tocsin:stix1" ref="X"/>` in its place,
 *	             X = id of the object that holds the part
 *	  in         id of the object whose xml has the cut of this one; absent for the document's root
 *	  objects    [{"path": "Behavior[1]/Malware[1]/Malware_Instance[2]", "id": X, "sha256": S}]: what
 *	             elements inside `xml` became without holding XML of their own: objects, relationships
 *	             (the path is that of the wrapper, Related_TTP), observables, statement markings. A path
 *	             counts equal names in `xml` as it stands, cuts not counted as what they replace; ""
 *	             is the element itself. An element that became several objects has several entries
 *	  moved      ["Likely_Impact[1]", "@version", ...]: parts of `xml` with no STIX 2.1 counterpart
 *	             at all, paths as above; a listed element includes what is below it
 *	  sha256     S of the object itself
 *	R.more       an object that holds several elements has the first in R and the others, same members,
 *	             in this list
 *	R.package    on the first object of a document whose root made no object of its own (a package
 *	             without a header, a bare cybox:Observables): the same members without sha256, for the
 *	             root element
 *
 *	S = residue_object_hash(): SHA-256 over the canonical JSON of the object without this extension
 *	(and without object_refs for a report). It answers "is the object still what we derived?".
 *
 * Way home: take the root's xml. Put each object's xml in the place of its cut. An object that is no
 * longer there: its cut or its element goes. An object whose S no longer fits: write it natively and
 * copy the `moved` nodes of its xml into the result. New objects: write natively.
 *
 * Originals: how STIX objects survive as STIX 1.x. A package that we write says in its header which tool
 * made it, and the Metadata of that tool are the objects, whole:
 *
 *	STIX_Header/Information_Source/Tools/Tool[@id="tocsin:originals-WORD"], one for each label, marked
 *	with it, Name = Tocsin; in it for each object
 *	  Metadata[@type="stix-object"]/Value   its JSON text
 *	  SubDatum[@type="index"]/Value         its place among all
 *	  SubDatum[@type="in"]/Value            id of the element that tells of it, if one does; identities
 *	                                        may be told of by many: they have none
 *	  SubDatum[@type="sha256"]/Value        stix1_element_hash() of that
 *	Tool[@id="tocsin:originals"]/Metadata[@type="stix-bundle"]/Value is stix1_package_hash(); its
 *	SubDatum `id` is the bundle's, `objects` their number
 *
 * The schema allows all of it, and who does not know it sees the tool's own data about a package, not
 * another observable. write_job.no_residue leaves it out.
 */
#ifndef FORMATS_STIX1_H
#define FORMATS_STIX1_H

#include "formats/format.h"
#include "formats/xml.h"

#define STIX1_NS_CORE	"http://stix.mitre.org/stix-1"
#define STIX1_NS_COMMON	"http://stix.mitre.org/common-1"
#define STIX1_NS_CYBOX	"http://cybox.mitre.org/cybox-2"
#define STIX1_NS_CUT	"urn:tocsin:stix1"

/* Whose namespace is it? MITRE's and OASIS's are one family each. */
enum stix1_family {
	STIX1_FOREIGN, STIX1_STIX, STIX1_CYBOX, STIX1_MARKING
};
enum stix1_family stix1_family(struct slice ns);
/* An element of one of the families (or of no namespace at all) with that local name. */
bool		 stix1_is(const struct xml_node *n, const char *name);
/* First child / next sibling for which stix1_is holds; NULL nodes are fine. */
struct xml_node	*stix1_get(const struct xml_node *n, const char *name);
struct xml_node	*stix1_more(const struct xml_node *n);
/* "Resources/Tools": down by first children. */
struct xml_node	*stix1_down(const struct xml_node *n, const char *path);
/* The URI that a prefix is bound to at n; empty if none. */
struct slice	 stix1_uri(const struct xml_node *n, struct slice prefix);
/* The local name of the type that xsi:type names, and its namespace (empty: prefix not bound); empty if
 * there is no xsi:type. */
struct slice	 stix1_type(const struct xml_node *n, struct slice *uri);
struct xml_attr	*stix1_type_attr(const struct xml_node *n);

/* Words of 1.x and what they are in 2.1 (stix1_words.c): one table for both directions. */
enum stix1_vocab {
	STIX1_INDICATOR_TYPE, STIX1_MALWARE_TYPE, STIX1_ACTOR_TYPE, STIX1_MOTIVATION, STIX1_SOPHISTICATION,
	STIX1_TOOL_TYPE, STIX1_SECTOR
};
/* The word of 2.1, NULL if 1.x word is unknown. */
const char	*stix1_word_up(enum stix1_vocab v, struct slice old);
/* The first 1.x word that means it, NULL if none does. */
const char	*stix1_word_down(enum stix1_vocab v, struct slice word);
bool		 stix1_word_is_new(enum stix1_vocab v, struct slice word);
/* True if the 2.1 word says less than the 1.x word: the latter is worth a label. */
bool		 stix1_word_is_coarse(enum stix1_vocab v, struct slice old);
/* 0..100 of High, Medium, Low, None or a number; -1 for other words. */
int		 stix1_confidence_up(struct slice word);
const char	*stix1_confidence_down(int confidence);
/* "Threat Report" -> "threat-report": lower case, runs of anything but letters and digits one hyphen. */
struct slice	 stix1_hyphens(struct arena *mem, struct slice words);
/* Name of a phase of the kill chain that STIX 1.x documents refer to by fixed ids, NULL if it is none. The
 * chain is STIX1_KILL_CHAIN. */
const char	*stix1_phase_name(struct slice phase_id);
bool		 stix1_is_lm_chain(struct slice chain_id);
#define STIX1_KILL_CHAIN	"lockheed-martin-cyber-kill-chain"
#define STIX1_KILL_CHAIN_UUID	"af3e707f-2fb9-49e5-8c37-14026ca0a5ff"

/* Residue (stix1_home.c). */
json		*stix1_residue(const json *object);	/* R of an object, NULL if it has none */
void		 stix1_object_hash(const json *object, char out[65]);	/* S */
/* A piece of a document that an object holds, back in its place. */
struct stix1_piece {
	const struct object	*object;
	const json		*residue;	/* R, one of R.more, or R.package: `object` bears it */
	struct xml_node		*node;		/* NULL: its XML cannot be read, or it has no place */
	bool			 bears;		/* it is an R.package */
	bool			 same;		/* the object is still what was derived */
};
struct stix1_home {
	struct xml_node		**roots;	/* documents, in the order of the objects */
	size_t			 nroots, roots_cap;
	struct stix1_piece	*pieces;	/* in the order of the objects */
	size_t			 n, cap;
};
/* Originals (stix1_originals.c): hashes of mapping.md 1.7's canonical form, in hex: of an element; of a
 * package without the Tool that holds the hash. */
#define STIX1_TOOL	"Tocsin"
#define STIX1_TOOL_ID	"tocsin:originals"
#define STIX1_ORIGINAL	"stix-object"
#define STIX1_BUNDLE	"stix-bundle"
void		 stix1_element_hash(const struct xml_node *n, char out[65]);
void		 stix1_package_hash(const struct xml_node *package, char out[65]);

/* Put all residue of an advisory together again: each piece in the place of its cut, cuts of objects that
 * are not there taken out. A piece whose place is not there becomes a root of its own. Walk from the roots
 * only. Residue is data of its sender: what is no XML, or of another element than it says, is left out. */
void		 stix1_home(const struct advisory *adv, struct arena *mem, struct stix1_home *out);

/* The members of format_stix1. */
int	stix1_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e);
/* The same for a package that came inside something else, as a tree of its own (detached, every prefix that
 * it uses declared in it); job->in is its text, `path` where it stood. */
int	stix1_read_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
	    const char *path, struct advisory *adv, struct err *e);
int	stix1_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e);

#endif

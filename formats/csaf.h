/*
 * csaf.h -- what the reader and the writer of CSAF 2.0 advisories have in common.
 *
 * Owns:    one reading (struct csaf_reading) and the two kinds of residue described below.
 * Called:  by formats/csaf*.c only; the rest of the program sees `format_csaf` (format.h).
 * Never:   invents: what CSAF does not say is not in the STIX, what STIX cannot say is residue.
 *
 * 1. CSAF-born: how the original document survives as STIX.
 *
 * extensions.CSAF_EXT of the report = {"extension_type": "property-extension",
 *	"csaf": the document's root without its vulnerabilities,
 *	"vulnerabilities": [id, ...]: the objects made of them, in their order,
 *	"objects": ["ID HASH", ...]: every object that was made, with its hash; left out when there are
 *	very many}
 * extensions.CSAF_EXT of a vulnerability = {"extension_type": ..., "csaf": its element, whole}
 * "csaf_text", a text, stands for "csaf" where STIX has no such value (null, or nothing in a list).
 * HASH = csaf_object_hash(): SHA-256 over the canonical JSON of the object without this extension
 * (of a report, without object_refs too). It answers "is the object still what was made of the
 * document?".
 *
 * Way home (csaf_home.c): the elements are put together again and read once more, which gives for
 * each object the place it comes from. An object that is no longer there takes its place with it;
 * one whose hash does not fit changes in its place what it says otherwise; new ones are appended.
 *
 * 2. STIX-born: how original STIX objects survive in CSAF.
 *
 * Notes of the document, category "other", behind all others:
 *	title "stix-object": text = the JSON of the object, verbatim
 *	title "stix-bundle": text = {"id": bundle id, "csirt": name the writer went by, "sha256": H,
 *	"objects": number of stix-objects}; H = SHA-256 over the canonical JSON of the document without
 *	these notes
 * H and the number fit: the result is exactly the originals, in their order. Else three sides are
 * compared (csaf_merge.c): the originals, what the document says, and what a fresh writing of the
 * originals says.
 */
#ifndef FORMATS_CSAF_H
#define FORMATS_CSAF_H

#include "formats/csaf_words.h"
#include "formats/format.h"
#include "formats/idmap.h"
#include "formats/ledger.h"

#define CSAF_EXT		"extension-definition--3a7a5b97-c521-46ca-ba1a-c8d35dad3e07"
#define CSAF_NOTE_OBJECT	"stix-object"
#define CSAF_NOTE_BUNDLE	"stix-bundle"

/* Labels of STIX objects that say what CSAF said. */
#define CSAF_LABEL_DOCUMENT	"csaf-status:"		/* report: tracking.status */
#define CSAF_LABEL_STATUS	"csaf:"			/* relationship: list of product_status */
#define CSAF_LABEL_NOTE		"csaf-note:"		/* note: category */
#define CSAF_LABEL_THREAT	"csaf-threat:"
#define CSAF_LABEL_REMEDY	"csaf-remediation:"	/* note or course-of-action: category */

enum { CSAF_NAME_CHARS = 80 };

/* An object that was made of a part of a document. */
struct csaf_made {
	json		*tree;
	struct slice	 id;
	struct slice	 key;		/* the same for the same part of another version: "vuln|CVE-..." */
	json		*from;		/* the element */
	json		*within;	/* of a vulnerability's part: its element; else NULL */
	struct csaf_made *source, *target;	/* of a relationship */
	struct csaf_software *software;	/* of a product */
	/* Scratch of the way home: the relationship is no longer what it was; what it is now, or NULL. */
	bool		 edited;
	const json	*now;
};

/* A product of the tree and the software it became. */
struct csaf_software {
	struct slice	 product_id;
	json		*product;	/* full_product_name */
	json		*branch;	/* that holds it, or NULL */
	json		*tree;
	struct slice	 id;
	struct csaf_made *made;
	struct csaf_software *first;	/* whose object it shares; itself */
	/* Scratch, of the first: relationships with the vulnerability that is looked at. */
	const json	*vulnerability;
	struct csaf_made *has, *related;
};

/* One reading of one document. */
struct csaf_reading {
	const struct read_job	*job;
	struct arena		*mem;
	json			*root, *document, *tracking, *publisher;
	struct ledger		*ledger;
	struct slice		 space, tracking_id;	/* the two that name the document */
	struct slice		 created, modified, lang;
	enum tlp		 tlp;
	enum label_case		 label;
	struct csaf_made	**v;
	size_t			 n, cap;
	struct csaf_made	*report, *identity, *statement;
	struct csaf_software	*software;
	size_t			 nsoftware, software_cap;
	struct idmap		 products;		/* product_id -> software */
	struct idmap		 keys;			/* of vulnerabilities, while they are read */
};

/* Read root natively: makes all objects, without residue. -1 and a path when the facts without
 * which there is no object are missing. */
int	csaf_derive(struct csaf_reading *r, struct err *e);
/* Its parts (csaf_read_document.c, csaf_read_product.c, csaf_read_vulnerability.c). */
void	csaf_read_head(struct csaf_reading *r);
void	csaf_read_notes(struct csaf_reading *r);
void	csaf_read_products(struct csaf_reading *r);
void	csaf_read_vulnerabilities(struct csaf_reading *r);
void	csaf_read_finish(struct csaf_reading *r);
/* The software of a product id, NULL if there is none. */
struct csaf_software *csaf_software_find(const struct csaf_reading *r, struct slice product_id);

/* Make an object of `type` whose id follows from the key; `from` may be NULL. */
struct csaf_made *csaf_make(struct csaf_reading *r, const char *type, struct slice key, json *from);
/* The object of a product. */
struct csaf_made *csaf_make_software(struct csaf_reading *r, struct csaf_software *s);
/* A relationship between two objects that were made. */
struct csaf_made *csaf_relate(struct csaf_reading *r, struct csaf_made *from, const char *type,
	    struct csaf_made *to, json *element);
/* "kind|field|3", each field escaped; number 0: none. */
struct slice	csaf_key(struct csaf_reading *r, const char *kind, struct slice field, size_t number);
/* Append to a list member, which is made when it is not there. */
void	csaf_list_add(struct arena *mem, json *tree, const char *name, struct slice value);
json	*csaf_reference_add(struct arena *mem, json *tree, struct slice source, struct slice description,
	    struct slice url, struct slice external_id);
/* The references of a document or vulnerability as external_references, behind those that are
 * there. */
void	csaf_read_references(struct csaf_reading *r, json *tree, json *list, bool document);
/* A note becomes an object of its own. */
struct csaf_made *csaf_note_make(struct csaf_reading *r, struct slice key, json *from,
	    struct csaf_made *about, const char *label, const char *text_member);
/* Notes of these blank-separated categories are the description of what they stand in. */
#define CSAF_TEXTS_DOCUMENT	"description summary"
#define CSAF_TEXTS_VULNERABILITY "description details general summary"
void	csaf_read_texts(struct csaf_reading *r, json *tree, json *notes, const char *categories);

/* One line of at most `max` characters, cut between words. */
struct slice	csaf_line(struct arena *mem, struct slice text, size_t max);
/* A time in UTC with milliseconds at least; empty if it is none. */
struct slice	csaf_time(struct arena *mem, struct slice s);
/* The values of a list, to ask for them often; equal ones are one. */
struct csaf_set {
	struct idmap	values;
};
void	csaf_set_fill(struct csaf_set *s, struct arena *mem, const json *list);
bool	csaf_set_has(const struct csaf_set *s, struct arena *mem, const json *value);
/* Take what stands in a list twice out of it. */
void	csaf_list_once(struct arena *mem, json *list);
/* See above. */
void	csaf_object_hash(const json *object, struct arena *mem, char out[65]);
void	csaf_tree_hash(const json *tree, char out[65]);
const json	*csaf_residue(const json *object);	/* extensions.CSAF_EXT, NULL if it has none */
/* Unmarked lies between GREEN and AMBER. */
bool	csaf_stricter(enum tlp a, enum tlp b);
/* The one label for several objects: the strictest; AMBER where some are unmarked and the others
 * are marked with less. Definitions do not count. TLP_UNSET: none is marked. */
struct csaf_labels {
	enum tlp	max;
	bool		unmarked;
};
void	csaf_labels_add(struct csaf_labels *sum, const struct object *o);
enum tlp csaf_labels_say(const struct csaf_labels *sum);	/* in words of CSAF */

/* Put the residue into what was made (csaf_keep.c). */
void	csaf_keep(struct csaf_reading *r);
/* A copy of the part of a document that an object carries; NULL if it has none. */
json	*csaf_kept_part(struct arena *mem, const json *object);
/* Add what was made to the advisory. */
int	csaf_mint(struct csaf_reading *r, struct advisory *adv, struct err *e);

/* The members of format_csaf. */
int	csaf_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e);
int	csaf_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e);

#endif

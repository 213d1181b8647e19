/*
 * misp.h -- what the reader and the writer of the MISP core format have in common.
 *
 * Owns:    the tables of attribute types and object templates (misp_types.c, misp_templates*.c), the
 *          words of MISP (misp_words.c), and the two kinds of residue described below.
 * Called:  by formats/misp*.c only; the rest of the program sees `format_misp` (format.h), and whoever
 *          needs one event for one report or grouping: misp_write of an advisory with one container.
 * Never:   invents a time, an id that is not deterministic, or a weaker label.
 *
 * 1. MISP-born: how an event survives as STIX. Objects carry
 *
 *	extensions.MISP_EXT = {"extension_type": "property-extension", "misp": R}
 *
 *	R.sha256   S of the object: SHA-256 over its canonical JSON without this extension (and
 *	           without object_refs for what became of an event)
 *	R.event    on the report or grouping: the event without its attributes, objects and event
 *	           reports, which stand on the objects that they became
 *	R.attribute, R.object, R.event_report
 *	           on what these became: each whole, with all that hangs on it
 *	R.observables  on an observed-data: misp_observables_hash of what it names
 *	           (parts are JSON text: STIX forbids the empty lists and nulls that MISP has)
 *	R.part     true: what this was made of stands in the R of another object (clusters,
 *	           sightings, references, the organisation, observables)
 *
 * Way back: an object whose S fits gives its part as it was; one that was edited is written anew, and
 * members that only the part knows are put in. object_refs tells which event it belongs to.
 *
 * 2. STIX-born: how objects survive in MISP (mapping.md 1.6). Beside the native elements stand
 *
 *	attributes of type text, category Other, comment "stix-object", value the object's JSON
 *	one attribute of type text, category Other, comment "stix-bundle", value
 *	{"event": H, "generated": B, "bundle": ID,
 *	 "objects": [{"id": ID, "version": MODIFIED, "uuids": [U...], "sha256": H}]}
 *
 *	H is the SHA-256 over the native element(s) with the uuids U (misp_native_hash): it fits as
 *	long as nobody edited them, and then the original comes back as it is. generated: the event
 *	was made for objects that no report names, and gives no container of its own.
 *
 * A stix-object attribute has a label of its own: its tlp tag (tlp:unclear for none), its distribution.
 * It holds as long as the event's H fits; else the label of the event counts too, the stricter wins.
 */
#ifndef FORMATS_MISP_H
#define FORMATS_MISP_H

#include "formats/format.h"
#include "formats/labels.h"
#include "formats/ledger.h"

#define MISP_EXT		"extension-definition--3c03603b-d9b7-4640-89a6-338259c7b016"
#define MISP_OBJECT_COMMENT	"stix-object"
#define MISP_BUNDLE_COMMENT	"stix-bundle"

/* What becomes of an attribute. */
enum misp_fate {
	MISP_CUSTOM,		/* x-misp-attribute */
	MISP_PATHS,		/* one or two pattern paths: indicator, or observed-data */
	MISP_SAMPLE,		/* attachment, malware-sample: a file and its content */
	MISP_RULE,		/* indicator with a pattern_type of its own */
	MISP_STIX_PATTERN,
	MISP_NOTE, MISP_VULNERABILITY, MISP_WEAKNESS, MISP_CAMPAIGN, MISP_ACTOR
};

/* How values of a path are spelled. */
enum misp_value {
	MISP_TEXT, MISP_IP, MISP_HOST, MISP_DOMAIN, MISP_URL, MISP_EMAIL, MISP_MAC, MISP_ASN,
	MISP_REGKEY, MISP_HASH, MISP_PORT, MISP_PROTO, MISP_NUMBER, MISP_FLOAT, MISP_TIME,
	MISP_BOOL
};

/* "ip-addr:value" stands for ipv4-addr or ipv6-addr, whichever the value is. */
struct misp_path {
	const char	*path;		/* NULL: none */
	enum misp_value	 value;
};

struct misp_type {
	const char	*name;
	const char	*category;	/* default */
	bool		 to_ids;	/* default */
	bool home; /* what its path becomes when nothing says which type it was */
	enum misp_fate	 fate;
	struct misp_path part[2];	/* the second: what stands behind the `|` */
	const char	*rule;		/* MISP_RULE: pattern_type */
};

extern const struct misp_type misp_types[];		/* ends with name NULL */
const struct misp_type	*misp_type_find(struct slice name);
bool			 misp_category_known(struct slice name);
/* The type that an attribute with these paths (b: NULL or the second) has by default; NULL: none. */
const struct misp_type	*misp_type_of_paths(struct slice a, const char *b);

/* One relation of an object template: which path of which observable it fills. */
struct misp_relation {
	const char	*name;		/* of the relation */
	const char	*type;		/* of the attribute */
	struct misp_path path;		/* NULL: the template knows it, STIX has no place */
};

/* An object template: an observable (root), or an SDO whose properties the paths name. */
struct misp_template {
	const char			*name, *meta, *uuid, *version;
	const char			*root;		/* observable type, or NULL */
	const char			*sdo;		/* SDO type, or NULL */
	const struct misp_relation	*relations;	/* ends with name NULL */
	const char			*others;	/* "relation:type ..." without a path */
};
/* Both end with name NULL. */
extern const struct misp_template misp_observable_templates[], misp_sdo_templates[];
const struct misp_template	*misp_template_find(struct slice name);
const struct misp_relation *misp_relation_find(const struct misp_template *t, struct slice name);
/* The type of a relation that no path fills, "text" if unknown; `relation` is put into its spelling. */
const char	*misp_other_type(const struct misp_template *t, struct arena *mem, char *relation);
/* The template that objects with this observable at the root have by default; NULL: none. */
const struct misp_template	*misp_template_of_root(struct slice type);

/* Words (misp_words.c). MISP writes numbers and booleans as either themselves or strings. */
bool		 misp_number(const json *o, const char *name, int64_t *out);
bool		 misp_bool(const json *o, const char *name);
/* The text of a scalar, whatever its JSON type; empty if there is none. */
struct slice	 misp_text(struct arena *mem, const json *o, const char *name);
/* Seconds since 1970 as "2020-10-25T16:22:00.000Z"; empty if out of range. */
struct slice	 misp_stamp(struct arena *mem, int64_t seconds);
/* Seconds of a STIX timestamp, whole; false if it is none. */
bool		 misp_seconds(struct slice stamp, int64_t *out);
/* "misp|KIND|..." as UUIDv5 (mapping.md 1.8). */
struct slice misp_uuid(struct arena *mem, const char *kind, const struct slice *fields, size_t n);
#define MISP_UUID(mem, kind, ...)						\
	misp_uuid((mem), (kind), (const struct slice[]){ __VA_ARGS__ },		\
	    sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))
struct slice	 misp_uuid_of_id(struct slice id);	/* behind "--" */
/* The canonical spelling of a value; false if it is no such value. `path` names the hash. */
bool misp_value(const struct misp_path *p, struct slice text, struct arena *mem, struct slice *out);
/* The family of a galaxy type as an SDO type; NULL: STIX has none. */
const char	*misp_galaxy_sdo(struct slice galaxy_type);

/* Labels (misp_labels.c). */
struct misp_label {
	enum tlp	tlp;
	enum label_case	label;
	bool		handling;	/* tlp:ex:chr */
	bool said; /* the element says it itself: without, that of the event holds */
};
/* What a list of tags and a distribution say; unknown words are RED (LABEL_UNREADABLE). */
struct misp_label misp_label_of(const json *element, bool event);
/* The same where sharing groups have labels (struct read_job). */
struct misp_label misp_label_in(const json *element, bool event, const char *groups);
/* What holds where both are said (tlp_join); an element that says nothing adds nothing. */
struct misp_label misp_label_join(struct misp_label a, struct misp_label b);
/* Who reads something under `label` reads no less of its label than `own`. */
bool		 misp_label_covers(struct misp_label label, struct misp_label own);
bool		 misp_tag_is_label(struct slice tag);
const char	*misp_tag_of(enum tlp t);		/* "tlp:amber" */
int		 misp_distribution_of(enum tlp t);	/* of an event */

/* Residue (misp_keep.c). */
json		*misp_residue(const json *object);	/* R, NULL if it has none */
void		 misp_object_hash(const json *object, struct arena *mem, char out[65]);	/* S */
bool		 misp_is_untouched(const json *object, struct arena *mem);
/* Over observables without their markings: whether what an observed-data names is still the same. */
void misp_observables_hash(const json *const *v, size_t n, struct arena *mem, char out[65]);
void		 misp_keep(json *object, struct arena *mem, const char *member, json *part);
/* The part that R holds as JSON text, NULL if it holds none that can be read. */
json		*misp_part(const json *residue, const char *member, struct arena *mem);
/* H of an attribute, object, event report or event: of what it says, not of how MISP numbers it. */
void		 misp_native_hash(const json *const *v, size_t n, struct arena *mem, char out[65]);
/* object_find_fn over the marking-definitions of an advisory. */
bool misp_is_stix_data(const json *attribute); /* comment stix-object or stix-bundle */

/* The members of format_misp. */
int	misp_sniff(struct slice head);
int misp_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e);
int misp_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e);

#endif

/*
 * iodef2_read.h -- the inside of the IODEF v2 reader: one pass from a document to objects.
 *
 *	check     is the document what RFC 7970 says? findings become verdicts     (iodef2_check.c)
 *	derive    each Incident becomes a list of objects, elements get marks      (iodef2_read_*.c)
 *	residue   what was not mapped stays as XML with the object it belongs to   (iodef2_keep.c)
 *	restore   STIX originals that travelled in the document come back          (iodef2_restore.c)
 *
 * Owns:    struct ir, the state of one document being read, and struct ir_obj, an object being made.
 * Called:  by formats/iodef2_*.c only.
 * Never:   mints before a whole Incident succeeded: a refused Incident leaves nothing behind.
 */
#ifndef FORMATS_IODEF2_READ_H
#define FORMATS_IODEF2_READ_H

#include "formats/idmap.h"
#include "formats/iodef2.h"
#include "formats/iodef2_residue.h"
#include "formats/pattern_build.h"
#include "formats/sdo_list.h"
#include "formats/xml_walk.h"

/* What holds for an element: the level and how it was said. */
struct ir_label {
	enum tlp	tlp;
	enum label_case	label;
};

/* An object on its way. */
struct ir_obj {
	json		*tree;
	struct slice	 id;
	struct ir_label	 label;
	struct xml_node	*from;		/* the first element it came from; NULL for relationships */
	struct ir_obj	*twin;		/* the same object from an earlier Incident, which is minted */
	bool		 elsewhere;	/* an earlier piece of the document minted it */
	bool		 sco;
	bool		 holds;		/* the XML of an element of its own */
	unsigned	 roles;		/* IR_ACTOR and the like: lists of the Incident that have it */
	const struct ir_refs *refs;	/* the list it was last put into */
	json		*residue;	/* R, once it has one */
	bool		 hashed;
	char		 hash[65];	/* S */
};

struct ir_refs;

/* What an element became (xml_node.user): objects, one of which may hold its XML. */
struct ir_tag {
	struct ir_obj	*ob;
	bool		 unit;
	struct ir_tag	*next;
};

enum { IR_ACTOR = 1, IR_CAMPAIGN = 2, IR_VICTIM = 4, IR_VULN = 8 };

/* One Incident. */
struct ir_incident {
	struct xml_node	*node;
	struct slice	 name, text, instance;	/* of the IncidentID */
	struct slice	 uuid;		/* of report and incident */
	struct slice	 lang;
	struct slice	 generated;	/* GenerationTime, UTC, at least three fraction digits */
	struct slice	 default_start;	/* StartTime, DetectTime or GenerationTime */
	struct ir_obj	*report, *incident, *creator;
	struct ir_obj	*owner;		/* of what is being read now */
	struct ir_obj	**objs;		/* in the order made, SCOs included */
	size_t		 n, cap;
	size_t		*slots, nslots;	/* index of objs by id: numbers from 1, see find_obj */
	struct ir_obj	**actors, **campaigns, **victims, **vulns;
	size_t		 nactors, ncampaigns, nvictims, nvulns;
	size_t		 actors_cap, campaigns_cap, victims_cap, vulns_cap;
	size_t		 nexpectations, nhistory, nparts;
	struct slice	 relation_confidence;
};

struct ir {
	const struct read_job	*job;
	const struct iodef_model *model;	/* what iodef2_check.c checks against */
	const struct iodef2_origin *origin;	/* NULL: the tree is the input */
	const struct iodef2_question *question;	/* not NULL: trees are enough (iodef2_derive) */
	struct arena		*mem;
	struct arena		*xml;		/* of the tree; NULL: mem, or somebody else's */
	struct advisory		*adv;
	struct xml_node		*doc;
	struct slice		 lang;		/* of the document */
	struct idmap		 xml_ids;	/* observable-id and IndicatorID -> nodes[] */
	struct xml_node		**nodes;
	size_t			 nnodes, nodes_cap;
	uint64_t		 seed;		/* from the digest of the input */
	size_t			 warnings;
	size_t			 bytes;		/* of the Incident being checked, roughly */
	size_t			 objects;	/* made so far, in all Incidents */
	size_t			 tests;		/* of patterns, made so far: references multiply them */
	struct ir_incident	**incidents;
	size_t			 nincidents, incidents_cap;
	struct ir_class {
		struct slice			 name;
		const struct iodef2_class	*class;
	} classes[64];		/* iodef2_check.c: names met last */
	struct {
		const struct xml_node	*node;
		size_t			 index;
	} refused[2];		/* the last unit that was refused: within an Incident, and an Incident */
};

/* iodef2_check.c. -1: refuse the Incident, *e says why. Units inside (Indicator, EventData) that are
 * broken get a verdict and mark XML_DROPPED. */
int	ir_check(struct ir *r, struct xml_node *incident, struct err *e);
void	ir_collect_ids(struct ir *r);
/* The element with that xs:ID, NULL if there is none. */
struct xml_node	*ir_by_id(const struct ir *r, struct slice id);
/* A warning at n; bounded. */
void	ir_warn(struct ir *r, const struct xml_node *n, const char *code, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
/* Where n stands in the input: e->at, e->path and e->input. */
void	ir_place(struct ir *r, const struct xml_node *n, struct err *e);
/* A refusal of the part n, with its text for quarantine. */
void	ir_refuse(struct ir *r, struct xml_node *n, const char *code, const struct err *e);

/* iodef2_base.c: marks, values, labels, ids, objects; iodef2_texts.c: descriptions */
/* Text of the element, marked kept; trimmed, or collapsed to one line. */
struct slice	 ir_text(struct ir *r, struct xml_node *n);
struct slice	 ir_line(struct ir *r, struct xml_node *n);
/* Attribute value, marked kept; empty if absent. */
struct slice	 ir_attr(struct xml_node *n, const char *name);
/* An enumerated attribute: its word, or ext-NAME when it says ext-value. */
struct slice	 ir_word(struct xml_node *n, const char *name);
/* Text of the first child of that name, marked; empty if absent. */
struct slice	 ir_child_line(struct ir *r, struct xml_node *n, const char *name);
/* Time element as UTC text; empty if absent or no date. */
struct slice	 ir_time(struct ir *r, struct xml_node *n, const char *name);
bool		 ir_before(struct ir *r, struct slice a, struct slice b);	/* as instants */
struct slice	 ir_millis(struct ir *r, struct slice stamp);	/* at least three fraction digits */

struct ir_label	 ir_label_here(const struct ir *r, const struct xml_node *n);
/* The strictest that holds anywhere in n. */
struct ir_label	 ir_label_within(const struct ir *r, const struct xml_node *n);
bool		 ir_stricter(struct ir_label a, struct ir_label b);
struct ir_label	 ir_strictest(struct ir_label a, struct ir_label b);

/* UUIDv5 in the gateway namespace over "iodef|kind|..." with `|` and `\` escaped in the fields. */
struct slice	 ir_uuid(struct ir *r, const char *kind, const struct slice *fields, size_t n);
#define IR_UUID(r, kind, ...)							\
	ir_uuid((r), (kind), (const struct slice[]){ __VA_ARGS__ },		\
	    sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))
struct slice	 ir_id(struct ir *r, const char *type, struct slice uuid);

/* A new object with the common properties, or the one of that id made before in this Incident (*old
 * true; `from` becomes one more of its places). */
struct ir_obj	*ir_new(struct ir *r, struct ir_incident *inc, const char *type, struct slice uuid,
		    struct xml_node *from, bool *old);
/* An SCO of that tree (type and properties, no id): its id is made here. The same one again gives the
 * one there is, with the laxer label. */
struct ir_obj	*ir_sco(struct ir *r, struct ir_incident *inc, json *tree, struct ir_label label);
struct ir_obj	*ir_relate(struct ir *r, struct ir_incident *inc, struct ir_obj *from, const char *type,
		    struct ir_obj *to);
/* No more objects may be made in this document. */
bool		 ir_is_full(const struct ir *r);
/* Let ob, made from n, hold the XML of n. */
void		 ir_unit(struct ir_obj *ob, struct xml_node *n);
/* The same if n is stricter than the current owner. While the inside of n is read, the owner is the
 * result: set inc->owner back to the value returned. */
struct ir_obj	*ir_enter(struct ir *r, struct ir_incident *inc, struct ir_obj *ob,
		    struct xml_node *n);
/* Append to a list of strings / of objects, unless it is there (long lists: among the first). */
/* name and description from the Descriptions of n; `fallback` names what has none. */
void		 ir_describe(struct ir *r, struct ir_incident *inc, struct ir_obj *ob,
		    struct xml_node *n, struct slice fallback);
/* The Descriptions of n in the language of the Incident, blank lines between them. */
struct slice	 ir_texts(struct ir *r, struct ir_incident *inc, struct xml_node *n);
struct slice	 ir_cut(struct ir *r, struct slice line, size_t max);	/* at a word */
/* 0..100 from a Confidence element, -1 if it says none. */
int		 ir_confidence(struct ir *r, struct xml_node *n);

/* The children of an Incident or EventData that both have: contacts, methods, assessments, discoveries,
 * expectations (iodef2_read_context.c). */
struct ir_obj	*ir_contact(struct ir *r, struct ir_incident *inc, struct xml_node *n);
void		 ir_contacts(struct ir *r, struct ir_incident *inc, struct xml_node *parent);
void		 ir_context(struct ir *r, struct ir_incident *inc, struct xml_node *parent);
void		 ir_related(struct ir *r, struct ir_incident *inc, struct xml_node *n);
void		 ir_history(struct ir *r, struct ir_incident *inc, struct xml_node *n);
/* Run `read` over n; if n is stricter than the current owner, below a note of its own. */
void		 ir_part(struct ir *r, struct ir_incident *inc, struct xml_node *n,
		    void (*read)(struct ir *, struct ir_incident *, struct xml_node *));
/* The object that labels and references read now go to: the incident if the label allows, else the
 * owner. */
struct ir_obj	*ir_sink(struct ir_incident *inc, bool incident);

/* iodef2_read_event.c, iodef2_read_sco.c */
void		 ir_event(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct slice path);
struct ir_refs {
	struct ir_obj	**v;
	size_t		 n, cap;
};
void		 ir_refs_add(struct ir *r, struct ir_refs *refs, struct ir_obj *ob);
void		 ir_flow(struct ir *r, struct ir_incident *inc, struct xml_node *flow,
		    struct ir_refs *refs, struct ir_label label);
void		 ir_record(struct ir *r, struct ir_incident *inc, struct xml_node *record,
		    struct ir_refs *refs, struct ir_label label);
/* Tree of an Address without id, NULL if STIX has none or the value does not fit. */
json		*ir_address_tree(struct ir *r, struct slice category, struct slice value, bool *exact);
struct ir_obj	*ir_email(struct ir *r, struct ir_incident *inc, struct xml_node *n,
		    struct ir_refs *refs, struct ir_label label);
json		*ir_sco_new(struct ir *r, const char *type, const char *name, struct slice value);
struct ir_obj	*ir_software(struct ir *r, struct ir_incident *inc, struct xml_node *n,
		    struct ir_label label);
/* hex digits of a Hash element (base64 or, as in the wild, hex), with its algorithm; false if not. */
bool		 ir_hash(struct ir *r, struct xml_node *hash, const char **algorithm,
		    struct slice *hex);
/* "N" or "N-M" pieces of a Portlist; false at the end. */
bool		 ir_next_port(struct slice *list, unsigned *from, unsigned *to);

/* iodef2_read_indicator.c, iodef2_read_pattern.c */
void		 ir_indicators(struct ir *r, struct ir_incident *inc, struct xml_node *n);

enum ir_pattern_kind { IR_STIX, IR_OTHER, IR_XML, IR_NONE };
struct ir_pattern {
	enum ir_pattern_kind kind;
	struct pat_node	*node;		/* IR_STIX */
	struct slice	 type, text;	/* IR_OTHER */
	struct ir_label	 label;		/* strictest of all that went in */
};
/* The pattern of an Indicator's content. */
void		 ir_pattern(struct ir *r, struct xml_node *indicator, struct ir_pattern *out);

/* Pieces of patterns (iodef2_read_test.c): one thing as a tree, NULL if STIX cannot say it; *none when
 * what it says is not valid at all. */
struct pat_node	*ir_observable(struct ir *r, struct xml_node *thing, bool *none);
struct pat_node	*ir_bulk(struct ir *r, struct xml_node *bulk, bool *none);
/* One test "object:path = value"; the same with a number and any operator. */
struct pat_node	*ir_test(struct ir *r, const char *path, struct slice value);
struct pat_node	*ir_test_number(struct ir *r, const char *path, enum pat_op op,
		    unsigned long long value);
struct pat_node	*ir_test_address(struct ir *r, struct slice category, struct slice value,
		    const char *path, bool *none);
bool		 ir_detection(struct ir *r, struct xml_node *n, struct slice *type, struct slice *text);

/* iodef2_keep.c */
void	ir_keep(struct ir *r, struct ir_incident *inc);
void	ir_keep_document(struct ir *r);
void	ir_account(struct ir *r);

/* iodef2_restore.c */
bool	ir_has_originals(const struct ir *r);
int	ir_restore(struct ir *r, struct err *e);

/* iodef2_read.c */
/* Derive all Incidents into r->incidents; verdicts for those that cannot be. */
void	ir_derive(struct ir *r);
/* Parse; and see that the tree is a document of IODEF v2. */
int	ir_open(struct ir *r, struct slice in, struct err *e);
int	ir_open_tree(struct ir *r, struct err *e);
/* Mint everything that was derived. */
int	ir_mint(struct ir *r, struct err *e);

/* Raise what holds XML to the label of that XML; before anything is joined. */
void	ir_settle_labels(struct ir *r);
/* The id of the bundle of a document. */
struct slice	 ir_document_id(const struct read_job *job, struct arena *mem);

/* iodef2_split.c: what a piece of a large document (job->piece) knows of the others. */
extern const struct format_split iodef2_split;
int	ir_piece_parse(struct ir *r, struct slice in, const struct xml_limits *lim, struct err *e);
void	ir_piece_begin(struct ir *r);
void	ir_piece_end(struct ir *r);
/* Objects that other Incidents give too: their label, and whether they are minted already. */
void	ir_piece_join(struct ir *r);
/* True (of a whole too) if no report carries yet what the document says of itself. */
bool	ir_piece_is_first(const struct ir *r);

#endif

/*
 * iodef2_write.h -- the inside of the IODEF v2 writer: one pass from an advisory to a document.
 *
 *	index    latest version of each id, relationships by either end, translations by object
 *	plan     which object goes into which Incident                      (iodef2_write_plan.c)
 *	native   each object becomes elements, and says which of its leaves went in   (..._*.c)
 *	residue  each object travels whole beside its elements, the rest is accounted (..._residue.c)
 *
 * Owns:    struct iw, the state of one document being written.
 * Called:  by formats/iodef2_write*.c only.
 * Never:   writes text: everything is a tree until iodef2_write() prints it.
 */
#ifndef FORMATS_IODEF2_WRITE_H
#define FORMATS_IODEF2_WRITE_H

#include "formats/iodef2.h"
#include "formats/iodef2_residue.h"
#include "formats/pattern.h"

/* What became of the leaves below `path` ("" = all of them; "external_references[0]"). */
struct iw_mark {
	const char	*path;
	enum loss_kind	 kind;
};

struct iw_obj {
	const struct object	*o;
	size_t			 incident;	/* 1-based, 0 = none */
	bool			 latest;	/* of its id in this advisory */
	bool			 container;	/* report, grouping or incident with an own Incident */
	bool			 done;		/* its native elements exist or were tried */
	char			*hash;		/* iodef2_object_hash, once asked for */
	size_t			 places;	/* used of its IODEF residue */
	struct xml_node		*used_in;	/* the EventData where another SCO speaks for it */
	bool			 covered;	/* a reader makes it of what came home */
	bool			 home;		/* as are all others: no residue */
	bool			 elsewhere;	/* in an Incident that another batch has */
	bool			 rest;		/* own, and left for the last batch */
	size_t			 copies;	/* elements that it has there */
	struct iw_obj		*merged;	/* incident: the report it is in; report: its incident */
	struct xml_node		**nodes;	/* its native elements */
	size_t			 nnodes, nodes_cap;
	struct iw_mark		*marks;
	size_t			 nmarks, marks_cap;
};

/* One row of a sorted index: key -> object, in bundle order among equal keys. */
struct iw_ref {
	struct slice	 key;
	uint64_t	 hash;		/* of the key: rows are in its order */
	struct iw_obj	*obj;
};

struct iw_index {
	struct iw_ref	*v;
	size_t		 n, cap;
};

struct iw_nodes {
	struct xml_node	**v;
	size_t		 n, cap;
};

/* One Incident of the document. */
struct iw_incident {
	struct iw_obj	*report;	/* report or grouping, NULL if none */
	struct iw_obj	*incident;	/* incident SDO, NULL if none */
	struct iw_obj	**members;	/* in bundle order, without the two above */
	size_t		 nmembers, members_cap;
	struct xml_node	*node;
	struct xml_node	*history, *indicators;	/* its only elements of these, once they were asked for */
	struct xml_node	*actions;	/* the EventData that holds Expectations of no event */
	struct slice	 id;		/* text of IncidentID */
	bool		home;		/* the node is what came as IODEF */
	struct iw_obj	*creator;	/* identity behind Contact role=creator, NULL if none */
};

/* What is remembered of Incidents of earlier batches (iodef2_write_series.c). */
struct iw_link {
	struct slice	 id, name;
	enum tlp	 label;
	uint32_t	 asked;		/* the last Incident that names something of it, from 1 */
};

struct iw {
	const struct write_job	*job;
	const struct batch	*batch;		/* these are some of many (format_series); or NULL */
	struct writing		*series;	/* with `batch` */
	struct arena		*mem;
	struct xml_reader	*reader;	/* of XML in residues, into mem */
	struct xml_node		*doc;
	struct iw_obj		*v;
	size_t			 n;
	struct iw_index		 versions;	/* all of them; by_id has the latest only */
	struct iw_index		 by_id, by_source, by_target, by_language, by_creator, by_place;
	struct iw_incident	*incidents;
	size_t			 nincidents, incidents_cap;
	struct iw_nodes		 home;		/* elements that came home just now; user = the object */
	struct slice		*used_ids;	/* xs:ID values given so far: a hash table */
	size_t			 nused_ids, used_ids_cap;
};

/* iodef2_write.c: our name, and the empty document */
const char	*iw_csirt(const struct write_job *job);
void		 iw_start_document(struct iw *w, struct slice lang);
extern const struct format_series iodef2_series;
/* The Incident of an object that is elsewhere; NULL if it is not written yet, or `asker` had it. */
const struct iw_link *iw_series_link(struct iw *w, const struct iw_obj *ob,
		    const struct iw_incident *asker);
/* iw_take_id, among those of all batches. */
bool		 iw_series_take_id(struct iw *w, struct slice id);
/* The path in the whole document of one in the batch. */
const char	*iw_series_path(struct iw *w, const char *path);

/* iodef2_write_plan.c */
void		 iw_index_build(struct iw *w);
/* The latest version of that id, NULL if it is not in the advisory. */
struct iw_obj	*iw_find(const struct iw *w, struct slice id);
/* Rows of an index with that key: *n of them from the result on. */
const struct iw_ref *iw_rows(const struct iw_index *ix, struct slice key, size_t *n);
/* First relationship of that type to an object; NULL if none. `type` NULL: any. */
struct iw_obj	*iw_rel_to(const struct iw *w, struct slice target, const char *type);
void		 iw_plan(struct iw *w);
bool		 iw_has_native_form(const struct object *o);
bool		 iw_only_signs(const struct iw *w, const struct iw_obj *identity);
/* Take the xs:ID value; false if it is taken already. */
bool		 iw_take_id(struct iw *w, struct slice id);

/* iodef2_write_tree.c: elements, attributes, labels and the account of leaves */
struct xml_node	*iw_el(struct iw *w, struct xml_node *parent, const char *name);
/* The only child of that name, made if need be; it is looked for once. */
struct xml_node	*iw_only(struct iw *w, struct xml_node **known, struct xml_node *parent, const char *name);
struct xml_node	*iw_el_ns(struct iw *w, struct xml_node *parent, const char *ns, const char *prefix,
		    const char *name);
struct xml_node	*iw_leaf(struct iw *w, struct xml_node *parent, const char *name, struct slice text);
void		 iw_set(struct iw *w, struct xml_node *n, const char *name, const char *value);
/* name=value when `value` is a word of the enumeration, else name="ext-value" ext-name=value. */
void		 iw_set_word(struct iw *w, struct xml_node *n, const char *name, struct slice value);
/* AdditionalData of our own making: dtype, name and text. */
struct xml_node	*iw_extra(struct iw *w, struct xml_node *parent, const char *dtype, const char *name,
		    struct slice text);
void		 iw_generated(struct iw *w, struct xml_node *n, const char *note);
/* Time element from a STIX timestamp: leap seconds, which xs:dateTime has not, become :59. */
struct xml_node	*iw_time(struct iw *w, struct xml_node *parent, const char *name, struct slice stamp,
		    bool *exact);
/* The text survives the reader's trimming (IW_TEXT) or its collapsing of blanks (IW_LINE). */
enum iw_shape { IW_LINE, IW_TEXT };
bool		 iw_exact(struct slice s, enum iw_shape shape);
bool		 iw_is_ncname(struct slice s);
bool		 iw_is_uri(struct slice s);
bool		 iw_is_fqdn(struct slice s);
bool		 iw_is_email(struct slice s);
bool		 iw_is_language(struct slice s);

/* The element, one of them or the only one, that says what `ob` says. */
void		 iw_claim(struct iw *w, struct iw_obj *ob, struct xml_node *node);
void		 iw_mark(struct iw *w, struct iw_obj *ob, enum loss_kind kind, const char *path);
void		 iw_markf(struct iw *w, struct iw_obj *ob, enum loss_kind kind, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));
/* type, spec_version and the like: said by the choice of the element. */
void		 iw_mark_kind(struct iw *w, struct iw_obj *ob, bool id);
/* A string property as an element, its leaf accounted; NULL if the object has it not. */
struct xml_node	*iw_prop(struct iw *w, struct iw_obj *ob, struct xml_node *parent, const char *name,
		    const char *prop, enum iw_shape shape);
struct xml_node	*iw_prop_time(struct iw *w, struct iw_obj *ob, struct xml_node *parent,
		    const char *name, const char *prop);
/* name and description as Descriptions, with their translations. Claims them if `claim`. */
void		 iw_descriptions(struct iw *w, struct iw_obj *ob, struct xml_node *parent, bool claim);

/* Labels. The stricter of two, where no label counts between GREEN and AMBER. */
enum tlp	 iw_label(const struct object *o);
enum tlp	 iw_label_join(enum tlp a, enum tlp b);
/* What carries the label `around` may hold what is labelled `inner`. */
bool		 iw_label_covers(enum tlp around, enum tlp inner);
/* @restriction on n for that label, unless what n inherits says the same. */
void		 iw_restrict(struct iw *w, struct xml_node *n, enum tlp label);
/* What holds at n: its own or the nearest ancestor's restriction. */
enum tlp	 iw_label_at(const struct xml_node *n);

/* iodef2_write_incident.c */
int		 iw_write_incident(struct iw *w, struct iw_incident *inc, struct err *e);
void		 iw_confidence(struct iw *w, struct iw_obj *ob, struct xml_node *parent);

/* iodef2_write_party.c */
struct xml_node	*iw_write_contact(struct iw *w, struct iw_obj *identity, struct xml_node *parent,
		    const char *role, const char *ext_role);
void		 iw_write_contacts(struct iw *w, struct iw_incident *inc);
void		 iw_write_related(struct iw *w, struct iw_incident *inc);

/* iodef2_write_method.c: malware, tools, attack patterns, vulnerabilities, actions, history */
void		 iw_write_method(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
void		 iw_write_action(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
void		 iw_write_history(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
/* external_references as Reference elements. */
void		 iw_references(struct iw *w, struct iw_obj *ob, struct xml_node *parent);

/* iodef2_write_indicator.c, iodef2_write_pattern.c */
void		 iw_write_indicator(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
/* Observable or IndicatorExpression below an Indicator; false and nothing added when the tables
 * cannot say the whole pattern. *exact: read back it gives the same meaning. */
bool		 iw_write_pattern(struct iw *w, struct xml_node *indicator, const struct pat_node *p,
		    bool *exact);

/* iodef2_write_event.c, iodef2_write_sco.c */
void		 iw_write_event(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
void		 iw_write_loose(struct iw *w, struct iw_incident *inc);	/* SCOs of no observed-data */
void		 iw_write_infrastructure(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
void		 iw_write_analysis(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
/* One SCO below an EventData. */
void		 iw_write_sco(struct iw *w, struct xml_node *event, struct iw_obj *ob);
/* A System in that Flow with the address-like SCO as its Node; NULL if the SCO is none. */
struct xml_node	*iw_write_system(struct iw *w, struct iw_obj *ob, struct xml_node *flow,
		    const char *category);
struct xml_node	*iw_write_flow(struct iw *w, struct iw_obj *ob, struct xml_node *event);
bool		 iw_is_endpoint(const struct object *o);

/* Pieces that patterns and SCOs share (iodef2_write_bits.c). */
const char	*iw_address_category(struct slice type, struct slice value);
const char	*iw_guess_category(struct slice value);	/* "" = a domain name, NULL = neither */
struct xml_node	*iw_domain(struct iw *w, struct xml_node *parent, struct slice name);
struct xml_node	*iw_address(struct iw *w, struct xml_node *parent, const char *category,
		    struct slice value);
/* Hash or FuzzyHash below a HashData; false if algorithm or digest cannot be said. */
bool		 iw_hash_can(struct slice algorithm, struct slice digest);
void		 iw_hash(struct iw *w, struct xml_node *hashdata, struct slice algorithm,
		    struct slice digest);
/* <Hash> of a known algorithm, digest in hex. */
void		 iw_hash_element(struct iw *w, struct xml_node *parent, struct slice algorithm,
		    struct slice digest);
struct slice	 iw_join_path(struct iw *w, struct slice dir, struct slice name);

/* iodef2_write_residue.c */
void		 iw_residue(struct iw *w);
void		 iw_bundle(struct iw *w);
void		 iw_account(struct iw *w);

/* iodef2_write_home.c: what came as IODEF goes home as it was */
void		 iw_home(struct iw *w);
bool		 iw_home_member(struct iw *w, struct iw_incident *inc, struct iw_obj *ob);
void		 iw_home_moved(struct iw *w, const struct iw_obj *ob, struct xml_node *n);

#endif

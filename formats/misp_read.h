/*
 * misp_read.h -- the inside of the MISP reader: from a document to objects, one event at a time.
 *
 *	open     which of the shapes is it? a list of events            (misp_read.c)
 *	derive   attributes, objects, clusters ... become objects       (misp_read_*.c)
 *	restore  STIX originals that travelled in the event come back   (misp_restore.c)
 *	mint     markings, residue, the advisory                        (misp_mint.c)
 *
 * Owns:    struct mr, the state of one document, and struct mr_event, one event.
 * Called:  by formats/misp_*.c only.
 * Never:   mints before a whole event was read.
 */
#ifndef FORMATS_MISP_READ_H
#define FORMATS_MISP_READ_H

#include "formats/idmap.h"
#include "formats/misp.h"
#include "formats/misp_graph.h"
#include "gateway/base/strbuf.h"

/* An object on its way. */
struct mr_originals;
struct mr_made {
	json		*tree;
	struct slice	 id;
	struct misp_label label;
	const char *member; /* of R: "event", "attribute" ...; NULL: its part is elsewhere */
	json		*part;
	bool		 bare;		/* no R: an observable */
	bool		 ready;		/* an original: nothing is added */
	struct slice	 text;		/* its bytes */
	json		**observables;	/* of an observed-data */
	size_t		 nobservables;
	const json	*from;		/* the native element; NULL for what several made */
};

struct mr_event {
	json		*node;		/* NULL: attributes or objects that no event holds */
	struct slice	 uuid;
	struct misp_label label;
	struct slice	 created, modified;
	struct slice	 creator;	/* id; empty if nobody is named */
	struct mr_made	*container;
	struct mr_made	**v;		/* in the order made, without the container */
	size_t		 n, cap;
	size_t		*slots, nslots;	/* index of v by id: numbers from 1 */
	struct idmap	 uuids;		/* of attributes and objects -> v */
	bool		 uuids_sorted;
	json		*part;		/* R.event */
	const struct mr_originals *originals;
};

struct mr {
	const struct read_job	*job;
	struct arena		*mem;
	struct advisory		*adv;
	json			*root;
	struct ledger		*led;
	uint64_t		 seed;		/* from the digest of the input */
	size_t			 objects, warnings;
	size_t			 index;		/* of the event in the document */
	char			 where[96];	/* path of what is being read */
	struct idmap		 minted;	/* ids of this document */
};

/* What an attribute says, in our words. */
struct mr_item {
	json			*node;
	const struct misp_type	*type;		/* NULL: MISP has no such type */
	struct slice		 uuid, name, category, value, comment, data, relation;
	struct slice		 stamp, first, last;
	struct misp_label	 label;		/* of its own */
	bool			 to_ids, deleted;
};

/* misp_read.c */
void	mr_warn(struct mr *r, const char *code, struct slice id, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
void	mr_refuse(struct mr *r, const json *node, const char *code, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
void	mr_at(struct mr *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The member, marked as kept. */
json	*mr_take(struct mr *r, const json *o, const char *name);
/* Its text, marked as kept. */
struct slice	mr_text(struct mr *r, const json *o, const char *name);
/* The uuid of an element, or one made of the fields; `warn` says so when it has a broken one. */
struct slice mr_uuid(
    struct mr *r, const json *o, const char *kind, struct slice a, struct slice b, struct slice c);
/* `timestamp` as a STIX time, else `otherwise`. */
struct slice	mr_stamp(struct mr *r, const json *o, struct slice otherwise);
/* first_seen and the like in UTC; empty if absent or broken. */
struct slice	mr_time(struct mr *r, const json *o, const char *name);
bool		mr_before(struct mr *r, struct slice a, struct slice b);

/* misp_mint.c */
/* A new object with the common properties. `type--uuid` must be free: else NULL. */
struct mr_made	*mr_new(struct mr *r, struct mr_event *ev, const char *type, struct slice uuid,
		    struct slice created, struct slice modified, struct misp_label label);
/* The report or grouping; it stands apart from what it holds. */
struct mr_made	*mr_container(struct mr *r, struct mr_event *ev, const char *type);
/* What travelled whole; NULL if there is one of that id. */
struct mr_made	*mr_original(struct mr *r, struct mr_event *ev, json *tree, struct slice text);
/* An observable; the same one again is the one there is, with the laxer label. */
struct mr_made *mr_observable(
    struct mr *r, struct mr_event *ev, json *tree, struct misp_label label);
struct mr_made	*mr_find(struct mr *r, struct mr_event *ev, struct slice id);
void		 mr_relate(struct mr *r, struct mr_event *ev, struct slice from, const char *type,
		    struct slice to, struct slice uuid, struct slice stamp, struct misp_label label,
		    struct slice comment);
/* The objects of an event, its container and what they refer to, into the advisory. */
int		 mr_mint(struct mr *r, struct mr_event *ev, struct err *e);

/* misp_read_attribute.c */
/* False if it is no attribute (and then it was refused). */
bool		 mr_item(struct mr *r, struct mr_event *ev, json *node, struct mr_item *out);
void		 mr_attribute(struct mr *r, struct mr_event *ev, json *node);
/* labels: misp:type, misp:category, misp:to_ids and the tags. */
void		 mr_labels(struct mr *r, json *tree, const struct mr_item *it);
void		 mr_tags(struct mr *r, json *tree, const json *element);
/* The observables of a graph, and an observed-data over them; NULL if the standard allows none. */
struct mr_made	*mr_observed(struct mr *r, struct mr_event *ev, struct misp_graph **g, size_t n,
		    const struct mr_item *it, struct misp_label label);
/* That the path has one of the values; an address picks its type, a network is ISSUBSET. */
struct pat_node;
struct pat_node	*mr_test(struct mr *r, const struct misp_path *p, const struct slice *values, size_t n);
void mr_indicate(struct mr *r, json *tree, struct slice pattern, const char *pattern_type,
    const struct mr_item *it);

/* misp_read_object.c, misp_read_galaxy.c */
void		 mr_object(struct mr *r, struct mr_event *ev, json *node);
void		 mr_references(struct mr *r, struct mr_event *ev, json *object);
/* Clusters of an event (owner NULL) or of what an attribute became. */
void mr_galaxies(struct mr *r, struct mr_event *ev, json *element, const struct mr_made *owner,
    struct misp_label label);
void mr_sightings(struct mr *r, struct mr_event *ev, json *element, const struct mr_made *owner,
    struct misp_label label);
void		 mr_event_report(struct mr *r, struct mr_event *ev, json *node);

/* misp_restore.c */
/* Take the originals of an event out of it; what they explain is marked and not read natively. */
struct mr_originals *mr_originals_read(struct mr *r, json *event);
bool		 mr_is_explained(const struct mr_originals *os, const json *element);
/* Put them among what the event made; true if the event gives no container of its own. */
void		 mr_originals_put(struct mr *r, struct mr_event *ev, struct mr_originals *os);
/* The id of the bundle that they came from; empty if unsaid. */
struct slice	 mr_originals_bundle(const struct mr_originals *os);
bool		 mr_container_is_original(const struct mr_originals *os);

/* misp_split.c: an element of the list is a piece. */
extern const struct format_split misp_split;
/* misp_write_series.c: an event at a time. */
extern const struct format_series misp_series;
/* What a piece must know of the others; its path in the document. */
const char	*mr_piece_begin(struct mr *r, struct json_limits *limits);
void		 mr_piece_end(struct mr *r);
/* misp_read.c */
struct slice	 misp_document_id(const struct read_job *job, struct arena *mem);

#endif

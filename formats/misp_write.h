/*
 * misp_write.h -- the inside of the MISP writer: from objects to events.
 *
 *	plan      which event does each object belong to?                   (misp_write_plan.c)
 *	native    each becomes an attribute, object, cluster, sighting ...  (misp_write_*.c)
 *	residue   originals, labels, the account                            (misp_write_residue.c)
 *
 * Owns:    struct mw, the state of one writing, and what was made of each object.
 * Called:  by formats/misp_write*.c only.
 * Never:   writes a label that is weaker than the object's.
 */
#ifndef FORMATS_MISP_WRITE_H
#define FORMATS_MISP_WRITE_H

#include "formats/idmap.h"
#include "formats/misp.h"
#include "formats/misp_graph.h"
#include "gateway/base/strbuf.h"

enum { MW_NOWHERE = -1, MW_ELSEWHERE = -2 };

/* An object and what was made of it. */
struct mw_obj {
	const struct object	*o;
	json			*tree;
	json			*residue;	/* R; NULL: STIX-born */
	enum { MW_NONE, MW_EVENT, MW_ATTRIBUTE, MW_OBJECT, MW_REPORT } kind;	/* of its part */
	json *part; /* what it was made of; NULL: that stands elsewhere */
	bool			 intact;	/* S fits */
	long			 event;		/* its event; MW_NOWHERE before the plan */
	bool			 container;
	/* Edited: the element that it was, where that stood, and of what it was a part. */
	json			*was, *was_in, *was_of;
	bool			 done;		/* another object has said it (an observable) */
	json			**nodes;	/* native elements */
	size_t			 nnodes, cap;
	enum tlp		 tlp;		/* that must not get weaker */
	bool			 handling;
};

struct mw_event {
	json		*node;
	json		*attributes, *objects, *reports, *galaxies;
	struct slice	 uuid, date, stamp;
	struct mw_obj	*container;	/* NULL: made for objects that no report names */
	struct mw_obj	**members;	/* all that belongs to it, in their order */
	size_t		 nmembers;
	struct misp_label label;	/* as written */
	struct idmap	 uuids;		/* of attributes and objects -> elements */
	json		**elements;
	size_t		 nelements, elements_cap;
};

struct mw {
	const struct write_job	*job;
	struct arena		*mem;
	struct ledger		*led;
	struct mw_obj		*v;
	size_t			 n;
	const struct batch	*batch;		/* these are some of many (format_series); or NULL */
	struct idmap		 by_id;		/* the latest version of each */
	struct idmap		 edited;	/* uuid -> v: what no longer is as in the part of another */
	struct mw_event		*events;
	size_t			 nevents;
	bool			 born;		/* something has an R */
	bool			 loose;		/* attributes or objects of a search */
};

/* misp_write.c */
struct slice	 mw_latest_time(struct mw *w, const struct mw_event *ev);
json		*mw_write_event(struct mw *w, struct mw_event *ev);	/* {"Event": ...} */

/* misp_write_plan.c */
int mw_open(struct mw *w, const struct write_job *job, struct arena *mem, struct err *e);
void		 mw_plan(struct mw *w);
struct mw_obj	*mw_find(struct mw *w, struct slice id);
json		*mw_find_tree(void *w, struct slice id);	/* object_find_fn */

/* misp_write_element.c */
/* The member, said by the event. */
json		*mw_take(struct mw *w, const json *tree, const char *name);
/* "domain" of the label misp:type="domain"; empty if there is no such label. */
struct slice	 mw_label(const json *tree, const char *what);
/* A new attribute of ob; the one that is there if the uuid is taken by the same value. */
json *mw_attribute(struct mw *w, struct mw_event *ev, struct mw_obj *ob, const char *type,
    struct slice value, struct slice uuid, bool to_ids);
/* An object without attributes; t may be NULL. */
json *mw_object(struct mw *w, struct mw_event *ev, struct mw_obj *ob, const struct misp_template *t,
    struct slice name, struct slice meta);
json *mw_object_attribute(struct mw *w, json *object, const char *relation, const char *type,
    struct slice value, bool to_ids);
/* Say that the element came of ob. */
void		 mw_came_of(struct mw *w, struct mw_obj *ob, json *node);
json		*mw_by_uuid(struct mw_event *ev, struct slice uuid);
void		 mw_add_element(struct mw *w, struct mw_event *ev, json *node);

/* misp_write_facts.c */
/* The type of attribute that a single fact gets; NULL: none. */
const struct misp_type *mw_type_of_fact(struct mw *w, const struct misp_fact *f);
/* Facts that no label explains: one attribute, a pair, or an object. False: MISP has no words for it. */
bool		 mw_write_facts(struct mw *w, struct mw_event *ev, struct mw_obj *ob,
		    struct misp_facts *f, struct slice uuid, bool to_ids);
/* An attribute that no path stands for; `data`: the content of the one that is there. */
void		 mw_other_attribute(struct mw *w, json *object, const struct misp_template *t,
		    char *relation, struct slice value, bool data);
/* As the labels of an object say that it was in MISP; false if they say nothing that we know. */
bool		 mw_write_labelled(struct mw *w, struct mw_event *ev, struct mw_obj *ob,
		    struct misp_facts *f, bool to_ids);

/* misp_write_native.c */
void		 mw_indicator(struct mw *w, struct mw_event *ev, struct mw_obj *ob);
void		 mw_observed(struct mw *w, struct mw_event *ev, struct mw_obj *ob);
void		 mw_observable(struct mw *w, struct mw_event *ev, struct mw_obj *ob);

/* misp_write_kept.c */
void		 mw_index_edited(struct mw *w);
/* A copy of what ob was made of, without what was edited since. */
json		*mw_kept_part(struct mw *w, const struct mw_obj *ob);
/* The part of an untouched object; false if ob is none. */
bool		 mw_put_kept(struct mw *w, struct mw_event *ev, struct mw_obj *ob);
/* Into what became of an edited object, or of an edited event: what only the part knew. */
void		 mw_put_rest(struct mw *w, const struct mw_event *ev, struct mw_obj *ob);
void		 mw_put_event_rest(struct mw *w, struct mw_event *ev, json *part);
/* Append what an object became; where it was edited, with what only its old element knew. */
void		 mw_put_again(struct mw *w, struct mw_obj *ob, json *list, json *node);

/* misp_write_sdo.c */
void		 mw_sdo(struct mw *w, struct mw_event *ev, struct mw_obj *ob);
/* An object of a template whose paths are properties of the SDO. */
void		 mw_template(struct mw *w, struct mw_event *ev, struct mw_obj *ob,
		    const struct misp_template *t);
void		 mw_link(struct mw *w, struct mw_event *ev, struct mw_obj *ob);
void		 mw_cluster(struct mw *w, struct mw_event *ev, struct mw_obj *ob);

/* misp_write_residue.c */
struct misp_label mw_label_of(const struct mw_obj *ob);
void		 mw_tag(struct mw *w, json *element, const char *name);
/* Tags of its labels, and the tag and distribution of its marking beside those of `above`. */
void mw_mark(struct mw *w, json *element, const struct mw_obj *ob, struct misp_label above);
/* Make sure that nobody reads less than ob's label from a part that came back. */
void mw_raise(
    struct mw *w, json *element, const struct mw_obj *ob, struct misp_label above, bool event);
void		 mw_residue(struct mw *w, struct mw_event *ev);
void		 mw_account(struct mw *w);

#endif

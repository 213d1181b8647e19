/*
 * csaf_write.h -- what the writer of CSAF has in common (csaf_write*.c, csaf_home.c).
 *
 * Owns:    one writing: which objects become which part of the document, and the account.
 * Called:  by formats/csaf_write*.c, csaf_home.c and csaf_merge.c only.
 * Never:   writes a document that fails a mandatory test which needs no list from outside, unless it came
 *          to us like that.
 */
#ifndef FORMATS_CSAF_WRITE_H
#define FORMATS_CSAF_WRITE_H

#include "formats/csaf.h"

/* An object on its way into a document. */
struct csaf_part {
	const struct object	*o;
	json			*tree;
	json			*element;	/* what was written of it; NULL: nothing */
	bool			 native;	/* something of it stands in the document natively */
	bool			 home;		/* the document it came from says it: no note needed */
	size_t			 vulnerability;	/* 1 + its place among the vulnerabilities; 0: none */
	size_t			 product;	/* 1 + its place among the products; 0: none */
	const json		*seen_in;	/* the last threat that names it */
};

/* One status list entry, remediation or note of a vulnerability, by the order of the objects. */
struct csaf_link {
	struct csaf_part	*relation;	/* relationship; NULL for notes */
	struct csaf_part	*part;		/* software, course-of-action or note */
	bool			 there;		/* the document that came home says it already */
	struct csaf_link	*next;
};

struct csaf_links {
	struct csaf_link	*first, *last;
};

struct csaf_vulnerability {
	struct csaf_part	*part;
	bool			 cve;		/* the first of this CVE */
	struct csaf_links	 products, remediations, notes;
	size_t			 affected;	/* products written as affected */
	json			*ids;		/* products that remediations are for; NULL until needed */
	struct slice		 group;		/* that holds them, or empty */
};

struct csaf_product_out {
	struct csaf_part	*part;
	struct slice		 id;
	bool			 there;		/* in the tree of the document that came home */
	size_t			 seen;		/* 1 + vulnerability that `groups` is about */
	unsigned		 groups, lists;	/* status groups and lists written for it there */
	const json		*named;		/* the last list that names it */
};

/* An element, and the object that it was written of. */
struct csaf_written {
	const json		*element;
	struct csaf_part	*part;
};

struct csaf_writing {
	const struct write_job	*job;
	struct arena		*mem;
	struct csaf_part	*v;
	size_t			 n;
	struct idmap		 by_id;
	struct ledger		*ledger;
	struct csaf_part	*report, *publisher;
	json			*root, *document;
	struct csaf_vulnerability *vulnerabilities;
	size_t			 nvulnerabilities, vulnerabilities_cap;
	struct csaf_product_out	*products;
	size_t			 nproducts, products_cap;
	struct csaf_links	 notes;		/* of the document */
	struct csaf_written	*written;
	size_t			 nwritten, written_cap;
	bool			 native_only;	/* no account, no notes of ours, no way home */
};

/* The parts by id; NULL if the advisory has no such object. */
struct csaf_part *csaf_part_find(const struct csaf_writing *w, struct slice id);
/* Decide what goes where (csaf_plan.c). False if there is no report with vulnerabilities. */
bool	csaf_plan(struct csaf_writing *w);
void	csaf_plan_report(struct csaf_writing *w, struct csaf_part *report);
/* Make a product of a part, once. */
struct csaf_product_out *csaf_plan_product(struct csaf_writing *w, struct csaf_part *part);

/* Index the objects of an advisory. */
void	csaf_write_start(struct csaf_writing *w, const struct write_job *job, struct arena *mem);
/* The document natively: w->root, without notes of ours. */
void	csaf_write_native(struct csaf_writing *w);
void	csaf_write_document(struct csaf_writing *w);
void	csaf_write_label(struct csaf_writing *w);
void	csaf_write_products(struct csaf_writing *w);
void	csaf_write_vulnerabilities(struct csaf_writing *w);
/* Single parts. */
json	*csaf_write_note(struct csaf_writing *w, struct csaf_part *part);
json	*csaf_write_remediation(struct csaf_writing *w, struct csaf_part *part, struct slice relation);
json	*csaf_write_threat(struct csaf_writing *w, struct csaf_part *part);
void	csaf_write_vulnerability(struct csaf_writing *w, struct csaf_vulnerability *v);
/* What stands in objects beside a vulnerability, into its element. */
void	csaf_write_links(struct csaf_writing *w, struct csaf_vulnerability *v, json *to);
/* One external reference of `tree` to where it belongs in the element of a vulnerability. */
void	csaf_write_name(struct csaf_writing *w, json *ref, json *to, bool cve);
/* The references of `tree` under "references" of `to`; `ids`: those without a URL under "ids". */
void	csaf_write_references(struct csaf_writing *w, json *tree, json *to, bool ids, const json *skip);
/* The word behind `prefix` in a label of the tree; empty if there is none. Marks it. */
struct slice	csaf_label_word(struct csaf_writing *w, json *tree, const char *prefix);

/* The way home: true if the report brought its document, and w->root is that (csaf_home.c). */
bool	csaf_go_home(struct csaf_writing *w);
/* Change in the element of an object what the object says otherwise than the document did
 * (csaf_edit.c). */
void	csaf_edit(struct csaf_writing *w, struct csaf_reading *base, struct csaf_made *m,
	    struct csaf_part *p);
/* The place of an object that is no longer there goes. */
void	csaf_edit_away(struct csaf_writing *w, struct csaf_reading *base, struct csaf_made *m);
/* The same for what relationships say of products, after all were looked at (csaf_edit_status.c).
 * */
void	csaf_edit_statuses(struct csaf_writing *w, struct csaf_reading *base);
/* The document has a later version when an object has (csaf_edit_tracking.c). */
void	csaf_edit_tracking(struct csaf_writing *w);

/* Notes of ours, and the account. */
void	csaf_write_originals(struct csaf_writing *w);
void	csaf_write_account(struct csaf_writing *w);

/* Remember what was written of a part: the last is its element. */
void	csaf_wrote(struct csaf_writing *w, struct csaf_part *part, json *element);
/* Mark a node of an object. */
void	csaf_kept(struct csaf_writing *w, const json *node);
/* The text member, marked as kept. */
struct slice	csaf_take(struct csaf_writing *w, json *tree, const char *name);
/* Remember that something had to be made up. */
void	csaf_generated(struct csaf_writing *w, const char *path, const char *note);

#endif

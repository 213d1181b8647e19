/*
 * stix21_read.h -- the parts of the STIX 2.1 reader and writer.
 *
 * Owns:    the state of one reading: the document taken apart (stix21.c), its items one by one
 *          (stix21_item.c), what needs all of them (stix21_message.c); and the writer (stix21_write.c).
 * Called:  by those files only.
 * Never:   holds a tree longer than it is looked at when the job says `lean`.
 */
#ifndef FORMATS_STIX21_READ_H
#define FORMATS_STIX21_READ_H

#include "formats/format.h"
#include "formats/idmap.h"
#include "formats/stix21_check.h"

/* One reading. */
struct reading {
	const struct read_job	*job;
	struct arena		*mem;
	struct advisory		*adv;
	struct slice		 in;		/* our copy of the input */
	struct json_doc		 doc;
	struct idmap		 definitions;	/* of markings and extensions: id -> item */
	struct idmap		 lost;		/* ids of marking-definitions that were refused */
	struct pos		 here;		/* of the item looked at, moved forward only */
	size_t			 line_at;	/* offset where its line begins */
	bool			 lean;		/* trees are parsed one at a time, into tmp */
	bool			 own_tree;	/* the item looked at has one that stays */
	struct arena		*tmp;		/* what need not outlive the item looked at */
	bool			 odd;		/* lean, and something is for the usual way to judge */
	bool			 stix20;	/* the container says that it holds STIX 2.0 */
	struct whole		*whole;		/* of which this is a piece, or NULL */
	size_t			 before;	/* verdicts of the pieces before this one */
};

/* Return the limit, or the default where the job does not say. */
static inline size_t
stix21_limit(size_t given, size_t otherwise)
{
	return given == 0 ? otherwise : given;
}

/* The judgement of one object: what was found so far. */
struct stix21_findings {
	struct reading			*r;
	const struct json_item		*item;
	struct stix21_issue		 first;		/* that forbids the object; code NULL if none */
	size_t				 before, remarks;
	bool				 is_20;
};

/* stix21_item.c */
/* Move r->here to a later offset of the input; every byte is looked at once. */
void	stix21_move_to(struct reading *r, size_t offset);
/* Give the advisory the bundle's id, or one made of the input and the name of its format. */
void	stix21_name(struct reading *r, const char *format);
/* Make objects of all items, or refuse them. */
void	stix21_read_items(struct reading *r);
/* Refuse one item: a verdict with its text, and an account of what is lost. */
void	stix21_refuse(struct reading *r, const struct json_item *item, const char *code,
	    struct err err);
/* Remark on the container: a verdict of no object. */
void	stix21_remark(struct reading *r, const char *code, const char *path, const char *reason);
/* Judge an object of `item`: what is found by the check that is returned stays with it as remarks, or
 * refuses it; stix21_judged says false if it was refused. */
struct stix21_check stix21_judge(struct stix21_findings *f, struct reading *r,
	    const struct json_item *item, const struct object *o);
bool	stix21_judged(struct stix21_findings *f);
/* The stable code for what object_fill found. */
const char *stix21_code(const struct err *err);
/* Have the tree of an item while it is looked at; false if that is for the usual way to judge. */
bool	stix21_borrow_tree(struct reading *r, struct json_item *item);
void	stix21_give_back_tree(struct reading *r, struct json_item *item);
/* Record all leaves of one object under its id. */
void	stix21_account(struct loss *l, enum loss_kind kind, const json *tree, struct slice id,
	    const char *note);

/* stix21_message.c */
/* Refuse the later of two objects with one id and version but different content; remark on versions beside
 * each other, and on translations beside what they translate (not of large documents, in pieces: nothing
 * is refused for that). */
void	stix21_check_message(struct reading *r);
/* The only object of a piece contradicts an earlier one. */
void	stix21_refuse_conflict(struct reading *r, const struct json_item *item);
/* True if an object is marked by a definition that was refused. */
bool	stix21_has_lost_marking(const struct reading *r, const json *tree);
/* What a refused definition said does not count: what it marked cannot be read any more. */
void	stix21_unread_lost_markings(struct reading *r);

/* stix21.c: account for members of the container that carry nothing of STIX; remark on a bundle. */
void	stix21_account_container(struct loss *l, const json *root);
void	stix21_check_bundle(struct reading *r, const json *root);

/* stix21_split.c: an item is a piece. */
int	stix21_read_piece(const struct read_job *job, struct arena *mem, struct advisory *adv,
	    struct err *e);
/* The tree of a definition (of a marking, of an extension) of the whole; NULL if there is none. */
json	*stix21_whole_definition(struct whole *w, struct slice id);
extern const struct format_split stix21_split;

/* stix21_write.c */
int	stix21_write(const struct write_job *job, struct arena *mem, struct strbuf *out,
	    struct err *e);
extern const struct format_stream stix21_stream;

#endif

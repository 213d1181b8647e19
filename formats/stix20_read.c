/*
 * stix20_read.c -- a document of STIX 2.0 becomes objects of 2.1.
 *
 * Reads:   a bundle, one object, or (not in strict mode) a bare list. An object that says of itself that
 *          it is of 2.1, and an observable beside the others, stay as they are.
 *
 * Verdicts: those of stix21.c and stix21_check.h, with the names that 2.1 gives to things, and in `path`
 * "objects.K." before those of an observable; beside them, refused in strict mode: MISSING_PROPERTY for
 * what 2.0 alone requires, BAD_TIMESTAMP for `created` and `modified` without exactly three digits of a
 * second. In any mode: TOO_LARGE for observed-data of more than 10,000 objects or 64 markings. A warning:
 * LABEL_RAISED, a residue would have made a label weaker and was not followed.
 */
#include <stdlib.h>

#include "formats/format.h"
#include "formats/ledger.h"
#include "formats/shipped.h"
#include "formats/stix20.h"
#include "formats/stix20_split.h"
#include "formats/stix21_check.h"
#include "formats/stix21_lean.h"
#include "formats/stix21_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum {
	BYTES_DEFAULT = 64 << 20, OBJECT_BYTES_DEFAULT = 8 << 20, OBJECTS_DEFAULT = 100000,
	REMARKS_AN_OBJECT = 16, REMARKS_A_MESSAGE = 10000, TWINS = 16
};

/* What became of one element of the document. */
struct part {
	struct json_item	*item;
	json			*tree;		/* the object in 2.1; NULL: refused, or an observed-data
						 * that was made on the way down */
	struct stix20_unpacked	 un;		/* of observed-data: what it holds */
	bool			 weaker;
	bool			 refused;
	bool			 verbatim;
};

struct reading20 {
	struct reading	 r;		/* the document, and its verdicts */
	struct stix20	 c;
	struct part	*part;
	struct idmap	 defs;		/* of markings and extensions, id -> part */
	struct idmap	 scos;		/* id -> number over all entries */
	struct stix20_entry **entry;	/* by that number */
	size_t		*entry_part;
	size_t		 nentries;
	size_t		 asking;	/* the part that asks whether an id is taken */
	size_t		 made;		/* objects so far */
};

/* ---- the document ---- */

/* Leave its elements in doc.items; -1 if there are none. */
static int
find_items(struct reading *r, struct err *e)
{
	json *root = r->doc.root, *objects = json_get(root, "objects");
	struct pos start = { 1, 1, 0 };
	bool bundle = slice_is(json_member(root, "type"), "bundle");

	if (json_is_list(root) && !r->job->strict)
		return 0;
	if (!json_is_object(root))
		return err_at(e, ERR_VALUE, start, "a document of STIX 2.0 is a bundle");
	if (json_is_list(objects) || (bundle && objects == NULL))
		return 0;
	if (bundle) {
		err_at(e, ERR_VALUE, start, "objects must be a list");
		err_path(e, "objects");
		return -1;
	}
	if (json_get(root, "type") == NULL && json_get(root, "id") == NULL)
		return err_at(e, ERR_MISSING, start, "no STIX object or bundle");
	r->doc.items = arena_alloc(r->mem, sizeof(*r->doc.items));
	r->doc.items[0].node = root;
	r->doc.items[0].text = slice_trim(r->in);
	r->doc.items[0].offset = (size_t)(r->doc.items[0].text.p - r->in.p);
	r->doc.nitems = 1;
	return 0;
}

/* Account for the members of the bundle beside its objects: their ids are its content. */
static void
account_bundle(const struct reading *r, const json *root)
{
	if (r->job->loss == NULL || !slice_is(json_member(root, "type"), "bundle"))
		return;
	for (const json *m = json_first(root); m != NULL; m = json_next(m)) {
		bool known = strcmp(json_name(m), "spec_version") == 0;

		if (strcmp(json_name(m), "objects") != 0 && strcmp(json_name(m), "type") != 0 &&
		    strcmp(json_name(m), "id") != 0)
			stix21_account(r->job->loss, known ? LOSS_KEPT : LOSS_DROPPED, m,
			    slice_of(json_name(m)), known ? NULL : "a member of the bundle");
	}
}

/* ---- verdicts ---- */

static void
refuse(struct reading20 *x, struct part *p, const char *code, struct err err)
{
	stix21_move_to(&x->r, p->item->offset);
	stix21_refuse(&x->r, p->item, code, err);
	p->refused = true;
	p->tree = NULL;
	p->un.n = 0;
}

static void
warn(struct reading20 *x, const struct part *p, const char *code, struct err err)
{
	struct verdict *v;

	if (x->r.before + x->r.adv->nverdicts >= REMARKS_A_MESSAGE)
		return;
	v = advisory_verdict(x->r.adv, x->r.mem, VERDICT_WARNED, code);
	v->id = json_member(p->item->node, "id");
	v->version = json_member(p->item->node, "modified");
	v->index = (size_t)(p->item - x->r.doc.items);
	v->err = err;
	stix21_move_to(&x->r, p->item->offset);
	v->err.at = x->r.here;
	err_input(&v->err, x->r.job->input);
}

/* Begin at the first line again: places are found going forward. */
static void
rewind_places(struct reading20 *x)
{
	x->r.here = (struct pos){ .line = 1 };
	x->r.line_at = 0;
}

/* ---- up ---- */

static const char *
code_of(const struct err *err)
{
	return err->code == ERR_LIMIT ? "TOO_LARGE" :
	    err->code == ERR_MISSING ? "MISSING_PROPERTY" : "BAD_TYPE_OF";
}

/* True for what is of 2.1 already, whatever the bundle says. */
static bool
is_21(const json *node)
{
	return slice_is(json_member(node, "spec_version"), "2.1") ||
	    object_class_of(json_member(node, "type")) == OBJECT_SCO;
}

/* Refuse what is no object at all; true if it was. */
static bool
refuse_oddity(struct reading20 *x, struct part *p)
{
	const json *node = p->item->node;
	size_t most = stix21_limit(x->r.job->limits.object_bytes, OBJECT_BYTES_DEFAULT);
	struct err err = ERR_INIT;

	if (p->item->text.n > most) {
		err_set(&err, ERR_LIMIT, "%zu bytes are more than the limit of %zu for an object",
		    p->item->text.n, most);
		refuse(x, p, "TOO_LARGE", err);
	} else if (!json_is_object(node)) {
		err_set(&err, ERR_VALUE, "not a JSON object");
		refuse(x, p, "BAD_OBJECT", err);
	} else if (slice_is(json_member(node, "type"), "bundle")) {
		err_set(&err, ERR_VALUE, "a bundle within a list of objects would hide what is in it");
		refuse(x, p, "NESTED_BUNDLE", err);
	} else if (json_str(json_get(node, "type")) == NULL) {
		err_set(&err, json_get(node, "type") == NULL ? ERR_MISSING : ERR_VALUE,
		    "there must be a type, and it must be a string");
		err_path(&err, "type");
		refuse(x, p, json_get(node, "type") == NULL ? "MISSING_PROPERTY" : "BAD_TYPE", err);
	}
	return p->refused;
}

/* Keep what is needed of an observed-data that was taken apart. */
static void
keep_unpacked(struct arena *mem, struct part *p, const struct stix20_unpacked *un)
{
	p->un = (struct stix20_unpacked){ .n = un->n, .od = json_copy(mem, un->od),
	    .diff = json_copy(mem, un->diff) };
	p->un.v = arena_alloc(mem, (un->n + 1) * sizeof(*p->un.v));
	for (size_t i = 0; i < un->n; i++)
		p->un.v[i] = (struct stix20_entry){
			.key = arena_str(mem, slice_of(un->v[i].key)), .from = un->v[i].from,
			.to = json_copy(mem, un->v[i].to), .diff = json_copy(mem, un->v[i].diff),
			.id = arena_slice(mem, un->v[i].id), .told = un->v[i].told,
		};
	p->tree = un->generated ? NULL : p->un.od;
	p->weaker = un->weaker;
}

static void
unpack(struct reading20 *x, struct part *p, stix20_taken_fn *taken)
{
	struct err err = ERR_INIT;
	struct stix20_unpacked un;

	x->c.mem = arena_new();
	if (stix20_up_observed(&x->c, p->item->node, taken, x, &un, &err) < 0)
		refuse(x, p, code_of(&err), err);
	else
		keep_unpacked(x->r.mem, p, &un);
	arena_free(x->c.mem);
	x->c.mem = x->r.mem;
}

/* One element in 2.1, as if it were alone. */
static void
lift(struct reading20 *x, struct part *p)
{
	const json *node = p->item->node;

	if (refuse_oddity(x, p))
		return;
	if (is_21(node)) {
		p->verbatim = true;
		p->tree = p->item->node;
	} else if (slice_is(json_member(node, "type"), "observed-data") &&
	    json_is_object(json_get(node, "objects")) && !json_bool(json_get(node, STIX20_INLINE))) {
		unpack(x, p, NULL);
	} else {
		x->c.mem = arena_new();
		p->tree = json_copy(x->r.mem, stix20_up(&x->c, node, &p->weaker));
		arena_free(x->c.mem);
		x->c.mem = x->r.mem;
	}
}

/* ---- observables of several observed-data ---- */

static void
index_entries(struct reading20 *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->r.doc.nitems; i++)
		n += x->part[i].un.n;
	x->entry = arena_alloc(x->r.mem, (n + 1) * sizeof(struct stix20_entry *));
	x->entry_part = arena_alloc(x->r.mem, (n + 1) * sizeof(*x->entry_part));
	x->scos = (struct idmap){ 0 };
	x->nentries = 0;
	for (size_t i = 0; i < x->r.doc.nitems; i++) {
		for (size_t k = 0; k < x->part[i].un.n; k++) {
			x->entry[x->nentries] = &x->part[i].un.v[k];
			x->entry_part[x->nentries] = i;
			idmap_add(&x->scos, x->r.mem, x->part[i].un.v[k].id, x->nentries++);
		}
	}
	idmap_sort(&x->scos);
}

/* stix20_taken_fn: the first to have an id keeps it; others only if they say the same. */
static bool
is_taken(void *ctx, struct slice id, const json *tree)
{
	const struct reading20 *x = ctx;
	long first = idmap_find(&x->scos, id);

	return first != IDMAP_NONE && x->entry_part[first] <= x->asking &&
	    !json_equal(x->entry[first]->to, tree);
}

/* Take those apart again in which an id is that of an observable that says something else. */
static void
part_entries(struct reading20 *x)
{
	index_entries(x);
	rewind_places(x);
	for (size_t i = 0; i < x->r.doc.nitems; i++) {
		bool again = false;

		x->asking = i;
		for (size_t k = 0; k < x->part[i].un.n && !again; k++)
			again = !x->part[i].un.v[k].told &&
			    is_taken(x, x->part[i].un.v[k].id, x->part[i].un.v[k].to);
		if (again)
			unpack(x, &x->part[i], is_taken);
	}
	index_entries(x);
}

/* True if an earlier entry is the same object. */
static bool
is_said(const struct reading20 *x, size_t n)
{
	size_t at = idmap_place(&x->scos, x->entry[n]->id);

	for (size_t i = 0; i < TWINS && at + i < x->scos.n && x->scos.v[at + i].value < n &&
	    slice_eq(x->scos.v[at + i].id, x->entry[n]->id); i++)
		if (json_equal(x->entry[x->scos.v[at + i].value]->to, x->entry[n]->to))
			return true;
	return false;
}

/* ---- objects ---- */

/* object_find_fn over the definitions of the document. */
static json *
find_definition(void *ctx, struct slice id)
{
	const struct reading20 *x = ctx;
	long i = idmap_find(&x->defs, id);

	if (i == IDMAP_NONE && x->r.job->piece != NULL)
		return stix20_whole_definition(x->r.job->piece->whole, id);
	return i == IDMAP_NONE ? NULL : x->part[i].tree;
}

static void
index_definitions(struct reading20 *x)
{
	for (size_t i = 0; i < x->r.doc.nitems; i++)
		if (slice_is(json_member(x->part[i].tree, "type"), "marking-definition") ||
		    slice_is(json_member(x->part[i].tree, "type"), "extension-definition"))
			idmap_add(&x->defs, x->r.mem, json_member(x->part[i].tree, "id"), i);
	idmap_sort(&x->defs);
}

/* What the checks say of one object. */
struct findings {
	struct reading20	*x;
	struct part		*p;
	const char		*key;		/* of an observable; else NULL */
	const char		*code;		/* of the first that forbids it */
	struct err		 err;
	size_t			 remarks;
};

static void
find(struct findings *f, const char *code, enum err_code why, bool must, const char *path,
    const char *reason)
{
	struct err err = ERR_INIT;

	err_set(&err, why, "%s", reason);
	if (f->key != NULL)
		err_path(&err, "objects.%.40s.%s", f->key, path);
	else
		err_path(&err, "%s", path);
	if (must && f->code == NULL) {
		f->code = code;
		f->err = err;
	}
	if ((f->x->r.job->strict && f->code != NULL) || f->remarks++ >= REMARKS_AN_OBJECT)
		return;
	warn(f->x, f->p, code, err);
}

/* stix21_issue_fn. The ids of observables are of our making; what a residue holds is nobody's fault. */
static void
on_issue(void *ctx, const struct stix21_issue *issue)
{
	struct findings *f = ctx;

	if (f->key != NULL && strcmp(issue->code, "SCO_ID") == 0)
		return;
	find(f, issue->code, issue->err, issue->must, issue->path, issue->reason);
}

/* More than three digits of a second: STIX 2.0 section 3.2 has exactly these, 2.1 at least. */
static bool
is_longer(struct slice s)
{
	slice_cut(&s, '.');
	return s.n > 4;
}

/* What 2.0 demands and 2.1 does not. */
static void
check_20(struct findings *f)
{
	static const char *const times[] = { "created", "modified" };
	const json *node = f->p->item->node;
	struct slice type = json_member(node, "type");

	if (stix20_default_label(type) != NULL && json_get(node, "labels") == NULL)
		find(f, "MISSING_PROPERTY", ERR_MISSING, true, "labels", "is missing");
	for (const struct stix20_need *n = stix20_needs; n->type != NULL; n++)
		if (slice_is(type, n->type) && json_get(node, n->name) == NULL)
			find(f, "MISSING_PROPERTY", ERR_MISSING, true, n->name, "is missing");
	for (size_t i = 0; i < COUNTOF(times); i++) {
		struct slice at = json_member(node, times[i]);

		if (is_longer(at) && stamp_parse(at, NULL))
			find(f, "BAD_TIMESTAMP", ERR_VALUE, true, times[i],
			    "has more than three digits of a second");
	}
}

/* Make an object of a tree; false if it is refused, and with it the element it came in. */
static bool
make(struct reading20 *x, struct part *p, json *tree, const char *key)
{
	struct findings f = { .x = x, .p = p, .key = key };
	const struct stix21_check how = { on_issue, &f, find_definition, x, NULL };
	struct strbuf text = STRBUF_INIT;
	struct object *o = advisory_add(x->r.adv, x->r.mem);
	struct err err = ERR_INIT;
	size_t before = x->r.adv->nverdicts;

	json_print(&text, tree);
	o->tree = tree;
	o->bytes = p->verbatim ? p->item->text : arena_slice(x->r.mem, strbuf_slice(&text));
	o->index = (size_t)(p->item - x->r.doc.items);
	o->offset = p->item->offset;
	o->flags = p->verbatim ? 0 : OBJECT_MINTED;
	strbuf_fini(&text);
	if (object_fill(o, x->r.mem, find_definition, x, &err) < 0) {
		f.code = stix21_code(&err);
		f.err = err;
		if (key != NULL) {
			err_set(&f.err, err.code, "%s", err.reason);
			f.err.path[0] = '\0';
			err_path(&f.err, "objects.%.40s.%s", key, err.path);
		}
	} else {
		stix21_check(o, x->r.mem, &how);
		if (key == NULL && !p->verbatim)
			check_20(&f);
		if (!x->r.job->strict)
			f.code = NULL;
	}
	if (f.code == NULL)
		return true;
	x->r.adv->nverdicts = before;
	refuse(x, p, f.code, f.err);
	return false;
}

/* Account for one element. */
static void
account(struct reading20 *x, const struct part *p)
{
	struct loss *loss = x->r.job->loss;
	const json *node = p->item->node;
	struct ledger *l;
	const json *patch;

	if (loss == NULL || p->refused)
		return;
	l = ledger_new(x->r.mem);
	if (p->tree != NULL && !p->verbatim && p->un.n == 0) {
		json *copy = json_copy(x->r.mem, p->tree);

		patch = json_get(stix20_take_rest(copy), "patch");
		stix20_account(l, node, copy, patch, false);
	}
	if (p->un.n > 0)
		stix20_account(l, node, p->un.od, p->un.diff, false);
	for (size_t i = 0; i < p->un.n; i++)
		if (p->un.v[i].from != NULL)
			stix20_account(l, p->un.v[i].from, p->un.v[i].to, p->un.v[i].diff, false);
	ledger_account(l, loss, node, arena_str(x->r.mem, json_member(node, "id")), LOSS_KEPT, NULL);
}

/* Make the objects of one element; all of them, or none. */
static void
make_part(struct reading20 *x, size_t i, size_t *entry)
{
	struct part *p = &x->part[i];
	size_t had = x->r.adv->n, n = p->un.n, first = *entry;
	struct err err = ERR_INIT;
	bool fine = !p->refused;

	*entry += n;
	if (fine && p->tree != NULL)
		fine = make(x, p, p->tree, NULL);
	for (size_t k = 0; fine && k < n; k++)
		if (!is_said(x, first + k))
			fine = make(x, p, x->entry[first + k]->to, x->entry[first + k]->key);
	if (fine && x->r.adv->n > stix21_limit(x->r.job->limits.objects, OBJECTS_DEFAULT)) {
		err_set(&err, ERR_LIMIT, "the message holds too many objects");
		refuse(x, p, "TOO_LARGE", err);
		fine = false;
	}
	if (!fine)
		x->r.adv->n = had;
	if (fine && p->weaker) {
		err_set(&err, ERR_VALUE, "what it carries for the way back would make its label weaker");
		err_path(&err, "%s", STIX20_REST);
		warn(x, p, "LABEL_RAISED", err);
	}
}

/* Refuse what claims the id and version of an earlier object, and says something else. */
static void
refuse_conflicts(struct reading20 *x)
{
	struct advisory *adv = x->r.adv;
	struct slice *name = arena_alloc(x->r.mem, (adv->n + 1) * sizeof(*name));
	const json **tree = arena_alloc(x->r.mem, (adv->n + 1) * sizeof(*tree));
	struct idmap seen = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < adv->n; i++) {
		tree[i] = adv->objects[i].tree;
		name[i] = slice_of(arena_fmt(x->r.mem, "%.*s %.*s", SLICE_ARG(adv->objects[i].id),
		    SLICE_ARG(adv->objects[i].version_key)));
		idmap_add(&seen, x->r.mem, name[i], i);
	}
	idmap_sort(&seen);
	rewind_places(x);
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];
		size_t first = (size_t)idmap_find(&seen, name[i]);

		if (first != i && !json_equal(tree[first], o->tree))
			stix21_refuse_conflict(&x->r, &x->r.doc.items[o->index]);
		else
			adv->objects[kept++] = *o;
	}
	adv->n = kept;
}

/* Account for what was taken; what was refused, also for a contradiction, is accounted for there. */
static void
account_all(struct reading20 *x)
{
	for (size_t i = 0; i < x->r.adv->nverdicts; i++)
		if (x->r.adv->verdicts[i].kind == VERDICT_REFUSED)
			x->part[x->r.adv->verdicts[i].index].refused = true;
	for (size_t i = 0; i < x->r.doc.nitems; i++)
		account(x, &x->part[i]);
}

/* True if some object carries a residue that needs its definition. */
static bool
has_rest(const struct advisory *adv)
{
	const char *id = extension_definition_id(EXTENSION_STIX20);

	for (size_t i = 0; i < adv->n; i++)
		if (json_get(json_get(adv->objects[i].tree, "extensions"), id) != NULL)
			return true;
	return false;
}

/* From doc.items to objects and verdicts. */
static void
read_items(struct reading20 *x)
{
	size_t n = x->r.doc.nitems, entry = 0;

	x->part = arena_alloc(x->r.mem, (n + 1) * sizeof(*x->part));
	for (size_t i = 0; i < n; i++) {
		x->part[i].item = &x->r.doc.items[i];
		lift(x, &x->part[i]);
	}
	part_entries(x);
	index_definitions(x);
	rewind_places(x);
	for (size_t i = 0; i < n; i++)
		make_part(x, i, &entry);
	refuse_conflicts(x);
	account_all(x);
	stix21_unread_lost_markings(&x->r);
}

static int
add_extension(struct reading20 *x, struct err *e)
{
	if (advisory_add_extension(x->r.adv, x->r.mem, EXTENSION_STIX20) == 0)
		return 0;
	return err_set(e, ERR_VALUE, "the extension-definition of STIX 2.0 residue is broken");
}

/* A verdict and where it was said. */
struct said {
	struct verdict	v;
	size_t		at;
};

static int
compare_said(const void *a, const void *b)
{
	const struct said *x = a, *y = b;

	if (x->v.index != y->v.index)
		return x->v.index < y->v.index ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* In the order of the elements, as if each had been read by itself. */
static void
sort_verdicts(struct reading20 *x)
{
	struct advisory *adv = x->r.adv;
	struct said *v = arena_alloc(x->r.mem, (adv->nverdicts + 1) * sizeof(*v));

	for (size_t i = 0; i < adv->nverdicts; i++)
		v[i] = (struct said){ adv->verdicts[i], i };
	qsort(v, adv->nverdicts, sizeof(*v), compare_said);
	for (size_t i = 0; i < adv->nverdicts; i++)
		adv->verdicts[i] = v[i].v;
}

static int
read_document(struct reading20 *x, struct err *e)
{
	size_t n = x->r.doc.nitems, most = stix21_limit(x->r.job->limits.objects, OBJECTS_DEFAULT);

	if (n > most)
		return err_set(e, ERR_LIMIT, "%zu objects are more than the limit of %zu", n, most);
	stix21_name(&x->r, "stix20");
	account_bundle(&x->r, x->r.doc.root);
	read_items(x);
	sort_verdicts(x);
	if (has_rest(x->r.adv) && add_extension(x, e) < 0)
		return -1;
	advisory_settle(x->r.adv, x->r.mem);
	return 0;
}

int
stix20_read_piece(const struct read_job *job, struct arena *mem, struct advisory *adv, bool *rest,
    struct err *e)
{
	struct json_item item = { .text = job->in };
	struct reading20 x = {
		.r = { .job = job, .mem = mem, .tmp = mem, .adv = adv, .here = { .line = 1 },
		    .in = job->in, .doc = { .items = &item, .nitems = 1 } },
		.c = { .mem = mem, .keep = mem, .now = job->received },
	};
	const json *root;

	item.node = stix21_lean_tree(job, job->in, mem);
	if (item.node == NULL)
		return err_set(e, ERR_SYNTAX, "an object is no JSON");
	adv->id = stix20_piece_begin(job->piece, &root, &x.r.before);
	if (root != NULL)
		account_bundle(&x.r, root);
	read_items(&x);
	if (rest != NULL)
		*rest = has_rest(adv);
	else if (stix20_piece_end(job->piece, adv->nverdicts) && add_extension(&x, e) < 0)
		return -1;
	advisory_settle(adv, mem);
	return 0;
}

int
stix20_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct reading20 x = {
		.r = { .job = job, .mem = mem, .tmp = mem, .adv = adv, .here = { .line = 1 } },
		.c = { .mem = mem, .keep = mem, .now = job->received },
	};
	struct json_limits limits = {
		.depth = job->limits.depth,
		.bytes = stix21_limit(job->limits.bytes, BYTES_DEFAULT),
	};

	if (job->piece != NULL)
		return stix20_read_piece(job, mem, adv, NULL, e);
	if (job->in.n > limits.bytes) {
		err_set(e, ERR_LIMIT, "%zu bytes are more than the limit of %zu", job->in.n,
		    limits.bytes);
	} else {
		x.r.in = job->in_stays ? job->in : arena_slice(mem, job->in);
		if (json_parse(x.r.in, &limits, mem, &x.r.doc, e) == 0 &&
		    find_items(&x.r, e) == 0 && read_document(&x, e) == 0)
			return 0;
	}
	err_input(e, job->input);
	return -1;
}

int
stix20_count(const struct read_job *job, struct arena *mem, size_t *n, struct err *e)
{
	struct reading r = { .job = job, .mem = mem, .in = job->in };
	struct json_limits limits = {
		.depth = job->limits.depth,
		.bytes = stix21_limit(job->limits.bytes, BYTES_DEFAULT),
	};
	int rc = json_parse(r.in, &limits, mem, &r.doc, e) < 0 || find_items(&r, e) < 0 ? -1 : 0;

	*n = r.doc.nitems;
	if (rc < 0)
		err_input(e, job->input);
	return rc;
}

/*
 * stix21.c -- STIX 2.1, and whatever JSON carries objects like it.
 *
 * Reads:   a bundle, a TAXII envelope (other members ignored), one object, or (not in strict mode) a
 *          bare list. The bytes of each object are kept as they stood.
 * Writes:  a bundle of those bytes, in order, with an id that its content gives.
 *
 * Verdicts of the reader: BAD_OBJECT BAD_TYPE BAD_ID BAD_TIMESTAMP MISSING_PROPERTY TOO_LARGE
 * NESTED_BUNDLE VERSION_CONFLICT refuse an object in any mode; the codes of stix21_check.h warn, or
 * refuse when strict.
 */
#include <stdlib.h>

#include "formats/format.h"
#include "formats/idmap.h"
#include "formats/stix21_check.h"
#include "formats/stix21_lean.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Remarks are bounded: a sender of ten thousand odd objects learns it from the first ones. */
enum { REMARKS_AN_OBJECT = 16, REMARKS_A_MESSAGE = 10000 };

enum {
	BYTES_DEFAULT = 64 << 20, OBJECT_BYTES_DEFAULT = 8 << 20, OBJECTS_DEFAULT = 100000
};

/* One reading. */
struct reading {
	const struct read_job	*job;
	struct arena		*mem;
	struct advisory		*adv;
	struct slice		 in;		/* our copy of the input */
	struct json_doc		 doc;
	struct idmap		 markings;	/* id -> item */
	struct idmap		 lost;		/* ids of marking-definitions that were refused */
	struct pos		 here;		/* of the item looked at, moved forward only */
	size_t			 line_at;	/* offset where its line begins */
	bool			 lean;		/* trees are parsed one at a time, into tmp */
	bool			 own_tree;	/* the item looked at has one that stays */
	struct arena		*tmp;		/* what need not outlive the item looked at */
	bool			 odd;		/* lean, and something is for the usual way to judge */
	bool			 stix20;	/* the container says that it holds STIX 2.0 */
};

/* Return the limit, or the default where the job does not say. */
static size_t
limit_or(size_t given, size_t otherwise)
{
	return given == 0 ? otherwise : given;
}

/* Return how sure we are that this is STIX (or an envelope of it): 0..100. */
static int
sniff(struct slice head)
{
	static const struct { const char *word; int sure; } hints[] = {
		{ "\"bundle\"", 95 }, { "\"bundle--", 95 }, { "\"spec_version\"", 90 },
		{ "\"marking-definition--", 80 }, { "\"indicator--", 80 }, { "\"objects\"", 60 },
	};
	struct slice s = slice_trim(head);

	if (s.n == 0 || (s.p[0] != '{' && s.p[0] != '['))
		return 0;
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (memmem(s.p, s.n, hints[i].word, strlen(hints[i].word)) != NULL)
			return hints[i].sure;
	return 5;
}

/* Move r->here to a later offset of the input; every byte is looked at once. */
static void
move_to(struct reading *r, size_t offset)
{
	size_t from = r->here.offset;
	const char *nl;

	while ((nl = memchr(r->in.p + from, '\n', offset - from)) != NULL) {
		from = r->line_at = (size_t)(nl - r->in.p) + 1;
		r->here.line++;
	}
	r->here.column = (uint32_t)(offset - r->line_at) + 1;
	r->here.offset = offset;
}

/* -1 unless the document is a TAXII envelope with something in it (TAXII 2.1 section 3.7), and a bundle
 * where one is called for. */
static int
check_envelope(const json *root, bool bundle, struct err *e)
{
	const json *objects = json_get(root, "objects");
	struct pos start = { 1, 1, 0 };

	if (!json_is_object(root))
		return err_at(e, ERR_VALUE, start, "an envelope is a JSON object");
	if (bundle && !slice_is(json_member(root, "type"), "bundle"))
		return err_at(e, ERR_VALUE, start, "TAXII 2.0 takes a bundle: type \"bundle\"");
	if (json_is_list(objects) && json_first(objects) != NULL)
		return 0;
	err_at(e, ERR_VALUE, start, "an envelope has a list \"objects\" with at least one object");
	err_path(e, "objects");
	return -1;
}

/* Decide what the document is, and leave its objects in doc.items; -1 if it holds none. */
static int
find_items(struct reading *r, struct err *e)
{
	json *root = r->doc.root, *objects = json_get(root, "objects");
	bool bundle = slice_is(json_member(root, "type"), "bundle");
	struct pos start = { 1, 1, 0 };

	if (r->job->envelope)
		return check_envelope(root, r->job->bundle, e);
	if (!json_is_object(root) && !json_is_list(root))
		return err_at(e, ERR_VALUE, start, "neither an object nor a list of objects");
	if (json_is_list(root))
		return !r->job->strict ? 0 : err_at(e, ERR_VALUE, start,
		    "a list at top level is no STIX document: a bundle is needed");
	if (json_is_list(objects) || (bundle && objects == NULL))
		return 0;
	if (bundle || (objects != NULL && json_get(root, "id") == NULL)) {
		err_at(e, ERR_VALUE, start, "objects must be a list");
		err_path(e, "objects");
		return -1;
	}
	if (json_get(root, "type") == NULL && json_get(root, "id") == NULL)
		return err_at(e, ERR_MISSING, start, "no STIX object, bundle or envelope");
	r->doc.items = arena_alloc(r->mem, sizeof(*r->doc.items));
	r->doc.items[0].node = root;
	r->doc.items[0].text = slice_trim(r->in);
	r->doc.items[0].offset = (size_t)(r->doc.items[0].text.p - r->in.p);
	r->doc.nitems = 1;
	return 0;
}

/* Remember where the marking-definitions are: objects refer to them before they come. */
static void
index_markings(struct reading *r)
{
	for (size_t i = 0; i < r->doc.nitems; i++) {
		const json *node = r->doc.items[i].node;

		if (slice_is(json_member(node, "type"), "marking-definition"))
			idmap_add(&r->markings, r->mem, json_member(node, "id"), i);
	}
	idmap_sort(&r->markings);
}

/* object_find_fn over the marking-definitions of the message. */
static json *
find_marking(void *ctx, struct slice id)
{
	const struct reading *r = ctx;
	long i = idmap_find(&r->markings, id);

	return i == IDMAP_NONE ? NULL : r->doc.items[i].node;
}

/* Record the leaves below `node` as one kind of loss; `path` is extended in place. */
static void
count_leaves(struct loss *l, enum loss_kind kind, const json *node, struct strbuf *path,
    const char *note)
{
	size_t had = path->n, i = 0;

	if (json_first(node) == NULL) {
		loss_add(l, kind, path->p, note);
		return;
	}
	for (const json *m = json_first(node); m != NULL; m = json_next(m), i++) {
		if (json_name(m) != NULL)
			strbuf_addf(path, "/%s", json_name(m));
		else
			strbuf_addf(path, "[%zu]", i);
		count_leaves(l, kind, m, path, note);
		strbuf_setlen(path, had);
	}
}

/* Record all leaves of one object under its id. */
static void
count_object(struct loss *l, enum loss_kind kind, const json *tree, struct slice id,
    const char *note)
{
	struct strbuf path = STRBUF_INIT;

	if (l == NULL)
		return;
	strbuf_addsl(&path, id.n == 0 ? SLICE_LIT("object") : id);
	count_leaves(l, kind, tree, &path, note);
	strbuf_fini(&path);
}

/* Fill a verdict's place from the item and its header as far as it could be told. */
static void
place_verdict(struct reading *r, struct verdict *v, const struct json_item *item, struct err err)
{
	const json *modified = json_get(item->node, "modified");

	v->id = json_member(item->node, "id");
	v->version = json_slice(modified != NULL ? modified : json_get(item->node, "created"));
	if (r->lean) {
		v->id = arena_slice(r->mem, v->id);
		v->version = arena_slice(r->mem, v->version);
	}
	v->index = (size_t)(item - r->doc.items);
	v->err = err;
	v->err.at = r->here;
	err_input(&v->err, r->job->input);
}

/* Refuse one item: a verdict with its text, and an account of what is lost. */
static void
refuse_item(struct reading *r, const struct json_item *item, const char *code, struct err err)
{
	struct verdict *v = advisory_verdict(r->adv, r->mem, VERDICT_REFUSED, code);

	place_verdict(r, v, item, err);
	v->text = item->text;
	if (slice_is(json_member(item->node, "type"), "marking-definition"))
		idmap_add(&r->lost, r->mem, v->id, v->index);
	count_object(r->job->loss, LOSS_DROPPED, item->node, v->id, "the object was refused");
}

/* Return the stable code for what object_fill found. */
static const char *
code_of_fill(const struct err *err)
{
	if (err->code == ERR_MISSING)
		return "MISSING_PROPERTY";
	if (strcmp(err->path, "id") == 0)
		return "BAD_ID";
	if (strcmp(err->path, "type") == 0)
		return "BAD_TYPE";
	return err->path[0] == '\0' ? "BAD_OBJECT" : "BAD_TIMESTAMP";
}

/* One check of an object: what was found so far. */
struct findings {
	struct reading			*r;
	const struct json_item		*item;
	struct stix21_issue		 first;		/* that forbids the object; code NULL if none */
	size_t				 remarks;
	bool				 is_20;
};

/* Return an issue as an error. */
static struct err
err_of_issue(const struct stix21_issue *issue)
{
	struct err err = ERR_INIT;

	err_set(&err, issue->err, "%s", issue->reason);
	err_path(&err, "%s", issue->path);
	return err;
}

/* True if an object of STIX 2.0 lacks nothing but what came with 2.1. */
static bool
is_fine_in_20(const struct findings *f, const struct stix21_issue *issue)
{
	static const char *const since[] = { "spec_version", "pattern_type", "is_family" };

	if (!f->is_20 || issue->err != ERR_MISSING)
		return false;
	for (size_t i = 0; i < COUNTOF(since); i++)
		if (strcmp(issue->path, since[i]) == 0)
			return true;
	return false;
}

/* stix21_issue_fn: remember what strict mode refuses, remark on the rest. */
static void
on_issue(void *ctx, const struct stix21_issue *issue)
{
	struct findings *f = ctx;

	if (is_fine_in_20(f, issue))
		return;
	if (issue->must && f->first.code == NULL)
		f->first = *issue;
	if (f->r->job->strict && f->first.code != NULL)
		return;
	if (f->remarks >= REMARKS_AN_OBJECT || f->r->adv->nverdicts >= REMARKS_A_MESSAGE)
		return;
	f->remarks++;
	place_verdict(f->r, advisory_verdict(f->r->adv, f->r->mem, VERDICT_WARNED, issue->code),
	    f->item, err_of_issue(issue));
}

/* Check an object that was just added; false if it is to be refused (and then it is). */
static bool
passes_check(struct reading *r, const struct json_item *item, const struct object *o)
{
	struct findings f = { .r = r, .item = item,
	    .is_20 = r->stix20 && slice_is(o->spec_version, "2.0") };
	size_t before = r->adv->nverdicts;

	stix21_check(o, r->tmp, on_issue, &f);
	if (!r->job->strict || f.first.code == NULL)
		return true;
	r->adv->nverdicts = before;
	refuse_item(r, item, f.first.code, err_of_issue(&f.first));
	return false;
}

/* Make an object of one item, or refuse it. */
static void
read_item(struct reading *r, const struct json_item *item)
{
	size_t most = limit_or(r->job->limits.object_bytes, OBJECT_BYTES_DEFAULT);
	struct err err = ERR_INIT;
	struct object *o;

	move_to(r, item->offset);
	if (item->text.n > most) {
		err_set(&err, ERR_LIMIT, "%zu bytes are more than the limit of %zu for an object",
		    item->text.n, most);
		refuse_item(r, item, "TOO_LARGE", err);
		return;
	}
	if (slice_is(json_member(item->node, "type"), "bundle")) {
		err_set(&err, ERR_VALUE, "a bundle within a list of objects would hide what is in it");
		refuse_item(r, item, "NESTED_BUNDLE", err);
		return;
	}
	o = advisory_add(r->adv, r->mem);
	o->tree = item->node;
	o->bytes = item->text;
	o->index = (size_t)(item - r->doc.items);
	o->offset = item->offset;
	if (object_fill(o, r->tmp, find_marking, r, &err) < 0) {
		r->adv->n--;
		refuse_item(r, item, code_of_fill(&err), err);
	} else if (!passes_check(r, item, o)) {
		r->adv->n--;
	}
}

/* Have the tree of an item while it is looked at; false if that is for the usual way to judge. */
static bool
borrow_tree(struct reading *r, struct json_item *item)
{
	if (!r->lean)
		return true;
	r->tmp = arena_new();
	r->own_tree = item->node != NULL;
	if (!r->own_tree)
		item->node = stix21_lean_tree(r->job, item->text, r->tmp);
	r->odd = r->odd || item->node == NULL;
	return item->node != NULL;
}

static void
give_back_tree(struct reading *r, struct json_item *item)
{
	if (!r->lean)
		return;
	if (!r->own_tree)
		item->node = NULL;
	arena_free(r->tmp);
	r->tmp = NULL;
}

/* Make objects of all items, or refuse them. */
static void
read_items(struct reading *r)
{
	for (size_t i = 0; i < r->doc.nitems && !r->odd; i++) {
		struct json_item *item = &r->doc.items[i];
		size_t had = r->adv->n;

		if (r->lean && r->job->passed != NULL)
			r->job->passed(r->job->passed_arg, item->text.p);
		if (borrow_tree(r, item))
			read_item(r, item);
		if (r->lean && r->adv->n > had)
			stix21_lean_keep(&r->adv->objects[had],
			    had == 0 ? NULL : &r->adv->objects[had - 1], r->mem);
		give_back_tree(r, item);
	}
}

/* Order objects by (id, version), then by their place. */
static int
compare_versions(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a;
	const struct object *y = *(const struct object *const *)b;
	int c = slice_cmp(x->id, y->id);

	if (c == 0)
		c = slice_cmp(x->version_key, y->version_key);
	return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

/* True if two objects say the same. */
static bool
same_content(const struct reading *r, const struct object *a, const struct object *b)
{
	struct arena *tmp;
	bool same;

	if (slice_eq(a->bytes, b->bytes))
		return true;
	if (!r->lean)
		return json_equal(a->tree, b->tree);
	tmp = arena_new();
	same = json_equal(stix21_lean_tree(r->job, a->bytes, tmp),
	    stix21_lean_tree(r->job, b->bytes, tmp));
	arena_free(tmp);
	return same;
}

/* Mark what claims the id and version of an earlier object and says something else. Equal copies stay:
 * intake counts them. */
static bool
find_conflicts(struct reading *r, bool *conflict)
{
	const struct advisory *adv = r->adv;
	const struct object **v = arena_raw(r->mem, (adv->n + 1) * sizeof(const struct object *));
	const struct object *first;
	bool any = false;

	for (size_t i = 0; i < adv->n; i++)
		v[i] = &adv->objects[i];
	qsort(v, adv->n, sizeof(*v), compare_versions);
	first = adv->n == 0 ? NULL : v[0];
	for (size_t i = 1; i < adv->n; i++) {
		if (!slice_eq(first->id, v[i]->id) ||
		    !slice_eq(first->version_key, v[i]->version_key)) {
			first = v[i];
			continue;
		}
		if (same_content(r, first, v[i]))
			continue;
		conflict[v[i] - adv->objects] = any = true;
	}
	return any;
}

/* Refuse the later of two objects with one id and version but different content. */
static void
refuse_conflicts(struct reading *r)
{
	bool *conflict = arena_alloc(r->mem, r->adv->n + 1);
	struct err err = ERR_INIT;
	size_t kept = 0;

	if (!find_conflicts(r, conflict))
		return;
	err_set(&err, ERR_CONFLICT, "an earlier object of this message has the same id and version, "
	    "but other content");
	r->here = (struct pos){ .line = 1 };
	r->line_at = 0;
	for (size_t i = 0; i < r->adv->n; i++) {
		const struct object *o = &r->adv->objects[i];

		if (conflict[i]) {
			move_to(r, o->offset);
			borrow_tree(r, &r->doc.items[o->index]);
			refuse_item(r, &r->doc.items[o->index], "VERSION_CONFLICT", err);
			give_back_tree(r, &r->doc.items[o->index]);
		} else {
			r->adv->objects[kept++] = *o;
		}
	}
	r->adv->n = kept;
}

/* True if an object is marked by a definition that was refused. */
static bool
has_lost_marking(const struct reading *r, const json *tree)
{
	const json *m;

	for (m = json_first(json_get(tree, "object_marking_refs")); m != NULL; m = json_next(m))
		if (idmap_find(&r->lost, json_slice(m)) != IDMAP_NONE)
			return true;
	for (m = json_first(json_get(tree, "granular_markings")); m != NULL; m = json_next(m))
		if (idmap_find(&r->lost, json_member(m, "marking_ref")) != IDMAP_NONE)
			return true;
	return false;
}

/* What a refused definition said does not count: what it marked cannot be read any more. The fixed
 * TLP ids need no definition. */
static void
unread_lost_markings(struct reading *r)
{
	if (r->lost.n == 0)
		return;
	for (size_t i = 0; i < r->lost.n; i++)
		if (tlp_of_marking_id(r->lost.v[i].id) != TLP_UNSET)
			r->lost.v[i].id = SLICE_EMPTY;
	idmap_sort(&r->lost);
	for (size_t i = 0; i < r->adv->n; i++) {
		struct object *o = &r->adv->objects[i];
		struct json_item *item = &r->doc.items[o->index];

		if (borrow_tree(r, item) && has_lost_marking(r, item->node))
			o->label = LABEL_UNREADABLE;
		give_back_tree(r, item);
	}
}

/* Give the advisory the bundle's id, or one made from the input. */
static void
name_advisory(struct reading *r)
{
	static const char prefix[] = "bundle--";
	const size_t n = sizeof(prefix) - 1;
	struct slice id = json_member(r->doc.root, "id");
	char hex[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];
	uint8_t digest[SHA256_LEN];

	if (slice_starts(id, prefix) && uuid_is_valid(slice_from(id.p + n, id.n - n))) {
		r->adv->id = id;
		return;
	}
	format_digest(r->job, digest);
	hex_text(digest, SHA256_LEN, hex);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(r->mem, "stix21|input|%s", hex)), uuid);
	r->adv->id = slice_of(arena_fmt(r->mem, "bundle--%s", uuid));
}

/* Cut out what a relay envelope says of itself. */
static void
cut_relay(const struct reading *r, struct relay_member *out)
{
	const json *x = json_get(r->doc.root, "x_tocsin");
	struct strbuf text = STRBUF_INIT;
	struct sha256 *h = sha256_new();

	for (size_t i = 0; i < r->doc.nitems; i++) {
		sha256_add(h, r->doc.items[i].text);
		sha256_add(h, SLICE_LIT("\n"));
	}
	sha256_end(h, out->digest);
	if (x != NULL)
		json_print(&text, x);
	out->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
}

/* Account for members of the container that carry nothing of STIX. */
static void
count_container(const struct reading *r)
{
	const json *root = r->doc.root;

	if (r->job->loss == NULL || !json_is_object(root) || !json_is_list(json_get(root, "objects")))
		return;
	for (const json *m = json_first(root); m != NULL; m = json_next(m))
		if (strcmp(json_name(m), "objects") != 0 && strcmp(json_name(m), "type") != 0 &&
		    strcmp(json_name(m), "id") != 0)
			count_object(r->job->loss, LOSS_DROPPED, m, slice_of(json_name(m)),
			    "a member of the container");
}

/* The document is taken apart: make the advisory of it. */
static int
read_document(struct reading *r, struct err *e)
{
	size_t most = limit_or(r->job->limits.objects, OBJECTS_DEFAULT);

	if (r->doc.nitems > most)
		return err_set(e, ERR_LIMIT, "%zu objects are more than the limit of %zu",
		    r->doc.nitems, most);
	r->stix20 = r->job->bundle || (json_is_object(r->doc.root) &&
	    slice_is(json_member(r->doc.root, "spec_version"), "2.0"));
	if (r->job->relay != NULL)
		cut_relay(r, r->job->relay);
	index_markings(r);
	name_advisory(r);
	count_container(r);
	read_items(r);
	if (r->odd)
		return -1;
	refuse_conflicts(r);
	unread_lost_markings(r);
	advisory_settle(r->adv, r->mem);
	return 0;
}

/* Read a large document an object at a time. False if it is for the usual way, and nothing was read. */
static bool
read_lean(const struct read_job *job, struct arena *mem, struct advisory *adv)
{
	struct reading r = { .job = job, .mem = mem, .adv = adv, .in = job->in, .here = { .line = 1 },
		.lean = true };

	if (job->in.n > limit_or(job->limits.bytes, BYTES_DEFAULT) ||
	    !stix21_lean_find(job, mem, &r.doc) ||
	    (job->bundle && !slice_is(json_member(r.doc.root, "type"), "bundle")))
		return false;
	adv->objects = arena_alloc(mem, r.doc.nitems * sizeof(*adv->objects));
	adv->cap = r.doc.nitems;
	if (read_document(&r, NULL) == 0)
		return true;
	*adv = (struct advisory){ .n = 0 };
	return false;
}

/* Read one text: 0 with objects and verdicts, -1 when it holds no objects at all. */
static int
stix21_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct reading r = { .job = job, .mem = mem, .tmp = mem, .adv = adv, .here = { .line = 1 } };
	struct json_limits limits = {
		.depth = job->limits.depth,
		.bytes = limit_or(job->limits.bytes, BYTES_DEFAULT),
	};

	if (job->lean && read_lean(job, mem, adv))
		return 0;
	if (job->in.n > limits.bytes) {
		err_set(e, ERR_LIMIT, "%zu bytes are more than the limit of %zu", job->in.n,
		    limits.bytes);
		goto fail;
	}
	r.in = job->in_stays ? job->in : arena_slice(mem, job->in);
	if (json_parse(r.in, &limits, mem, &r.doc, e) < 0 || find_items(&r, e) < 0 ||
	    read_document(&r, e) < 0)
		goto fail;
	return 0;
fail:
	err_input(e, job->input);
	return -1;
}

/* Would all items parse? Duplicate names, and what the walk does not count, are found by parsing only. */
static bool
count_lean(const struct read_job *job, struct arena *mem, struct json_doc *doc)
{
	if (job->in.n > limit_or(job->limits.bytes, BYTES_DEFAULT) ||
	    !stix21_lean_find(job, mem, doc) ||
	    (job->bundle && !slice_is(json_member(doc->root, "type"), "bundle")))
		return false;
	for (size_t i = 0; i < doc->nitems; i++) {
		struct arena *tmp = arena_new();
		bool fine = stix21_lean_tree(job, doc->items[i].text, tmp) != NULL;

		if (job->passed != NULL)
			job->passed(job->passed_arg, doc->items[i].text.p);
		arena_free(tmp);
		if (!fine)
			return false;
	}
	return true;
}

/* Count the items of a document, without a look at what they say. */
static int
stix21_count(const struct read_job *job, struct arena *mem, size_t *n, struct err *e)
{
	struct reading r = { .job = job, .mem = mem, .in = job->in };
	struct json_limits limits = {
		.depth = job->limits.depth,
		.bytes = limit_or(job->limits.bytes, BYTES_DEFAULT),
	};
	size_t most = limit_or(job->limits.objects, OBJECTS_DEFAULT);
	int rc = 0;

	if (!job->lean || !count_lean(job, mem, &r.doc))
		rc = json_parse(r.in, &limits, mem, &r.doc, e) < 0 || find_items(&r, e) < 0 ? -1 : 0;
	if (rc == 0 && r.doc.nitems > most)
		rc = err_set(e, ERR_LIMIT, "%zu objects are more than the limit of %zu", r.doc.nitems,
		    most);
	*n = r.doc.nitems;
	if (rc < 0)
		err_input(e, job->input);
	return rc;
}

/* Append the id of a bundle of these members: the same members always give the same id. */
static void
add_bundle_id(struct strbuf *out, const struct advisory *adv)
{
	static const char prefix[] = "stix21|bundle|";
	char name[sizeof(prefix) + 2 * SHA256_LEN], uuid[UUID_TEXT + 1];
	struct sha256 *h = sha256_new();
	uint8_t sum[SHA256_LEN];

	for (size_t i = 0; i < adv->n; i++) {
		sha256_add(h, adv->objects[i].id);
		sha256_add(h, slice_from("", 1));
		sha256_add(h, adv->objects[i].bytes);
		sha256_add(h, slice_from("", 1));
	}
	sha256_end(h, sum);
	memcpy(name, prefix, sizeof(prefix) - 1);
	hex_text(sum, sizeof(sum), name + sizeof(prefix) - 1);
	uuid_v5(uuid_ns_tocsin, slice_of(name), uuid);
	strbuf_addf(out, "bundle--%s", uuid);
}

/* Write a bundle with the bytes of every object unchanged. What the sender wrote is kept to the last
 * leaf; what a translator minted was accounted for by it. */
static int
stix21_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	const struct advisory *adv = job->adv;
	const char *between = job->pretty ? ",\n  " : ",";

	(void)mem;
	(void)e;
	strbuf_adds(out, job->pretty ? "{\n \"type\": \"bundle\",\n \"id\": \"" :
	    "{\"type\":\"bundle\",\"id\":\"");
	add_bundle_id(out, adv);
	strbuf_addc(out, '"');
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];

		if (i > 0)
			strbuf_adds(out, between);
		else
			strbuf_adds(out, job->pretty ? ",\n \"objects\": [\n  " : ",\"objects\":[");
		strbuf_addsl(out, o->bytes);
		if ((o->flags & OBJECT_MINTED) == 0)
			count_object(job->loss, LOSS_KEPT, o->tree, o->id, NULL);
	}
	if (adv->n > 0)
		strbuf_adds(out, job->pretty ? "\n ]" : "]");
	strbuf_adds(out, job->pretty ? "\n}\n" : "}\n");
	return 0;
}

const struct format_ops format_stix21 = {
	.name = "stix21",
	.media_type = "application/stix+json;version=2.1",
	.file_ending = ".json",
	.sniff = sniff,
	.read = stix21_read,
	.count = stix21_count,
	.write = stix21_write,
};

/* stix21_item.c -- one item of a document: an object or a verdict. See stix21_read.h. */
#include "formats/idmap.h"
#include "formats/stix21_lean.h"
#include "formats/stix21_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Remarks are bounded: a sender of ten thousand odd objects learns it from the first ones. */
enum { REMARKS_AN_OBJECT = 16, REMARKS_A_MESSAGE = 10000 };

enum { OBJECT_BYTES_DEFAULT = 8 << 20 };

/* Move r->here to a later offset of the input; every byte is looked at once. */
void
stix21_move_to(struct reading *r, size_t offset)
{
	pos_move(&r->here, &r->line_at, r->in.p, offset);
}

/* Give the advisory the bundle's id, or one made from the input. */
void
stix21_name(struct reading *r, const char *format)
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
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(r->mem, "%s|input|%s", format, hex)), uuid);
	r->adv->id = slice_of(arena_fmt(r->mem, "bundle--%s", uuid));
}

/* object_find_fn over the definitions of the message. */
static json *
find_definition(void *ctx, struct slice id)
{
	const struct reading *r = ctx;
	long i;

	if (r->whole != NULL)
		return stix21_whole_definition(r->whole, id);
	i = idmap_find(&r->definitions, id);
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
void
stix21_account(struct loss *l, enum loss_kind kind, const json *tree, struct slice id,
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

	stix21_move_to(r, item->offset);
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
void
stix21_refuse(struct reading *r, const struct json_item *item, const char *code, struct err err)
{
	struct verdict *v = advisory_verdict(r->adv, r->mem, VERDICT_REFUSED, code);

	place_verdict(r, v, item, err);
	v->text = item->text;
	if (slice_is(json_member(item->node, "type"), "marking-definition"))
		idmap_add(&r->lost, r->mem, v->id, v->index);
	stix21_account(r->job->loss, LOSS_DROPPED, item->node, v->id, "the object was refused");
}

/* Return the stable code for what object_fill found. */
const char *
stix21_code(const struct err *err)
{
	if (err->code == ERR_MISSING)
		return "MISSING_PROPERTY";
	if (strcmp(err->path, "id") == 0)
		return "BAD_ID";
	if (strcmp(err->path, "type") == 0)
		return "BAD_TYPE";
	return err->path[0] == '\0' ? "BAD_OBJECT" : "BAD_TIMESTAMP";
}

/* Return an issue as an error. */
static struct err
err_of_issue(const struct stix21_issue *issue)
{
	struct err err = ERR_INIT;

	err_set(&err, issue->err, "%s", issue->reason);
	err_path(&err, "%s", issue->path);
	return err;
}

/* True if an object of STIX 2.0 lacks nothing but what came with 2.1, or has what 2.1 gave up. */
static bool
is_fine_in_20(const struct stix21_findings *f, const struct stix21_issue *issue)
{
	static const char *const since[] = { "spec_version", "pattern_type", "is_family" };

	if (!f->is_20)
		return false;
	if (strcmp(issue->code, "DEPRECATED") == 0)
		return true;
	if (issue->err != ERR_MISSING)
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
	struct stix21_findings *f = ctx;

	if (is_fine_in_20(f, issue))
		return;
	if (issue->must && f->first.code == NULL)
		f->first = *issue;
	if (f->r->job->strict && f->first.code != NULL)
		return;
	if (f->remarks >= REMARKS_AN_OBJECT || f->r->before + f->r->adv->nverdicts >=
	    REMARKS_A_MESSAGE)
		return;
	f->remarks++;
	place_verdict(f->r, advisory_verdict(f->r->adv, f->r->mem, VERDICT_WARNED, issue->code),
	    f->item, err_of_issue(issue));
}

/* Remark on the container, at its first object. */
void
stix21_remark(struct reading *r, const char *code, const char *path, const char *reason)
{
	struct verdict *v;

	if (r->adv->nverdicts >= REMARKS_AN_OBJECT)
		return;
	if (r->doc.nitems > 0)
		stix21_move_to(r, r->doc.items[0].offset);
	v = advisory_verdict(r->adv, r->mem, VERDICT_WARNED, code);
	v->index = SIZE_MAX;
	err_set(&v->err, ERR_VALUE, "%s", reason);
	err_path(&v->err, "%.150s", path);
	v->err.at = r->here;
	err_input(&v->err, r->job->input);
}

/* Begin to judge an object. */
struct stix21_check
stix21_judge(struct stix21_findings *f, struct reading *r, const struct json_item *item,
    const struct object *o)
{
	f->r = r;
	f->item = item;
	f->before = r->adv->nverdicts;
	f->remarks = 0;
	f->first.code = NULL;
	f->is_20 = r->stix20 && slice_is(o->spec_version, "2.0");
	return (struct stix21_check){ on_issue, f, find_definition, r, NULL };
}

/* End it: false if the object is to be refused (and then it is). */
bool
stix21_judged(struct stix21_findings *f)
{
	if (!f->r->job->strict || f->first.code == NULL)
		return true;
	f->r->adv->nverdicts = f->before;
	stix21_refuse(f->r, f->item, f->first.code, err_of_issue(&f->first));
	return false;
}

/* Check an object that was just added; false if it is to be refused (and then it is). */
static bool
passes_check(struct reading *r, const struct json_item *item, const struct object *o)
{
	struct stix21_findings f;
	struct stix21_check how = stix21_judge(&f, r, item, o);

	stix21_check(o, r->tmp, &how);
	return stix21_judged(&f);
}

/* Make an object of one item, or refuse it. */
static void
read_item(struct reading *r, const struct json_item *item)
{
	size_t most = stix21_limit(r->job->limits.object_bytes, OBJECT_BYTES_DEFAULT);
	struct err err = ERR_INIT;
	struct object *o;

	if (item->text.n > most) {
		err_set(&err, ERR_LIMIT, "%zu bytes are more than the limit of %zu for an object",
		    item->text.n, most);
		stix21_refuse(r, item, "TOO_LARGE", err);
		return;
	}
	if (slice_is(json_member(item->node, "type"), "bundle")) {
		err_set(&err, ERR_VALUE, "a bundle within a list of objects would hide what is in it");
		stix21_refuse(r, item, "NESTED_BUNDLE", err);
		return;
	}
	o = advisory_add(r->adv, r->mem);
	o->tree = item->node;
	o->bytes = item->text;
	o->index = (size_t)(item - r->doc.items);
	o->offset = item->offset;
	if (object_fill(o, r->tmp, find_definition, r, &err) < 0) {
		r->adv->n--;
		stix21_refuse(r, item, stix21_code(&err), err);
	} else if (!passes_check(r, item, o)) {
		r->adv->n--;
	}
}

/* Have the tree of an item while it is looked at; false if that is for the usual way to judge. */
bool
stix21_borrow_tree(struct reading *r, struct json_item *item)
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

void
stix21_give_back_tree(struct reading *r, struct json_item *item)
{
	if (!r->lean)
		return;
	if (!r->own_tree)
		item->node = NULL;
	arena_free(r->tmp);
	r->tmp = NULL;
}

/* Make objects of all items, or refuse them. */
void
stix21_read_items(struct reading *r)
{
	for (size_t i = 0; i < r->doc.nitems && !r->odd; i++) {
		struct json_item *item = &r->doc.items[i];
		size_t had = r->adv->n;

		if (r->lean)	/* what is passed does not stay in memory: no verdict can look back to it */
			stix21_move_to(r, item->offset);
		if (r->lean && r->job->passed != NULL)
			r->job->passed(r->job->passed_arg, item->text.p);
		if (stix21_borrow_tree(r, item))
			read_item(r, item);
		if (r->lean && r->adv->n > had)
			stix21_lean_keep(&r->adv->objects[had],
			    had == 0 ? NULL : &r->adv->objects[had - 1], r->mem);
		stix21_give_back_tree(r, item);
	}
}

/* cybox_write_object.c -- an observable object of STIX 2.1 as an Observable (see cybox.h). */
#include <string.h>

#include "formats/cybox_impl.h"

enum { REFERENCES_DEEP = 3, REFERENCES_MAX = 2000 };

struct source {
	struct cx_writer	*w;
	unsigned		 deep;
	size_t			 references;
};

static void read_members(struct source *s, const json *o, struct cx *into, bool top);

/* Members that are not facts about what was seen: the caller accounts for them. */
static bool
is_common(const char *name)
{
	static const char *const names[] = {
		"type", "id", "spec_version", "object_marking_refs", "granular_markings", "defanged",
	};

	for (size_t i = 0; i < COUNTOF(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* What a reference is to, in its place; without content if it is not here. */
static void
read_reference(struct source *s, const json *ref, struct cx *o)
{
	struct slice id = json_slice(ref), rest = id;
	const json *to = NULL;
	const char *dashes = memmem(id.p, id.n, "--", 2);

	o->id = id;
	o->json = ref;
	o->type = dashes == NULL ? SLICE_EMPTY : slice_from(rest.p, (size_t)(dashes - rest.p));
	if (s->deep < REFERENCES_DEEP && s->references++ < REFERENCES_MAX && s->w->job->find != NULL)
		to = s->w->job->find(s->w->job->arg, id);
	if (to == NULL)
		return;
	s->deep++;
	read_members(s, to, o, true);
	s->deep--;
}

static void
read_leaf(struct source *s, const json *v, struct cx *leaf)
{
	leaf->json = v;
	if (json_is_bool(v))
		cx_equals(s->w->mem, leaf, PAT_BOOL, json_bool(v) ? SLICE_LIT("true") :
		    SLICE_LIT("false"));
	else if (json_is_number(v))
		cx_equals(s->w->mem, leaf, PAT_INT, json_number_text(s->w->mem, v));
	else
		cx_equals(s->w->mem, leaf, PAT_STRING, json_slice(v));
}

static void
read_member(struct source *s, const json *v, struct slice name, struct slice member, struct cx *into)
{
	struct cx *k;

	if (json_is_list(v)) {
		k = cx_add(s->w->mem, into, CX_LIST, name);
		for (const json *i = json_first(v); i != NULL; i = json_next(i))
			read_member(s, i, SLICE_EMPTY, member, k);
	} else if (json_is_object(v)) {
		read_members(s, v, cx_add(s->w->mem, into, CX_OBJECT, name), false);
	} else if (json_is_string(v) && cx_is_ref_name(member)) {
		read_reference(s, v, cx_add(s->w->mem, into, CX_OBJECT, name));
	} else if (!json_is_null(v)) {
		read_leaf(s, v, cx_add(s->w->mem, into, CX_LEAF, name));
	}
}

static void
read_members(struct source *s, const json *o, struct cx *into, bool top)
{
	for (const json *m = json_first(o); m != NULL; m = json_next(m)) {
		struct slice name = slice_of(json_name(m));

		if (!top || !is_common(json_name(m)))
			read_member(s, m, name, name, into);
	}
}

/* Did anything below come of it? */
static bool
says_something(const struct cx *o)
{
	if (o->done)
		return true;
	for (const struct cx *k = o->first; k != NULL; k = k->next) {
		if (says_something(k))
			return true;
	}
	return false;
}

/* A reference is kept if what it leads to is there; what that one says is its own account. */
static void
account(struct ledger *l, const struct cx *o)
{
	for (const struct cx *k = o->first; k != NULL; k = k->next) {
		if (k->json != NULL && says_something(k))
			ledger_mark(l, k->json, LOSS_KEPT, NULL);
		if (k->kind != CX_OBJECT || k->json == NULL)
			account(l, k);
	}
}

/* What CybOX does not say because it follows from the rest. */
static void
account_implied(struct ledger *l, const json *sco)
{
	struct slice type = json_member(sco, "type");
	const json *multipart = json_get(sco, "is_multipart");

	ledger_mark(l, json_get(sco, "type"), LOSS_KEPT, NULL);
	if (slice_is(type, "email-message") && multipart != NULL &&
	    json_bool(multipart) == (json_get(sco, "body_multipart") != NULL))
		ledger_mark(l, multipart, LOSS_KEPT, NULL);
}

struct xml_node *
cybox_write_object(const struct cybox_write *job, const json *sco, struct ledger *ledger)
{
	struct slice id = json_member(sco, "id"), type = json_member(sco, "type");
	struct cx_writer w = { .job = job, .mem = job->mem, .key = id };
	struct source s = { .w = &w };
	struct cx *root = cx_object(job->mem, arena_str(job->mem, type));
	struct xml_node *el = xml_new(job->mem, cx_namespace(SLICE_LIT("cybox")), "cybox", "Observable");
	struct xml_node *object;

	read_members(&s, sco, root, true);
	xml_set(job->mem, el, "id", job->name(job->arg, "Observable", id));
	object = xml_add(job->mem, el, "Object");
	xml_set(job->mem, object, "id", job->name(job->arg, "Object", id));
	if (!cx_write_object(&w, root, object))
		return NULL;
	if (ledger != NULL) {
		account(ledger, root);
		account_implied(ledger, sco);
	}
	return el;
}

/*
 * misp_restore.c -- STIX originals that travelled in an event come back. See misp.h for their form.
 *
 * Untouched (H fits): the original, byte for byte, and what was made of it is not read again. Edited: what
 * the element says now is put into the original. Deleted: the original goes too. An original is as good
 * as its sender, and never laxer than the element it travelled in.
 */
#include <stdlib.h>

#include "formats/misp_read.h"
#include "formats/pattern.h"
#include "formats/stix21_check.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

enum original_state { ORIGINAL_ALONE, ORIGINAL_INTACT, ORIGINAL_EDITED, ORIGINAL_GONE };

struct original {
	json		*attribute;	/* it travelled in */
	json		*tree;
	struct slice	 text, id;
	struct object	 o;
	struct misp_label label;	/* that holds for it here */
	enum original_state state;
	bool		 done;
};

struct mr_originals {
	struct mr	*r;
	json		*event;
	json		*index;		/* value of the stix-bundle attribute; NULL: none */
	struct original	*v;
	size_t		 n, cap;
	struct idmap	 definitions;	/* -> all */
	struct original	*all;		/* before any was refused */
	struct idmap	 natives;	/* uuid -> nodes */
	json		**nodes;
	size_t		 nnodes, nodes_cap;
	const json	**explained;
	size_t		 nexplained, explained_cap;
	bool		 intact;	/* nobody edited the event itself */
	bool		 generated;
	struct original	*container;
	json		*description;	/* of the container: its event report; NULL: none */
};

/* object_find_fn over the definitions that travelled along. */
static json *
find_marking(void *ctx, struct slice id)
{
	const struct mr_originals *os = ctx;

	long i = idmap_find(&os->definitions, id);

	return i != IDMAP_NONE ? os->all[i].tree : advisory_find_marking(os->r->adv, id);
}

/* ---- finding them ---- */

static void
add_original(struct mr_originals *os, json *a)
{
	struct mr *r = os->r;
	struct original o = { .attribute = a };
	struct json_doc doc;
	struct err e = ERR_INIT;

	o.text = json_member(a, "value");
	if (json_parse(o.text, NULL, r->mem, &doc, &e) < 0 || !json_is_object(doc.root)) {
		mr_refuse(r, a, "BAD_ORIGINAL", "value: no STIX object: %.120s", e.reason);
		return;
	}
	o.tree = doc.root;
	o.id = json_member(doc.root, "id");
	if (slice_starts(o.id, "marking-definition--"))
		idmap_add(&os->definitions, r->mem, o.id, os->n);
	os->v = arena_grow(r->mem, os->v, os->n, &os->cap, sizeof(*os->v));
	os->v[os->n++] = o;
}

/* Drop what is no object of STIX; in strict mode what the standard forbids too. */
static void
check_originals(struct mr_originals *os)
{
	struct original *all = arena_alloc(os->r->mem, (os->n + 1) * sizeof(*all));
	size_t kept = 0;

	if (os->n > 0)
		memcpy(all, os->v, os->n * sizeof(*all));
	os->all = all;
	idmap_sort(&os->definitions);
	for (size_t i = 0; i < os->n; i++) {
		struct original *o = &os->v[i];
		struct err e = ERR_INIT;

		o->o = (struct object){ .tree = o->tree, .bytes = o->text };
		if (object_fill(&o->o, os->r->mem, find_marking, os, &e) == 0 && os->r->job->strict)
			stix21_check_must(&o->o, os->r->mem, &e);
		if (e.code == ERR_NONE)
			os->v[kept++] = *o;
		else
			mr_refuse(os->r, o->attribute, "BAD_ORIGINAL", "%.180s", e.reason);
	}
	os->n = kept;
}

static void
add_native(struct mr_originals *os, json *node)
{
	struct slice uuid = json_member(node, "uuid");

	if (uuid.n == 0 || misp_is_stix_data(node))
		return;
	os->nodes = arena_grow(os->r->mem, os->nodes, os->nnodes, &os->nodes_cap, sizeof(json *));
	os->nodes[os->nnodes] = node;
	idmap_add(&os->natives, os->r->mem, uuid, os->nnodes++);
}

static void
collect(struct mr_originals *os)
{
	static const char *const lists[] = { "Attribute", "Object", "EventReport" };
	json *clusters;

	for (size_t i = 0; i < COUNTOF(lists); i++)
		for (json *k = json_first(json_get(os->event, lists[i])); k != NULL;
		    k = json_next(k))
			add_native(os, k);
	for (json *g = json_first(json_get(os->event, "Galaxy")); g != NULL; g = json_next(g)) {
		clusters = json_get(g, "GalaxyCluster");
		for (json *k = json_first(clusters); k != NULL; k = json_next(k))
			add_native(os, k);
	}
	add_native(os, os->event);
	idmap_sort(&os->natives);
}

/* ---- what became of them ---- */

static void
explain(struct mr_originals *os, json *node)
{
	os->explained = arena_grow(os->r->mem, os->explained, os->nexplained, &os->explained_cap,
	    sizeof(*os->explained));
	os->explained[os->nexplained++] = node;
}

/* Compare the elements that an entry of the index names with their H. */
static enum original_state
state_of(struct mr_originals *os, const json *entry, json **nodes, size_t *n, size_t max)
{
	char hash[65];

	*n = 0;
	for (json *u = json_first(json_get(entry, "uuids")); u != NULL; u = json_next(u)) {
		long i = idmap_find(&os->natives, json_slice(u));

		if (i == IDMAP_NONE)
			return ORIGINAL_GONE;
		if (*n == max)
			return ORIGINAL_EDITED;
		nodes[(*n)++] = os->nodes[i];
	}
	if (*n == 0)
		return ORIGINAL_ALONE;
	misp_native_hash((const json *const *)nodes, *n, os->r->mem, hash);
	return slice_is(json_member(entry, "sha256"), hash) ? ORIGINAL_INTACT : ORIGINAL_EDITED;
}

static const json *
entry_of(const struct mr_originals *os, const struct original *o, struct idmap *by_id,
    const json **entries)
{
	long i = idmap_find(by_id, slice_of(arena_fmt(os->r->mem, "%.*s %.*s", SLICE_ARG(o->id),
	    SLICE_ARG(json_member(o->tree, "modified")))));

	return i == IDMAP_NONE ? NULL : entries[i];
}

static bool
is_container(const struct original *o)
{
	return slice_starts(o->id, "report--") || slice_starts(o->id, "grouping--");
}

/* The event report that the container's description became belongs to the container. */
static void
explain_description(struct mr_originals *os)
{
	struct slice uuid = MISP_UUID(os->r->mem, "event-report", json_member(os->event, "uuid"),
	    SLICE_LIT("description"));
	long i = idmap_find(&os->natives, uuid);

	if (i == IDMAP_NONE)
		return;
	os->description = os->nodes[i];
	explain(os, os->nodes[i]);
}

/* Say of each original whether it is as it was. */
static void
judge(struct mr_originals *os)
{
	struct mr *r = os->r;
	size_t count = json_count(json_get(os->index, "objects")), n = 0, nodes_n = 0;
	const json **entries = arena_alloc(r->mem, (count + 1) * sizeof(*entries));
	json **nodes = arena_alloc(r->mem, (os->nnodes + 1) * sizeof(*nodes));
	struct slice uuid = json_member(os->event, "uuid");
	struct idmap by_id = { 0 };

	for (json *k = json_first(json_get(os->index, "objects")); k != NULL; k = json_next(k)) {
		idmap_add(&by_id, r->mem, slice_of(arena_fmt(r->mem, "%.*s %.*s",
		    SLICE_ARG(json_member(k, "id")), SLICE_ARG(json_member(k, "version")))), n);
		entries[n++] = k;
	}
	idmap_sort(&by_id);
	for (size_t i = 0; i < os->n; i++) {
		struct original *o = &os->v[i];
		const json *entry = entry_of(os, o, &by_id, entries);

		o->state = entry == NULL ? ORIGINAL_EDITED :
		    state_of(os, entry, nodes, &nodes_n, os->nnodes);
		if (is_container(o) &&
		    (os->container == NULL || slice_eq(misp_uuid_of_id(o->id), uuid)) &&
		    slice_eq(misp_uuid_of_id(o->id), uuid)) {
			os->container = o;
			explain_description(os);
			if (!os->intact || o->state == ORIGINAL_GONE)
				o->state = ORIGINAL_EDITED;
			continue;
		}
		for (size_t k = 0; o->state == ORIGINAL_INTACT && k < nodes_n; k++)
			explain(os, nodes[k]);
	}
}

/* What holds for an original: its own word, and the event's unless that is as we wrote it. */
static struct misp_label
label_here(const struct mr_originals *os, const struct original *o)
{
	const char *groups = os->r->job->misp_groups;
	struct misp_label own = misp_label_in(o->attribute, false, groups),
	    event = misp_label_in(os->event, true, groups);
	bool said = false;

	for (json *t = json_first(json_get(o->attribute, "Tag")); t != NULL; t = json_next(t))
		said |= misp_tag_is_label(json_member(t, "name"));
	return os->intact && said ? own : misp_label_join(own, event);
}

static int
by_address(const void *a, const void *b)
{
	const json *x = *(const json *const *)a, *y = *(const json *const *)b;

	return (x > y) - (x < y);
}

struct mr_originals *
mr_originals_read(struct mr *r, json *event)
{
	struct mr_originals *os = arena_alloc(r->mem, sizeof(*os));
	struct json_doc doc;
	const json *self = event;
	char hash[65];

	os->r = r;
	os->event = event;
	for (json *a = json_first(json_get(event, "Attribute")); a != NULL; a = json_next(a)) {
		if (!misp_is_stix_data(a) || misp_bool(a, "deleted"))
			continue;
		if (slice_is(json_member(a, "comment"), MISP_OBJECT_COMMENT))
			add_original(os, a);
		else if (os->index == NULL &&
		    json_parse(json_member(a, "value"), NULL, r->mem, &doc, NULL) == 0)
			os->index = doc.root;
		ledger_mark(r->led, a, LOSS_KEPT, NULL);
	}
	if (os->n == 0 && os->index == NULL)
		return os;
	misp_native_hash(&self, 1, r->mem, hash);
	os->intact = slice_is(json_member(os->index, "event"), hash);
	os->generated = os->intact && json_bool(json_get(os->index, "generated"));
	check_originals(os);
	collect(os);
	judge(os);
	for (size_t i = 0; i < os->n; i++)
		os->v[i].label = label_here(os, &os->v[i]);
	for (size_t i = 0; i < os->nexplained; i++)
		ledger_mark(r->led, os->explained[i], LOSS_KEPT, NULL);
	if (os->nexplained > 1)
		qsort(os->explained, os->nexplained, sizeof(*os->explained), by_address);
	if (mr_container_is_original(os) && os->intact)
		for (json *m = json_first(event); m != NULL; m = json_next(m))
			if (json_first(m) == NULL || strcmp(json_name(m), "Tag") == 0 ||
			    strncmp(json_name(m), "Org", 3) == 0)
				ledger_mark(r->led, m, LOSS_KEPT, NULL);
	return os;
}

bool
mr_is_explained(const struct mr_originals *os, const json *element)
{
	if (misp_is_stix_data(element) && !misp_bool(element, "deleted") && os->event != NULL)
		return true;
	return os->nexplained > 0 && bsearch(&element, os->explained, os->nexplained,
	    sizeof(*os->explained), by_address) != NULL;
}

struct slice
mr_originals_bundle(const struct mr_originals *os)
{
	struct slice id = json_member(os->index, "bundle");

	return slice_starts(id, "bundle--") && uuid_is_valid(misp_uuid_of_id(id)) &&
	    id.n == sizeof("bundle--") - 1 + UUID_TEXT ? id : SLICE_EMPTY;
}

bool
mr_container_is_original(const struct mr_originals *os)
{
	return os->container != NULL || os->generated;
}

/* ---- putting them in ---- */

/* What an original says of itself. */
static struct misp_label
own_label(const struct original *o)
{
	return (struct misp_label){ o->o.label == LABEL_UNREADABLE ? TLP_RED : o->o.tlp, o->o.label,
		false, true };
}

/* The original under a stricter label. */
static void
raise_label(struct mr_originals *os, struct original *o)
{
	struct misp_label own = own_label(o);
	json *had = json_get(o->tree, "object_marking_refs"), *refs;
	struct mr *r = os->r;
	struct strbuf text = STRBUF_INIT;

	if (slice_starts(o->id, "marking-definition--") ||
	    slice_starts(o->id, "extension-definition--") || misp_label_covers(own, o->label))
		return;
	o->label = misp_label_join(own, o->label);
	refs = json_list(r->mem);
	for (json *m = json_first(had); m != NULL; m = json_next(m))
		if (tlp_of_marking_id(json_slice(m)) == TLP_UNSET)
			json_push(refs, json_copy(r->mem, m));
	json_push(refs, json_string(r->mem, slice_of(tlp_marking_id(o->label.tlp))));
	json_put(r->mem, o->tree, "object_marking_refs", refs);
	json_print(&text, o->tree);
	o->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	mr_warn(r, "LABEL_RAISED", o->id, "the event says %s of it", tlp_label(o->label.tlp));
}

/* True if two patterns mean the same. */
static bool
same_pattern(struct mr *r, struct slice a, struct slice b)
{
	struct pat_node *x = pattern_parse(a, r->mem, NULL), *y = pattern_parse(b, r->mem, NULL);
	struct strbuf s = STRBUF_INIT, t = STRBUF_INIT;
	bool same;

	if (x == NULL || y == NULL)
		return slice_eq(a, b);
	pattern_canonical(&s, x);
	pattern_canonical(&t, y);
	same = slice_eq(strbuf_slice(&s), strbuf_slice(&t));
	strbuf_fini(&s);
	strbuf_fini(&t);
	return same;
}

/* Put what the element says now into the original; true if that changes it. */
static bool
merge(struct mr *r, json *tree, const json *native)
{
	static const char *const said[] = {
		"pattern", "description", "name", "content", "abstract", "object_refs", "value",
		"revoked", "opinion", "count"
	};
	bool changed = false;

	for (size_t i = 0; i < COUNTOF(said); i++) {
		json *now = json_get(native, said[i]), *had = json_get(tree, said[i]);

		if (now == NULL || json_equal(now, had))
			continue;
		if (strcmp(said[i], "pattern") == 0 &&
		    same_pattern(r, json_slice(now), json_slice(had)))
			continue;
		json_put(r->mem, tree, said[i], json_copy(r->mem, now));
		changed = true;
	}
	return changed;
}

/* A new version of an edited original, at the time of the edit. */
static void
bump(struct mr *r, json *tree, struct slice at)
{
	if (at.n > 0 && json_get(tree, "modified") != NULL &&
	    mr_before(r, json_member(tree, "modified"), at))
		json_put_str(r->mem, tree, "modified", at);
}

/* What an original says is dropped in favour of `m`, but not under which label it may be known. */
static void
keep_label(struct mr_made *m, const struct original *o)
{
	if (m != NULL && !m->ready)
		m->label = misp_label_join(m->label, misp_label_join(own_label(o), o->label));
}

/* The object that was derived from the edited element takes over what the original says beyond it. */
static void
put_edited(struct mr_originals *os, struct mr_event *ev, struct original *o)
{
	struct mr *r = os->r;
	struct mr_made *m = mr_find(r, ev, o->id);
	struct slice at;
	struct strbuf text = STRBUF_INIT;

	if (m == NULL) {
		raise_label(os, o);
		m = mr_original(r, ev, o->tree, o->text);
		if (m == NULL)
			ledger_mark(
			    r->led, o->attribute, LOSS_DROPPED, "more objects than the limit");
		return;
	}
	if (m->bare || m->ready) {
		keep_label(m, o);
		ledger_mark(r->led, o->attribute, LOSS_DROPPED, "the element was edited");
		return;
	}
	at = json_member(m->tree, "modified");
	o->label = misp_label_join(m->label, o->label);
	if (merge(r, o->tree, m->tree))
		bump(r, o->tree, at);
	json_print(&text, o->tree);
	o->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	raise_label(os, o);
	m->tree = o->tree;
	m->text = o->text;
	m->ready = true;
	mr_warn(r, "EDITED", o->id, "the event was edited after it was made of STIX");
}

/* The container: as it was, or with what the event says now, and with what is new in it. */
static void
put_container(struct mr_originals *os, struct mr_event *ev, struct original *o, size_t natives)
{
	struct mr *r = os->r;
	struct slice info = misp_text(r->mem, os->event, "info");
	json *refs = json_get(o->tree, "object_refs");
	struct idmap had = { 0 };
	bool changed = false;

	if (o->state == ORIGINAL_EDITED && info.n > 0 &&
	    !slice_eq(info, json_member(o->tree, "name"))) {
		json_put_str(r->mem, o->tree, "name", info);
		changed = true;
	}
	if (o->state == ORIGINAL_EDITED && os->description != NULL &&
	    !slice_eq(
		json_member(os->description, "content"), json_member(o->tree, "description"))) {
		json_put_str(
		    r->mem, o->tree, "description", json_member(os->description, "content"));
		changed = true;
	}
	for (json *k = json_first(refs); k != NULL; k = json_next(k))
		idmap_add(&had, r->mem, json_slice(k), 0);
	idmap_sort(&had);
	for (size_t i = 0; i < natives && refs != NULL; i++) {
		if (ev->v[i]->ready || idmap_find(&had, ev->v[i]->id) != IDMAP_NONE)
			continue;
		json_push(refs, json_string(r->mem, ev->v[i]->id));
		changed = true;
	}
	if (changed) {
		struct strbuf text = STRBUF_INIT;

		bump(r, o->tree, ev->modified);
		json_print(&text, o->tree);
		o->text = arena_slice(r->mem, strbuf_slice(&text));
		strbuf_fini(&text);
	}
	raise_label(os, o);
	mr_original(r, ev, o->tree, o->text);
}

void
mr_originals_put(struct mr *r, struct mr_event *ev, struct mr_originals *os)
{
	size_t natives = ev->n;

	for (size_t i = 0; i < os->n; i++) {
		struct original *o = &os->v[i];

		if (o == os->container) {
			put_container(os, ev, o, natives);
			continue;
		}
		if (o->state == ORIGINAL_GONE) {
			ledger_mark(
			    r->led, o->attribute, LOSS_DROPPED, "what was made of it is gone");
			mr_warn(r, "ORIGINAL_GONE", o->id,
			    "what was made of it is no longer in the event");
			continue;
		}
		if (o->state != ORIGINAL_EDITED)
			raise_label(os, o);
		if (o->state == ORIGINAL_EDITED)
			put_edited(os, ev, o);
		else if (mr_original(r, ev, o->tree, o->text) == NULL) {
			mr_refuse(r, o->attribute, "DUPLICATE_ID", "it is here twice, or one too many");
			keep_label(mr_find(r, ev, o->id), o);
		}
	}
}

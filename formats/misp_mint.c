/* misp_mint.c -- new objects of the MISP reader, and how they get into the advisory. See misp_read.h. */
#include "formats/misp_read.h"
#include "formats/shipped.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"

enum { OBJECTS_MAX = 100000 };

#define HANDLING	"TLP:EX:CHR"
#define HANDLING_AT	"2026-01-01T00:00:00.000Z"

/* The slot of an id in the index. The seed is the digest of the input, so a sender cannot choose ids
 * that collide. */
static size_t *
slot_of(const struct mr *r, const struct mr_event *ev, struct slice id)
{
	uint64_t h = r->seed;
	size_t i;

	for (i = 0; i < id.n; i++)
		h = (h ^ (unsigned char)id.p[i]) * 0x100000001b3u;
	i = (size_t)(h ^ (h >> 32)) & (ev->nslots - 1);
	while (ev->slots[i] != 0 && !slice_eq(ev->v[ev->slots[i] - 1]->id, id))
		i = (i + 1) & (ev->nslots - 1);
	return &ev->slots[i];
}

struct mr_made *
mr_find(struct mr *r, struct mr_event *ev, struct slice id)
{
	size_t at = ev->nslots == 0 ? 0 : *slot_of(r, ev, id);

	if (ev->container != NULL && slice_eq(ev->container->id, id))
		return ev->container;
	return at == 0 ? NULL : ev->v[at - 1];
}

/* Add to the list and the index, which is at most half full. The first of an id is the one that is
 * found. */
static struct mr_made *
add(struct mr *r, struct mr_event *ev, json *tree, struct slice id, struct misp_label label)
{
	struct mr_made *m = arena_alloc(r->mem, sizeof(*m));
	size_t *slot;

	m->tree = tree;
	m->id = id;
	m->label = label;
	r->objects++;
	ev->v = arena_grow(r->mem, ev->v, ev->n, &ev->cap, sizeof(struct mr_made *));
	ev->v[ev->n++] = m;
	if (2 * ev->n <= ev->nslots) {
		slot = slot_of(r, ev, id);
		if (*slot == 0)
			*slot = ev->n;
		return m;
	}
	ev->nslots = ev->nslots == 0 ? 64 : 4 * ev->nslots;
	ev->slots = arena_alloc(r->mem, ev->nslots * sizeof(*ev->slots));
	for (size_t i = 0; i < ev->n; i++) {
		slot = slot_of(r, ev, ev->v[i]->id);
		if (*slot == 0)
			*slot = i + 1;
	}
	return m;
}

static bool
is_full(const struct mr *r)
{
	return r->objects >= (r->job->limits.objects > 0 ? r->job->limits.objects : OBJECTS_MAX);
}

/* A tree with the common properties. */
static json *
new_tree(struct mr *r, const struct mr_event *ev, const char *type, struct slice id,
    struct slice created, struct slice modified)
{
	json *tree = json_object(r->mem);

	json_put_str(r->mem, tree, "type", slice_of(type));
	json_put_str(r->mem, tree, "spec_version", SLICE_LIT("2.1"));
	json_put_str(r->mem, tree, "id", id);
	if (ev->creator.n > 0)
		json_put_str(r->mem, tree, "created_by_ref", ev->creator);
	json_put_str(r->mem, tree, "created", created);
	json_put_str(r->mem, tree, "modified", modified);
	return tree;
}

struct mr_made *
mr_new(struct mr *r, struct mr_event *ev, const char *type, struct slice uuid, struct slice created,
    struct slice modified, struct misp_label label)
{
	struct slice id = slice_of(arena_fmt(r->mem, "%s--%.*s", type, SLICE_ARG(uuid)));

	if (is_full(r) || mr_find(r, ev, id) != NULL)
		return NULL;
	return add(r, ev, new_tree(r, ev, type, id, created, modified), id, label);
}

struct mr_made *
mr_container(struct mr *r, struct mr_event *ev, const char *type)
{
	struct mr_made *m = arena_alloc(r->mem, sizeof(*m));

	m->id = slice_of(arena_fmt(r->mem, "%s--%.*s", type, SLICE_ARG(ev->uuid)));
	m->tree = new_tree(r, ev, type, m->id, ev->created, ev->modified);
	m->label = ev->label;
	m->member = "event";
	ev->container = m;
	return m;
}

struct mr_made *
mr_original(struct mr *r, struct mr_event *ev, json *tree, struct slice text)
{
	struct slice id = json_member(tree, "id");
	struct mr_made *m = mr_find(r, ev, id);

	if (is_full(r) || (m != NULL && (!m->ready || json_equal(json_get(m->tree, "modified"),
	    json_get(tree, "modified")))))
		return NULL;		/* other versions of it may stand beside it */
	m = add(r, ev, tree, id, (struct misp_label){ TLP_UNSET, LABEL_ABSENT, false, false });
	m->ready = true;
	m->text = text;
	return m;
}

struct mr_made *
mr_observable(struct mr *r, struct mr_event *ev, json *tree, struct misp_label label)
{
	struct slice id = json_member(tree, "id");
	struct mr_made *m = mr_find(r, ev, id);

	if (m == NULL && is_full(r))
		return NULL;
	if (m == NULL) {
		m = add(r, ev, tree, id, label);
		m->bare = true;
	} else if (misp_label_covers(m->label, label)) {
		m->label = label;	/* who may know it from the laxer place knows it */
	}
	return m;
}

void
mr_relate(struct mr *r, struct mr_event *ev, struct slice from, const char *type, struct slice to,
    struct slice uuid, struct slice stamp, struct misp_label label, struct slice comment)
{
	struct mr_made *m;

	if (uuid.n == 0) {
		char text[UUID_TEXT + 1];

		uuid_v5(uuid_ns_tocsin,
		    slice_of(arena_fmt(
			r->mem, "rel|%.*s|%s|%.*s", SLICE_ARG(from), type, SLICE_ARG(to))),
		    text);
		uuid = arena_slice(r->mem, slice_of(text));
	}
	m = mr_new(r, ev, "relationship", uuid, stamp, stamp, label);
	if (m == NULL)
		return;
	json_put_str(r->mem, m->tree, "relationship_type", slice_of(type));
	if (comment.n > 0)
		json_put_str(r->mem, m->tree, "description", comment);
	json_put_str(r->mem, m->tree, "source_ref", from);
	json_put_str(r->mem, m->tree, "target_ref", to);
}

/* ---- minting ---- */

/* The id of the statement that stands for tlp:ex:chr, which is minted. */
static struct slice
handling_marking(struct mr *r)
{
	struct slice id = slice_of(arena_fmt(r->mem, "marking-definition--%.*s",
	    SLICE_ARG(MISP_UUID(r->mem, "marking", SLICE_LIT(HANDLING)))));
	json *tree;

	for (size_t i = 0; i < r->adv->n; i++)
		if (slice_eq(r->adv->objects[i].id, id))
			return id;
	tree = json_object(r->mem);
	json_put_str(r->mem, tree, "type", SLICE_LIT("marking-definition"));
	json_put_str(r->mem, tree, "spec_version", SLICE_LIT("2.1"));
	json_put_str(r->mem, tree, "id", id);
	json_put_str(r->mem, tree, "created", SLICE_LIT(HANDLING_AT));
	json_put_str(r->mem, tree, "definition_type", SLICE_LIT("statement"));
	json_put_str(r->mem, json_put(r->mem, tree, "definition", json_object(r->mem)), "statement",
	    SLICE_LIT(HANDLING));
	advisory_mint(r->adv, r->mem, tree, NULL);
	return id;
}

/* Put the markings on and the residue in. */
static void
complete(struct mr *r, struct mr_made *m)
{
	json *refs = NULL;

	if (m->label.tlp != TLP_UNSET || m->label.handling)
		refs = json_put(r->mem, m->tree, "object_marking_refs", json_list(r->mem));
	if (m->label.tlp != TLP_UNSET) {
		advisory_add_marking(r->adv, r->mem, m->label.tlp);
		json_push(refs, json_string(r->mem, slice_of(tlp_marking_id(m->label.tlp))));
	}
	if (m->label.handling)
		json_push(refs, json_string(r->mem, handling_marking(r)));
	if (m->bare)
		return;
	advisory_add_extension(r->adv, r->mem, EXTENSION_MISP);
	misp_keep(m->tree, r->mem, m->member, m->part);
	if (m->nobservables > 0) {
		char hash[65];

		misp_observables_hash(
		    (const json *const *)m->observables, m->nobservables, r->mem, hash);
		json_put_str(r->mem, misp_residue(m->tree), "observables", slice_of(hash));
	}
}

/* True if this version of the object is in the advisory already (an organisation of two events). */
static bool
is_minted(struct mr *r, const struct mr_made *m)
{
	struct slice key;

	key = slice_of(arena_fmt(r->mem, "%.*s %.*s", SLICE_ARG(m->id),
	    SLICE_ARG(json_member(m->tree, "modified"))));
	return idmap_seek(&r->minted, key) != IDMAP_NONE;
}

struct seen {
	struct mr	*r;
	struct mr_event	*ev;
};

/* object_find_fn: a definition of the document, or of this event wherever it stands there. */
static json *
find_marking(void *ctx, struct slice id)
{
	struct seen *s = ctx;
	struct mr_made *m = mr_find(s->r, s->ev, id);

	return m != NULL && slice_starts(id, "marking-definition--") ? m->tree :
	    advisory_find_marking(s->r->adv, id);
}

/* An original: its bytes as they came. */
static int
mint_original(struct mr *r, struct mr_event *ev, struct mr_made *m, struct err *e)
{
	struct object *o;
	struct seen s = { r, ev };

	if (misp_residue(m->tree) != NULL)	/* came from MISP, and was edited */
		advisory_add_extension(r->adv, r->mem, EXTENSION_MISP);
	o = advisory_add(r->adv, r->mem);
	o->tree = m->tree;
	o->bytes = m->text;
	o->flags = OBJECT_MINTED;
	if (object_fill(o, r->mem, find_marking, &s, e) == 0)
		return 0;
	r->adv->n--;
	return -1;
}

static int
mint(struct mr *r, struct mr_event *ev, struct mr_made *m, struct err *e)
{
	if (m->ready)
		return mint_original(r, ev, m, e);
	complete(r, m);
	return advisory_mint(r->adv, r->mem, m->tree, e);
}

/* Mint the originals that are definitions, if others are derived: their bytes go before our own. */
static int
mint_definitions(struct mr *r, struct mr_event *ev, bool *done, struct err *e)
{
	bool derived = ev->container != NULL;

	for (size_t i = 0; i < ev->n; i++)
		derived |= !ev->v[i]->ready;
	for (size_t i = 0; i < ev->n && derived; i++) {
		if (done[i] || (!slice_starts(ev->v[i]->id, "marking-definition--") &&
		    !slice_starts(ev->v[i]->id, "extension-definition--")))
			continue;
		if (mint(r, ev, ev->v[i], e) < 0)
			return -1;
		done[i] = true;
	}
	return 0;
}

int
mr_mint(struct mr *r, struct mr_event *ev, struct err *e)
{
	size_t first = r->adv->n;
	bool *done = arena_alloc(r->mem, ev->n + 1);

	for (size_t i = 0; i < ev->n; i++)
		done[i] = is_minted(r, ev->v[i]);
	if (mint_definitions(r, ev, done, e) < 0 ||
	    (ev->container != NULL && mint(r, ev, ev->container, e) < 0))
		goto failed;
	for (size_t i = 0; i < ev->n; i++)
		if (!done[i] && mint(r, ev, ev->v[i], e) < 0)
			goto failed;
	for (size_t i = first; i < r->adv->n; i++) {
		const struct object *o = &r->adv->objects[i];

		idmap_insert(&r->minted, r->mem, slice_of(arena_fmt(r->mem, "%.*s %.*s",
		    SLICE_ARG(o->id), SLICE_ARG(json_member(o->tree, "modified")))), i);
	}
	return 0;
failed:
	r->adv->n = first;
	return -1;
}

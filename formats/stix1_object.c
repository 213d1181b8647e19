/* stix1_object.c -- ids and new objects of the STIX 1.x reader. */
#include <ctype.h>

#include "formats/id_name.h"
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { OBJECTS_MAX = 100000 };

/* Return the UUIDv5 over the fields. */
struct slice
s1_uuid(struct s1 *s, const struct slice *fields, size_t n)
{
	return id_name_of(s->mem, "stix1", fields, n);
}

struct slice
s1_id(struct s1 *s, const char *type, struct slice uuid)
{
	return slice_of(arena_fmt(s->mem, "%s--%.*s", type, SLICE_ARG(uuid)));
}

/* Return the UUID at the end of an id; if there is none that 2.1 allows, one made of the id. */
struct slice
s1_uuid_of(struct s1 *s, struct slice id)
{
	struct slice tail = id.n <= UUID_TEXT ? id : slice_from(id.p + id.n - UUID_TEXT, UUID_TEXT);
	char *lower;

	if (!uuid_is_valid(tail) || (id.n > UUID_TEXT && isxdigit((unsigned char)tail.p[-1])))
		return S1_UUID(s, id);
	lower = arena_str(s->mem, tail);
	for (size_t i = 0; i < UUID_TEXT; i++)
		lower[i] = (char)tolower((unsigned char)lower[i]);
	return slice_from(lower, UUID_TEXT);
}

/* The index. */

/* Hash of an id. The seed is the digest of the input, so a sender cannot choose ids that collide. */
static size_t
hash_id(const struct s1 *s, struct slice id)
{
	uint64_t h = s->seed;

	for (size_t i = 0; i < id.n; i++)
		h = (h ^ (unsigned char)id.p[i]) * 0x100000001b3u;
	return (size_t)(h ^ (h >> 32));
}

/* The slot of an object: its own, or the empty one where it belongs. */
static size_t *
slot_of(const struct s1 *s, struct slice id, struct slice modified)
{
	size_t i = hash_id(s, id) & (s->nslots - 1);

	while (s->slots[i] != 0) {
		const struct s1_obj *ob = s->objs.v[s->slots[i] - 1];

		if (slice_eq(ob->id, id) && slice_eq(ob->modified, modified))
			break;
		i = (i + 1) & (s->nslots - 1);
	}
	return &s->slots[i];
}

/* Return the object of this id and version, NULL if there is none yet. */
struct s1_obj *
s1_find(struct s1 *s, struct slice id, struct slice modified)
{
	size_t at = s->nslots == 0 ? 0 : *slot_of(s, id, modified);

	return at == 0 ? NULL : s->objs.v[at - 1];
}

/* True if no more objects may be made. */
bool
s1_is_full(const struct s1 *s)
{
	return s->objs.n >= (s->job->limits.objects > 0 ? s->job->limits.objects : OBJECTS_MAX);
}

static void
push(struct s1 *s, struct s1_objs *list, struct s1_obj *ob)
{
	list->v = arena_grow(s->mem, list->v, list->n, &list->cap, sizeof(struct s1_obj *));
	list->v[list->n++] = ob;
}

/* Add to the list and the index, which is at most half full. */
void
s1_add(struct s1 *s, struct s1_obj *ob)
{
	push(s, &s->objs, ob);
	if (2 * s->objs.n <= s->nslots) {
		*slot_of(s, ob->id, ob->modified) = s->objs.n;
		return;
	}
	s->nslots = s->nslots == 0 ? 64 : 4 * s->nslots;
	s->slots = arena_alloc(s->mem, s->nslots * sizeof(*s->slots));
	for (size_t i = 0; i < s->objs.n; i++)
		*slot_of(s, s->objs.v[i]->id, s->objs.v[i]->modified) = i + 1;
}

/* n became ob. */
void
s1_tag(struct s1 *s, struct s1_obj *ob, struct xml_node *n)
{
	struct s1_tag *t = arena_alloc(s->mem, sizeof(*t)), **tail = &s1_note(s, n)->tags;

	t->ob = ob;
	while (*tail != NULL) {
		if ((*tail)->ob == ob)
			return;
		tail = &(*tail)->next;
	}
	*tail = t;
}

/* Let ob, made from n, hold the XML of n. */
void
s1_hold(struct s1 *s, struct s1_obj *ob, struct xml_node *n)
{
	s1_tag(s, ob, n);
	for (struct s1_tag *t = s1_note(s, n)->tags; t != NULL; t = t->next)
		if (t->ob == ob)
			t->unit = ob->holds = true;
}

/* ob is one of the things that a reference to the unit means. */
void
s1_face(struct s1 *s, struct s1_unit *u, struct s1_obj *ob)
{
	for (size_t i = 0; i < u->faces.n; i++)
		if (u->faces.v[i] == ob)
			return;
	push(s, &u->faces, ob);
}

/* Return the common properties of an object of the unit. */
json *
s1_tree(struct s1 *s, struct s1_unit *u, const char *type, struct slice uuid)
{
	json *tree = json_object(s->mem);

	json_put_str(s->mem, tree, "type", slice_of(type));
	json_put_str(s->mem, tree, "spec_version", SLICE_LIT("2.1"));
	json_put_str(s->mem, tree, "id", s1_id(s, type, uuid));
	if (u->creator != NULL)
		json_put_str(s->mem, tree, "created_by_ref", u->creator->id);
	json_put_str(s->mem, tree, "created", u->created);
	json_put_str(s->mem, tree, "modified", u->modified);
	return tree;
}

static struct s1_obj *
make(struct s1 *s, struct s1_unit *u, json *tree, struct s1_label label, struct xml_node *from)
{
	struct s1_obj *ob = arena_alloc(s->mem, sizeof(*ob));

	ob->tree = tree;
	ob->id = json_member(tree, "id");
	ob->modified = json_member(tree, "modified");
	ob->label = label;
	ob->from = from;
	ob->unit = u;
	s1_add(s, ob);
	if (from != NULL)
		s1_tag(s, ob, from);
	return ob;
}

/* Return a new object with that UUID, NULL if there is one already. */
struct s1_obj *
s1_part(struct s1 *s, struct s1_unit *u, const char *type, struct slice uuid, struct xml_node *from)
{
	if (s1_is_full(s))
		return NULL;
	if (s1_find(s, s1_id(s, type, uuid), u->modified) != NULL) {
		s1_warn(s, from, "SAME_ID", "two objects %s--%s in one version: the first is kept", type,
		    uuid.p);
		return NULL;
	}
	return make(s, u, s1_tree(s, u, type, uuid), s1_label_within(s, from, true), from);
}

/* Return a new object of the unit; the first one holds the unit's XML. */
struct s1_obj *
s1_new(struct s1 *s, struct s1_unit *u, const char *type, struct xml_node *from)
{
	struct slice uuid = u->made == 0 ? s1_uuid_of(s, u->id) :
	    S1_UUID(s, u->id, slice_of(arena_fmt(s->mem, "%zu", u->made + 1)));
	struct s1_obj *ob = s1_part(s, u, type, uuid, from == NULL ? u->node : from);

	if (ob == NULL)
		return NULL;
	if (u->made++ == 0)
		s1_hold(s, ob, u->node);
	s1_face(s, u, ob);
	return ob;
}

/* Two trees say the same, their times aside. */
static bool
same_but_times(const json *a, const json *b)
{
	const json *x = json_first(a), *y = json_first(b);

	for (; x != NULL && y != NULL; x = json_next(x), y = json_next(y)) {
		if (strcmp(json_name(x), json_name(y)) != 0)
			return false;
		if (strcmp(json_name(x), "created") != 0 && !json_equal(x, y))
			return false;
	}
	return x == NULL && y == NULL;
}

/* Return the object of that id and version: a new one, or the one made before. */
struct s1_obj *
s1_shared(struct s1 *s, struct s1_unit *u, json *tree, struct s1_label label, struct xml_node *from)
{
	struct s1_obj *ob = s1_find(s, json_member(tree, "id"), json_member(tree, "modified"));

	if (ob == NULL)
		return s1_is_full(s) ? NULL : make(s, u, tree, label, from);
	if (from != NULL)
		s1_tag(s, ob, from);
	/* what both say is as free as the laxer one says; what only one says is not carried over */
	if (s1_stricter(ob->label, label) && same_but_times(ob->tree, tree))
		ob->label = label;
	return ob;
}

/* Return the observable. One met twice says what its laxest mention says, under that label: what only a
 * stricter one adds is not carried over. */
struct s1_obj *
s1_sco(struct s1 *s, struct s1_unit *u, json *tree, struct s1_label label, struct xml_node *from)
{
	struct s1_obj *ob = s1_find(s, json_member(tree, "id"), SLICE_EMPTY);

	if (ob == NULL) {
		ob = s1_is_full(s) ? NULL : make(s, u, tree, label, from);
		if (ob != NULL)
			ob->sco = true;
		return ob;
	}
	if (from != NULL)
		s1_tag(s, ob, from);
	if (s1_stricter(ob->label, label)) {
		ob->label = label;
		ob->tree = tree;
	}
	return ob;
}

/* Return the relationship between the two, made of a wrapper. */
struct s1_obj *
s1_relate(struct s1 *s, struct s1_unit *u, struct s1_obj *from, const char *type, struct s1_obj *to,
    struct xml_node *wrapper)
{
	struct strbuf name = STRBUF_INIT;
	char uuid[UUID_TEXT + 1];
	struct s1_label label;
	struct s1_obj *ob;
	json *tree;

	if (from == to)
		return NULL;
	strbuf_addf(&name, "rel|%.*s|%s|%.*s", SLICE_ARG(from->id), type, SLICE_ARG(to->id));
	uuid_v5(uuid_ns_tocsin, strbuf_slice(&name), uuid);
	strbuf_fini(&name);
	tree = s1_tree(s, u, "relationship", slice_of(uuid));
	json_put_str(s->mem, tree, "relationship_type", slice_of(type));
	json_put_str(s->mem, tree, "source_ref", from->id);
	json_put_str(s->mem, tree, "target_ref", to->id);
	label = s1_strictest(s, s1_strictest(s, from->label, to->label),
	    s1_label_within(s, wrapper, true));
	ob = s1_find(s, json_member(tree, "id"), u->modified);
	if (ob != NULL) {
		ob->label = s1_strictest(s, ob->label, label);
		s1_tag(s, ob, wrapper);
		return ob;
	}
	if (s1_is_full(s))
		return NULL;
	ob = make(s, u, tree, label, wrapper);
	ob->relationship = true;
	return ob;
}

/* Names of something: the first is its name, the others are aliases. */
void
s1_names(struct s1 *s, json *tree, struct xml_node *n)
{
	for (struct xml_node *k = stix1_get(n, "Name"); k != NULL; k = stix1_more(k)) {
		struct slice name = s1_word(s, k);

		if (name.n == 0)
			continue;
		if (json_get(tree, "name") == NULL)
			json_put_str(s->mem, tree, "name", name);
		else
			sdo_list_add(s->mem, tree, "aliases", name);
	}
}

/* csaf_make.c -- the objects of one reading: ids, times and labels that all of them have. */
#include "formats/csaf.h"
#include "formats/id_name.h"
#include "formats/shipped.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

struct slice
csaf_key(struct csaf_reading *r, const char *kind, struct slice field, size_t number)
{
	struct strbuf key = STRBUF_INIT;
	struct slice s;

	strbuf_adds(&key, kind);
	if (field.n > 0)
		id_name_add(&key, field);
	if (number > 0)
		strbuf_addf(&key, "|%zu", number);
	s = arena_slice(r->mem, strbuf_slice(&key));
	strbuf_fini(&key);
	return s;
}

/* "type--UUID" over csaf|NAMESPACE|TRACKING-ID|KEY; the publisher is the same in all its
 * documents. */
static struct slice
make_id(struct csaf_reading *r, const char *type, struct slice key)
{
	struct strbuf name = STRBUF_INIT;
	struct slice uuid;

	strbuf_adds(&name, "csaf");
	id_name_add(&name, r->space);
	if (slice_is(key, "publisher"))
		strbuf_addc(&name, '|');
	else
		id_name_add(&name, r->tracking_id);
	if (key.n > 0)
		strbuf_addc(&name, '|');
	strbuf_addsl(&name, key);
	uuid = id_name_uuid(r->mem, &name);
	strbuf_fini(&name);
	return slice_of(arena_fmt(r->mem, "%s--%.*s", type, SLICE_ARG(uuid)));
}

/* Append an object to the list. */
static struct csaf_made *
add_made(struct csaf_reading *r, json *tree, struct slice id, struct slice key, json *from)
{
	struct csaf_made *m = arena_alloc(r->mem, sizeof(*m));

	*m = (struct csaf_made){ .tree = tree, .id = id, .key = key, .from = from };
	r->v = arena_grow(r->mem, r->v, r->n, &r->cap, sizeof(struct csaf_made *));
	r->v[r->n++] = m;
	return m;
}

/* The beginning that all objects but observables have. */
static json *
start_tree(struct csaf_reading *r, const char *type, struct slice id)
{
	json *tree = json_object(r->mem);

	json_put_str(r->mem, tree, "type", slice_of(type));
	json_put_str(r->mem, tree, "spec_version", SLICE_LIT("2.1"));
	json_put_str(r->mem, tree, "id", id);
	if (r->identity != NULL)
		json_put_str(r->mem, tree, "created_by_ref", r->identity->id);
	json_put_str(r->mem, tree, "created", r->created);
	if (strcmp(type, "marking-definition") != 0)
		json_put_str(r->mem, tree, "modified", r->modified);
	return tree;
}

struct csaf_made *
csaf_make(struct csaf_reading *r, const char *type, struct slice key, json *from)
{
	struct slice id = make_id(r, type, key);

	return add_made(r, start_tree(r, type, id), id, key, from);
}

struct csaf_made *
csaf_relate(struct csaf_reading *r, struct csaf_made *from, const char *type, struct csaf_made *to,
    json *element)
{
	const char *name = arena_fmt(r->mem, "rel|%.*s|%s|%.*s", SLICE_ARG(from->id), type,
	    SLICE_ARG(to->id));
	char uuid[UUID_TEXT + 1];
	struct csaf_made *m;
	struct slice id;

	uuid_v5(uuid_ns_tocsin, slice_of(name), uuid);
	id = slice_of(arena_fmt(r->mem, "relationship--%s", uuid));
	m = add_made(r, start_tree(r, "relationship", id), id, slice_of(arena_fmt(r->mem,
	    "rel|%s|%.*s|%.*s", type, SLICE_ARG(from->key), SLICE_ARG(to->key))), element);
	json_put_str(r->mem, m->tree, "relationship_type", slice_of(type));
	json_put_str(r->mem, m->tree, "source_ref", from->id);
	json_put_str(r->mem, m->tree, "target_ref", to->id);
	m->source = from;
	m->target = to;
	return m;
}

struct csaf_made *
csaf_make_software(struct csaf_reading *r, struct csaf_software *s)
{
	struct csaf_made *m = add_made(r, s->tree, s->id, slice_of(arena_fmt(r->mem, "product|%.*s",
	    SLICE_ARG(s->id))), s->product);

	m->software = s;
	return m;
}

void
csaf_list_add(struct arena *mem, json *tree, const char *name, struct slice value)
{
	json *list = json_get(tree, name);

	if (list == NULL)
		list = json_put(mem, tree, name, json_list(mem));
	json_push(list, json_string(mem, value));
}

json *
csaf_reference_add(struct arena *mem, json *tree, struct slice source, struct slice description,
    struct slice url, struct slice external_id)
{
	json *list = json_get(tree, "external_references"), *ref = json_object(mem);

	if (list == NULL)
		list = json_put(mem, tree, "external_references", json_list(mem));
	json_put_str(mem, ref, "source_name", source);
	if (description.n > 0)
		json_put_str(mem, ref, "description", description);
	if (url.n > 0)
		json_put_str(mem, ref, "url", url);
	if (external_id.n > 0)
		json_put_str(mem, ref, "external_id", external_id);
	return json_push(list, ref);
}

/* Every object carries the label of the document and its statement; the report names what was
 * made. */
void
csaf_read_finish(struct csaf_reading *r)
{
	json *refs = json_list(r->mem);

	for (size_t i = 0; i < r->n; i++) {
		struct csaf_made *m = r->v[i];

		if (r->tlp != TLP_UNSET)
			csaf_list_add(r->mem, m->tree, "object_marking_refs",
			    slice_of(tlp_marking_id(r->tlp)));
		if (r->statement != NULL && m != r->statement)
			csaf_list_add(r->mem, m->tree, "object_marking_refs", r->statement->id);
		if (m != r->report && m != r->identity && m != r->statement)
			json_push(refs, json_string(r->mem, m->id));
	}
	if (json_first(refs) == NULL)
		json_push(refs, json_string(r->mem, r->identity->id));
	json_put(r->mem, r->report->tree, "object_refs", refs);
}

static int
mint_one(struct csaf_reading *r, const struct csaf_made *m, struct advisory *adv, struct err *e)
{
	if (advisory_mint(adv, r->mem, m->tree, e) < 0) {
		err_context(e, "%s", m->id.p);
		return -1;
	}
	if (r->label == LABEL_UNREADABLE)
		adv->objects[adv->n - 1].label = LABEL_UNREADABLE;
	return 0;
}

/* See csaf.h. */
int
csaf_mint(struct csaf_reading *r, struct advisory *adv, struct err *e)
{
	if (advisory_add_marking(adv, r->mem, r->tlp) < 0 ||
	    (csaf_residue(r->report->tree) != NULL &&
	    advisory_add_extension(adv, r->mem, EXTENSION_CSAF) < 0))
		return -1;
	if (r->statement != NULL && mint_one(r, r->statement, adv, e) < 0)
		return -1;	/* first: the others are marked with it */
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i] != r->statement && mint_one(r, r->v[i], adv, e) < 0)
			return -1;
	return 0;
}

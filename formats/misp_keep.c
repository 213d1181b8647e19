/* misp_keep.c -- the two kinds of residue: what is kept, and whether it was touched. See misp.h. */
#include <stdlib.h>

#include "formats/misp.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* R of an object, NULL if it has none. */
json *
misp_residue(const json *object)
{
	return json_get(json_get(json_get(object, "extensions"), MISP_EXT), "misp");
}

/* Hex of the SHA-256 over the canonical JSON. */
static void
hash_json(const json *o, char out[65])
{
	struct strbuf text = STRBUF_INIT;

	json_print_jcs(&text, o);
	digest_sha256_hex(strbuf_slice(&text), out);
	strbuf_fini(&text);
}

/* S: of the object without its residue; members come and go without touching a container. */
void
misp_object_hash(const json *object, struct arena *mem, char out[65])
{
	json *copy = json_copy(mem, object), *ext = json_get(copy, "extensions");
	struct slice type = json_member(object, "type");

	json_remove(ext, MISP_EXT);
	if (ext != NULL && json_first(ext) == NULL)
		json_remove(copy, "extensions");
	if (slice_is(type, "report") || slice_is(type, "grouping"))
		json_remove(copy, "object_refs");
	hash_json(copy, out);
}

void
misp_observables_hash(const json *const *v, size_t n, struct arena *mem, char out[65])
{
	json *list = json_list(mem);

	for (size_t i = 0; i < n; i++) {
		json *copy = json_copy(mem, v[i]);

		json_remove(copy, "object_marking_refs");
		json_push(list, copy);
	}
	hash_json(list, out);
}

/* True if the object is still what it was when its part was kept. */
bool
misp_is_untouched(const json *object, struct arena *mem)
{
	const json *r = misp_residue(object);
	char hash[65];

	if (r == NULL)
		return false;
	misp_object_hash(object, mem, hash);
	return slice_is(json_member(r, "sha256"), hash);
}

/* As text: MISP has empty lists and nulls, which STIX forbids at any depth. */
static void
put_text(struct arena *mem, json *r, const char *member, const json *part)
{
	struct strbuf text = STRBUF_INIT;

	json_print(&text, part);
	json_put_str(mem, r, member, strbuf_slice(&text));
	strbuf_fini(&text);
}

json *
misp_part(const json *residue, const char *member, struct arena *mem)
{
	struct json_doc doc;

	if (!json_is_string(json_get(residue, member)) ||
	    json_parse(json_member(residue, member), NULL, mem, &doc, NULL) < 0)
		return NULL;
	return json_is_object(doc.root) ? doc.root : NULL;
}

/* Put R into an object that is otherwise complete; `part` may be NULL. */
void
misp_keep(json *object, struct arena *mem, const char *member, json *part)
{
	json *ext, *r;
	char hash[65];

	misp_object_hash(object, mem, hash);
	ext = json_get(object, "extensions");
	if (ext == NULL)
		ext = json_put(mem, object, "extensions", json_object(mem));
	ext = json_put(mem, ext, MISP_EXT, json_object(mem));
	json_put_str(mem, ext, "extension_type", SLICE_LIT("property-extension"));
	r = json_put(mem, ext, "misp", json_object(mem));
	json_put_str(mem, r, "sha256", slice_of(hash));
	if (part == NULL)
		json_put_bool(mem, r, "part", true);
	else
		put_text(mem, r, member, part);
}

/* ---- H ---- */

/* Members that say something, as text (a server writes them in other JSON types), and lists of those
 * below. Numbers of the database, times of editing and what stands for them are left out. */
static const char *const said[] = {
	"uuid", "type", "category", "value", "comment", "to_ids", "first_seen", "last_seen", "deleted",
	"object_relation", "name", "meta-category", "description", "info", "date", "threat_level_id",
	"analysis", "distribution", "published", "content", "data", "referenced_uuid",
	"relationship_type", "date_sighting", "source", "tag_name"
};
static const char *const held[] = { "Attribute", "Object", "ObjectReference" };

static json	*said_by(const json *element, struct arena *mem);

static int
by_text(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* The names of the tags in order: their place says nothing. */
static json *
tags_of(const json *element, struct arena *mem)
{
	const json *tags = json_get(element, "Tag");
	size_t n = 0, count = json_count(tags);
	struct slice *v = arena_alloc(mem, (count + 1) * sizeof(*v));
	json *list = json_list(mem);

	for (const json *t = json_first(tags); t != NULL; t = json_next(t))
		v[n++] = json_is_string(t) ? json_slice(t) : json_member(t, "name");
	if (n > 1)
		qsort(v, n, sizeof(*v), by_text);
	for (size_t i = 0; i < n; i++)
		json_push(list, json_string(mem, v[i]));
	return list;
}

/* True if MISP means the same by leaving it out. */
static bool
is_default(const char *name, struct slice text)
{
	return text.n == 0 || (slice_is(text, "0") && (strcmp(name, "deleted") == 0 ||
	    strcmp(name, "to_ids") == 0 || strcmp(name, "published") == 0)) ||
	    (slice_is(text, "5") && strcmp(name, "distribution") == 0);
}

/* What an element says, in one spelling. */
static json *
said_by(const json *element, struct arena *mem)
{
	json *o = json_object(mem);

	for (size_t i = 0; i < COUNTOF(said); i++) {
		struct slice text = misp_text(mem, element, said[i]);

		if (!is_default(said[i], text))
			json_put_str(mem, o, said[i], text);
	}
	if (json_first(json_get(element, "Tag")) != NULL)
		json_put(mem, o, "Tag", tags_of(element, mem));
	for (size_t i = 0; i < COUNTOF(held); i++) {
		json *list = NULL;

		if (json_get(element, "info") != NULL)
			break;		/* an event: its attributes and objects have their own H */
		for (const json *k = json_first(json_get(element, held[i])); k != NULL;
		    k = json_next(k)) {
			if (list == NULL)
				list = json_put(mem, o, held[i], json_list(mem));
			json_push(list, said_by(k, mem));
		}
	}
	return o;
}

/* H over native elements. */
void
misp_native_hash(const json *const *v, size_t n, struct arena *mem, char out[65])
{
	json *list = json_list(mem);

	for (size_t i = 0; i < n; i++)
		json_push(list, said_by(v[i], mem));
	hash_json(list, out);
}

/* True if the attribute carries STIX of ours. */
bool
misp_is_stix_data(const json *a)
{
	struct slice comment = json_member(a, "comment");

	return slice_is(json_member(a, "type"), "text") &&
	    slice_is(json_member(a, "category"), "Other") &&
	    (slice_is(comment, MISP_OBJECT_COMMENT) || slice_is(comment, MISP_BUNDLE_COMMENT));
}

/* csaf_keep.c -- the residue of CSAF in STIX (csaf.h): the document goes along, taken apart. */
#include "formats/csaf.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { DEPTH_MAX = 100, HASHES_MAX = 2000 };

/* True if STIX has a value like this: it knows no null and nothing empty, and there is a limit to
 * how deep a bundle is read. */
static bool
is_value(const json *v, unsigned depth)
{
	if (json_is_null(v) || depth > DEPTH_MAX)
		return false;
	if (!json_is_object(v) && !json_is_list(v))
		return true;
	if (json_first(v) == NULL)
		return false;
	for (const json *k = json_first(v); k != NULL; k = json_next(k))
		if (!is_value(k, depth + 1))
			return false;
	return true;
}

/* Put the extension into an object: `part` under "csaf", or as text where STIX has no such value.
 * */
static json *
attach(struct csaf_reading *r, json *tree, json *part)
{
	json *ext = json_get(tree, "extensions"), *entry;
	struct strbuf text = STRBUF_INIT;

	if (ext == NULL)
		ext = json_put(r->mem, tree, "extensions", json_object(r->mem));
	entry = json_put(r->mem, ext, CSAF_EXT, json_object(r->mem));
	json_put_str(r->mem, entry, "extension_type", SLICE_LIT("property-extension"));
	if (is_value(part, 0)) {
		json_put(r->mem, entry, "csaf", part);
		return entry;
	}
	json_print(&text, part);
	json_put_str(r->mem, entry, "csaf_text", strbuf_slice(&text));
	strbuf_fini(&text);
	return entry;
}

/* A copy of the root without the list of vulnerabilities; an empty list, or what is none, stays. */
static json *
copy_root(struct csaf_reading *r, bool cut)
{
	json *copy = json_object(r->mem);

	for (json *m = json_first(r->root); m != NULL; m = json_next(m))
		if (!cut || strcmp(json_name(m), "vulnerabilities") != 0)
			json_put(r->mem, copy, json_name(m), json_copy(r->mem, m));
	return copy;
}

/* Every element of the list became an object that holds it. */
static bool
all_have_objects(const struct csaf_reading *r, const json *list)
{
	size_t n = 0, made = 0;

	for (const json *k = json_first(list); k != NULL; k = json_next(k))
		n++;
	for (size_t i = 0; i < r->n; i++)
		made += r->v[i]->from != NULL && r->v[i]->from == r->v[i]->within &&
		    slice_starts(r->v[i]->id, "vulnerability--");
	return json_is_list(list) && n > 0 && n == made;
}

/* The hashes of all objects. Of very many they would outgrow the document; then the objects are held
 * against what a new reading of it gives. */
static json *
hashes_of(struct csaf_reading *r)
{
	json *list = json_list(r->mem);
	char hash[65];

	for (size_t i = 0; r->n <= HASHES_MAX && i < r->n; i++) {
		csaf_object_hash(r->v[i]->tree, r->mem, hash);
		json_push(list, json_string(r->mem, slice_of(arena_fmt(r->mem, "%.*s %s",
		    SLICE_ARG(r->v[i]->id), hash))));
	}
	return json_first(list) == NULL ? NULL : list;
}

/* See csaf.h. */
void
csaf_keep(struct csaf_reading *r)
{
	json *objects = hashes_of(r), *ids = json_list(r->mem), *entry;
	bool cut = all_have_objects(r, json_get(r->root, "vulnerabilities"));

	for (size_t i = 0; cut && i < r->n; i++) {
		struct csaf_made *m = r->v[i];

		if (m->from == NULL || m->from != m->within || !slice_starts(m->id, "vulnerability--"))
			continue;
		json_push(ids, json_string(r->mem, m->id));
		attach(r, m->tree, json_copy(r->mem, m->from));
	}
	entry = attach(r, r->report->tree, copy_root(r, cut));
	if (cut)
		json_put(r->mem, entry, "vulnerabilities", ids);
	if (objects != NULL)
		json_put(r->mem, entry, "objects", objects);
}

/* See csaf.h. */
json *
csaf_kept_part(struct arena *mem, const json *object)
{
	const json *entry = csaf_residue(object);
	struct slice text = json_member(entry, "csaf_text");
	json *part = json_get(entry, "csaf");
	struct json_doc doc;

	if (json_is_object(part))
		return json_copy(mem, part);
	if (text.n == 0 || json_parse(text, NULL, mem, &doc, NULL) < 0 || !json_is_object(doc.root))
		return NULL;
	return doc.root;
}

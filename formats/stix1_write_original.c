/*
 * stix1_write_original.c -- each object travels whole in what the header says of the tool that made the
 * package (see stix1.h), under a label of its own.
 */
#include "formats/stix1_write.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Tools, one a label: what they hold is as secret as that. */
static const struct {
	enum tlp	 word;
	const char	*id;
} tools[] = {
	{ TLP_CLEAR, SW_PREFIX ":originals-white" }, { TLP_GREEN, SW_PREFIX ":originals-green" },
	{ TLP_UNSET, SW_PREFIX ":originals-unmarked" }, { TLP_AMBER, SW_PREFIX ":originals-amber" },
	{ TLP_RED, SW_PREFIX ":originals-red" },
};

/* Is there anything that the elements do not say by themselves? */
static bool
are_wanted(const struct sw *w)
{
	bool home = false;

	if (!xml_is(w->root, STIX1_NS_CORE, "STIX_Package"))
		return false;
	for (size_t i = 0; i < w->n; i++) {
		if (!w->items[i].home && w->items[i].o->class != OBJECT_META)
			return true;
		home |= w->items[i].home;
	}
	return !home && w->n > 0;
}

static struct xml_node *
child(struct sw *w, struct xml_node *n, const char *prefix, const char *name)
{
	struct xml_node *k = stix1_get(n, name);

	return k != NULL ? k : sw_el(w, n, prefix, name);
}

/* Where tools are told of. */
static struct xml_node *
tool_list(struct sw *w)
{
	struct xml_node *header = child(w, w->root, "stix", "STIX_Header");
	struct xml_node *source = child(w, header, "stix", "Information_Source");
	struct xml_node *list = child(w, source, "stixCommon", "Tools");

	sw_sort(w->root, sw_kinds[S1_PACKAGE].order);
	sw_sort(source, "Description Identity Role Contributing_Sources Time Tools References");
	return list;
}

static struct xml_node *
add_tool(struct sw *w, struct xml_node *list, const char *id)
{
	struct xml_node *tool = sw_el(w, list, "cyboxCommon", "Tool");

	xml_set(w->mem, tool, "id", slice_of(id));
	sw_leaf(w, tool, "cyboxCommon", "Name", SLICE_LIT(STIX1_TOOL));
	return tool;
}

/* A Metadata or SubDatum. */
static struct xml_node *
add_datum(struct sw *w, struct xml_node *n, const char *name, const char *type, struct slice value)
{
	struct xml_node *datum = sw_el(w, n, "cyboxCommon", name);

	xml_set(w->mem, datum, "type", slice_of(type));
	sw_leaf(w, datum, "cyboxCommon", "Value", value);
	return datum;
}

/* The hash of an object's element, worked out once. */
static const char *
hash_of(struct sw *w, struct sw_item *item)
{
	if (item->hash == NULL) {
		item->hash = arena_alloc(w->mem, 2 * SHA256_LEN + 1);
		stix1_element_hash(item->element, item->hash);
	}
	return item->hash;
}

static void
add_original(struct sw *w, struct sw_item *item, struct xml_node *tool)
{
	struct xml_node *n = add_datum(w, tool, "Metadata", STIX1_ORIGINAL, xml_safe_json(w->mem,
	    item->o->bytes));

	add_datum(w, n, "SubDatum", "index", slice_of(arena_fmt(w->mem, "%zu", (size_t)(item -
	    w->items))));
	if (item->in == NULL || item->in->element == NULL)
		return;
	add_datum(w, n, "SubDatum", "in", xml_value(item->in->element, "id"));
	add_datum(w, n, "SubDatum", "sha256", slice_of(hash_of(w, item->in)));
}

/* All objects of a label. */
static void
add_of_word(struct sw *w, struct xml_node *list, size_t which)
{
	struct xml_node *tool = NULL;

	for (size_t i = 0; i < w->n; i++) {
		struct sw_item *item = &w->items[i];
		bool meta = item->o->class == OBJECT_META;

		if ((meta ? TLP_UNSET : item->word) != tools[which].word)
			continue;
		if (tool == NULL)
			tool = add_tool(w, list, tools[which].id);
		add_original(w, item, tool);
		item->carried = true;
	}
	if (tool != NULL && tools[which].word != TLP_UNSET)
		sw_handling_level(w, "cyboxCommon:Tool", slice_of(tools[which].id), tools[which].word);
}

/* See stix1_write.h. */
void
sw_originals(struct sw *w)
{
	struct xml_node *list, *tool, *n;
	char hash[2 * SHA256_LEN + 1];

	if (w->job->no_residue || !are_wanted(w))
		return;
	list = tool_list(w);
	for (size_t i = 0; i < COUNTOF(tools); i++)
		add_of_word(w, list, i);
	sw_sort(stix1_get(w->root, "STIX_Header"),
	    "Title Package_Intent Description Short_Description Profiles Handling Information_Source");
	tool = add_tool(w, list, SW_PREFIX ":originals");
	xml_declare(w->mem, w->root, SW_PREFIX, w->ids_uri);
	sw_hoist(w, w->root);
	stix1_package_hash(w->root, hash);
	n = add_datum(w, tool, "Metadata", STIX1_BUNDLE, slice_of(hash));
	add_datum(w, n, "SubDatum", "id", w->job->adv->id);
	add_datum(w, n, "SubDatum", "objects", slice_of(arena_fmt(w->mem, "%zu", w->n)));
}

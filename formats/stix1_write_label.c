/*
 * stix1_write_label.c -- labels in STIX 1.x: WHITE, GREEN, AMBER, RED, or none.
 *
 * No label is worth what its reader's policy says, CLEAR to AMBER. So a word is good for an object if it is
 * at least as strict under each of these policies: GREEN is not for something unmarked, and no label is not
 * for something GREEN. AMBER+STRICT becomes RED: a statement beside AMBER would not count.
 */
#include "formats/stix1_write.h"
#include "gateway/base/arena.h"

/* Raise a need so that it does for the object too. */
void
sw_need(struct sw_need *need, const struct object *o)
{
	for (size_t i = 0; i < COUNTOF(need->at); i++) {
		enum tlp t = object_worth(o, (enum tlp)(TLP_CLEAR + i));

		if (t > need->at[i])
			need->at[i] = t;
	}
}

static bool
is_enough(enum tlp word, const struct sw_need *need)
{
	for (size_t i = 0; i < COUNTOF(need->at); i++)
		if ((word == TLP_UNSET ? (enum tlp)(TLP_CLEAR + i) : word) < need->at[i])
			return false;
	return true;
}

/* Return the freest word that does. */
enum tlp
sw_word(const struct sw_need *need)
{
	static const enum tlp words[] = { TLP_CLEAR, TLP_GREEN, TLP_UNSET, TLP_AMBER };

	for (size_t i = 0; i < COUNTOF(words); i++)
		if (is_enough(words[i], need))
			return words[i];
	return TLP_RED;
}

/* True if what the object says may stand under that word. */
bool
sw_covers(enum tlp word, const struct object *o)
{
	struct sw_need need = { { TLP_UNSET } };

	sw_need(&need, o);
	return is_enough(word, &need);
}

/* True if the object's label does for the need. */
bool
sw_is_as_strict(const struct object *o, const struct sw_need *need)
{
	for (size_t i = 0; i < COUNTOF(need->at); i++)
		if (object_worth(o, (enum tlp)(TLP_CLEAR + i)) < need->at[i])
			return false;
	return true;
}

/* A new Marking of what the path names. */
static struct xml_node *
add_marking(struct sw *w, struct xml_node *handling, const char *path)
{
	struct xml_node *marking = sw_el(w, handling, "marking", "Marking");

	sw_leaf(w, marking, "marking", "Controlled_Structure", slice_of(path));
	return marking;
}

static void
add_level(struct sw *w, struct xml_node *marking, enum tlp word)
{
	static const char *const colors[TLP_LEVELS] = {
		[TLP_CLEAR] = "WHITE", [TLP_GREEN] = "GREEN", [TLP_AMBER] = "AMBER", [TLP_RED] = "RED",
	};
	struct xml_node *n = sw_el(w, marking, "marking", "Marking_Structure");

	sw_type(w, n, "tlpMarking:TLPMarkingStructureType");
	xml_set(w->mem, n, "color", slice_of(colors[word]));
}

/* The text of a statement marking, empty if it is none. */
static struct slice
statement_of(struct sw *w, struct slice id)
{
	struct sw_item *item = sw_find(w, id);
	json *definition;

	if (item == NULL || !slice_is(json_member(item->tree, "definition_type"), "statement"))
		return SLICE_EMPTY;
	definition = json_get(item->tree, "definition");
	item->told = true;
	ledger_take(w->ledger, definition, "statement", LOSS_KEPT);
	return json_member(definition, "statement");
}

/* What the object's own markings become. */
static bool
add_structures(struct sw *w, struct sw_item *item, struct xml_node *marking)
{
	json *refs = json_get(item->tree, "object_marking_refs"), *granular;
	bool any = item->word != TLP_UNSET;

	if (any)
		add_level(w, marking, item->word);
	for (json *m = json_first(refs); m != NULL; m = json_next(m)) {
		struct slice text = statement_of(w, json_slice(m));
		struct xml_node *n;

		if (text.n == 0) {
			bool same = tlp_of_marking_id(json_slice(m)) == item->word;

			ledger_mark(w->ledger, m, same ? LOSS_KEPT : LOSS_APPROXIMATED,
			    same ? NULL : "the next stronger label");
			continue;
		}
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
		n = sw_el(w, marking, "marking", "Marking_Structure");
		sw_type(w, n, "simpleMarking:SimpleMarkingStructureType");
		sw_leaf(w, n, "simpleMarking", "Statement", text);
		any = true;
	}
	granular = json_get(item->tree, "granular_markings");
	if (granular != NULL)
		ledger_mark(w->ledger, granular, LOSS_APPROXIMATED, "marks the whole object");
	return any;
}

static void
handle(struct sw *w, struct sw_item *item, struct xml_node *handling, const char *path)
{
	struct xml_node *marking = add_marking(w, handling, path);

	if (!add_structures(w, item, marking))
		xml_detach(marking);
	if (xml_child(handling) == NULL)
		xml_detach(handling);
}

/* See stix1_write.h. */
void
sw_handling(struct sw *w, struct sw_item *item, struct xml_node *parent, const char *prefix,
    const char *up)
{
	handle(w, item, sw_el(w, parent, prefix, "Handling"), arena_fmt(w->mem,
	    "%s/descendant-or-self::node() | %s/descendant-or-self::node()/@*", up, up));
}

/* The Handling of the package's header, and the path to something in the package by its id. */
static struct xml_node *
package_handling(struct sw *w, const char *name, struct slice id, const char **path)
{
	struct xml_node *header = stix1_get(w->root, "STIX_Header");
	struct xml_node *handling = stix1_get(header, "Handling");

	*path = arena_fmt(w->mem, "//%s[@id='%.*s']", name, SLICE_ARG(id));
	*path = arena_fmt(w->mem, "%s/descendant-or-self::node() | %s/descendant-or-self::node()/@*", *path,
	    *path);
	if (header == NULL)
		header = sw_el(w, w->root, "stix", "STIX_Header");
	return handling != NULL ? handling : sw_el(w, header, "stix", "Handling");
}

/* See stix1_write.h. */
void
sw_handling_of(struct sw *w, struct sw_item *item, struct slice element_id)
{
	struct xml_node *handling, *header;
	const char *path;

	if (item->word == TLP_UNSET && json_get(item->tree, "object_marking_refs") == NULL)
		return;
	handling = package_handling(w, "cybox:Observable", element_id, &path);
	header = handling->parent;
	handle(w, item, handling, path);
	if (xml_child(header) == NULL)
		xml_detach(header);
}

/* See stix1_write.h. */
void
sw_handling_level(struct sw *w, const char *name, struct slice element_id, enum tlp word)
{
	const char *path;
	struct xml_node *handling = package_handling(w, name, element_id, &path);

	add_level(w, add_marking(w, handling, path), word);
}

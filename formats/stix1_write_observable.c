/* stix1_write_observable.c -- observed-data and observable objects as CybOX Observables of the package. */
#include "formats/stix1_write.h"
#include "gateway/base/arena.h"

static struct slice
part_name(void *arg, const char *kind, struct slice key)
{
	return sw_name(arg, kind, key);
}

/* What another observable refers to, if it may be told under the same label. */
static const json *
find_object(void *arg, struct slice id)
{
	struct sw *w = arg;
	const struct sw_item *item = sw_find(w, id);

	return item == NULL || item->o->class != OBJECT_SCO || !sw_covers(w->word, item->o) ? NULL :
	    item->tree;
}

/* How cybox.h names and finds things here. */
struct cybox_write
sw_cybox(struct sw *w)
{
	return (struct cybox_write){ .mem = w->mem, .name = part_name, .find = find_object, .arg = w };
}

static struct xml_node *
write_sco(struct sw *w, struct sw_item *sco)
{
	struct cybox_write job = sw_cybox(w);
	struct xml_node *n = cybox_write_object(&job, sco->tree, w->ledger);

	if (n == NULL)
		return NULL;
	sw_common_members(w, sco);
	return n;
}

/* All that the observed-data shows: one Observable, or a composition of several. */
static struct xml_node *
compose(struct sw *w, struct sw_item *item)
{
	struct xml_node *n = xml_new(w->mem, STIX1_NS_CYBOX, "cybox", "Observable");
	struct xml_node *list = sw_el(w, n, "cybox", "Observable_Composition"), *one;

	xml_set(w->mem, list, "operator", SLICE_LIT("AND"));
	for (json *m = json_first(json_get(item->tree, "object_refs")); m != NULL; m = json_next(m)) {
		struct sw_item *sco = sw_find(w, json_slice(m));

		one = sco == NULL || sco->o->class != OBJECT_SCO ? NULL : write_sco(w, sco);
		if (one == NULL)
			continue;
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
		sco->in = item;
		xml_append(list, one);
	}
	one = xml_child(list);
	if (one == NULL)
		return NULL;
	return xml_sibling(one) == NULL ? xml_detach(one), one : n;
}

/* When it was seen, how often, and when that was said. */
static void
write_times(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	static const struct { const char *element, *member; } times[] = {
		{ "Start_Time", "first_observed" }, { "End_Time", "last_observed" },
		{ "Produced_Time", "modified" },
	};
	struct xml_node *time = sw_el(w, sw_el(w, n, "cybox", "Observable_Source"), "cyboxCommon", "Time");
	json *number = json_get(item->tree, "number_observed");
	int64_t value;

	for (size_t i = 0; i < COUNTOF(times); i++)
		sw_put(w, item, time, "cyboxCommon", times[i].element, times[i].member);
	if (slice_eq(json_member(item->tree, "created"), json_member(item->tree, "modified")))
		sw_take(w, item->tree, "created");
	if (json_int(number, &value) && value > 0) {
		xml_set(w->mem, n, "sighting_count", json_number_text(w->mem, number));
		ledger_mark(w->ledger, number, LOSS_KEPT, NULL);
	}
}

/* Return the Observable of an observed-data, or of an object that none shows. */
struct xml_node *
sw_observable(struct sw *w, struct sw_item *item)
{
	bool sco = item->o->class == OBJECT_SCO;
	struct xml_node *n;

	if (sco && item->told)
		return NULL;	/* an observed-data shows it */
	n = sco ? write_sco(w, item) : compose(w, item);
	if (n == NULL)
		return NULL;
	xml_set(w->mem, n, "id", sw_id(w, item->o->id));
	if (!sco) {
		sw_common_members(w, item);
		write_times(w, item, n);
	}
	sw_sort(n, sw_kinds[S1_OBSERVABLE].order);
	sw_handling_of(w, item, sw_id(w, item->o->id));
	return n;
}

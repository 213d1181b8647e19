/*
 * stix1_write.c -- STIX 2.1 objects as a STIX 1.2 package.
 *
 * Every object that has an element of its own in 1.x becomes one in the package's lists; relationships and
 * sightings become what one of them says of the other. What 1.x cannot say travels in its header, in the
 * objects as they are.
 */
#include "formats/stix1_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* Observed-data before the objects it shows, everything else as it came. */
static void
write_kind(struct sw *w, enum s1_kind kind, bool sco)
{
	for (size_t i = 0; i < w->n; i++) {
		struct sw_item *item = &w->items[i];
		struct xml_node *n;

		if (item->kind != kind || !item->out || item->home ||
		    (item->o->class == OBJECT_SCO) != sco)
			continue;
		n = sw_element(w, item);
		if (n != NULL) {
			item->element = n;
			item->in = item;
			xml_append(sw_list(w, w->root, kind), n);
			w->added = true;
		} else if (!item->told) {
			item->out = false;
		}
	}
}

/* The newest version among the objects; the time of receipt if they have none. */
static struct slice
newest(const struct sw *w)
{
	const struct object *best = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const struct object *o = w->items[i].o;

		if (o->version.n > 0 && o->class != OBJECT_META &&
		    (best == NULL || slice_cmp(best->version_key, o->version_key) < 0))
			best = o;
	}
	return best != NULL ? best->version : w->job->received;
}

static void
start_package(struct sw *w)
{
	struct slice id = w->job->adv->id, stamp = newest(w);
	const char *csirt = w->job->csirt;

	w->root = xml_new(w->mem, STIX1_NS_CORE, "stix", "STIX_Package");
	w->ids_uri = csirt == NULL || csirt[0] == '\0' ? "urn:tocsin:ids" :
	    arena_fmt(w->mem, "http://%s", csirt);
	xml_declare(w->mem, w->root, SW_PREFIX, w->ids_uri);
	xml_declare(w->mem, w->root, "cybox", STIX1_NS_CYBOX);
	if (id.n > 0)
		xml_set(w->mem, w->root, "id", sw_id(w, id));
	if (stamp.n > 0)
		xml_set(w->mem, w->root, "timestamp", stamp);
	xml_set(w->mem, w->root, "version", SLICE_LIT("1.2"));
}

/* Definitions say what labels are; those of TLP are said by each label. */
static void
mark_definitions(struct sw *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct sw_item *item = &w->items[i];

		if (slice_is(item->o->type, "marking-definition") &&
		    tlp_of_marking_id(item->o->id) != TLP_UNSET)
			ledger_mark(w->ledger, item->tree, LOSS_KEPT, NULL);
		else if (slice_is(item->o->type, "marking-definition") && item->told)
			for (size_t k = 0; k < 3; k++)
				ledger_take(w->ledger, item->tree, (const char *const[]){ "type",
				    "spec_version", "definition_type" }[k], LOSS_KEPT);
	}
}

/* Every leaf of every object. */
static void
account(struct sw *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct sw_item *item = &w->items[i];
		bool revoked = (item->o->flags & OBJECT_REVOKED) != 0;

		ledger_account(w->ledger, w->job->loss, item->tree, arena_str(w->mem, item->o->id),
		    item->home ? LOSS_KEPT : item->carried ? LOSS_MOVED : LOSS_DROPPED, item->home ? NULL :
		    item->carried ? "in the header, as data of the tool" : revoked ?
		    "revoked: STIX 1.x cannot say so" : "STIX 1.x has no place for it");
	}
}

/* All kinds; Observables of observed-data first, so that what they show is not written twice. */
static void
write_native(struct sw *w)
{
	write_kind(w, S1_OBSERVABLE, false);
	write_kind(w, S1_OBSERVABLE, true);
	for (enum s1_kind kind = S1_PACKAGE; kind < S1_KINDS; kind++)
		if (kind != S1_OBSERVABLE)
			write_kind(w, kind, false);
}

/* New relationships of elements that are as they were. */
static void
add_edges(struct sw *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct sw_item *item = &w->items[i];
		bool more = false;

		for (const struct sw_edge *e = item->edges; e != NULL; e = e->next)
			more |= e->row != NULL && !e->by->home;
		if (!item->home || item->node == NULL || !more ||
		    !slice_is(item->node->name, sw_kinds[item->kind].name))
			continue;
		item->element = item->node;
		sw_edges(w, item, item->node);
		sw_sort(item->node, sw_kinds[item->kind].order);
		w->added = true;
	}
}

/* What stands in the document already is there: only the rest is added. */
static void
add_to_home(struct sw *w)
{
	if (xml_is(w->root, STIX1_NS_CORE, "STIX_Package")) {
		add_edges(w);
		write_native(w);
	}
	if (!w->added)
		return;
	xml_declare(w->mem, w->root, SW_PREFIX, w->ids_uri);
	xml_set(w->mem, w->root, "version", SLICE_LIT("1.2"));
	sw_sort(w->root, sw_kinds[S1_PACKAGE].order);
	sw_hoist(w, w->root);
}

/* See format.h. */
int
stix1_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct sw w = { .job = job, .mem = mem, .ledger = ledger_new(mem) };

	(void)e;
	sw_plan(&w);
	start_package(&w);
	if (!job->no_residue && sw_go_home(&w)) {
		add_to_home(&w);
	} else {
		write_native(&w);
		sw_sort(w.root, sw_kinds[S1_PACKAGE].order);
		sw_hoist(&w, w.root);
	}
	sw_originals(&w);
	mark_definitions(&w);
	account(&w);
	xml_print(out, w.root, XML_DECLARATION | (job->pretty ? XML_PRETTY : 0));
	return 0;
}

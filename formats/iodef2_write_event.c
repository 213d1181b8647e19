/* iodef2_write_event.c -- observed-data and what holds SCOs -> EventData (mapping.md 2.4). */
#include "formats/iodef2_write.h"
#include "formats/iodef2_words.h"
#include "gateway/base/arena.h"

/* An SCO that many observations share is written that often; then it is only residue. */
enum { COPIES_MAX = 16 };

/* Every SCO that another one of this event refers to is said by that one: the ends of a connection,
 * the folder of a file, the sender of a mail. */
static void
mark_used(struct iw *w, struct xml_node *event, const struct iw_obj *ob)
{
	static const char *const single[] = { "src_ref", "dst_ref", "parent_directory_ref",
	    "from_ref", NULL };
	static const char *const lists[] = { "resolves_to_refs", "to_refs", NULL };
	struct iw_obj *to;
	size_t i;
	json *ref;

	for (i = 0; single[i] != NULL; i++)
		if ((to = iw_find(w, json_member(ob->o->tree, single[i]))) != NULL)
			to->used_in = event;
	for (i = 0; lists[i] != NULL; i++) {
		ref = json_first(json_get(ob->o->tree, lists[i]));
		for (; ref != NULL; ref = json_next(ref))
			if ((to = iw_find(w, json_slice(ref))) != NULL)
				to->used_in = event;
	}
}

static void
write_scos(struct iw *w, struct xml_node *event, const json *refs)
{
	struct iw_obj *ob;
	const json *ref;

	for (ref = json_first(refs); ref != NULL; ref = json_next(ref))
		if ((ob = iw_find(w, json_slice(ref))) != NULL && ob->o->class == OBJECT_SCO)
			mark_used(w, event, ob);
	for (ref = json_first(refs); ref != NULL; ref = json_next(ref)) {
		ob = iw_find(w, json_slice(ref));
		if (ob != NULL && ob->o->class == OBJECT_SCO && ob->used_in != event &&
		    ob->copies + ob->nnodes < COPIES_MAX)
			iw_write_sco(w, event, ob);
	}
}

/* How often it was seen, on the first System. */
static void
write_count(struct iw *w, struct iw_obj *ob, struct xml_node *event)
{
	struct xml_node *flow = xml_get(event, "Flow"), *system = xml_get(flow, "System"), *n;
	int64_t count;

	if (!json_int(json_get(ob->o->tree, "number_observed"), &count))
		return;
	if (count == 1) {
		iw_mark(w, ob, LOSS_KEPT, "number_observed");
		return;
	}
	if (system == NULL)
		return;
	n = iw_leaf(w, system, "Counter", slice_of(arena_fmt(w->mem, "%lld", (long long)count)));
	iw_set(w, n, "type", "counter");
	iw_set(w, n, "unit", "event");
	iw_claim(w, ob, n);
	iw_mark(w, ob, LOSS_KEPT, "number_observed");
}

/* The object claims its times, not the whole EventData: an edit of an address is not its edit. */
void
iw_write_event(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *n = iw_el(w, inc->node, "EventData");
	struct iw_obj *creator = iw_find(w, json_member(ob->o->tree, "created_by_ref"));

	iw_restrict(w, n, iw_label(ob->o));
	iw_mark_kind(w, ob, false);
	iw_claim(w, ob, iw_prop_time(w, ob, n, "StartTime", "first_observed"));
	iw_claim(w, ob, iw_prop_time(w, ob, n, "EndTime", "last_observed"));
	iw_claim(w, ob, iw_prop_time(w, ob, n, "ReportTime", "created"));
	if (ob->nnodes == 0)
		iw_claim(w, ob, n);
	if (creator != NULL && creator != inc->creator && slice_is(creator->o->type, "identity"))
		iw_claim(w, ob, iw_write_contact(w, creator, n, "creator", NULL));
	write_scos(w, n, json_get(ob->o->tree, "object_refs"));
	write_count(w, ob, n);
}

/* SCOs of this Incident that no observation took: an EventData of their own. */
void
iw_write_loose(struct iw *w, struct iw_incident *inc)
{
	struct xml_node *event = NULL, *before;
	struct iw_obj *ob;
	size_t i;

	for (i = 0; i < inc->nmembers; i++) {
		ob = inc->members[i];
		if (ob->o->class != OBJECT_SCO || ob->done)
			continue;
		if (event == NULL) {
			event = iw_el(w, inc->node, "EventData");
			iw_generated(w, event, "holds observables of no observation");
		}
		mark_used(w, event, ob);
	}
	for (i = 0; event != NULL && i < inc->nmembers; i++) {
		ob = inc->members[i];
		before = ob->used_in;
		if (ob->o->class == OBJECT_SCO && !ob->done && before != event)
			iw_write_sco(w, event, ob);
	}
	/* who refers to itself in a circle is still written */
	for (i = 0; event != NULL && i < inc->nmembers; i++) {
		ob = inc->members[i];
		if (ob->o->class == OBJECT_SCO && !ob->done)
			iw_write_sco(w, event, ob);
	}
}

static void
write_roles(struct iw *w, struct iw_obj *ob, struct xml_node *system)
{
	json *t = json_first(json_get(ob->o->tree, "infrastructure_types"));
	struct xml_node *n;
	const char *role;
	size_t i;

	for (i = 0; t != NULL; t = json_next(t), i++) {
		role = iodef2_noderole_of_infrastructure(json_slice(t));
		n = iw_el(w, system, "NodeRole");
		iw_set_word(w, n, "category", role != NULL ? slice_of(role) : json_slice(t));
		iw_markf(w, ob, LOSS_KEPT, "infrastructure_types[%zu]", i);
	}
}

/* The addresses that an infrastructure consists of, with its role; nothing without any. */
void
iw_write_infrastructure(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *event = NULL, *flow = NULL, *system;
	const struct iw_ref *rows;
	struct iw_obj *to;
	size_t i, n;

	rows = iw_rows(&w->by_source, ob->o->id, &n);
	for (i = 0; i < n; i++) {
		to = iw_find(w, json_member(rows[i].obj->o->tree, "target_ref"));
		if (to == NULL || !iw_is_endpoint(to->o) || to->nnodes >= COPIES_MAX ||
		    !slice_is(json_member(rows[i].obj->o->tree, "relationship_type"),
		    "consists-of"))
			continue;
		if (event == NULL) {
			event = iw_el(w, inc->node, "EventData");
			iw_restrict(w, event, iw_label(ob->o));
			iw_claim(w, ob, event);
			iw_mark_kind(w, ob, false);
			iw_descriptions(w, ob, event, false);
			flow = iw_el(w, event, "Flow");
		}
		system = iw_write_system(w, to, flow, "infrastructure");
		if (system == NULL)
			continue;
		iw_restrict(w, system, iw_label_join(iw_label_at(system),
		    iw_label_join(iw_label(to->o), iw_label(rows[i].obj->o))));
		write_roles(w, ob, system);
	}
}

void
iw_write_analysis(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *event = iw_el(w, inc->node, "EventData"), *data, *app, *item;
	struct slice product = json_member(ob->o->tree, "product");
	struct slice version = json_member(ob->o->tree, "version");

	iw_restrict(w, event, iw_label(ob->o));
	iw_claim(w, ob, event);
	data = iw_el(w, iw_el(w, event, "Record"), "RecordData");
	iw_prop_time(w, ob, data, "DateTime", "analysis_ended");
	iw_prop(w, ob, data, "Description", "result", IW_TEXT);
	app = iw_el(w, data, "Application");
	iw_leaf(w, app, "Description", slice_of(arena_fmt(w->mem, "%.*s%s%.*s", SLICE_ARG(product),
	    version.n > 0 ? " " : "", SLICE_ARG(version))));
	iw_mark(w, ob, version.n > 0 || !iw_exact(product, IW_LINE) ? LOSS_APPROXIMATED :
	    LOSS_KEPT, "product");
	iw_mark(w, ob, LOSS_APPROXIMATED, "version");
	item = iw_leaf(w, data, "RecordItem", json_member(ob->o->tree, "result"));
	iw_set(w, item, "dtype", "string");
	iw_set(w, item, "name", "malware-analysis");
}

/* iodef_json_flows.c -- RFC 8727 has no Flow: an EventData with several becomes one with nested
 * EventData of one Flow each, and back (see iodef_json.h). */
#include <string.h>

#include "formats/iodef_json.h"
#include "gateway/base/arena.h"

/* One nested EventData for that Flow. */
static struct xml_node *
wrap_flow(struct arena *mem, struct xml_node *flow)
{
	struct xml_node *nested = xml_new(mem, IODEF2_NS, flow->prefix.p, "EventData"), *mark;

	xml_detach(flow);
	xml_append(nested, flow);
	mark = xml_add_leaf(mem, nested, "AdditionalData", SLICE_LIT("true"));
	xml_set(mem, mark, "dtype", SLICE_LIT("boolean"));
	xml_set(mem, mark, "name", SLICE_LIT(IODEF_JSON_FLOW));
	return nested;
}

/* They stand in front of the nested EventData that are there. */
void
iodef_json_split(struct arena *mem, struct xml_node *n)
{
	struct xml_node *before, *next;

	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		iodef_json_split(mem, k);
	if (!xml_is(n, IODEF2_NS, "EventData") || xml_count(n, "Flow") < 2)
		return;
	before = xml_get(n, "EventData");
	if (before == NULL)
		before = xml_get(n, "AdditionalData");
	for (struct xml_node *k = xml_get(n, "Flow"); k != NULL; k = next) {
		struct xml_node *nested;

		next = xml_more(k);
		nested = wrap_flow(mem, k);
		if (before != NULL)
			xml_insert(before, nested);
		else
			xml_append(n, nested);
	}
}

/* Nothing but one Flow and the mark. */
static bool
is_wrapped(const struct xml_node *n)
{
	const struct xml_node *flow = xml_child(n), *mark = flow == NULL ? NULL : xml_sibling(flow);

	return xml_is(n, IODEF2_NS, "EventData") && n->attrs == NULL &&
	    xml_is(flow, IODEF2_NS, "Flow") && xml_is(mark, IODEF2_NS, "AdditionalData") &&
	    slice_is(xml_value(mark, "name"), IODEF_JSON_FLOW) && xml_sibling(mark) == NULL;
}

/* What goes was read. */
static void
mark_read(const struct xml_node *n)
{
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->made_of != NULL)
			*(enum xml_mark *)a->made_of = XML_KEPT;
	}
	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_is_text(k) && k->made_of != NULL)
			*(enum xml_mark *)k->made_of = XML_KEPT;
	}
}

/* The first child that stands behind Flows. */
static struct xml_node *
behind_flows(const struct xml_node *n)
{
	struct xml_node *k = xml_child(n);

	while (k != NULL && !slice_is(k->name, "Expectation") && !slice_is(k->name, "Record") &&
	    !slice_is(k->name, "EventData") && !slice_is(k->name, "AdditionalData"))
		k = xml_sibling(k);
	return k;
}

void
iodef_json_join(struct xml_node *n)
{
	struct xml_node *next, *behind = behind_flows(n), *flow;

	for (struct xml_node *k = xml_child(n); k != NULL; k = next) {
		next = xml_sibling(k);
		iodef_json_join(k);
		if (!xml_is(n, IODEF2_NS, "EventData") || !is_wrapped(k))
			continue;
		flow = xml_child(k);
		mark_read(xml_sibling(flow));
		xml_detach(flow);
		xml_insert(behind, flow);
		if (behind == k)
			behind = next;	/* NULL: k was the last */
		xml_detach(k);
	}
}

/* iodef2_read_event.c -- EventData: observed-data and what was observed in Flows. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"

enum { PAIRS_MAX = 1024, COUNTERS_MAX = 16 };

/* Times of an EventData, or inherited. */
struct event_times {
	struct slice	first, last;
};

static struct event_times
read_times(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	struct event_times t = { SLICE_EMPTY, SLICE_EMPTY };

	for (struct xml_node *up = n; up != inc->node && t.first.n == 0; up = up->parent) {
		t.first = ir_time(r, up, "StartTime");
		if (t.first.n == 0)
			t.first = ir_time(r, up, "DetectTime");
	}
	if (t.first.n == 0)
		t.first = inc->default_start;
	t.last = ir_time(r, n, "EndTime");
	if (t.last.n > 0 && ir_before(r, t.last, t.first)) {
		ir_warn(r, n, "TIME_ORDER", "EndTime lies before the start: not used");
		xml_mark_own(xml_get(n, "EndTime"), XML_UNSEEN);
		t.last = SLICE_EMPTY;
	}
	if (t.last.n == 0)
		t.last = t.first;
	return t;
}

/* number_observed from the first Counter of events, flows or sessions below n; 1 if there is none. */
static int64_t
count_of(struct ir *r, struct xml_node *n)
{
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		struct slice unit = slice_trim(xml_value(k, "unit")), type, text;
		unsigned long long v;
		int64_t below;

		if (xml_is(k, IODEF2_NS, "EventData"))
			continue;
		if (!xml_is(k, IODEF2_NS, "Counter")) {
			if ((below = count_of(r, k)) > 1)
				return below;
			continue;
		}
		type = slice_trim(xml_value(k, "type"));
		text = xml_text_line(k, r->mem);
		if ((slice_is(unit, "event") || slice_is(unit, "flow") || slice_is(unit, "session")) &&
		    (slice_is(type, "count") || slice_is(type, "counter")) &&
		    xml_attr(k, "duration") == NULL && slice_u64(text, &v) && v > 1 && v <= 999999999) {
			xml_mark_own(k, XML_KEPT);
			ir_attr(k, "unit");
			ir_attr(k, "type");
			return (int64_t)v;
		}
	}
	return 1;
}

static struct ir_obj *
make_observed(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct slice path,
    const struct event_times *t, const struct ir_refs *refs, struct ir_label label)
{
	struct ir_obj *ob = ir_new(r, inc, "observed-data", IR_UUID(r, "obs", inc->report->id, path), n,
	    NULL);
	json *list = json_list(r->mem);

	ob->label = label;
	json_remove(ob->tree, "lang");
	ir_unit(ob, n);
	n->mark = XML_KEPT;
	ir_attr(n, "restriction");
	json_put_str(r->mem, ob->tree, "first_observed", t->first);
	json_put_str(r->mem, ob->tree, "last_observed", t->last);
	json_put_int(r->mem, ob->tree, "number_observed", count_of(r, n));
	for (size_t i = 0; i < refs->n; i++)
		json_push(list, json_string(r->mem, refs->v[i]->id));
	json_put(r->mem, ob->tree, "object_refs", list);
	return ob;
}

void
ir_refs_add(struct ir *r, struct ir_refs *refs, struct ir_obj *ob)
{
	if (ob == NULL || ob->refs == refs)
		return;
	/* a list in between took it: only then is a look at all of this one needed */
	for (size_t i = 0; i < refs->n && ob->refs != NULL; i++) {
		if (refs->v[i] == ob)
			return;
	}
	ob->refs = refs;
	refs->v = arena_grow(r->mem, refs->v, refs->n, &refs->cap, sizeof(struct ir_obj *));
	refs->v[refs->n++] = ob;
}

/* The Flows and the Record of an EventData. Those that are stricter than it are observed-data of their
 * own; the others share `refs`. */
static void
read_observations(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct slice path,
    const struct event_times *t, struct ir_refs *refs)
{
	struct ir_label label = ir_label_here(r, n);
	size_t nth = 0;

	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		bool flow = xml_is(k, IODEF2_NS, "Flow");
		struct ir_refs own = { 0 }, *to = refs;
		struct ir_label strictest;

		if (!flow && !xml_is(k, IODEF2_NS, "Record"))
			continue;
		nth++;
		strictest = ir_label_within(r, k);
		if (ir_stricter(strictest, label))
			to = &own;
		else
			strictest = label;
		if (flow)
			ir_flow(r, inc, k, to, strictest);
		else
			ir_record(r, inc, k, to, strictest);
		if (own.n > 0)
			make_observed(r, inc, k, slice_of(arena_fmt(r->mem, "%s/%zu", path.p, nth)),
			    t, &own, strictest);
		else if (to == &own)
			ir_part(r, inc, k, NULL);
	}
}

/* Contacts, context and children of an EventData. */
static void
read_inside(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	ir_contacts(r, inc, n);
	ir_context(r, inc, n);
	for (struct xml_node *k = xml_get(n, "AdditionalData"); k != NULL; k = xml_more(k)) {
		if (!slice_starts(xml_value(k, "name"), "stix-"))
			ir_part(r, inc, k, NULL);
	}
}

static void
read_nested(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct slice path)
{
	size_t nth = 0;

	for (struct xml_node *k = xml_get(n, "EventData"); k != NULL; k = xml_more(k)) {
		nth++;
		if (k->mark != XML_DROPPED)
			ir_event(r, inc, k, slice_of(arena_fmt(r->mem, "%s.%zu", path.p, nth)));
	}
}

void
ir_event(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct slice path)
{
	struct event_times t = read_times(r, inc, n);
	struct ir_obj *owner = inc->owner;
	struct ir_refs refs = { 0 };
	struct ir_label label = ir_label_here(r, n);
	bool any = xml_get(n, "Flow") != NULL || xml_get(n, "Record") != NULL;

	if (any)
		read_observations(r, inc, n, path, &t, &refs);
	if (refs.n > 0) {
		inc->owner = make_observed(r, inc, n, path, &t, &refs, label);
		read_inside(r, inc, n);
	} else {
		ir_part(r, inc, n, read_inside);
		for (struct ir_tag *tag = n->user; tag != NULL; tag = tag->next) {
			if (tag->unit)
				inc->owner = tag->ob;
		}
	}
	read_nested(r, inc, n, path);
	inc->owner = owner;
}

/* One end of a flow. */
struct end {
	struct xml_node	*system;
	struct ir_obj	*address;	/* of the network-traffic */
	unsigned	*ports;
	size_t		 nports, cap;
	const char	*protocol;	/* transport, NULL if not said */
	struct slice	 application;
};

/* Ports of all Services of a System, ranges unfolded. */
static void
read_ports(struct ir *r, struct end *end, struct xml_node *service)
{
	static const char *const names[] = { "Port", "Portlist" };

	for (size_t i = 0; i < 2; i++) {
		struct slice list = xml_text_line(xml_get(service, names[i]), r->mem);
		unsigned from, to;

		if (list.n == 0)
			continue;
		xml_mark_own(xml_get(service, names[i]), XML_KEPT);
		while (list.n > 0 && ir_next_port(&list, &from, &to)) {
			for (unsigned p = from; p <= to && p <= 65535 && end->nports < PAIRS_MAX; p++) {
				end->ports = arena_grow(r->mem, end->ports, end->nports, &end->cap,
				    sizeof(*end->ports));
				end->ports[end->nports++] = p;
			}
		}
	}
}

static void
read_service(struct ir *r, struct end *end, struct xml_node *service)
{
	struct slice number = slice_trim(xml_value(service, "ip-protocol"));
	struct xml_node *name = xml_get(service, "ServiceName");
	unsigned long long v;

	service->mark = XML_KEPT;
	if (end->protocol == NULL && slice_u64(number, &v)) {
		end->protocol = iodef2_protocol_name(v);
		if (end->protocol != NULL)
			ir_attr(service, "ip-protocol");
	}
	if (end->application.n == 0 && xml_get(name, "IANAService") != NULL) {
		char *lower = arena_str(r->mem, ir_child_line(r, name, "IANAService"));

		for (char *p = lower; *p != '\0'; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		end->application = slice_of(lower);
		name->mark = XML_KEPT;
	}
	read_ports(r, end, service);
}

/* SCO of an Address element, NULL when its category has none or the value does not fit. */
static struct ir_obj *
read_address(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_label label)
{
	struct slice category = slice_trim(xml_value(n, "category")), value = xml_text_line(n, r->mem);
	bool exact;
	json *tree = ir_address_tree(r, category, value, &exact);

	if (tree == NULL) {
		ir_warn(r, n, "NOT_OBSERVABLE", "an address of category \"%.20s\" that STIX cannot hold",
		    category.n > 0 ? category.p : "ipv6-addr");
		return NULL;
	}
	xml_mark_own(n, exact ? XML_KEPT : XML_APPROXIMATED);
	ir_attr(n, "category");
	return ir_sco(r, inc, tree, label);
}

static bool
is_ip(const struct ir_obj *ob)
{
	return slice_starts(ob->id, "ipv4-addr") || slice_starts(ob->id, "ipv6-addr");
}

/* Addresses and domains of a Node; the end of a flow is its first IP address, else its domain, else
 * what there is. */
static void
read_node(struct ir *r, struct ir_incident *inc, struct end *end, struct ir_refs *refs,
    struct ir_label label)
{
	struct xml_node *node = xml_get(end->system, "Node");
	struct ir_refs ips = { 0 }, domains = { 0 }, others = { 0 };

	for (struct xml_node *n = xml_get(node, "Address"); n != NULL; n = xml_more(n)) {
		struct ir_obj *ob = read_address(r, inc, n, label);

		if (ob != NULL)
			ir_refs_add(r, is_ip(ob) ? &ips : &others, ob);
	}
	for (struct xml_node *n = xml_get(node, "DomainData"); n != NULL; n = xml_more(n)) {
		struct slice name = ir_child_line(r, n, "Name");
		json *tree = ir_sco_new(r, "domain-name", "value", name);

		if (name.n == 0)
			continue;
		n->mark = XML_KEPT;
		for (size_t i = 0; i < ips.n; i++)
			sdo_list_add(r->mem, tree, "resolves_to_refs", ips.v[i]->id);
		ir_refs_add(r, &domains, ir_sco(r, inc, tree, label));
	}
	if (node != NULL)
		node->mark = XML_KEPT;
	end->address = ips.n > 0 ? ips.v[0] : domains.n > 0 ? domains.v[0] : NULL;
	for (size_t i = 0; i < domains.n; i++)
		ir_refs_add(r, refs, domains.v[i]);
	for (size_t i = 0; i < ips.n; i++)
		ir_refs_add(r, refs, ips.v[i]);
	for (size_t i = 0; i < others.n; i++)
		ir_refs_add(r, refs, others.v[i]);
}

static void
read_system(struct ir *r, struct ir_incident *inc, struct end *end, struct ir_refs *refs,
    struct ir_label label)
{
	struct xml_node *s = end->system;

	s->mark = XML_KEPT;
	ir_attr(s, "category");
	read_node(r, inc, end, refs, label);
	for (struct xml_node *n = xml_get(s, "Service"); n != NULL; n = xml_more(n)) {
		read_service(r, end, n);
		if (xml_get(n, "EmailData") != NULL)
			ir_refs_add(r, refs, ir_email(r, inc, xml_get(n, "EmailData"), refs, label));
		if (xml_get(n, "Application") != NULL)
			ir_refs_add(r, refs, ir_software(r, inc, xml_get(n, "Application"), label));
	}
	for (struct xml_node *n = xml_get(s, "OperatingSystem"); n != NULL; n = xml_more(n))
		ir_refs_add(r, refs, ir_software(r, inc, n, label));
}

/* Counters that name a property of network-traffic. */
static void
read_counters(struct ir *r, json *tree, struct xml_node *system)
{
	static const char *const names[] = {
		"src_byte_count", "dst_byte_count", "src_packets", "dst_packets",
	};
	size_t seen = 0;

	for (struct xml_node *n = xml_get(system, "Counter"); n != NULL && seen++ < COUNTERS_MAX;
	    n = xml_more(n)) {
		struct slice meaning = slice_trim(xml_value(n, "meaning"));
		unsigned long long v;

		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			if (!slice_is(meaning, names[i]) || !slice_u64(xml_text_line(n, r->mem), &v) ||
			    v > ((1ull << 53) - 1))
				continue;
			json_put_int(r->mem, tree, names[i], (int64_t)v);
			xml_mark_own(n, XML_KEPT);
			ir_attr(n, "meaning");
		}
	}
}

/* One network-traffic between two ends (either may be absent) on these ports (0 = none). */
static void
add_traffic(struct ir *r, struct ir_incident *inc, const struct end *src, const struct end *dst,
    unsigned src_port, unsigned dst_port, struct ir_refs *refs, struct ir_label label)
{
	json *tree = ir_sco_new(r, "network-traffic", NULL, SLICE_EMPTY);
	const struct ir_obj *from = src != NULL ? src->address : NULL;
	const struct ir_obj *to = dst != NULL ? dst->address : NULL;
	const struct ir_obj *any = from != NULL ? from : to;
	const char *transport = dst != NULL && dst->protocol != NULL ? dst->protocol :
	    src != NULL ? src->protocol : NULL;
	struct slice app = dst != NULL && dst->application.n > 0 ? dst->application :
	    src != NULL ? src->application : SLICE_EMPTY;

	if (any == NULL || ir_is_full(r))
		return;
	if (from != NULL)
		json_put_str(r->mem, tree, "src_ref", from->id);
	if (to != NULL)
		json_put_str(r->mem, tree, "dst_ref", to->id);
	if (src_port > 0)
		json_put_int(r->mem, tree, "src_port", src_port);
	if (dst_port > 0)
		json_put_int(r->mem, tree, "dst_port", dst_port);
	if (transport == NULL && app.n == 0)
		transport = slice_starts(any->id, "ipv6") ? "ipv6" : "ipv4";
	sdo_list_add(r->mem, tree, "protocols", slice_of(transport));
	sdo_list_add(r->mem, tree, "protocols", app);
	if (src != NULL)
		read_counters(r, tree, src->system);
	if (dst != NULL)
		read_counters(r, tree, dst->system);
	ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
}

/* All ports of one pair: by position when both lists are equally long, else each with each. */
static void
add_pair(struct ir *r, struct ir_incident *inc, const struct end *src, const struct end *dst,
    struct ir_refs *refs, struct ir_label label)
{
	size_t n = src->nports > 0 ? src->nports : 1, m = dst->nports > 0 ? dst->nports : 1, made = 0;

	if (src->nports > 1 && src->nports == dst->nports) {
		for (size_t i = 0; i < n; i++)
			add_traffic(r, inc, src, dst, src->ports[i], dst->ports[i], refs, label);
		return;
	}
	if (src->nports > 1 && dst->nports > 1)
		ir_warn(r, dst->system, "PORTLIST_LENGTH", "source and target list %zu and %zu ports: each "
		    "is taken with each", n, m);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < m && made < PAIRS_MAX; k++, made++)
			add_traffic(r, inc, src, dst, src->nports > 0 ? src->ports[i] : 0,
			    dst->nports > 0 ? dst->ports[k] : 0, refs, label);
	}
}

/* A System without a counterpart: its SCOs alone, and a half-open network-traffic if it says which
 * ports. */
static void
add_lone(struct ir *r, struct ir_incident *inc, const struct end *end, bool source,
    struct ir_refs *refs, struct ir_label label)
{
	for (size_t i = 0; i < end->nports && (end->protocol != NULL || end->application.n > 0); i++)
		add_traffic(r, inc, source ? end : NULL, source ? NULL : end,
		    source ? end->ports[i] : 0, source ? 0 : end->ports[i], refs, label);
}

void
ir_flow(struct ir *r, struct ir_incident *inc, struct xml_node *flow, struct ir_refs *refs,
    struct ir_label label)
{
	struct end *ends = NULL;
	size_t n = 0, cap = 0, sources = 0, targets = 0, pairs = 0;

	flow->mark = XML_KEPT;
	for (struct xml_node *s = xml_get(flow, "System"); s != NULL; s = xml_more(s)) {
		struct slice category = slice_trim(xml_value(s, "category"));

		ends = arena_grow(r->mem, ends, n, &cap, sizeof(*ends));
		ends[n] = (struct end){ .system = s, .application = SLICE_EMPTY };
		read_system(r, inc, &ends[n++], refs, label);
		sources += slice_is(category, "source") ? 1 : 0;
		targets += slice_is(category, "target") ? 1 : 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct slice category = slice_trim(xml_value(ends[i].system, "category"));
		bool source = slice_is(category, "source");

		if (!source || targets == 0) {
			if ((!source && sources == 0) || !slice_is(category, "target"))
				add_lone(r, inc, &ends[i], source, refs, label);
			continue;
		}
		for (size_t k = 0; k < n; k++) {
			if (slice_is(slice_trim(xml_value(ends[k].system, "category")), "target") &&
			    pairs++ < PAIRS_MAX)
				add_pair(r, inc, &ends[i], &ends[k], refs, label);
		}
	}
}

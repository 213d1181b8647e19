/*
 * iodef2_write_sco.c -- SCOs that are or hold addresses: Flow, System, Node, Service (mapping.md 2.4).
 * Everything else an event may hold is in iodef2_write_record.c.
 */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

bool
iw_is_endpoint(const struct object *o)
{
	return slice_is(o->type, "domain-name") || iw_address_category(o->type, SLICE_EMPTY) != NULL;
}

/* Address or DomainData below a Node. */
static struct xml_node *
write_endpoint(struct iw *w, struct iw_obj *ob, struct xml_node *node)
{
	bool number = slice_is(ob->o->type, "autonomous-system");
	struct slice value = number ?
	    json_number_text(w->mem, json_get(ob->o->tree, "number")) :
	    json_member(ob->o->tree, "value");
	struct xml_node *n;

	if (slice_trim(value).n == 0 || !iw_is_endpoint(ob->o))
		return NULL;
	if (slice_is(ob->o->type, "domain-name"))
		n = iw_domain(w, node, value);
	else
		n = iw_address(w, node, iw_address_category(ob->o->type, value), value);
	iw_claim(w, ob, n);
	iw_mark_kind(w, ob, false);
	iw_mark(w, ob, iw_exact(value, IW_LINE) ? LOSS_KEPT : LOSS_APPROXIMATED,
	    number ? "number" : "value");
	return n;
}

/* What a name resolves to, by its own list or by relationships, beside it in the Node. */
static void
write_resolved(struct iw *w, struct iw_obj *ob, struct xml_node *node)
{
	const struct iw_ref *rows;
	struct iw_obj *to;
	size_t i, n;
	json *ref;

	ref = json_first(json_get(ob->o->tree, "resolves_to_refs"));
	for (i = 0; ref != NULL; ref = json_next(ref), i++) {
		to = iw_find(w, json_slice(ref));
		if (to != NULL && to->nnodes == 0 && write_endpoint(w, to, node) != NULL)
			iw_markf(w, ob, LOSS_APPROXIMATED, "resolves_to_refs[%zu]", i);
	}
	rows = iw_rows(&w->by_source, ob->o->id, &n);
	for (i = 0; i < n; i++) {
		if (!slice_is(json_member(rows[i].obj->o->tree, "relationship_type"),
		    "resolves-to"))
			continue;
		to = iw_find(w, json_member(rows[i].obj->o->tree, "target_ref"));
		if (to != NULL && to->nnodes == 0)
			write_endpoint(w, to, node);
	}
}

/* The strictest label of what stands in the System: only it has a restriction. */
static enum tlp
label_of_refs(struct iw *w, const struct iw_obj *ob)
{
	enum tlp label = iw_label(ob->o);
	const struct iw_ref *rows;
	struct iw_obj *to;
	size_t i, n;
	json *ref;

	ref = json_first(json_get(ob->o->tree, "resolves_to_refs"));
	for (; ref != NULL; ref = json_next(ref))
		if ((to = iw_find(w, json_slice(ref))) != NULL)
			label = iw_label_join(label, iw_label(to->o));
	rows = iw_rows(&w->by_source, ob->o->id, &n);
	for (i = 0; i < n; i++) {
		if (!slice_is(json_member(rows[i].obj->o->tree, "relationship_type"),
		    "resolves-to"))
			continue;
		label = iw_label_join(label, iw_label(rows[i].obj->o));
		to = iw_find(w, json_member(rows[i].obj->o->tree, "target_ref"));
		if (to != NULL)
			label = iw_label_join(label, iw_label(to->o));
	}
	return label;
}

/* SCOs seldom have labels; one without takes that of the event around it. Never takes back what
 * another object has already asked for. */
static void
restrict_sco(struct iw *w, struct xml_node *n, enum tlp label)
{
	if (label != TLP_UNSET && !iw_label_covers(iw_label_at(n), label))
		iw_restrict(w, n, label);
}

struct xml_node *
iw_write_system(struct iw *w, struct iw_obj *ob, struct xml_node *flow, const char *category)
{
	struct xml_node *system, *node;

	if (ob == NULL || !iw_is_endpoint(ob->o))
		return NULL;
	system = iw_el(w, flow, "System");
	if (category != NULL)
		iw_set(w, system, "category", category);
	node = iw_el(w, system, "Node");
	if (write_endpoint(w, ob, node) == NULL) {
		xml_detach(system);
		return NULL;
	}
	if (slice_is(ob->o->type, "domain-name"))
		write_resolved(w, ob, node);
	restrict_sco(w, system, label_of_refs(w, ob));
	return system;
}

/* ---- network-traffic ----------------------------------------------------------------------- */

static struct xml_node *
get_service(struct iw *w, struct xml_node *system)
{
	struct xml_node *n = xml_get(system, "Service");

	return n != NULL ? n : iw_el(w, system, "Service");
}

static void
write_counter(struct iw *w, struct iw_obj *ob, struct xml_node *system, const char *prop,
    const char *unit)
{
	struct slice text = json_number_text(w->mem, json_get(ob->o->tree, prop));
	struct xml_node *n;

	if (text.n == 0)
		return;
	n = iw_leaf(w, system, "Counter", text);
	iw_set(w, n, "type", "counter");
	iw_set(w, n, "unit", unit);
	iw_set(w, n, "meaning", prop);
	iw_mark(w, ob, LOSS_KEPT, prop);
}

static void
write_header(struct iw *w, struct xml_node *service, const char *name, struct slice value)
{
	struct xml_node *h = xml_get(service, "ApplicationHeader"), *n;

	if (value.n == 0)
		return;
	if (h == NULL)
		h = iw_el(w, service, "ApplicationHeader");
	n = iw_leaf(w, h, "ApplicationHeaderField", value);
	iw_set(w, n, "dtype", "string");
	iw_set(w, n, "name", name);
}

static void
write_http(struct iw *w, struct iw_obj *ob, struct xml_node *service)
{
	static const char ext[] = "extensions.http-request-ext";
	const json *http = json_get(json_get(ob->o->tree, "extensions"), "http-request-ext");
	json *header = json_first(json_get(http, "request_header")), *v;

	if (http == NULL)
		return;
	write_header(w, service, ":method", json_member(http, "request_method"));
	write_header(w, service, ":path", json_member(http, "request_value"));
	iw_markf(w, ob, LOSS_KEPT, "%s.request_method", ext);
	iw_markf(w, ob, LOSS_KEPT, "%s.request_value", ext);
	for (; header != NULL; header = json_next(header)) {
		if (json_is_string(header))
			write_header(w, service, json_name(header), json_slice(header));
		for (v = json_first(header); v != NULL; v = json_next(v))
			write_header(w, service, json_name(header), json_slice(v));
		iw_markf(w, ob, LOSS_KEPT, "%s.request_header.%s", ext, json_name(header));
	}
}

/* "08" -> 8. */
static void
write_hex(struct iw *w, struct iw_obj *ob, struct xml_node *service, const char *element,
    const char *ext, const char *prop)
{
	struct slice hex = json_member(json_get(json_get(ob->o->tree, "extensions"), ext), prop);
	unsigned char raw[4];
	unsigned long value = 0;
	size_t i;

	if (hex.n == 0 || hex.n % 2 != 0 || hex.n > 8 || !hex_decode(hex, raw, hex.n / 2))
		return;
	for (i = 0; i < hex.n / 2; i++)
		value = value << 8 | raw[i];
	iw_leaf(w, service, element, slice_of(arena_fmt(w->mem, "%lu", value)));
	iw_markf(w, ob, LOSS_APPROXIMATED, "extensions.%s.%s", ext, prop);
}

/* tcp -> ip-protocol 6, http -> IANAService. */
static void
write_protocols(struct iw *w, struct iw_obj *ob, struct xml_node *service)
{
	json *p = json_first(json_get(ob->o->tree, "protocols"));
	struct xml_node *n;
	int number;
	size_t i;

	for (i = 0; p != NULL; p = json_next(p), i++) {
		number = iodef2_protocol_number(json_slice(p));
		if (slice_is(json_slice(p), "ipv4") || slice_is(json_slice(p), "ipv6"))
			continue;	/* the address says so */
		if (number >= 0 && xml_attr(service, "ip-protocol") == NULL) {
			iw_set(w, service, "ip-protocol", arena_fmt(w->mem, "%d", number));
		} else if (number < 0 && xml_get(service, "ServiceName") == NULL &&
		    iw_exact(json_slice(p), IW_LINE)) {
			n = iw_el(w, service, "ServiceName");
			iw_leaf(w, n, "IANAService", json_slice(p));
		} else {
			continue;
		}
		iw_markf(w, ob, LOSS_KEPT, "protocols[%zu]", i);
	}
}

static void
write_port(struct iw *w, struct iw_obj *ob, struct xml_node *system, const char *prop)
{
	struct slice text = json_number_text(w->mem, json_get(ob->o->tree, prop));
	unsigned long long v;

	if (system == NULL || !slice_u64(text, &v))
		return;
	iw_leaf(w, get_service(w, system), "Port", text);
	iw_mark(w, ob, LOSS_KEPT, prop);
}

/* One connection: a Flow of its ends, as far as they are known. NULL without any. */
struct xml_node *
iw_write_flow(struct iw *w, struct iw_obj *ob, struct xml_node *event)
{
	struct xml_node *flow = iw_el(w, event, "Flow"), *src, *dst, *service;

	src = iw_write_system(w, iw_find(w, json_member(ob->o->tree, "src_ref")), flow, "source");
	dst = iw_write_system(w, iw_find(w, json_member(ob->o->tree, "dst_ref")), flow, "target");
	if (src == NULL && dst == NULL) {
		xml_detach(flow);
		return NULL;
	}
	iw_claim(w, ob, flow);
	iw_mark_kind(w, ob, false);
	iw_mark(w, ob, LOSS_APPROXIMATED, "src_ref");
	iw_mark(w, ob, LOSS_APPROXIMATED, "dst_ref");
	write_port(w, ob, src, "src_port");
	write_port(w, ob, dst, "dst_port");
	service = get_service(w, dst != NULL ? dst : src);
	write_protocols(w, ob, service);
	if (src != NULL && dst != NULL && xml_get(src, "Service") != NULL &&
	    xml_attr(service, "ip-protocol") != NULL)
		xml_set(w->mem, xml_get(src, "Service"), "ip-protocol",
		    xml_value(service, "ip-protocol"));
	write_http(w, ob, service);
	write_hex(w, ob, service, "ProtoType", "icmp-ext", "icmp_type_hex");
	write_hex(w, ob, service, "ProtoCode", "icmp-ext", "icmp_code_hex");
	write_hex(w, ob, service, "ProtoField", "tcp-ext", "dst_flags_hex");
	write_counter(w, ob, src != NULL ? src : dst, "src_byte_count", "byte");
	write_counter(w, ob, src != NULL ? src : dst, "src_packets", "packet");
	write_counter(w, ob, dst != NULL ? dst : src, "dst_byte_count", "byte");
	write_counter(w, ob, dst != NULL ? dst : src, "dst_packets", "packet");
	if (src != NULL)
		restrict_sco(w, src, iw_label(ob->o));
	if (dst != NULL)
		restrict_sco(w, dst, iw_label(ob->o));
	return flow;
}

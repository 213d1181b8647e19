/* mapped_observe.c -- the facts of a record become observables, and members of object_refs. */
#include "formats/mapped_build.h"
#include "formats/mapped_value.h"
#include "formats/sco.h"

/* Append an id to object_refs. */
void
map_add_ref(const struct map_build *b, json *refs, struct slice id)
{
	json_push(refs, json_string(b->mem, id));
}

/* Take out ids that the list names twice. */
void
map_unique_refs(const struct map_build *b, json *refs)
{
	struct idmap ids = { 0 };
	size_t i = 0;

	for (json *r = json_first(refs); r != NULL; r = json_next(r))
		idmap_add(&ids, b->scratch, json_slice(r), i++);
	idmap_sort(&ids);
	i = 0;
	for (json *r = json_first(refs), *next; r != NULL; r = next, i++) {
		next = json_next(r);
		if ((size_t)idmap_find(&ids, json_slice(r)) != i)
			json_detach(refs, r);
	}
}

/* Add an observable and refer to it; returns its id. */
static struct slice
observe(const struct map_build *b, struct map_made *out, json *refs, json *sco)
{
	struct slice id = json_member(sco, "id");

	map_made_add(b, out, sco);
	map_add_ref(b, refs, id);
	return id;
}

/* Observe one value; return the id of its observable, empty if it has none. */
static struct slice
observe_value(const struct map_build *b, struct map_made *out, json *refs, struct slice type,
    struct slice value)
{
	json *sco = map_observable(b->mem, type, value);

	return sco == NULL ? SLICE_EMPTY : observe(b, out, refs, sco);
}

struct connection {
	struct slice	src, src_port, dst, dst_port, protocol, src_bytes, dst_bytes;
};

/* Put a number, if there is one. */
static void
put_count(const struct map_build *b, json *o, const char *property, struct slice s)
{
	unsigned long long v;

	if (slice_u64(s, &v))
		json_put_int(b->mem, o, property, (int64_t)v);
}

/* Observe a connection and its ends. */
static int
observe_traffic(const struct map_build *b, struct map_made *out, json *refs,
    const struct connection *c, struct err *e)
{
	json *o = map_observable_new(b->mem, "network-traffic"), *protocols;
	struct slice addr = c->src.n > 0 ? c->src : c->dst;
	bool six = memchr(addr.p, ':', addr.n) != NULL;
	struct slice ip = six ? SLICE_LIT("ipv6") : SLICE_LIT("ipv4");

	if (addr.n == 0)
		return err_set(e, ERR_MISSING, "traffic: neither source nor destination");
	if (c->src.n > 0)
		json_put_str(b->mem, o, "src_ref",
		    observe_value(b, out, refs, map_flat_type(T_IP, c->src), c->src));
	if (c->dst.n > 0)
		json_put_str(b->mem, o, "dst_ref",
		    observe_value(b, out, refs, map_flat_type(T_IP, c->dst), c->dst));
	put_count(b, o, "src_port", c->src_port);
	put_count(b, o, "dst_port", c->dst_port);
	protocols = json_put(b->mem, o, "protocols", json_list(b->mem));
	json_push(protocols, json_string(b->mem, ip));
	if (c->protocol.n > 0 && !slice_eq(c->protocol, ip))
		json_push(protocols, json_string(b->mem, c->protocol));
	put_count(b, o, "src_byte_count", c->src_bytes);
	put_count(b, o, "dst_byte_count", c->dst_bytes);
	json_put_str(b->mem, o, "id", sco_id(b->mem, o));
	observe(b, out, refs, o);
	return 0;
}

/* type, value, role, port, protocol. */
static int
observe_atom(const struct map_build *b, struct map_made *out, json *refs, struct err *e)
{
	struct connection c = { .protocol = fact_one(b->facts, T_PROTOCOL) };
	struct map_atom a = { 0 };

	if (fact_one(b->facts, T_VALUE).n == 0)
		return 0;
	if (fact_one(b->facts, T_TYPE).n == 0)
		return err_set(e, ERR_MISSING, "type: the kind of the value is not known");
	if (map_value_parse(fact_one(b->facts, T_TYPE), fact_one(b->facts, T_VALUE), b->scratch, &a,
	    e) < 0)
		return -1;
	if (b->facts->t[T_PORT].n > 0)
		a.port = fact_one(b->facts, T_PORT);
	if (!slice_starts(a.type, "ip") || (a.port.n == 0 && c.protocol.n == 0)) {
		observe_value(b, out, refs, a.type, a.value);
		return 0;
	}
	if (slice_is(fact_one(b->facts, T_ROLE), "source")) {
		c.src = a.value;
		c.src_port = a.port;
	} else {
		c.dst = a.value;
		c.dst_port = a.port;
	}
	return observe_traffic(b, out, refs, &c, e);
}

/* Everything that was observed, into object_refs. */
int
map_observe(const struct map_build *b, struct map_made *out, json *refs, struct err *e)
{
	const struct facts *f = b->facts;
	struct connection c = {
		fact_one(f, T_TRAFFIC_SRC), fact_one(f, T_TRAFFIC_SRC_PORT),
		fact_one(f, T_TRAFFIC_DST), fact_one(f, T_TRAFFIC_DST_PORT),
		fact_one(f, T_TRAFFIC_PROTOCOL), fact_one(f, T_TRAFFIC_SRC_BYTES),
		fact_one(f, T_TRAFFIC_DST_BYTES)
	};
	json *file = NULL;

	if (observe_atom(b, out, refs, e) < 0)
		return -1;
	for (enum map_target t = T_IP; t < T_USER_AGENT; t++)
		for (size_t i = 0; (t < T_FILE_NAME || t > T_FILE_SSDEEP) && i < f->t[t].n; i++)
			observe_value(b, out, refs, map_flat_type(t, f->t[t].v[i]), f->t[t].v[i]);
	for (const struct map_flat *flat = map_flats; flat->type != NULL; flat++)
		if (flat->sco != NULL && strcmp(flat->sco, "file") == 0 &&
		    f->t[flat->target].n > 0) {
			if (file == NULL)
				file = map_observable_new(b->mem, "file");
			map_observable_put(b->mem, file, flat, fact_one(f, flat->target));
		}
	if (file != NULL && (json_get(file, "hashes") != NULL || json_get(file, "name") != NULL)) {
		json_put_str(b->mem, file, "id", sco_id(b->mem, file));
		observe(b, out, refs, file);
	}
	for (enum map_target t = T_TRAFFIC_SRC; t <= T_TRAFFIC_DST_BYTES; t++)
		if (f->t[t].n > 0)
			return observe_traffic(b, out, refs, &c, e);
	return 0;
}

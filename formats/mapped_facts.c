/*
 * mapped_facts.c -- STIX objects become facts: the way back of mapped_build.c.
 *
 * Every node that a fact came from is noted in the graph (map_graph_saw), so that a writer can tell
 * what it did not use.
 */
#include "formats/mapped_value.h"

/* A string or number becomes a fact. */
static void
take_text(struct map_graph *g, struct facts *f, enum map_target t, const json *v)
{
	struct slice s = json_is_number(v) ? json_number_text(g->scratch, v) : json_slice(v);

	if (s.n == 0)
		return;
	texts_add(&f->t[t], g->scratch, s);
	map_graph_saw(g, t, v);
}

/* Each member of a list becomes a fact. */
static void
take_list(struct map_graph *g, struct facts *f, enum map_target t, const json *list)
{
	for (const json *v = json_first(list); v != NULL; v = json_next(v))
		take_text(g, f, t, v);
}

static const struct {
	const char	*property;
	enum map_target	 target;
	bool		 list;
} properties[] = {
	{ "id", T_ID, false }, { "name", T_NAME, false }, { "description", T_DESCRIPTION, false },
	{ "indicator_types", T_INDICATOR_TYPES, true }, { "labels", T_LABELS, true },
	{ "confidence", T_CONFIDENCE, false }, { "lang", T_LANG, false },
	{ "valid_from", T_VALID_FROM, false }, { "valid_until", T_VALID_UNTIL, false },
	{ "created", T_CREATED, false }, { "modified", T_MODIFIED, false },
	{ "first_observed", T_FIRST_OBSERVED, false },
	{ "last_observed", T_LAST_OBSERVED, false },
	{ "number_observed", T_NUMBER_OBSERVED, false }, { "published", T_PUBLISHED, false },
	{ "pattern", T_PATTERN, false }, { "pattern_type", T_PATTERN_TYPE, false },
};

/* The strictest TLP label of the markings. */
static void
take_tlp(struct map_graph *g, struct facts *f, const json *tree)
{
	enum tlp found = TLP_UNSET;

	for (const json *r = json_first(json_get(tree, "object_marking_refs")); r != NULL;
	    r = json_next(r)) {
		enum tlp t = tlp_of_marking_id(json_slice(r));

		if (t != TLP_UNSET)
			map_graph_saw(g, T_TLP, r);
		if (t > found)
			found = t;
	}
	if (found != TLP_UNSET)
		texts_add(&f->t[T_TLP], g->scratch, slice_of(tlp_label(found) + 4));
}

/* name, mail and phone of the identity that made the object, unless it is the mapping's producer. */
static void
take_creator(struct map_graph *g, const struct mapping *m, struct facts *f, const json *tree)
{
	struct slice id = json_member(tree, "created_by_ref"), rest, part;
	json *who;

	if (id.n == 0)
		return;
	if (slice_eq(id, map_producer_id(m, g->scratch))) {
		map_graph_saw(g, T_CREATOR_NAME, json_get(tree, "created_by_ref"));
		return;
	}
	if ((who = map_graph_find(g, id)) == NULL)
		return;
	map_graph_saw(g, T_CREATOR_NAME, json_get(tree, "created_by_ref"));
	take_text(g, f, T_CREATOR_NAME, json_get(who, "name"));
	rest = json_member(who, "contact_information");
	if (rest.n > 0)
		map_graph_saw(g, T_CREATOR_EMAIL, json_get(who, "contact_information"));
	while (rest.n > 0) {
		enum map_target t;

		part = slice_trim(slice_cut(&rest, ';'));
		t = memchr(part.p, '@', part.n) != NULL ? T_CREATOR_EMAIL : T_CREATOR_PHONE;
		if (part.n > 0 && f->t[t].n == 0)
			texts_add(&f->t[t], g->scratch, part);
	}
}

/* CVEs, ids at the source and URLs. */
static void
take_references(struct map_graph *g, struct facts *f, const json *tree)
{
	for (const json *r = json_first(json_get(tree, "external_references")); r != NULL;
	    r = json_next(r)) {
		bool cve = slice_is(json_member(r, "source_name"), "cve");

		enum map_target t = cve ? T_VULNERABILITY : json_get(r, "external_id") != NULL ?
		    T_EXTERNAL_ID : T_SOURCE_URL;

		map_graph_saw(g, t, json_get(r, "source_name"));
		take_text(g, f, cve ? T_VULNERABILITY : T_EXTERNAL_ID, json_get(r, "external_id"));
		take_text(g, f, T_SOURCE_URL, json_get(r, "url"));
	}
}

/* Phases as CHAIN:PHASE. */
static void
take_kill_chain(struct map_graph *g, struct facts *f, const json *tree)
{
	for (const json *p = json_first(json_get(tree, "kill_chain_phases")); p != NULL;
	    p = json_next(p)) {
		struct slice chain = json_member(p, "kill_chain_name");
		struct slice phase = json_member(p, "phase_name");

		if (chain.n == 0 || phase.n == 0)
			continue;
		map_graph_saw(g, T_KILL_CHAIN, json_get(p, "kill_chain_name"));
		map_graph_saw(g, T_KILL_CHAIN, json_get(p, "phase_name"));
		texts_add(&f->t[T_KILL_CHAIN], g->scratch, slice_of(arena_fmt(g->scratch, "%.*s:%.*s",
		    SLICE_ARG(chain), SLICE_ARG(phase))));
	}
}

/* A named object that is a fact by its name; returns its target, T_NONE for other objects. */
static enum map_target
take_side(struct map_graph *g, struct facts *f, const json *o)
{
	static const struct { const char *type; enum map_target target; } known[] = {
		{ "malware", T_MALWARE }, { "threat-actor", T_THREAT_ACTOR },
		{ "campaign", T_CAMPAIGN }, { "attack-pattern", T_ATTACK_PATTERN },
		{ "vulnerability", T_VULNERABILITY }
	};
	struct slice type = json_member(o, "type");

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_is(type, known[i].type)) {
			take_text(g, f, known[i].target, json_get(o, "name"));
			return known[i].target;
		}
	return T_NONE;
}

/* Named objects that relationships lead to; but not those that are records below this one. */
static void
take_relations(struct map_graph *g, const struct mapping *m, struct facts *f, const json *tree)
{
	size_t iter = 0;
	json *rel;

	while ((rel = map_graph_rel(g, json_member(tree, "id"), &iter)) != NULL) {
		json *to = map_graph_find(g, json_member(rel, "target_ref"));
		bool below = slice_is(json_member(rel, "relationship_type"), "related-to") &&
		    map_residue(m, to) != NULL;
		enum map_target t = to == NULL || below ? T_NONE : take_side(g, f, to);

		if (t != T_NONE) {
			map_graph_saw(g, t, json_get(rel, "relationship_type"));
			map_graph_saw(g, t, json_get(rel, "source_ref"));
			map_graph_saw(g, t, json_get(rel, "target_ref"));
		}
	}
}

/* Addresses, ports and protocol of a connection. */
static void
take_traffic(struct map_graph *g, struct facts *f, const json *o)
{
	static const struct { const char *property; enum map_target target; } counts[] = {
		{ "src_port", T_TRAFFIC_SRC_PORT }, { "dst_port", T_TRAFFIC_DST_PORT },
		{ "src_byte_count", T_TRAFFIC_SRC_BYTES },
		{ "dst_byte_count", T_TRAFFIC_DST_BYTES }
	};
	static const char *const ends[] = { "src_ref", "dst_ref" };
	enum map_target t;

	if (f->t[T_TRAFFIC_SRC].n > 0 || f->t[T_TRAFFIC_DST].n > 0)
		return;			/* a record has room for one */
	for (size_t i = 0; i < 2; i++) {
		json *to = map_graph_find(g, json_member(o, ends[i]));

		if (to == NULL)
			continue;
		t = i == 0 ? T_TRAFFIC_SRC : T_TRAFFIC_DST;
		map_graph_saw(g, t, json_get(o, ends[i]));
		take_text(g, f, t, json_get(to, "value"));
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		take_text(g, f, counts[i].target, json_get(o, counts[i].property));
	for (const json *p = json_first(json_get(o, "protocols")); p != NULL; p = json_next(p)) {
		map_graph_saw(g, T_TRAFFIC_PROTOCOL, p);
		if (!slice_starts(json_slice(p), "ipv") && f->t[T_TRAFFIC_PROTOCOL].n == 0)
			texts_add(&f->t[T_TRAFFIC_PROTOCOL], g->scratch, json_slice(p));
	}
}

/* Values of one observable, as named facts. A file says all its hashes. */
static void
take_observable(struct map_graph *g, struct facts *f, const json *o)
{
	struct slice type, value;
	const json *node;

	if (slice_is(json_member(o, "type"), "file")) {
		for (const struct map_flat *flat = map_flats; flat->type != NULL; flat++) {
			if (flat->sco == NULL || strcmp(flat->sco, "file") != 0 ||
			    f->t[flat->target].n > 0)
				continue;
			node = json_get(o, flat->property);
			take_text(g, f, flat->target,
			    flat->hash != NULL ? json_get(node, flat->hash) : node);
		}
	} else if (map_observable_value(o, g->scratch, &type, &value, &node)) {
		enum map_target t = map_flat_find(type)->target;

		texts_add(&f->t[t], g->scratch, value);
		if (t == T_IPV4 || t == T_IPV6)
			texts_add(&f->t[T_IP], g->scratch, value);
		map_graph_saw(g, t, node);
	}
}

/* The ends of the connections among the members: they are said by traffic.*. */
static struct idmap
traffic_ends(struct map_graph *g, const json *refs)
{
	struct idmap ends = { 0 };

	for (const json *r = json_first(refs); r != NULL; r = json_next(r)) {
		json *o = map_graph_find(g, json_slice(r));

		if (!slice_is(json_member(o, "type"), "network-traffic"))
			continue;
		idmap_add(&ends, g->scratch, json_member(o, "src_ref"), 0);
		idmap_add(&ends, g->scratch, json_member(o, "dst_ref"), 0);
	}
	idmap_sort(&ends);
	return ends;
}

/* The one thing that was observed, as an atom. */
static size_t
observed_atom(struct map_graph *g, const struct facts *f, const json *refs,
    struct map_atom **atoms)
{
	struct map_atom *a = arena_alloc(g->scratch, sizeof(*a));
	bool source = f->t[T_TRAFFIC_DST].n == 0;

	*atoms = a;
	if (f->t[T_TRAFFIC_SRC].n + f->t[T_TRAFFIC_DST].n == 1) {
		a->value = fact_one(f, source ? T_TRAFFIC_SRC : T_TRAFFIC_DST);
		a->type = map_flat_type(T_IP, a->value);
		a->role = source ? SLICE_LIT("source") : SLICE_LIT("destination");
		a->port = fact_one(f, source ? T_TRAFFIC_SRC_PORT : T_TRAFFIC_DST_PORT);
		a->protocol = fact_one(f, T_TRAFFIC_PROTOCOL);
		return 1;
	}
	for (const json *r = json_first(refs); r != NULL; r = json_next(r)) {
		json *o = map_graph_find(g, json_slice(r));

		if (o != NULL && map_observable_value(o, g->scratch, &a->type, &a->value, NULL))
			return 1;
	}
	return 0;
}

/* What object_refs lead to. */
static size_t
take_members(struct map_graph *g, struct facts *f, const json *tree, struct map_atom **atoms)
{
	json *refs = json_get(tree, "object_refs");
	struct idmap ends = traffic_ends(g, refs);
	size_t n = 0;

	for (const json *r = json_first(refs); r != NULL && n < MAPPED_TEXTS_MAX;
	    r = json_next(r), n++) {
		json *o = map_graph_find(g, json_slice(r));

		if (o == NULL)
			continue;
		map_graph_saw(g, T_VALUE, r);
		if (slice_is(json_member(o, "type"), "network-traffic"))
			take_traffic(g, f, o);
		else if (take_side(g, f, o) == T_NONE && idmap_find(&ends, json_slice(r)) == IDMAP_NONE)
			take_observable(g, f, o);
	}
	return observed_atom(g, f, refs, atoms);
}

/* Collect the facts of an object; return the number of atoms of its pattern. */
size_t
map_facts(struct map_graph *g, const struct mapping *m, json *tree, struct facts *f,
    struct map_atom **atoms, bool *exact)
{
	json *holder;

	memset(f, 0, sizeof(*f));
	*exact = true;
	*atoms = NULL;
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++) {
		json *v = json_get(tree, properties[i].property);

		if (properties[i].list)
			take_list(g, f, properties[i].target, v);
		else
			take_text(g, f, properties[i].target, v);
	}
	take_tlp(g, f, tree);
	take_creator(g, m, f, tree);
	take_references(g, f, tree);
	take_kill_chain(g, f, tree);
	take_relations(g, m, f, tree);
	if (f->t[T_VULNERABILITY].n == 0)
		take_side(g, f, tree);		/* in its own record a side's target is its name */
	if (slice_is(json_member(tree, "type"), "identity"))
		take_text(g, f, T_EMAIL, json_get(tree, "contact_information"));
	holder = map_graph_holder(g, json_member(tree, "id"));
	if (!slice_eq(json_member(holder, "name"), m->container_name))	/* the mapping's own */
		take_text(g, f, T_REPORT, json_get(holder, "name"));
	if (json_get(tree, "object_refs") != NULL)
		return take_members(g, f, tree, atoms);
	if (f->t[T_PATTERN].n == 0 || (f->t[T_PATTERN_TYPE].n > 0 &&
	    !slice_is(fact_one(f, T_PATTERN_TYPE), "stix")))
		return 0;
	return map_pattern_facts(fact_one(f, T_PATTERN), g->scratch, f, atoms, exact);
}

/* Make one atom the value of the facts. */
void
map_atom_facts(const struct map_record *def, const struct map_atom *a, struct arena *mem,
    struct facts *f)
{
	const struct { enum map_target t; struct slice s; } parts[] = {
		{ T_TYPE, a->type }, { T_VALUE, a->value }, { T_ROLE, a->role },
		{ T_PORT, a->port }, { T_PROTOCOL, a->protocol }
	};
	bool has_port = false;

	for (size_t i = 0; i < def->nrows; i++)
		has_port |= def->rows[i].target == T_PORT;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		f->t[parts[i].t] = (struct texts){ 0 };
		if (parts[i].s.n > 0)
			texts_add(&f->t[parts[i].t], mem, parts[i].s);
	}
	if (!has_port && a->port.n > 0 && slice_starts(a->type, "ip")) {
		bool six = memchr(a->value.p, ':', a->value.n) != NULL;

		f->t[T_VALUE] = (struct texts){ 0 };
		texts_add(&f->t[T_VALUE], mem, slice_of(arena_fmt(mem, "%s%.*s%s:%.*s",
		    six ? "[" : "", SLICE_ARG(a->value), six ? "]" : "", SLICE_ARG(a->port))));
	}
}

/* Return the residue extension, NULL if it is not of this mapping. */
json *
map_residue(const struct mapping *m, const json *tree)
{
	json *ext = json_get(json_get(tree, "extensions"), MAPPED_EXTENSION);

	return slice_eq(json_member(ext, "mapping"), m->name) ? ext : NULL;
}

/*
 * mapped_build.c -- the facts of a record become STIX objects.
 *
 * First the record's own object, then what it refers to: observables, the identity that reported it,
 * named malware, actors, campaigns, attack patterns and vulnerabilities with their relationships.
 */
#include "formats/id_name.h"
#include "formats/mapped_build.h"
#include "gateway/base/clock.h"

/* Append an object to what the record becomes. */
void
map_made_add(const struct map_build *b, struct map_made *out, json *tree)
{
	out->v = arena_grow(b->mem, out->v, out->n, &out->cap, sizeof(*out->v));
	out->v[out->n++] = tree;
}

/* ---- ids, times, labels ----------------------------------------------------------------------- */

/* Return the deterministic id of these parts. */
struct slice
map_id(const struct mapping *m, struct arena *mem, const char *type, const struct slice *parts,
    size_t n)
{
	struct strbuf name = STRBUF_INIT;
	struct slice uuid;

	strbuf_adds(&name, "inhouse");
	id_name_add(&name, m->name);
	id_name_add(&name, slice_of(type));
	for (size_t i = 0; i < n; i++)
		id_name_add(&name, parts[i]);
	uuid = id_name_uuid(mem, &name);
	strbuf_fini(&name);
	return slice_of(arena_fmt(mem, "%s--%.*s", type, SLICE_ARG(uuid)));
}

/* created and modified have three fraction digits (STIX 2.1 section 3.2). */
static struct slice
milliseconds(struct arena *mem, struct slice utc)
{
	char ms[4] = "000";

	if (utc.n < 20)
		return utc;
	for (size_t i = 20, k = 0; utc.p[19] == '.' && k < 3 && i + 1 < utc.n; i++)
		ms[k++] = utc.p[i];
	return slice_of(arena_fmt(mem, "%.19s.%sZ", utc.p, ms));
}

/* Is instant a before b? */
static bool
is_before(struct arena *mem, struct slice a, struct slice b)
{
	struct slice ka, kb;

	return stamp_key(mem, a, &ka) && stamp_key(mem, b, &kb) && slice_cmp(ka, kb) < 0;
}

/* Return the stricter of two labels. */
enum tlp
map_stricter(enum tlp a, enum tlp b)
{
	/* No label is read as amber by default: stricter than green, laxer than amber itself. */
	if (a == TLP_UNSET)
		return b >= TLP_AMBER ? b : a;
	if (b == TLP_UNSET)
		return a >= TLP_AMBER ? a : b;
	return a > b ? a : b;
}

/* Replace the markings of an object by one label. */
void
map_set_tlp(struct arena *mem, json *tree, enum tlp tlp)
{
	json *refs;

	json_remove(tree, "object_marking_refs");
	if (tlp == TLP_UNSET)
		return;
	refs = json_list(mem);
	json_push(refs, json_string(mem, slice_of(tlp_marking_id(tlp))));
	json_put(mem, tree, "object_marking_refs", refs);
}

/* The time that stands for a record of this object. */
static struct slice
own_time(const struct map_build *b)
{
	static const enum map_target order[MAP_OBJECTS][4] = {
		[OBJ_INDICATOR] = { T_CREATED, T_VALID_FROM },
		[OBJ_OBSERVED] = { T_CREATED, T_FIRST_OBSERVED },
		[OBJ_REPORT] = { T_CREATED, T_PUBLISHED },
		[OBJ_INCIDENT] = { T_CREATED, T_PUBLISHED, T_FIRST_OBSERVED },
		[OBJ_VULNERABILITY] = { T_CREATED, T_PUBLISHED },
		[OBJ_MALWARE] = { T_CREATED, T_PUBLISHED, T_FIRST_OBSERVED },
		[OBJ_THREAT_ACTOR] = { T_CREATED, T_PUBLISHED },
		[OBJ_IDENTITY] = { T_CREATED },
	};
	const enum map_target *t = order[b->def->object];

	for (size_t i = 0; i < 4 && t[i] != T_NONE; i++)
		if (b->facts->t[t[i]].n > 0)
			return fact_one(b->facts, t[i]);
	return b->parent != NULL ? b->parent->created : b->received;
}

/* ---- objects ---------------------------------------------------------------------------------- */

/* Return an object with the properties that all SDOs and SROs have. */
static json *
new_sdo(struct arena *mem, const char *type, struct slice id, struct slice creator,
    struct slice created, struct slice modified)
{
	json *o = json_object(mem);

	json_put_str(mem, o, "type", slice_of(type));
	json_put_str(mem, o, "spec_version", SLICE_LIT("2.1"));
	json_put_str(mem, o, "id", id);
	if (creator.n > 0)
		json_put_str(mem, o, "created_by_ref", creator);
	json_put_str(mem, o, "created", created);
	json_put_str(mem, o, "modified", modified);
	return o;
}

/* Return the id of the producer, empty if the mapping names none. */
struct slice
map_producer_id(const struct mapping *m, struct arena *mem)
{
	if (m->producer_id.n > 0)
		return m->producer_id;
	return m->producer_name.n == 0 ? SLICE_EMPTY :
	    map_id(m, mem, "identity", &m->producer_name, 1);
}

/* Return the identity of the producer, or NULL. */
json *
map_producer(const struct mapping *m, struct arena *mem, struct slice received)
{
	struct slice at = m->producer_since.n > 0 ? m->producer_since : received;
	json *o;

	if (m->producer_name.n == 0 || m->producer_id.n > 0)
		return NULL;
	at = milliseconds(mem, at);
	o = new_sdo(mem, "identity", map_producer_id(m, mem), SLICE_EMPTY, at, at);
	json_put_str(mem, o, "name", m->producer_name);
	if (m->producer_class.n > 0)
		json_put_str(mem, o, "identity_class", m->producer_class);
	map_set_tlp(mem, o, tlp_parse(fact_one(&m->defaults, T_TLP)));
	return o;
}

/* "mail; phone", or what there is of it. */
static struct slice
contact(const struct map_build *b, struct slice mail)
{
	struct slice phone = fact_one(b->facts, T_CREATOR_PHONE);

	return slice_of(arena_fmt(b->mem, "%.*s%s%.*s", SLICE_ARG(mail),
	    mail.n > 0 && phone.n > 0 ? "; " : "", SLICE_ARG(phone)));
}

/* The identity that reported the record, from creator.*; NULL if it is not said. */
static json *
creator(const struct map_build *b, const struct map_made *made)
{
	struct slice name = fact_one(b->facts, T_CREATOR_NAME);
	struct slice mail = fact_one(b->facts, T_CREATOR_EMAIL), c;
	struct slice parts[3] = { name, mail, fact_one(b->facts, T_CREATOR_PHONE) };
	json *o;

	if (name.n == 0 && mail.n == 0)
		return NULL;
	o = new_sdo(b->mem, "identity", map_id(b->map, b->mem, "identity", parts,
	    parts[2].n > 0 ? 3 : 2), SLICE_EMPTY,
	    made->created, made->created);
	json_put_str(b->mem, o, "name", name.n > 0 ? name : mail);
	json_put_str(b->mem, o, "identity_class", SLICE_LIT("organization"));
	if ((c = contact(b, mail)).n > 0)
		json_put_str(b->mem, o, "contact_information", c);
	return o;
}

/* Settle label, creator and times of a record. */
int
map_build_begin(const struct map_build *b, struct map_made *out, struct err *e)
{
	struct slice label = fact_one(b->facts, T_TLP), modified = fact_one(b->facts, T_MODIFIED);
	json *who;

	out->tlp = tlp_parse(label);
	if (b->parent != NULL)
		out->tlp = label.n == 0 ? b->parent->tlp : out->tlp;
	out->created = milliseconds(b->mem, own_time(b));
	out->modified = modified.n == 0 ? out->created : milliseconds(b->mem, modified);
	if (is_before(b->scratch, out->modified, out->created))
		return err_set(e, ERR_VALUE, "modified: before created");
	if ((who = creator(b, out)) != NULL)
		out->creator = json_member(who, "id");
	else if (b->parent != NULL)
		out->creator = b->parent->creator;
	else
		out->creator = map_producer_id(b->map, b->mem);
	return 0;
}

/* ---- properties ------------------------------------------------------------------------------- */

/* Put the fact as a string, if there is one. */
static void
put_text(const struct map_build *b, json *o, const char *property, enum map_target t)
{
	if (b->facts->t[t].n > 0)
		json_put_str(b->mem, o, property, fact_one(b->facts, t));
}

/* Put the fact as a number, if there is one. */
static void
put_number(const struct map_build *b, json *o, const char *property, enum map_target t)
{
	unsigned long long v;

	if (slice_u64(fact_one(b->facts, t), &v))
		json_put_int(b->mem, o, property, (int64_t)v);
}

/* Put the facts as a list of strings, if there are any. */
static void
put_list(const struct map_build *b, json *o, const char *property, enum map_target t)
{
	json *list;

	if (b->facts->t[t].n == 0)
		return;
	list = json_put(b->mem, o, property, json_list(b->mem));
	for (size_t i = 0; i < b->facts->t[t].n; i++)
		json_push(list, json_string(b->mem, b->facts->t[t].v[i]));
}

/* "chain:phase" each. */
static int
put_kill_chain(const struct map_build *b, json *o, struct err *e)
{
	const struct texts *t = &b->facts->t[T_KILL_CHAIN];
	json *list, *phase;

	if (t->n == 0)
		return 0;
	list = json_put(b->mem, o, "kill_chain_phases", json_list(b->mem));
	for (size_t i = 0; i < t->n; i++) {
		struct slice rest = t->v[i], chain = slice_cut(&rest, ':');

		if (chain.n == 0 || rest.n == 0)
			return err_set(e, ERR_VALUE, "kill_chain: expected CHAIN:PHASE");
		phase = json_push(list, json_object(b->mem));
		json_put_str(b->mem, phase, "kill_chain_name", slice_trim(chain));
		json_put_str(b->mem, phase, "phase_name", slice_trim(rest));
	}
	return 0;
}

/* Append an external reference; *list is made when it is first needed. */
static void
put_reference(const struct map_build *b, json **list, json *o, struct slice source,
    const char *property, struct slice value)
{
	json *ref;

	if (*list == NULL)
		*list = json_put(b->mem, o, "external_references", json_list(b->mem));
	ref = json_push(*list, json_object(b->mem));
	json_put_str(b->mem, ref, "source_name", source);
	json_put_str(b->mem, ref, property, value);
}

/* Put CVEs, ids at the source and URLs. */
static void
put_references(const struct map_build *b, json *o)
{
	struct slice name = b->map->producer_name.n > 0 ? b->map->producer_name : b->map->name;
	const struct texts *url = &b->facts->t[T_SOURCE_URL], *id = &b->facts->t[T_EXTERNAL_ID];
	const struct texts *cve = &b->facts->t[T_VULNERABILITY];
	json *list = NULL;

	for (size_t i = 0; b->def->object == OBJ_VULNERABILITY && i < cve->n; i++)
		if (slice_starts(cve->v[i], "CVE-"))
			put_reference(b, &list, o, SLICE_LIT("cve"), "external_id", cve->v[i]);
	for (size_t i = 0; i < id->n; i++)
		put_reference(b, &list, o, name, "external_id", id->v[i]);
	for (size_t i = 0; i < url->n; i++)
		put_reference(b, &list, o, name, "url", url->v[i]);
}

/* ---- objects beside the record's own ---------------------------------------------------------- */

static const struct {
	enum map_target	 target;
	enum map_object	 own;		/* in such a record the target is the object's own name */
	const char	*type;
} sides[] = {
	{ T_MALWARE, OBJ_MALWARE, "malware" },
	{ T_THREAT_ACTOR, OBJ_THREAT_ACTOR, "threat-actor" },
	{ T_CAMPAIGN, MAP_OBJECTS, "campaign" },
	{ T_ATTACK_PATTERN, MAP_OBJECTS, "attack-pattern" },
	{ T_VULNERABILITY, OBJ_VULNERABILITY, "vulnerability" },
};
enum { SIDES = sizeof(sides) / sizeof(*sides) };

/* STIX 2.1 names these; everything else is related-to. */
static const char *
relation(const char *from, const char *to)
{
	static const struct { const char *from, *to, *name; } known[] = {
		{ "indicator", "malware", "indicates" }, { "indicator", "threat-actor", "indicates" },
		{ "indicator", "campaign", "indicates" },
		{ "indicator", "attack-pattern", "indicates" },
		{ "malware", "threat-actor", "authored-by" },
		{ "malware", "vulnerability", "exploits" }, { "malware", "attack-pattern", "uses" },
		{ "threat-actor", "malware", "uses" }, { "threat-actor", "attack-pattern", "uses" },
		{ "threat-actor", "vulnerability", "targets" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].from, from) == 0 && strcmp(known[i].to, to) == 0)
			return known[i].name;
	return "related-to";
}

/* Add a relationship with its deterministic id. */
static void
add_relationship(const struct map_build *b, struct map_made *out, const char *type,
    struct slice source, struct slice target)
{
	struct strbuf name = STRBUF_INIT;
	char uuid[UUID_TEXT + 1];
	json *o;

	strbuf_addf(&name, "rel|%.*s|%s|%.*s", SLICE_ARG(source), type, SLICE_ARG(target));
	uuid_v5(uuid_ns_tocsin, strbuf_slice(&name), uuid);
	strbuf_fini(&name);
	o = new_sdo(b->mem, "relationship", slice_of(arena_fmt(b->mem, "relationship--%s", uuid)),
	    out->creator, out->created, out->modified);
	json_put_str(b->mem, o, "relationship_type", slice_of(type));
	json_put_str(b->mem, o, "source_ref", source);
	json_put_str(b->mem, o, "target_ref", target);
	map_made_add(b, out, o);
}

/* A named object; of a vulnerability with a CVE also the reference. */
static json *
side_object(const struct map_build *b, const struct map_made *out, const char *type,
    struct slice name)
{
	json *o = new_sdo(b->mem, type, map_id(b->map, b->mem, type, &name, 1), out->creator,
	    out->created, out->created), *refs = NULL;

	json_put_str(b->mem, o, "name", name);
	if (strcmp(type, "malware") == 0)
		json_put_bool(b->mem, o, "is_family", true);
	if (strcmp(type, "vulnerability") == 0 && slice_starts(name, "CVE-"))
		put_reference(b, &refs, o, SLICE_LIT("cve"), "external_id", name);
	return o;
}

/* Named objects: members of a report, else related to the record's object. */
static void
add_sides(const struct map_build *b, struct map_made *out, json *refs)
{
	const char *type = map_object_type[b->def->object];
	struct slice own = json_member(out->v[0], "id");

	for (size_t s = 0; s < SIDES; s++)
		for (size_t i = 0; sides[s].own != b->def->object &&
		    i < b->facts->t[sides[s].target].n; i++) {
			json *o = side_object(b, out, sides[s].type,
			    b->facts->t[sides[s].target].v[i]);
			struct slice id = json_member(o, "id");

			map_made_add(b, out, o);
			if (refs != NULL)
				map_add_ref(b, refs, id);
			else
				add_relationship(b, out, relation(type, sides[s].type), own, id);
		}
}

/* ---- the record's own object ------------------------------------------------------------------ */

/* Pattern and validity. */
static int
build_indicator(const struct map_build *b, struct map_made *out, json *o, struct err *e)
{
	struct slice pattern, from = fact_one(b->facts, T_VALID_FROM);
	struct slice until = fact_one(b->facts, T_VALID_UNTIL);

	if (map_pattern_build(b->facts, b->scratch, &pattern, e) < 0)
		return -1;
	put_list(b, o, "indicator_types", T_INDICATOR_TYPES);
	json_put_str(b->mem, o, "pattern", pattern);
	json_put_str(b->mem, o, "pattern_type", b->facts->t[T_PATTERN_TYPE].n > 0 ?
	    fact_one(b->facts, T_PATTERN_TYPE) : SLICE_LIT("stix"));
	if (from.n == 0)
		from = b->map->valid_from_now ? b->received : out->created;
	json_put_str(b->mem, o, "valid_from", from);
	if (until.n > 0 && !is_before(b->scratch, from, until))
		return err_set(e, ERR_VALUE, "valid_until: not after valid_from");
	put_text(b, o, "valid_until", T_VALID_UNTIL);
	return 0;
}

/* Times, count and what was observed. */
static int
build_observed(const struct map_build *b, struct map_made *out, json *o, struct err *e)
{
	struct slice first = fact_one(b->facts, T_FIRST_OBSERVED);
	struct slice last = fact_one(b->facts, T_LAST_OBSERVED);
	unsigned long long n = 1;
	json *refs;

	if (first.n == 0)
		first = last.n > 0 ? last : out->created;
	if (last.n == 0)
		last = first;
	if (is_before(b->scratch, last, first))
		return err_set(e, ERR_VALUE, "last_observed: before first_observed");
	json_put_str(b->mem, o, "first_observed", first);
	json_put_str(b->mem, o, "last_observed", last);
	if (b->facts->t[T_NUMBER_OBSERVED].n > 0)
		slice_u64(fact_one(b->facts, T_NUMBER_OBSERVED), &n);
	if (n < 1 || n > 999999999)
		return err_set(e, ERR_VALUE, "number_observed: not between 1 and 999999999");
	json_put_int(b->mem, o, "number_observed", (int64_t)n);
	refs = json_put(b->mem, o, "object_refs", json_list(b->mem));
	if (map_observe(b, out, refs, e) < 0)
		return -1;
	if (json_first(refs) == NULL)
		return err_set(e, ERR_MISSING, "nothing that was observed");
	add_sides(b, out, NULL);
	return 0;
}

/* Date and members. */
static int
build_report(const struct map_build *b, struct map_made *out, json *o, struct err *e)
{
	json *refs;

	json_put_str(b->mem, o, "published", b->facts->t[T_PUBLISHED].n > 0 ?
	    fact_one(b->facts, T_PUBLISHED) : out->created);
	refs = json_put(b->mem, o, "object_refs", json_list(b->mem));
	for (size_t i = 0; i < b->nrefs; i++)
		map_add_ref(b, refs, b->refs[i]);
	if (map_observe(b, out, refs, e) < 0)
		return -1;
	add_sides(b, out, refs);
	if (json_first(refs) == NULL && out->creator.n > 0)
		map_add_ref(b, refs, out->creator);	/* a report must refer to something */
	if (json_first(refs) == NULL)
		return err_set(e, ERR_MISSING, "a report without anything it reports about");
	return 0;
}

/* Class and contact. */
static int
build_identity(const struct map_build *b, struct map_made *out, json *o, struct err *e)
{
	(void)out;
	(void)e;
	json_put_str(b->mem, o, "identity_class", SLICE_LIT("organization"));
	put_text(b, o, "contact_information", T_EMAIL);
	return 0;
}

/* Named malware is a family. */
static int
build_malware(const struct map_build *b, struct map_made *out, json *o, struct err *e)
{
	(void)out;
	(void)e;
	json_put_bool(b->mem, o, "is_family", true);
	return 0;
}

/* Key fields, or all facts when the mapping names none; T_ID wins over both. */
static int
own_id(const struct map_build *b, struct slice *out, struct err *e)
{
	const char *type = map_object_type[b->def->object];
	struct slice given = fact_one(b->facts, T_ID);
	struct texts parts = { 0 };

	if (given.n > 0) {
		size_t n = strlen(type);

		if (!slice_starts(given, type) || given.n != n + 2 + UUID_TEXT ||
		    memcmp(given.p + n, "--", 2) != 0 ||
		    !uuid_is_valid((struct slice){ given.p + n + 2, UUID_TEXT }))
			return err_set(e, ERR_VALUE, "id: not the id of a %s", type);
		*out = given;
		return 0;
	}
	for (size_t i = 0; i < b->nkeys; i++)
		texts_add(&parts, b->scratch, b->keys[i]);
	for (int t = T_NONE; b->nkeys == 0 && t < TARGETS; t++)
		for (size_t i = 0; i < b->facts->t[t].n; i++)
			texts_add(&parts, b->scratch, b->facts->t[t].v[i]);
	*out = map_id(b->map, b->mem, type, parts.v, parts.n);
	return 0;
}

/* The name, or what stands for it. */
static struct slice
own_name(const struct map_build *b)
{
	struct slice name = fact_one(b->facts, T_NAME);

	for (size_t s = 0; name.n == 0 && s < SIDES; s++)
		if (sides[s].own == b->def->object)
			name = fact_one(b->facts, sides[s].target);
	return name;
}

static const struct {
	bool	named;		/* `name` is required */
	bool	members;	/* has object_refs: sides are members or added by the builder */
	int	(*build)(const struct map_build *b, struct map_made *out, json *o, struct err *e);
} classes[MAP_OBJECTS] = {
	[OBJ_INDICATOR] = { false, false, build_indicator },
	[OBJ_OBSERVED] = { false, true, build_observed },
	[OBJ_REPORT] = { true, true, build_report },
	[OBJ_INCIDENT] = { true, false, NULL },
	[OBJ_VULNERABILITY] = { true, false, NULL },
	[OBJ_MALWARE] = { true, false, build_malware },
	[OBJ_THREAT_ACTOR] = { true, false, NULL },
	[OBJ_IDENTITY] = { true, false, build_identity },
};

/* Make all objects of a record; the record's own stands first. */
int
map_build(const struct map_build *b, struct map_made *out, struct err *e)
{
	enum map_object kind = b->def->object;
	struct slice id = SLICE_EMPTY, name = own_name(b);
	json *o, *who;

	if (own_id(b, &id, e) < 0)
		return -1;
	if (classes[kind].named && name.n == 0)
		return err_set(e, ERR_MISSING, "name: a %s needs one", map_object_type[kind]);
	o = new_sdo(b->mem, map_object_type[kind], id, out->creator, out->created, out->modified);
	map_made_add(b, out, o);
	if (kind != OBJ_OBSERVED) {
		if (name.n > 0)
			json_put_str(b->mem, o, "name", name);
		put_text(b, o, "description", T_DESCRIPTION);
	}
	if (classes[kind].build != NULL && classes[kind].build(b, out, o, e) < 0)
		return -1;
	if (classes[kind].members)
		map_unique_refs(b, json_get(o, "object_refs"));
	if ((kind == OBJ_INDICATOR || kind == OBJ_MALWARE) && put_kill_chain(b, o, e) < 0)
		return -1;
	put_list(b, o, "labels", T_LABELS);
	put_number(b, o, "confidence", T_CONFIDENCE);
	put_text(b, o, "lang", T_LANG);
	put_references(b, o);
	if ((who = creator(b, out)) != NULL)
		map_made_add(b, out, who);
	if (!classes[kind].members)
		add_sides(b, out, NULL);
	for (size_t i = 0; kind != OBJ_REPORT && i < b->nrefs; i++)
		add_relationship(b, out, "related-to", json_member(o, "id"), b->refs[i]);
	for (size_t i = 0; i < out->n; i++)
		map_set_tlp(b->mem, out->v[i], out->tlp);
	return 0;
}

/* Return a report or grouping without members yet. */
json *
map_group_new(const struct mapping *m, struct arena *mem, const char *type, struct slice name,
    const struct map_made *first)
{
	json *o = new_sdo(mem, type, map_id(m, mem, type, &name, 1), first->creator, first->created,
	    first->modified);

	json_put_str(mem, o, "name", name);
	if (strcmp(type, "report") == 0)
		json_put_str(mem, o, "published", first->created);
	else
		json_put_str(mem, o, "context", SLICE_LIT("unspecified"));
	json_put(mem, o, "object_refs", json_list(mem));
	return o;
}

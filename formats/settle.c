/*
 * settle.c -- the facts of an object that only the whole message can tell (advisory_settle).
 *
 * Phases: a report or grouping has the first of response, mitigation, indications, remediation,
 * reconstitution, analysis found among its members; a note or opinion that of the first object it
 * speaks of; a relationship that of its source. A phase said by the object itself stays.
 *
 * Sectors: an identity counts as concerned if it is the target of a `targets` relationship, the place
 * of a sighting, or a member of a report or grouping that created nothing in this message. A report
 * or grouping takes the sectors of its members; and each member takes those of the reports and
 * groupings that hold it: what CERT A writes about energy is about energy in all its parts.
 * Relationships and sightings take the sectors of the identities they point at.
 *
 * Classification: what a marking-definition that names one marks, is classified.
 *
 * Victims: identities targeted or sighting, what observed-data holds, and the identities and
 * observables that an incident points at.
 */
#include "formats/idmap.h"
#include "formats/object.h"
#include "gateway/base/arena.h"

struct settle {
	struct advisory	*adv;
	struct idmap	 ids;
	bool		*creator;	/* of something in this message */
};

/* Reports within reports are followed this deep. */
enum { PHASE_PASSES = 3 };

/* Return the object that a reference names, or NULL if it is not in this message. */
static struct object *
resolve(const struct settle *s, const json *ref)
{
	long i = json_is_string(ref) ? idmap_find(&s->ids, json_slice(ref)) : IDMAP_NONE;

	return i == IDMAP_NONE ? NULL : &s->adv->objects[i];
}

/* True for the types whose object_refs are their content. */
static bool
is_container(const struct object *o)
{
	return slice_is(o->type, "report") || slice_is(o->type, "grouping");
}

/* Fill the id index and who created something. */
static void
index_objects(struct settle *s, struct arena *mem)
{
	struct advisory *adv = s->adv;

	for (size_t i = 0; i < adv->n; i++)
		idmap_add(&s->ids, mem, adv->objects[i].id, i);
	idmap_sort(&s->ids);
	s->creator = arena_alloc(mem, adv->n * sizeof(*s->creator));
	for (size_t i = 0; i < adv->n; i++) {
		long who = idmap_find(&s->ids, adv->objects[i].created_by);

		if (who != IDMAP_NONE)
			s->creator[who] = true;
	}
}

/* Return the phase that leads a container: the earlier in this list wins. */
static enum phase
leading_phase(enum phase a, enum phase b)
{
	static const enum phase order[] = {
		PHASE_RESPONSE, PHASE_MITIGATION, PHASE_INDICATIONS, PHASE_REMEDIATION,
		PHASE_RECONSTITUTION, PHASE_ANALYSIS,
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (order[i] == a || order[i] == b)
			return order[i];
	return PHASE_UNSET;
}

/* Return the phase that an object takes from what it refers to, PHASE_UNSET if nothing says. */
static enum phase
phase_from_refs(const struct settle *s, const struct object *o)
{
	enum phase lead = PHASE_UNSET;
	const struct object *m;
	const json *r;

	if (slice_is(o->type, "relationship")) {
		m = resolve(s, json_get(o->tree, "source_ref"));
		return m == NULL ? PHASE_UNSET : m->phase;
	}
	for (r = json_first(json_get(o->tree, "object_refs")); r != NULL; r = json_next(r)) {
		if ((m = resolve(s, r)) == NULL || m->phase == PHASE_UNSET)
			continue;
		if (!is_container(o))
			return m->phase;
		lead = leading_phase(lead, m->phase);
	}
	return lead;
}

/* True for the types that have no phase of their own but may take one. */
static bool
takes_phase(const struct object *o)
{
	return is_container(o) || slice_is(o->type, "note") || slice_is(o->type, "opinion") ||
	    slice_is(o->type, "relationship");
}

/* Give a phase to what has none yet: containers of known things first, then what speaks of them. */
static void
settle_phases(const struct settle *s)
{
	for (int pass = 0; pass < PHASE_PASSES; pass++) {
		for (size_t i = 0; i < s->adv->n; i++) {
			struct object *o = &s->adv->objects[i];

			if (o->phase == PHASE_UNSET && takes_phase(o))
				o->phase = phase_from_refs(s, o);
		}
	}
}

/* Mark what a reference names as a victim, and return its sectors. */
static uint32_t
touch_victim(const struct settle *s, const json *ref)
{
	struct object *o = resolve(s, ref);

	if (o == NULL)
		return 0;
	o->flags |= OBJECT_VICTIM;
	return o->sectors;
}

/* Mark all that a list of references names as victims, and return their sectors. */
static uint32_t
touch_victims(const struct settle *s, const json *list)
{
	uint32_t sectors = 0;

	for (const json *r = json_first(list); r != NULL; r = json_next(r))
		sectors |= touch_victim(s, r);
	return sectors;
}

/* True for what can suffer: an incident also points at malware and actors. */
static bool
may_be_victim(const struct object *o)
{
	return o != NULL && (o->class == OBJECT_SCO || slice_is(o->type, "identity"));
}

/* Follow the references of one object that lead to victims. */
static void
settle_victims_of(const struct settle *s, struct object *o)
{
	const json *source = json_get(o->tree, "source_ref");

	if (slice_is(o->type, "observed-data"))
		touch_victims(s, json_get(o->tree, "object_refs"));
	else if (slice_is(o->type, "sighting"))
		o->sectors |= touch_victims(s, json_get(o->tree, "where_sighted_refs"));
	else if (!slice_is(o->type, "relationship"))
		return;
	else if (slice_is(json_member(o->tree, "relationship_type"), "targets"))
		o->sectors |= touch_victim(s, json_get(o->tree, "target_ref"));
	else if (slice_starts(json_slice(source), "incident--") &&
	    may_be_victim(resolve(s, json_get(o->tree, "target_ref"))))
		touch_victim(s, json_get(o->tree, "target_ref"));
}

/* Return the sectors that the members of a container speak of. */
static uint32_t
sectors_of_members(const struct settle *s, const struct object *o)
{
	uint32_t sectors = o->sectors;
	const json *r;

	for (r = json_first(json_get(o->tree, "object_refs")); r != NULL; r = json_next(r)) {
		const struct object *m = resolve(s, r);

		if (m == NULL)
			continue;
		if (slice_is(m->type, "identity") && s->creator[m - s->adv->objects] &&
		    (m->flags & OBJECT_VICTIM) == 0)
			continue;
		sectors |= m->sectors;
	}
	return sectors;
}

/* Give the sectors of a container to its members. Identities keep their own: where a team works does
 * not change because somebody wrote about another sector. */
static void
give_sectors(const struct settle *s, const struct object *o)
{
	const json *r;

	for (r = json_first(json_get(o->tree, "object_refs")); r != NULL; r = json_next(r)) {
		struct object *m = resolve(s, r);

		if (m != NULL && !slice_is(m->type, "identity"))
			m->sectors |= o->sectors;
	}
}

/* True if an id is one of a marking-definition that names a classification. */
static bool
is_classified(const struct settle *s, struct slice id)
{
	long i = idmap_find(&s->ids, id);
	const struct object *m = i == IDMAP_NONE ? NULL : &s->adv->objects[i];

	return m != NULL && (m->flags & OBJECT_CLASSIFIED) != 0 &&
	    slice_is(m->type, "marking-definition");
}

/* Hand the flag of classified markings on to an object that they mark. */
static void
settle_classification_of(const struct settle *s, struct object *o)
{
	for (size_t i = 0; i < o->nsupporters; i++)
		if (is_classified(s, o->supporters[i]))
			o->flags |= OBJECT_CLASSIFIED;
}

/* True if some object says something about another: a list of indicators alone has nothing to settle. */
static bool
has_speakers(const struct advisory *adv)
{
	static const char *const speakers[] = {
		"report", "grouping", "note", "opinion", "relationship", "sighting", "observed-data",
		"marking-definition"
	};

	for (size_t i = 0; i < adv->n; i++)
		for (size_t k = 0; k < COUNTOF(speakers); k++)
			if (slice_is(adv->objects[i].type, speakers[k]))
				return true;
	return false;
}

/* Fill what needs the whole message, as said above. */
void
advisory_settle(struct advisory *adv, struct arena *mem)
{
	struct settle s = { .adv = adv };

	if (!has_speakers(adv))
		return;
	index_objects(&s, mem);
	settle_phases(&s);
	for (size_t i = 0; i < adv->n; i++)
		if (adv->objects[i].tree != NULL)	/* else it was not settled before */
			adv->objects[i].sectors = object_own_sectors(&adv->objects[i]);
	for (size_t i = 0; i < adv->n; i++) {
		settle_classification_of(&s, &adv->objects[i]);
		settle_victims_of(&s, &adv->objects[i]);
	}
	for (size_t i = 0; i < adv->n; i++)
		if (is_container(&adv->objects[i]))
			adv->objects[i].sectors = sectors_of_members(&s, &adv->objects[i]);
	for (size_t i = 0; i < adv->n; i++)
		if (is_container(&adv->objects[i]))
			give_sectors(&s, &adv->objects[i]);
}

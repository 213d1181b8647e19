/* stix1_write_plan.c -- which object becomes which element of STIX 1.2, and where relationships stand. */
#include "formats/stix1_write.h"
#include "formats/vocab.h"
#include "gateway/base/arena.h"

enum { VERSIONS_MAX = 1000 };	/* of one object, that are looked through for one of them */

#define COMMON_ENDS " Related_Packages"

const struct sw_kind sw_kinds[S1_KINDS] = {
	[S1_PACKAGE] = { "", "STIX_Package", "stix", NULL, NULL, "STIX_Header Observables Indicators TTPs "
	    "Exploit_Targets Incidents Courses_Of_Action Campaigns Threat_Actors Reports "
	    "Related_Packages" },
	[S1_REPORT] = { "Reports", "Report", "report", "report:ReportType", "Information_Source",
	    "Header Observables Indicators TTPs Exploit_Targets Incidents Courses_Of_Action Campaigns "
	    "Threat_Actors Related_Reports" },
	[S1_INDICATOR] = { "Indicators", "Indicator", "indicator", "indicator:IndicatorType", "Producer",
	    "Title Type Alternative_ID Description Short_Description Valid_Time_Position Observable "
	    "Composite_Indicator_Expression Indicated_TTP Kill_Chain_Phases Test_Mechanisms Likely_Impact "
	    "Suggested_COAs Handling Confidence Sightings Related_Indicators Related_Campaigns"
	    COMMON_ENDS " Producer" },
	[S1_TTP] = { "TTPs", "TTP", "ttp", "ttp:TTPType", "Information_Source", "Title Description "
	    "Short_Description Intended_Effect Behavior Resources Victim_Targeting Exploit_Targets "
	    "Related_TTPs Kill_Chain_Phases Information_Source Kill_Chains Handling" COMMON_ENDS },
	[S1_TARGET] = { "Exploit_Targets", "Exploit_Target", "et", "et:ExploitTargetType",
	    "Information_Source", "Title Description Short_Description Vulnerability Weakness "
	    "Configuration Potential_COAs Information_Source Handling Related_Exploit_Targets"
	    COMMON_ENDS },
	[S1_INCIDENT] = { "Incidents", "Incident", "incident", "incident:IncidentType",
	    "Information_Source", "Title External_ID Time Description Short_Description Categories "
	    "Reporter Responder Coordinator Victim Affected_Assets Impact_Assessment Status "
	    "Related_Indicators Related_Observables Leveraged_TTPs Attributed_Threat_Actors "
	    "Intended_Effect Security_Compromise Discovery_Method Related_Incidents COA_Requested "
	    "COA_Taken Confidence Contact History Information_Source Handling" COMMON_ENDS },
	[S1_COA] = { "Courses_Of_Action", "Course_Of_Action", "coa", "coa:CourseOfActionType",
	    "Information_Source", "Title Stage Type Description Short_Description Objective "
	    "Parameter_Observables Structured_COA Impact Cost Efficacy Information_Source Handling "
	    "Related_COAs" COMMON_ENDS },
	[S1_CAMPAIGN] = { "Campaigns", "Campaign", "campaign", "campaign:CampaignType",
	    "Information_Source", "Title Description Short_Description Names Intended_Effect Status "
	    "Related_TTPs Related_Incidents Related_Indicators Attribution Associated_Campaigns Confidence "
	    "Activity Information_Source Handling" COMMON_ENDS },
	[S1_ACTOR] = { "Threat_Actors", "Threat_Actor", "ta", "ta:ThreatActorType", "Information_Source",
	    "Title Description Short_Description Identity Type Motivation Sophistication Intended_Effect "
	    "Planning_And_Operational_Support Observed_TTPs Associated_Campaigns Associated_Actors "
	    "Handling Confidence Information_Source" COMMON_ENDS },
	[S1_OBSERVABLE] = { "Observables", "Observable", "cybox", NULL, NULL, "Title Description Keywords "
	    "Observable_Source Object Event Observable_Composition Pattern_Fidelity" },
};

static const struct {
	const char	*type;
	enum s1_kind	 kind;
} types[] = {
	{ "report", S1_REPORT }, { "indicator", S1_INDICATOR }, { "malware", S1_TTP },
	{ "attack-pattern", S1_TTP }, { "tool", S1_TTP }, { "infrastructure", S1_TTP },
	{ "vulnerability", S1_TARGET }, { "incident", S1_INCIDENT }, { "course-of-action", S1_COA },
	{ "campaign", S1_CAMPAIGN }, { "threat-actor", S1_ACTOR }, { "observed-data", S1_OBSERVABLE },
	/* the nearest: another list of what belongs together, somebody behind what is done */
	{ "grouping", S1_REPORT }, { "intrusion-set", S1_ACTOR },
};

/* Wrappers between two elements; of several that fit, the first. */
static const struct sw_row rows[] = {
	{ S1_INDICATOR, S1_TTP, "", "Indicated_TTP", "TTP", "indicates", false },
	{ S1_INDICATOR, S1_COA, "Suggested_COAs", "Suggested_COA", "Course_Of_Action",
	  "mitigates remediates investigates", true },
	{ S1_INDICATOR, S1_INDICATOR, "Related_Indicators", "Related_Indicator", "Indicator",
	  "related-to", false },
	{ S1_INDICATOR, S1_CAMPAIGN, "Related_Campaigns", "Related_Campaign", "Campaign", "indicates",
	  false },
	{ S1_TTP, S1_TARGET, "Exploit_Targets", "Exploit_Target", "Exploit_Target",
	  "targets exploits has", false },
	{ S1_TTP, S1_TTP, "Related_TTPs", "Related_TTP", "TTP", "related-to", false },
	{ S1_TARGET, S1_COA, "Potential_COAs", "Potential_COA", "Course_Of_Action",
	  "mitigates remediates", true },
	{ S1_TARGET, S1_TARGET, "Related_Exploit_Targets", "Related_Exploit_Target", "Exploit_Target",
	  "related-to", false },
	{ S1_COA, S1_COA, "Related_COAs", "Related_COA", "Course_Of_Action", "related-to", false },
	{ S1_CAMPAIGN, S1_TTP, "Related_TTPs", "Related_TTP", "TTP", "uses", false },
	{ S1_CAMPAIGN, S1_INCIDENT, "Related_Incidents", "Related_Incident", "Incident", "attributed-to",
	  true },
	{ S1_CAMPAIGN, S1_ACTOR, "Attribution", "Attributed_Threat_Actor", "Threat_Actor",
	  "attributed-to", false },
	{ S1_CAMPAIGN, S1_CAMPAIGN, "Associated_Campaigns", "Associated_Campaign", "Campaign",
	  "related-to", false },
	{ S1_ACTOR, S1_TTP, "Observed_TTPs", "Observed_TTP", "TTP", "uses", false },
	{ S1_ACTOR, S1_ACTOR, "Associated_Actors", "Associated_Actor", "Threat_Actor", "related-to",
	  false },
	{ S1_INCIDENT, S1_INDICATOR, "Related_Indicators", "Related_Indicator", "Indicator", "related-to",
	  false },
	{ S1_INCIDENT, S1_OBSERVABLE, "Related_Observables", "Related_Observable", "Observable",
	  "related-to", false },
	{ S1_INCIDENT, S1_TTP, "Leveraged_TTPs", "Leveraged_TTP", "TTP", "related-to", false },
	{ S1_INCIDENT, S1_ACTOR, "Attributed_Threat_Actors", "Threat_Actor", "Threat_Actor",
	  "attributed-to", false },
	{ S1_INCIDENT, S1_INCIDENT, "Related_Incidents", "Related_Incident", "Incident", "related-to",
	  false },
	{ S1_INCIDENT, S1_COA, "", "COA_Requested", "Course_Of_Action", "related-to", false },
	/* whom it hits, who it is: no wrapper, an identity in place (S1_KINDS) */
	{ S1_TTP, S1_KINDS, "", "Victim_Targeting", "Identity", "targets", false },
	{ S1_INCIDENT, S1_KINDS, "", "Victim", "", "targets", false },
	{ S1_ACTOR, S1_KINDS, "", "Identity", "", "attributed-to", false },
};

/* Return the kind of element that a type, or an object of that id, becomes; S1_KINDS for none. */
enum s1_kind
sw_kind_of(struct slice type_or_id)
{
	for (size_t i = 0; i < COUNTOF(types); i++) {
		size_t n = strlen(types[i].type);

		if (slice_starts(type_or_id, types[i].type) && (type_or_id.n == n ||
		    (type_or_id.n > n + 2 && memcmp(type_or_id.p + n, "--", 2) == 0)))
			return types[i].kind;
	}
	return S1_KINDS;
}

/* Return the item of that id, the last version if there are several; NULL if there is none. */
struct sw_item *
sw_find(struct sw *w, struct slice id)
{
	size_t at = idmap_place(&w->ids, id);

	return at < w->ids.n && slice_eq(w->ids.v[at].id, id) ? &w->items[w->newest[at]] : NULL;
}

/* Of each id the newest version: noted once, where the id begins in the map. */
static void
find_newest(struct sw *w)
{
	size_t first = 0;

	w->newest = arena_alloc(w->mem, (w->ids.n + 1) * sizeof(*w->newest));
	for (size_t i = 0; i < w->ids.n; i++) {
		size_t at = w->ids.v[i].value;

		if (i == 0 || !slice_eq(w->ids.v[i].id, w->ids.v[first].id)) {
			first = i;
			w->newest[first] = at;
		} else if (slice_cmp(w->items[w->newest[first]].o->version_key,
		    w->items[at].o->version_key) < 0) {
			w->newest[first] = at;
		}
	}
}

/* Return the item of that id and version, NULL if there is none. */
struct sw_item *
sw_find_version(struct sw *w, struct slice id, struct slice version_key)
{
	size_t seen = 0;

	for (size_t i = idmap_place(&w->ids, id); i < w->ids.n && slice_eq(w->ids.v[i].id, id) &&
	    seen++ < VERSIONS_MAX; i++) {
		struct sw_item *item = &w->items[w->ids.v[i].value];

		if (slice_eq(item->o->version_key, version_key) || item->o->version.n == 0)
			return item;
	}
	return NULL;
}

/* True if a reader of the wrapper says that verb again. */
bool
sw_verb_is_read(const struct sw_row *row, struct slice source, struct slice verb, struct slice target)
{
	struct slice first = slice_of(row->verbs);

	first = slice_cut(&first, ' ');
	if (row->other == S1_TARGET && row->kind == S1_TTP) {
		if (slice_starts(source, "malware--"))
			return slice_is(verb, "exploits");
		if (slice_starts(source, "infrastructure--"))
			return slice_is(verb, "has");
	}
	(void)target;
	return slice_eq(verb, first);
}

/* Return the wrapper for a relationship, NULL if 1.x has none. */
static const struct sw_row *
row_for(struct slice source, struct slice verb, struct slice target)
{
	enum s1_kind from = sw_kind_of(source), to = sw_kind_of(target);

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct sw_row *r = &rows[i];

		if (r->kind != (r->back ? to : from) || r->other != (r->back ? from : to))
			continue;
		if (r->other == S1_KINDS && !slice_starts(target, "identity--"))
			continue;
		if (vocab_has_word(r->verbs, verb) || slice_starts(slice_of(r->verbs), "related-to"))
			return r;
	}
	return NULL;
}

static void
add_edge(struct sw *w, struct sw_item *holder, struct sw_item *by, const struct sw_row *row,
    struct slice other)
{
	struct sw_edge *edge = arena_alloc(w->mem, sizeof(*edge));

	*edge = (struct sw_edge){ .by = by, .row = row, .other = other };
	*holder->last = edge;
	holder->last = &edge->next;
}

/* The element that tells of a relationship or sighting: the strictest rule is that it may not know more. */
static void
plan_edge(struct sw *w, struct sw_item *item)
{
	struct slice source = json_member(item->tree, "source_ref"), target = json_member(item->tree,
	    "target_ref"), other;
	const struct sw_row *row = NULL;
	struct sw_item *holder;

	if (slice_is(item->o->type, "sighting")) {
		holder = sw_find(w, json_member(item->tree, "sighting_of_ref"));
		if (holder == NULL || holder->kind != S1_INDICATOR)
			return;
		other = SLICE_EMPTY;
	} else {
		row = row_for(source, json_member(item->tree, "relationship_type"), target);
		if (row == NULL)
			return;
		holder = sw_find(w, row->back ? target : source);
		other = row->back ? source : target;
	}
	if (holder != NULL && holder->out && sw_covers(holder->word, item->o))
		add_edge(w, holder, item, row, other);
}

/* A note about an incident stands in its journal. */
static void
plan_note(struct sw *w, struct sw_item *item)
{
	const json *ref = json_first(json_get(item->tree, "object_refs"));
	struct sw_item *about = sw_find(w, json_slice(ref));

	if (ref != NULL && json_next(ref) == NULL && about != NULL && about->kind == S1_INCIDENT &&
	    about->out && sw_covers(about->word, item->o))
		add_edge(w, about, item, NULL, SLICE_EMPTY);
}

static json *
tree_of(struct sw *w, const struct object *o)
{
	struct json_doc doc;

	if (o->tree != NULL)
		return o->tree;
	return json_parse(o->bytes, NULL, w->mem, &doc, NULL) < 0 ? json_object(w->mem) : doc.root;
}

/* An observed-data stands under the label of all that it shows. */
static void
need_observables(struct sw *w, const struct sw_item *item, struct sw_need *need)
{
	for (const json *m = json_first(json_get(item->tree, "object_refs")); m != NULL; m = json_next(m)) {
		const struct sw_item *sco = sw_find(w, json_slice(m));

		if (sco != NULL && sco->o->class == OBJECT_SCO)
			sw_need(need, sco->o);
	}
}

/* Look at all objects: kinds, labels, wrappers. */
void
sw_plan(struct sw *w)
{
	const struct advisory *adv = w->job->adv;

	w->n = adv->n;
	w->items = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->items));
	for (size_t i = 0; i < adv->n; i++) {
		struct sw_item *item = &w->items[i];

		item->o = &adv->objects[i];
		item->tree = tree_of(w, item->o);
		item->kind = item->o->class == OBJECT_SCO ? S1_OBSERVABLE : sw_kind_of(item->o->type);
		item->out = item->kind != S1_KINDS && (item->o->flags & OBJECT_REVOKED) == 0;
		item->last = &item->edges;
		idmap_add(&w->ids, w->mem, item->o->id, i);
	}
	idmap_sort(&w->ids);
	find_newest(w);
	for (size_t i = 0; i < w->n; i++) {
		struct sw_need need = { { TLP_UNSET } };

		sw_need(&need, w->items[i].o);
		if (slice_is(w->items[i].o->type, "observed-data"))
			need_observables(w, &w->items[i], &need);
		w->items[i].word = sw_word(&need);
	}
	for (size_t i = 0; i < w->n; i++)
		if (w->items[i].o->class == OBJECT_SRO && (w->items[i].o->flags & OBJECT_REVOKED) == 0)
			plan_edge(w, &w->items[i]);
	for (size_t i = 0; i < w->n; i++)
		if (slice_is(w->items[i].o->type, "note") && (w->items[i].o->flags & OBJECT_REVOKED) == 0)
			plan_note(w, &w->items[i]);
}

/* stix1_relate.c -- Related_X and its kin: wrappers between units become relationships, a row each. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"

enum { PAIRS_MAX = 1000000 };

struct row {
	enum s1_kind	 kind;		/* of the unit */
	const char	*list, *wrapper;	/* "" if the wrapper stands in the unit itself */
	const char	*inner;		/* element in the wrapper */
	const char	*verb;
	bool		 back;		/* from the other to the unit */
	const char	*type;		/* of what an idref to nowhere must be; NULL: cannot be told */
};

static const struct row rows[] = {
	{ S1_INDICATOR, "", "Indicated_TTP", "TTP", "indicates", false, NULL },
	{ S1_INDICATOR, "Suggested_COAs", "Suggested_COA", "Course_Of_Action", "mitigates", true,
	  "course-of-action" },
	{ S1_INDICATOR, "Related_Indicators", "Related_Indicator", "Indicator", "related-to", false,
	  "indicator" },
	{ S1_INDICATOR, "Related_Campaigns", "Related_Campaign", "Campaign", "indicates", false,
	  "campaign" },
	{ S1_TTP, "Exploit_Targets", "Exploit_Target", "Exploit_Target", "targets", false,
	  "vulnerability" },
	{ S1_TTP, "Related_TTPs", "Related_TTP", "TTP", "related-to", false, NULL },
	{ S1_TARGET, "Potential_COAs", "Potential_COA", "Course_Of_Action", "mitigates", true,
	  "course-of-action" },
	{ S1_TARGET, "Related_Exploit_Targets", "Related_Exploit_Target", "Exploit_Target", "related-to",
	  false, "vulnerability" },
	{ S1_COA, "Related_COAs", "Related_COA", "Course_Of_Action", "related-to", false,
	  "course-of-action" },
	{ S1_CAMPAIGN, "Related_TTPs", "Related_TTP", "TTP", "uses", false, NULL },
	{ S1_CAMPAIGN, "Related_Incidents", "Related_Incident", "Incident", "attributed-to", true,
	  "incident" },
	{ S1_CAMPAIGN, "Related_Indicators", "Related_Indicator", "Indicator", "indicates", true,
	  "indicator" },
	{ S1_CAMPAIGN, "Attribution", "Attributed_Threat_Actor", "Threat_Actor", "attributed-to", false,
	  "threat-actor" },
	{ S1_CAMPAIGN, "Associated_Campaigns", "Associated_Campaign", "Campaign", "related-to", false,
	  "campaign" },
	{ S1_ACTOR, "Observed_TTPs", "Observed_TTP", "TTP", "uses", false, NULL },
	{ S1_ACTOR, "Associated_Campaigns", "Associated_Campaign", "Campaign", "attributed-to", true,
	  "campaign" },
	{ S1_ACTOR, "Associated_Actors", "Associated_Actor", "Threat_Actor", "related-to", false,
	  "threat-actor" },
	{ S1_INCIDENT, "Related_Indicators", "Related_Indicator", "Indicator", "related-to", false,
	  "indicator" },
	{ S1_INCIDENT, "Related_Observables", "Related_Observable", "Observable", "related-to", false,
	  NULL },
	{ S1_INCIDENT, "Leveraged_TTPs", "Leveraged_TTP", "TTP", "related-to", false, NULL },
	{ S1_INCIDENT, "Attributed_Threat_Actors", "Threat_Actor", "Threat_Actor", "attributed-to", false,
	  "threat-actor" },
	{ S1_INCIDENT, "Related_Incidents", "Related_Incident", "Incident", "related-to", false,
	  "incident" },
	{ S1_INCIDENT, "", "COA_Requested", "Course_Of_Action", "related-to", false, "course-of-action" },
	{ S1_INCIDENT, "", "COA_Taken", "Course_Of_Action", "related-to", false, "course-of-action" },
};

/* Where 2.1 has another word for a pair of types. */
static const struct {
	const char	*verb, *source, *target, *instead;
} verbs[] = {
	{ "uses", "", "identity--", "targets" },
	{ "uses", "", "vulnerability--", "targets" },
	{ "targets", "malware--", "vulnerability--", "exploits" },
	{ "targets", "infrastructure--", "vulnerability--", "has" },
	{ "targets", "identity--", "vulnerability--", "related-to" },
	{ "uses", "identity--", "", "related-to" },
	{ "indicates", "", "identity--", "related-to" },
	{ "indicates", "", "vulnerability--", "related-to" },
};

static const char *
verb_for(const char *verb, struct slice source, struct slice target)
{
	for (size_t i = 0; i < COUNTOF(verbs); i++)
		if (strcmp(verb, verbs[i].verb) == 0 && slice_starts(source, verbs[i].source) &&
		    slice_starts(target, verbs[i].target))
			return verbs[i].instead;
	return verb;
}

/* One pair, with what the wrapper says of it. */
static void
relate(struct s1 *s, struct s1_unit *u, const struct row *row, struct s1_obj *mine, struct s1_obj *other,
    struct xml_node *wrapper)
{
	struct s1_obj *from = row->back ? other : mine, *to = row->back ? mine : other;
	struct s1_obj *rel = s->pairs++ < PAIRS_MAX ?
	    s1_relate(s, u, from, verb_for(row->verb, from->id, to->id), to, wrapper) : NULL;
	struct slice said;

	if (rel == NULL)
		return;
	wrapper->mark = XML_KEPT;
	said = s1_word(s, stix1_get(wrapper, "Relationship"));
	if (said.n > 0 && json_get(rel->tree, "description") == NULL)
		json_put_str(s->mem, rel->tree, "description", said);
	s1_confidence(s, rel->tree, stix1_get(wrapper, "Confidence"));
}

/* Something that is in another document: its id is all we know. */
static struct s1_obj *
elsewhere(struct s1 *s, const struct row *row, struct xml_node *n)
{
	struct slice idref = slice_trim(xml_value(n, "idref"));
	struct s1_obj *ob;

	if (row->type == NULL || idref.n == 0 || s1_by_id(s, idref) != NULL)
		return NULL;
	ob = arena_alloc(s->mem, sizeof(*ob));
	ob->id = s1_id(s, row->type, s1_uuid_of(s, idref));
	ob->label = (struct s1_label){ .tlp = TLP_CLEAR, .label = LABEL_TLP };
	return ob;
}

/* All pairs of a wrapper. */
static void
read_wrapper(struct s1 *s, struct s1_unit *u, const struct row *row, struct xml_node *wrapper)
{
	struct xml_node *inner = stix1_get(wrapper, row->inner);
	struct s1_unit *to;
	struct s1_obj *far = NULL;

	if (inner == NULL && xml_attr(wrapper, "idref") != NULL)
		inner = wrapper;	/* as versions before 1.1 have it */
	if (inner == NULL)
		return;
	to = s1_resolve(s, inner);
	if (to == NULL && s1_is_reference(inner)) {
		far = elsewhere(s, row, inner);
		if (far == NULL)
			s1_warn(s, inner, "UNKNOWN_REFERENCE",
			    "\"%.80s\" names nothing here that becomes an object",
			    xml_value(inner, "idref").p);
	}
	for (size_t i = 0; i < u->faces.n && !s1_is_full(s); i++) {
		/* it is what attacks that exploits, not whom it attacks */
		if (strcmp(row->verb, "targets") == 0 && u->faces.n > 1 &&
		    slice_starts(u->faces.v[i]->id, "identity--"))
			continue;
		if (far != NULL)
			relate(s, u, row, u->faces.v[i], far, wrapper);
		for (size_t k = 0; to != NULL && k < to->faces.n; k++)
			relate(s, u, row, u->faces.v[i], to->faces.v[k], wrapper);
	}
}

/* An infrastructure consists of what characterizes it. */
static void
read_infrastructure(struct s1 *s, struct s1_unit *u)
{
	static const struct row row = { S1_TTP, "", "", "", "consists-of", false, NULL };

	for (size_t i = 0; i < u->faces.n; i++) {
		struct s1_obj *ob = u->faces.v[i];
		struct xml_node *n = stix1_get(ob->from, "Observable_Characterization");

		if (!slice_starts(ob->id, "infrastructure--"))
			continue;
		for (struct xml_node *k = stix1_get(n, "Observable"); k != NULL; k = stix1_more(k)) {
			struct s1_unit *to = s1_resolve(s, k);

			for (size_t m = 0; to != NULL && m < to->faces.n; m++)
				relate(s, u, &row, ob, to->faces.v[m], k);
		}
	}
}

/* Make the relationships of all units. */
void
s1_relate_units(struct s1 *s)
{
	for (size_t i = 0; i < s->nunits; i++) {
		struct s1_unit *u = s->units[i];

		for (size_t r = 0; r < COUNTOF(rows) && u->faces.n > 0; r++) {
			struct xml_node *k;

			if (rows[r].kind != u->kind)
				continue;
			k = stix1_get(stix1_down(u->node, rows[r].list), rows[r].wrapper);
			for (; k != NULL; k = stix1_more(k))
				read_wrapper(s, u, &rows[r], k);
		}
		if (u->kind == S1_TTP)
			read_infrastructure(s, u);
		if (u->kind == S1_INDICATOR)
			s1_relate_sightings(s, u);
	}
}

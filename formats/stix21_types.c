/* stix21_types.c -- see stix21_types.h. It is long because it is the table. */
#include "formats/stix21_types.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "formats/stix21_rows.h"

static const struct stix21_prop kill_chain_phase[] = {
	OTHER("kill_chain_name", R, KIND_LOWER), OTHER("phase_name", R, KIND_LOWER), END
};

static const struct stix21_prop external_reference[] = {
	STRING("source_name", R), STRING("description", 0), OTHER("url", 0, KIND_URL),
	HASHES("hashes"), STRING("external_id", 0),
	{ NULL, KIND_ANY, PROP_REFERENCE, 0, "description url external_id", NULL, 0, 0 }
};

const struct stix21_prop stix21_granular_marking[] = {
	REF("marking_ref", 0, "marking-definition"), OTHER("lang", 0, KIND_LANG),
	STRING("selectors", R | L), END
};

/* Common properties. */
#define VERSIONED(f)							\
	OTHER("created", f, KIND_STAMP), OTHER("modified", f, KIND_STAMP), BOOL("revoked", 0),	\
	STRING("labels", L)
#define CHAIN		OBJECT("kill_chain_phases", L, kill_chain_phase)
#define REFERENCED	OBJECT("external_references", L, external_reference)

static const struct stix21_prop common_domain[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", 0, "identity"), VERSIONED(R),
	INT_IN("confidence", 0, 0, 100), OTHER("lang", 0, KIND_LANG), REFERENCED, MARKED,
	OTHER("extensions", 0, KIND_EXTENSIONS), END
};

static const struct stix21_prop common_extension_definition[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", R, "identity"), VERSIONED(R),
	REFERENCED, MARKED, END
};

/* What is translated has a language; the translation has none. */
static const struct stix21_prop common_language_content[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", 0, "identity"), VERSIONED(R),
	INT_IN("confidence", 0, 0, 100), REFERENCED, MARKED,
	OTHER("extensions", 0, KIND_EXTENSIONS), END
};

static const struct stix21_prop common_marking[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", 0, "identity"),
	TIME("created", R), REFERENCED, MARKED, OTHER("extensions", 0, KIND_EXTENSIONS), END
};

static const struct stix21_prop common_custom[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", 0, "identity"), VERSIONED(0),
	INT_IN("confidence", 0, 0, 100), OTHER("lang", 0, KIND_LANG), REFERENCED, MARKED,
	BOOL("defanged", 0), OTHER("extensions", 0, KIND_EXTENSIONS), END
};

/* Domain objects. */
static const struct stix21_prop attack_pattern[] = {
	STRING("name", R), STRING("description", 0), STRING("aliases", L), CHAIN, END
};
static const struct stix21_prop campaign[] = {
	STRING("name", R), STRING("description", 0), STRING("aliases", L), TIME("first_seen", 0),
	TIME("last_seen", 0), STRING("objective", 0), END
};
static const struct stix21_prop course_of_action[] = {
	STRING("name", R), STRING("description", 0), END
};
static const struct stix21_prop grouping[] = {
	STRING("name", 0), STRING("description", 0), VOCAB("context", R, WORDS_GROUPING_CONTEXT),
	REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop identity[] = {
	STRING("name", R), STRING("description", 0), STRING("roles", L),
	VOCAB("identity_class", 0, WORDS_IDENTITY_CLASS), VOCAB("sectors", L, WORDS_SECTOR),
	STRING("contact_information", 0), END
};
static const struct stix21_prop incident[] = {
	STRING("name", R), STRING("description", 0), CHAIN, END
};
static const struct stix21_prop indicator[] = {
	STRING("name", 0), STRING("description", 0),
	VOCAB("indicator_types", L, WORDS_INDICATOR_TYPE), STRING("pattern", R),
	VOCAB("pattern_type", R, WORDS_PATTERN_TYPE), STRING("pattern_version", 0),
	TIME("valid_from", R), TIME("valid_until", 0), CHAIN, END
};
static const struct stix21_prop infrastructure[] = {
	STRING("name", R), STRING("description", 0),
	VOCAB("infrastructure_types", L, WORDS_INFRASTRUCTURE_TYPE), STRING("aliases", L), CHAIN,
	TIME("first_seen", 0), TIME("last_seen", 0), END
};
static const struct stix21_prop intrusion_set[] = {
	STRING("name", R), STRING("description", 0), STRING("aliases", L), TIME("first_seen", 0),
	TIME("last_seen", 0), STRING("goals", L), VOCAB("resource_level", 0, WORDS_RESOURCE_LEVEL),
	VOCAB("primary_motivation", 0, WORDS_MOTIVATION),
	VOCAB("secondary_motivations", L, WORDS_MOTIVATION), END
};
static const struct stix21_prop location[] = {
	STRING("name", 0), STRING("description", 0), NUMBER_IN("latitude", 0, -90, 90),
	NUMBER_IN("longitude", 0, -180, 180), NUMBER("precision", 0),
	VOCAB("region", 0, WORDS_REGION), OTHER("country", 0, KIND_COUNTRY),
	STRING("administrative_area", 0), STRING("city", 0), STRING("street_address", 0),
	STRING("postal_code", 0), END
};
static const struct stix21_prop malware[] = {
	STRING("name", 0), STRING("description", 0), VOCAB("malware_types", L, WORDS_MALWARE_TYPE),
	BOOL("is_family", R), STRING("aliases", L), CHAIN, TIME("first_seen", 0),
	TIME("last_seen", 0), REF("operating_system_refs", L, "software"),
	VOCAB("architecture_execution_envs", L, WORDS_PROCESSOR),
	VOCAB("implementation_languages", L, WORDS_LANGUAGE),
	VOCAB("capabilities", L, WORDS_MALWARE_CAPABILITY), REF("sample_refs", L, "artifact file"),
	END
};
static const struct stix21_prop malware_analysis[] = {
	STRING("product", R), STRING("version", 0), REF("host_vm_ref", 0, "software"),
	REF("operating_system_ref", 0, "software"), REF("installed_software_refs", L, "software"),
	STRING("configuration_version", 0), STRING("modules", L),
	STRING("analysis_engine_version", 0), STRING("analysis_definition_version", 0),
	TIME("submitted", 0), TIME("analysis_started", 0), TIME("analysis_ended", 0),
	STRING("result_name", 0), VOCAB("result", 0, WORDS_MALWARE_RESULT),
	REF("analysis_sco_refs", L, "@sco"), REF("sample_ref", 0, "@sco"), END
};
static const struct stix21_prop note[] = {
	STRING("abstract", 0), STRING("content", R), STRING("authors", L),
	REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop observed_data[] = {
	TIME("first_observed", R), TIME("last_observed", R),
	INT_IN("number_observed", R, 1, 999999999), DICT("objects", 0, 0),
	REF("object_refs", L, "@sco @sro"), END
};
static const struct stix21_prop opinion[] = {
	STRING("explanation", 0), STRING("authors", L), ENUM("opinion", R, WORDS_OPINION),
	REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop report[] = {
	STRING("name", R), STRING("description", 0), VOCAB("report_types", L, WORDS_REPORT_TYPE),
	TIME("published", R), REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop threat_actor[] = {
	STRING("name", R), STRING("description", 0),
	VOCAB("threat_actor_types", L, WORDS_ACTOR_TYPE), STRING("aliases", L),
	TIME("first_seen", 0), TIME("last_seen", 0), VOCAB("roles", L, WORDS_ACTOR_ROLE),
	STRING("goals", L), VOCAB("sophistication", 0, WORDS_SOPHISTICATION),
	VOCAB("resource_level", 0, WORDS_RESOURCE_LEVEL),
	VOCAB("primary_motivation", 0, WORDS_MOTIVATION),
	VOCAB("secondary_motivations", L, WORDS_MOTIVATION),
	VOCAB("personal_motivations", L, WORDS_MOTIVATION), END
};
static const struct stix21_prop tool[] = {
	STRING("name", R), STRING("description", 0), VOCAB("tool_types", L, WORDS_TOOL_TYPE),
	STRING("aliases", L), CHAIN, STRING("tool_version", 0), END
};
static const struct stix21_prop vulnerability[] = {
	STRING("name", R), STRING("description", 0), END
};

/* Relationship objects. */
#define RELATABLE	"!bundle language-content marking-definition relationship sighting"
static const struct stix21_prop relationship[] = {
	OTHER("relationship_type", R, KIND_VERB), STRING("description", 0),
	REF("source_ref", R, RELATABLE), REF("target_ref", R, RELATABLE), TIME("start_time", 0),
	TIME("stop_time", 0), END
};
static const struct stix21_prop sighting[] = {
	STRING("description", 0), TIME("first_seen", 0), TIME("last_seen", 0),
	INT_IN("count", 0, 0, 999999999), REF("sighting_of_ref", R, "@sdo"),
	REF("observed_data_refs", L, "observed-data"),
	REF("where_sighted_refs", L, "identity location"), BOOL("summary", 0), END
};

/* Meta objects. */
static const struct stix21_prop marking_definition[] = {
	STRING("name", 0), STRING("definition_type", 0), DICT("definition", 0, 0), END
};
static const struct stix21_prop extension_definition[] = {
	STRING("name", R), STRING("description", 0), STRING("schema", R),
	OTHER("version", R, KIND_SEMVER), ENUM("extension_types", R | L, WORDS_EXTENSION_TYPE),
	OTHER("extension_properties", L, KIND_PROPERTY), END
};
static const struct stix21_prop language_content[] = {
	REF("object_ref", R, "!bundle language-content"), TIME("object_modified", 0),
	DICT("contents", R, 0), END
};

#define SEEN	{ RULE_ORDER, "first_seen", "last_seen" }

/* All types but observables, sorted by name. */
static const struct stix21_type types[] = {
	{ "attack-pattern", common_domain, attack_pattern, NULL, SPECIAL_NONE },
	{ "campaign", common_domain, campaign, RULES(SEEN), SPECIAL_NONE },
	{ "course-of-action", common_domain, course_of_action, NULL, SPECIAL_NONE },
	{ "extension-definition", common_extension_definition, extension_definition, NULL,
	    SPECIAL_EXTENSION },
	{ "grouping", common_domain, grouping, NULL, SPECIAL_NONE },
	{ "identity", common_domain, identity, NULL, SPECIAL_NONE },
	{ "incident", common_domain, incident, NULL, SPECIAL_NONE },
	{ "indicator", common_domain, indicator,
	    RULES({ RULE_AFTER, "valid_from", "valid_until" }), SPECIAL_INDICATOR },
	{ "infrastructure", common_domain, infrastructure, RULES(SEEN), SPECIAL_NONE },
	{ "intrusion-set", common_domain, intrusion_set, RULES(SEEN), SPECIAL_NONE },
	{ "language-content", common_language_content, language_content, NULL, SPECIAL_LANGUAGE },
	{ "location", common_domain, location, RULES(
	    { RULE_ONE_OF, "region country latitude", NULL },
	    { RULE_NEEDS, "latitude", "longitude" }, { RULE_NEEDS, "longitude", "latitude" },
	    { RULE_NEEDS, "precision", "latitude" }), SPECIAL_NONE },
	{ "malware", common_domain, malware,
	    RULES(SEEN, { RULE_IF_TRUE_NEEDS, "is_family", "name" }), SPECIAL_NONE },
	{ "malware-analysis", common_domain, malware_analysis, RULES(
	    { RULE_ONE_OF, "result analysis_sco_refs", NULL },
	    { RULE_ORDER, "analysis_started", "analysis_ended" }), SPECIAL_NONE },
	{ "marking-definition", common_marking, marking_definition, RULES(
	    { RULE_NEEDS, "definition_type", "definition" },
	    { RULE_NEEDS, "definition", "definition_type" },
	    { RULE_ONE_OF, "definition definition_type extensions", NULL }), SPECIAL_MARKING },
	{ "note", common_domain, note, NULL, SPECIAL_NONE },
	{ "observed-data", common_domain, observed_data, RULES(
	    { RULE_ONE_OF, "objects object_refs", NULL },
	    { RULE_NOT_BOTH, "objects", "object_refs" },
	    { RULE_ORDER, "first_observed", "last_observed" }), SPECIAL_OBSERVED_DATA },
	{ "opinion", common_domain, opinion, NULL, SPECIAL_NONE },
	{ "relationship", common_domain, relationship,
	    RULES({ RULE_AFTER, "start_time", "stop_time" }), SPECIAL_RELATIONSHIP },
	{ "report", common_domain, report, NULL, SPECIAL_NONE },
	{ "sighting", common_domain, sighting, RULES(SEEN), SPECIAL_NONE },
	{ "threat-actor", common_domain, threat_actor, RULES(SEEN), SPECIAL_NONE },
	{ "tool", common_domain, tool, NULL, SPECIAL_NONE },
	{ "vulnerability", common_domain, vulnerability, NULL, SPECIAL_NONE },
};

/* Built once from the tables: a shape for each type, observables behind the others, and three for types
 * that STIX does not define. */
enum { SHAPES_MAX = 64 };
enum custom { CUSTOM, CUSTOM_DOMAIN, CUSTOM_OBSERVABLE, CUSTOMS };
static struct {
	struct names		 types;
	struct stix21_shape	 shape[SHAPES_MAX], custom[CUSTOMS];
} index_of;
static pthread_once_t indexed = PTHREAD_ONCE_INIT;

static void
add_rows(struct stix21_shape *s, const struct stix21_prop *rows, unsigned from)
{
	for (unsigned i = 0; rows[i].name != NULL; i++)
		names_add(&s->rows, rows[i].name, from + i);
}

static void
add_types(const struct stix21_type *t, size_t n, unsigned from)
{
	for (unsigned i = 0; i < n; i++) {
		struct stix21_shape *s = &index_of.shape[from + i];

		s->type = &t[i];
		s->common = t[i].common;
		add_rows(s, s->common, 0);
		add_rows(s, t[i].own, STIX21_PROPS_MAX);
		names_add(&index_of.types, t[i].name, from + i);
	}
}

static void
add_custom(enum custom which, const struct stix21_prop *common)
{
	index_of.custom[which].common = common;
	add_rows(&index_of.custom[which], common, 0);
}

static void
make_index(void)
{
	size_t n;
	const struct stix21_type *observables = stix21_observables(&n);

	add_types(types, COUNTOF(types), 0);
	add_types(observables, n, COUNTOF(types));
	add_custom(CUSTOM, common_custom);
	add_custom(CUSTOM_DOMAIN, common_domain);
	add_custom(CUSTOM_OBSERVABLE, observables->common);
}

/* Return the rows of a type, or NULL. */
const struct stix21_shape *
stix21_shape_find(struct slice type)
{
	unsigned i;

	pthread_once(&indexed, make_index);
	i = names_find(&index_of.types, type);
	return i == NAMES_NONE ? NULL : &index_of.shape[i];
}

/* Return the row of a type, or NULL. */
const struct stix21_type *
stix21_type_find(struct slice type)
{
	const struct stix21_shape *s = stix21_shape_find(type);

	return s == NULL ? NULL : s->type;
}

/* Return the common rows of a type that the standard does not know. */
const struct stix21_shape *
stix21_custom_shape(struct slice extension_type)
{
	pthread_once(&indexed, make_index);
	if (slice_is(extension_type, "new-sdo") || slice_is(extension_type, "new-sro"))
		return &index_of.custom[CUSTOM_DOMAIN];
	if (slice_is(extension_type, "new-sco"))
		return &index_of.custom[CUSTOM_OBSERVABLE];
	return &index_of.custom[CUSTOM];
}

/* Return the row of a member, or NULL. */
const struct stix21_prop *
stix21_prop_find(const struct stix21_prop *table, const json *member)
{
	for (; table->name != NULL; table++)
		if (table->tag == json_name_tag(member) && strcmp(table->name, json_name(member)) == 0)
			return table;
	return NULL;
}

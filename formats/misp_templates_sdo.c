/* misp_templates_sdo.c -- object templates of MISP that are SDOs in STIX, and the search for one.
 * See misp.h. */
#include <string.h>

#include "formats/misp.h"
#include "gateway/base/arena.h"

#define END	{ NULL, NULL, { NULL, MISP_TEXT } }

static const struct misp_relation vulnerability[] = {
	{ "id", "vulnerability", { "name", MISP_TEXT } },
	{ "id", "vulnerability", { "@cve", MISP_TEXT } },
	{ "description", "text", { "description", MISP_TEXT } },
	{ "summary", "text", { "description", MISP_TEXT } },
	{ "references", "link", { "@url", MISP_TEXT } }, END
};

static const struct misp_relation weakness[] = {
	{ "id", "weakness", { "name", MISP_TEXT } }, { "id", "weakness", { "@cwe", MISP_TEXT } },
	{ "name", "text", { "description", MISP_TEXT } }, END
};

static const struct misp_relation course_of_action[] = {
	{ "name", "text", { "name", MISP_TEXT } },
	{ "description", "text", { "description", MISP_TEXT } }, END
};

static const struct misp_relation attack_pattern[] = {
	{ "name", "text", { "name", MISP_TEXT } }, { "id", "text", { "@capec", MISP_TEXT } },
	{ "summary", "text", { "description", MISP_TEXT } },
	{ "references", "link", { "@url", MISP_TEXT } }, END
};

static const struct misp_relation intrusion_set[] = {
	{ "name", "text", { "name", MISP_TEXT } },
	{ "description", "text", { "description", MISP_TEXT } },
	{ "aliases", "text", { "aliases[*]", MISP_TEXT } },
	{ "goals", "text", { "goals[*]", MISP_TEXT } },
	{ "resource_level", "text", { "resource_level", MISP_TEXT } },
	{ "primary-motivation", "text", { "primary_motivation", MISP_TEXT } },
	{ "secondary-motivation", "text", { "secondary_motivations[*]", MISP_TEXT } },
	{ "first_seen", "datetime", { "first_seen", MISP_TIME } },
	{ "last_seen", "datetime", { "last_seen", MISP_TIME } }, END
};

static const struct misp_relation identity[] = {
	{ "name", "text", { "name", MISP_TEXT } },
	{ "description", "text", { "description", MISP_TEXT } },
	{ "identity_class", "text", { "identity_class", MISP_TEXT } },
	{ "contact_information", "text", { "contact_information", MISP_TEXT } },
	{ "roles", "text", { "roles[*]", MISP_TEXT } },
	{ "sectors", "text", { "sectors[*]", MISP_TEXT } }, END
};

static const struct misp_relation organization[] = {
	{ "name", "text", { "name", MISP_TEXT } },
	{ "description", "text", { "description", MISP_TEXT } },
	{ "role", "text", { "roles[*]", MISP_TEXT } },
	{ "contact_information", "text", { "contact_information", MISP_TEXT } },
	{ "address", "text", { "+address", MISP_TEXT } },
	{ "e-mail", "email-src", { "+e-mail", MISP_TEXT } },
	{ "phone-number", "phone-number", { "+phone-number", MISP_TEXT } },
	{ "fax-number", "phone-number", { "+fax-number", MISP_TEXT } }, END
};

static const struct misp_relation legal_entity[] = {
	{ "name", "text", { "name", MISP_TEXT } },
	{ "text", "text", { "description", MISP_TEXT } },
	{ "business", "text", { "sectors[*]", MISP_TEXT } },
	{ "phone-number", "phone-number", { "+phone-number", MISP_TEXT } },
	{ "website", "link", { "+website", MISP_TEXT } }, END
};

static const struct misp_relation news_agency[] = {
	{ "name", "text", { "name", MISP_TEXT } },
	{ "address", "text", { "+address", MISP_TEXT } },
	{ "e-mail", "email-src", { "+e-mail", MISP_TEXT } },
	{ "phone-number", "phone-number", { "+phone-number", MISP_TEXT } },
	{ "fax-number", "phone-number", { "+fax-number", MISP_TEXT } },
	{ "link", "link", { "+link", MISP_TEXT } }, END
};

static const struct misp_relation employee[] = {
	{ "full-name", "full-name", { "name", MISP_TEXT } },
	{ "first-name", "first-name", { "&name", MISP_TEXT } },
	{ "last-name", "last-name", { "&name", MISP_TEXT } },
	{ "text", "text", { "description", MISP_TEXT } },
	{ "employee-type", "text", { "roles[*]", MISP_TEXT } },
	{ "email-address", "target-email", { "+email-address", MISP_TEXT } }, END
};

static const struct misp_relation person[] = {
	{ "full-name", "full-name", { "name", MISP_TEXT } },
	{ "first-name", "first-name", { "&name", MISP_TEXT } },
	{ "last-name", "last-name", { "&name", MISP_TEXT } },
	{ "text", "text", { "description", MISP_TEXT } },
	{ "role", "text", { "roles[*]", MISP_TEXT } },
	{ "e-mail", "email-src", { "+e-mail", MISP_TEXT } },
	{ "phone-number", "phone-number", { "+phone-number", MISP_TEXT } },
	{ "address", "text", { "+address", MISP_TEXT } }, END
};

static const struct misp_relation geolocation[] = {
	{ "text", "text", { "description", MISP_TEXT } },
	{ "address", "text", { "street_address", MISP_TEXT } },
	{ "city", "text", { "city", MISP_TEXT } },
	{ "zipcode", "text", { "postal_code", MISP_TEXT } },
	{ "region", "text", { "administrative_area", MISP_TEXT } },
	{ "countrycode", "text", { "country", MISP_TEXT } },
	{ "country", "text", { "country", MISP_TEXT } },
	{ "latitude", "float", { "latitude", MISP_FLOAT } },
	{ "longitude", "float", { "longitude", MISP_FLOAT } },
	{ "accuracy-radius", "float", { "precision", MISP_FLOAT } }, END
};

static const struct misp_relation script[] = {
	{ "filename", "filename", { "name", MISP_TEXT } },
	{ "comment", "text", { "description", MISP_TEXT } },
	{ "language", "text", { "implementation_languages[*]", MISP_TEXT } }, END
};

static const struct misp_relation annotation[] = {
	{ "text", "text", { "content", MISP_TEXT } },
	{ "type", "text", { "abstract", MISP_TEXT } }, END
};

static const struct misp_relation yara[] = {
	{ "yara", "yara", { "pattern", MISP_TEXT } },
	{ "yara-rule-name", "text", { "name", MISP_TEXT } },
	{ "comment", "comment", { "description", MISP_TEXT } },
	{ "version", "text", { "pattern_version", MISP_TEXT } },
	{ "reference", "link", { "@url", MISP_TEXT } }, END
};

static const struct misp_relation sigma[] = {
	{ "sigma", "sigma", { "pattern", MISP_TEXT } },
	{ "sigma-rule-name", "text", { "name", MISP_TEXT } },
	{ "comment", "comment", { "description", MISP_TEXT } },
	{ "reference", "link", { "@url", MISP_TEXT } }, END
};

static const struct misp_relation suricata[] = {
	{ "suricata", "suricata", { "pattern", MISP_TEXT } },
	{ "comment", "comment", { "description", MISP_TEXT } },
	{ "version", "text", { "pattern_version", MISP_TEXT } },
	{ "ref", "link", { "@url", MISP_TEXT } }, END
};

static const struct misp_relation nova_rule[] = {
	{ "raw-rule", "text", { "pattern", MISP_TEXT } },
	{ "rule-name", "text", { "name", MISP_TEXT } },
	{ "description", "text", { "description", MISP_TEXT } },
	{ "reference", "link", { "@url", MISP_TEXT } }, END
};

static const struct misp_relation owasp_crs_rule[] = {
	{ "raw-rule", "text", { "pattern", MISP_TEXT } },
	{ "rule-id", "text", { "name", MISP_TEXT } },
	{ "reference", "link", { "@url", MISP_TEXT } }, END
};

static const struct misp_relation wazuh_rule[] = {
	{ "wazuh-rule", "text", { "pattern", MISP_TEXT } },
	{ "rule-id", "text", { "name", MISP_TEXT } },
	{ "comment", "comment", { "description", MISP_TEXT } },
	{ "version", "text", { "pattern_version", MISP_TEXT } },
	{ "reference", "link", { "@url", MISP_TEXT } }, END
};

static const char vulnerability_others[] =
	"created:datetime credit:text cvss-score:float cvss-string:text impact:text "
	"modified:datetime payload:text published:datetime state:text "
	"vulnerable-configuration:cpe";

static const char weakness_others[] =
	"description:text status:text weakness-abs:text";

static const char course_of_action_others[] =
	"cost:text efficacy:text impact:text objective:text stage:text type:text";

static const char attack_pattern_others[] =
	"prerequisites:text related-weakness:weakness solutions:text";

static const char organization_others[] =
	"VAT:text alias:text date-of-inception:datetime misp-uuid:text registration-number:text "
	"sector:text type-of-organization:text";

static const char legal_entity_others[] =
	"commercial-name:text legal-form:text logo:attachment registration-number:text";

static const char news_agency_others[] =
	"alias:text archive:link attachment:attachment url:url";

static const char employee_others[] =
	"business-unit:target-org primary-asset:target-machine userid:target-user";

static const char person_others[] =
	"alias:text birth-certificate-number:text date-of-birth:date-of-birth dni:text "
	"fax-number:phone-number function:text gender:gender handle:text "
	"identity-card-number:identity-card-number instant-messaging-used:text ip-src:ip-src "
	"middle-name:middle-name mothers-name:text nationality:nationality nic-hdl:text nie:text "
	"nif:text occupation:text ofac-identification-number:text "
	"passport-country:passport-country passport-creation:datetime "
	"passport-expiration:passport-expiration passport-number:passport-number "
	"place-of-birth:place-of-birth portrait:attachment redress-number:redress-number "
	"social-security-number:text title:text";

static const char geolocation_others[] =
	"altitude:float epsg:text first-seen:datetime last-seen:datetime neighborhood:text "
	"spacial-reference:text";

static const char script_others[] =
	"script:text script-as-attachment:attachment state:text";

static const char annotation_others[] =
	"attachment:attachment creation-date:datetime format:text modification-date:datetime "
	"ref:link";

static const char yara_others[] =
	"context:text false-positive:boolean md5:md5 sha1:sha1 sha256:sha256 sha512:sha512 "
	"ssdeep:ssdeep tlsh:tlsh";

static const char sigma_others[] =
	"context:text";

static const char nova_rule_others[] =
	"author:text category:text condition:text file:filename keyword:text keyword-id:text "
	"llm-check:text llm-threshold:float semantic-pattern:text semantic-threshold:float "
	"severity:text";

static const char owasp_crs_rule_others[] =
	"action:text category:text crs-version:text file:filename message:text operator:text "
	"paranoia-level:text phase:text severity:text tag:text target:text";

static const char wazuh_rule_others[] =
	"decoded_as:text description:text field:text frequency:text group:text if_group:text "
	"if_level:text if_matched_group:text if_matched_sid:text if_sid:text ignore:text "
	"level:text match:text mitre-id:text noalert:text options:text timeframe:text";

/* name, meta-category, uuid, version, observable, SDO, relations, others */
const struct misp_template misp_sdo_templates[] = {
	{ "vulnerability", "vulnerability", "81650945-f186-437b-8945-9f31715d32da", "12",
	    NULL, "vulnerability", vulnerability, vulnerability_others },
	{ "weakness", "vulnerability", "b8713fc0-d7a2-4b27-a182-38ed47966802", "1",
	    NULL, "vulnerability", weakness, weakness_others },
	{ "course-of-action", "misc", "3d1c2c06-68a9-4394-8c8d-258d115f796f", "1",
	    NULL, "course-of-action", course_of_action, course_of_action_others },
	{ "attack-pattern", "vulnerability", "35928348-56be-4d7f-9752-a80927936351", "1",
	    NULL, "attack-pattern", attack_pattern, attack_pattern_others },
	{ "intrusion-set", "misc", "bfe96eae-e37a-4ecf-8012-1cdb478571a5", "1",
	    NULL, "intrusion-set", intrusion_set, NULL },
	{ "identity", "misc", "ae85b960-b507-4de2-a32c-9cfb8f25f990", "1",
	    NULL, "identity", identity, NULL },
	{ "organization", "misc", "f750e12b-127a-432c-b022-b3f9153c4e2a", "9",
	    NULL, "identity", organization, organization_others },
	{ "legal-entity", "misc", "14f5688f-d89c-469f-9878-c48bf6c41c65", "2",
	    NULL, "identity", legal_entity, legal_entity_others },
	{ "news-agency", "misc", "92b3f7fd-c4bc-42af-a73b-033ace439622", "2",
	    NULL, "identity", news_agency, news_agency_others },
	{ "employee", "misc", "443b2f15-d7c9-4d3d-bfd2-38f099753e83", "1",
	    NULL, "identity", employee, employee_others },
	{ "person", "misc", "a15b0477-e9d1-4b9c-9546-abe78a4f4248", "21",
	    NULL, "identity", person, person_others },
	{ "geolocation", "misc", "cd6f2238-ba55-4888-82c4-104e6e1acf21", "8",
	    NULL, "location", geolocation, geolocation_others },
	{ "script", "misc", "6bce7d01-dbec-4054-b3c2-3655a19382e2", "7",
	    NULL, "malware", script, script_others },
	{ "annotation", "misc", "5d8dc046-15a1-4ca3-a09f-ed4ede7c4487", "3",
	    NULL, "note", annotation, annotation_others },
	{ "yara", "misc", "b5acf82e-ecca-4868-82fe-9dbdf4d808c3", "9",
	    NULL, "indicator", yara, yara_others },
	{ "sigma", "misc", "aa21a3cd-ab2c-442a-9999-a5e6626591ec", "2",
	    NULL, "indicator", sigma, sigma_others },
	{ "suricata", "network", "3c177337-fb80-405a-a6c1-1b2ddea8684a", "2",
	    NULL, "indicator", suricata, NULL },
	{ "nova-rule", "detection", "3c4669ee-c659-40c7-93ea-d4149bded584", "1",
	    NULL, "indicator", nova_rule, nova_rule_others },
	{ "owasp-crs-rule", "network", "8f0a7d9a-7b5d-4d6e-9d7b-2b2d9d9d1001", "1",
	    NULL, "indicator", owasp_crs_rule, owasp_crs_rule_others },
	{ "wazuh-rule", "misc", "5150952e-4a21-4011-aa20-204b6459e657", "1",
	    NULL, "indicator", wazuh_rule, wazuh_rule_others },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }
};

/* Return the template of that name, NULL if we have none. */
const struct misp_template *
misp_template_find(struct slice name)
{
	static const struct misp_template *const lists[] = {
		misp_observable_templates, misp_sdo_templates
	};

	for (size_t i = 0; i < COUNTOF(lists); i++)
		for (const struct misp_template *t = lists[i]; t->name != NULL; t++)
			if (slice_is(name, t->name))
				return t;
	return NULL;
}

/* Return the first row of a relation, NULL if the template has none. */
const struct misp_relation *
misp_relation_find(const struct misp_template *t, struct slice name)
{
	for (const struct misp_relation *r = t->relations; r->name != NULL; r++)
		if (slice_is(name, r->name))
			return r;
	return NULL;
}

/* Return the type that the template gives to a relation that STIX has no place for; "text" if it has none.
 * What stands in custom properties of others has _ for -. */
const char *
misp_other_type(const struct misp_template *t, struct arena *mem, char *relation)
{
	struct slice rest = slice_of(t == NULL ? NULL : t->others);
	const struct misp_relation *r = t == NULL ? NULL : misp_relation_find(t, slice_of(relation));

	if (r != NULL)
		return r->type;
	while (rest.n > 0) {
		struct slice type = slice_cut(&rest, ' '), name = slice_cut(&type, ':');
		bool same = name.n == strlen(relation);

		for (size_t i = 0; same && i < name.n; i++)
			same = name.p[i] == relation[i] || (name.p[i] == '_' && relation[i] == '-');
		if (!same)
			continue;
		memcpy(relation, name.p, name.n);
		return arena_str(mem, type);
	}
	return "text";
}

/* Return the template that an observable of this type is written by, NULL if none. */
const struct misp_template *
misp_template_of_root(struct slice type)
{
	static const struct { const char *root, *name; } homes[] = {
		{ "file", "file" }, { "domain-name", "domain-ip" },
		{ "network-traffic", "network-connection" }, { "email-message", "email" },
		{ "windows-registry-key", "registry-key" }, { "process", "process" },
		{ "x509-certificate", "x509" }, { "url", "url" }, { "user-account", "user-account" },
		{ "autonomous-system", "asn" }, { "mutex", "mutex" }, { "directory", "directory" },
		{ "software", "software" }, { "artifact", "artifact" }
	};

	for (size_t i = 0; i < COUNTOF(homes); i++)
		if (slice_is(type, homes[i].root))
			return misp_template_find(slice_of(homes[i].name));
	return NULL;
}

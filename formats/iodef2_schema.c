/* iodef2_schema.c -- the classes and enumerations of RFC 7970 as tables: one row says it all.
 *
 * Where prose and schema of the RFC contradict each other, both are accepted (reference: iodef.md
 * section 1.6); the order is that of the schema. */
#include <pthread.h>
#include <stdint.h>

#include "formats/iodef2.h"
#include "formats/names.h"

#define ONE(n)		{ n, 1, 1, NULL }
#define OPT(n)		{ n, 0, 1, NULL }
#define ANY(n)		{ n, 0, 0, NULL }
#define SOME(n)		{ n, 1, 0, NULL }
#define FOREIGN(n, min, max, ns) { n, min, max, ns }
#define KIDS(...)	(const struct iodef2_child[]){ __VA_ARGS__, { NULL, 0, 0, NULL } }
#define RX		"restriction ext-restriction"
#define OID		" observable-id"

static const struct iodef2_class classes[] = {
	{ "IODEF-Document", IODEF2_ELEMENTS,
	  "version! xml:lang format-id private-enum-name private-enum-id",
	  KIDS(SOME("Incident"), ANY("AdditionalData")), false },
	{ "Incident", IODEF2_ELEMENTS, "purpose! ext-purpose status ext-status xml:lang " RX OID,
	  KIDS(ONE("IncidentID"), OPT("AlternativeID"), ANY("RelatedActivity"), OPT("DetectTime"),
	    OPT("StartTime"), OPT("EndTime"), OPT("RecoveryTime"), OPT("ReportTime"),
	    ONE("GenerationTime"), ANY("Description"), ANY("Discovery"), ANY("Assessment"),
	    ANY("Method"), SOME("Contact"), ANY("EventData"), OPT("IndicatorData"), OPT("History"),
	    ANY("AdditionalData")), false },
	{ "IncidentID", IODEF2_TEXT, "name! instance " RX, NULL, false },
	{ "AlternativeID", IODEF2_ELEMENTS, RX, KIDS(SOME("IncidentID")), false },
	{ "RelatedActivity", IODEF2_ELEMENTS, RX,
	  KIDS(ANY("IncidentID"), ANY("URL"), ANY("ThreatActor"), ANY("Campaign"), ANY("IndicatorID"),
	    OPT("Confidence"), ANY("Description"), ANY("AdditionalData")), false },
	{ "ThreatActor", IODEF2_ELEMENTS, RX,
	  KIDS(ANY("ThreatActorID"), ANY("URL"), ANY("Description"), ANY("AdditionalData")), false },
	{ "Campaign", IODEF2_ELEMENTS, RX,
	  KIDS(ANY("CampaignID"), ANY("URL"), ANY("Description"), ANY("AdditionalData")), false },
	{ "Contact", IODEF2_ELEMENTS, "role! ext-role type! ext-type " RX,
	  KIDS(ANY("ContactName"), ANY("ContactTitle"), ANY("Description"), ANY("RegistryHandle"),
	    ANY("PostalAddress"), ANY("Email"), ANY("Telephone"), OPT("Timezone"), ANY("Contact"),
	    ANY("AdditionalData")), false },
	{ "RegistryHandle", IODEF2_TEXT, "registry ext-registry", NULL, false },
	{ "PostalAddress", IODEF2_ELEMENTS, "type ext-type",
	  KIDS(ONE("PAddress"), ANY("Description")), false },
	{ "Email", IODEF2_ELEMENTS, "type ext-type", KIDS(ONE("EmailTo"), ANY("Description")), false },
	{ "Telephone", IODEF2_ELEMENTS, "type ext-type",
	  KIDS(ONE("TelephoneNumber"), ANY("Description")), false },
	{ "Discovery", IODEF2_ELEMENTS, "source ext-source " RX,
	  KIDS(ANY("Description"), ANY("Contact"), ANY("DetectionPattern")), false },
	{ "DetectionPattern", IODEF2_ELEMENTS, RX OID,
	  KIDS(ONE("Application"), ANY("Description"), ANY("DetectionConfiguration")), false },
	{ "Method", IODEF2_ELEMENTS, RX,
	  KIDS(ANY("Reference"), ANY("Description"), FOREIGN("AttackPattern", 0, 0, IODEF2_NS_SCI),
	    FOREIGN("Vulnerability", 0, 0, IODEF2_NS_SCI), FOREIGN("Weakness", 0, 0, IODEF2_NS_SCI),
	    ANY("AdditionalData")), false },
	{ "Reference", IODEF2_ELEMENTS, "observable-id",
	  KIDS(FOREIGN("ReferenceName", 0, 1, IODEF2_NS_ENUM), ANY("URL"), ANY("Description")), false },
	{ "Assessment", IODEF2_ELEMENTS, "occurrence " RX OID,
	  KIDS(ANY("IncidentCategory"), ANY("SystemImpact"), ANY("BusinessImpact"), ANY("TimeImpact"),
	    ANY("MonetaryImpact"), ANY("IntendedImpact"), ANY("Counter"), ANY("MitigatingFactor"),
	    ANY("Cause"), OPT("Confidence"), ANY("AdditionalData")), false },
	{ "SystemImpact", IODEF2_ELEMENTS, "severity completion type ext-type",
	  KIDS(ANY("Description")), false },
	{ "BusinessImpact", IODEF2_ELEMENTS, "severity ext-severity type ext-type",
	  KIDS(ANY("Description")), false },
	{ "IntendedImpact", IODEF2_ELEMENTS, "severity ext-severity type ext-type",
	  KIDS(ANY("Description")), false },
	{ "TimeImpact", IODEF2_REAL, "severity metric! ext-metric duration ext-duration", NULL, false },
	{ "MonetaryImpact", IODEF2_REAL, "severity currency", NULL, false },
	{ "Confidence", IODEF2_TEXT, "rating! ext-rating", NULL, false },
	{ "History", IODEF2_ELEMENTS, RX, KIDS(SOME("HistoryItem")), false },
	{ "HistoryItem", IODEF2_ELEMENTS, "action! ext-action " RX OID,
	  KIDS(ONE("DateTime"), OPT("IncidentID"), OPT("Contact"), ANY("Description"),
	    ANY("DefinedCOA"), ANY("AdditionalData")), false },
	{ "EventData", IODEF2_ELEMENTS, RX OID,
	  KIDS(ANY("Description"), OPT("DetectTime"), OPT("StartTime"), OPT("EndTime"),
	    OPT("RecoveryTime"), OPT("ReportTime"), ANY("Contact"), ANY("Discovery"),
	    OPT("Assessment"), ANY("Method"), ANY("Flow"), ANY("Expectation"), OPT("Record"),
	    ANY("EventData"), ANY("AdditionalData")), false },
	{ "Expectation", IODEF2_ELEMENTS, "action ext-action severity " RX OID,
	  KIDS(ANY("Description"), ANY("DefinedCOA"), OPT("StartTime"), OPT("EndTime"),
	    OPT("Contact")), false },
	{ "Flow", IODEF2_ELEMENTS, "", KIDS(SOME("System")), false },
	{ "System", IODEF2_ELEMENTS,
	  "category ext-category interface spoofed virtual ownership ext-ownership " RX OID,
	  KIDS(ONE("Node"), ANY("NodeRole"), ANY("Service"), ANY("OperatingSystem"), ANY("Counter"),
	    ANY("AssetID"), ANY("Description"), ANY("AdditionalData")), false },
	{ "Node", IODEF2_ELEMENTS, "",
	  KIDS(ANY("DomainData"), ANY("Address"), OPT("PostalAddress"), ANY("Location"),
	    ANY("Counter")), false },
	{ "Address", IODEF2_TEXT, "category ext-category vlan-name vlan-num" OID, NULL, false },
	{ "NodeRole", IODEF2_ELEMENTS, "category! ext-category", KIDS(ANY("Description")), false },
	{ "Counter", IODEF2_REAL, "type! ext-type unit! ext-unit meaning duration ext-duration", NULL,
	  false },
	{ "DomainData", IODEF2_ELEMENTS,
	  "system-status ext-system-status domain-status ext-domain-status" OID,
	  KIDS(ONE("Name"), OPT("DateDomainWasChecked"), OPT("RegistrationDate"),
	    OPT("ExpirationDate"), ANY("RelatedDNS"), ANY("Nameservers"), OPT("DomainContacts")),
	  false },
	{ "Nameservers", IODEF2_ELEMENTS, "", KIDS(ONE("Server"), SOME("Address")), false },
	{ "DomainContacts", IODEF2_ELEMENTS, "", KIDS(OPT("SameDomainContact"), ANY("Contact")), false },
	{ "Service", IODEF2_ELEMENTS, "ip-protocol" OID,
	  KIDS(OPT("ServiceName"), OPT("Port"), OPT("Portlist"), OPT("ProtoType"), OPT("ProtoCode"),
	    OPT("ProtoField"), OPT("ApplicationHeader"), OPT("EmailData"), OPT("Application")), false },
	{ "ServiceName", IODEF2_ELEMENTS, "",
	  KIDS(OPT("IANAService"), ANY("URL"), ANY("Description")), false },
	{ "ApplicationHeader", IODEF2_ELEMENTS, "", KIDS(SOME("ApplicationHeaderField")), false },
	{ "EmailData", IODEF2_ELEMENTS, "observable-id",
	  KIDS(ANY("EmailTo"), OPT("EmailFrom"), OPT("EmailSubject"), OPT("EmailX-Mailer"),
	    ANY("EmailHeaderField"), OPT("EmailHeaders"), OPT("EmailBody"), OPT("EmailMessage"),
	    ANY("HashData"), ANY("SignatureData")), false },
	{ "Record", IODEF2_ELEMENTS, RX, KIDS(SOME("RecordData")), false },
	{ "RecordData", IODEF2_ELEMENTS, RX OID,
	  KIDS(OPT("DateTime"), ANY("Description"), OPT("Application"), ANY("RecordPattern"),
	    ANY("RecordItem"), ANY("URL"), ANY("FileData"), ANY("WindowsRegistryKeysModified"),
	    ANY("CertificateData"), ANY("AdditionalData")), false },
	{ "RecordPattern", IODEF2_TEXT, "type ext-type offset offsetunit ext-offsetunit instance", NULL,
	  false },
	{ "WindowsRegistryKeysModified", IODEF2_ELEMENTS, "observable-id", KIDS(SOME("Key")), false },
	{ "Key", IODEF2_ELEMENTS, "registryaction ext-registryaction" OID,
	  KIDS(ONE("KeyName"), OPT("Value"), OPT("KeyValue")), false },
	{ "CertificateData", IODEF2_ELEMENTS, RX OID, KIDS(SOME("Certificate")), false },
	{ "Certificate", IODEF2_ELEMENTS, "observable-id",
	  KIDS(FOREIGN("X509Data", 1, 1, IODEF2_NS_DS), ANY("Description")), false },
	{ "FileData", IODEF2_ELEMENTS, RX OID, KIDS(SOME("File")), false },
	{ "File", IODEF2_ELEMENTS, "observable-id",
	  KIDS(OPT("FileName"), OPT("FileSize"), OPT("FileType"), ANY("URL"), OPT("HashData"),
	    OPT("SignatureData"), OPT("AssociatedSoftware"), ANY("FileProperties")), false },
	{ "HashData", IODEF2_ELEMENTS, "scope! ext-scope",
	  KIDS(OPT("HashTargetID"), ANY("Hash"), ANY("FuzzyHash")), false },
	{ "Hash", IODEF2_ELEMENTS, "",
	  KIDS(FOREIGN("DigestMethod", 1, 1, IODEF2_NS_DS), FOREIGN("DigestValue", 1, 1, IODEF2_NS_DS),
	    FOREIGN("CanonicalizationMethod", 0, 1, IODEF2_NS_DS), OPT("Application")), false },
	{ "FuzzyHash", IODEF2_ELEMENTS, "",
	  KIDS(SOME("FuzzyHashValue"), OPT("Application"), ANY("AdditionalData")), false },
	{ "SignatureData", IODEF2_ELEMENTS, "", KIDS(FOREIGN("Signature", 1, 0, IODEF2_NS_DS)), false },
	{ "IndicatorData", IODEF2_ELEMENTS, "", KIDS(SOME("Indicator")), false },
	{ "Indicator", IODEF2_ELEMENTS, RX,
	  KIDS(ONE("IndicatorID"), ANY("AlternativeIndicatorID"), ANY("Description"), OPT("StartTime"),
	    OPT("EndTime"), OPT("Confidence"), ANY("Contact"), OPT("Observable"),
	    OPT("ObservableReference"), OPT("IndicatorExpression"), OPT("IndicatorReference"),
	    ANY("NodeRole"), ANY("AttackPhase"), ANY("Reference"), ANY("AdditionalData")), false },
	{ "IndicatorID", IODEF2_TEXT, "name! version!", NULL, false },
	{ "AlternativeIndicatorID", IODEF2_ELEMENTS, RX,
	  KIDS(ANY("IndicatorID"), ANY("IndicatorReference")), false },
	{ "Observable", IODEF2_ELEMENTS, RX,
	  KIDS(OPT("System"), OPT("Address"), OPT("DomainData"), OPT("Service"), OPT("EmailData"),
	    OPT("WindowsRegistryKeysModified"), OPT("FileData"), OPT("CertificateData"),
	    OPT("RegistryHandle"), OPT("RecordData"), OPT("EventData"), OPT("Incident"),
	    OPT("Expectation"), OPT("Reference"), OPT("Assessment"), OPT("DetectionPattern"),
	    OPT("HistoryItem"), OPT("BulkObservable"), ANY("AdditionalData")), true },
	{ "BulkObservable", IODEF2_ELEMENTS, "type ext-type",
	  KIDS(OPT("BulkObservableFormat"), ONE("BulkObservableList"), ANY("AdditionalData")), false },
	{ "BulkObservableFormat", IODEF2_ELEMENTS, "", KIDS(OPT("Hash"), ANY("AdditionalData")), false },
	/* any order among its children: each member may be followed by its Confidence */
	{ "IndicatorExpression", IODEF2_ELEMENTS, "operator ext-operator",
	  KIDS(ANY("IndicatorExpression"), ANY("Observable"), ANY("ObservableReference"),
	    ANY("IndicatorReference"), ANY("Confidence"), ANY("AdditionalData")), false },
	{ "ObservableReference", IODEF2_TEXT, "uid-ref!", NULL, false },
	{ "IndicatorReference", IODEF2_TEXT, "uid-ref euid-ref version", NULL, false },
	{ "AttackPhase", IODEF2_ELEMENTS, "",
	  KIDS(ANY("AttackPhaseID"), ANY("URL"), ANY("Description"), ANY("AdditionalData")), false },
	{ "OperatingSystem", IODEF2_ELEMENTS, "",
	  KIDS(OPT("SoftwareReference"), ANY("URL"), ANY("Description")), false },
	{ "Application", IODEF2_ELEMENTS, "",
	  KIDS(OPT("SoftwareReference"), ANY("URL"), ANY("Description")), false },
	{ "AssociatedSoftware", IODEF2_ELEMENTS, "",
	  KIDS(OPT("SoftwareReference"), ANY("URL"), ANY("Description")), false },
	{ "SoftwareReference", IODEF2_EXTENSION, "spec-name! ext-spec-name dtype ext-dtype", NULL, false },

#define EXT_ATTRS "name dtype! ext-dtype meaning formatid " RX OID
	{ "AdditionalData", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
	{ "RelatedDNS", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
	{ "RecordItem", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
	{ "FileProperties", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
	{ "FuzzyHashValue", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
	{ "ApplicationHeaderField", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
	{ "EmailHeaderField", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },

#define ML(n) { n, IODEF2_ML_TEXT, "xml:lang translation-id", NULL, false }
	ML("ContactName"), ML("ContactTitle"), ML("Description"), ML("IncidentCategory"),
	ML("MitigatingFactor"), ML("Cause"), ML("Location"), ML("PAddress"),
#define TIME(n) { n, IODEF2_TIME, "", NULL, false }
	TIME("DateTime"), TIME("DetectTime"), TIME("StartTime"), TIME("EndTime"), TIME("RecoveryTime"),
	TIME("ReportTime"), TIME("GenerationTime"), TIME("DateDomainWasChecked"),
	TIME("RegistrationDate"), TIME("ExpirationDate"),
#define INTEGER(n) { n, IODEF2_INTEGER, "", NULL, false }
	INTEGER("Port"), INTEGER("ProtoType"), INTEGER("ProtoCode"), INTEGER("ProtoField"),
	INTEGER("FileSize"),
	{ "Portlist", IODEF2_PORTLIST, "", NULL, false },
#define TEXT(n) { n, IODEF2_TEXT, "", NULL, false }
	TEXT("Timezone"), TEXT("URL"), TEXT("ThreatActorID"), TEXT("CampaignID"), TEXT("DefinedCOA"),
	TEXT("AssetID"), TEXT("AttackPhaseID"), TEXT("EmailTo"), TEXT("EmailFrom"),
	TEXT("EmailSubject"), TEXT("EmailX-Mailer"), TEXT("EmailHeaders"), TEXT("EmailBody"),
	TEXT("EmailMessage"), TEXT("Name"), TEXT("Server"), TEXT("SameDomainContact"),
	TEXT("IANAService"), TEXT("KeyName"), TEXT("Value"), TEXT("KeyValue"), TEXT("FileName"),
	TEXT("FileType"), TEXT("HashTargetID"), TEXT("TelephoneNumber"),
	TEXT("DetectionConfiguration"), TEXT("BulkObservableList"),
};

/* Enumerations: class (NULL: any), attribute, words. IANA may add to them. */
static const struct iodef_enum enums[] = {
	{ NULL, "restriction",
	  "public partner need-to-know private default white green amber red ext-value" },
	{ "Incident", "purpose", "traceback mitigation reporting watch other ext-value" },
	{ "Incident", "status", "new in-progress forwarded resolved future ext-value" },
	{ "Contact", "role", "creator reporter admin tech provider user billing legal irt abuse cc "
	  "cc-irt leo vendor vendor-support vendor-services victim victim-notified ext-value" },
	{ "Contact", "type", "person organization ext-value" },
	{ "RegistryHandle", "registry", "internic apnic arin lacnic ripe afrinic local ext-value" },
	{ "PostalAddress", "type", "street mailing ext-value" },
	{ "Email", "type", "direct hotline ext-value" },
	{ "Telephone", "type", "wired mobile fax hotline ext-value" },
	{ "Discovery", "source", "nidps hips siem av third-party-monitoring incident os-log "
	  "application-log device-log network-flow passive-dns investigation audit "
	  "internal-notification external-notification leo partner actor unknown ext-value" },
#define ACTIONS "nothing contact-source-site contact-target-site contact-sender investigate " \
	"block-host block-network block-port rate-limit-host rate-limit-network rate-limit-port " \
	"redirect-traffic honeypot upgrade-software rebuild-asset harden-asset remediate-other " \
	"status-triage status-new-info watch-and-report training defined-coa other ext-value"
	{ "Expectation", "action", ACTIONS },
	{ "HistoryItem", "action", ACTIONS },
	{ "BusinessImpact", "severity", "none low medium high unknown ext-value" },
	{ "IntendedImpact", "severity", "none low medium high unknown ext-value" },
	{ NULL, "severity", "low medium high" },
	{ "Assessment", "occurrence", "actual potential" },
	{ "SystemImpact", "completion", "failed succeeded" },
	{ "SystemImpact", "type", "takeover-account takeover-service takeover-system cps-manipulation "
	  "cps-damage availability-data availability-account availability-service "
	  "availability-system damaged-system damaged-data breach-proprietary breach-privacy "
	  "breach-credential breach-configuration integrity-data integrity-configuration "
	  "integrity-hardware traffic-redirection monitoring-traffic monitoring-host policy unknown "
	  "ext-value" },
#define IMPACTS "breach-proprietary breach-privacy breach-credential loss-of-integrity " \
	"loss-of-service theft-financial theft-service degraded-reputation asset-damage " \
	"asset-manipulation legal extortion unknown ext-value"
	{ "BusinessImpact", "type", IMPACTS },
	{ "IntendedImpact", "type", IMPACTS },
	{ "TimeImpact", "metric", "labor elapsed downtime ext-value" },
	{ NULL, "duration", "second minute hour day month quarter year ext-value" },
	{ "Confidence", "rating", "low medium high numeric unknown ext-value" },
	{ "System", "category", "source target intermediate sensor infrastructure ext-value" },
	{ "System", "spoofed", "unknown yes no" },
	{ "System", "virtual", "unknown yes no" },
	{ "System", "ownership",
	  "organization personal partner customer no-relationship unknown ext-value" },
	{ "Address", "category", "asn atm e-mail ipv4-addr ipv4-net ipv4-net-masked ipv4-net-mask "
	  "ipv6-addr ipv6-net ipv6-net-masked mac site-uri ext-value" },
	{ "NodeRole", "category", "client client-enterprise client-partner client-remote client-kiosk "
	  "client-mobile server-internal server-public www mail webmail messaging streaming voice "
	  "file ftp p2p name directory credential print application database backup dhcp assessment "
	  "source-control config-management monitoring infra infra-firewall infra-router "
	  "infra-switch camera proxy remote-access log virtualization pos scada scada-supervisory "
	  "sinkhole honeypot anonymization c2-server malware-distribution drop-server hop-point "
	  "reflector phishing-site spear-phishing-site recruiting-site fraudulent-site ext-value" },
	{ "Counter", "type", "count counter peak rate average ext-value" },
	{ "Counter", "unit", "byte mbit packet flow session alert message event host site organization "
	  "ext-value" },
	{ "DomainData", "system-status",
	  "spoofed fraudulent innocent-hacked innocent-hijacked unknown ext-value" },
	{ "DomainData", "domain-status", "reservedDelegation assignedAndActive assignedAndInactive "
	  "assignedAndOnHold revoked transferPending registryLock registrarLock other unknown "
	  "ext-value" },
	{ "RecordPattern", "type", "regex binary xpath ext-value" },
	{ "RecordPattern", "offsetunit", "line byte ext-value" },
	{ "Key", "registryaction",
	  "add-key add-value delete-key delete-value modify-key modify-value ext-value" },
	{ "HashData", "scope", "file-contents file-pe-section file-pe-iat file-pe-resource "
	  "file-pdf-object email-hash email-headers-hash email-body-hash ext-value" },
	{ "BulkObservable", "type", "asn atm e-mail ipv4-addr ipv4-net ipv4-net-mask ipv6-addr ipv6-net "
	  "ipv6-net-mask mac site-uri domain-name fqdn domain-to-ipv4 domain-to-ipv6 "
	  "domain-to-ipv4-timestamp domain-to-ipv6-timestamp ipv4-port ipv6-port windows-reg-key "
	  "file-hash email-x-mailer email-subject http-user-agent http-request-uri mutex file-path "
	  "user-name ext-value" },
	{ "IndicatorExpression", "operator", "not and or xor" },
	{ "SoftwareReference", "spec-name", "custom cpe swid ext-value" },
	{ "SoftwareReference", "dtype", "bytes integer real string xml ext-value" },
	{ NULL, "dtype", "boolean byte bytes character date-time integer ntpstamp portlist real string "
	  "file path frame packet ipv4-packet ipv6-packet url csv winreg xml json ext-value" },
};

const struct iodef_model iodef2_model = {
	IODEF2_NS, classes, sizeof(classes) / sizeof(*classes), enums, sizeof(enums) / sizeof(*enums), 0,
};

/* `word` is one of the blank-separated words of `list`. */
static bool
list_has(const char *list, struct slice word)
{
	struct slice rest = slice_of(list);

	while (rest.n > 0) {
		if (slice_eq(slice_cut(&rest, ' '), word))
			return true;
	}
	return false;
}

static struct names class_names[IODEF_MODELS];
static pthread_once_t classes_named = PTHREAD_ONCE_INIT;

static void
name_classes(void)
{
	static const struct iodef_model *const models[IODEF_MODELS] = { &iodef2_model, &iodef1_model };

	for (size_t i = 0; i < IODEF_MODELS; i++)
		for (unsigned k = 0; k < models[i]->nclasses; k++)
			names_add(&class_names[models[i]->number], models[i]->classes[k].name, k);
}

const struct iodef2_class *
iodef_class(const struct iodef_model *m, struct slice name)
{
	unsigned i;

	pthread_once(&classes_named, name_classes);
	i = names_find(&class_names[m->number], name);
	return i == NAMES_NONE ? NULL : &m->classes[i];
}

const struct iodef2_class *
iodef2_class(struct slice name)
{
	return iodef_class(&iodef2_model, name);
}

const char *
iodef_words(const struct iodef_model *m, struct slice name, struct slice attr)
{
	for (size_t i = 0; i < m->nenums; i++) {
		if (slice_is(attr, m->enums[i].attr) &&
		    (m->enums[i].name == NULL || slice_is(name, m->enums[i].name)))
			return m->enums[i].words;
	}
	return NULL;
}

bool
iodef_enum_has(const struct iodef_model *m, struct slice name, struct slice attr, struct slice value)
{
	const char *words = iodef_words(m, name, attr);

	return words == NULL || list_has(words, value);
}

bool
iodef2_enum_has(struct slice name, struct slice attr, struct slice value)
{
	return iodef_enum_has(&iodef2_model, name, attr, value);
}

bool
iodef2_attr_known(const struct iodef2_class *c, struct slice attr)
{
	struct slice rest = slice_of(c->attrs);

	while (rest.n > 0) {
		struct slice word = slice_cut(&rest, ' ');

		if (word.n > 0 && word.p[word.n - 1] == '!')
			word.n--;
		if (word.n > 0 && slice_eq(word, attr))
			return true;
	}
	return false;
}

size_t
iodef_order_in(const struct iodef_model *m, const struct iodef2_class *c, const struct xml_node *child)
{
	if (c == NULL || c->children == NULL)
		return SIZE_MAX;
	for (size_t i = 0; c->children[i].name != NULL; i++) {
		if (slice_is(child->name, c->children[i].name) &&
		    slice_is(child->ns, c->children[i].ns != NULL ? c->children[i].ns : m->ns))
			return i;
	}
	return SIZE_MAX;
}

size_t
iodef_order(const struct iodef_model *m, struct slice parent, const struct xml_node *child)
{
	return iodef_order_in(m, iodef_class(m, parent), child);
}

size_t
iodef2_order(struct slice parent, const struct xml_node *child)
{
	return iodef_order(&iodef2_model, parent, child);
}

/* From the end: lists of many thousand Incidents grow there. */
void
iodef2_insert(struct xml_node *parent, struct xml_node *child)
{
	const struct iodef2_class *class = iodef2_class(parent->name);
	size_t order = iodef_order_in(&iodef2_model, class, child), at;
	struct xml_node *behind = NULL;

	for (struct xml_node *n = parent->last; n != NULL; behind = n, n = n->prev) {
		at = xml_is_text(n) ? SIZE_MAX : iodef_order_in(&iodef2_model, class, n);
		if (at != SIZE_MAX && at <= order)
			break;
	}
	if (behind == NULL)
		xml_append(parent, child);
	else
		xml_insert(behind, child);
}

/* iodef1_schema.c -- the classes and enumerations of RFC 5070 as tables, in the order of its schema. */
#include "formats/iodef2.h"

#define ONE(n)		{ n, 1, 1, NULL }
#define OPT(n)		{ n, 0, 1, NULL }
#define ANY(n)		{ n, 0, 0, NULL }
#define SOME(n)		{ n, 1, 0, NULL }
#define KIDS(...)	(const struct iodef2_child[]){ __VA_ARGS__, { NULL, 0, 0, NULL } }
#define RX		"restriction"

static const struct iodef2_class classes[] = {
	{ "IODEF-Document", IODEF2_ELEMENTS, "version! lang! formatid", KIDS(SOME("Incident")), false },
	{ "Incident", IODEF2_ELEMENTS, "purpose! ext-purpose lang " RX,
	  KIDS(ONE("IncidentID"), OPT("AlternativeID"), OPT("RelatedActivity"), OPT("DetectTime"),
	    OPT("StartTime"), OPT("EndTime"), ONE("ReportTime"), ANY("Description"),
	    SOME("Assessment"), ANY("Method"), SOME("Contact"), ANY("EventData"), OPT("History"),
	    ANY("AdditionalData")), false },
	{ "IncidentID", IODEF2_TEXT, "name! instance " RX, NULL, false },
	{ "AlternativeID", IODEF2_ELEMENTS, RX, KIDS(SOME("IncidentID")), false },
	{ "RelatedActivity", IODEF2_ELEMENTS, RX, KIDS(ANY("IncidentID"), ANY("URL")), false },
	{ "Contact", IODEF2_ELEMENTS, "role! ext-role type! ext-type " RX,
	  KIDS(OPT("ContactName"), ANY("Description"), ANY("RegistryHandle"), OPT("PostalAddress"),
	    ANY("Email"), ANY("Telephone"), OPT("Fax"), OPT("Timezone"), ANY("Contact"),
	    ANY("AdditionalData")), false },
	{ "RegistryHandle", IODEF2_TEXT, "registry ext-registry", NULL, false },
	{ "PostalAddress", IODEF2_ML_TEXT, "meaning lang", NULL, false },
	{ "Email", IODEF2_TEXT, "meaning", NULL, false },
	{ "Telephone", IODEF2_TEXT, "meaning", NULL, false },
	{ "Fax", IODEF2_TEXT, "meaning", NULL, false },
	{ "Method", IODEF2_ELEMENTS, RX,
	  KIDS(ANY("Reference"), ANY("Description"), ANY("AdditionalData")), false },
	{ "Reference", IODEF2_ELEMENTS, "",
	  KIDS(ONE("ReferenceName"), ANY("URL"), ANY("Description")), false },
	{ "Assessment", IODEF2_ELEMENTS, "occurrence " RX,
	  KIDS(ANY("Impact"), ANY("TimeImpact"), ANY("MonetaryImpact"), ANY("Counter"),
	    OPT("Confidence"), ANY("AdditionalData")), false },
	{ "Impact", IODEF2_ML_TEXT, "severity completion type ext-type lang", NULL, false },
	{ "TimeImpact", IODEF2_REAL, "severity metric! ext-metric duration ext-duration", NULL, false },
	{ "MonetaryImpact", IODEF2_REAL, "severity currency", NULL, false },
	{ "Confidence", IODEF2_TEXT, "rating!", NULL, false },
	{ "History", IODEF2_ELEMENTS, RX, KIDS(SOME("HistoryItem")), false },
	{ "HistoryItem", IODEF2_ELEMENTS, "action! ext-action " RX,
	  KIDS(ONE("DateTime"), OPT("IncidentID"), OPT("Contact"), ANY("Description"),
	    ANY("AdditionalData")), false },
	{ "EventData", IODEF2_ELEMENTS, RX,
	  KIDS(ANY("Description"), OPT("DetectTime"), OPT("StartTime"), OPT("EndTime"),
	    ANY("Contact"), OPT("Assessment"), ANY("Method"), ANY("Flow"), ANY("Expectation"),
	    OPT("Record"), ANY("EventData"), ANY("AdditionalData")), false },
	{ "Expectation", IODEF2_ELEMENTS, "action ext-action severity " RX,
	  KIDS(ANY("Description"), OPT("StartTime"), OPT("EndTime"), OPT("Contact")), false },
	{ "Flow", IODEF2_ELEMENTS, "", KIDS(SOME("System")), false },
	{ "System", IODEF2_ELEMENTS, "category ext-category interface spoofed " RX,
	  KIDS(ONE("Node"), ANY("Service"), ANY("OperatingSystem"), ANY("Counter"),
	    ANY("Description"), ANY("AdditionalData")), false },
	{ "Node", IODEF2_ELEMENTS, "",
	  KIDS(ANY("NodeName"), ANY("Address"), OPT("Location"), OPT("DateTime"), ANY("NodeRole"),
	    ANY("Counter")), false },
	{ "Address", IODEF2_TEXT, "category ext-category vlan-name vlan-num", NULL, false },
	{ "NodeRole", IODEF2_ML_TEXT, "category! ext-category lang", NULL, false },
	{ "Service", IODEF2_ELEMENTS, "ip_protocol!",
	  KIDS(OPT("Port"), OPT("Portlist"), OPT("ProtoType"), OPT("ProtoCode"), OPT("ProtoField"),
	    OPT("Application")), false },
	{ "Counter", IODEF2_REAL, "type! ext-type meaning duration ext-duration", NULL, false },
	{ "Record", IODEF2_ELEMENTS, RX, KIDS(SOME("RecordData")), false },
	{ "RecordData", IODEF2_ELEMENTS, RX,
	  KIDS(OPT("DateTime"), ANY("Description"), OPT("Application"), ANY("RecordPattern"),
	    SOME("RecordItem"), ANY("AdditionalData")), false },
	{ "RecordPattern", IODEF2_TEXT, "type! ext-type offset offsetunit ext-offsetunit instance", NULL,
	  false },
#define SOFTWARE "swid configid vendor family name version patch"
	{ "Application", IODEF2_ELEMENTS, SOFTWARE, KIDS(OPT("URL")), false },
	{ "OperatingSystem", IODEF2_ELEMENTS, SOFTWARE, KIDS(OPT("URL")), false },
#define EXT_ATTRS "dtype! ext-dtype meaning formatid " RX
	{ "AdditionalData", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
	{ "RecordItem", IODEF2_EXTENSION, EXT_ATTRS, NULL, false },
#define ML(n) { n, IODEF2_ML_TEXT, "lang", NULL, false }
	ML("ContactName"), ML("Description"), ML("Location"), ML("ReferenceName"), ML("NodeName"),
#define TIME(n) { n, IODEF2_TIME, "", NULL, false }
	TIME("DateTime"), TIME("DetectTime"), TIME("StartTime"), TIME("EndTime"), TIME("ReportTime"),
#define INTEGER(n) { n, IODEF2_INTEGER, "", NULL, false }
	INTEGER("Port"), INTEGER("ProtoType"), INTEGER("ProtoCode"), INTEGER("ProtoField"),
	{ "Portlist", IODEF2_PORTLIST, "", NULL, false },
	{ "Timezone", IODEF2_TEXT, "", NULL, false }, { "URL", IODEF2_TEXT, "", NULL, false },
};

static const struct iodef_enum enums[] = {
	{ NULL, "restriction", "default public need-to-know private" },
	{ "Incident", "purpose", "traceback mitigation reporting other ext-value" },
	{ "Contact", "role", "creator admin tech irt cc ext-value" },
	{ "Contact", "type", "person organization ext-value" },
	{ "RegistryHandle", "registry", "internic apnic arin lacnic ripe afrinic local ext-value" },
#define ACTIONS "nothing contact-source-site contact-target-site contact-sender investigate " \
	"block-host block-network block-port rate-limit-host rate-limit-network rate-limit-port " \
	"remediate-other status-triage status-new-info other ext-value"
	{ "Expectation", "action", ACTIONS },
	{ "HistoryItem", "action", ACTIONS },
	{ NULL, "severity", "low medium high" },
	{ "Assessment", "occurrence", "actual potential" },
	{ "Impact", "completion", "failed succeeded" },
	{ "Impact", "type", "admin dos extortion file info-leak misconfiguration recon policy "
	  "social-engineering user unknown ext-value" },
	{ "TimeImpact", "metric", "labor elapsed downtime ext-value" },
	{ NULL, "duration", "second minute hour day month quarter year ext-value" },
	{ "Confidence", "rating", "low medium high numeric unknown" },
	{ "System", "category", "source target intermediate sensor infrastructure ext-value" },
	{ "System", "spoofed", "unknown yes no" },
	{ "Address", "category", "asn atm e-mail mac ipv4-addr ipv4-net ipv4-net-mask ipv6-addr "
	  "ipv6-net ipv6-net-mask ext-value" },
	{ "NodeRole", "category", "client server-internal server-public www mail messaging streaming "
	  "voice file ftp p2p name directory credential print application database infra log "
	  "ext-value" },
	{ "Counter", "type", "byte packet flow session event alert message host site organization "
	  "ext-value" },
	{ "RecordPattern", "type", "regex binary xpath ext-value" },
	{ "RecordPattern", "offsetunit", "line byte ext-value" },
	{ NULL, "dtype", "boolean byte character date-time integer ntpstamp portlist real string file "
	  "path frame packet ipv4-packet ipv6-packet url csv winreg xml ext-value" },
};

const struct iodef_model iodef1_model = {
	IODEF1_NS, classes, sizeof(classes) / sizeof(*classes), enums, sizeof(enums) / sizeof(*enums), 1,
};

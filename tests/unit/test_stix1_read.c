/* If this fails, a STIX 1.x package of a partner is read as something it does not say: the wrong kind of object,
 * a label that is too lax, a reference that leads elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "formats/stix1.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

#define RECEIVED SLICE_LIT("2026-02-03T04:05:06Z")
#define U1	"11111111-1111-4111-8111-111111111111"
#define U2	"22222222-2222-4222-8222-222222222222"
#define U3	"33333333-3333-4333-8333-333333333333"

#define HEAD									\
	"<stix:STIX_Package xmlns:stix='http://stix.mitre.org/stix-1'"		\
	" xmlns:stixCommon='http://stix.mitre.org/common-1'"			\
	" xmlns:indicator='http://stix.mitre.org/Indicator-2'"			\
	" xmlns:ttp='http://stix.mitre.org/TTP-1'"				\
	" xmlns:et='http://stix.mitre.org/ExploitTarget-1'"			\
	" xmlns:incident='http://stix.mitre.org/Incident-1'"			\
	" xmlns:coa='http://stix.mitre.org/CourseOfAction-1'"			\
	" xmlns:campaign='http://stix.mitre.org/Campaign-1'"			\
	" xmlns:ta='http://stix.mitre.org/ThreatActor-1'"			\
	" xmlns:report='http://stix.mitre.org/Report-1'"			\
	" xmlns:marking='http://data-marking.mitre.org/Marking-1'"		\
	" xmlns:tlpMarking='http://data-marking.mitre.org/extensions/MarkingStructure#TLP-1'" \
	" xmlns:simpleMarking='http://data-marking.mitre.org/extensions/MarkingStructure#Simple-1'" \
	" xmlns:cybox='http://cybox.mitre.org/cybox-2'"				\
	" xmlns:cyboxCommon='http://cybox.mitre.org/common-2'"			\
	" xmlns:AddressObj='http://cybox.mitre.org/objects#AddressObject-2'"	\
	" xmlns:snortTM='http://stix.mitre.org/extensions/TestMechanism#Snort-1'" \
	" xmlns:genericTM='http://stix.mitre.org/extensions/TestMechanism#Generic-1'" \
	" xmlns:ciq='http://stix.mitre.org/extensions/Identity#CIQIdentity3.0-1'" \
	" xmlns:xpil='urn:oasis:names:tc:ciq:xpil:3' xmlns:xnl='urn:oasis:names:tc:ciq:xnl:3'" \
	" xmlns:own='http://cert.example/' xmlns:other='http://other.example/'"	\
	" xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"		\
	" id='own:Package-00000000-0000-4000-8000-000000000000' version='1.2'"	\
	" timestamp='2025-05-06T07:08:09Z'>"
#define TAIL	"</stix:STIX_Package>"
#define TLP(color) "<marking:Marking_Structure xsi:type='tlpMarking:TLPMarkingStructureType' color='" color "'/>"
#define SAYS(text) "<marking:Marking_Structure xsi:type='simpleMarking:SimpleMarkingStructureType'>" \
	"<simpleMarking:Statement>" text "</simpleMarking:Statement></marking:Marking_Structure>"
#define MARK(path, what) "<marking:Marking><marking:Controlled_Structure>" path				\
	"</marking:Controlled_Structure>" what "</marking:Marking>"
#define HEADER(inside) "<stix:STIX_Header>" inside "</stix:STIX_Header>"
#define HANDLING(inside) "<stix:Handling>" inside "</stix:Handling>"
#define CAMPAIGN(id, inside) "<stix:Campaign id='own:campaign-" id "' xsi:type='campaign:CampaignType'>"	\
	"<campaign:Title>C</campaign:Title>" inside "</stix:Campaign>"
#define CAMPAIGNS(inside) "<stix:Campaigns>" inside "</stix:Campaigns>"

static struct arena *mem;
static struct advisory adv;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static void
read_document(const char *text)
{
	struct read_job job = { .in = slice_of(text), .input = "test", .received = RECEIVED };
	struct err e = ERR_INIT;

	adv = (struct advisory){ 0 };
	if (format_stix1.read(&job, mem, &adv, &e) < 0)
		fail_msg("line %u: %s", e.at.line, e.reason);
}

/* The object of an id, or the first whose id begins so. */
static const struct object *
find(const char *id)
{
	for (size_t i = 0; i < adv.n; i++)
		if (slice_starts(adv.objects[i].id, id))
			return &adv.objects[i];
	return NULL;
}

static const struct object *
get(const char *id)
{
	const struct object *o = find(id);

	if (o == NULL)
		fail_msg("no %s", id);
	return o;
}

static size_t
count(const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < adv.n; i++)
		n += slice_is(adv.objects[i].type, type);
	return n;
}

static bool
said(const char *code)
{
	for (size_t i = 0; i < adv.nverdicts; i++)
		if (strcmp(adv.verdicts[i].code, code) == 0)
			return true;
	return false;
}

static void
assert_member(const struct object *o, const char *name, const char *value)
{
	if (!slice_is(json_member(o->tree, name), value))
		fail_msg("%s of %s is \"%s\", not \"%s\"", name, o->id.p, json_member(o->tree, name).p,
		    value);
}

static bool
has_string(const json *list, const char *value)
{
	for (const json *m = json_first(list); m != NULL; m = json_next(m))
		if (slice_is(json_slice(m), value))
			return true;
	return false;
}

static bool
related(const char *from, const char *verb, const char *to)
{
	for (size_t i = 0; i < adv.n; i++) {
		const json *t = adv.objects[i].tree;

		if (slice_is(json_member(t, "relationship_type"), verb) &&
		    slice_starts(json_member(t, "source_ref"), from) &&
		    slice_starts(json_member(t, "target_ref"), to))
			return true;
	}
	return false;
}

/* ---- labels ---- */

struct label_row {
	const char	*markings;	/* of the header */
	const char	*own;		/* Handling inside the campaign */
	enum tlp	 tlp;
	enum label_case	 label;
};

/* What a campaign gets from the Handling of its package and its own: never anything laxer than was said. */
static void
labels_hold(void **state)
{
	static const struct label_row rows[] = {
		{ "", "", TLP_UNSET, LABEL_ABSENT },
		{ MARK("//node() | //@*", TLP("GREEN")), "", TLP_GREEN, LABEL_TLP },
		{ MARK("//node()", TLP("WHITE")), "", TLP_CLEAR, LABEL_TLP },
		{ MARK("//*", TLP("amber")), "", TLP_AMBER, LABEL_TLP },
		{ MARK("../../../../descendant-or-self::node()", TLP("RED")), "", TLP_RED, LABEL_TLP },
		{ MARK("/stix:STIX_Package", TLP("AMBER")), "", TLP_AMBER, LABEL_TLP },
		/* a step short */
		{ MARK("../../../descendant-or-self::node()", TLP("RED")), "", TLP_RED, LABEL_TLP },
		{ MARK("../../../descendant-or-self::node()", TLP("WHITE")), "", TLP_UNSET, LABEL_ABSENT },
		{ "<marking:Marking>" TLP("GREEN") "</marking:Marking>", "", TLP_GREEN, LABEL_TLP },
		/* both hold: the stricter */
		{ MARK("//node()", TLP("AMBER")), MARK("../../..//node()", TLP("GREEN")), TLP_AMBER, LABEL_TLP },
		{ MARK("//node()", TLP("GREEN")), MARK("../../..//node()", TLP("RED")), TLP_RED, LABEL_TLP },
		{ "", MARK("ancestor-or-self::stix:Campaign//node()", TLP("GREEN")), TLP_GREEN, LABEL_TLP },
		/* a part that is stricter counts for all; one that is laxer is a floor */
		{ "", MARK("../../../campaign:Title", TLP("RED")), TLP_RED, LABEL_TLP },
		{ "", MARK("../../../campaign:Title", TLP("GREEN")), TLP_GREEN, LABEL_ABSENT },
		{ MARK("//node()", TLP("GREEN")), MARK("../../../campaign:Title", TLP("AMBER")), TLP_AMBER,
		  LABEL_TLP },
		/* a path that is not understood, or that names nothing, covers everything, but only to be stricter */
		{ "", MARK("//campaign:Title[position() = last()]", TLP("AMBER")), TLP_AMBER, LABEL_TLP },
		{ "", MARK("../../../campaign:Titel", TLP("RED")), TLP_RED, LABEL_TLP },
		{ MARK("//campaign:Titel", TLP("WHITE")), "", TLP_UNSET, LABEL_ABSENT },
		{ MARK("//campaign:Titel", TLP("GREEN")), "", TLP_GREEN, LABEL_ABSENT },
		{ MARK("count(//*)", TLP("RED")), "", TLP_RED, LABEL_TLP },
		{ MARK("//@id", TLP("RED")), "", TLP_RED, LABEL_TLP },
		{ MARK("//node() | nonsense(", TLP("RED")), "", TLP_RED, LABEL_TLP },
		{ MARK("", TLP("RED")), "", TLP_RED, LABEL_TLP },
		/* words nobody knows are RED */
		{ MARK("//node()", TLP("PURPLE")), "", TLP_RED, LABEL_UNREADABLE },
		{ MARK("//node()", "<marking:Marking_Structure xsi:type='tlpMarking:TLPMarkingStructureType'/>"), "",
		  TLP_RED, LABEL_UNREADABLE },
		{ MARK("//node()", "<marking:Marking_Structure xsi:type='own:SecretType'/>"), "", TLP_RED,
		  LABEL_UNREADABLE },
		{ MARK("//node()", "<marking:Marking_Structure xsi:type='own:TLPMarkingStructureType' color='WHITE'/>"),
		  "", TLP_RED, LABEL_UNREADABLE },
		{ MARK("//node()", "<marking:Marking_Structure/>"), "", TLP_RED, LABEL_UNREADABLE },
		/* ... unless a level stands beside them, and never for schemes that are known to restrict */
		{ MARK("//node()", "<marking:Marking_Structure xsi:type='own:SecretType'/>" TLP("GREEN")), "",
		  TLP_GREEN, LABEL_TLP },
		{ MARK("//node()", "<marking:Marking_Structure xsi:type='own:ISAMarkingsType'/>" TLP("GREEN")), "",
		  TLP_RED, LABEL_UNREADABLE },
		/* statements */
		{ MARK("//node()", SAYS("Do what you like")), "", TLP_UNSET, LABEL_OTHER },
		{ MARK("//node()", SAYS("TLP:AMBER+STRICT") TLP("AMBER")), "", TLP_AMBER_STRICT, LABEL_TLP },
		{ MARK("//node()", SAYS("tlp:mauve") TLP("AMBER")), "", TLP_RED, LABEL_UNREADABLE },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct label_row *r = &rows[i];
		const struct object *o;

		read_document(arena_fmt(mem, "%s%s%s%s", HEAD,
		    r->markings[0] == '\0' ? "" : arena_fmt(mem, HEADER(HANDLING("%s")), r->markings),
		    r->own[0] == '\0' ? CAMPAIGNS(CAMPAIGN(U1, "")) :
		    arena_fmt(mem, CAMPAIGNS(CAMPAIGN(U1, "<campaign:Handling>%s</campaign:Handling>")), r->own),
		    TAIL));
		o = get("campaign--" U1);
		if (o->tlp != r->tlp || o->label != r->label)
			fail_msg("row %zu: %s, case %d", i, tlp_word(o->tlp), o->label);
	}
}

/* A RED part of a package does not make the rest RED, and what relates to it is as strict as it is. */
static void
each_unit_has_its_own_label(void **state)
{
	(void)state;
	read_document(HEAD HEADER(HANDLING(MARK("//node()", TLP("GREEN"))) "<stix:Title>T</stix:Title>")
	    CAMPAIGNS(CAMPAIGN(U1, "<campaign:Handling>" MARK("../../..//node()", TLP("RED"))
	    "</campaign:Handling>") CAMPAIGN(U2, "<campaign:Associated_Campaigns><campaign:Associated_Campaign>"
	    "<stixCommon:Campaign idref='own:campaign-" U1 "'/></campaign:Associated_Campaign>"
	    "</campaign:Associated_Campaigns>")) TAIL);
	assert_int_equal(get("campaign--" U1)->tlp, TLP_RED);
	assert_int_equal(get("campaign--" U2)->tlp, TLP_GREEN);
	assert_int_equal(get("report--")->tlp, TLP_GREEN);
	assert_int_equal(get("relationship--")->tlp, TLP_RED);
}

/* A header that is restricted by a path a step short of its package restricts the package; one that is freed
 * does not free it. */
static void
a_header_is_not_restricted_alone(void **state)
{
	(void)state;
	read_document(HEAD HEADER("<stix:Title>T</stix:Title>" HANDLING(MARK(
	    "../../../descendant-or-self::node()", TLP("RED")))) CAMPAIGNS(CAMPAIGN(U1, "")) TAIL);
	assert_int_equal(get("report--")->tlp, TLP_RED);
	assert_int_equal(get("campaign--" U1)->tlp, TLP_RED);
	read_document(HEAD HEADER("<stix:Title>T</stix:Title>" HANDLING(MARK(
	    "../../../descendant-or-self::node()", TLP("WHITE")))) CAMPAIGNS(CAMPAIGN(U1, "")) TAIL);
	assert_int_equal(get("campaign--" U1)->tlp, TLP_UNSET);
}

/* What a reference brings into an object is under the label of where it stands. */
static void
references_bring_their_label(void **state)
{
	(void)state;
	read_document(HEAD HEADER("<stix:Title>T</stix:Title>" HANDLING(MARK(
	    "//cybox:Observable[@id='own:Observable-" U2 "']//node()", TLP("RED"))))
	    "<stix:Observables><cybox:Observable id='own:Observable-" U1 "'><cybox:Object><cybox:Properties "
	    "xsi:type='X:NetworkConnectionObjectType'><Destination_Socket_Address><IP_Address object_reference="
	    "'own:Address-1'/><Port><Port_Value>443</Port_Value></Port></Destination_Socket_Address>"
	    "</cybox:Properties></cybox:Object></cybox:Observable><cybox:Observable id='own:Observable-" U2 "'>"
	    "<cybox:Object id='own:Address-1'><cybox:Properties xsi:type='AddressObj:AddressObjectType'>"
	    "<AddressObj:Address_Value>192.0.2.7</AddressObj:Address_Value></cybox:Properties></cybox:Object>"
	    "</cybox:Observable></stix:Observables>" TAIL);
	assert_int_equal(get("ipv4-addr--")->tlp, TLP_RED);
	assert_int_equal(get("network-traffic--")->tlp, TLP_RED);
}

/* Thousands of labels, one an object, are nothing unusual; hundreds on one object are. */
static void
markings_may_be_many(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	strbuf_adds(&b, HEAD "<stix:Campaigns>");
	for (int i = 0; i < 3000; i++)
		strbuf_addf(&b, CAMPAIGN("11111111-1111-4111-8111-%012d",
		    "<campaign:Handling>" MARK("../../..//node()", TLP("GREEN")) "</campaign:Handling>"), i);
	strbuf_adds(&b, CAMPAIGN(U2, "<campaign:Handling>"));
	strbuf_setlen(&b, b.n - strlen("</stix:Campaign>"));
	for (int i = 0; i < 100; i++)
		strbuf_adds(&b, MARK("../../..//node()", TLP("GREEN")));
	strbuf_adds(&b, "</campaign:Handling></stix:Campaign></stix:Campaigns>" TAIL);
	read_document(b.p);
	assert_int_equal(get("campaign--11111111-1111-4111-8111-000000002999")->tlp, TLP_GREEN);
	assert_int_equal(get("campaign--" U2)->label, LABEL_UNREADABLE);
	strbuf_fini(&b);
}

/* What several objects of one element share is under the label of what they share; what only one of them says
 * is not. */
static void
parts_share_what_is_around_them(void **state)
{
#define TWO_PARTS(what, part)										\
	HEAD "<stix:TTPs><stix:TTP id='own:ttp-" U1 "'><ttp:Title>T</ttp:Title><ttp:Behavior>"		\
	"<ttp:Malware><ttp:Malware_Instance><ttp:Name>M</ttp:Name></ttp:Malware_Instance>"		\
	"<ttp:Malware_Instance><ttp:Type>Bot</ttp:Type></ttp:Malware_Instance></ttp:Malware></ttp:Behavior>"	\
	"<ttp:Handling>" MARK("../../..//node()", TLP("GREEN")) MARK(what part, TLP("RED")) "</ttp:Handling>"	\
	"</stix:TTP></stix:TTPs>" TAIL
	(void)state;
	read_document(TWO_PARTS("../../../ttp:Title", ""));
	for (size_t i = 0; i < adv.n; i++)
		if (slice_is(adv.objects[i].type, "malware"))
			assert_int_equal(adv.objects[i].tlp, TLP_RED);
	assert_int_equal(count("malware"), 2);
	read_document(TWO_PARTS("../../../ttp:Behavior/ttp:Malware/ttp:Malware_Instance/", "ttp:Name"));
	assert_int_equal(get("malware--" U1)->tlp, TLP_RED);
	for (size_t i = 0; i < adv.n; i++)
		if (slice_is(adv.objects[i].type, "malware") && !slice_is(adv.objects[i].id, "malware--" U1))
			assert_int_equal(adv.objects[i].tlp, TLP_GREEN);
}

/* AIS: the level counts, and who may know the producer is written on the producer. */
static void
ais_is_read(void **state)
{
#define AIS(kind, proprietary, consent, color)								\
	MARK("//node()", "<marking:Marking_Structure xmlns:AIS='http://www.us-cert.gov/STIXMarkingStructure#AISConsentMarking-2'" \
	" xsi:type='AIS:AISMarkingStructure'><AIS:" kind " CISA_Proprietary='" proprietary "'>"		\
	"<AIS:AISConsent consent='" consent "'/><AIS:TLPMarking color='" color "'/></AIS:" kind ">"	\
	"</marking:Marking_Structure>")
#define SOURCE	"<stix:Information_Source><stixCommon:Identity><stixCommon:Name>ACME</stixCommon:Name>"	\
	"</stixCommon:Identity></stix:Information_Source>"
	(void)state;
	read_document(HEAD HEADER(HANDLING(AIS("Not_Proprietary", "false", "USG", "AMBER")) SOURCE)
	    CAMPAIGNS(CAMPAIGN(U1, "")) TAIL);
	assert_int_equal(get("campaign--" U1)->tlp, TLP_AMBER);
	assert_true(has_string(json_get(get("identity--")->tree, "labels"), "ais-consent-usg"));
	read_document(HEAD HEADER(HANDLING(AIS("Is_Proprietary", "true", "EVERYONE", "WHITE")) SOURCE)
	    CAMPAIGNS(CAMPAIGN(U1, "")) TAIL);
	assert_true(has_string(json_get(get("identity--")->tree, "labels"),
	    "ais-consent-everyone-cisa-proprietary"));
	read_document(HEAD HEADER(HANDLING(AIS("Maybe_Proprietary_", "true", "EVERYONE", "WHITE")) SOURCE)
	    CAMPAIGNS(CAMPAIGN(U1, "")) TAIL);
	assert_int_equal(get("campaign--" U1)->label, LABEL_UNREADABLE);
}

/* ---- ids, times, creators ---- */

static void
ids_are_kept_or_made(void **state)
{
	(void)state;
	read_document(HEAD CAMPAIGNS(CAMPAIGN(U1, "") "<stix:Campaign id='own:campaign-seven'/>"
	    "<stix:Campaign/><stix:Campaign/><stix:Campaign id='own:campaign-" U1 "'/>") TAIL);
	assert_int_equal(count("campaign"), 4);	/* the second of one id is only kept as XML */
	assert_true(said("SAME_ID"));
	assert_true(said("BAD_ID"));
	assert_true(said("MISSING_ID"));
	get("campaign--" U1);
	get("campaign--b6a004e9-24e1-59e1-a9c6-1d2fd4438dc0");	/* over stix1|own:campaign-seven */
}

static void
versions_follow_the_source(void **state)
{
	const struct object *o;

	(void)state;
	read_document(HEAD CAMPAIGNS(CAMPAIGN(U1, "") "<stix:Campaign id='own:campaign-" U2
	    "' timestamp='2024-01-01T01:00:00.5+01:00'><campaign:Information_Source><stixCommon:Time>"
	    "<cyboxCommon:Produced_Time>2023-06-07T08:09:10Z</cyboxCommon:Produced_Time></stixCommon:Time>"
	    "</campaign:Information_Source></stix:Campaign>") TAIL);
	o = get("campaign--" U1);
	assert_member(o, "modified", "2025-05-06T07:08:09.000Z");
	o = get("campaign--" U2);
	assert_member(o, "modified", "2024-01-01T00:00:00.500Z");
	assert_member(o, "created", "2023-06-07T08:09:10.000Z");
}

static void
creators_are_named_once(void **state)
{
	(void)state;
	read_document(HEAD HEADER(SOURCE) CAMPAIGNS(CAMPAIGN(U1, "") CAMPAIGN(U2, "<campaign:Information_Source>"
	    "<stixCommon:Identity id='own:identity-" U3 "' xsi:type='ciq:CIQIdentity3.0InstanceType'>"
	    "<ciq:Specification><xpil:PartyName><xnl:OrganisationName><xnl:NameElement>Dam Works"
	    "</xnl:NameElement></xnl:OrganisationName></xpil:PartyName>"
	    "<xpil:OrganisationInfo xpil:IndustryType='Dams Sector | Chemical Sector'/></ciq:Specification>"
	    "</stixCommon:Identity></campaign:Information_Source>")) TAIL);
	assert_int_equal(count("identity"), 2);
	assert_member(get("campaign--" U2), "created_by_ref", "identity--" U3);
	assert_member(get("identity--" U3), "name", "Dam Works");
	assert_member(get("identity--" U3), "identity_class", "organization");
	assert_true(has_string(json_get(get("identity--" U3)->tree, "sectors"), "infrastructure-dams"));
	assert_true(has_string(json_get(get("identity--" U3)->tree, "sectors"), "chemical"));
	assert_false(slice_is(json_member(get("campaign--" U1)->tree, "created_by_ref"), "identity--" U3));
	assert_true(json_member(get("campaign--" U1)->tree, "created_by_ref").n > 0);
}

/* ---- kinds ---- */

#define INDICATOR(id, inside) "<stix:Indicators><stix:Indicator id='own:indicator-" id "'"		\
	" xsi:type='indicator:IndicatorType'>" inside "</stix:Indicator></stix:Indicators>"
#define OBSERVABLE(text) "<indicator:Observable id='own:observable-" U3 "'><cybox:Object><cybox:Properties"	\
	" xsi:type='AddressObj:AddressObjectType' category='ipv4-addr'><AddressObj:Address_Value>" text	\
	"</AddressObj:Address_Value></cybox:Properties></cybox:Object></indicator:Observable>"

static void
indicators_say_what_to_look_for(void **state)
{
	const struct object *o;

	(void)state;
	read_document(HEAD INDICATOR(U1, "<indicator:Title>A</indicator:Title>"
	    "<indicator:Type>IP Watchlist</indicator:Type><indicator:Type>Anonymization</indicator:Type>"
	    "<indicator:Description>one</indicator:Description><indicator:Description>two</indicator:Description>"
	    "<indicator:Valid_Time_Position><indicator:Start_Time>2025-01-01T00:00:00Z</indicator:Start_Time>"
	    "<indicator:End_Time>2025-02-01T00:00:00Z</indicator:End_Time></indicator:Valid_Time_Position>"
	    OBSERVABLE("198.51.100.7")
	    "<indicator:Confidence><stixCommon:Value>Medium</stixCommon:Value></indicator:Confidence>"
	    "<indicator:Kill_Chain_Phases><stixCommon:Kill_Chain_Phase"
	    " phase_id='stix:TTP-786ca8f9-2d9a-4213-b38e-399af4a2e5d6'/></indicator:Kill_Chain_Phases>") TAIL);
	o = get("indicator--" U1);
	assert_member(o, "pattern", "[ipv4-addr:value = '198.51.100.7']");
	assert_member(o, "description", "one\n\ntwo");
	assert_member(o, "valid_from", "2025-01-01T00:00:00.000Z");
	assert_member(o, "valid_until", "2025-02-01T00:00:00.000Z");
	assert_true(has_string(json_get(o->tree, "indicator_types"), "malicious-activity"));
	assert_true(has_string(json_get(o->tree, "indicator_types"), "anonymization"));
	assert_true(has_string(json_get(o->tree, "labels"), "ip-watchlist"));
	assert_int_equal(object_confidence(o->bytes), 50);
	assert_member(o, "name", "A");
	assert_string_equal(json_str(json_get(json_at(json_get(o->tree, "kill_chain_phases"), 0), "phase_name")),
	    "actions-on-objectives");
}

/* What ended before it was sent does not become valid for ever. */
static void
what_ended_stays_ended(void **state)
{
	(void)state;
	read_document(HEAD INDICATOR(U1, "<indicator:Valid_Time_Position><indicator:End_Time>2013-02-01T00:00:00Z"
	    "</indicator:End_Time></indicator:Valid_Time_Position>" OBSERVABLE("198.51.100.7")) TAIL);
	assert_member(get("indicator--" U1), "valid_until", "2013-02-01T00:00:00.000Z");
}

static void
composites_are_one_pattern(void **state)
{
	(void)state;
	read_document(HEAD "<stix:Indicators><stix:Indicator id='own:indicator-" U1 "'>"
	    "<indicator:Composite_Indicator_Expression operator='OR'>"
	    "<indicator:Indicator idref='own:indicator-" U2 "'/>"
	    "<indicator:Indicator>" OBSERVABLE("198.51.100.8") "</indicator:Indicator>"
	    "<indicator:Indicator idref='own:indicator-" U1 "'/>"	/* itself */
	    "</indicator:Composite_Indicator_Expression></stix:Indicator>"
	    "<stix:Indicator id='own:indicator-" U2 "'>"
	    "<indicator:Observable><cybox:Object><cybox:Properties xsi:type='AddressObj:AddressObjectType'>"
	    "<AddressObj:Address_Value>198.51.100.9</AddressObj:Address_Value></cybox:Properties></cybox:Object>"
	    "</indicator:Observable><indicator:Handling>" MARK("../../..//node()", TLP("RED"))
	    "</indicator:Handling></stix:Indicator></stix:Indicators>" TAIL);
	assert_int_equal(count("indicator"), 2);
	assert_true(said("PATTERN_INEXACT"));
	assert_non_null(strstr(get("indicator--" U1)->bytes.p, "198.51.100.8"));
	assert_non_null(strstr(get("indicator--" U1)->bytes.p, "198.51.100.9"));
	/* it says what the RED one says */
	assert_int_equal(get("indicator--" U1)->tlp, TLP_RED);
}

static void
test_mechanisms_are_indicators(void **state)
{
	(void)state;
	read_document(HEAD INDICATOR(U1, "<indicator:Title>A</indicator:Title>" OBSERVABLE("198.51.100.7")
	    "<indicator:Test_Mechanisms><indicator:Test_Mechanism xsi:type='snortTM:SnortTestMechanismType'>"
	    "<snortTM:Rule>alert ip any any</snortTM:Rule></indicator:Test_Mechanism>"
	    "<indicator:Test_Mechanism xsi:type='genericTM:GenericTestMechanismType'><genericTM:Type>STIX 2 pattern"
	    "</genericTM:Type><genericTM:Specification>[a:b = 1] FOLLOWEDBY [c:d = 2]</genericTM:Specification>"
	    "</indicator:Test_Mechanism></indicator:Test_Mechanisms>") TAIL);
	assert_int_equal(count("indicator"), 3);
	for (size_t i = 0, n = 0; i < adv.n; i++) {
		if (!slice_is(adv.objects[i].type, "indicator"))
			continue;
		assert_member(&adv.objects[i], "name", "A");
		assert_member(&adv.objects[i], "pattern_type", n == 1 ? "snort" : "stix");
		n++;
	}
}

static void
sightings_count(void **state)
{
	const struct object *o;
	int64_t n = 0;

	(void)state;
	read_document(HEAD INDICATOR(U1, OBSERVABLE("198.51.100.7") "<indicator:Sightings sightings_count='12'>"
	    "<indicator:Sighting timestamp='2025-03-04T05:06:07Z'><indicator:Source><stixCommon:Identity>"
	    "<stixCommon:Name>SOC</stixCommon:Name></stixCommon:Identity></indicator:Source>"
	    "</indicator:Sighting></indicator:Sightings>") TAIL);
	o = get("sighting--");
	assert_member(o, "sighting_of_ref", "indicator--" U1);
	assert_member(o, "first_seen", "2025-03-04T05:06:07.000Z");
	assert_true(json_int(json_get(o->tree, "count"), &n) && n == 12);
	assert_true(has_string(json_get(o->tree, "where_sighted_refs"), get("identity--")->id.p));
}

static void
ttps_are_taken_apart(void **state)
{
	(void)state;
	read_document(HEAD "<stix:TTPs><stix:TTP id='own:ttp-" U1 "'><ttp:Title>T</ttp:Title>"
	    "<ttp:Intended_Effect><stixCommon:Value>Theft</stixCommon:Value></ttp:Intended_Effect>"
	    "<ttp:Behavior><ttp:Attack_Patterns><ttp:Attack_Pattern capec_id='CAPEC-98'/></ttp:Attack_Patterns>"
	    "<ttp:Malware><ttp:Malware_Instance><ttp:Type>Bot - Spam</ttp:Type><ttp:Name>M</ttp:Name>"
	    "<ttp:Name>N</ttp:Name></ttp:Malware_Instance></ttp:Malware></ttp:Behavior>"
	    "<ttp:Resources><ttp:Tools><ttp:Tool><cyboxCommon:Name>nmap</cyboxCommon:Name></ttp:Tool></ttp:Tools>"
	    "</ttp:Resources><ttp:Victim_Targeting><ttp:Identity><stixCommon:Name>V</stixCommon:Name></ttp:Identity>"
	    "</ttp:Victim_Targeting><ttp:Exploit_Targets><ttp:Exploit_Target><stixCommon:Exploit_Target"
	    " id='own:et-" U2 "'><et:Vulnerability><et:CVE_ID>CVE-2024-1</et:CVE_ID></et:Vulnerability>"
	    "</stixCommon:Exploit_Target></ttp:Exploit_Target></ttp:Exploit_Targets></stix:TTP>"
	    "<stix:TTP id='own:ttp-" U3 "'><ttp:Title>only a title</ttp:Title></stix:TTP></stix:TTPs>" TAIL);
	assert_member(get("malware--" U1), "name", "M");
	assert_true(has_string(json_get(get("malware--")->tree, "aliases"), "N"));
	assert_true(has_string(json_get(get("malware--")->tree, "malware_types"), "bot"));
	assert_true(has_string(json_get(get("malware--")->tree, "labels"), "bot-spam"));
	assert_true(has_string(json_get(get("malware--")->tree, "labels"), "theft"));
	assert_member(get("tool--"), "name", "nmap");
	assert_member(get("attack-pattern--" U3), "name", "only a title");
	assert_int_equal(count("attack-pattern"), 2);
	assert_true(related("malware--", "targets", "identity--"));
	assert_true(related("malware--", "exploits", "vulnerability--" U2));
	assert_true(related("tool--", "targets", "vulnerability--" U2));
	assert_member(get("vulnerability--" U2), "name", "CVE-2024-1");
}

static void
actors_and_campaigns_relate(void **state)
{
	const struct object *o;

	(void)state;
	read_document(HEAD CAMPAIGNS(CAMPAIGN(U1, "<campaign:Attribution><campaign:Attributed_Threat_Actor>"
	    "<stixCommon:Confidence><stixCommon:Value>High</stixCommon:Value></stixCommon:Confidence>"
	    "<stixCommon:Relationship>said so</stixCommon:Relationship>"
	    "<stixCommon:Threat_Actor id='own:ta-" U2 "' xsi:type='ta:ThreatActorType'><ta:Title>A</ta:Title>"
	    "<ta:Identity id='own:identity-" U3 "'><stixCommon:Name>A. N. Other</stixCommon:Name></ta:Identity>"
	    "<ta:Type><stixCommon:Value>State Actor / Agency</stixCommon:Value></ta:Type>"
	    "<ta:Motivation><stixCommon:Value>Ego</stixCommon:Value></ta:Motivation>"
	    "<ta:Motivation><stixCommon:Value>Political</stixCommon:Value></ta:Motivation>"
	    "<ta:Sophistication><stixCommon:Value>Practitioner</stixCommon:Value></ta:Sophistication>"
	    "</stixCommon:Threat_Actor></campaign:Attributed_Threat_Actor></campaign:Attribution>"
	    "<campaign:Related_Incidents><campaign:Related_Incident><stixCommon:Incident"
	    " idref='other:incident-" U3 "'/></campaign:Related_Incident></campaign:Related_Incidents>")) TAIL);
	o = get("threat-actor--" U2);
	assert_true(has_string(json_get(o->tree, "threat_actor_types"), "nation-state"));
	assert_member(o, "primary_motivation", "personal-satisfaction");
	assert_true(has_string(json_get(o->tree, "secondary_motivations"), "dominance"));
	assert_member(o, "sophistication", "advanced");
	assert_true(related("threat-actor--" U2, "attributed-to", "identity--" U3));
	assert_true(related("campaign--" U1, "attributed-to", "threat-actor--" U2));
	assert_true(related("incident--" U3, "attributed-to", "campaign--" U1));	/* it is elsewhere */
}

static void
incidents_have_a_history(void **state)
{
	(void)state;
	read_document(HEAD "<stix:Incidents><stix:Incident id='own:incident-" U1 "' URL='https://cert.example/i/1'>"
	    "<incident:Title>I</incident:Title><incident:External_ID source='tracker'>42</incident:External_ID>"
	    "<incident:Categories><incident:Category>Denial of Service</incident:Category></incident:Categories>"
	    "<incident:Victim><stixCommon:Name>V</stixCommon:Name></incident:Victim>"
	    "<incident:COA_Taken><incident:Course_Of_Action id='own:coa-" U2 "'><coa:Title>Block</coa:Title>"
	    "<coa:Cost><stixCommon:Value>Low</stixCommon:Value></coa:Cost></incident:Course_Of_Action>"
	    "</incident:COA_Taken><incident:History><incident:History_Item><incident:Journal_Entry author='me'>"
	    "we looked</incident:Journal_Entry></incident:History_Item></incident:History>"
	    "</stix:Incident></stix:Incidents>" TAIL);
	assert_true(has_string(json_get(get("incident--" U1)->tree, "labels"), "denial-of-service"));
	assert_int_equal(json_count(json_get(get("incident--" U1)->tree, "external_references")), 2);
	assert_true(related("incident--" U1, "targets", "identity--"));
	assert_true(related("incident--" U1, "related-to", "course-of-action--" U2));
	assert_member(get("course-of-action--" U2), "description", "Cost: Low");
	assert_member(get("note--"), "content", "we looked");
	assert_true(has_string(json_get(get("note--")->tree, "object_refs"), "incident--" U1));
}

static void
reports_list_what_they_speak_of(void **state)
{
	const struct object *o;

	(void)state;
	read_document(HEAD CAMPAIGNS(CAMPAIGN(U1, "") CAMPAIGN(U2, "")) "<stix:Reports><stix:Report id='own:report-" U3
	    "'><report:Header><report:Title>R</report:Title><report:Intent>Threat Report</report:Intent>"
	    "</report:Header><report:Campaigns><report:Campaign idref='own:campaign-" U2 "'/></report:Campaigns>"
	    "</stix:Report><stix:Report/></stix:Reports>" TAIL);
	assert_int_equal(count("report"), 1);	/* the package has no header; the other speaks of nothing */
	assert_true(said("EMPTY_REPORT"));
	o = get("report--" U3);
	assert_int_equal(json_count(json_get(o->tree, "object_refs")), 1);
	assert_true(has_string(json_get(o->tree, "object_refs"), "campaign--" U2));
	assert_true(has_string(json_get(o->tree, "report_types"), "threat-report"));
}

static void
observables_alone_are_observed(void **state)
{
#define OBSERVED(id, condition)										\
	"<cybox:Observable id='own:observable-" id "'><cybox:Object><cybox:Properties"			\
	" xsi:type='AddressObj:AddressObjectType'><AddressObj:Address_Value" condition ">198.51.100.0"	\
	"</AddressObj:Address_Value></cybox:Properties></cybox:Object></cybox:Observable>"
	(void)state;
	read_document(HEAD "<stix:Observables>" OBSERVED(U1, "") OBSERVED(U2, " condition='StartsWith'")
	    OBSERVED(U3, "") "</stix:Observables>"
	    "<stix:Indicators><stix:Indicator id='own:indicator-" U1 "'>"
	    "<indicator:Observable idref='own:observable-" U3 "'/></stix:Indicator></stix:Indicators>" TAIL);
	assert_int_equal(count("observed-data"), 1);
	get("observed-data--" U1);
	get("indicator--" U2);		/* it says what to look for, not what was seen */
	get("indicator--" U1);		/* the third is only what this one looks for */
	assert_int_equal(count("ipv4-addr"), 1);
}

/* ---- refusals ---- */

static void
strict_refuses_units(void **state)
{
	struct read_job job = { .input = "test", .received = RECEIVED, .strict = true,
		.in = SLICE_LIT(HEAD CAMPAIGNS(CAMPAIGN(U1, "") "<stix:Campaign id='own:campaign-" U2
		"' timestamp='yesterday'/>") TAIL) };
	struct err e = ERR_INIT;

	(void)state;
	adv = (struct advisory){ 0 };
	assert_int_equal(format_stix1.read(&job, mem, &adv, &e), 0);
	assert_int_equal(count("campaign"), 1);
	assert_true(said("BAD_TIMESTAMP"));
	for (size_t i = 0; i < adv.nverdicts; i++)
		assert_int_equal(adv.verdicts[i].kind == VERDICT_REFUSED, adv.verdicts[i].text.n > 0);
}

static void
refuses_what_is_no_package(void **state)
{
	static const char *const texts[] = {
		"", "x", "<a/>", "<STIX_Package/>", "<s:STIX_Package xmlns:s='http://stix.example/'/>",
		"<s:Indicator xmlns:s='http://stix.mitre.org/stix-1'/>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><s:STIX_Package xmlns:s='http://stix.mitre.org/stix-1'/>",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct read_job job = { .in = slice_of(texts[i]), .input = "test", .received = RECEIVED };
		struct err e = ERR_INIT;

		adv = (struct advisory){ 0 };
		assert_int_equal(format_stix1.read(&job, mem, &adv, &e), -1);
		assert_true(e.reason[0] != '\0');
	}
}

/* Chains and circles of references end. */
static void
references_may_go_in_circles(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	strbuf_adds(&b, HEAD "<stix:Indicators>");
	for (int i = 0; i < 3000; i++)
		strbuf_addf(&b, "<stix:Indicator id='own:i%d'><indicator:Composite_Indicator_Expression operator='AND'>"
		    "<indicator:Indicator idref='own:i%d'/><indicator:Indicator idref='own:i%d'/>"
		    "</indicator:Composite_Indicator_Expression></stix:Indicator>", i, (i + 1) % 3000, (i + 1) % 3000);
	strbuf_adds(&b, "</stix:Indicators>" TAIL);
	read_document(b.p);
	assert_int_equal(count("indicator"), 3000);
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_hold),
		cmocka_unit_test(each_unit_has_its_own_label),
		cmocka_unit_test(a_header_is_not_restricted_alone),
		cmocka_unit_test(references_bring_their_label),
		cmocka_unit_test(markings_may_be_many),
		cmocka_unit_test(parts_share_what_is_around_them),
		cmocka_unit_test(ais_is_read),
		cmocka_unit_test(ids_are_kept_or_made),
		cmocka_unit_test(versions_follow_the_source),
		cmocka_unit_test(creators_are_named_once),
		cmocka_unit_test(indicators_say_what_to_look_for),
		cmocka_unit_test(what_ended_stays_ended),
		cmocka_unit_test(composites_are_one_pattern),
		cmocka_unit_test(test_mechanisms_are_indicators),
		cmocka_unit_test(sightings_count),
		cmocka_unit_test(ttps_are_taken_apart),
		cmocka_unit_test(actors_and_campaigns_relate),
		cmocka_unit_test(incidents_have_a_history),
		cmocka_unit_test(reports_list_what_they_speak_of),
		cmocka_unit_test(observables_alone_are_observed),
		cmocka_unit_test(strict_refuses_units),
		cmocka_unit_test(refuses_what_is_no_package),
		cmocka_unit_test(references_may_go_in_circles),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

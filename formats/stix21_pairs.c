/* stix21_pairs.c -- see stix21_types.h: the relationships that the standard suggests. Others are legal. */
#include "formats/stix21_types.h"
#include "formats/vocab.h"

#define PLACE	"identity location vulnerability"
#define ARMS	"attack-pattern infrastructure malware tool"
#define NET	"infrastructure ipv4-addr ipv6-addr domain-name url"
#define SCOS	"infrastructure observed-data artifact autonomous-system directory domain-name "	\
	"email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex network-traffic process "	\
	"software url user-account windows-registry-key x509-certificate"

/* Rows of one source stand together. */
static const struct { const char *source, *verb, *targets; } pairs[] = {
	{ "attack-pattern", "delivers", "malware" },
	{ "attack-pattern", "targets", PLACE },
	{ "attack-pattern", "uses", "malware tool" },
	{ "campaign", "attributed-to", "intrusion-set threat-actor" },
	{ "campaign", "compromises", "infrastructure" },
	{ "campaign", "originates-from", "location" },
	{ "campaign", "targets", PLACE },
	{ "campaign", "uses", ARMS },
	{ "course-of-action", "investigates", "indicator" },
	{ "course-of-action", "mitigates", "attack-pattern indicator malware tool vulnerability" },
	{ "course-of-action", "remediates", "malware vulnerability" },
	{ "domain-name", "resolves-to", "domain-name ipv4-addr ipv6-addr" },
	{ "identity", "located-at", "location" },
	{ "indicator", "indicates", "attack-pattern campaign infrastructure intrusion-set malware "
	    "threat-actor tool" },
	{ "indicator", "based-on", "observed-data" },
	{ "infrastructure", "communicates-with", NET },
	{ "infrastructure", "consists-of", SCOS },
	{ "infrastructure", "controls", "infrastructure malware" },
	{ "infrastructure", "delivers", "malware" },
	{ "infrastructure", "has", "vulnerability" },
	{ "infrastructure", "hosts", "tool malware" },
	{ "infrastructure", "located-at", "location" },
	{ "infrastructure", "uses", "infrastructure" },
	{ "intrusion-set", "attributed-to", "threat-actor" },
	{ "intrusion-set", "compromises", "infrastructure" },
	{ "intrusion-set", "hosts", "infrastructure" },
	{ "intrusion-set", "owns", "infrastructure" },
	{ "intrusion-set", "originates-from", "location" },
	{ "intrusion-set", "targets", PLACE },
	{ "intrusion-set", "uses", ARMS },
	{ "ipv4-addr", "resolves-to", "mac-addr" },
	{ "ipv4-addr", "belongs-to", "autonomous-system" },
	{ "ipv6-addr", "resolves-to", "mac-addr" },
	{ "ipv6-addr", "belongs-to", "autonomous-system" },
	{ "malware", "authored-by", "threat-actor intrusion-set" },
	{ "malware", "beacons-to", "infrastructure" },
	{ "malware", "exfiltrates-to", "infrastructure" },
	{ "malware", "communicates-with", "ipv4-addr ipv6-addr domain-name url" },
	{ "malware", "controls", "malware" },
	{ "malware", "downloads", "malware tool file" },
	{ "malware", "drops", "malware tool file" },
	{ "malware", "exploits", "vulnerability" },
	{ "malware", "originates-from", "location" },
	{ "malware", "targets", "identity infrastructure location" },
	{ "malware", "uses", ARMS },
	{ "malware", "variant-of", "malware" },
	{ "malware-analysis", "characterizes", "malware" },
	{ "malware-analysis", "analysis-of", "malware" },
	{ "malware-analysis", "static-analysis-of", "malware" },
	{ "malware-analysis", "dynamic-analysis-of", "malware" },
	{ "threat-actor", "attributed-to", "identity" },
	{ "threat-actor", "impersonates", "identity" },
	{ "threat-actor", "compromises", "infrastructure" },
	{ "threat-actor", "hosts", "infrastructure" },
	{ "threat-actor", "owns", "infrastructure" },
	{ "threat-actor", "located-at", "location" },
	{ "threat-actor", "targets", PLACE },
	{ "threat-actor", "uses", ARMS },
	/* Not in the standard, which has no relationship for software at all: how an advisory says which
	 * product is affected. What a tool may have, software may. */
	{ "software", "has", "vulnerability" },
	{ "tool", "delivers", "malware" },
	{ "tool", "drops", "malware" },
	{ "tool", "has", "vulnerability" },
	{ "tool", "targets", "identity infrastructure location vulnerability" },
	{ "tool", "uses", "infrastructure" },
};

/* True if the standard suggests this relationship. Between types of somebody's own nothing is unusual. */
bool
stix21_pair_is_usual(struct slice source, struct slice verb, struct slice target)
{
	if (slice_is(verb, "related-to"))
		return true;
	if (slice_is(verb, "derived-from") || slice_is(verb, "duplicate-of"))
		return slice_eq(source, target);
	if (stix21_type_find(source) == NULL || stix21_type_find(target) == NULL)
		return true;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (slice_is(source, pairs[i].source) && slice_is(verb, pairs[i].verb))
			return vocab_has_word(pairs[i].targets, target);
	return false;
}

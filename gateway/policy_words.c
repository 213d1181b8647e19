/* The words of trust.conf, and sets of countries. Part of policy_parts.h. */
#include "gateway/policy_parts.h"

#include <stdio.h>

const char *const words_relation[] = { "own", "client", "partner", "public", NULL };
const char *const words_assurance[] = { "none", "basic", "substantial", "high", NULL };
const char *const words_vetting[] = { "none", "stated", "checked", "cleared", NULL };
const char *const words_verified[] = { "none", "document", "registry", NULL };
const char *const words_origin[] = { "own", "addressed", "received", NULL };
const char *const words_pap[] = { "none", "clear", "green", "amber", "red", NULL };
const char *const words_tlp[] = { "none", "clear", "green", "amber", "amber+strict", "red", NULL };
/* In the order of sector_parse(), which a test compares. */
const char *const words_sector[] = {
	"energy", "transport", "banking", "financial", "health", "drinking-water", "waste-water",
	"digital-infrastructure", "ict-services", "public-administration", "space", "courier",
	"waste-management", "chemical", "food", "manufacturing", "digital-providers", "research", NULL
};
const char *const words_phase[] = {
	"none", "analysis", "remediation", "indications", "mitigation", "response", "reconstitution",
	NULL
};
/* STIX 2.1 types; in no order that matters. Others begin with "x-". */
const char *const words_kind[] = {
	"artifact", "attack-pattern", "autonomous-system", "campaign", "course-of-action",
	"directory", "domain-name", "email-addr", "email-message", "extension-definition", "file",
	"grouping", "identity", "incident", "indicator", "infrastructure", "intrusion-set",
	"ipv4-addr", "ipv6-addr", "language-content", "location", "mac-addr", "malware",
	"malware-analysis", "marking-definition", "mutex", "network-traffic", "note",
	"observed-data", "opinion", "process", "relationship", "report", "sighting", "software",
	"threat-actor", "tool", "url", "user-account", "vulnerability", "windows-registry-key",
	"x509-certificate", NULL
};
/* The ten objectives of Article 51 of the Cybersecurity Act, by letter. */
const char *const words_control[] = {
	"csa51-a", "csa51-b", "csa51-c", "csa51-d", "csa51-e", "csa51-f", "csa51-g", "csa51-h",
	"csa51-i", "csa51-j", NULL
};
const char *const words_metric[] = {
	"tls.version", "redis.tls", "key.modes", "leaks.prevented", "backup.age", "restore.age",
	"redis.persist-age", "envelope.bad", "authz.denied-unexpected", "roles.drift", "sbom.age",
	"audit.lag", "audit.chain-ok", "witness.age", "vulnscan.age", "recovery.seconds",
	"queue.oldest", "config.drift", "defaults.check", "build.age", "cert.days-left",
	"clock.skew", "delivery.p95", NULL
};

/* The registry's names; a test compares. The first is another word for `mapped`. */

/* ISO 3166-1 alpha-2, three bytes a code. */
static const char iso3166[] =
	"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS "
	"BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE "
	"EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM "
	"HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC "
	"LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA "
	"NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO "
	"TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW ";

static const struct {
	const char	*name, *codes;
} groups[] = {
	{ "EU", "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE " },
	{ "EEA",
	    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO " },
};

/* The index of a word in a list that NULL ends, or -1. */
int
word_index(struct slice w, const char *const *list)
{
	for (int i = 0; list[i] != NULL; i++)
		if (slice_is(w, list[i]))
			return i;
	return -1;
}

/* The bit number of two capital letters, or -1. */
static int
country_bit(struct slice code)
{
	if (code.n != 2 || code.p[0] < 'A' || code.p[0] > 'Z' || code.p[1] < 'A' || code.p[1] > 'Z')
		return -1;
	return (code.p[0] - 'A') * 26 + code.p[1] - 'A';
}

static void
set_bit(struct countries *set, int bit)
{
	if (bit >= 0)
		set->bits[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static bool
has_bit(const struct countries *set, int bit)
{
	return (set->bits[bit / 64] >> (bit % 64) & 1) != 0;
}

/* Put a country, or all of a group of countries, into the set; false if there is none of that name. */
bool
countries_add(struct countries *set, struct slice word)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (!slice_is(word, groups[i].name))
			continue;
		for (const char *p = groups[i].codes; *p != '\0'; p += 3)
			set_bit(set, country_bit(slice_from(p, 2)));
		return true;
	}
	for (const char *p = iso3166; *p != '\0'; p += 3) {
		if (slice_eq(word, slice_from(p, 2))) {
			set_bit(set, country_bit(word));
			return true;
		}
	}
	return false;
}

bool
countries_have(const struct countries *set, struct slice code)
{
	int bit = country_bit(code);

	return bit >= 0 && has_bit(set, bit);
}

bool
countries_are_empty(const struct countries *set)
{
	for (int i = 0; i < COUNTRY_WORDS; i++)
		if (set->bits[i] != 0)
			return false;
	return true;
}

/* True if every country of `part` is in `whole`. */
bool
countries_within(const struct countries *part, const struct countries *whole)
{
	for (int i = 0; i < COUNTRY_WORDS; i++)
		if ((part->bits[i] & ~whole->bits[i]) != 0)
			return false;
	return true;
}

void
countries_text(const struct countries *set, const struct countries *except, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (int bit = 0; bit < 26 * 26 && n + 4 < cap; bit++) {
		if (!has_bit(set, bit) || (except != NULL && has_bit(except, bit)))
			continue;
		n += (size_t)snprintf(out + n, cap - n, "%s%c%c", n > 0 ? " " : "", 'A' + bit / 26,
		    'A' + bit % 26);
	}
}

const char *
relation_word(enum relation r)
{
	return (unsigned)r < RELATIONS ? words_relation[r] : "unknown";
}

const char *
policy_origin_word(enum origin o)
{
	return (unsigned)o <= ORIGIN_RECEIVED ? words_origin[o] : "unknown";
}

const char *
policy_pap_word(enum pap p)
{
	return (unsigned)p <= PAP_RED ? words_pap[p] : "unknown";
}

const char *
policy_verdict_word(enum policy_verdict v)
{
	static const char *const words[] = { "release", "deny", "hold" };

	return (unsigned)v <= POLICY_HOLD ? words[v] : "unknown";
}

#define REASON(r)	[r] = #r

const char *
policy_reason_word(enum policy_reason r)
{
	static const char *const words[POLICY_REASONS] = {
		[REASON_NONE] = "NONE", REASON(TLP_AUDIENCE), REASON(PAP_USE), REASON(IEP_ACTION),
		REASON(IEP_ATTRIBUTION), REASON(IEP_EXPIRED), REASON(LABEL_VOCAB),
		REASON(CLASSIFIED_INPUT), REASON(IDENTITY_MISMATCH), REASON(ENVELOPE_BAD),
		REASON(EXERCISE_WALL), REASON(EMBARGO), REASON(NODE_STOPPED), REASON(SUSPENDED),
		REASON(REQUIRE), REASON(NO_RELEASE), REASON(LEAK_PREVENTED),
		REASON(REDACTION_NOT_BUILT), REASON(HOP_LIMIT),
	};

	return (unsigned)r < POLICY_REASONS ? words[r] : "unknown";
}

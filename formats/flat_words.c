/*
 * flat_words.c -- the words of flat records: types, roles, verdicts, IntelMQ's classification.
 */
#include <strings.h>

#include "formats/flat_impl.h"
#include "gateway/base/strbuf.h"

static const char *const types[FLAT_TYPES] = {
	[FLAT_IPV4] = "ipv4", [FLAT_IPV4_NET] = "ipv4-net", [FLAT_IPV6] = "ipv6",
	[FLAT_IPV6_NET] = "ipv6-net", [FLAT_DOMAIN] = "domain", [FLAT_URL] = "url",
	[FLAT_EMAIL] = "email", [FLAT_MD5] = "md5", [FLAT_SHA1] = "sha1",
	[FLAT_SHA256] = "sha256", [FLAT_SHA512] = "sha512", [FLAT_SSDEEP] = "ssdeep",
	[FLAT_TLSH] = "tlsh", [FLAT_FILENAME] = "filename", [FLAT_REGKEY] = "regkey",
	[FLAT_MUTEX] = "mutex", [FLAT_ASN] = "asn", [FLAT_MAC] = "mac",
	[FLAT_USERAGENT] = "useragent", [FLAT_CERT_SHA1] = "cert-sha1",
	[FLAT_CERT_SHA256] = "cert-sha256", [FLAT_USER] = "user", [FLAT_CVE] = "cve",
	[FLAT_PATTERN] = "pattern"
};

static const char *const verdicts[FLAT_VERDICTS] = {
	[FLAT_WRITTEN] = "written", [FLAT_CANNOT] = "cannot", [FLAT_REVOKED] = "revoked",
	[FLAT_EXPIRED] = "expired", [FLAT_WARNED] = "warned", [FLAT_LABEL] = "label",
	[FLAT_OBSERVED] = "observed", [FLAT_PART] = "part", [FLAT_AGAIN] = "again"
};

static const char *const verdict_tellings[FLAT_VERDICTS] = {
	[FLAT_WRITTEN] = "written", [FLAT_CANNOT] = "this output has no words for it",
	[FLAT_REVOKED] = "revoked by its creator", [FLAT_EXPIRED] = "no longer valid",
	[FLAT_WARNED] = "on the warning list",
	[FLAT_LABEL] = "TLP:RED or TLP:AMBER+STRICT does not go into a device",
	[FLAT_OBSERVED] = "an observable accuses nobody",
	[FLAT_PART] = "counts only together with other tests of its pattern",
	[FLAT_AGAIN] = "an earlier record said the same"
};

static const struct {
	const char	*type, *taxonomy;
} taxonomies[] = {
	{ "phishing", "fraud" }, { "scanner", "information-gathering" },
	{ "system-compromise", "intrusions" }, { "c2-server", "malicious-code" },
	{ "malware-distribution", "malicious-code" }, { "vulnerable-system", "vulnerable" }
};

const char *
flat_type_word(enum flat_type t)
{
	return types[t];
}

int
flat_type_find(struct slice word)
{
	for (int i = 0; i < FLAT_TYPES; i++)
		if (slice_is(word, types[i]))
			return i;
	return -1;
}

const char *
flat_verdict_word(enum flat_verdict v)
{
	return verdicts[v];
}

const char *
flat_verdict_telling(enum flat_verdict v)
{
	return verdict_tellings[v];
}

const char *
flat_role_word(enum flat_role r)
{
	return r == FLAT_SOURCE ? "source" : r == FLAT_DESTINATION ? "destination" : "";
}

/* The list holds the word anywhere, in any case: labels are free text. */
static bool
tells(struct slice list, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= list.n; i++)
		if (strncasecmp(list.p + i, word, n) == 0)
			return true;
	return false;
}

int
flat_rank(enum flat_type type)
{
	switch (type) {
	case FLAT_FILENAME:
	case FLAT_REGKEY:
	case FLAT_MUTEX:
	case FLAT_ASN:
	case FLAT_MAC:
	case FLAT_USERAGENT:
	case FLAT_USER:
	case FLAT_EMAIL:		/* senders are forged */
		return 0;
	case FLAT_IPV4:
	case FLAT_IPV4_NET:
	case FLAT_IPV6:
	case FLAT_IPV6_NET:
		return 1;
	case FLAT_DOMAIN:
		return 2;
	default:
		return 3;
	}
}

static bool
is_network_value(enum flat_type t)
{
	return t <= FLAT_URL;
}

static bool
is_file_hash(enum flat_type t)
{
	return t >= FLAT_MD5 && t <= FLAT_TLSH;
}

/* mapping.md section 9: the first that fits, from the most telling to the least. */
static const char *
classification(const struct flat_record *r, const struct flat_links *l)
{
	struct slice types_said = r->indicator_types, labels = r->labels;
	bool malware = r->malware.n > 0;

	if (!r->indicator)
		return r->type == FLAT_CVE ? "vulnerable-system" : "undetermined";
	if (tells(labels, "phishing") || tells(r->kill_chain, "phishing") ||
	    (r->type == FLAT_URL && tells(r->value, "phishing")))
		return "phishing";
	if (is_network_value(r->type) && (l->c2 || (malware &&
	    (tells(r->kill_chain, "command-and-control") || tells(r->kill_chain, "command-control")))))
		return "c2-server";
	if (malware && is_network_value(r->type) &&
	    (r->type == FLAT_URL || tells(r->kill_chain, "delivery")))
		return "malware-distribution";
	if (malware && is_file_hash(r->type))
		return "malware";
	if (tells(types_said, "compromised") || tells(labels, "compromised"))
		return "system-compromise";
	if (tells(labels, "tor-exit") || tells(labels, "tor-node") || slice_is_nocase(labels, "tor"))
		return "tor";
	if (l->anonymization || tells(types_said, "anonymization") ||
	    tells(labels, "anonymization"))
		return "proxy";
	if (l->vulnerability || r->type == FLAT_CVE)
		return "vulnerable-system";
	if (tells(labels, "scanner") || tells(labels, "scanning"))
		return "scanner";
	return "blacklist";
}

void
flat_classify(struct flat_record *r, const struct flat_links *l)
{
	r->classification = classification(r, l);
	r->taxonomy = "other";
	for (size_t i = 0; i < COUNTOF(taxonomies); i++)
		if (strcmp(r->classification, taxonomies[i].type) == 0)
			r->taxonomy = taxonomies[i].taxonomy;
}

/* iodef2_words.c -- the tables of iodef2_words.h (mapping.md 2.2, 2.3, 2.5). */
#include <ctype.h>

#include "formats/iodef2_words.h"

const struct iodef2_bulk iodef2_bulks[] = {
	{ "domain-name",	"domain-name:value" },
	{ "ipv4-addr",		"ipv4-addr:value" },
	{ "ipv4-net",		"ipv4-addr:value" },
	{ "ipv6-addr",		"ipv6-addr:value" },
	{ "ipv6-net",		"ipv6-addr:value" },
	{ "site-uri",		"url:value" },
	{ "e-mail",		"email-addr:value" },
	{ "mac",		"mac-addr:value" },
	{ "asn",		"autonomous-system:number" },
	{ "file-path",		"directory:path" },
	{ "file-path",		"file:name" },
	{ "windows-reg-key",	"windows-registry-key:key" },
	{ "mutex",		"mutex:name" },
	{ "user-name",		"user-account:account_login" },
	{ "user-name",		"user-account:user_id" },
	{ "email-subject",	"email-message:subject" },
	{ "email-x-mailer",	"email-message:additional_header_fields.'X-Mailer'" },
	{ "http-user-agent",
	    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'" },
	{ "http-request-uri",	"network-traffic:extensions.'http-request-ext'.request_value" },
	{ NULL, NULL }
};

static const struct {
	const char *infrastructure, *role;
} roles[] = {
	{ "command-and-control",	"c2-server" },
	{ "hosting-malware",		"malware-distribution" },
	{ "phishing",			"phishing-site" },
	{ "exfiltration",		"drop-server" },
	{ "anonymization",		"anonymization" },
	{ "amplification",		"reflector" },
	{ NULL, NULL }
};

const char *
iodef2_noderole_of_infrastructure(struct slice type)
{
	size_t i;

	for (i = 0; roles[i].role != NULL; i++)
		if (slice_is(type, roles[i].infrastructure))
			return roles[i].role;
	return NULL;
}

/* Rows in the order of the page: the first whose words all occur wins. */
static const struct {
	const char *word, *with, *action;
} actions[] = {
	{ "block", "host",			"block-host" },
	{ "block", "ip",			"block-host" },
	{ "block", "network",			"block-network" },
	{ "block", "port",			"block-port" },
	{ "perimeter-blocking", "",		"block-host" },
	{ "internal-blocking", "",		"block-host" },
	{ "rate-limit", "",			"rate-limit-host" },
	{ "redirection-honey-pot", "",		"honeypot" },
	{ "redirection", "",			"redirect-traffic" },
	{ "patching", "",			"upgrade-software" },
	{ "upgrade", "",			"upgrade-software" },
	{ "rebuilding", "",			"rebuild-asset" },
	{ "hardening", "",			"harden-asset" },
	{ "eradication", "",			"remediate-other" },
	{ "training", "",			"training" },
	{ "monitoring", "",			"watch-and-report" },
	{ "investigate", "",			"investigate" },
	{ NULL, NULL, NULL }
};

/* Does the text hold the word, in any case, where a word starts? */
static bool
contains(struct slice text, const char *word)
{
	size_t n = strlen(word), i, j;

	for (i = 0; i + n <= text.n; i++) {
		if (i > 0 && isalnum((unsigned char)text.p[i - 1]))
			continue;
		for (j = 0; j < n && tolower((unsigned char)text.p[i + j]) == word[j]; j++)
			;
		if (j == n)
			return true;
	}
	return false;
}

const char *
iodef2_action_of_text(struct slice text)
{
	size_t i;

	for (i = 0; actions[i].action != NULL; i++)
		if (contains(text, actions[i].word) && contains(text, actions[i].with))
			return actions[i].action;
	return "other";
}

/* stix1_words.c -- the vocabularies of STIX 1.x and 2.1: one row a word, read in both directions. */
#include <ctype.h>

#include "formats/stix1.h"
#include "formats/vocab.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

struct word {
	enum stix1_vocab	 vocab;
	const char		*old, *new_word;
	bool			 coarse;	/* the new word says less: the old one becomes a label */
};

/* Of several rows with one new word, the first is the way back. */
static const struct word words[] = {
	{ STIX1_INDICATOR_TYPE, "Anonymization", "anonymization", false },
	{ STIX1_INDICATOR_TYPE, "Malicious E-mail", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "IP Watchlist", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "File Hash Watchlist", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "Domain Watchlist", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "URL Watchlist", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "Malware Artifacts", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "C2", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "Exfiltration", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "Login Name", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "IMEI Watchlist", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "IMSI Watchlist", "malicious-activity", true },
	{ STIX1_INDICATOR_TYPE, "Compromised PKI Certificate", "compromised", true },
	{ STIX1_INDICATOR_TYPE, "Host Characteristics", "unknown", true },

	{ STIX1_MALWARE_TYPE, "Remote Access Trojan", "remote-access-trojan", false },
	{ STIX1_MALWARE_TYPE, "Ransomware", "ransomware", false },
	{ STIX1_MALWARE_TYPE, "Rootkit", "rootkit", false },
	{ STIX1_MALWARE_TYPE, "Adware", "adware", false },
	{ STIX1_MALWARE_TYPE, "Bot", "bot", false },
	{ STIX1_MALWARE_TYPE, "Bot - Credential Theft", "bot", true },
	{ STIX1_MALWARE_TYPE, "Bot - DDoS", "bot", true },
	{ STIX1_MALWARE_TYPE, "Bot - Loader", "bot", true },
	{ STIX1_MALWARE_TYPE, "Bot - Spam", "bot", true },
	{ STIX1_MALWARE_TYPE, "DoS / DDoS", "ddos", false },
	{ STIX1_MALWARE_TYPE, "DoS/DDoS", "ddos", false },
	{ STIX1_MALWARE_TYPE, "DoS / DDoS - Participatory", "ddos", true },
	{ STIX1_MALWARE_TYPE, "DoS / DDoS - Script", "ddos", true },
	{ STIX1_MALWARE_TYPE, "DoS / DDoS - Stress Test Tools", "ddos", true },
	{ STIX1_MALWARE_TYPE, "Exploit Kits", "exploit-kit", false },
	{ STIX1_MALWARE_TYPE, "Rogue Antivirus", "rogue-security-software", false },
	{ STIX1_MALWARE_TYPE, "POS / ATM Malware", "unknown", true },
	{ STIX1_MALWARE_TYPE, "POS/ATM Malware", "unknown", true },
	{ STIX1_MALWARE_TYPE, "Dialer", "unknown", true },
	{ STIX1_MALWARE_TYPE, "Automated Transfer Scripts", "unknown", true },

	{ STIX1_ACTOR_TYPE, "State Actor / Agency", "nation-state", false },
	{ STIX1_ACTOR_TYPE, "Hacktivist", "activist", false },
	{ STIX1_ACTOR_TYPE, "Hacker", "hacker", false },
	{ STIX1_ACTOR_TYPE, "Hacker - White hat", "hacker", true },
	{ STIX1_ACTOR_TYPE, "Hacker - Gray hat", "hacker", true },
	{ STIX1_ACTOR_TYPE, "Hacker - Black hat", "hacker", true },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Organized Crime Actor", "crime-syndicate", false },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Credential Theft Botnet Operator", "criminal", true },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Credential Theft Botnet Service", "criminal", true },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Malware Developer", "criminal", true },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Money Laundering Network", "criminal", true },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Spam Service", "criminal", true },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Traffic Service", "criminal", true },
	{ STIX1_ACTOR_TYPE, "eCrime Actor - Underground Call Service", "criminal", true },
	{ STIX1_ACTOR_TYPE, "Insider Threat", "unknown", true },
	{ STIX1_ACTOR_TYPE, "Cyber Espionage Operations", "spy", false },
	{ STIX1_ACTOR_TYPE, "Disgruntled Customer / User", "insider-disgruntled", true },

	{ STIX1_MOTIVATION, "Ideological", "ideology", false },
	{ STIX1_MOTIVATION, "Ideological - Anti-Corruption", "ideology", true },
	{ STIX1_MOTIVATION, "Ideological - Anti-Establishment", "ideology", true },
	{ STIX1_MOTIVATION, "Ideological - Environmental", "ideology", true },
	{ STIX1_MOTIVATION, "Ideological - Ethnic / Nationalist", "ideology", true },
	{ STIX1_MOTIVATION, "Ideological - Information Freedom", "ideology", true },
	{ STIX1_MOTIVATION, "Ideological - Religious", "ideology", true },
	{ STIX1_MOTIVATION, "Ideological - Security Awareness", "ideology", true },
	{ STIX1_MOTIVATION, "Ideological - Human Rights", "ideology", true },
	{ STIX1_MOTIVATION, "Ego", "personal-satisfaction", false },
	{ STIX1_MOTIVATION, "Financial or Economic", "personal-gain", true },
	{ STIX1_MOTIVATION, "Political", "dominance", true },
	{ STIX1_MOTIVATION, "Policital", "dominance", true },
	{ STIX1_MOTIVATION, "Military", "dominance", true },
	{ STIX1_MOTIVATION, "Opportunistic", "unpredictable", false },

	{ STIX1_SOPHISTICATION, "Innovator", "innovator", false },
	{ STIX1_SOPHISTICATION, "Expert", "expert", false },
	{ STIX1_SOPHISTICATION, "Practitioner", "advanced", false },
	{ STIX1_SOPHISTICATION, "Novice", "minimal", false },
	{ STIX1_SOPHISTICATION, "Aspirant", "none", false },

	{ STIX1_TOOL_TYPE, "Vulnerability Scanner", "vulnerability-scanning", false },
	{ STIX1_TOOL_TYPE, "Application Scanner", "vulnerability-scanning", true },
	{ STIX1_TOOL_TYPE, "Port Scanner", "information-gathering", true },
	{ STIX1_TOOL_TYPE, "Traffic Scanner", "network-capture", false },
	{ STIX1_TOOL_TYPE, "Password Cracking", "credential-exploitation", false },
	{ STIX1_TOOL_TYPE, "Penetration Testing", "exploitation", false },
	{ STIX1_TOOL_TYPE, "Malware", "unknown", true },

	/* sectors as US documents name them (ruled by their Presidential Policy Directive 21) */
	{ STIX1_SECTOR, "Chemical Sector", "chemical", false },
	{ STIX1_SECTOR, "Commercial Facilities Sector", "commercial", false },
	{ STIX1_SECTOR, "Communications Sector", "communications", false },
	{ STIX1_SECTOR, "Critical Manufacturing Sector", "manufacturing", false },
	{ STIX1_SECTOR, "Dams Sector", "infrastructure-dams", false },
	{ STIX1_SECTOR, "Defense Industrial Base Sector", "defense", false },
	{ STIX1_SECTOR, "Emergency Services Sector", "emergency-services", false },
	{ STIX1_SECTOR, "Energy Sector", "energy", false },
	{ STIX1_SECTOR, "Financial Services Sector", "financial-services", false },
	{ STIX1_SECTOR, "Finance", "financial-services", false },
	{ STIX1_SECTOR, "Food and Agriculture Sector", "agriculture", false },
	{ STIX1_SECTOR, "Government Facilities Sector", "government", false },
	{ STIX1_SECTOR, "Healthcare and Public Health Sector", "healthcare", false },
	{ STIX1_SECTOR, "Information Technology Sector", "technology", false },
	{ STIX1_SECTOR, "Nuclear Reactors, Materials, and Waste Sector", "infrastructure-nuclear", false },
	{ STIX1_SECTOR, "Transportation Systems Sector", "transportation", false },
	{ STIX1_SECTOR, "Water and Wastewater Systems Sector", "infrastructure-water", false },
};

/* Return the row of a 1.x word, NULL if it is none of that vocabulary. */
static const struct word *
find_old(enum stix1_vocab v, struct slice old)
{
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (words[i].vocab == v && slice_is_nocase(old, words[i].old))
			return &words[i];
	return NULL;
}

/* Return what the word is in 2.1, NULL if unknown. */
const char *
stix1_word_up(enum stix1_vocab v, struct slice old)
{
	const struct word *w = find_old(v, old);

	return w == NULL ? NULL : w->new_word;
}

/* Return the first 1.x word for it, NULL if none means that. */
const char *
stix1_word_down(enum stix1_vocab v, struct slice word)
{
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (words[i].vocab == v && slice_is(word, words[i].new_word))
			return words[i].old;
	return NULL;
}

/* True if the 2.1 word says less than the old one, or the old one is unknown. */
bool
stix1_word_is_coarse(enum stix1_vocab v, struct slice old)
{
	const struct word *w = find_old(v, old);

	return w == NULL || w->coarse;
}

/* The open vocabularies of 2.1: words that 1.x documents made from 2.x ones hold as they are. */
static const char *const new_words[] = {
	[STIX1_INDICATOR_TYPE] = "anomalous-activity anonymization benign compromised malicious-activity "
	    "attribution unknown",
	[STIX1_MALWARE_TYPE] = "adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger "
	    "ransomware remote-access-trojan resource-exploitation rogue-security-software rootkit "
	    "screen-capture spyware trojan unknown virus webshell wiper worm",
	[STIX1_ACTOR_TYPE] = "activist competitor crime-syndicate criminal hacker insider-accidental "
	    "insider-disgruntled nation-state sensationalist spy terrorist unknown",
	[STIX1_MOTIVATION] = "accidental coercion dominance ideology notoriety organizational-gain "
	    "personal-gain personal-satisfaction revenge unpredictable",
	[STIX1_SOPHISTICATION] = "none minimal intermediate advanced expert innovator strategic",
	[STIX1_TOOL_TYPE] = "denial-of-service exploitation information-gathering network-capture "
	    "credential-exploitation remote-access vulnerability-scanning unknown",
	[STIX1_SECTOR] = "",
};

/* True if it is a word of 2.1 already. */
bool
stix1_word_is_new(enum stix1_vocab v, struct slice word)
{
	return vocab_has_word(new_words[v], word);
}

static const struct {
	const char	*word;
	int		 confidence;
} confidences[] = {
	{ "High", 85 }, { "Medium", 50 }, { "Low", 15 }, { "None", 0 },
};

/* Return 0..100, -1 if the word says no such thing. */
int
stix1_confidence_up(struct slice word)
{
	unsigned long long n;

	for (size_t i = 0; i < COUNTOF(confidences); i++)
		if (slice_is_nocase(word, confidences[i].word))
			return confidences[i].confidence;
	return slice_u64(word, &n) && n <= 100 ? (int)n : -1;
}

/* Return the word for a confidence of 0..100 (STIX 2.1 appendix A: None, Low, Med, High). */
const char *
stix1_confidence_down(int confidence)
{
	return confidence <= 0 ? "None" : confidence < 30 ? "Low" : confidence < 70 ? "Medium" : "High";
}

/* Return the words in lower case with hyphens between them. */
struct slice
stix1_hyphens(struct arena *mem, struct slice text)
{
	char *out = arena_str(mem, text);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x80 || isalnum(c))
			out[n++] = (char)(c < 0x80 ? tolower(c) : c);
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n > 0 && out[n - 1] == '-')
		n--;
	out[n] = '\0';
	return slice_from(out, n);
}

/* The phases of the chain that every STIX 1.x document may refer to without defining it. */
static const struct {
	const char	*uuid, *name;
} phases[] = {
	{ "af1016d6-a744-4ed7-ac91-00fe2272185a", "reconnaissance" },
	{ "445b4827-3cca-42bd-8421-f2e947133c16", "weaponization" },
	{ "79a0e041-9d5f-49bb-ada4-8322622b162d", "delivery" },
	{ "f706e4e7-53d8-44ef-967f-81535c9db7d0", "exploitation" },
	{ "e1e4e3f7-be3b-4b39-b80a-a593cfd99a4f", "installation" },
	{ "d6dc32b9-2538-4951-8733-3cb9ef1daae2", "command-and-control" },
	{ "786ca8f9-2d9a-4213-b38e-399af4a2e5d6", "actions-on-objectives" },
};

/* Return the name of a well-known phase, NULL if it is none. */
const char *
stix1_phase_name(struct slice phase_id)
{
	for (size_t i = 0; i < COUNTOF(phases); i++)
		if (slice_ends(phase_id, phases[i].uuid))
			return phases[i].name;
	return NULL;
}

/* True if it is the chain of those phases. */
bool
stix1_is_lm_chain(struct slice chain_id)
{
	return slice_ends(chain_id, STIX1_KILL_CHAIN_UUID);
}

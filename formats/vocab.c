/* vocab.c -- see vocab.h. */
#include "formats/vocab.h"

#include <pthread.h>
#include <strings.h>

#include "formats/names.h"

/* Types by name; phases as in the list of the CIP life cycle. */
static const struct vocab_type types[] = {
	{ "artifact",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "attack-pattern",		OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "autonomous-system",		OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "campaign",			OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "course-of-action",		OBJECT_SDO, PHASE_REMEDIATION, false },
	{ "directory",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "domain-name",		OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "email-addr",			OBJECT_SCO, PHASE_INDICATIONS, true },
	{ "email-message",		OBJECT_SCO, PHASE_INDICATIONS, true },
	{ "extension-definition",	OBJECT_META, PHASE_UNSET, false },
	{ "file",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "grouping",			OBJECT_SDO, PHASE_UNSET, false },
	{ "identity",			OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "incident",			OBJECT_SDO, PHASE_RESPONSE, false },
	{ "indicator",			OBJECT_SDO, PHASE_INDICATIONS, false },
	{ "infrastructure",		OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "intrusion-set",		OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "ipv4-addr",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "ipv6-addr",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "language-content",		OBJECT_META, PHASE_UNSET, false },
	{ "location",			OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "mac-addr",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "malware",			OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "malware-analysis",		OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "marking-definition",		OBJECT_META, PHASE_UNSET, false },
	{ "mutex",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "network-traffic",		OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "note",			OBJECT_SDO, PHASE_UNSET, false },
	{ "observed-data",		OBJECT_SDO, PHASE_INDICATIONS, false },
	{ "opinion",			OBJECT_SDO, PHASE_UNSET, false },
	{ "process",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "relationship",		OBJECT_SRO, PHASE_UNSET, false },
	{ "report",			OBJECT_SDO, PHASE_UNSET, false },
	{ "sighting",			OBJECT_SRO, PHASE_INDICATIONS, false },
	{ "software",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "threat-actor",		OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "tool",			OBJECT_SDO, PHASE_ANALYSIS, false },
	{ "url",			OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "user-account",		OBJECT_SCO, PHASE_INDICATIONS, true },
	{ "vulnerability",		OBJECT_SDO, PHASE_REMEDIATION, false },
	{ "windows-registry-key",	OBJECT_SCO, PHASE_INDICATIONS, false },
	{ "x509-certificate",		OBJECT_SCO, PHASE_INDICATIONS, false },
};

static const struct {
	const char	*word;
	const char	*label;
	const char	*id;		/* of the TLP 2.0 definition */
} tlps[TLP_LEVELS] = {
	[TLP_UNSET]	   = { "none", "", NULL },
	[TLP_CLEAR]	   = { "clear", "TLP:CLEAR",
	    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487" },
	[TLP_GREEN]	   = { "green", "TLP:GREEN",
	    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb" },
	[TLP_AMBER]	   = { "amber", "TLP:AMBER",
	    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421" },
	[TLP_AMBER_STRICT] = { "amber+strict", "TLP:AMBER+STRICT",
	    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003" },
	[TLP_RED]	   = { "red", "TLP:RED",
	    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1" },
};

/* The four definitions of TLP 1.0. */
static const struct { const char *id; enum tlp tlp; } tlp1_ids[] = {
	{ "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", TLP_CLEAR },
	{ "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", TLP_GREEN },
	{ "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", TLP_AMBER },
	{ "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", TLP_RED },
};

static const char *const phases[PHASES] = {
	[PHASE_UNSET] = "none", [PHASE_ANALYSIS] = "analysis",
	[PHASE_REMEDIATION] = "remediation", [PHASE_INDICATIONS] = "indications",
	[PHASE_MITIGATION] = "mitigation", [PHASE_RESPONSE] = "response",
	[PHASE_RECONSTITUTION] = "reconstitution",
};

/* NIS2, annex I then annex II; the bit numbers are stored, so the order never changes. */
static const char *const sectors[VOCAB_SECTORS] = {
	"energy", "transport", "banking", "financial", "health", "drinking-water", "waste-water",
	"digital-infrastructure", "ict-services", "public-administration", "space",
	"courier", "waste-management", "chemical", "food", "manufacturing", "digital-providers",
	"research",
};

/* industry-sector-ov -> NIS2, only where there is nothing to choose. */
static const struct { const char *stix, *nis2; } industry[] = {
	{ "energy", "energy" },			{ "nuclear", "energy" },
	{ "transportation", "transport" },	{ "healthcare", "health" },
	{ "pharmaceuticals", "health" },	{ "telecommunications", "digital-infrastructure" },
	{ "communications", "digital-infrastructure" },
	{ "government", "public-administration" },
	{ "government-national", "public-administration" },
	{ "government-regional", "public-administration" },
	{ "chemical", "chemical" },		{ "manufacturing", "manufacturing" },
	{ "automotive", "manufacturing" },
};

/* Phrases that mean classified wherever they stand in a marking. */
static const char *const classified_phrases[] = {
	"RESTREINT UE", "EU RESTRICTED", "CONFIDENTIEL UE", "EU CONFIDENTIAL", "SECRET UE",
	"EU SECRET", "TRES SECRET", "TR\xc3\x88S SECRET", "EU TOP SECRET", "TOP SECRET",
	"R-UE/EU-R", "C-UE/EU-C", "S-UE/EU-S", "TS-UE/EU-TS",
	"NATO RESTRICTED", "NATO CONFIDENTIAL", "NATO SECRET", "COSMIC TOP SECRET",
	"VS-NfD", "VS-NUR", "VS-VERTRAULICH", "STRENG GEHEIM",
	"DIFFUSION RESTREINTE", "DIFUSION LIMITADA", "DIFUSI\xc3\x93N LIMITADA",
};

/* Plain words: they count in capitals or in a banner of few words only. */
static const char *const classified_words[] = {
	"SECRET", "GEHEIM", "SECRETO", "CONFIDENCIAL", "RESERVADO",
};

/* NATO short forms: the whole marking, or nothing. */
static const char *const classified_marks[] = { "NR", "NC", "NS", "CTS" };

enum { BANNER_WORDS = 4 };

static struct names type_names;
static pthread_once_t types_named = PTHREAD_ONCE_INIT;

static void
name_types(void)
{
	for (unsigned i = 0; i < COUNTOF(types); i++)
		names_add(&type_names, types[i].name, i);
}

/* Return the row of a type, or NULL if STIX does not define it. */
const struct vocab_type *
vocab_type_find(struct slice type)
{
	unsigned i;

	pthread_once(&types_named, name_types);
	i = names_find(&type_names, type);
	return i == NAMES_NONE ? NULL : &types[i];
}

/* Return the class of a type; what STIX does not define is custom. */
enum object_class
object_class_of(struct slice type)
{
	const struct vocab_type *t = vocab_type_find(type);

	return t == NULL ? OBJECT_CUSTOM : t->class;
}

/* Return the word of a level: "amber+strict". */
const char *
tlp_word(enum tlp t)
{
	return tlps[t].word;
}

/* Return the label of a level: "TLP:AMBER+STRICT"; "" for none. */
const char *
tlp_label(enum tlp t)
{
	return tlps[t].label;
}

/* Return the id of the TLP 2.0 definition of a level; NULL for none. */
const char *
tlp_marking_id(enum tlp t)
{
	return tlps[t].id;
}

/* Return the id of the TLP 1.0 definition of a level; NULL where it has none: AMBER+STRICT. */
const char *
tlp1_marking_id(enum tlp t)
{
	for (size_t i = 0; i < COUNTOF(tlp1_ids); i++)
		if (tlp1_ids[i].tlp == t)
			return tlp1_ids[i].id;
	return NULL;
}

/* Return the label of what holds both. */
enum tlp
tlp_join(enum tlp a, enum tlp b)
{
	enum tlp low = a < b ? a : b, high = a < b ? b : a;

	if (low != TLP_UNSET || high > TLP_GREEN)
		return high;
	return high == TLP_GREEN ? TLP_AMBER : TLP_UNSET;
}

/* Return the label that a writer must say of an object. */
enum tlp
object_level(const struct object *o)
{
	if (o->label == LABEL_UNREADABLE || o->label == LABEL_IODEF_ABSENT)
		return TLP_RED;
	return o->label == LABEL_TLP ? o->tlp : tlp_join(TLP_UNSET, o->tlp);
}

enum tlp
object_worth(const struct object *o, enum tlp unmarked)
{
	if (o->label == LABEL_UNREADABLE || o->label == LABEL_IODEF_ABSENT)
		return TLP_RED;
	if (o->label == LABEL_TLP)
		return o->tlp;
	return o->tlp > unmarked ? o->tlp : unmarked;
}

/* Return the level that a word or label names, TLP_UNSET if none. */
enum tlp
tlp_parse(struct slice word)
{
	struct slice w = slice_trim(word);

	if (w.n >= 4 && strncasecmp(w.p, "tlp:", 4) == 0)
		w = slice_trim(slice_from(w.p + 4, w.n - 4));
	if (slice_is_nocase(w, "white"))
		return TLP_CLEAR;
	for (int t = TLP_CLEAR; t < TLP_LEVELS; t++)
		if (slice_is_nocase(w, tlps[t].word))
			return (enum tlp)t;
	return TLP_UNSET;
}

/* Return the level of one of the nine fixed definitions, TLP_UNSET for any other id. UUIDs compare
 * without regard to case. */
enum tlp
tlp_of_marking_id(struct slice id)
{
	for (size_t i = 0; i < COUNTOF(tlp1_ids); i++)
		if (vocab_is_marking_id(id, tlp1_ids[i].id))
			return tlp1_ids[i].tlp;
	for (int t = TLP_CLEAR; t < TLP_LEVELS; t++)
		if (vocab_is_marking_id(id, tlps[t].id))
			return (enum tlp)t;
	return TLP_UNSET;
}

/* Return the slug of a phase: "indications". */
const char *
phase_word(enum phase p)
{
	return phases[p];
}

/* Return the phase of a slug, PHASE_UNSET if unknown. */
enum phase
phase_parse(struct slice word)
{
	for (int p = PHASE_ANALYSIS; p < PHASES; p++)
		if (slice_is(word, phases[p]))
			return (enum phase)p;
	return PHASE_UNSET;
}

/* Return the bit number of a NIS2 slug, or -1. */
int
sector_parse(struct slice slug)
{
	for (size_t i = 0; i < COUNTOF(sectors); i++)
		if (slice_is(slug, sectors[i]))
			return (int)i;
	return -1;
}

/* Return the slug of a bit number, or NULL. */
const char *
sector_word(int bit)
{
	return bit < 0 || bit >= VOCAB_SECTORS ? NULL : sectors[bit];
}

/* Return the NIS2 bit number of an industry-sector-ov value, or -1 where the meaning is not clear. */
int
sector_of_stix(struct slice value)
{
	for (size_t i = 0; i < COUNTOF(industry); i++)
		if (slice_is(value, industry[i].stix))
			return sector_parse(slice_of(industry[i].nis2));
	return -1;
}

/* Return the bit of a NIS2 slug, 0 if unknown. */
uint32_t
vocab_sector_bit(struct slice slug)
{
	int bit = sector_parse(slug);

	return bit < 0 ? 0 : (uint32_t)1 << bit;
}

/* True if `word` is one of the blank-separated words of `list`. */
bool
vocab_has_word(const char *list, struct slice word)
{
	const char *p = word.n == 0 ? NULL : list;

	while (p != NULL) {
		if (*p == word.p[0] && strncmp(p, word.p, word.n) == 0 &&
		    strnlen(p, word.n) == word.n && (p[word.n] == ' ' || p[word.n] == '\0'))
			return true;
		if ((p = strchr(p, ' ')) != NULL)
			p++;
	}
	return false;
}

/* True for bytes that continue a word: letters, digits, and all of non-ASCII. */
static bool
is_word_byte(char c)
{
	unsigned char u = (unsigned char)c;

	return (u >= '0' && u <= '9') || ((u | 32) >= 'a' && (u | 32) <= 'z') || u >= 0x80;
}

/* True if `phrase` stands in `text` between word ends; letter case as said. */
static bool
has_phrase(struct slice text, const char *phrase, bool exact_case)
{
	size_t n = strlen(phrase);

	for (size_t i = 0; i + n <= text.n; i++) {
		const char *p = text.p + i;

		if (((*p ^ *phrase) & ~0x20) != 0)	/* where nearly all looks end: but for their case */
			continue;
		if (exact_case ? memcmp(p, phrase, n) != 0 : strncasecmp(p, phrase, n) != 0)
			continue;
		if (i > 0 && is_word_byte(p[-1]))
			continue;
		if (i + n < text.n && is_word_byte(p[n]))
			continue;
		return true;
	}
	return false;
}

/* Count the blank-separated words of a text. */
static size_t
count_words(struct slice text)
{
	size_t n = 0;

	while (text.n > 0)
		n += slice_cut(&text, ' ').n > 0;
	return n;
}

/* True if the text of a marking names a classification. */
bool
vocab_is_classified(struct slice marking_text)
{
	struct slice s = slice_trim(marking_text);
	bool banner = count_words(s) <= BANNER_WORDS;

	for (size_t i = 0; i < COUNTOF(classified_phrases); i++)
		if (has_phrase(s, classified_phrases[i], false))
			return true;
	for (size_t i = 0; i < COUNTOF(classified_words); i++)
		if (has_phrase(s, classified_words[i], !banner))
			return true;
	for (size_t i = 0; i < COUNTOF(classified_marks); i++)
		if (slice_is(s, classified_marks[i]))
			return true;
	return false;
}

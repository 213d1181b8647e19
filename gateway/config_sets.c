/* config_sets.c -- the types of value in tocsin.conf that hold several words: names, STIX types and bit
 * sets. Part of config.h; shapes: config_parts.h. */
#include "gateway/config_parts.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "formats/object.h"

enum { WORDS_MAX = 256, BITS = 32 };

/* STIX 2.1 objects that a filter may name; others begin with x-. */
static const char *const kinds[] = {
	"artifact", "attack-pattern", "autonomous-system", "campaign", "course-of-action", "directory",
	"domain-name", "email-addr", "email-message", "extension-definition", "file", "grouping",
	"identity", "incident", "indicator", "infrastructure", "intrusion-set", "ipv4-addr",
	"ipv6-addr", "language-content", "location", "mac-addr", "malware", "malware-analysis",
	"marking-definition", "mutex", "network-traffic", "note", "observed-data", "opinion",
	"process", "relationship", "report", "sighting", "software", "threat-actor", "tool", "url",
	"user-account", "vulnerability", "windows-registry-key", "x509-certificate", NULL
};

/* ---- lists of words ---- */

typedef int	check_word_fn(const struct config_value *v, struct slice word);

/* Copy the words into a NULL-terminated list; each is checked, none may occur twice. */
static int
read_words(const struct config_value *v, check_word_fn *check, void *at)
{
	const char **list;
	int rc = 0;

	if (v->nwords > WORDS_MAX)
		return complain(v->c, v->line, "%s: more than %d words", v->what, (int)WORDS_MAX);
	list = arena_alloc(v->mem, (v->nwords + 1) * sizeof(*list));
	for (size_t i = 0; i < v->nwords; i++) {
		if (check != NULL && check(v, v->words[i]) < 0)
			rc = -1;
		for (size_t j = 0; j < i; j++)
			if (slice_eq(v->words[i], v->words[j]))
				rc = complain(v->c, v->line, "%s: '%.*s' is named twice", v->what,
				    SLICE_ARG(v->words[i]));
		list[i] = arena_str(v->mem, v->words[i]);
	}
	if (rc == 0)
		*(const char *const **)at = list;
	return rc;
}

static void
write_words(struct strbuf *out, const struct config_key *k, const void *at)
{
	const char *const *list = *(const char *const *const *)at;

	(void)k;
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		strbuf_addf(out, "%s%s", i > 0 ? " " : "", list[i]);
}

/* Names are compared with what there is when the whole file is known. */
static int
read_names(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return read_words(v, NULL, at);
}

static int
check_source(const struct config_value *v, struct slice word)
{
	if (slice_is(word, "*") && v->nwords > 1)
		return complain(v->c, v->line, "%s: * stands alone", v->what);
	return 0;
}

static int
read_sources(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return read_words(v, check_source, at);
}

static int
check_kind(const struct config_value *v, struct slice word)
{
	if (slice_starts(word, "x-"))
		return 0;
	for (size_t i = 0; kinds[i] != NULL; i++)
		if (slice_is(word, kinds[i]))
			return 0;
	return complain_unknown(v->c, v->line, "type", word, kinds);
}

static int
read_kinds(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return read_words(v, check_kind, at);
}

/* ---- bit sets ---- */

struct bit_words {
	const char	*what;
	int		 n;			/* bits 0 .. n-1 */
	const char	*(*word)(int bit);	/* NULL: no such bit */
};

static int
read_bits(const struct config_value *v, const struct bit_words *set, void *at)
{
	const char *all[BITS + 1] = { NULL };
	uint32_t bits = 0;
	int rc = 0, nall = 0;

	for (int bit = 0; bit < set->n; bit++)
		if (set->word(bit) != NULL)
			all[nall++] = set->word(bit);
	for (size_t i = 0; i < v->nwords; i++) {
		uint32_t found = 0;

		for (int bit = 0; bit < set->n; bit++)
			if (set->word(bit) != NULL && slice_is(v->words[i], set->word(bit)))
				found = UINT32_C(1) << bit;
		if (found == 0)
			rc = complain_unknown(v->c, v->line, set->what, v->words[i], all);
		else if ((bits & found) != 0)
			rc = complain(v->c, v->line, "%s: '%.*s' is named twice", v->what,
			    SLICE_ARG(v->words[i]));
		bits |= found;
	}
	if (rc == 0)
		*(uint32_t *)at = bits;
	return rc;
}

static void
write_bits(struct strbuf *out, const struct bit_words *set, const void *at)
{
	uint32_t bits = *(const uint32_t *)at;
	const char *gap = "";

	for (int bit = 0; bit < set->n; bit++) {
		if ((bits & UINT32_C(1) << bit) == 0 || set->word(bit) == NULL)
			continue;
		strbuf_addf(out, "%s%s", gap, set->word(bit));
		gap = " ";
	}
}

static const char *
bit_tlp(int bit)
{
	return bit == TLP_UNSET ? NULL : tlp_word((enum tlp)bit);
}

static const char *
bit_phase(int bit)
{
	return bit == PHASE_UNSET ? NULL : phase_word((enum phase)bit);
}

static const struct bit_words tlp_set = { "label", TLP_LEVELS, bit_tlp };
static const struct bit_words phase_set = { "phase", PHASES, bit_phase };
static const struct bit_words sector_set = { "sector", 18, sector_word };

static int
read_tlps(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return read_bits(v, &tlp_set, at);
}

static void
write_tlps(struct strbuf *out, const struct config_key *k, const void *at)
{
	(void)k;
	write_bits(out, &tlp_set, at);
}

static int
read_sectors(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return read_bits(v, &sector_set, at);
}

static void
write_sectors(struct strbuf *out, const struct config_key *k, const void *at)
{
	(void)k;
	write_bits(out, &sector_set, at);
}

static int
read_phases(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return read_bits(v, &phase_set, at);
}

static void
write_phases(struct strbuf *out, const struct config_key *k, const void *at)
{
	(void)k;
	write_bits(out, &phase_set, at);
}

const struct config_type config_names = { "names", "names, separated by blanks",
	true, read_names, write_words, NULL };
const struct config_type config_sources = { "sources", "names, separated by blanks",
	true, read_sources, write_words, NULL };
const struct config_type config_kinds = { "types", "STIX types, separated by blanks",
	true, read_kinds, write_words, NULL };
const struct config_type config_tlps = { "labels", "`clear` `green` `amber` `amber+strict` `red`",
	true, read_tlps, write_tlps, NULL };
const struct config_type config_sectors_of = { "sectors", "NIS2 sectors, separated by blanks",
	true, read_sectors, write_sectors, NULL };
const struct config_type config_phases = { "phases", "`analysis` `remediation` `indications` "
	"`mitigation` `response` `reconstitution`",
	true, read_phases, write_phases, NULL };

/* stix1_write_parts.c -- what elements of STIX 1.2 have alike: names, words, confidence, sources. */
#include <ctype.h>

#include "formats/stix1_write.h"
#include "formats/vocab.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static const struct {
	const char	*prefix, *uri;
} namespaces[] = {
	{ "stix", STIX1_NS_CORE }, { "stixCommon", STIX1_NS_COMMON }, { "cybox", STIX1_NS_CYBOX },
	{ "stixVocabs", "http://stix.mitre.org/default_vocabularies-1" },
	{ "cyboxCommon", "http://cybox.mitre.org/common-2" },
	{ "indicator", "http://stix.mitre.org/Indicator-2" },
	{ "ttp", "http://stix.mitre.org/TTP-1" },
	{ "et", "http://stix.mitre.org/ExploitTarget-1" },
	{ "incident", "http://stix.mitre.org/Incident-1" },
	{ "coa", "http://stix.mitre.org/CourseOfAction-1" },
	{ "campaign", "http://stix.mitre.org/Campaign-1" },
	{ "ta", "http://stix.mitre.org/ThreatActor-1" },
	{ "report", "http://stix.mitre.org/Report-1" },
	{ "marking", "http://data-marking.mitre.org/Marking-1" },
	{ "tlpMarking", "http://data-marking.mitre.org/extensions/MarkingStructure#TLP-1" },
	{ "simpleMarking", "http://data-marking.mitre.org/extensions/MarkingStructure#Simple-1" },
	{ "snortTM", "http://stix.mitre.org/extensions/TestMechanism#Snort-1" },
	{ "yaraTM", "http://stix.mitre.org/extensions/TestMechanism#YARA-1" },
	{ "genericTM", "http://stix.mitre.org/extensions/TestMechanism#Generic-1" },
	{ "stixCiq", "http://stix.mitre.org/extensions/Identity#CIQIdentity3.0-1" },
	{ "xpil", "urn:oasis:names:tc:ciq:xpil:3" }, { "xnl", "urn:oasis:names:tc:ciq:xnl:3" },
};

/* Return the namespace of a prefix of ours. */
const char *
sw_uri(const char *prefix)
{
	for (size_t i = 0; i < COUNTOF(namespaces); i++)
		if (strcmp(namespaces[i].prefix, prefix) == 0)
			return namespaces[i].uri;
	return "";
}

/* Return a new last child. */
struct xml_node *
sw_el(struct sw *w, struct xml_node *parent, const char *prefix, const char *name)
{
	struct xml_node *n = xml_new(w->mem, sw_uri(prefix), prefix, name);

	xml_append(parent, n);
	return n;
}

/* Return a new last child with that text. */
struct xml_node *
sw_leaf(struct sw *w, struct xml_node *parent, const char *prefix, const char *name, struct slice text)
{
	struct xml_node *n = sw_el(w, parent, prefix, name);

	xml_add_text(w->mem, n, text);
	return n;
}

/* True if the root declares the prefix as that, which it does from now on if it knew no such prefix. */
static bool
declare(struct sw *w, struct slice prefix, struct slice uri)
{
	const struct xml_decl *d = w->root->decls;

	while (d != NULL && !slice_eq(d->prefix, prefix))
		d = d->next;
	if (d != NULL)
		return slice_eq(d->uri, uri);
	if (prefix.n == 0 || uri.n == 0)
		return false;
	xml_declare(w->mem, w->root, arena_str(w->mem, prefix), arena_str(w->mem, uri));
	return true;
}

/* See stix1_write.h. */
void
sw_hoist(struct sw *w, struct xml_node *n)
{
	struct xml_decl **at = &n->decls;

	declare(w, n->prefix, n->ns);
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		if (!slice_is(a->ns, XML_NS_XML))
			declare(w, a->prefix, a->ns);
	while (n != w->root && *at != NULL) {
		if (declare(w, (*at)->prefix, (*at)->uri))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		sw_hoist(w, k);
}

/* Put the children of n in that order; what is not in it comes first. */
void
sw_sort(struct xml_node *n, const char *order)
{
	struct slice rest = slice_of(order);

	while (rest.n > 0) {
		struct slice name = slice_cut(&rest, ' ');
		struct xml_node *last = n->last, *next;

		for (struct xml_node *k = n->first; k != NULL; k = next) {
			next = k == last ? NULL : k->next;
			if (!slice_eq(k->name, name))
				continue;
			xml_detach(k);
			xml_append(n, k);
		}
	}
}

/* Return the QName of a part of an object: "tocsin:KIND-TYPE-UUID". */
struct slice
sw_name(struct sw *w, const char *kind, struct slice key)
{
	struct strbuf name = STRBUF_INIT;
	struct slice out;

	strbuf_adds(&name, SW_PREFIX ":");
	strbuf_adds(&name, kind);
	if (kind[0] != '\0')
		strbuf_addc(&name, '-');
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];

		if (c == '-' && i > 0 && key.p[i - 1] == '-')
			continue;
		strbuf_addc(&name, (unsigned char)c < 0x80 && (isalnum((unsigned char)c) || c == '-') ? c :
		    '_');
	}
	out = arena_slice(w->mem, strbuf_slice(&name));
	strbuf_fini(&name);
	return out;
}

/* Return the QName of an object: the one it came with, else "tocsin:indicator-UUID". */
struct slice
sw_id(struct sw *w, struct slice id)
{
	const struct sw_item *item = sw_find(w, id);

	if (item != NULL && item->qname.n > 0)
		return item->qname;
	return sw_name(w, "", id);
}

/* Set xsi:type, and declare its prefix. */
void
sw_type(struct sw *w, struct xml_node *n, const char *type)
{
	struct slice rest = slice_of(type), prefix = arena_slice(w->mem, slice_cut(&rest, ':'));

	xml_declare(w->mem, n, prefix.p, sw_uri(prefix.p));
	xml_set_type(w->mem, n, slice_of(type));
}

/* Return the string of that name, kept. */
struct slice
sw_take(struct sw *w, const json *tree, const char *name)
{
	json *m = json_get(tree, name);

	if (!json_is_string(m) || json_slice(m).n == 0)
		return SLICE_EMPTY;
	ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	return json_slice(m);
}

/* An element for a member that is a string, if it is there. */
void
sw_put(struct sw *w, struct sw_item *item, struct xml_node *n, const char *prefix, const char *name,
    const char *member)
{
	struct slice text = sw_take(w, item->tree, member);

	if (text.n > 0)
		sw_leaf(w, n, prefix, name, text);
}

/* A Statement with a Value; `vocabulary` is its xsi:type, or NULL. */
void
sw_statement(struct sw *w, struct xml_node *n, const char *prefix, const char *name, struct slice value,
    const char *vocabulary)
{
	struct xml_node *statement = sw_el(w, n, prefix, name);
	struct xml_node *v = sw_leaf(w, statement, "stixCommon", "Value", value);

	if (vocabulary != NULL)
		sw_type(w, v, vocabulary);
}

/* Vocabularies whose words are written with their type. */
static const char *const vocabularies[] = {
	[STIX1_INDICATOR_TYPE] = "stixVocabs:IndicatorTypeVocab-1.1",
	[STIX1_MALWARE_TYPE] = "stixVocabs:MalwareTypeVocab-1.0",
	[STIX1_ACTOR_TYPE] = "stixVocabs:ThreatActorTypeVocab-1.0",
	[STIX1_MOTIVATION] = "stixVocabs:MotivationVocab-1.1",
	[STIX1_SOPHISTICATION] = "stixVocabs:ThreatActorSophisticationVocab-1.0",
	[STIX1_TOOL_TYPE] = "stixVocabs:AttackerToolTypeVocab-1.0",
	[STIX1_SECTOR] = NULL,
};

/* One word: as 1.x has it if that means the same and nothing narrower, else in the words of 2.1. */
static void
add_word(struct sw *w, json *m, struct xml_node *n, const char *prefix, const char *name,
    enum stix1_vocab vocab, bool statement)
{
	struct slice word = json_slice(m);
	const char *old = stix1_word_down(vocab, word);
	const char *type = NULL;

	if (word.n == 0)
		return;
	if (old != NULL && !stix1_word_is_coarse(vocab, slice_of(old))) {
		word = slice_of(old);
		type = vocabularies[vocab];
	}
	ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	if (statement) {
		sw_statement(w, n, prefix, name, word, type);
	} else {
		struct xml_node *k = sw_leaf(w, n, prefix, name, word);

		if (type != NULL)
			sw_type(w, k, type);
	}
}

/* An element for each word of a list, or for a single one. */
void
sw_words(struct sw *w, const json *list, struct xml_node *n, const char *prefix, const char *name,
    enum stix1_vocab vocab, bool statement)
{
	if (json_is_string(list)) {
		add_word(w, (json *)(uintptr_t)list, n, prefix, name, vocab, statement);
		return;
	}
	for (json *m = json_first(list); m != NULL; m = json_next(m))
		add_word(w, m, n, prefix, name, vocab, statement);
}

/* Confidence: High, Medium, Low, None where that is exactly it, else the number. */
void
sw_confidence(struct sw *w, const json *tree, struct xml_node *n, const char *prefix)
{
	json *m = json_get(tree, "confidence");
	const char *word;
	int64_t value;

	if (m == NULL || !json_int(m, &value) || value < 0 || value > 100)
		return;
	ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	word = stix1_confidence_down((int)value);
	if (stix1_confidence_up(slice_of(word)) == value)
		sw_statement(w, n, prefix, "Confidence", slice_of(word),
		    "stixVocabs:HighMediumLowVocab-1.0");
	else
		sw_statement(w, n, prefix, "Confidence", slice_of(arena_fmt(w->mem, "%d", (int)value)),
		    NULL);
}

/* kill_chain_phases. */
void
sw_phases(struct sw *w, struct sw_item *item, struct xml_node *n, const char *prefix)
{
	static const char *const members[] = { "kill_chain_name", "phase_name" };
	static const char *const attrs[] = { "kill_chain_name", "name" };
	json *phases = json_get(item->tree, "kill_chain_phases");
	struct xml_node *list;

	if (json_first(phases) == NULL)
		return;
	list = sw_el(w, n, prefix, "Kill_Chain_Phases");
	for (json *m = json_first(phases); m != NULL; m = json_next(m)) {
		struct xml_node *phase = sw_el(w, list, "stixCommon", "Kill_Chain_Phase");

		for (size_t i = 0; i < COUNTOF(members); i++) {
			struct slice word = json_member(m, members[i]);

			xml_set(w->mem, phase, attrs[i], word);
			ledger_take(w->ledger, m, members[i], slice_eq(stix1_hyphens(w->mem, word), word) ?
			    LOSS_KEPT : LOSS_APPROXIMATED);
		}
	}
}

/* ---- who, and when ---- */

/* How to reach it: a list with commas, as a reader of these makes one. */
static void
add_contacts(struct sw *w, struct sw_item *who, struct xml_node *spec)
{
	struct slice rest = sw_take(w, who->tree, "contact_information");
	struct xml_node *list = rest.n == 0 ? NULL : sw_el(w, spec, "xpil", "ElectronicAddressIdentifiers");

	while (rest.n > 0) {
		const char *end = memmem(rest.p, rest.n, ", ", 2);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		sw_leaf(w, list, "xpil", "ElectronicAddressIdentifier", slice_from(rest.p, n));
		rest = slice_from(rest.p + n, rest.n - n);
		if (rest.n > 0)
			rest = slice_from(rest.p + 2, rest.n - 2);
	}
}

/* "Chemical Sector | Dams Sector": in words of 1.x where there are some. */
static void
add_sectors(struct sw *w, struct sw_item *who, struct xml_node *spec)
{
	struct strbuf text = STRBUF_INIT;
	struct xml_node *info;

	for (json *m = json_first(json_get(who->tree, "sectors")); m != NULL; m = json_next(m)) {
		const char *old = stix1_word_down(STIX1_SECTOR, json_slice(m));

		if (text.n > 0)
			strbuf_adds(&text, " | ");
		if (old != NULL)
			strbuf_adds(&text, old);
		else
			strbuf_addsl(&text, json_slice(m));
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
	if (text.n > 0) {
		info = sw_el(w, spec, "xpil", "OrganisationInfo");
		xml_set(w->mem, info, "IndustryType", strbuf_slice(&text));
		info->attrs->ns = slice_of(sw_uri("xpil"));
		info->attrs->prefix = SLICE_LIT("xpil");
	}
	strbuf_fini(&text);
}

/* What CIQ says more of an identity than a name. */
static void
add_specification(struct sw *w, struct sw_item *who, struct xml_node *n, bool organization)
{
	struct xml_node *spec, *party, *name;

	sw_type(w, n, "stixCiq:CIQIdentity3.0InstanceType");
	spec = sw_el(w, n, "stixCiq", "Specification");
	party = sw_el(w, spec, "xpil", "PartyName");
	name = sw_el(w, party, "xnl", organization ? "OrganisationName" : "PersonName");
	sw_leaf(w, name, "xnl", "NameElement", json_member(who->tree, "name"));
	sw_take(w, who->tree, "identity_class");
	add_contacts(w, who, spec);
	if (organization)
		add_sectors(w, who, spec);
	for (json *m = json_first(json_get(who->tree, "roles")); m != NULL; m = json_next(m)) {
		sw_leaf(w, n, "stixCiq", "Role", json_slice(m));
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
}

/* An element of IdentityType: whole where that may be said, else by its id. False if there is nothing. */
bool
sw_identity(struct sw *w, struct xml_node *parent, const char *prefix, const char *name, struct slice id,
    enum tlp word)
{
	struct sw_item *who = sw_find(w, id);
	struct slice class;
	struct xml_node *n;

	if (!slice_starts(id, "identity--"))
		return false;
	n = sw_el(w, parent, prefix, name);
	if (who == NULL || !sw_covers(word, who->o)) {
		xml_set(w->mem, n, "idref", sw_id(w, id));
		return true;
	}
	who->told = true;
	xml_set(w->mem, n, "id", sw_id(w, id));
	sw_take(w, who->tree, "id");
	sw_take(w, who->tree, "name");
	class = json_member(who->tree, "identity_class");
	if (slice_is(class, "unknown"))
		sw_take(w, who->tree, "identity_class");
	sw_leaf(w, n, "stixCommon", "Name", json_member(who->tree, "name"));
	if (slice_is(class, "organization") || slice_is(class, "individual"))
		add_specification(w, who, n, slice_is(class, "organization"));
	return true;
}

static void
add_references(struct sw *w, struct sw_item *item, struct xml_node *source)
{
	struct xml_node *list = NULL;

	for (json *m = json_first(json_get(item->tree, "external_references")); m != NULL;
	    m = json_next(m)) {
		struct slice url = json_member(m, "url");

		if (url.n == 0)
			continue;
		if (list == NULL)
			list = sw_el(w, source, "stixCommon", "References");
		sw_leaf(w, list, "stixCommon", "Reference", url);
		sw_take(w, m, "url");
	}
}

/* An Information_Source (a Producer): created_by_ref, created, external references. */
void
sw_source(struct sw *w, struct sw_item *item, struct xml_node *n, const char *prefix, const char *name)
{
	struct slice by = json_member(item->tree, "created_by_ref");
	struct slice created = json_member(item->tree, "created");
	struct xml_node *source = sw_el(w, n, prefix, name), *time;

	if (sw_identity(w, source, "stixCommon", "Identity", by, item->word))
		sw_take(w, item->tree, "created_by_ref");
	if (created.n > 0 && !slice_eq(created, json_member(item->tree, "modified"))) {
		time = sw_el(w, source, "stixCommon", "Time");
		sw_leaf(w, time, "cyboxCommon", "Produced_Time", created);
	}
	sw_take(w, item->tree, "created");
	add_references(w, item, source);
	if (xml_child(source) == NULL)
		xml_detach(source);
}

/* See stix1_write.h. */
void
sw_common_members(struct sw *w, struct sw_item *item)
{
	static const char *const names[] = { "type", "spec_version", "id", "modified" };

	item->told = true;
	for (size_t i = 0; i < COUNTOF(names); i++)
		ledger_take(w->ledger, item->tree, names[i], LOSS_KEPT);
}

/* stix1_write_object.c -- one object of STIX 2.1 as an element of STIX 1.2. */
#include "formats/stix1_write.h"
#include "gateway/base/arena.h"

/* The external id that a source gave it, beginning with `prefix` (NULL: any); empty if there is none. */
static struct slice
take_reference(struct sw *w, const struct sw_item *item, const char *source, const char *prefix)
{
	for (json *m = json_first(json_get(item->tree, "external_references")); m != NULL;
	    m = json_next(m)) {
		struct slice id = json_member(m, "external_id");

		if (!slice_is_nocase(json_member(m, "source_name"), source) || id.n == 0 ||
		    (prefix != NULL && !slice_starts(id, prefix)))
			continue;
		sw_take(w, m, "source_name");
		sw_take(w, m, "external_id");
		return id;
	}
	return SLICE_EMPTY;
}

static void
write_malware(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *list = sw_el(w, sw_el(w, n, "ttp", "Behavior"), "ttp", "Malware");
	struct xml_node *k = sw_el(w, list, "ttp", "Malware_Instance");
	json *family = json_get(item->tree, "is_family");

	sw_words(w, json_get(item->tree, "malware_types"), k, "ttp", "Type", STIX1_MALWARE_TYPE, false);
	sw_put(w, item, k, "ttp", "Name", "name");
	for (json *m = json_first(json_get(item->tree, "aliases")); m != NULL; m = json_next(m)) {
		sw_leaf(w, k, "ttp", "Name", json_slice(m));
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
	if (family != NULL && !json_bool(family))
		ledger_mark(w->ledger, family, LOSS_KEPT, NULL);
	sw_put(w, item, k, "ttp", "Description", "description");
}

static void
write_attack_pattern(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *list = sw_el(w, sw_el(w, n, "ttp", "Behavior"), "ttp", "Attack_Patterns");
	struct xml_node *k = sw_el(w, list, "ttp", "Attack_Pattern");
	struct slice id = take_reference(w, item, "capec", "CAPEC-");

	if (id.n > 0)
		xml_set(w->mem, k, "capec_id", id);
	sw_put(w, item, k, "ttp", "Title", "name");
	sw_put(w, item, k, "ttp", "Description", "description");
}

static void
write_tool(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *list = sw_el(w, sw_el(w, n, "ttp", "Resources"), "ttp", "Tools");
	struct xml_node *k = sw_el(w, list, "ttp", "Tool");

	sw_put(w, item, k, "cyboxCommon", "Name", "name");
	sw_words(w, json_get(item->tree, "tool_types"), k, "cyboxCommon", "Type", STIX1_TOOL_TYPE, false);
	sw_put(w, item, k, "cyboxCommon", "Description", "description");
	sw_put(w, item, k, "cyboxCommon", "Version", "tool_version");
}

static void
write_infrastructure(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *k = sw_el(w, sw_el(w, n, "ttp", "Resources"), "ttp", "Infrastructure");

	sw_put(w, item, k, "ttp", "Title", "name");
	for (json *m = json_first(json_get(item->tree, "infrastructure_types")); m != NULL;
	    m = json_next(m)) {
		sw_leaf(w, k, "ttp", "Type", json_slice(m));
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
	sw_put(w, item, k, "ttp", "Description", "description");
}

static void
write_ttp(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	static const struct {
		const char	*type;
		void		(*write)(struct sw *, struct sw_item *, struct xml_node *);
	} parts[] = {
		{ "malware", write_malware }, { "attack-pattern", write_attack_pattern },
		{ "tool", write_tool }, { "infrastructure", write_infrastructure },
	};

	sw_put(w, item, n, "ttp", "Title", "name");
	for (size_t i = 0; i < COUNTOF(parts); i++)
		if (slice_is(item->o->type, parts[i].type))
			parts[i].write(w, item, n);
	sw_phases(w, item, n, "ttp");
}

/* "CVE-2026-12345", as the schema has it. */
static bool
is_cve(struct slice id)
{
	if (id.n < 13 || !slice_starts(id, "CVE-") || id.p[8] != '-')
		return false;
	for (size_t i = 4; i < id.n; i++)
		if (i != 8 && (id.p[i] < '0' || id.p[i] > '9'))
			return false;
	return true;
}

static void
write_target(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct slice name = sw_take(w, item->tree, "name"), cve = SLICE_EMPTY;
	struct xml_node *k;

	for (json *m = json_first(json_get(item->tree, "external_references")); m != NULL && cve.n == 0;
	    m = json_next(m))
		if (slice_is_nocase(json_member(m, "source_name"), "cve") &&
		    is_cve(json_member(m, "external_id")))
			cve = take_reference(w, item, "cve", json_member(m, "external_id").p);
	sw_leaf(w, n, "et", "Title", name);
	k = sw_el(w, n, "et", "Vulnerability");
	if (!slice_eq(name, cve))
		sw_leaf(w, k, "et", "Title", name);
	sw_put(w, item, k, "et", "Description", "description");
	if (cve.n > 0 || is_cve(name))
		sw_leaf(w, k, "et", "CVE_ID", cve.n > 0 ? cve : name);
}

/* The first label of a course of action is its kind. */
static void
write_type(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	json *label = json_first(json_get(item->tree, "labels"));

	if (json_slice(label).n == 0)
		return;
	sw_leaf(w, n, "coa", "Type", json_slice(label));
	ledger_mark(w->ledger, label, LOSS_KEPT, NULL);
}

static void
write_coa(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	sw_put(w, item, n, "coa", "Title", "name");
	sw_put(w, item, n, "coa", "Description", "description");
	write_type(w, item, n);
}

static void
write_campaign(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	json *aliases = json_get(item->tree, "aliases");
	struct slice objective = sw_take(w, item->tree, "objective");
	struct xml_node *names;

	sw_put(w, item, n, "campaign", "Title", "name");
	sw_put(w, item, n, "campaign", "Description", "description");
	if (json_first(aliases) != NULL) {
		names = sw_el(w, n, "campaign", "Names");
		for (json *m = json_first(aliases); m != NULL; m = json_next(m)) {
			sw_leaf(w, names, "campaign", "Name", json_slice(m));
			ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
		}
	}
	if (objective.n > 0)
		sw_statement(w, n, "campaign", "Intended_Effect", objective, NULL);
	sw_confidence(w, item->tree, n, "campaign");
}

/* The first alias has a place if nobody is named as who it is. */
static void
write_alias(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	json *alias = json_first(json_get(item->tree, "aliases"));
	struct xml_node *k;

	for (const struct sw_edge *e = item->edges; e != NULL; e = e->next)
		if (e->row != NULL && e->row->other == S1_KINDS)
			return;
	if (alias == NULL)
		return;
	k = sw_el(w, n, "ta", "Identity");
	sw_leaf(w, k, "stixCommon", "Name", json_slice(alias));
	ledger_mark(w->ledger, alias, LOSS_KEPT, NULL);
}

static void
write_actor(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	sw_put(w, item, n, "ta", "Title", "name");
	sw_put(w, item, n, "ta", "Description", "description");
	write_alias(w, item, n);
	sw_words(w, json_get(item->tree, "threat_actor_types"), n, "ta", "Type", STIX1_ACTOR_TYPE, true);
	sw_words(w, json_get(item->tree, "primary_motivation"), n, "ta", "Motivation", STIX1_MOTIVATION,
	    true);
	sw_words(w, json_get(item->tree, "secondary_motivations"), n, "ta", "Motivation",
	    STIX1_MOTIVATION, true);
	sw_words(w, json_get(item->tree, "sophistication"), n, "ta", "Sophistication",
	    STIX1_SOPHISTICATION, true);
	for (json *m = json_first(json_get(item->tree, "goals")); m != NULL; m = json_next(m)) {
		sw_statement(w, n, "ta", "Intended_Effect", json_slice(m), NULL);
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
	sw_confidence(w, item->tree, n, "ta");
}

/* Labels of an incident are its categories. */
static void
write_categories(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *list = NULL;

	for (json *m = json_first(json_get(item->tree, "labels")); m != NULL; m = json_next(m)) {
		if (list == NULL)
			list = sw_el(w, n, "incident", "Categories");
		sw_leaf(w, list, "incident", "Category", json_slice(m));
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
}

/* Notes about an incident are its journal, if they may be known as widely. */
static void
write_history(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *list = NULL;

	for (struct sw_edge *e = item->edges; e != NULL; e = e->next) {
		struct sw_item *note = e->by;
		struct slice author, at = json_member(note->tree, "created");
		struct xml_node *k;

		if (!slice_is(note->o->type, "note") || note->told)
			continue;
		if (list == NULL)
			list = sw_el(w, n, "incident", "History");
		k = sw_leaf(w, sw_el(w, list, "incident", "History_Item"), "incident", "Journal_Entry",
		    sw_take(w, note->tree, "content"));
		author = json_slice(json_first(json_get(note->tree, "authors")));
		if (author.n > 0)
			xml_set(w->mem, k, "author", author);
		ledger_mark(w->ledger, json_first(json_get(note->tree, "authors")), LOSS_KEPT, NULL);
		if (at.n > 0)
			xml_set(w->mem, k, "time", at);
		sw_take(w, note->tree, "created");
		ledger_mark(w->ledger, json_first(json_get(note->tree, "object_refs")), LOSS_KEPT, NULL);
		note->told = true;
		note->in = item;
	}
}

static void
write_incident(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	sw_put(w, item, n, "incident", "Title", "name");
	for (json *m = json_first(json_get(item->tree, "external_references")); m != NULL;
	    m = json_next(m)) {
		struct slice id = json_member(m, "external_id");

		if (id.n == 0)
			continue;
		xml_set(w->mem, sw_leaf(w, n, "incident", "External_ID", sw_take(w, m, "external_id")),
		    "source", sw_take(w, m, "source_name"));
	}
	sw_put(w, item, n, "incident", "Description", "description");
	write_categories(w, item, n);
	write_history(w, item, n);
	sw_confidence(w, item->tree, n, "incident");
}

/* A report points to the elements that its objects became. */
static void
write_members(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	for (json *m = json_first(json_get(item->tree, "object_refs")); m != NULL; m = json_next(m)) {
		struct sw_item *to = sw_find(w, json_slice(m));
		enum s1_kind kind = to == NULL ? S1_KINDS : to->kind;
		struct xml_node *list, *k;

		if (to == NULL || !to->out || kind == S1_KINDS || kind == S1_REPORT)
			continue;
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
		list = stix1_get(n, sw_kinds[kind].list);
		if (list == NULL)
			list = sw_el(w, n, "report", sw_kinds[kind].list);
		if (kind == S1_OBSERVABLE) {
			xml_set(w->mem, list, "cybox_major_version", SLICE_LIT("2"));
			xml_set(w->mem, list, "cybox_minor_version", SLICE_LIT("1"));
		}
		k = sw_el(w, list, kind == S1_OBSERVABLE ? "cybox" : kind == S1_TARGET ? "stixCommon" :
		    "report", sw_kinds[kind].name);
		xml_set(w->mem, k, "idref", sw_id(w, json_slice(m)));
		if (sw_kinds[kind].type != NULL)
			sw_type(w, k, sw_kinds[kind].type);
	}
}

static void
write_report(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *header = sw_el(w, n, "report", "Header");
	json *published = json_get(item->tree, "published");

	sw_put(w, item, header, "report", "Title", "name");
	for (json *m = json_first(json_get(item->tree, "report_types")); m != NULL; m = json_next(m)) {
		sw_leaf(w, header, "report", "Intent", json_slice(m));
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
	sw_put(w, item, header, "report", "Intent", "context");	/* of a grouping */
	sw_put(w, item, header, "report", "Description", "description");
	if (slice_eq(json_slice(published), json_member(item->tree, "created")))
		ledger_mark(w->ledger, published, LOSS_KEPT, NULL);
	sw_handling(w, item, header, "report", "../../../..");
	sw_source(w, item, header, "report", "Information_Source");
	write_members(w, item, n);
}

static void (*const writers[S1_KINDS])(struct sw *, struct sw_item *, struct xml_node *) = {
	[S1_REPORT] = write_report, [S1_INDICATOR] = sw_indicator, [S1_TTP] = write_ttp,
	[S1_TARGET] = write_target, [S1_INCIDENT] = write_incident, [S1_COA] = write_coa,
	[S1_CAMPAIGN] = write_campaign, [S1_ACTOR] = write_actor,
};

/* ---- wrappers ---- */

/* The wrapper of a relationship to another element. */
static void
write_wrapper(struct sw *w, struct sw_item *item, struct xml_node *n, struct sw_edge *e)
{
	const struct sw_row *row = e->row;
	const char *prefix = sw_kinds[item->kind].prefix;
	json *tree = e->by->tree, *verb = json_get(tree, "relationship_type");
	bool exact = sw_verb_is_read(row, json_member(tree, "source_ref"), json_slice(verb),
	    json_member(tree, "target_ref"));
	struct slice text = sw_take(w, tree, "description");
	struct xml_node *list = n, *wrapper, *inner;
	bool coa = strcmp(row->wrapper, "COA_Requested") == 0;

	if (row->list[0] != '\0' && (list = stix1_get(n, row->list)) == NULL)
		list = sw_el(w, n, prefix, row->list);
	wrapper = sw_el(w, list, prefix, row->wrapper);
	if (!coa) {
		sw_confidence(w, tree, wrapper, "stixCommon");
		if (!exact)
			text = text.n == 0 ? json_slice(verb) : slice_of(arena_fmt(w->mem, "%.*s: %.*s",
			    SLICE_ARG(json_slice(verb)), SLICE_ARG(text)));
		if (text.n > 0)
			sw_leaf(w, wrapper, "stixCommon", "Relationship", text);
	}
	inner = sw_el(w, wrapper, row->other == S1_OBSERVABLE ? "stixCommon" : coa ? "incident" :
	    "stixCommon", row->inner);
	xml_set(w->mem, inner, "idref", sw_id(w, e->other));
	/* an indicator knows campaigns by reference only */
	if (sw_kinds[row->other].type != NULL &&
	    !(row->kind == S1_INDICATOR && row->other == S1_CAMPAIGN))
		sw_type(w, inner, sw_kinds[row->other].type);
	ledger_mark(w->ledger, verb, exact ? LOSS_KEPT : LOSS_APPROXIMATED,
	    exact ? NULL : "as a text");
}

/* Whom it hits, who it is. False if that may not be told here. */
static bool
write_party(struct sw *w, struct sw_item *item, struct xml_node *n, const struct sw_edge *e)
{
	const char *prefix = sw_kinds[item->kind].prefix;
	struct xml_node *k = n;

	if (item->kind != S1_INCIDENT && stix1_get(n, e->row->wrapper) != NULL)
		return false;
	if (item->kind != S1_TTP)
		return sw_identity(w, n, prefix, e->row->wrapper, e->other, item->word);
	k = sw_el(w, n, prefix, e->row->wrapper);
	if (!sw_identity(w, k, prefix, "Identity", e->other, item->word))
		return false;
	ledger_take(w->ledger, e->by->tree, "relationship_type", LOSS_KEPT);
	return true;
}

/* All wrappers of an element. */
void
sw_edges(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	for (struct sw_edge *e = item->edges; e != NULL; e = e->next) {
		json *tree = e->by->tree;

		if (e->row == NULL || e->by->home)
			continue;
		if (e->row->other != S1_KINDS)
			write_wrapper(w, item, n, e);
		else if (!write_party(w, item, n, e))
			continue;
		e->by->told = true;
		e->by->in = item;
		ledger_take(w->ledger, tree, "type", LOSS_KEPT);
		ledger_take(w->ledger, tree, "spec_version", LOSS_KEPT);
		ledger_take(w->ledger, tree, "source_ref", LOSS_KEPT);
		ledger_take(w->ledger, tree, "target_ref", LOSS_KEPT);
		ledger_take(w->ledger, tree, "object_marking_refs", LOSS_APPROXIMATED);
	}
}

/* Return the list of elements of a kind in a package. */
struct xml_node *
sw_list(struct sw *w, struct xml_node *root, enum s1_kind kind)
{
	struct xml_node *list = stix1_get(root, sw_kinds[kind].list);

	if (list != NULL)
		return list;
	list = sw_el(w, root, "stix", sw_kinds[kind].list);
	if (kind == S1_OBSERVABLE) {
		xml_set(w->mem, list, "cybox_major_version", SLICE_LIT("2"));
		xml_set(w->mem, list, "cybox_minor_version", SLICE_LIT("1"));
	}
	return list;
}

/* Return the element of an object, NULL if 1.x cannot say it. */
struct xml_node *
sw_element(struct sw *w, struct sw_item *item)
{
	const struct sw_kind *kind = &sw_kinds[item->kind];
	struct slice stamp = json_member(item->tree, "modified");
	struct xml_node *n;

	w->word = item->word;
	if (item->kind == S1_OBSERVABLE)
		return sw_observable(w, item);
	n = xml_new(w->mem, item->kind == S1_TARGET ? STIX1_NS_COMMON : STIX1_NS_CORE,
	    item->kind == S1_TARGET ? "stixCommon" : "stix", kind->name);
	xml_set(w->mem, n, "id", sw_id(w, item->o->id));
	if (stamp.n > 0)
		xml_set(w->mem, n, "timestamp", stamp);
	sw_type(w, n, kind->type);
	sw_common_members(w, item);
	if (slice_is(item->o->type, "grouping") || slice_is(item->o->type, "intrusion-set"))
		ledger_mark(w->ledger, json_get(item->tree, "type"), LOSS_APPROXIMATED,
		    "the nearest that STIX 1.x has");
	writers[item->kind](w, item, n);
	sw_edges(w, item, n);
	if (item->kind != S1_REPORT) {
		sw_handling(w, item, n, kind->prefix, "../../..");
		sw_source(w, item, n, kind->prefix, kind->source);
	}
	sw_add_moved(w, item, n);
	sw_sort(n, kind->order);
	return n;
}

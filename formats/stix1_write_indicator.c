/* stix1_write_indicator.c -- indicators: a pattern as an Observable, or as the text of a Test_Mechanism. */
#include "formats/stix1_write.h"
#include "gateway/base/arena.h"

/* Languages with a test mechanism of their own; the last is for all others. */
static const struct {
	const char	*language, *type, *prefix, *element;
} mechanisms[] = {
	{ "snort", "snortTM:SnortTestMechanismType", "snortTM", "Rule" },
	{ "yara", "yaraTM:YaraTestMechanismType", "yaraTM", "Rule" },
	{ NULL, "genericTM:GenericTestMechanismType", "genericTM", "Specification" },
};

/* The pattern as a text in its language. */
static void
write_mechanism(struct sw *w, struct xml_node *n, struct slice text, struct slice language)
{
	struct xml_node *list = sw_el(w, n, "indicator", "Test_Mechanisms");
	struct xml_node *k = sw_el(w, list, "indicator", "Test_Mechanism");
	size_t i = 0;

	while (mechanisms[i].language != NULL && !slice_is(language, mechanisms[i].language))
		i++;
	sw_type(w, k, mechanisms[i].type);
	if (mechanisms[i].language == NULL)
		sw_leaf(w, k, "genericTM", "Type", language);
	sw_leaf(w, k, mechanisms[i].prefix, mechanisms[i].element, text);
}

/* The pattern as an Observable; false if CybOX has no form for it, or only one that matches more. */
static bool
write_observable(struct sw *w, struct sw_item *item, struct xml_node *n, json *pattern)
{
	const struct pat_node *p = item->o->pattern;
	struct cybox_write job = sw_cybox(w);
	enum cybox_extent extent;
	struct xml_node *k;

	if (p == NULL)
		p = pattern_parse(json_slice(pattern), w->mem, NULL);
	if (p == NULL)
		return false;
	k = cybox_write_pattern(&job, p, item->o->id, &extent);
	if (k == NULL || (extent != CYBOX_EXACT && extent != CYBOX_UNLIKE))
		return false;
	k->prefix = SLICE_LIT("indicator");	/* an Observable all the same, as the schema has it */
	k->ns = slice_of(sw_uri("indicator"));
	xml_append(n, k);
	ledger_mark(w->ledger, pattern, extent == CYBOX_EXACT ? LOSS_KEPT : LOSS_APPROXIMATED,
	    extent == CYBOX_EXACT ? NULL : "literals are spelled as they should be");
	return true;
}

static void
write_pattern(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	json *pattern = json_get(item->tree, "pattern");
	struct slice language = json_member(item->tree, "pattern_type");

	ledger_take(w->ledger, item->tree, "pattern_type", LOSS_KEPT);
	if (slice_is(language, "stix"))
		ledger_take(w->ledger, item->tree, "pattern_version", LOSS_KEPT);
	if (slice_is(language, "stix") && write_observable(w, item, n, pattern))
		return;
	write_mechanism(w, n, sw_take(w, item->tree, "pattern"), language);
}

static void
write_validity(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *k = sw_el(w, n, "indicator", "Valid_Time_Position");

	sw_put(w, item, k, "indicator", "Start_Time", "valid_from");
	sw_put(w, item, k, "indicator", "End_Time", "valid_until");
	if (xml_child(k) == NULL)
		xml_detach(k);
}

/* ---- sightings ---- */

/* The observed data of a sighting, by name; it may be more secret than the sighting is. */
static void
write_observed(struct sw *w, const struct sw_edge *e, struct xml_node *n)
{
	struct xml_node *list = NULL;

	for (json *m = json_first(json_get(e->by->tree, "observed_data_refs")); m != NULL;
	    m = json_next(m)) {
		const struct sw_item *to = sw_find(w, json_slice(m));
		struct xml_node *k;

		if (to == NULL || !to->out || to->kind != S1_OBSERVABLE)
			continue;
		if (list == NULL)
			list = sw_el(w, n, "indicator", "Related_Observables");
		k = sw_el(w, sw_el(w, list, "indicator", "Related_Observable"), "stixCommon", "Observable");
		xml_set(w->mem, k, "idref", sw_id(w, json_slice(m)));
		ledger_mark(w->ledger, m, LOSS_KEPT, NULL);
	}
}

/* Who saw it: the first of them has a place. */
static void
write_seer(struct sw *w, struct sw_item *item, const struct sw_edge *e, struct xml_node *n)
{
	json *who = json_first(json_get(e->by->tree, "where_sighted_refs"));
	struct xml_node *source;

	if (who == NULL)
		return;
	source = sw_el(w, n, "indicator", "Source");
	if (sw_identity(w, source, "stixCommon", "Identity", json_slice(who), item->word))
		ledger_mark(w->ledger, who, LOSS_KEPT, NULL);
	else
		xml_detach(source);
}

static void
write_sighting(struct sw *w, struct sw_item *item, const struct sw_edge *e, struct xml_node *list,
    bool only)
{
	static const char *const kept[] = { "type", "spec_version", "sighting_of_ref" };
	json *tree = e->by->tree, *count = json_get(tree, "count");
	struct xml_node *n = sw_el(w, list, "indicator", "Sighting");
	struct slice first = json_member(tree, "first_seen"), last = json_member(tree, "last_seen");
	int64_t number;

	e->by->told = true;
	e->by->in = item;
	for (size_t i = 0; i < COUNTOF(kept); i++)
		ledger_take(w->ledger, tree, kept[i], LOSS_KEPT);
	ledger_take(w->ledger, tree, "object_marking_refs", LOSS_APPROXIMATED);
	if (only && json_int(count, &number) && number > 0) {
		xml_set(w->mem, list, "sightings_count", json_number_text(w->mem, count));
		ledger_mark(w->ledger, count, LOSS_KEPT, NULL);
	}
	if (last.n > 0 || first.n > 0)
		xml_set(w->mem, n, "timestamp", last.n > 0 ? last : first);
	sw_take(w, tree, last.n > 0 ? "last_seen" : "first_seen");
	if (slice_eq(first, last))
		sw_take(w, tree, "first_seen");
	write_seer(w, item, e, n);
	sw_confidence(w, tree, n, "indicator");
	sw_put(w, e->by, n, "indicator", "Description", "description");
	write_observed(w, e, n);
}

static void
write_sightings(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_node *list = NULL;
	size_t count = 0;

	for (const struct sw_edge *e = item->edges; e != NULL; e = e->next)
		count += e->row == NULL ? 1 : 0;
	for (const struct sw_edge *e = item->edges; e != NULL; e = e->next) {
		if (e->row != NULL)
			continue;
		if (list == NULL)
			list = sw_el(w, n, "indicator", "Sightings");
		write_sighting(w, item, e, list, count == 1);
	}
}

/* See stix1_write.h. */
void
sw_indicator(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	sw_put(w, item, n, "indicator", "Title", "name");
	sw_words(w, json_get(item->tree, "indicator_types"), n, "indicator", "Type", STIX1_INDICATOR_TYPE,
	    false);
	sw_put(w, item, n, "indicator", "Description", "description");
	write_validity(w, item, n);
	write_pattern(w, item, n);
	sw_phases(w, item, n, "indicator");
	sw_confidence(w, item->tree, n, "indicator");
	write_sightings(w, item, n);
}

/* stix1_read_observable.c -- Observables that no Indicator looks for: observed data, or a pattern. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"

enum { NUMBER_MAX = 999999999 };

/* True if a condition says anything but "is": such a thing was not seen, it is to be looked for. */
static bool
is_pattern(const struct xml_node *n)
{
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (slice_is(a->name, "pattern_type"))
			return true;
		if (slice_is(a->name, "condition") && !slice_is_nocase(slice_trim(a->value), "Equals"))
			return true;
	}
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		if (is_pattern(k))
			return true;
	return false;
}

/* A pattern without any claim of what it indicates. */
static void
read_pattern(struct s1 *s, struct s1_unit *u)
{
	struct cybox_read job = s1_cybox(s);
	struct s1_label label = s1_label_here(s, u->node);
	struct pat_node *p = NULL;
	struct s1_obj *ob;

	s->seeing = &label;
	if (cybox_read_pattern(&job, u->node, &p) != CYBOX_EXACT && p != NULL)
		s1_warn(s, u->node, "PATTERN_INEXACT",
		    "a part of what this Observable looks for cannot be said in a pattern");
	s->seeing = NULL;
	if (p == NULL || (ob = s1_new(s, u, "indicator", NULL)) == NULL)
		return;
	s1_common(s, ob->tree, u->node);
	ob->label = s1_strictest(s, ob->label, label);
	sdo_list_add(s->mem, ob->tree, "indicator_types", SLICE_LIT("unknown"));
	json_put_str(s->mem, ob->tree, "pattern", cybox_pattern_text(s->mem, p));
	json_put_str(s->mem, ob->tree, "pattern_type", SLICE_LIT("stix"));
	json_put_str(s->mem, ob->tree, "pattern_version", SLICE_LIT("2.1"));
	json_put_str(s->mem, ob->tree, "valid_from", u->created);
}

/* The SCOs of an Observable into the list of an observed-data. */
static void
add_observables(struct s1 *s, struct s1_unit *u, struct s1_obj *ob, const struct cybox_objects *found,
    struct s1_label seen)
{
	json *refs = json_put(s->mem, ob->tree, "object_refs", json_list(s->mem));

	for (size_t i = 0; i < found->n; i++) {
		struct xml_node *from = (struct xml_node *)(uintptr_t)found->v[i].from;
		bool alone = from != NULL && !found->v[i].shared;
		struct s1_label own = s1_label_within(s, alone ? from : u->node, true);

		if (s1_sco(s, u, found->v[i].tree, s1_strictest(s, own, seen), from) != NULL)
			json_push(refs, json_string(s->mem, found->v[i].id));
	}
	for (size_t i = 0; i < found->nlinks; i++) {
		const struct cybox_link *link = &found->links[i];
		struct s1_obj *a = s1_find(s, link->from, SLICE_EMPTY);
		struct s1_obj *b = s1_find(s, link->to, SLICE_EMPTY);
		struct slice word = stix1_hyphens(s->mem, link->relationship);

		if (a != NULL && b != NULL)
			s1_relate(s, u, a, word.n > 0 ? word.p : "related-to", b,
			    (struct xml_node *)(uintptr_t)link->at);
	}
}

void
s1_read_observable(struct s1 *s, struct s1_unit *u)
{
	struct cybox_objects found = { 0 };
	struct cybox_read job = s1_cybox(s);
	struct s1_label seen = s1_label_here(s, u->node);
	struct xml_node *times;
	unsigned long long number;
	struct slice first, last;
	struct s1_obj *ob;

	if (is_pattern(u->node)) {
		read_pattern(s, u);
		return;
	}
	/* what a reference leads to may stand in any of the objects */
	s->seeing = &seen;
	cybox_read_objects(&job, u->node, &found, NULL);
	s->seeing = NULL;
	if (found.n == 0)
		return;
	ob = s1_new(s, u, "observed-data", NULL);
	if (ob == NULL)
		return;
	times = stix1_down(u->node, "Observable_Source/Time");
	first = s1_time(s, stix1_get(times, "Start_Time"));
	last = s1_time(s, stix1_get(times, "End_Time"));
	if (first.n == 0)
		first = last.n > 0 ? last : u->modified;
	if (last.n == 0 || s1_before(s, last, first))
		last = first;
	json_put_str(s->mem, ob->tree, "first_observed", first);
	json_put_str(s->mem, ob->tree, "last_observed", last);
	if (!slice_u64(s1_attr(u->node, "sighting_count"), &number) || number == 0)
		number = 1;
	if (number > NUMBER_MAX)
		number = NUMBER_MAX;
	json_put_int(s->mem, ob->tree, "number_observed", (int64_t)number);
	add_observables(s, u, ob, &found, seen);
}

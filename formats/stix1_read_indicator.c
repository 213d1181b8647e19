/* stix1_read_indicator.c -- Indicators: what to look for, since when, how sure, and where it was seen. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

enum { COUNT_MAX = 999999999 };

/* ---- test mechanisms ---- */

/* Types of test mechanisms: their patterns in other languages. */
static const struct {
	const char	*type, *language, *element;
} mechanisms[] = {
	{ "SnortTestMechanismType", "snort", "Rule" },
	{ "YaraTestMechanismType", "yara", "Rule" },
	{ "GenericTestMechanismType", "generic", "Specification" },
};

/* The texts of all elements of a name, a line each. */
static struct slice
rules(struct s1 *s, struct xml_node *n, const char *name)
{
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	for (struct xml_node *k = stix1_get(n, name); k != NULL; k = stix1_more(k)) {
		struct slice one = s1_text(s, k);

		if (text.n > 0 && one.n > 0)
			strbuf_addc(&text, '\n');
		strbuf_addsl(&text, one);
	}
	out = arena_slice(s->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return out;
}

/* The exact text of an element, which is all that can be said of it. */
static struct slice
as_xml(struct s1 *s, const struct xml_node *n)
{
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	xml_print(&text, n, 0);
	out = arena_slice(s->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return out;
}

/* A generic mechanism may hold a pattern of STIX 2 (ours does), or name another language. */
static void
read_generic(struct s1 *s, struct xml_node *n, struct slice text, struct slice *language)
{
	struct slice type = stix1_hyphens(s->mem, s1_word(s, stix1_get(n, "Type")));

	if (type.n > 0)
		*language = type;
	if (slice_starts(type, "stix") && pattern_parse(text, s->mem, NULL) != NULL)
		*language = SLICE_LIT("stix");
	else if (slice_starts(type, "stix"))
		*language = SLICE_LIT("generic");
}

/* Pattern and language of a Test_Mechanism; false if it holds none. */
static bool
read_mechanism(struct s1 *s, struct xml_node *n, struct slice *text, struct slice *language)
{
	struct slice type = stix1_type(n, NULL);

	for (size_t i = 0; i < COUNTOF(mechanisms); i++) {
		if (!slice_is(type, mechanisms[i].type))
			continue;
		s1_keep_type(n);
		*text = rules(s, n, mechanisms[i].element);
		*language = slice_of(mechanisms[i].language);
		if (slice_is(*language, "generic"))
			read_generic(s, n, *text, language);
		return text->n > 0;
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (!slice_is(k->name, "ioc") && !slice_is(k->name, "oval_definitions"))
			continue;
		xml_mark_all(k, XML_KEPT);
		s1_keep_type(n);
		*text = as_xml(s, k);
		*language = slice_is(k->name, "ioc") ? SLICE_LIT("openioc") : SLICE_LIT("oval");
		return true;
	}
	return false;
}

/* ---- the indicator ---- */

static void
put_pattern(struct s1 *s, struct s1_obj *ob, struct slice text, struct slice language)
{
	json_put_str(s->mem, ob->tree, "pattern", text);
	json_put_str(s->mem, ob->tree, "pattern_type", language);
	if (slice_is(language, "stix"))
		json_put_str(s->mem, ob->tree, "pattern_version", SLICE_LIT("2.1"));
}

/* One second before a time. */
static struct slice
second_before(struct s1 *s, struct slice stamp)
{
	char text[STAMP_TEXT + 1];
	int64_t us;

	if (!stamp_parse(stamp, &us))
		return stamp;
	stamp_text(us - 1000000, text);
	return arena_slice(s->mem, slice_of(text));
}

/* valid_from and valid_until of the first Valid_Time_Position. What ended before we heard of it stays
 * ended. */
static void
read_validity(struct s1 *s, struct s1_unit *u, struct s1_obj *ob)
{
	struct xml_node *n = stix1_get(u->node, "Valid_Time_Position");
	struct slice from = s1_time(s, stix1_get(n, "Start_Time"));
	struct slice until = s1_time(s, stix1_get(n, "End_Time"));

	if (n != NULL)
		n->mark = XML_KEPT;
	if (from.n == 0)
		from = until.n > 0 && !s1_before(s, u->created, until) ? second_before(s, until) :
		    u->created;
	json_put_str(s->mem, ob->tree, "valid_from", from);
	if (until.n == 0)
		return;
	if (s1_before(s, from, until)) {
		json_put_str(s->mem, ob->tree, "valid_until", until);
		return;
	}
	xml_mark_own(stix1_get(n, "End_Time"), XML_UNSEEN);
	s1_warn(s, n, "TIME_ORDER", "End_Time is not later than Start_Time: not used");
}

static void
read_properties(struct s1 *s, struct s1_unit *u, struct s1_obj *ob)
{
	s1_common(s, ob->tree, u->node);
	s1_words(s, ob->tree, u->node, "Type", STIX1_INDICATOR_TYPE, "indicator_types", "unknown");
	for (struct xml_node *k = stix1_get(u->node, "Alternative_ID"); k != NULL; k = stix1_more(k))
		sdo_reference(s->mem, ob->tree, "stix1", s1_line(s, k), SLICE_EMPTY, SLICE_EMPTY);
	s1_source_references(s, ob->tree, stix1_get(u->node, "Producer"));
	read_validity(s, u, ob);
}

/* Everything of the first object that the other has not. */
static void
copy_properties(struct s1 *s, const struct s1_obj *from, struct s1_obj *to)
{
	for (const json *m = json_first(from->tree); m != NULL; m = json_next(m))
		if (json_get(to->tree, json_name(m)) == NULL && strncmp(json_name(m), "pattern", 7) != 0)
			json_put(s->mem, to->tree, json_name(m), json_copy(s->mem, m));
}

/* One more indicator of the unit, with a pattern of its own. */
static struct s1_obj *
add_indicator(struct s1 *s, struct s1_unit *u, struct xml_node *from, struct slice text,
    struct slice language)
{
	struct s1_obj *ob = s1_new(s, u, "indicator", from);

	if (ob == NULL)
		return NULL;
	if (from != NULL)
		from->mark = XML_KEPT;
	put_pattern(s, ob, text, language);
	if (u->faces.n > 1)
		copy_properties(s, u->faces.v[0], ob);
	else
		read_properties(s, u, ob);
	return ob;
}

/* What an Indicator without a pattern looks for is what it says, in its own words. */
static void
add_wordy(struct s1 *s, struct s1_unit *u)
{
	struct xml_node *what = stix1_get(u->node, "Composite_Indicator_Expression");

	if (what == NULL)
		what = stix1_get(u->node, "Observable");
	s1_warn(s, u->node, "NO_PATTERN", "nothing here becomes a pattern: its XML stands in for one");
	add_indicator(s, u, NULL, as_xml(s, what != NULL ? what : u->node), SLICE_LIT("stix1"));
}

/* An Indicator becomes one indicator for its observables, and one for each test mechanism. */
void
s1_read_indicator(struct s1 *s, struct s1_unit *u)
{
	struct s1_pattern *p = s1_pattern(s, u->node, 0);
	struct xml_node *list = stix1_get(u->node, "Test_Mechanisms");

	if (p != NULL && p->kind == S1_PAT_STIX) {
		struct slice text = cybox_pattern_text(s->mem, p->node);
		struct s1_obj *ob = text.n <= PATTERN_BYTES ?
		    add_indicator(s, u, NULL, text, SLICE_LIT("stix")) : NULL;

		if (ob != NULL)
			ob->label = s1_strictest(s, ob->label, p->label);
	}
	for (struct xml_node *k = stix1_get(list, "Test_Mechanism"); k != NULL; k = stix1_more(k)) {
		struct slice text, language;

		if (read_mechanism(s, k, &text, &language)) {
			list->mark = XML_KEPT;
			add_indicator(s, u, u->made == 0 ? NULL : k, text, language);
		}
	}
	if (u->faces.n == 0)
		add_wordy(s, u);
	if (u->faces.n > 0)
		s1_sightings(s, u, u->faces.v[0]);
}

/* ---- sightings ---- */

/* Observed data that a Sighting names. */
static void
read_related(struct s1 *s, struct s1_obj *ob, struct xml_node *n)
{
	struct xml_node *list = stix1_get(n, "Related_Observables");

	for (struct xml_node *k = stix1_get(list, "Related_Observable"); k != NULL; k = stix1_more(k)) {
		struct xml_node *what = stix1_get(k, "Observable");
		struct s1_unit *to = what == NULL ? NULL : s1_resolve(s, what);

		for (size_t i = 0; to != NULL && i < to->faces.n; i++)
			if (slice_starts(to->faces.v[i]->id, "observed-data--"))
				sdo_list_add(s->mem, ob->tree, "observed_data_refs", to->faces.v[i]->id);
	}
}

static void
read_sighting(struct s1 *s, struct s1_unit *u, struct s1_obj *of, struct xml_node *n, size_t ordinal,
    unsigned long long count)
{
	struct slice uuid = S1_UUID(s, u->id, SLICE_LIT("sighting"),
	    slice_of(arena_fmt(s->mem, "%zu", ordinal)));
	struct slice at = s1_time_attr(s, n, "timestamp");
	struct s1_obj *ob = s1_part(s, u, "sighting", uuid, n), *who;

	if (ob == NULL)
		return;
	n->mark = XML_KEPT;
	ob->relationship = true;
	ob->label = s1_strictest(s, ob->label, of->label);
	s1_describe(s, ob->tree, s1_texts(s, n, "Description"));
	if (at.n > 0) {
		json_put_str(s->mem, ob->tree, "first_seen", at);
		json_put_str(s->mem, ob->tree, "last_seen", at);
	}
	if (count > 0)
		json_put_int(s->mem, ob->tree, "count", (int64_t)(count > COUNT_MAX ? COUNT_MAX : count));
	json_put_str(s->mem, ob->tree, "sighting_of_ref", of->id);
	who = s1_source(s, u, stix1_get(n, "Source"));
	if (who != NULL)
		sdo_list_add(s->mem, ob->tree, "where_sighted_refs", who->id);
	s1_confidence(s, ob->tree, stix1_get(n, "Confidence"));
	sdo_reference(s->mem, ob->tree, "stix1", SLICE_EMPTY, s1_line(s, stix1_get(n, "Reference")),
	    SLICE_EMPTY);
}

/* Each Sighting becomes one; sightings_count is the count of a single one, or stands alone. */
void
s1_sightings(struct s1 *s, struct s1_unit *u, struct s1_obj *indicator)
{
	struct xml_node *list = stix1_get(u->node, "Sightings");
	struct xml_node *first = stix1_get(list, "Sighting");
	unsigned long long count = 0;
	size_t n = 0;

	if (list == NULL)
		return;
	for (struct xml_node *k = first; k != NULL; k = stix1_more(k))
		n++;
	if (!slice_u64(slice_trim(xml_value(list, "sightings_count")), &count))
		count = 0;
	if (n <= 1 && count > 0)
		s1_attr(list, "sightings_count");
	else if (count == n)
		s1_attr(list, "sightings_count");
	if (first == NULL && count > 0)
		read_sighting(s, u, indicator, list, 1, count);
	n = 0;
	for (struct xml_node *k = first; k != NULL; k = stix1_more(k))
		read_sighting(s, u, indicator, k, ++n, stix1_more(first) == NULL ? count : 0);
}

/* Sightings name observed data that may stand behind them: when all units are read. */
void
s1_relate_sightings(struct s1 *s, struct s1_unit *u)
{
	struct xml_node *list = stix1_get(u->node, "Sightings");

	for (struct xml_node *k = stix1_get(list, "Sighting"); k != NULL; k = stix1_more(k)) {
		const struct s1_note *note = k->user;

		for (const struct s1_tag *t = note == NULL ? NULL : note->tags; t != NULL; t = t->next)
			if (slice_starts(t->ob->id, "sighting--"))
				read_related(s, t->ob, k);
	}
}

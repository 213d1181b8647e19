/*
 * iodef2_write_method.c -- how, and what to do about it: malware, tools, attack patterns and
 * vulnerabilities as Methods, courses of action as Expectations, notes and sightings as HistoryItems
 * (mapping.md 2.2, 2.5).
 */
#include "formats/iodef2_write.h"
#include "formats/iodef2_words.h"
#include "gateway/base/arena.h"

/* ---- References ---------------------------------------------------------------------------- */

static bool
is_cve(struct slice s)
{
	size_t i, dashes = 0;

	if (!slice_starts(s, "CVE-") || s.n < 13)
		return false;
	for (i = 4; i < s.n; i++) {
		if (s.p[i] == '-' && i == 8)
			dashes++;
		else if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return dashes == 1;
}

static void
add_cve(struct iw *w, struct xml_node *reference, struct slice cve)
{
	struct xml_node *n = iw_el_ns(w, reference, IODEF2_NS_ENUM, "enum", "ReferenceName");

	iw_set(w, n, "specIndex", "1");
	xml_add_leaf(w->mem, n, "ID", cve);
}

/* "source_name external_id description", as far as there are such. */
static struct slice
reference_text(struct iw *w, const json *ref)
{
	struct slice source = json_member(ref, "source_name"), id = json_member(ref, "external_id");
	struct slice text = json_member(ref, "description");

	return slice_trim(slice_of(arena_fmt(w->mem, "%.*s%s%.*s%s%.*s", SLICE_ARG(source),
	    id.n > 0 ? " " : "", SLICE_ARG(id), text.n > 0 ? " " : "", SLICE_ARG(text))));
}

/* An id of the same indicator elsewhere. xs:ID: one that is taken or no NCName stays residue. */
static void
add_alternative(struct iw *w, struct iw_obj *ob, struct xml_node *parent, const json *ref, size_t i)
{
	struct slice source = json_member(ref, "source_name"), id = json_member(ref, "external_id");
	struct slice version = json_member(ref, "description");
	struct xml_node *n;
	size_t skip = strlen("iodef-indicator:");

	if (!iw_is_ncname(id) || !iw_take_id(w, id))
		return;
	n = iw_leaf(w, iw_el(w, parent, "AlternativeIndicatorID"), "IndicatorID", id);
	xml_set(w->mem, n, "name", slice_from(source.p + skip, source.n - skip));
	iw_set(w, n, "version", slice_starts(version, "version ") ? version.p + 8 : "1");
	iw_markf(w, ob, LOSS_KEPT, "external_references[%zu]", i);
}

void
iw_references(struct iw *w, struct iw_obj *ob, struct xml_node *parent)
{
	json *ref = json_first(json_get(ob->o->tree, "external_references"));
	struct xml_node *n;
	struct slice url;
	size_t i;

	for (i = 0; ref != NULL; ref = json_next(ref), i++) {
		if (slice_starts(json_member(ref, "source_name"), "iodef-indicator:")) {
			add_alternative(w, ob, parent, ref, i);
			continue;
		}
		n = iw_el(w, parent, "Reference");
		if (is_cve(json_member(ref, "external_id"))) {
			add_cve(w, n, json_member(ref, "external_id"));
			iw_markf(w, ob, LOSS_KEPT, "external_references[%zu].external_id", i);
		}
		url = json_member(ref, "url");
		if (iw_is_uri(url)) {
			iw_leaf(w, n, "URL", url);
			iw_markf(w, ob, LOSS_KEPT, "external_references[%zu].url", i);
		}
		iw_leaf(w, n, "Description", reference_text(w, ref));
		iw_markf(w, ob, LOSS_APPROXIMATED, "external_references[%zu].source_name", i);
		iw_markf(w, ob, LOSS_APPROXIMATED, "external_references[%zu].description", i);
	}
}

/* ---- Method -------------------------------------------------------------------------------- */

/* First external id of that source; the empty slice if there is none. */
static struct slice
external_id(const struct iw_obj *ob, const char *source, size_t *at)
{
	json *ref = json_first(json_get(ob->o->tree, "external_references"));
	size_t i;

	for (i = 0; ref != NULL; ref = json_next(ref), i++)
		if (slice_is(json_member(ref, "source_name"), source) &&
		    json_member(ref, "external_id").n > 0) {
			*at = i;
			return json_member(ref, "external_id");
		}
	return SLICE_EMPTY;
}

/* A Reference with the URLs of the object's references, if it has any. */
static struct xml_node *
add_urls(struct iw *w, struct iw_obj *ob, struct xml_node *method, struct xml_node *reference)
{
	json *ref = json_first(json_get(ob->o->tree, "external_references"));
	struct slice url;
	size_t i;

	for (i = 0; ref != NULL; ref = json_next(ref), i++) {
		url = json_member(ref, "url");
		if (!iw_is_uri(url))
			continue;
		if (reference == NULL)
			reference = iw_el(w, method, "Reference");
		iw_leaf(w, reference, "URL", url);
		iw_markf(w, ob, LOSS_KEPT, "external_references[%zu].url", i);
	}
	return reference;
}

/* "malware: NAME": how a kind without a class of its own is said (and read back). */
static void
add_named(struct iw *w, struct iw_obj *ob, struct xml_node *method, struct slice id)
{
	struct slice name = json_member(ob->o->tree, "name");

	if (name.n == 0)
		name = ob->o->id;
	if (slice_eq(name, id))
		id = SLICE_EMPTY;
	iw_leaf(w, method, "Description", slice_of(arena_fmt(w->mem, "%.*s: %.*s%s%.*s",
	    SLICE_ARG(ob->o->type), SLICE_ARG(id), id.n > 0 ? " " : "", SLICE_ARG(name))));
	iw_mark(w, ob, id.n == 0 && iw_exact(name, IW_LINE) ? LOSS_KEPT : LOSS_APPROXIMATED,
	    "name");
}

static void
fill_vulnerability(struct iw *w, struct iw_obj *ob, struct xml_node *method)
{
	struct slice name = json_member(ob->o->tree, "name"), cve;
	struct xml_node *ref;
	size_t at = 0;

	cve = external_id(ob, "cve", &at);
	if (is_cve(cve))
		iw_markf(w, ob, LOSS_KEPT, "external_references[%zu].external_id", at);
	else
		cve = name;
	if (!is_cve(cve)) {
		add_urls(w, ob, method, NULL);
		add_named(w, ob, method, SLICE_EMPTY);
		return;
	}
	ref = iw_el(w, method, "Reference");
	add_cve(w, ref, cve);
	add_urls(w, ob, method, ref);
	if (slice_eq(name, cve))
		iw_mark(w, ob, LOSS_KEPT, "name");
	else
		iw_prop(w, ob, ref, "Description", "name", IW_TEXT);
	iw_prop(w, ob, ref, "Description", "description", IW_TEXT);
}

static void
fill_attack_pattern(struct iw *w, struct iw_obj *ob, struct xml_node *method)
{
	struct slice capec, technique;
	struct xml_node *n;
	size_t at = 0;

	capec = external_id(ob, "capec", &at);
	if (capec.n > 0) {
		n = iw_el_ns(w, method, IODEF2_NS_SCI, "sci", "AttackPattern");
		iw_set(w, n, "SpecID", "http://capec.mitre.org/observables");
		xml_set(w->mem, n, "AttackPatternID", capec);
		iw_markf(w, ob, LOSS_KEPT, "external_references[%zu].external_id", at);
		iw_markf(w, ob, LOSS_KEPT, "external_references[%zu].source_name", at);
		if (slice_eq(json_member(ob->o->tree, "name"), capec))
			iw_mark(w, ob, LOSS_KEPT, "name");
		return;
	}
	technique = external_id(ob, "mitre-attack", &at);
	add_urls(w, ob, method, NULL);
	add_named(w, ob, method, technique);
}

static void
fill_named(struct iw *w, struct iw_obj *ob, struct xml_node *method)
{
	add_urls(w, ob, method, NULL);
	add_named(w, ob, method, SLICE_EMPTY);
}

static const struct {
	const char *type;
	void (*fill)(struct iw *, struct iw_obj *, struct xml_node *);
} methods[] = {
	{ "malware",		fill_named },
	{ "tool",		fill_named },
	{ "attack-pattern",	fill_attack_pattern },
	{ "vulnerability",	fill_vulnerability },
	{ NULL, NULL }
};

/* One Method an object, so that each has the label of its own object. */
void
iw_write_method(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *n = iw_el(w, inc->node, "Method");
	size_t i;

	iw_restrict(w, n, iw_label(ob->o));
	iw_claim(w, ob, n);
	iw_mark_kind(w, ob, false);
	for (i = 0; methods[i].type != NULL; i++)
		if (slice_is(ob->o->type, methods[i].type))
			methods[i].fill(w, ob, n);
}

/* ---- Expectation --------------------------------------------------------------------------- */

static const char *
action_of(const struct iw_obj *ob, size_t *label)
{
	json *l = json_first(json_get(ob->o->tree, "labels"));
	const char *found = "other", *word;
	size_t i;

	*label = SIZE_MAX;
	for (i = 0; l != NULL; l = json_next(l), i++) {
		if (slice_starts(json_slice(l), "iodef-action:")) {
			*label = i;
			return json_slice(l).p + strlen("iodef-action:");
		}
		word = iodef2_action_of_text(json_slice(l));
		if (strcmp(found, "other") == 0)
			found = word;
	}
	if (strcmp(found, "other") == 0)
		found = iodef2_action_of_text(json_member(ob->o->tree, "name"));
	return found;
}

void
iw_write_action(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *n;
	const char *action;
	size_t label;

	if (inc->actions == NULL) {
		inc->actions = iw_el(w, inc->node, "EventData");
		iw_generated(w, inc->actions, "holds what is expected");
	}
	n = iw_el(w, inc->actions, "Expectation");
	action = action_of(ob, &label);
	iw_set_word(w, n, "action", slice_of(action));
	if (label != SIZE_MAX)
		iw_markf(w, ob, LOSS_KEPT, "labels[%zu]", label);
	iw_restrict(w, n, iw_label(ob->o));
	iw_claim(w, ob, n);
	iw_mark_kind(w, ob, false);
	iw_descriptions(w, ob, n, false);
}

/* ---- History ------------------------------------------------------------------------------- */

static struct xml_node *
history_item(struct iw *w, struct iw_incident *inc, struct iw_obj *ob, const char *action)
{
	struct xml_node *history = iw_only(w, &inc->history, inc->node, "History");
	struct xml_node *n = iw_el(w, history, "HistoryItem");

	iw_set_word(w, n, "action", slice_of(action));
	iw_restrict(w, n, iw_label(ob->o));
	iw_claim(w, ob, n);
	iw_mark_kind(w, ob, false);
	return n;
}

static void
write_note(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct slice abstract = json_member(ob->o->tree, "abstract"), author;
	struct xml_node *n, *contact;
	const char *action = "other";

	if (slice_starts(abstract, "iodef-action:")) {
		action = abstract.p + strlen("iodef-action:");
		iw_mark(w, ob, LOSS_KEPT, "abstract");
	}
	n = history_item(w, inc, ob, action);
	iw_prop_time(w, ob, n, "DateTime", "created");
	if (strcmp(action, "other") == 0)
		iw_prop(w, ob, n, "Description", "abstract", IW_TEXT);
	iw_prop(w, ob, n, "Description", "content", IW_TEXT);
	author = json_slice(json_first(json_get(ob->o->tree, "authors")));
	if (slice_trim(author).n > 0) {
		contact = iw_el(w, n, "Contact");
		iw_set(w, contact, "role", "reporter");
		iw_set(w, contact, "type", "person");
		iw_leaf(w, contact, "ContactName", author);
		iw_mark(w, ob, LOSS_APPROXIMATED, "authors[0]");
	}
}

static void
write_sighting(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	static const char *const times[] = { "last_seen", "first_seen", "modified", NULL };
	struct xml_node *n = history_item(w, inc, ob, "sighting");
	struct iw_obj *where;
	int64_t count;
	size_t i;

	for (i = 0; times[i] != NULL; i++)
		if (iw_prop_time(w, ob, n, "DateTime", times[i]) != NULL)
			break;
	iw_prop(w, ob, n, "Description", "description", IW_TEXT);
	where = iw_find(w, json_slice(json_first(json_get(ob->o->tree, "where_sighted_refs"))));
	if (where != NULL && slice_is(where->o->type, "identity"))
		iw_write_contact(w, where, n, "victim", NULL);
	if (json_int(json_get(ob->o->tree, "count"), &count)) {
		iw_extra(w, n, "integer", "count",
		    slice_of(arena_fmt(w->mem, "%lld", (long long)count)));
		iw_mark(w, ob, LOSS_KEPT, "count");
	}
}

void
iw_write_history(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *n;

	if (slice_is(ob->o->type, "note"))
		write_note(w, inc, ob);
	else
		write_sighting(w, inc, ob);
	n = ob->nodes[ob->nnodes - 1];
	if (xml_get(n, "DateTime") == NULL)	/* mandatory */
		iw_leaf(w, n, "DateTime", xml_text_trim(xml_get(inc->node, "GenerationTime"),
		    w->mem));
}

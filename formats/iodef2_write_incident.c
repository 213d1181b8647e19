/*
 * iodef2_write_incident.c -- a report, grouping or incident as an Incident, or the default one
 * (mapping.md 2.1).
 */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"

/* The number itself: rating="numeric". */
void
iw_confidence(struct iw *w, struct iw_obj *ob, struct xml_node *parent)
{
	struct slice text = json_number_text(w->mem, json_get(ob->o->tree, "confidence"));
	struct xml_node *n;

	if (text.n == 0)
		return;
	n = iw_leaf(w, parent, "Confidence", text);
	iw_set(w, n, "rating", "numeric");
	iw_mark(w, ob, LOSS_KEPT, "confidence");
}

/* The text after `prefix` of the first label that has it. */
static struct slice
label_after(struct iw *w, struct iw_obj *ob, const char *prefix)
{
	json *l = json_first(json_get(ob->o->tree, "labels"));
	size_t i, n = strlen(prefix);

	for (i = 0; l != NULL; l = json_next(l), i++)
		if (slice_starts(json_slice(l), prefix) && json_slice(l).n > n) {
			iw_markf(w, ob, LOSS_KEPT, "labels[%zu]", i);
			return slice_from(json_slice(l).p + n, json_slice(l).n - n);
		}
	return SLICE_EMPTY;
}

static bool
has_member(const struct iw_incident *inc, const char *type)
{
	size_t i;

	for (i = 0; i < inc->nmembers; i++)
		if (slice_is(inc->members[i]->o->type, type))
			return true;
	return false;
}

static void
write_purpose(struct iw *w, struct iw_incident *inc, struct iw_obj *own)
{
	struct slice word = own != NULL ? label_after(w, own, "iodef-purpose:") : SLICE_EMPTY;

	if (word.n > 0)
		iw_set_word(w, inc->node, "purpose", word);
	else
		iw_set(w, inc->node, "purpose", has_member(inc, "indicator") &&
		    !has_member(inc, "observed-data") && inc->incident == NULL ?
		    "watch" : "reporting");
	if (own == NULL)
		return;
	word = label_after(w, own, "iodef-status:");
	if (word.n > 0)
		iw_set_word(w, inc->node, "status", word);
	if (own->o->flags & OBJECT_REVOKED) {
		iw_set(w, inc->node, "status", "resolved");
		iw_mark(w, own, LOSS_APPROXIMATED, "revoked");
	}
}

/* "iodef:NAME" or "iodef" -> NAME; false if the reference is none of IODEF's. */
static bool
is_iodef_name(struct iw *w, struct slice source, struct slice *name)
{
	if (slice_is(source, "iodef"))
		*name = slice_of(w->job->csirt);
	else if (slice_starts(source, "iodef:") && source.n > 6)
		*name = slice_from(source.p + 6, source.n - 6);
	else
		return false;
	return true;
}

/* IncidentID from a reference that says what it was in IODEF, else the STIX id. */
static void
write_ids(struct iw *w, struct iw_incident *inc, struct iw_obj *own)
{
	struct slice name = SLICE_EMPTY, other, source, id;
	struct xml_node *n, *alternative = NULL;
	bool ours;
	size_t i;
	json *ref;

	n = iw_el(w, inc->node, "IncidentID");
	if (own != NULL)
		iw_claim(w, own, n);
	ref = own == NULL ? NULL : json_first(json_get(own->o->tree, "external_references"));
	for (i = 0; ref != NULL; ref = json_next(ref), i++) {
		source = json_member(ref, "source_name");
		id = json_member(ref, "external_id");
		ours = is_iodef_name(w, source, &other);
		if (slice_trim(id).n == 0 || (!ours && !iw_is_fqdn(source) &&
		    !slice_is(source, "misp")))
			continue;
		iw_markf(w, own, LOSS_KEPT, "external_references[%zu].source_name", i);
		iw_markf(w, own, LOSS_KEPT, "external_references[%zu].external_id", i);
		if (ours && name.n == 0) {
			name = other;
			inc->id = id;
			if (slice_starts(json_member(ref, "description"), "instance ")) {
				iw_set(w, n, "instance",
				    json_member(ref, "description").p + strlen("instance "));
				iw_markf(w, own, LOSS_KEPT, "external_references[%zu]", i);
			}
			continue;
		}
		if (alternative == NULL) {
			alternative = iw_el(w, inc->node, "AlternativeID");
			iw_claim(w, own, alternative);
		}
		xml_set(w->mem, iw_leaf(w, alternative, "IncidentID", id), "name",
		    ours ? other : source);
	}
	if (name.n == 0) {
		name = slice_of(w->job->csirt);
		inc->id = own != NULL ? own->o->id : w->job->adv->id;
		if (own != NULL)
			iw_mark(w, own, LOSS_KEPT, "id");
	}
	xml_set(w->mem, n, "name", name);
	xml_add_text(w->mem, n, inc->id);
}

/* References with a URL that are no ids: RelatedActivity/URL. */
static void
write_urls(struct iw *w, struct iw_incident *inc, struct iw_obj *own)
{
	json *ref = json_first(json_get(own->o->tree, "external_references"));
	struct xml_node *n = NULL;
	struct slice url;
	size_t i;

	for (i = 0; ref != NULL; ref = json_next(ref), i++) {
		url = json_member(ref, "url");
		if (!iw_is_uri(url))
			continue;
		if (n == NULL) {
			n = iw_el(w, inc->node, "RelatedActivity");
			iw_claim(w, own, n);
		}
		iw_leaf(w, n, "URL", url);
		iw_markf(w, own, LOSS_KEPT, "external_references[%zu].url", i);
	}
}

/* The first and the last time that the observations of the Incident speak of. */
static void
write_span(struct iw *w, struct iw_incident *inc)
{
	struct slice first = SLICE_EMPTY, last = SLICE_EMPTY, s;
	bool exact;
	size_t i;

	for (i = 0; i < inc->nmembers; i++) {
		const struct iw_obj *ob = inc->members[i];

		/* a time is content: it may not tell of what is stricter than the Incident */
		if (!slice_is(ob->o->type, "observed-data") ||
		    !iw_label_covers(iw_label_at(inc->node), iw_label(ob->o)))
			continue;
		s = json_member(ob->o->tree, "first_observed");
		if (s.n > 0 && (first.n == 0 || slice_cmp(s, first) < 0))
			first = s;
		s = json_member(ob->o->tree, "last_observed");
		if (s.n > 0 && slice_cmp(s, last) > 0)
			last = s;
	}
	if (first.n > 0)
		iw_time(w, inc->node, "StartTime", first, &exact);
	if (last.n > 0)
		iw_time(w, inc->node, "EndTime", last, &exact);
}

/* The newest time of the members, for an Incident that has none of its own. */
static struct slice
newest_time(const struct iw_incident *inc)
{
	struct slice newest = SLICE_EMPTY, s;
	size_t i;

	for (i = 0; i < inc->nmembers; i++) {
		s = inc->members[i]->o->version;
		if (slice_cmp(s, newest) > 0)
			newest = s;
	}
	return newest;
}

static int
write_times(struct iw *w, struct iw_incident *inc, struct iw_obj *own, struct err *e)
{
	struct slice s = SLICE_EMPTY;
	bool exact;

	if (own != NULL) {
		if (slice_is(own->o->type, "report"))
			iw_claim(w, own, iw_prop_time(w, own, inc->node, "ReportTime", "published"));
		else
			iw_claim(w, own, iw_prop_time(w, own, inc->node, "ReportTime", "created"));
		iw_claim(w, own, iw_prop_time(w, own, inc->node, "GenerationTime", "modified"));
		s = own->o->version;
	}
	write_span(w, inc);
	if (xml_get(inc->node, "GenerationTime") != NULL)
		return 0;
	if (s.n == 0)
		s = newest_time(inc);
	if (s.n == 0)
		s = w->job->received;
	if (s.n == 0 || iw_time(w, inc->node, "GenerationTime", s, &exact) == NULL)
		return err_set(e, ERR_MISSING, "no object has a time, and none was given for an "
		    "Incident's GenerationTime");
	return 0;
}

/* iodef-category and iodef-impact labels: an Assessment. */
static void
write_assessment(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	static const char *const kinds[] = { "SystemImpact", "BusinessImpact", NULL };
	struct slice category = label_after(w, ob, "iodef-category:");
	struct slice impact = label_after(w, ob, "iodef-impact:");
	struct xml_node *n, *im;
	size_t k;

	if (category.n == 0 && impact.n == 0)
		return;
	n = iw_el(w, inc->node, "Assessment");
	iw_claim(w, ob, n);
	if (category.n > 0)
		iw_leaf(w, n, "IncidentCategory", category);
	for (k = 0; kinds[k + 1] != NULL && impact.n > 0; k++)
		if (iodef2_enum_has(slice_of(kinds[k]), SLICE_LIT("type"), impact))
			break;
	if (impact.n > 0 && kinds[k + 1] == NULL &&
	    !iodef2_enum_has(slice_of(kinds[k]), SLICE_LIT("type"), impact))
		k = 0;
	im = iw_el(w, n, kinds[k]);
	iw_set_word(w, im, "type", impact.n > 0 ? impact : SLICE_LIT("unknown"));
	iw_confidence(w, ob, n);
}

static void
write_link(struct iw *w, struct iw_incident *inc, struct slice id, struct slice name, enum tlp label)
{
	struct xml_node *n = iw_el(w, inc->node, "RelatedActivity");

	iw_restrict(w, n, iw_label_join(iw_label_at(inc->node), label));
	iw_claim(w, inc->report, n);
	xml_set(w->mem, iw_leaf(w, n, "IncidentID", id), "name", name);
}

/* Objects that this report names too, but that stand in another Incident: a link to it. */
static void
write_shared(struct iw *w, struct iw_incident *inc)
{
	json *ref = json_first(json_get(inc->report->o->tree, "object_refs"));
	bool *linked = arena_alloc(w->mem, w->nincidents * sizeof(*linked));
	const struct iw_link *link;
	struct iw_obj *ob;
	size_t to;

	for (; ref != NULL; ref = json_next(ref)) {
		ob = iw_find(w, json_slice(ref));
		if (ob != NULL && ob->elsewhere && (link = iw_series_link(w, ob, inc)) != NULL)
			write_link(w, inc, link->id, link->name, link->label);
		if (ob == NULL || ob->incident == 0)
			continue;
		to = ob->incident - 1;
		if (&w->incidents[to] == inc || linked[to] || w->incidents[to].id.n == 0)
			continue;
		linked[to] = true;
		write_link(w, inc, w->incidents[to].id, xml_value(xml_get(
		    w->incidents[to].node, "IncidentID"), "name"), iw_label_at(w->incidents[to].node));
	}
}

typedef void member_fn(struct iw *, struct iw_incident *, struct iw_obj *);

static const struct {
	const char	*type;
	member_fn	*write;
} members[] = {
	{ "malware",		iw_write_method },
	{ "tool",		iw_write_method },
	{ "attack-pattern",	iw_write_method },
	{ "vulnerability",	iw_write_method },
	{ "observed-data",	iw_write_event },
	{ "infrastructure",	iw_write_infrastructure },
	{ "malware-analysis",	iw_write_analysis },
	{ "course-of-action",	iw_write_action },
	{ "indicator",		iw_write_indicator },
	{ "note",		iw_write_history },
	{ "sighting",		iw_write_history },
	{ NULL, NULL }
};

/* As it came from IODEF; else natively, with what only IODEF can say added. */
static void
write_member(struct iw *w, struct iw_incident *inc, struct iw_obj *ob, member_fn *write)
{
	struct slice element = json_member(iodef2_residue(ob->o->tree), "element");
	struct xml_node *n;

	if (element.n > 0 && iw_home_member(w, inc, ob))
		return;
	write(w, inc, ob);
	n = element.n > 0 && ob->nnodes > 0 ? ob->nodes[0] : NULL;
	for (; n != NULL && n != w->doc; n = n->parent)
		if (slice_eq(n->name, element)) {
			iw_home_moved(w, ob, n);
			break;
		}
}

static void
write_members(struct iw *w, struct iw_incident *inc)
{
	size_t i, k;

	iw_write_contacts(w, inc);
	iw_write_related(w, inc);
	for (k = 0; members[k].type != NULL; k++)
		for (i = 0; i < inc->nmembers; i++)
			if (slice_is(inc->members[i]->o->type, members[k].type) &&
			    !inc->members[i]->done)
				write_member(w, inc, inc->members[i], members[k].write);
	iw_write_loose(w, inc);
}

/* The incident in a report: what it says beside that, or that it says the same. */
static void
write_merged(struct iw *w, struct iw_incident *inc)
{
	static const char *const props[] = { "name", "description", NULL };
	struct iw_obj *ob = inc->incident;
	size_t i;

	iw_mark_kind(w, ob, false);
	for (i = 0; props[i] != NULL; i++)
		if (!slice_eq(json_member(ob->o->tree, props[i]),
		    json_member(inc->report->o->tree, props[i])))
			break;
	if (props[i] != NULL) {
		iw_descriptions(w, ob, inc->node, true);
		return;
	}
	iw_claim(w, ob, xml_get(inc->node, "IncidentID"));
	iw_mark(w, ob, LOSS_KEPT, "name");
	iw_mark(w, ob, LOSS_KEPT, "description");
}

/* What the containers themselves say. A report that takes an incident in speaks first. */
static int
write_own(struct iw *w, struct iw_incident *inc, struct err *e)
{
	struct iw_obj *own = inc->report != NULL ? inc->report : inc->incident;
	enum tlp label = TLP_UNSET;

	if (own != NULL)
		label = iw_label(own->o);
	if (own != NULL && inc->incident != NULL)
		label = iw_label_join(label, iw_label(inc->incident->o));
	write_purpose(w, inc, own);
	iw_set(w, inc->node, "restriction", iodef2_restriction_word(label));
	write_ids(w, inc, own);
	if (write_times(w, inc, own, e) < 0)
		return -1;
	if (own == NULL) {
		iw_generated(w, inc->node, "holds the objects of no report or incident");
		return 0;
	}
	iw_mark_kind(w, own, false);
	iw_descriptions(w, own, inc->node, true);
	if (inc->incident != NULL && inc->incident != own)
		write_merged(w, inc);
	write_urls(w, inc, own);
	if (inc->incident != NULL)
		write_assessment(w, inc, inc->incident);
	if (inc->report != NULL)
		write_assessment(w, inc, inc->report);
	return 0;
}

/* A default Incident of whose members nothing is left to say beside the Incidents that came home. */
static bool
is_needless(const struct iw *w, const struct iw_incident *inc)
{
	size_t i;

	if (inc->report != NULL || inc->incident != NULL || (w->nincidents == 1 && w->batch == NULL))
		return false;
	for (i = 0; i < inc->nmembers; i++)
		if (!inc->members[i]->done && iw_has_native_form(inc->members[i]->o) &&
		    !iw_only_signs(w, inc->members[i]))
			return false;
	return true;
}

int
iw_write_incident(struct iw *w, struct iw_incident *inc, struct err *e)
{
	if (is_needless(w, inc))
		return 0;
	if (inc->node == NULL) {
		inc->node = iw_el(w, w->doc, "Incident");
		if (write_own(w, inc, e) < 0)
			return -1;
		if (inc->report != NULL)
			write_shared(w, inc);
	}
	write_members(w, inc);
	if (inc->report != NULL && !inc->home)
		iw_home_moved(w, inc->report, inc->node);
	return 0;
}

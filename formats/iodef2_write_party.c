/*
 * iodef2_write_party.c -- who: identities as Contacts, actors and campaigns as RelatedActivity
 * (mapping.md 2.2).
 */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* ---- Contact ------------------------------------------------------------------------------- */

/* "email: a@b" or "a@b" -> "a@b"; empty if the line is neither. */
static struct slice
strip_word(struct slice line, const char *word)
{
	size_t n = strlen(word);

	if (line.n > n && slice_is_nocase(slice_from(line.p, n), word))
		return slice_trim(slice_from(line.p + n, line.n - n));
	return SLICE_EMPTY;
}

static bool
is_phone(struct slice s)
{
	size_t i, digits = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			digits++;
		else if (strchr("+-() ./", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	}
	return digits >= 5;
}

/* One line of contact_information. True if it comes back as it was. */
static bool
write_contact_line(struct iw *w, struct xml_node *contact, struct slice line)
{
	struct slice mail = strip_word(line, "email:"), phone = strip_word(line, "phone:");

	if (iw_is_email(mail)) {
		iw_leaf(w, iw_el(w, contact, "Email"), "EmailTo", mail);
		return slice_starts(line, "email: ");
	}
	if (phone.n > 0) {
		iw_leaf(w, iw_el(w, contact, "Telephone"), "TelephoneNumber", phone);
		return slice_starts(line, "phone: ");
	}
	if (iw_is_email(line))
		iw_leaf(w, iw_el(w, contact, "Email"), "EmailTo", line);
	else if (strip_word(line, "tel:").n > 0)
		iw_leaf(w, iw_el(w, contact, "Telephone"), "TelephoneNumber",
		    strip_word(line, "tel:"));
	else if (is_phone(line))
		iw_leaf(w, iw_el(w, contact, "Telephone"), "TelephoneNumber", line);
	else
		iw_leaf(w, contact, "Description", line);
	return false;
}

static void
write_contact_information(struct iw *w, struct iw_obj *ob, struct xml_node *contact)
{
	struct slice rest = json_member(ob->o->tree, "contact_information"), line;
	bool exact = true, any = false;

	while (rest.n > 0) {
		line = slice_trim(slice_cut(&rest, '\n'));
		if (line.n == 0)
			continue;
		any = true;
		exact = write_contact_line(w, contact, line) && exact;
	}
	if (any)
		iw_mark(w, ob, exact ? LOSS_KEPT : LOSS_APPROXIMATED, "contact_information");
}

/* Where the identity sits: street$code city$area$country of each location that it is linked to. */
static void
write_addresses(struct iw *w, struct iw_obj *ob, struct xml_node *contact)
{
	static const char *const parts[] = { "street_address", "postal_code", "city",
	    "administrative_area", "country", NULL };
	const struct iw_ref *rows;
	struct iw_obj *place;
	struct xml_node *n;
	struct strbuf b = STRBUF_INIT;
	struct slice s;
	size_t i, k, nrows;

	rows = iw_rows(&w->by_source, ob->o->id, &nrows);
	for (i = 0; i < nrows; i++) {
		if (!slice_is(json_member(rows[i].obj->o->tree, "relationship_type"), "located-at"))
			continue;
		place = iw_find(w, json_member(rows[i].obj->o->tree, "target_ref"));
		/* PostalAddress has no restriction of its own */
		if (place == NULL || !iw_label_covers(iw_label_at(contact), iw_label(place->o)) ||
		    !iw_label_covers(iw_label_at(contact), iw_label(rows[i].obj->o)))
			continue;
		strbuf_reset(&b);
		for (k = 0; parts[k] != NULL; k++) {
			if ((s = json_member(place->o->tree, parts[k])).n == 0)
				continue;
			if (b.n > 0)
				strbuf_addc(&b, '$');
			strbuf_addsl(&b, s);
			iw_mark(w, place, LOSS_APPROXIMATED, parts[k]);
		}
		if (b.n == 0)
			continue;
		n = iw_el(w, contact, "PostalAddress");
		iw_leaf(w, n, "PAddress", strbuf_slice(&b));
		if (place->nnodes == 0)
			iw_claim(w, place, n);
	}
	strbuf_fini(&b);
}

struct xml_node *
iw_write_contact(struct iw *w, struct iw_obj *ob, struct xml_node *parent, const char *role,
    const char *ext_role)
{
	struct xml_node *n = iw_el(w, parent, "Contact");
	struct slice class = json_member(ob->o->tree, "identity_class");
	bool person = slice_is(class, "individual");

	iw_set(w, n, "role", role);
	if (ext_role != NULL)
		iw_set(w, n, "ext-role", ext_role);
	iw_set(w, n, "type", person ? "person" : "organization");
	iw_restrict(w, n, iw_label(ob->o));
	iw_mark_kind(w, ob, false);
	if (person || slice_is(class, "organization"))
		iw_mark(w, ob, LOSS_KEPT, "identity_class");
	else if (class.n > 0)
		iw_mark(w, ob, LOSS_APPROXIMATED, "identity_class");
	if (iw_prop(w, ob, n, "ContactName", "name", IW_LINE) == NULL)
		iw_leaf(w, n, "ContactName", ob->o->id);
	iw_prop(w, ob, n, "Description", "description", IW_TEXT);
	write_contact_information(w, ob, n);
	write_addresses(w, ob, n);
	return n;
}

/* Is the identity what a sighting names as the place, or what something targets? */
static bool
is_victim(const struct iw *w, const struct iw_obj *ob)
{
	size_t n;

	iw_rows(&w->by_place, ob->o->id, &n);
	return n > 0 || iw_rel_to(w, ob->o->id, "targets") != NULL ||
	    iw_rel_to(w, ob->o->id, "impersonates") != NULL;
}

/* The role an identity is written with: its own word if IODEF knows it, else by use. */
static void
write_member_contact(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	static const char *const pairs[][2] = { { "victim", NULL }, { "ext-value", "related" } };
	struct slice role = json_slice(json_first(json_get(ob->o->tree, "roles")));
	size_t use = is_victim(w, ob) ? 0 : 1;
	struct xml_node *n;

	if (role.n > 0 && !slice_is(role, "creator") && iw_exact(role, IW_LINE)) {
		n = iw_write_contact(w, ob, inc->node, "ext-value", NULL);
		iw_set_word(w, n, "role", role);
		if (json_count(json_get(ob->o->tree, "roles")) == 1)
			iw_mark(w, ob, LOSS_KEPT, "roles");
	} else {
		n = iw_write_contact(w, ob, inc->node, pairs[use][0], pairs[use][1]);
	}
	iw_claim(w, ob, n);
}

/* Contact is mandatory: with no creator in the advisory it is us. */
static void
write_own_contact(struct iw *w, struct iw_incident *inc)
{
	struct xml_node *n = iw_el(w, inc->node, "Contact");

	iw_set(w, n, "role", "creator");
	iw_set(w, n, "type", "organization");
	iw_leaf(w, n, "ContactName", slice_of(w->job->csirt));
	if (w->job->csirt_contact != NULL && w->job->csirt_contact[0] != '\0')
		iw_leaf(w, iw_el(w, n, "Email"), "EmailTo", slice_of(w->job->csirt_contact));
	iw_generated(w, n, "the document must name a creator");
}

/* Does a member of this Incident bear the signature? */
static bool
signs_here(const struct iw *w, const struct iw_incident *inc, const struct iw_obj *ob)
{
	const struct iw_ref *rows;
	size_t i, n;

	rows = iw_rows(&w->by_creator, ob->o->id, &n);
	for (i = 0; i < n; i++)
		if (rows[i].obj->incident != 0 &&
		    &w->incidents[rows[i].obj->incident - 1] == inc)
			return true;
	return false;
}

/* Whoever signs nothing but definitions has no part in the Incident. */
static bool
signs_definitions(const struct iw *w, const struct iw_obj *ob)
{
	const struct iw_ref *rows;
	size_t i, n, ends;

	iw_rows(&w->by_source, ob->o->id, &ends);
	iw_rows(&w->by_target, ob->o->id, &n);
	ends += n;
	rows = iw_rows(&w->by_creator, ob->o->id, &n);
	for (i = 0; i < n; i++)
		if (rows[i].obj->o->class != OBJECT_META)
			return false;
	return n > 0 && ends == 0;
}

/* The creator of the Incident first; in a default Incident the first identity that signs in it. */
static void
find_creator(struct iw *w, struct iw_incident *inc)
{
	const struct iw_obj *own = inc->report != NULL ? inc->report : inc->incident;
	size_t i;

	if (own != NULL) {
		inc->creator = iw_find(w, json_member(own->o->tree, "created_by_ref"));
	} else {
		for (i = 0; i < inc->nmembers && inc->creator == NULL; i++)
			if (slice_is(inc->members[i]->o->type, "identity") &&
			    signs_here(w, inc, inc->members[i]))
				inc->creator = inc->members[i];
	}
	if (inc->creator != NULL && !slice_is(inc->creator->o->type, "identity"))
		inc->creator = NULL;
}

void
iw_write_contacts(struct iw *w, struct iw_incident *inc)
{
	struct iw_obj *own = inc->report != NULL ? inc->report : inc->incident;
	size_t i;

	find_creator(w, inc);
	if (inc->home && xml_get(inc->node, "Contact") != NULL) {
		/* it names who it names */
	} else if (inc->creator != NULL) {
		iw_claim(w, inc->creator, iw_write_contact(w, inc->creator, inc->node, "creator",
		    NULL));
		if (own != NULL)
			iw_mark(w, own, LOSS_APPROXIMATED, "created_by_ref");
	} else {
		write_own_contact(w, inc);
	}
	for (i = 0; i < inc->nmembers; i++)
		if (slice_is(inc->members[i]->o->type, "identity") &&
		    inc->members[i] != inc->creator && !inc->members[i]->done &&
		    !signs_definitions(w, inc->members[i]))
			write_member_contact(w, inc, inc->members[i]);
}

/* ---- RelatedActivity ----------------------------------------------------------------------- */

/* name and aliases as ids, description, and the URLs of references. */
static struct xml_node *
write_named(struct iw *w, struct iw_obj *ob, struct xml_node *parent, const char *element,
    const char *id_element)
{
	struct xml_node *n = iw_el(w, parent, element);
	struct slice url;
	size_t i;
	json *v;

	iw_restrict(w, n, iw_label(ob->o));
	iw_claim(w, ob, n);
	iw_mark_kind(w, ob, false);
	iw_prop(w, ob, n, id_element, "name", IW_LINE);
	for (v = json_first(json_get(ob->o->tree, "aliases")), i = 0; v != NULL;
	    v = json_next(v), i++) {
		if (slice_trim(json_slice(v)).n == 0)
			continue;
		iw_leaf(w, n, id_element, json_slice(v));
		iw_markf(w, ob, iw_exact(json_slice(v), IW_LINE) ? LOSS_KEPT : LOSS_APPROXIMATED,
		    "aliases[%zu]", i);
	}
	iw_prop(w, ob, n, "Description", "description", IW_TEXT);
	v = json_first(json_get(ob->o->tree, "external_references"));
	for (i = 0; v != NULL; v = json_next(v), i++) {
		url = json_member(v, "url");
		if (!iw_is_uri(url))
			continue;
		iw_leaf(w, n, "URL", url);
		iw_markf(w, ob, LOSS_KEPT, "external_references[%zu].url", i);
	}
	if (xml_child(n) == NULL)	/* at least one child */
		iw_leaf(w, n, id_element, ob->o->id);
	return n;
}

static bool
is_actor(const struct object *o)
{
	return slice_is(o->type, "threat-actor") || slice_is(o->type, "intrusion-set");
}

/* The campaign and who it is attributed to stand in one RelatedActivity. */
static void
write_campaign(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *n = iw_el(w, inc->node, "RelatedActivity");
	const struct iw_ref *rows;
	struct iw_obj *actor, *confident = NULL;
	enum tlp label = iw_label(ob->o);
	size_t i, nrows;

	rows = iw_rows(&w->by_source, ob->o->id, &nrows);
	for (i = 0; i < nrows; i++)
		if (slice_is(json_member(rows[i].obj->o->tree, "relationship_type"),
		    "attributed-to"))
			label = iw_label_join(label, iw_label(rows[i].obj->o));
	iw_restrict(w, n, label);
	write_named(w, ob, n, "Campaign", "CampaignID");
	for (i = 0; i < nrows; i++) {
		if (!slice_is(json_member(rows[i].obj->o->tree, "relationship_type"),
		    "attributed-to"))
			continue;
		actor = iw_find(w, json_member(rows[i].obj->o->tree, "target_ref"));
		if (actor == NULL || !is_actor(actor->o) || actor->done ||
		    actor->incident != ob->incident)
			continue;
		write_named(w, actor, n, "ThreatActor", "ThreatActorID");
		iw_mark_kind(w, rows[i].obj, false);
		if (confident == NULL)
			confident = rows[i].obj;
	}
	iw_confidence(w, confident != NULL && json_get(confident->o->tree, "confidence") != NULL ?
	    confident : ob, n);
}

static void
write_actor(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *n = iw_el(w, inc->node, "RelatedActivity");

	iw_restrict(w, n, iw_label(ob->o));
	write_named(w, ob, n, "ThreatActor", "ThreatActorID");
	iw_confidence(w, ob, n);
}

void
iw_write_related(struct iw *w, struct iw_incident *inc)
{
	size_t i;

	for (i = 0; i < inc->nmembers; i++)
		if (slice_is(inc->members[i]->o->type, "campaign") && !inc->members[i]->done)
			write_campaign(w, inc, inc->members[i]);
	for (i = 0; i < inc->nmembers; i++)
		if (is_actor(inc->members[i]->o) && !inc->members[i]->done)
			write_actor(w, inc, inc->members[i]);
}

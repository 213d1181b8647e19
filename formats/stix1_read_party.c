/* stix1_read_party.c -- who says so: Information_Source, Producer, Identity (plain and CIQ), and when. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* First child, next sibling of that name in a namespace of CIQ, or ours. */
static struct xml_node *
party_from(struct xml_node *k, const char *name)
{
	while (k != NULL && !(slice_is(k->name, name) && (slice_starts(k->ns, "urn:oasis:names:tc:ciq:") ||
	    k->ns.n == 0 || stix1_family(k->ns) != STIX1_FOREIGN)))
		k = xml_sibling(k);
	return k;
}

static struct xml_node *
party_get(const struct xml_node *n, const char *name)
{
	return party_from(xml_child(n), name);
}

static struct xml_node *
party_more(struct xml_node *n)
{
	return party_from(xml_sibling(n), n->name.p);
}

/* The NameElements of a name, blanks between them. */
static struct slice
name_elements(struct s1 *s, struct xml_node *n)
{
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	for (struct xml_node *k = party_get(n, "NameElement"); k != NULL; k = party_more(k)) {
		struct slice one = s1_line(s, k);

		if (text.n > 0 && one.n > 0)
			strbuf_addc(&text, ' ');
		strbuf_addsl(&text, one);
	}
	if (n != NULL && text.n == 0 && xml_child(n) == NULL)
		strbuf_addsl(&text, s1_line(s, n));
	out = arena_slice(s->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return out;
}

/* What a CIQ Specification says about a name and the class of who bears it. */
static struct slice
ciq_name(struct s1 *s, struct xml_node *spec, const char **class)
{
	struct xml_node *party = party_get(spec, "PartyName");
	struct xml_node *organisation = party_get(party, "OrganisationName");
	struct xml_node *person = party_get(party, "PersonName");

	if (organisation != NULL || party_get(spec, "OrganisationInfo") != NULL)
		*class = "organization";
	else if (person != NULL)
		*class = "individual";
	if (organisation != NULL)
		return name_elements(s, organisation);
	return person != NULL ? name_elements(s, person) : s1_line(s, party_get(party, "NameLine"));
}

/* Sectors out of an IndustryType: "Chemical Sector | Dams Sector". */
static void
ciq_sectors(struct s1 *s, json *tree, struct xml_node *spec)
{
	struct xml_node *info = party_get(spec, "OrganisationInfo");
	struct slice rest = SLICE_EMPTY;
	char sep;

	for (struct xml_attr *a = info == NULL ? NULL : info->attrs; a != NULL; a = a->next) {
		if (!slice_is(a->name, "IndustryType"))
			continue;
		a->mark = XML_APPROXIMATED;
		rest = slice_trim(a->value);
	}
	sep = memchr(rest.p, '|', rest.n) != NULL ? '|' : ',';
	/* "Nuclear Reactors, Materials, and Waste Sector" has commas of its own */
	if (stix1_word_up(STIX1_SECTOR, rest) != NULL)
		sep = '|';
	while (rest.n > 0) {
		struct slice one = slice_trim(slice_cut(&rest, sep));
		const char *word = stix1_word_up(STIX1_SECTOR, one);

		sdo_list_add(s->mem, tree, "sectors", word != NULL ? slice_of(word) :
		    stix1_hyphens(s->mem, one));
	}
}

/* Mail addresses and numbers into contact_information. */
static void
ciq_contacts(struct s1 *s, json *tree, struct xml_node *spec)
{
	struct xml_node *list = party_get(spec, "ElectronicAddressIdentifiers");
	struct strbuf text = STRBUF_INIT;

	for (struct xml_node *k = party_get(list, "ElectronicAddressIdentifier"); k != NULL;
	    k = party_more(k)) {
		struct slice one = s1_line(s, k);

		if (text.n > 0 && one.n > 0)
			strbuf_adds(&text, ", ");
		strbuf_addsl(&text, one);
	}
	if (text.n > 0)
		json_put_str(s->mem, tree, "contact_information", strbuf_slice(&text));
	strbuf_fini(&text);
}

/* The package around a unit: what is said twice in it is one object of one time. */
static struct s1_unit *
package_of(struct s1_unit *u)
{
	while (u->up != NULL && u->kind != S1_PACKAGE)
		u = u->up;
	return u;
}

/* An identity that the document only points to. */
static struct s1_obj *
elsewhere(struct s1 *s, struct xml_node *n)
{
	struct s1_obj *ob;
	struct slice idref = s1_attr(n, "idref");
	struct xml_node *to = s1_by_id(s, idref);
	const struct s1_note *note = to == NULL ? NULL : to->user;

	for (const struct s1_tag *t = note == NULL ? NULL : note->tags; t != NULL; t = t->next)
		if (slice_starts(t->ob->id, "identity--"))
			return t->ob;
	if (idref.n == 0)
		return NULL;
	ob = arena_alloc(s->mem, sizeof(*ob));
	ob->id = s1_id(s, "identity", s1_uuid_of(s, idref));
	return ob;
}

/* Fill an identity's own properties from an Identity element; false if nobody is named. */
bool
s1_fill_identity(struct s1 *s, json *tree, struct xml_node *n, struct slice fallback)
{
	struct xml_node *spec = party_get(n, "Specification");
	const char *class = "unknown";
	struct slice called = s1_line(s, stix1_get(n, "Name")), ciq = ciq_name(s, spec, &class);

	if (called.n == 0)
		called = ciq.n > 0 ? ciq : fallback;
	if (called.n == 0)
		return false;
	if (n != NULL) {
		n->mark = XML_KEPT;
		s1_keep_type(n);
	}
	json_put_str(s->mem, tree, "name", called);
	for (struct xml_node *k = party_get(n, "Role"); k != NULL; k = party_more(k))
		sdo_list_add(s->mem, tree, "roles", s1_line(s, k));
	json_put_str(s->mem, tree, "identity_class", slice_of(class));
	ciq_sectors(s, tree, spec);
	ciq_contacts(s, tree, spec);
	return true;
}

/* True if the identity is worth an object of its own: it says more than a name. */
bool
s1_is_someone(const struct xml_node *n)
{
	return n != NULL && (xml_attr(n, "id") != NULL || xml_attr(n, "idref") != NULL ||
	    party_get(n, "Specification") != NULL);
}

/* Return the identity of an Identity element, the same one wherever it is named alike. */
struct s1_obj *
s1_identity(struct s1 *s, struct s1_unit *u, struct xml_node *n, struct slice fallback)
{
	struct s1_unit *home = package_of(u);
	json *tree, *named = json_object(s->mem);
	struct s1_obj *ob;
	struct slice id;

	if (n == NULL)
		return NULL;
	if (s1_is_reference(n))
		return elsewhere(s, n);
	if (!s1_fill_identity(s, named, n, fallback))
		return NULL;
	id = s1_attr(n, "id");
	tree = s1_tree(s, home, "identity", id.n > 0 ? s1_uuid_of(s, id) :
	    S1_UUID(s, SLICE_LIT("identity"), home->ns, json_member(named, "name")));
	json_remove(tree, "created_by_ref");
	json_put_str(s->mem, tree, "created", home->modified);
	for (json *m = json_first(named); m != NULL; m = json_next(m))
		json_put(s->mem, tree, json_name(m), json_copy(s->mem, m));
	ob = s1_shared(s, u, tree, s1_label_within(s, n, true), n);
	if (ob != NULL)
		s1_consent(s, ob->tree, n);
	return ob;
}

/* Return the identity that an Information_Source and the like names. */
struct s1_obj *
s1_source(struct s1 *s, struct s1_unit *u, struct xml_node *n)
{
	struct xml_node *identity = stix1_get(n, "Identity");
	struct s1_obj *ob = s1_identity(s, u, identity, SLICE_EMPTY);

	if (ob != NULL)
		n->mark = XML_KEPT;
	return ob;
}

/* References/Reference into external references. */
void
s1_source_references(struct s1 *s, json *tree, struct xml_node *n)
{
	struct xml_node *list = stix1_get(n, "References");

	for (struct xml_node *k = stix1_get(list, "Reference"); k != NULL; k = stix1_more(k)) {
		struct slice text = s1_line(s, k);

		if (slice_starts(text, "http://") || slice_starts(text, "https://"))
			sdo_reference(s->mem, tree, "stix1", SLICE_EMPTY, text, SLICE_EMPTY);
		else
			sdo_reference(s->mem, tree, "stix1", SLICE_EMPTY, SLICE_EMPTY, text);
	}
}

/* Where a unit says who made it and when, in order of preference. */
static const struct {
	enum s1_kind	 kind;
	const char	*path;
} sources[] = {
	{ S1_PACKAGE, "STIX_Header/Information_Source" },
	{ S1_PACKAGE, "STIX_Header/Handling/Marking/Information_Source" },
	{ S1_REPORT, "Header/Information_Source" },
	{ S1_INDICATOR, "Producer" },
	{ S1_INCIDENT, "Information_Source" },
	{ S1_INCIDENT, "Reporter" },
	{ S1_TTP, "Information_Source" }, { S1_TARGET, "Information_Source" },
	{ S1_COA, "Information_Source" }, { S1_CAMPAIGN, "Information_Source" },
	{ S1_ACTOR, "Information_Source" }, { S1_OBSERVABLE, "Observable_Source" },
};

/* The time something was made, as its source says. */
static struct slice
produced(struct s1 *s, struct s1_unit *u)
{
	struct slice t = SLICE_EMPTY;

	for (size_t i = 0; i < COUNTOF(sources) && t.n == 0; i++)
		if (sources[i].kind == u->kind)
			t = s1_time(s, stix1_down(stix1_down(u->node, sources[i].path),
			    "Time/Produced_Time"));
	return t;
}

/* created and modified of a unit. */
static void
read_times(struct s1 *s, struct s1_unit *u)
{
	struct xml_attr *a = xml_attr(u->node, "timestamp");
	struct slice stamp = a == NULL ? SLICE_EMPTY : s1_time_utc(s, a->value), made = produced(s, u);

	/* one that is no date is told of by the check */
	if (stamp.n > 0)
		a->mark = slice_eq(slice_trim(a->value), stamp) ? XML_KEPT : XML_APPROXIMATED;
	u->modified = stamp.n > 0 ? stamp : made.n > 0 ? made :
	    u->up != NULL ? u->up->modified : s1_time_utc(s, s->job->received);
	if (u->modified.n == 0) {
		s->untimed = true;
		u->modified = SLICE_LIT("1970-01-01T00:00:00.000Z");
	}
	u->created = made.n > 0 && !s1_before(s, u->modified, made) ? made : u->modified;
}

/* Times of all units, before labels and creators are made with them. */
void
s1_read_times(struct s1 *s)
{
	for (size_t i = 0; i < s->nunits; i++)
		read_times(s, s->units[i]);
}

/* Who made a unit: whom it names itself, else whoever made what is around it. */
void
s1_read_source(struct s1 *s, struct s1_unit *u)
{
	for (size_t i = 0; i < COUNTOF(sources) && u->creator == NULL; i++)
		if (sources[i].kind == u->kind)
			u->creator = s1_source(s, u, stix1_down(u->node, sources[i].path));
	if (u->creator == NULL && u->up != NULL)
		u->creator = u->up->creator;
}

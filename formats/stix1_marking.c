/*
 * stix1_marking.c -- what the Handling elements of a document say, and which label follows for an element.
 *
 * A Marking covers the elements that its Controlled_Structure names, with all below them. Several that
 * cover one element hold together: the strictest level, all statements. A Marking that covers only a part
 * of what an object is made of counts for all of it if it is at least as strict as no label (AMBER); a
 * laxer one is a floor. One whose Controlled_Structure we do not understand covers a part of everything
 * around it.
 */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

enum { COVERS_MAX = 64, STATEMENTS_MAX = 1000 };

struct s1_marking {
	struct xml_node	*node;
	enum tlp	 tlp;		/* TLP_UNSET: says none */
	bool		 unreadable;	/* restricts in words that we do not read */
	bool		 strange;	/* unknown: as unreadable, unless a level stands beside it */
	bool		 part;		/* covers something in what it is put on, not all */
	struct s1_said	*said;
	const char	*consent;	/* "ais-consent-everyone", ... */
};

/* ---- labels ---- */

/* Place in the order of strictness; no label counts between GREEN and AMBER. */
static int
rank(enum tlp t)
{
	return t == TLP_UNSET ? 2 * TLP_GREEN + 1 : 2 * (int)t;
}

/* True if a is stricter than b. */
bool
s1_stricter(struct s1_label a, struct s1_label b)
{
	return rank(a.tlp) > rank(b.tlp);
}

/* Both lists in one, each statement once. */
static struct s1_said *
unite(const struct s1 *s, struct s1_said *a, const struct s1_said *b)
{
	for (; b != NULL; b = b->next) {
		const struct s1_said *k = a;
		struct s1_said *one;

		while (k != NULL && k->definition != b->definition)
			k = k->next;
		if (k != NULL)
			continue;
		one = arena_alloc(s->mem, sizeof(*one));
		one->definition = b->definition;
		one->next = a;
		a = one;
	}
	return a;
}

static enum tlp
higher(enum tlp a, enum tlp b)
{
	return a > b ? a : b;
}

/* Return the label of what stands under both. */
struct s1_label
s1_strictest(const struct s1 *s, struct s1_label a, struct s1_label b)
{
	struct s1_label out = s1_stricter(b, a) ? b : a;

	out.floor = higher(higher(a.floor, b.floor), higher(a.tlp, b.tlp));
	if (out.floor <= out.tlp || out.floor == TLP_CLEAR)
		out.floor = TLP_UNSET;
	out.said = unite(s, a.said, b.said);
	if (a.label == LABEL_UNREADABLE || b.label == LABEL_UNREADABLE)
		out.label = LABEL_UNREADABLE;
	else
		out.label = out.tlp != TLP_UNSET ? LABEL_TLP :
		    out.said != NULL ? LABEL_OTHER : LABEL_ABSENT;
	return out;
}

/* A label being summed up over the markings that hold. */
struct sum {
	struct s1_label	 l;
	bool		 unreadable, strange;
};

/* Add a marking; `part`: it holds for a part only. */
static void
count(const struct s1 *s, struct sum *sum, const struct s1_marking *m, bool part)
{
	sum->l.said = unite(s, sum->l.said, m->said);
	sum->unreadable |= m->unreadable;
	sum->strange |= m->strange;
	if (part && m->tlp < TLP_AMBER)
		sum->l.floor = higher(sum->l.floor, m->tlp);
	else
		sum->l.tlp = higher(sum->l.tlp, m->tlp);
}

static struct s1_label
finish(struct sum *sum)
{
	struct s1_label l = sum->l;

	if (sum->unreadable || (sum->strange && l.tlp == TLP_UNSET)) {
		l.tlp = TLP_RED;
		l.label = LABEL_UNREADABLE;
	} else {
		l.label = l.tlp != TLP_UNSET ? LABEL_TLP : l.said != NULL ? LABEL_OTHER : LABEL_ABSENT;
	}
	if (l.floor <= l.tlp || l.floor == TLP_CLEAR)
		l.floor = TLP_UNSET;
	return l;
}

static const struct s1_cover *
covers_of(const struct xml_node *n)
{
	const struct s1_note *note = n->user;

	return note == NULL ? NULL : note->covers;
}

static void
sum_up(const struct s1 *s, const struct xml_node *n, struct sum *sum)
{
	for (; n != NULL; n = n->parent)
		for (const struct s1_cover *c = covers_of(n); c != NULL; c = c->next)
			count(s, sum, c->m, c->m->part);
}

/* Return what holds for all of n. */
struct s1_label
s1_label_here(const struct s1 *s, const struct xml_node *n)
{
	struct sum sum = { .unreadable = false };

	sum_up(s, n, &sum);
	return finish(&sum);
}

/* Which elements below are somebody else's. */
enum skip { SKIP_NONE, SKIP_UNITS, SKIP_PARTS };

static bool
is_skipped(const struct xml_node *n, enum skip skip)
{
	const struct s1_note *note = n->user;

	return note != NULL && ((skip != SKIP_NONE && note->unit != NULL) ||
	    (skip == SKIP_PARTS && note->tags != NULL));
}

static void
sum_below(const struct s1 *s, const struct xml_node *n, enum skip skip, struct sum *sum)
{
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (is_skipped(k, skip))
			continue;
		for (const struct s1_cover *c = covers_of(k); c != NULL; c = c->next)
			count(s, sum, c->m, true);
		sum_below(s, k, skip, sum);
	}
}

/* Return the strictest that holds anywhere in n. */
struct s1_label
s1_label_within(const struct s1 *s, const struct xml_node *n, bool own)
{
	struct sum sum = { .unreadable = false };

	sum_up(s, n, &sum);
	sum_below(s, n, own ? SKIP_UNITS : SKIP_NONE, &sum);
	return finish(&sum);
}

/* All objects of a unit may say what it says outside of their own elements. */
void
s1_label_faces(struct s1 *s, struct s1_unit *u)
{
	struct sum sum = { .unreadable = false };
	struct s1_label common;

	sum_up(s, u->node, &sum);
	sum_below(s, u->node, SKIP_PARTS, &sum);
	common = finish(&sum);
	for (size_t i = 0; i < u->faces.n; i++)
		u->faces.v[i]->label = s1_strictest(s, u->faces.v[i]->label, common);
}

static void
raise_below(struct s1 *s, struct xml_node *n, struct s1_obj *holder)
{
	const struct s1_note *note = n->user;
	bool own = false;

	for (const struct s1_tag *t = note == NULL ? NULL : note->tags; t != NULL; t = t->next) {
		if (t->unit) {
			holder = t->ob;
			holder->label = s1_strictest(s, holder->label, s1_label_here(s, n));
			own = true;
		}
	}
	if (note != NULL && note->covers != NULL && holder != NULL && !own && n->parent != NULL) {
		struct sum sum = { .l = holder->label,
		    .unreadable = holder->label.label == LABEL_UNREADABLE };

		for (const struct s1_cover *c = note->covers; c != NULL; c = c->next)
			count(s, &sum, c->m, true);
		holder->label = finish(&sum);
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		if (k->mark != XML_DROPPED)
			raise_below(s, k, holder);
}

/* True if there is anything in n that is no unit's: how it is to be handled and in which version of CybOX
 * it is told is nothing to hide. */
static bool
says_something(const struct xml_node *n)
{
	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_is_text(k))
			return true;
		if (s1_unit_of(k) != NULL || stix1_is(k, "Handling"))
			continue;
		if ((k->attrs != NULL && !stix1_is(k, "Observables")) || says_something(k))
			return true;
	}
	return false;
}

/* Raise the labels of all objects that hold XML; `bearer` has what no other has. */
void
s1_raise_holders(struct s1 *s, struct s1_obj *bearer)
{
	if (bearer != NULL && says_something(s->doc))
		bearer->label = s1_strictest(s, bearer->label, s1_label_here(s, s->doc));
	raise_below(s, s->doc, bearer);
}

/* Write the label into the tree of an object. */
void
s1_write_label(struct s1 *s, struct s1_obj *ob)
{
	json *list, *granular;

	if (ob->label.tlp != TLP_UNSET || ob->label.said != NULL) {
		list = json_put(s->mem, ob->tree, "object_marking_refs", json_list(s->mem));
		if (ob->label.tlp != TLP_UNSET)
			json_push(list, json_string(s->mem, slice_of(tlp_marking_id(ob->label.tlp))));
		for (const struct s1_said *k = ob->label.said; k != NULL; k = k->next)
			json_push(list, json_string(s->mem, k->definition->id));
	}
	if (ob->label.floor == TLP_UNSET)
		return;
	granular = json_push(json_put(s->mem, ob->tree, "granular_markings", json_list(s->mem)),
	    json_object(s->mem));
	json_put_str(s->mem, granular, "marking_ref", slice_of(tlp_marking_id(ob->label.floor)));
	list = json_put(s->mem, granular, "selectors", json_list(s->mem));
	json_push(list, json_string(s->mem, SLICE_LIT("id")));
}

/* Add the AIS consent that covers n to the labels of a producer. */
void
s1_consent(struct s1 *s, json *tree, const struct xml_node *n)
{
	for (; n != NULL; n = n->parent) {
		for (const struct s1_cover *c = covers_of(n); c != NULL; c = c->next) {
			if (c->m->consent != NULL)
				sdo_list_add(s->mem, tree, "labels", slice_of(c->m->consent));
		}
	}
}

/* ---- reading Markings ---- */

/* A statement becomes a marking-definition. */
static void
add_statement(struct s1 *s, struct s1_marking *m, struct slice text, struct xml_node *at)
{
	struct slice created = s->units[0]->modified;
	struct slice uuid = S1_UUID(s, SLICE_LIT("statement"), created, text);
	struct s1_said *said;
	struct s1_obj *ob = s1_find(s, s1_id(s, "marking-definition", uuid), SLICE_EMPTY);

	if (ob == NULL && (s->nstatements >= STATEMENTS_MAX || s1_is_full(s))) {
		m->strange = true;
		return;
	}
	if (ob == NULL) {
		json *definition;

		ob = arena_alloc(s->mem, sizeof(*ob));
		ob->definition = true;
		ob->id = s1_id(s, "marking-definition", uuid);
		ob->modified = SLICE_EMPTY;
		ob->tree = json_object(s->mem);
		json_put_str(s->mem, ob->tree, "type", SLICE_LIT("marking-definition"));
		json_put_str(s->mem, ob->tree, "spec_version", SLICE_LIT("2.1"));
		json_put_str(s->mem, ob->tree, "id", ob->id);
		json_put_str(s->mem, ob->tree, "created", created);
		json_put_str(s->mem, ob->tree, "definition_type", SLICE_LIT("statement"));
		definition = json_put(s->mem, ob->tree, "definition", json_object(s->mem));
		json_put_str(s->mem, definition, "statement", text);
		s1_add(s, ob);
		s->nstatements++;
	}
	s1_tag(s, ob, at);
	said = arena_alloc(s->mem, sizeof(*said));
	said->definition = ob;
	said->next = m->said;
	m->said = said;
}

/* A word in a place for TLP words. */
static void
read_level(struct s1_marking *m, struct slice word)
{
	enum tlp t = tlp_parse(slice_trim(word));

	if (t == TLP_UNSET)
		m->unreadable = true;
	m->tlp = higher(m->tlp, t);
}

static void
read_tlp(struct s1 *s, struct s1_marking *m, struct xml_node *n)
{
	(void)s;
	read_level(m, s1_attr(n, "color"));
}

/* Statements and terms of use. A statement that begins like a TLP label is one. */
static void
read_statements(struct s1 *s, struct s1_marking *m, struct xml_node *n)
{
	static const char *const names[] = { "Statement", "Terms_Of_Use" };

	for (size_t i = 0; i < COUNTOF(names); i++) {
		for (struct xml_node *k = stix1_get(n, names[i]); k != NULL; k = stix1_more(k)) {
			struct slice text = s1_text(s, k);

			if (text.n >= 4 && slice_is_nocase(slice_from(text.p, 4), "tlp:"))
				read_level(m, text);
			else if (text.n > 0)
				add_statement(s, m, text, k);
		}
	}
}

/* AIS: a level, and who may know the producer. */
static void
read_ais(struct s1 *s, struct s1_marking *m, struct xml_node *n)
{
	static const struct { const char *word, *label; } consents[] = {
		{ "EVERYONE", "ais-consent-everyone" }, { "USG", "ais-consent-usg" },
		{ "NONE", "ais-consent-none" },
	};
	struct xml_node *k = xml_child(n), *level, *consent;
	struct slice word;

	(void)s;
	if (k == NULL || !slice_ends(k->name, "_Proprietary")) {
		m->unreadable = true;
		return;
	}
	for (level = xml_child(k); level != NULL && !slice_is(level->name, "TLPMarking"); )
		level = xml_sibling(level);
	for (consent = xml_child(k); consent != NULL && !slice_is(consent->name, "AISConsent"); )
		consent = xml_sibling(consent);
	if (level == NULL || consent == NULL) {
		m->unreadable = true;
		return;
	}
	k->mark = level->mark = consent->mark = XML_KEPT;
	read_level(m, s1_attr(level, "color"));
	word = s1_attr(consent, "consent");
	for (size_t i = 0; i < COUNTOF(consents); i++)
		if (slice_is_nocase(word, consents[i].word))
			m->consent = consents[i].label;
	if (m->consent == NULL)
		m->consent = "ais-consent-none";
	word = s1_attr(k, "CISA_Proprietary");
	if (slice_is(k->name, "Is_Proprietary") && strcmp(m->consent, "ais-consent-everyone") == 0 &&
	    (slice_is(word, "true") || slice_is(word, "1")))
		m->consent = "ais-consent-everyone-cisa-proprietary";
}

/* Structures that we read, by type; in which family of namespaces, or with which beginning. */
static const struct {
	const char	*type, *ns;
	void		(*read)(struct s1 *, struct s1_marking *, struct xml_node *);
} structures[] = {
	{ "TLPMarkingStructureType", NULL, read_tlp },
	{ "SimpleMarkingStructureType", NULL, read_statements },
	{ "TermsOfUseMarkingStructureType", NULL, read_statements },
	{ "AISMarkingStructure", "http://www.us-cert.gov/", read_ais },
};

/* Schemes of US agencies that restrict sharing in words of their own. */
static bool
is_opaque(struct slice type, struct slice uri)
{
	return slice_starts(type, "ISA") || slice_starts(type, "ACS") || slice_starts(type, "AIS") ||
	    slice_starts(type, "edh") || slice_starts(uri, "http://www.us-cert.gov/") ||
	    slice_starts(uri, "urn:edm:");
}

static void
read_structure(struct s1 *s, struct s1_marking *m, struct xml_node *n)
{
	struct slice uri, type = stix1_type(n, &uri);

	for (size_t i = 0; i < COUNTOF(structures); i++) {
		bool ours = structures[i].ns != NULL ? slice_starts(uri, structures[i].ns) :
		    stix1_family(uri) == STIX1_MARKING;

		if (!slice_is(type, structures[i].type) || (uri.n > 0 && !ours))
			continue;
		n->mark = XML_KEPT;
		s1_keep_type(n);
		structures[i].read(s, m, n);
		return;
	}
	if (is_opaque(type, uri))
		m->unreadable = true;
	else
		m->strange = true;
	s1_warn(s, n, "UNKNOWN_MARKING", "a marking of type \"%.60s\" is not read: it counts as RED%s",
	    type.n > 0 ? type.p : "(none)", m->strange ? " unless a TLP level stands beside it" : "");
}

struct covering {
	struct s1		*s;
	struct s1_marking	*m;
	const struct xml_node	*header;	/* that the Handling stands in; NULL: none */
	bool			 outside;	/* something that is not in it is covered */
};

static void
cover(void *arg, struct xml_node *n)
{
	struct covering *c = arg;
	struct s1_note *note = s1_note(c->s, n);
	struct s1_cover *one;
	const struct xml_node *up = n;

	while (c->header != NULL && !c->outside && up != NULL && up != c->header)
		up = up->parent;
	/* what a Tool holds is no more the header than what stands outside of it */
	c->outside |= up == NULL || stix1_is(n, "Tool");
	if (note->covers != NULL && note->covers->m == c->m)
		return;
	/* nobody says so much of one thing; whoever does cannot be followed */
	if (note->ncovers++ >= COVERS_MAX) {
		note->covers->m = c->s->too_many;
		return;
	}
	one = arena_alloc(c->s->mem, sizeof(*one));
	one->m = c->m;
	one->next = note->covers;
	note->covers = one;
}

/* What a Handling speaks of when it does not say. */
static struct xml_node *
owner_of(struct xml_node *handling)
{
	struct xml_node *n = handling->parent;

	if ((stix1_is(n, "STIX_Header") || stix1_is(n, "Header")) && n->parent != NULL)
		return n->parent;
	return n;
}

static void
read_marking(struct s1 *s, struct xml_node *handling, struct xml_node *n)
{
	struct s1_marking *m = arena_alloc(s->mem, sizeof(*m));
	struct xml_node *structure = stix1_get(n, "Controlled_Structure");
	struct covering c = { s, m, handling->parent, false };
	struct slice path;

	m->node = n;
	for (struct xml_node *k = stix1_get(n, "Marking_Structure"); k != NULL; k = stix1_more(k))
		read_structure(s, m, k);
	if (structure == NULL) {
		cover(&c, owner_of(handling));
		return;
	}
	path = xml_text_line(structure, s->mem);
	/* found nodes are covered on the way: what a broken path names as well, then, stays covered */
	if (s1_xpath(s, structure, path, cover, &c) == 0) {
		/* nobody restricts a header alone: the path is a step short of the package */
		if (!c.outside && owner_of(handling) != handling->parent &&
		    (m->tlp >= TLP_AMBER || m->unreadable || m->strange))
			cover(&c, owner_of(handling));
		xml_mark_own(structure, XML_APPROXIMATED);
		return;
	}
	s1_warn(s, structure, "UNKNOWN_SELECTOR",
	    "what this path names is not known: the marking counts for everything around it");
	m->part = true;
	cover(&c, slice_starts(path, "/") ? s->doc : owner_of(handling));
}

static void
find_below(struct s1 *s, struct xml_node *n)
{
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		struct xml_node *m = stix1_is(k, "Handling") ? stix1_get(k, "Marking") : NULL;

		for (; m != NULL; m = stix1_more(m))
			read_marking(s, k, m);
		find_below(s, k);
	}
}

/* Read all Markings of the document. */
void
s1_find_markings(struct s1 *s)
{
	struct s1_marking *m = arena_alloc(s->mem, sizeof(*m));

	m->node = s->doc;
	m->unreadable = true;
	s->too_many = m;
	find_below(s, s->doc);
}

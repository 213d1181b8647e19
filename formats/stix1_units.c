/* stix1_units.c -- which elements become objects of their own, and what refers to what. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Elements that are somebody's own: by name, in a namespace of STIX. */
static const struct {
	const char	*name;
	enum s1_kind	 kind;
} kinds[] = {
	{ "STIX_Package", S1_PACKAGE }, { "Package", S1_PACKAGE }, { "Report", S1_REPORT },
	{ "Indicator", S1_INDICATOR }, { "TTP", S1_TTP }, { "Exploit_Target", S1_TARGET },
	{ "Incident", S1_INCIDENT }, { "Course_Of_Action", S1_COA }, { "Campaign", S1_CAMPAIGN },
	{ "Threat_Actor", S1_ACTOR },
};

/* True for an idref that stands for what it names. */
bool
s1_is_reference(const struct xml_node *n)
{
	return xml_attr(n, "idref") != NULL && xml_attr(n, "id") == NULL;
}

/* True if the header says more than how it may be handled and who made it. */
bool
s1_has_header(const struct xml_node *package)
{
	static const char *const names[] = {
		"Title", "Description", "Short_Description", "Package_Intent",
	};
	const struct xml_node *header = stix1_get(package, "STIX_Header");

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (stix1_get(header, names[i]) != NULL)
			return true;
	return false;
}

/* True for an Observable that stands for itself: not what an Indicator looks for. */
static bool
is_observed(struct xml_node *n)
{
	const struct s1_note *note = n->user;

	if (!stix1_is(n->parent, "Observables") && !stix1_is(n->parent, "Related_Observable") &&
	    !stix1_is(n->parent, "Observable_Characterization"))
		return false;
	return note == NULL || !note->detects || note->wanted;
}

/* What n becomes; S1_KINDS: nothing of its own. */
static enum s1_kind
kind_of(struct xml_node *n)
{
	if (s1_is_reference(n))
		return S1_KINDS;
	if (stix1_is(n, "Observable"))
		return is_observed(n) ? S1_OBSERVABLE : S1_KINDS;
	if (n->ns.n > 0 && stix1_family(n->ns) != STIX1_STIX)
		return S1_KINDS;
	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		if (!slice_is(n->name, kinds[i].name))
			continue;
		/* ttp:Exploit_Target is the wrapper of a stixCommon:Exploit_Target */
		if (kinds[i].kind == S1_TARGET && stix1_get(n, "Exploit_Target") != NULL)
			return S1_KINDS;
		/* the parts of a composite without a name are only parts */
		if (kinds[i].kind == S1_INDICATOR && xml_attr(n, "id") == NULL &&
		    stix1_is(n->parent, "Composite_Indicator_Expression"))
			return S1_KINDS;
		return kinds[i].kind;
	}
	return S1_KINDS;
}

/* A name for a document without one: the same for all spellings of its text. */
static struct slice
document_id(struct s1 *s)
{
	struct strbuf text = STRBUF_INIT;
	char hex[2 * SHA256_LEN + 1];

	xml_print_canonical(&text, s->doc, NULL);
	digest_sha256_hex(strbuf_slice(&text), hex);
	strbuf_fini(&text);
	return slice_of(arena_fmt(s->mem, "sha256:%s", hex));
}

/* Return a unit made of n. Its id: as written, else the place among what has none around it. */
static struct s1_unit *
add_unit(struct s1 *s, struct xml_node *n, enum s1_kind kind, struct s1_unit *up)
{
	struct s1_unit *u = arena_alloc(s->mem, sizeof(*u));
	struct slice prefix;

	u->kind = kind;
	u->node = n;
	u->up = up;
	u->id = s1_attr(n, "id");
	u->named = u->id.n > 0;
	u->ns = up == NULL ? SLICE_EMPTY : up->ns;
	if (u->named) {
		struct slice rest = u->id;

		prefix = slice_cut(&rest, ':');
		if (rest.n > 0 && stix1_uri(n, prefix).n > 0)
			u->ns = stix1_uri(n, prefix);
	} else if (up == NULL) {
		u->id = document_id(s);
	} else {
		u->id = slice_of(arena_fmt(s->mem, "%.*s#%s%zu", SLICE_ARG(up->id), n->name.p,
		    ++up->nunnamed));
	}
	s1_note(s, n)->unit = u;
	s->units = arena_grow(s->mem, s->units, s->nunits, &s->units_cap, sizeof(struct s1_unit *));
	s->units[s->nunits++] = u;
	return u;
}

/* True if an element before n is the same version of the same thing: one is enough. */
static bool
is_repeated(struct s1 *s, struct xml_node *n, enum s1_kind kind)
{
	const struct xml_node *first = s1_by_id(s, xml_value(n, "id"));
	const struct s1_unit *u = first == n ? NULL : s1_unit_of(first);

	if (u == NULL || u->kind != kind ||
	    !slice_eq(xml_value(first, "timestamp"), xml_value(n, "timestamp")))
		return false;
	s1_warn(s, n, "SAME_ID", "the second %s of this id and version is kept as XML only", n->name.p);
	return true;
}

/* Find the units below n. */
static void
find_below(struct s1 *s, struct xml_node *n, struct s1_unit *up)
{
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		enum s1_kind kind;
		struct s1_unit *u = up;

		if (k->ns.n > 0 && stix1_family(k->ns) == STIX1_FOREIGN)
			continue;
		kind = kind_of(k);
		if (kind != S1_KINDS && !is_repeated(s, k, kind))
			u = add_unit(s, k, kind, up);
		find_below(s, k, u);
	}
}

/* Ids and references. */

/* Note the id of n and of all below it, and the phases of kill chains. */
static void
collect(struct s1 *s, struct xml_node *n)
{
	struct slice id = slice_trim(xml_value(n, "id"));

	if (id.n > 0) {
		idmap_add(&s->ids, s->mem, id, s->nnodes);
		s->nodes = arena_grow(s->mem, s->nodes, s->nnodes, &s->nodes_cap,
		    sizeof(struct xml_node *));
		s->nodes[s->nnodes++] = n;
	}
	if (stix1_is(n, "Kill_Chain_Phase") && stix1_is(n->parent, "Kill_Chain")) {
		struct slice phase = slice_trim(xml_value(n, "phase_id"));
		struct slice name = slice_trim(xml_value(n->parent, "name"));

		if (phase.n > 0) {
			idmap_add(&s->phases, s->mem, phase, s->nchains);
			s->chains = arena_grow(s->mem, s->chains, s->nchains, &s->chains_cap,
			    sizeof(struct s1_chain));
			s->chains[s->nchains++] = (struct s1_chain){
				stix1_is_lm_chain(slice_trim(xml_value(n->parent, "id"))) ?
				    SLICE_LIT(STIX1_KILL_CHAIN) : stix1_hyphens(s->mem, name),
				stix1_hyphens(s->mem, slice_trim(xml_value(n, "name"))) };
		}
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		collect(s, k);
}

/* Return the element with that id. */
struct xml_node *
s1_by_id(const struct s1 *s, struct slice id)
{
	long at = id.n == 0 ? IDMAP_NONE : idmap_find(&s->ids, slice_trim(id));

	return at < 0 ? NULL : s->nodes[at];
}

/* Observables still to be looked through. */
struct todo {
	struct xml_node	**v;
	size_t		 n, cap;
};

/* An Indicator refers to this: so it does to every Observable around it. */
static void
detect(struct s1 *s, struct todo *todo, struct xml_node *n)
{
	for (; n != NULL; n = n->parent) {
		if (!stix1_is(n, "Observable") || s1_note(s, n)->detects)
			continue;
		s1_note(s, n)->detects = true;
		todo->v = arena_grow(s->mem, todo->v, todo->n, &todo->cap, sizeof(struct xml_node *));
		todo->v[todo->n++] = n;
	}
}

/* All references at and below n are looked for. */
static void
detect_below(struct s1 *s, struct todo *todo, struct xml_node *n)
{
	struct xml_node *to = xml_attr(n, "idref") == NULL ? NULL : s1_by_id(s, xml_value(n, "idref"));

	if (to != NULL)
		detect(s, todo, to);
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		detect_below(s, todo, k);
}

/* Look at what Indicators look for, and at what others relate to. */
static void
find_references(struct s1 *s, struct todo *todo, struct xml_node *n)
{
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (stix1_is(k, "Observable") && stix1_is(n, "Indicator"))
			detect_below(s, todo, k);
		else if (stix1_is(k, "Observable") && (stix1_is(n, "Related_Observable") ||
		    stix1_is(n, "Observable_Characterization"))) {
			struct xml_node *to = s1_by_id(s, xml_value(k, "idref"));

			if (to != NULL)
				s1_note(s, to)->wanted = true;
		}
		find_references(s, todo, k);
	}
}

/* Find all units of the document. */
void
s1_find_units(struct s1 *s)
{
	struct todo todo = { 0 };
	struct s1_unit *root;

	collect(s, s->doc);
	idmap_sort(&s->ids);
	idmap_sort(&s->phases);
	find_references(s, &todo, s->doc);
	for (size_t i = 0; i < todo.n; i++)
		detect_below(s, &todo, todo.v[i]);
	root = add_unit(s, s->doc, S1_PACKAGE, NULL);
	find_below(s, s->doc, root);
}

/* Return the unit made of exactly this element. */
struct s1_unit *
s1_unit_of(const struct xml_node *n)
{
	const struct s1_note *note = n == NULL ? NULL : n->user;

	return note == NULL ? NULL : note->unit;
}

/* Return the unit that a reference, or the element in its place, means. */
struct s1_unit *
s1_resolve(struct s1 *s, struct xml_node *n)
{
	if (s1_is_reference(n)) {
		s1_attr(n, "idref");
		s1_keep_type(n);
		n->mark = XML_KEPT;
		return s1_unit_of(s1_by_id(s, xml_value(n, "idref")));
	}
	return s1_unit_of(n);
}

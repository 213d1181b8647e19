/* stix1_read_ttp.c -- TTPs: an object for each malware, attack pattern, tool, infrastructure, victim. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"

/* A TTP being taken apart. */
struct ttp {
	struct s1_unit	*u;
	struct slice	 title;
	bool		 titled;	/* the title became a name */
};

/* Name of a part: its own, else the TTP's title. */
static void
name_part(struct s1 *s, struct ttp *t, struct s1_obj *ob, struct slice otherwise)
{
	if (json_get(ob->tree, "name") != NULL)
		return;
	if (t->title.n > 0) {
		json_put_str(s->mem, ob->tree, "name", t->title);
		t->titled = true;
		return;
	}
	if (otherwise.n == 0)
		otherwise = json_member(ob->tree, "description");
	json_put_str(s->mem, ob->tree, "name", otherwise.n > 0 ? s1_short(s, otherwise) : t->u->id);
}

static void
read_malware(struct s1 *s, struct ttp *t, struct xml_node *n)
{
	struct s1_obj *ob = s1_new(s, t->u, "malware", n);

	if (ob == NULL)
		return;
	n->mark = XML_KEPT;
	s1_names(s, ob->tree, n);
	/* a Title beside a Name stays in the XML */
	if (json_get(ob->tree, "name") == NULL && stix1_get(n, "Title") != NULL)
		json_put_str(s->mem, ob->tree, "name", s1_line(s, stix1_get(n, "Title")));
	s1_describe(s, ob->tree, s1_texts(s, n, "Description"));
	name_part(s, t, ob, SLICE_EMPTY);
	s1_words(s, ob->tree, n, "Type", STIX1_MALWARE_TYPE, "malware_types", "unknown");
	json_put_bool(s->mem, ob->tree, "is_family", false);
}

static void
read_attack_pattern(struct s1 *s, struct ttp *t, struct xml_node *n)
{
	struct s1_obj *ob = s1_new(s, t->u, "attack-pattern", n);
	struct slice capec = s1_attr(n, "capec_id");

	if (ob == NULL)
		return;
	n->mark = XML_KEPT;
	s1_common(s, ob->tree, n);
	name_part(s, t, ob, capec);
	/* ATT&CK techniques are written into the place for CAPEC as well */
	if (capec.n > 1 && capec.p[0] == 'T' && capec.p[1] >= '0' && capec.p[1] <= '9')
		sdo_reference(s->mem, ob->tree, "mitre-attack", capec, SLICE_EMPTY, SLICE_EMPTY);
	else
		sdo_reference(s->mem, ob->tree, "capec", capec, SLICE_EMPTY, SLICE_EMPTY);
}

static void
read_tool(struct s1 *s, struct ttp *t, struct xml_node *n)
{
	struct s1_obj *ob = s1_new(s, t->u, "tool", n);
	struct slice name = s1_line(s, stix1_get(n, "Name"));

	if (ob == NULL)
		return;
	n->mark = XML_KEPT;
	if (name.n > 0)
		json_put_str(s->mem, ob->tree, "name", name);
	s1_common(s, ob->tree, n);
	name_part(s, t, ob, SLICE_EMPTY);
	s1_words(s, ob->tree, n, "Type", STIX1_TOOL_TYPE, "tool_types", "unknown");
	if (stix1_get(n, "Version") != NULL)
		json_put_str(s->mem, ob->tree, "tool_version", s1_line(s, stix1_get(n, "Version")));
}

static void
read_infrastructure(struct s1 *s, struct ttp *t, struct xml_node *n)
{
	struct s1_obj *ob = s1_new(s, t->u, "infrastructure", n);

	if (ob == NULL)
		return;
	n->mark = XML_KEPT;
	s1_common(s, ob->tree, n);
	name_part(s, t, ob, s1_line(s, stix1_get(n, "Type")));
	for (struct xml_node *k = stix1_get(n, "Type"); k != NULL; k = stix1_more(k)) {
		struct slice word = stix1_hyphens(s->mem, s1_word(s, k));

		sdo_list_add(s->mem, ob->tree, "infrastructure_types", slice_is(word, "malware-c2") ?
		    SLICE_LIT("command-and-control") : word);
	}
}

/* Somebody without an id of their own, named in this TTP only. */
static void
read_somebody(struct s1 *s, struct ttp *t, struct xml_node *n, struct xml_node *from)
{
	struct s1_obj *ob;

	if (n != NULL && xml_attr(n, "idref") != NULL && xml_attr(n, "id") == NULL) {
		ob = s1_identity(s, t->u, n, SLICE_EMPTY);
		if (ob != NULL && ob->tree != NULL)
			s1_face(s, t->u, ob);
		return;
	}
	if (n != NULL && xml_attr(n, "id") != NULL) {
		ob = s1_identity(s, t->u, n, t->title);
		if (ob == NULL)
			return;
		if (t->u->made++ == 0)
			s1_hold(s, ob, t->u->node);
		s1_face(s, t->u, ob);
		return;
	}
	ob = s1_new(s, t->u, "identity", from);
	if (ob == NULL)
		return;
	from->mark = XML_KEPT;
	if (!s1_fill_identity(s, ob->tree, n, t->title))
		json_put_str(s->mem, ob->tree, "name", t->u->id);
	if (json_get(ob->tree, "identity_class") == NULL)
		json_put_str(s->mem, ob->tree, "identity_class", SLICE_LIT("unknown"));
	t->titled |= slice_eq(json_member(ob->tree, "name"), t->title);
}

static void
read_persona(struct s1 *s, struct ttp *t, struct xml_node *n)
{
	read_somebody(s, t, n, n);
}

/* Victims: an identity, that the other objects target. */
static void
read_victim(struct s1 *s, struct ttp *t, struct xml_node *n)
{
	struct xml_node *identity = stix1_get(n, "Identity");
	size_t before = t->u->faces.n;

	if (xml_child(n) == NULL)
		return;
	s1_keep_type(n);
	read_somebody(s, t, identity, identity != NULL ? identity : n);
	if (t->u->faces.n == before)
		return;
	for (size_t i = 0; i < before; i++)
		if (!slice_starts(t->u->faces.v[i]->id, "identity--"))
			s1_relate(s, t->u, t->u->faces.v[i], "targets", t->u->faces.v[before], n);
}

static const struct {
	const char	*list, *name;
	void		(*read)(struct s1 *, struct ttp *, struct xml_node *);
} parts[] = {
	{ "Behavior/Malware", "Malware_Instance", read_malware },
	{ "Behavior/Attack_Patterns", "Attack_Pattern", read_attack_pattern },
	{ "Resources/Tools", "Tool", read_tool },
	{ "Resources", "Infrastructure", read_infrastructure },
	{ "Resources/Personas", "Persona", read_persona },
	{ "", "Victim_Targeting", read_victim },
};

/* What the TTP says of itself goes to its first object; effects and phases to all. */
static void
describe_faces(struct s1 *s, struct ttp *t)
{
	struct s1_unit *u = t->u;
	struct s1_obj *first = u->faces.v[0];
	struct slice text = s1_texts(s, u->node, "Description");

	if (text.n == 0)
		text = s1_texts(s, u->node, "Short_Description");
	s1_describe(s, first->tree, text);
	s1_source_references(s, first->tree, stix1_get(u->node, "Information_Source"));
	for (size_t i = 0; i < u->faces.n; i++) {
		struct s1_obj *ob = u->faces.v[i];

		s1_labels(s, ob->tree, u->node, "Intended_Effect");
		if (!slice_starts(ob->id, "identity--"))
			s1_phases(s, ob->tree, u->node);
	}
	if (t->titled)
		s1_line(s, stix1_get(u->node, "Title"));
}

void
s1_read_ttp(struct s1 *s, struct s1_unit *u)
{
	struct ttp t = { .u = u };

	if (stix1_get(u->node, "Title") != NULL)
		t.title = xml_text_line(stix1_get(u->node, "Title"), s->mem);
	for (size_t i = 0; i < COUNTOF(parts); i++)
		for (struct xml_node *k = stix1_get(stix1_down(u->node, parts[i].list), parts[i].name);
		    k != NULL; k = stix1_more(k))
			parts[i].read(s, &t, k);
	if (u->faces.n == 0) {
		struct s1_obj *ob = s1_new(s, u, "attack-pattern", NULL);

		if (ob == NULL)
			return;
		name_part(s, &t, ob, s1_texts(s, u->node, "Description"));
	}
	describe_faces(s, &t);
}

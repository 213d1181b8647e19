/* stix1_read_target.c -- exploit targets (what can be attacked) and courses of action. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static void
name_it(struct s1 *s, struct s1_obj *ob, struct slice id, struct xml_node *title, struct slice otherwise)
{
	if (json_get(ob->tree, "name") != NULL)
		return;
	if (id.n > 0)
		json_put_str(s->mem, ob->tree, "name", id);
	else if (title != NULL)
		json_put_str(s->mem, ob->tree, "name", s1_line(s, title));
	else
		json_put_str(s->mem, ob->tree, "name", otherwise);
}

/* Both kinds of what is wrong with a product: a Vulnerability, a Weakness. */
static void
read_flaw(struct s1 *s, struct s1_unit *u, struct xml_node *n)
{
	static const struct { const char *name, *source; } rows[] = {
		{ "CVE_ID", "cve" }, { "CWE_ID", "cwe" }, { "OSVDB_ID", "osvdb" },
	};
	struct xml_node *list = stix1_get(n, "References");
	struct s1_obj *ob = s1_new(s, u, "vulnerability", n);
	struct slice known = SLICE_EMPTY;

	if (ob == NULL)
		return;
	n->mark = XML_KEPT;
	s1_common(s, ob->tree, n);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct slice id = s1_line(s, stix1_get(n, rows[i].name));

		sdo_reference(s->mem, ob->tree, rows[i].source, id, SLICE_EMPTY, SLICE_EMPTY);
		if (known.n == 0 && i < 2)
			known = id;
	}
	for (struct xml_node *k = stix1_get(list, "Reference"); k != NULL; k = stix1_more(k))
		sdo_reference(s->mem, ob->tree, "stix1", SLICE_EMPTY, s1_line(s, k), SLICE_EMPTY);
	name_it(s, ob, known, stix1_get(u->node, "Title"), u->id);
}

void
s1_read_target(struct s1 *s, struct s1_unit *u)
{
	static const char *const names[] = { "Vulnerability", "Weakness" };
	struct s1_obj *ob;

	for (size_t i = 0; i < COUNTOF(names); i++)
		for (struct xml_node *k = stix1_get(u->node, names[i]); k != NULL; k = stix1_more(k))
			read_flaw(s, u, k);
	if (u->faces.n == 0 && s1_new(s, u, "vulnerability", NULL) == NULL)
		return;
	ob = u->faces.v[0];
	name_it(s, ob, SLICE_EMPTY, stix1_get(u->node, "Title"), u->id);
	/* a title beside names of its flaws stays in the XML unless it is one of them */
	if (slice_eq(json_member(ob->tree, "name"),
	    xml_text_line(stix1_get(u->node, "Title"), s->mem)))
		s1_line(s, stix1_get(u->node, "Title"));
	s1_describe(s, ob->tree, s1_texts(s, u->node, "Description"));
	s1_source_references(s, ob->tree, stix1_get(u->node, "Information_Source"));
}

/* Courses of action. */

/* "Cost: Low: because of this" as a paragraph of the description. */
static void
add_aspect(struct s1 *s, struct s1_obj *ob, struct xml_node *n)
{
	struct slice value = s1_statement(s, n), text = s1_texts(s, n, "Description");
	const char *between = value.n > 0 && text.n > 0 ? ": " : "";

	if (n == NULL || value.n + text.n == 0)
		return;
	xml_mark_own(stix1_get(n, "Value") != NULL ? stix1_get(n, "Value") : n, XML_APPROXIMATED);
	for (struct xml_node *k = stix1_get(n, "Description"); k != NULL; k = stix1_more(k))
		xml_mark_own(k, XML_APPROXIMATED);
	s1_describe(s, ob->tree, slice_of(arena_fmt(s->mem, "%s: %.*s%s%.*s", n->name.p,
	    SLICE_ARG(value), between, SLICE_ARG(text))));
}

void
s1_read_coa(struct s1 *s, struct s1_unit *u)
{
	static const char *const aspects[] = { "Stage", "Objective", "Impact", "Cost", "Efficacy" };
	struct s1_obj *ob = s1_new(s, u, "course-of-action", NULL);
	struct slice text;

	if (ob == NULL)
		return;
	s1_common(s, ob->tree, u->node);
	text = json_member(ob->tree, "description");
	if (json_get(ob->tree, "name") == NULL && stix1_get(u->node, "Type") != NULL)
		json_put_str(s->mem, ob->tree, "name", s1_statement(s, stix1_get(u->node, "Type")));
	if (json_member(ob->tree, "name").n == 0)
		json_put_str(s->mem, ob->tree, "name", text.n > 0 ? s1_short(s, text) : u->id);
	s1_labels(s, ob->tree, u->node, "Type");
	for (size_t i = 0; i < COUNTOF(aspects); i++)
		for (struct xml_node *k = stix1_get(u->node, aspects[i]); k != NULL; k = stix1_more(k))
			add_aspect(s, ob, k);
}

/* stix1_read_package.c -- packages with a header and Reports become reports. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"

enum { NAME_CHARS = 120 };

/* Cut a text at a word to so many characters, as one line. */
struct slice
s1_short(struct s1 *s, struct slice text)
{
	struct slice line = xml_collapse(text, s->mem);
	size_t chars = 0, i = 0, word = 0;

	while (i < line.n && chars < NAME_CHARS) {
		if (line.p[i] == ' ')
			word = i;
		i++;
		while (i < line.n && ((unsigned char)line.p[i] & 0xC0) == 0x80)
			i++;
		chars++;
	}
	if (i == line.n)
		return line;
	return arena_slice(s->mem, slice_from(line.p, word > 0 ? word : i));
}

/* A report out of a header: n is a STIX_Header or a Report's Header. */
static void
read_header(struct s1 *s, struct s1_unit *u, struct xml_node *n, const char *intent)
{
	struct s1_obj *ob = s1_new(s, u, "report", NULL);
	struct slice text;

	if (ob == NULL)
		return;
	if (n != NULL)
		n->mark = XML_KEPT;
	s1_common(s, ob->tree, n);
	for (struct xml_node *k = stix1_get(n, intent); k != NULL; k = stix1_more(k))
		sdo_list_add(s->mem, ob->tree, "report_types", stix1_hyphens(s->mem, s1_word(s, k)));
	text = json_member(ob->tree, "description");
	if (json_get(ob->tree, "name") == NULL)
		json_put_str(s->mem, ob->tree, "name", text.n > 0 ? s1_short(s, text) : u->id);
	json_put_str(s->mem, ob->tree, "published", u->created);
}

/* A package with a header becomes a report; one without is only a list. */
void
s1_read_package(struct s1 *s, struct s1_unit *u)
{
	if (s1_has_header(u->node))
		read_header(s, u, stix1_get(u->node, "STIX_Header"), "Package_Intent");
}

void
s1_read_report(struct s1 *s, struct s1_unit *u)
{
	read_header(s, u, stix1_get(u->node, "Header"), "Intent");
}

/* ---- object_refs, when all objects are there ---- */

static bool
is_within(const struct s1_unit *u, const struct s1_unit *around)
{
	while (u != NULL && u != around)
		u = u->up;
	return u != NULL;
}

/* What a Report points to and does not hold. */
static void
add_references(struct s1 *s, struct s1_unit *u, struct idmap *seen, json *refs)
{
	for (struct xml_node *list = xml_child(u->node); list != NULL; list = xml_sibling(list)) {
		for (struct xml_node *k = xml_child(list); k != NULL; k = xml_sibling(k)) {
			struct s1_unit *to;

			if (!s1_is_reference(k) || stix1_is(list, "Header") ||
			    stix1_is(list, "STIX_Header"))
				continue;
			to = s1_resolve(s, k);
			for (size_t i = 0; to != NULL && i < to->faces.n; i++) {
				if (is_within(to, u))
					break;
				idmap_add(seen, s->mem, to->faces.v[i]->id, 1);
				json_push(refs, json_string(s->mem, to->faces.v[i]->id));
			}
		}
	}
}

/* Each id of a list once. */
static json *
once(struct s1 *s, const json *refs)
{
	json *out = json_list(s->mem);
	struct idmap ids = { 0 };
	size_t i = 0;

	for (const json *m = json_first(refs); m != NULL; m = json_next(m))
		idmap_add(&ids, s->mem, json_slice(m), i++);
	idmap_sort(&ids);
	i = 0;
	for (const json *m = json_first(refs); m != NULL; m = json_next(m), i++)
		if (idmap_find(&ids, json_slice(m)) == (long)i)
			json_push(out, json_copy(s->mem, m));
	return out;
}

/* A report needs something to speak of: without, its XML stays with what is around it. */
static void
give_up(struct s1 *s, struct s1_unit *u, struct s1_obj *report)
{
	report->dead = true;
	report->holds = false;
	for (struct s1_tag *t = s1_note(s, u->node)->tags; t != NULL; t = t->next)
		if (t->ob == report)
			t->unit = false;
	xml_mark_all(u->node, XML_UNSEEN);
	s1_warn(s, u->node, "EMPTY_REPORT", "nothing in it becomes an object: kept as it is, if at all");
}

static void
fill_report(struct s1 *s, struct s1_unit *u)
{
	struct s1_obj *report = u->faces.v[0];
	json *refs = json_list(s->mem);
	struct idmap seen = { 0 };

	for (size_t i = 0; i < s->objs.n; i++) {
		const struct s1_obj *ob = s->objs.v[i];

		if (ob == report || ob == u->creator || ob->sco || ob->definition || ob->dead ||
		    !is_within(ob->unit, u))
			continue;
		json_push(refs, json_string(s->mem, ob->id));
	}
	add_references(s, u, &seen, refs);
	if (json_first(refs) == NULL && u->creator != NULL)
		json_push(refs, json_string(s->mem, u->creator->id));
	if (json_first(refs) == NULL)
		give_up(s, u, report);
	else
		json_put(s->mem, report->tree, "object_refs", once(s, refs));
}

/* Fill object_refs of all reports, the inner ones first: an empty one is nothing to speak of. */
void
s1_fill_reports(struct s1 *s)
{
	for (size_t i = s->nunits; i-- > 0; ) {
		struct s1_unit *u = s->units[i];

		if ((u->kind == S1_PACKAGE || u->kind == S1_REPORT) && u->faces.n > 0)
			fill_report(s, u);
	}
}
